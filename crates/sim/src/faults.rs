//! A store whose commits fail, by chance, in each of the ways that a commit can.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernel::id::JobId;
use kernel::instance::InstanceKey;
use kernel::state::Row;
use kernel::task::TaskKey;
use kernel::time::Timestamp;
use kernel::topic::StreamNo;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use store::sqlite::SqliteStore;
use store::{
    Batch, CommitError, Cutoffs, JobRows, KeptAfter, Loaded, Reader, Stamp, Store, StoreError, Swept, VisibleAfter,
};

use crate::sabotage::Sabotage;

/// The weather over a store: whether and how it fails. Shared by the store and those who make it storm.
#[derive(Clone)]
pub(crate) struct Weather(Arc<Mutex<(StdRng, bool)>>);

/// What happens to a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Unavailable,
    Refused,
    Overtaken,
    UnknownWritten,
    UnknownLost,
    SyncFailedWritten,
    SyncFailedLost,
}

impl Weather {
    /// Stormy weather.
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new((StdRng::seed_from_u64(seed), true))))
    }

    /// Lets nothing fail from now on, or again by chance.
    pub(crate) fn storm(&self, storm: bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1 = storm;
    }

    fn with_chance<T>(&self, act: impl FnOnce(&mut StdRng) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).0)
    }

    /// True once in `times` while it storms.
    fn strikes(&self, times: u32) -> bool {
        let mut weather = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        weather.1 && weather.0.random_range(0..times) == 0
    }

    fn fault(&self) -> Option<Fault> {
        const ODDS: [(Fault, u32); 7] = [
            (Fault::Unavailable, 40),
            (Fault::Refused, 30),
            (Fault::Overtaken, 30),
            (Fault::UnknownWritten, 30),
            (Fault::UnknownLost, 30),
            (Fault::SyncFailedWritten, 150),
            (Fault::SyncFailedLost, 150),
        ];
        ODDS.into_iter().find(|(_, times)| self.strikes(*times)).map(|(fault, _)| fault)
    }
}

/// The one connection of all servers: on one thread, none is ever in the middle of something while another has it, and
/// each of its own would only have to prepare its statements anew.
pub(crate) type Connection = Arc<Mutex<SqliteStore>>;

/// A store under the weather.
pub(crate) struct Faulty {
    pub(crate) inner: Connection,
    /// The mistake that is made on purpose.
    pub(crate) sabotage: Option<Sabotage>,
    pub(crate) weather: Weather,
}

/// A server that is not simulated.
const NOBODY: u64 = 0;

fn struck() -> StoreError {
    StoreError::new("do what was asked", "struck by the simulation")
}

impl Faulty {
    fn inner(&self) -> MutexGuard<'_, SqliteStore> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&mut self, read: impl FnOnce(&mut SqliteStore) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if self.weather.strikes(100) { Err(struck()) } else { read(&mut self.inner()) }
    }

    /// What is committed in a batch's place, where the mistake is made.
    fn spoilt(&mut self, batch: &Batch) -> Option<(Sabotage, Batch)> {
        let sabotage = self.sabotage?;
        self.weather.with_chance(|rng| sabotage.spoil(batch, rng)).map(|spoilt| (sabotage, spoilt))
    }

    /// Another server commits something, of no matter to anybody, unless one has already since a batch was decided.
    fn overtake(&mut self, batch: &Batch) -> Result<(), CommitError> {
        let stored = self.inner().stamp().map_err(|source| CommitError::Unavailable { source })?;
        if stored.version != batch.expected {
            return Ok(());
        }
        let Batch { expected, now, next_stream, .. } = *batch;
        self.inner().commit(&Batch { expected, now, next_stream, writer: NOBODY, ..Batch::default() })
    }
}

impl Store for Faulty {
    fn load(&mut self) -> Result<Loaded, StoreError> {
        self.read(Store::load)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), CommitError> {
        if let Some((sabotage, spoilt)) = self.spoilt(batch) {
            return match sabotage {
                Sabotage::LieAboutCommit => Ok(()),
                Sabotage::IgnoreOthers => {
                    let stored = self.inner().stamp().map_err(|source| CommitError::Unavailable { source })?;
                    self.inner().commit(&Batch { expected: stored.version, ..spoilt })
                }
                Sabotage::CommitTwice => {
                    self.inner().commit(&spoilt)?;
                    Err(CommitError::Unavailable { source: struck() })
                }
                _ => self.inner().commit(&spoilt),
            };
        }
        match self.weather.fault() {
            None => self.inner().commit(batch),
            Some(Fault::Unavailable) => Err(CommitError::Unavailable { source: struck() }),
            Some(Fault::Refused) => Err(CommitError::Refused { source: struck() }),
            Some(Fault::Overtaken) => {
                self.overtake(batch)?;
                self.inner().commit(batch)
            }
            Some(Fault::UnknownWritten) => {
                self.inner().commit(batch)?;
                Err(CommitError::Unknown { source: struck() })
            }
            Some(Fault::UnknownLost) => Err(CommitError::Unknown { source: struck() }),
            Some(Fault::SyncFailedWritten) => {
                self.inner().commit(batch)?;
                Err(CommitError::SyncFailed { source: struck() })
            }
            Some(Fault::SyncFailedLost) => Err(CommitError::SyncFailed { source: struck() }),
        }
    }

    fn stamp(&mut self) -> Result<Stamp, StoreError> {
        self.read(Store::stamp)
    }

    fn job(&mut self, id: JobId) -> Result<Option<JobRows>, StoreError> {
        self.read(|store| store.job(id))
    }

    fn failed_instances(&mut self, task: TaskKey, from: u32, limit: usize) -> Result<Vec<Row>, StoreError> {
        self.read(|store| store.failed_instances(task, from, limit))
    }

    fn instance(&mut self, key: InstanceKey) -> Result<Option<Row>, StoreError> {
        self.read(|store| store.instance(key))
    }

    fn visible_messages(&mut self, after: VisibleAfter, limit: usize) -> Result<Vec<Row>, StoreError> {
        self.read(|store| store.visible_messages(after, limit))
    }

    fn messages(&mut self, queue: StreamNo, seqs: &[u64]) -> Result<Vec<Row>, StoreError> {
        self.read(|store| store.messages(queue, seqs))
    }

    fn oldest_messages(&mut self, heap: StreamNo, kept: Timestamp, limit: usize) -> Result<Vec<Row>, StoreError> {
        self.read(|store| store.oldest_messages(heap, kept, limit))
    }

    fn kept_messages(&mut self, after: KeptAfter, limit: usize) -> Result<Vec<Row>, StoreError> {
        self.read(|store| store.kept_messages(after, limit))
    }

    fn expired_messages(&mut self, queue: StreamNo, kept: Timestamp, limit: usize) -> Result<Vec<u64>, StoreError> {
        self.read(|store| store.expired_messages(queue, kept, limit))
    }

    fn sweep(&mut self, cutoffs: &Cutoffs, limit: usize) -> Result<Swept, CommitError> {
        if self.weather.strikes(20) {
            return Err(CommitError::Unavailable { source: struck() });
        }
        self.inner().sweep(cutoffs, limit)
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        self.inner().reader()
    }
}
