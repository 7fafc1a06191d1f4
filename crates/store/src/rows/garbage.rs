//! What has been deleted and still has rows elsewhere.

use kernel::id::JobId;
use kernel::state::RowKey;

use crate::engine::{Cells, Corrupt};
use crate::statement::{Statement, values};

/// A deleted thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Garbage {
    pub(crate) kind: Kind,
    pub(crate) a: i64,
    pub(crate) b: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Job,
    Env,
    Topic,
    Heap,
    KeptHeap,
    Subscription,
}

impl Kind {
    const ALL: [Self; 6] = [Self::Job, Self::Env, Self::Topic, Self::Heap, Self::KeptHeap, Self::Subscription];

    fn as_str(self) -> &'static str {
        match self {
            Self::Job => "JOB",
            Self::Env => "ENV",
            Self::Topic => "TOPIC",
            Self::Heap => "HEAP",
            Self::KeptHeap => "KEPT_HEAP",
            Self::Subscription => "SUBSCRIPTION",
        }
    }
}

impl Garbage {
    pub(crate) fn job(id: JobId) -> Self {
        Self { kind: Kind::Job, a: id.number().cast_signed(), b: 0 }
    }

    /// What a row leaves behind when it is deleted.
    pub(crate) fn of(key: &RowKey) -> Option<Self> {
        match key {
            RowKey::Job(id) => Some(Self::job(*id)),
            RowKey::Env(id) => Some(Self { kind: Kind::Env, a: id.number().cast_signed(), b: 0 }),
            RowKey::Topic(no) => Some(Self { kind: Kind::Topic, a: no.0.into(), b: 0 }),
            RowKey::Heap(no) => Some(Self { kind: Kind::Heap, a: no.0.into(), b: 0 }),
            RowKey::KeptHeap(no) => Some(Self { kind: Kind::KeptHeap, a: no.0.into(), b: 0 }),
            RowKey::Subscription(key) => {
                Some(Self { kind: Kind::Subscription, a: key.topic.0.into(), b: key.no.into() })
            }
            _ => None,
        }
    }
}

pub(crate) fn put(garbage: Garbage) -> Statement<'static> {
    let text = "insert into garbage (kind, a, b) values (?1, ?2, ?3) on conflict do nothing";
    Statement::new(text, values![garbage.kind.as_str(), garbage.a, garbage.b])
}

pub(crate) fn delete(garbage: Garbage) -> Statement<'static> {
    let text = "delete from garbage where kind = ?1 and a = ?2 and b = ?3";
    Statement::new(text, values![garbage.kind.as_str(), garbage.a, garbage.b])
}

/// Whether a job with this id has been deleted and still has rows.
pub(crate) fn has_job(id: JobId) -> Statement<'static> {
    Statement::new("select 1 from garbage where kind = 'JOB' and a = ?1", values![id])
}

pub(crate) fn select_first() -> Statement<'static> {
    Statement::new("select kind, a, b from garbage order by kind, a, b limit 1", Vec::new())
}

pub(crate) fn read(cells: &mut Cells<'_>) -> Result<Garbage, Corrupt> {
    let kind = cells.text(|word| Kind::ALL.into_iter().find(|kind| kind.as_str() == word))?;
    Ok(Garbage { kind, a: cells.int()?, b: cells.int()? })
}
