//! What was asked, what was answered, and so what must be true.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kernel::command::Reply;
use kernel::id::{JobId, MachineId, NodeId, TemplateId};
use kernel::queue::{Handle, QueueMessage};
use kernel::state::State;
use kernel::time::Timestamp;
use store::ledger::LedgerError;

use crate::aside::Aside;
use crate::replays::ReplayKey;
use crate::templates::Templates;

/// What a command asked, as far as its answer promises something.
pub(crate) enum Asked {
    Nothing,
    /// Reports of a node, so many.
    Reports(NodeId, usize),
    /// The record of a subscriber, by its place.
    Record(usize),
    /// The record of a replay.
    Replayed(ReplayKey),
    Job {
        token: Option<String>,
    },
    Deletion(JobId),
    /// A token that lets one machine join.
    JoinToken,
    /// A machine with such a token, that shows this secret from then on.
    Join {
        credential: String,
    },
    /// A key pair that is to be there from then on, or is not to.
    Key {
        secret_id: String,
        there: There,
    },
    /// A task template of this name.
    TemplateMade(String),
    /// Another name for one.
    TemplateNamed(TemplateId, String),
    /// The end of one.
    TemplateGone(TemplateId),
    /// The subscription that comes and goes.
    Subscribed,
    /// Its end.
    Unsubscribed,
    /// A text to a topic.
    Published(String),
    /// A text to a queue.
    Text(String),
    Receipt {
        queue: &'static str,
        retention_ms: u64,
    },
    Deleted {
        texts: Vec<(String, Handle)>,
    },
}

/// How certain it is that something is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum There {
    No,
    Maybe,
    Yes,
}

/// Everything promised so far.
#[derive(Default)]
pub(crate) struct Promises {
    pub(crate) jobs: BTreeMap<JobId, There>,
    /// Submissions of which nobody knows whether they were accepted.
    pub(crate) maybe_jobs: usize,
    tokens: BTreeMap<String, JobId>,
    /// Machines that were told who they are, by what they show.
    pub(crate) machines: BTreeMap<String, MachineId>,
    /// Key pairs, by their public half.
    keys: BTreeMap<String, There>,
    /// Task templates.
    pub(crate) templates: Templates,
    /// The subscription that comes and goes.
    pub(crate) aside: Aside,
    /// Tokens to join with that were made, or may have been.
    join_tokens: usize,
    /// Texts that clients sent and published.
    pub(crate) texts: BTreeMap<String, There>,
    /// Texts that a consumer has received, how to delete them, and until when nobody else gets them.
    pub(crate) received: BTreeMap<String, (&'static str, Handle, Timestamp)>,
    /// Texts of deleted messages.
    pub(crate) deleted: BTreeSet<String>,
    /// Texts whose deletion may have taken effect.
    pub(crate) maybe_deleted: BTreeSet<String>,
    pub(crate) acknowledged: u64,
}

impl Promises {
    /// Takes an answer in. `now`: when the command was decided.
    pub(crate) fn settle(
        &mut self,
        asked: Asked,
        reply: &Result<Reply, LedgerError>,
        now: Timestamp,
    ) -> Result<(), String> {
        self.acknowledged += u64::from(reply.is_ok());
        let there = match reply {
            Ok(_) => There::Yes,
            Err(LedgerError::Unknown) => There::Maybe,
            Err(_) => There::No,
        };
        match (asked, reply) {
            (Asked::Job { token }, Ok(Reply::Job(id))) => {
                self.jobs.entry(*id).or_insert(There::Yes);
                if let Some(token) = token {
                    let first = *self.tokens.entry(token.clone()).or_insert(*id);
                    return ensure(first == *id, || format!("token {token} stands for {first} and {id}"));
                }
            }
            (Asked::Job { .. }, Err(LedgerError::Unknown)) => self.maybe_jobs += 1,
            (Asked::Deletion(id), Ok(_)) => {
                self.jobs.insert(id, There::No);
            }
            (Asked::Deletion(id), Err(LedgerError::Unknown)) => {
                self.jobs.insert(id, There::Maybe);
            }
            (Asked::Key { secret_id, there }, Ok(_)) => {
                self.keys.insert(secret_id, there);
            }
            (Asked::Key { secret_id, .. }, Err(LedgerError::Unknown)) => {
                self.keys.insert(secret_id, There::Maybe);
            }
            (Asked::TemplateMade(name), Ok(Reply::Template(id))) => self.templates.made(*id, name),
            (Asked::TemplateMade(name), Err(LedgerError::Unknown)) => self.templates.maybe_made(name),
            (Asked::TemplateNamed(id, name), Ok(_) | Err(LedgerError::Unknown)) => {
                return self.templates.named(id, name, there);
            }
            (Asked::TemplateGone(id), Ok(_) | Err(LedgerError::Unknown)) => self.templates.gone(id, there),
            (Asked::JoinToken, Ok(_) | Err(LedgerError::Unknown)) => self.join_tokens += 1,
            (Asked::Join { credential }, Ok(Reply::Machine(id))) => return self.join(credential, *id),
            (Asked::Subscribed, _) => self.aside.subscribed(there),
            (Asked::Unsubscribed, _) => self.aside.unsubscribed(there),
            (Asked::Published(text), _) => {
                self.aside.published(&text, there);
                self.texts.insert(text, there);
            }
            (Asked::Text(text), _) => {
                self.texts.insert(text, there);
            }
            (Asked::Receipt { queue, retention_ms }, Ok(Reply::Received(messages))) => {
                for message in messages {
                    self.receive(queue, retention_ms, message, now)?;
                }
            }
            (Asked::Deleted { texts }, Ok(Reply::Deleted(done))) => {
                for ((text, handle), done) in texts.into_iter().zip(done) {
                    self.delete(text, handle, *done, now)?;
                }
            }
            (Asked::Deleted { texts }, Err(LedgerError::Unknown)) => {
                self.maybe_deleted.extend(texts.into_iter().map(|(text, _)| text));
            }
            _ => {}
        }
        Ok(())
    }

    /// Nobody will ever answer: the server died.
    pub(crate) fn unanswered(&mut self, asked: Asked) -> Result<(), String> {
        self.settle(asked, &Err(LedgerError::Unknown), Timestamp(0))
    }

    /// Whether the key pairs are those that were promised.
    pub(crate) fn hold_for_keys(&self, state: &State) -> Result<(), String> {
        let found: BTreeSet<&str> = state.access_keys().map(|key| key.secret_id.as_str()).collect();
        for (secret_id, there) in &self.keys {
            let right = *there == There::Maybe || found.contains(secret_id.as_str()) == (*there == There::Yes);
            ensure(right, || format!("the key pair {secret_id} should be there: {there:?}"))?;
        }
        let nobodys = found.iter().find(|id| !self.keys.contains_key(**id));
        ensure(nobodys.is_none(), || format!("the key pair {nobodys:?} is there, and nobody made it"))
    }

    fn join(&mut self, credential: String, id: MachineId) -> Result<(), String> {
        let first = *self.machines.entry(credential.clone()).or_insert(id);
        ensure(first == id, || format!("{credential} is {first} and {id}"))?;
        let twins = self.machines.values().filter(|other| **other == id).count();
        ensure(twins == 1, || format!("{id} is {twins} machines"))?;
        ensure(self.machines.len() <= self.join_tokens, || format!("{credential} joined with a used token"))
    }

    fn delete(&mut self, text: String, handle: Handle, done: bool, now: Timestamp) -> Result<(), String> {
        // A handle is good until its message can be received again, is deleted, or is over its retention.
        let latest = self.received.get(&text).is_some_and(|(_, other, until)| *other == handle && now < *until);
        let good = latest && !self.maybe_deleted.contains(&text) && !text.starts_with("short");
        ensure(done || !good, || format!("`{text}` was not deleted though its handle was good"))?;
        if done {
            self.received.remove(&text);
            self.deleted.insert(text);
        }
        Ok(())
    }

    fn receive(
        &mut self,
        queue: &'static str,
        retention_ms: u64,
        message: &Arc<QueueMessage>,
        now: Timestamp,
    ) -> Result<(), String> {
        let text = message.body.to_string();
        ensure(!self.deleted.contains(&text), || format!("`{text}` was received after it was deleted"))?;
        ensure(now.since_ms(message.enqueued) < retention_ms, || format!("`{text}` is over its retention"))?;
        if let Some((_, _, until)) = self.received.get(&text) {
            ensure(now >= *until, || format!("`{text}` was received again before {until:?}"))?;
        }
        if let Some(There::No) = self.texts.get(&text) {
            return Err(format!("`{text}` was received though it was refused"));
        }
        self.received.insert(text, (queue, message.handle(), message.visible));
        Ok(())
    }
}

pub(crate) fn ensure(holds: bool, wrong: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(wrong()) }
}
