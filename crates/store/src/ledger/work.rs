//! A batch in the making: the overlay of the state, and what is to be written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kernel::change::{Change, RunEnd, What};
use kernel::command::{Command, Refusal, Reply};
use kernel::decide::{Settings, decide, follow_ups, redo_needs};
use kernel::delivery::Attempt;
use kernel::evolve::evolve;
use kernel::id::JobId;
use kernel::instance::InstanceKey;
use kernel::job::Job;
use kernel::queue::MessageKey;
use kernel::sample::Sample;
use kernel::state::{Row, RowKey, State};
use kernel::time::Timestamp;
use kernel::topic::{NewBody, NewMessage, StreamNo, TopicMessage};
use rand::Rng;

use super::{Render, Untold};
use crate::batch::{Batch, LogTail, RowChange};
use crate::error::StoreError;
use crate::writer::{Stamp, Store};

/// How often what follows of itself is decided within one batch; the rest waits for the next.
const FOLLOW_ROUNDS: usize = 3;

/// A batch in the making.
pub(super) struct Work<'a> {
    pub(super) overlay: State,
    settings: &'a Settings,
    pub(super) now: Timestamp,
    next_stream: u32,
    replies: Vec<Result<Reply, Refusal>>,
    changes: Vec<Change>,
    messages: Vec<NewMessage>,
    attempts: Vec<Arc<Attempt>>,
    tails: Vec<LogTail>,
    samples: Vec<Arc<Sample>>,
    dropped_samples: Vec<(InstanceKey, u32)>,
    pub(super) fresh: BTreeSet<RowKey>,
    pub(super) loaded: Loads,
}

/// What was loaded into the overlay, so that nothing is loaded twice: a row that this batch has removed since must
/// not come back.
#[derive(Default)]
pub(super) struct Loads {
    jobs: BTreeSet<JobId>,
    instances: BTreeSet<InstanceKey>,
    pub(super) messages: BTreeSet<MessageKey>,
    pub(super) kept: BTreeSet<MessageKey>,
    /// For each heap the place up to which its visible messages were loaded; `None`: all were.
    pub(super) heads: BTreeMap<StreamNo, Option<(Timestamp, u64)>>,
    /// Messages and kept messages, and what is known by a name and has gone, that the store had when the batch began.
    pub(super) found: BTreeSet<RowKey>,
}

/// A finished batch.
pub(super) struct Done {
    /// The state if the batch is committed.
    pub(super) state: State,
    pub(super) batch: Batch,
    pub(super) replies: Vec<Result<Reply, Refusal>>,
    pub(super) changes: Vec<Change>,
}

impl<'a> Work<'a> {
    pub(super) fn new(state: &State, settings: &'a Settings, now: Timestamp, next_stream: u32) -> Self {
        Self {
            overlay: state.clone(),
            settings,
            now: now.max(state.now()),
            next_stream,
            replies: Vec::new(),
            changes: Vec::new(),
            messages: Vec::new(),
            attempts: Vec::new(),
            tails: Vec::new(),
            samples: Vec::new(),
            dropped_samples: Vec::new(),
            fresh: BTreeSet::new(),
            loaded: Loads::default(),
        }
    }

    /// Loads what a command needs, decides it and lets it take effect on the overlay.
    pub(super) fn carry_out(
        &mut self,
        command: &Command,
        store: &mut dyn Store,
        rng: &mut dyn Rng,
    ) -> Result<(), StoreError> {
        self.load_needs(command.asked(), store)?;
        let reply = self.decide(command.clone(), rng);
        self.replies.push(reply);
        Ok(())
    }

    /// Decides what follows of itself; says when to look again.
    pub(super) fn follow_up(&mut self, store: &mut dyn Store, rng: &mut dyn Rng) -> Result<Timestamp, StoreError> {
        let mut swept = false;
        for _ in 0..FOLLOW_ROUNDS {
            let (mut commands, wake) = follow_ups(&self.overlay, self.settings, self.now);
            let sweeps = commands.iter().any(|command| matches!(command, Command::Sweep));
            if swept {
                // One chunk a commit; the next commit takes the next.
                commands.retain(|command| !matches!(command, Command::Sweep));
            }
            if commands.is_empty() {
                return Ok(if sweeps { self.now } else { wake });
            }
            swept |= sweeps;
            let before = self.changes.len();
            for command in commands {
                self.load_needs(&command, store)?;
                // Nobody waits for the answer, and nothing that follows of itself is refused.
                let _ = self.decide(command, rng);
            }
            if self.changes.len() == before {
                return Ok(wake);
            }
        }
        let (commands, wake) = follow_ups(&self.overlay, self.settings, self.now);
        Ok(if commands.is_empty() { wake } else { self.now })
    }

    /// What is to be written, and the state it leads to. `made_on`: the version that this was decided on, and who writes.
    pub(super) fn finish(mut self, made_on: Stamp, render: &Render) -> Done {
        let dirty = self.overlay.take_dirty();
        let mut rows = Vec::with_capacity(dirty.len());
        for key in &dirty {
            let (row, fresh) = (self.overlay.row(key), self.fresh.contains(key));
            // What came and went within the batch was never there.
            if row.is_some() || !fresh {
                rows.push(RowChange { key: key.clone(), row, fresh });
            }
        }
        let messages = self.messages.into_iter().map(|message| Arc::new(rendered(message, render))).collect();
        let batch = Batch {
            expected: made_on.version,
            writer: made_on.writer,
            now: self.overlay.now().max(self.now),
            next_stream: self.next_stream,
            rows,
            messages,
            attempts: self.attempts,
            tails: self.tails,
            samples: self.samples,
            dropped_samples: self.dropped_samples,
        };
        let mut touched = dirty;
        touched.extend(self.loaded.jobs.into_iter().map(RowKey::Job));
        touched.extend(self.loaded.instances.into_iter().map(RowKey::Instance));
        touched.extend(self.loaded.messages.into_iter().map(RowKey::Message));
        touched.extend(self.loaded.kept.into_iter().map(RowKey::Kept));
        self.overlay.forget(&touched);
        Done { state: self.overlay, batch, replies: self.replies, changes: self.changes }
    }

    fn decide(&mut self, command: Command, rng: &mut dyn Rng) -> Result<Reply, Refusal> {
        let decision = decide(&self.overlay, self.settings, command, self.now, rng)?;
        for change in &decision.changes {
            self.note_first_row(change);
            evolve(&mut self.overlay, change);
            self.note(change);
        }
        self.next_stream = self.next_stream.max(self.overlay.next_stream().0);
        self.changes.extend(decision.changes);
        self.messages.extend(decision.messages);
        Ok(decision.reply)
    }

    /// Notes what of a change is written beside the images of rows.
    fn note(&mut self, change: &Change) {
        match &change.what {
            What::JobSubmitted(job, tasks) => {
                self.fresh.insert(RowKey::Job(job.id));
                self.fresh.extend(tasks.iter().map(|task| RowKey::Task(task.key)));
            }
            // What the store still has of it must not come back within this batch.
            What::JobDeleted(id) => {
                self.loaded.jobs.insert(*id);
            }
            What::TemplateCreated(template) => {
                self.fresh.insert(RowKey::Template(template.id));
            }
            What::EnvCreated(env) => {
                self.fresh.insert(RowKey::Env(env.id));
            }
            What::AccessKeyCreated(key) => self.note_named(RowKey::AccessKey(key.secret_id.clone()), true),
            What::AccessKeyDeleted(secret_id) => self.note_named(RowKey::AccessKey(secret_id.clone()), false),
            What::JoinTokenMade(token) => self.note_named(RowKey::JoinToken(token.digest.clone()), true),
            What::JoinTokenGone(digest) => self.note_named(RowKey::JoinToken(digest.clone()), false),
            What::MachineJoined(machine) => {
                self.fresh.insert(RowKey::Machine(machine.id));
            }
            What::NodeSubmitted(node) => {
                self.fresh.insert(RowKey::Node(node.id));
            }
            What::ActivityBegan(activity) => {
                self.fresh.insert(RowKey::Activity(activity.key));
            }
            What::TopicCreated(topic) => {
                self.fresh.insert(RowKey::Topic(topic.no));
            }
            What::QueueCreated(queue) => {
                self.fresh.insert(RowKey::Queue(queue.no));
            }
            What::Subscribed(subscription) => {
                self.fresh.insert(RowKey::Subscription(subscription.key));
            }
            What::MessageStored(message) => {
                self.fresh.insert(RowKey::Message(message.key));
            }
            What::MessageKept(key) | What::MessageRewound(key) => self.note_moved(*key),
            What::InstanceSucceeded(key, end)
            | What::InstanceRetrying(key, end, _)
            | What::InstanceFailed(key, end)
            | What::InstanceInterrupted(key, end) => {
                self.keep_tail(*key, end);
            }
            What::SampleTaken(sample) => self.samples.push(sample.clone()),
            What::SamplesDropped(key, attempt) => self.dropped_samples.push((*key, *attempt)),
            // What they wrote goes with their runs.
            What::InstancesReset(key, indexes) => {
                self.tails.extend(indexes.iter().map(|index| LogTail {
                    key: InstanceKey { job: key.job, task: key.task, index: *index },
                    attempt: 0,
                    stdout: Arc::default(),
                    stderr: Arc::default(),
                }));
            }
            What::AttemptEnded(attempt) => self.attempts.push(attempt.clone()),
            _ => {}
        }
    }

    /// Notes that something comes or goes whose name another of its kind may have had, within this batch too.
    fn note_named(&mut self, key: RowKey, comes: bool) {
        if !comes && !self.fresh.contains(&key) {
            self.loaded.found.insert(key);
        } else if comes && !self.loaded.found.contains(&key) {
            self.fresh.insert(key);
        }
    }

    /// Notes that an instance gets its first row. Who has one and goes on is in the state.
    fn note_first_row(&mut self, change: &Change) {
        let key = match &change.what {
            What::InstancePlaced(key, _) | What::InstanceFailed(key, _) | What::InstanceRetrying(key, ..) => key,
            _ => return,
        };
        // One that was loaded has a row in the store, even if it has lost it here since.
        if self.overlay.instance(*key).is_none() && !self.loaded.instances.contains(key) {
            self.fresh.insert(RowKey::Instance(*key));
        }
    }

    /// Notes that a message has moved to those that are kept, or back: it gets a row there, unless the store has had
    /// that since before the batch.
    fn note_moved(&mut self, key: MessageKey) {
        let Some(queue) = self.overlay.queue_of(key.heap) else { return };
        let row = match queue.kept {
            Some(kept) if kept.heap != key.heap => RowKey::Kept(MessageKey { heap: kept.heap, ..key }),
            _ => RowKey::Message(MessageKey { heap: queue.heap, ..key }),
        };
        if !self.loaded.found.contains(&row) {
            self.fresh.insert(row);
        }
    }

    fn keep_tail(&mut self, key: InstanceKey, end: &RunEnd) {
        let attempt = self.overlay.instance(key).map_or(0, |row| row.attempt);
        // A first attempt without output leaves nothing, and there is nothing of an earlier one to wipe out.
        if attempt > 1 || !end.stdout.is_empty() || !end.stderr.is_empty() {
            self.tails.push(LogTail { key, attempt, stdout: end.stdout.clone(), stderr: end.stderr.clone() });
        }
    }

    fn load_needs(&mut self, command: &Command, store: &mut dyn Store) -> Result<(), StoreError> {
        match command {
            Command::TerminateJob(id) | Command::DeleteJob(id) | Command::ExplainJob(id) => self.load_job(*id, store),
            Command::RetryJobs(ids) => ids.iter().try_for_each(|id| self.load_job(*id, store)),
            Command::TerminateInstance { job, task, index } => self.load_instance(*job, task, *index, store),
            Command::Sweep => self.load_redone(store),
            _ => self.load_messages_for(command, store),
        }
    }

    fn load_job(&mut self, id: JobId, store: &mut dyn Store) -> Result<(), StoreError> {
        if self.overlay.job(id).is_some() || !self.loaded.jobs.insert(id) {
            return Ok(());
        }
        if let Some(found) = store.job(id)? {
            self.overlay.load(Row::Job(found.job));
            found.tasks.into_iter().for_each(|task| self.overlay.load(Row::Task(task)));
        }
        Ok(())
    }

    /// Loads an instance that has finished, with its job.
    fn load_instance(&mut self, job: JobId, task: &str, index: u64, store: &mut dyn Store) -> Result<(), StoreError> {
        self.load_job(job, store)?;
        let number = |job: &Arc<Job>| job.spec.tasks.iter().position(|spec| spec.name == task);
        let Some(task) = self.overlay.job(job).and_then(number).and_then(|task| u32::try_from(task).ok()) else {
            return Ok(());
        };
        let Ok(index) = u32::try_from(index) else { return Ok(()) };
        let key = InstanceKey { job, task, index };
        let in_bulk = self.overlay.task(key.task_key()).is_some_and(|task| task.bulk.contains(index));
        if in_bulk || self.overlay.instance(key).is_some() || !self.loaded.instances.insert(key) {
            return Ok(());
        }
        if let Some(row) = store.instance(key)? {
            self.overlay.load(row);
        }
        Ok(())
    }

    /// Loads failed instances that are to run again.
    fn load_redone(&mut self, store: &mut dyn Store) -> Result<(), StoreError> {
        let Some((key, from, most)) = redo_needs(&self.overlay) else { return Ok(()) };
        for row in store.failed_instances(key, from, most)? {
            if let Row::Instance(instance) = &row {
                self.loaded.instances.insert(instance.key);
            }
            self.overlay.load(row);
        }
        Ok(())
    }
}

fn rendered(message: NewMessage, render: &Render) -> TopicMessage {
    let body = match message.body {
        NewBody::Text(text) => text,
        NewBody::Event(event) => Arc::from(render(Untold::Event(&event))),
        NewBody::Audited(audited) => Arc::from(render(Untold::Audited(&audited, message.seq))),
    };
    TopicMessage {
        topic: message.topic,
        seq: message.seq,
        published: message.published,
        body,
        tags: message.tags,
        routing_key: message.routing_key,
        previous: message.previous,
        owner: message.owner,
    }
}
