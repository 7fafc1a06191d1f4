//! The state: a bounded cache of rows, with the indexes that decisions need.
//!
//! It holds live jobs (those that have not finished, and those whose own nodes are not gone) with their tasks and the
//! instances that have a row and have not finished, all environments, nodes, topics, queues and subscriptions, and for the length of one batch what else a command named. A clone is an
//! overlay: cheap to make, and what changes it leaves the original alone.

mod access;
mod load;
mod machines;
mod stalled;

use std::sync::Arc;

use imbl::{OrdMap, OrdSet};

use crate::access::{AccessKey, JoinToken};
use crate::activity::{Activity, ActivityKey};
use crate::delivery::{Delivery, DeliveryKey};
use crate::environment::Env;
use crate::id::{EnvId, JobId, MachineId, NodeId, TemplateId};
use crate::instance::{Instance, InstanceKey, Stage};
use crate::job::Job;
use crate::machine::Machine;
use crate::node::Node;
use crate::phase::Phase;
use crate::queue::{KeptMessage, MessageKey, Queue, QueueMessage};
use crate::subscription::{Subscription, SubscriptionKey};
use crate::table::Table;
use crate::task::{Task, TaskKey};
use crate::template::Template;
use crate::time::Timestamp;
use crate::token::ClientToken;
use crate::topic::{StreamNo, Topic};

/// Everything that decisions look at.
#[derive(Debug, Clone, Default)]
pub struct State {
    pub(crate) jobs: Table<JobId, Job>,
    pub(crate) tasks: Table<TaskKey, Task>,
    pub(crate) instances: Table<InstanceKey, Instance>,
    pub(crate) templates: Table<TemplateId, Template>,
    pub(crate) envs: Table<EnvId, Env>,
    pub(crate) access_keys: Table<String, AccessKey>,
    pub(crate) join_tokens: Table<String, JoinToken>,
    pub(crate) machines: Table<MachineId, Machine>,
    pub(crate) nodes: Table<NodeId, Node>,
    pub(crate) activities: Table<ActivityKey, Activity>,
    pub(crate) topics: Table<StreamNo, Topic>,
    pub(crate) queues: Table<StreamNo, Queue>,
    pub(crate) subscriptions: Table<SubscriptionKey, Subscription>,
    pub(crate) messages: Table<MessageKey, QueueMessage>,
    pub(crate) kept: Table<MessageKey, KeptMessage>,
    pub(crate) deliveries: Table<DeliveryKey, Delivery>,
    pub(crate) tokens: Table<String, ClientToken>,
    pub(crate) index: Index,
    /// Rows that have changed since the last commit.
    pub(crate) dirty: OrdSet<RowKey>,
    /// Larger than the number of every topic and queue there ever was.
    pub(crate) next_stream: u32,
    /// The time of the last decision.
    pub(crate) now: Timestamp,
}

/// What can be found without looking through the tables. Derived from them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    /// Environments that were made for tasks.
    pub(crate) owned: OrdSet<(TaskKey, EnvId)>,
    /// Nodes of each environment.
    pub(crate) env_nodes: OrdSet<(EnvId, NodeId)>,
    /// Tasks with an instance that could be placed now: environment, 100 - priority, job, task.
    pub(crate) ready: OrdSet<(EnvId, u64, JobId, u32)>,
    /// Tasks with nodes of their own that have begun and not finished.
    pub(crate) elastic: OrdSet<TaskKey>,
    /// Waiting instances with a row, whose pause is over.
    pub(crate) returned: OrdSet<InstanceKey>,
    /// Waiting instances whose pause ends.
    pub(crate) pausing: OrdSet<(Timestamp, InstanceKey)>,
    /// Tasks whose intent has not reached all their instances.
    pub(crate) sweeps: OrdSet<TaskKey>,
    /// Jobs that asked for JOB_BLOCKED and of which nothing runs although something could, by the time since when that
    /// is so, or was looked at last. It begins anew when the state is loaded.
    pub(crate) stalled: OrdSet<(Timestamp, JobId)>,
    /// The time under which each of them stands there.
    pub(crate) stalled_since: imbl::OrdMap<JobId, Timestamp>,
    /// Topics by name in lower case.
    pub(crate) topic_names: OrdSet<(String, StreamNo)>,
    /// Queues by name in lower case.
    pub(crate) queue_names: OrdSet<(String, StreamNo)>,
    /// The queues that store messages, or keep deleted ones, under each number.
    pub(crate) heaps: OrdMap<StreamNo, StreamNo>,
    /// Loaded messages by the time they can be received.
    pub(crate) visible: OrdSet<(StreamNo, Timestamp, u64)>,
    /// Instances that wait on a node behind a busy slot, by the time they came there.
    pub(crate) ahead: OrdSet<(EnvId, Timestamp, InstanceKey)>,
    /// Client tokens by the time they were used.
    pub(crate) token_ages: OrdSet<(Timestamp, String)>,
    /// The job that was last given a place, for each environment and priority.
    pub(crate) turns: OrdMap<(EnvId, u64), JobId>,
}

/// Which row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKey {
    /// A job.
    Job(JobId),
    /// A task.
    Task(TaskKey),
    /// An instance.
    Instance(InstanceKey),
    /// A task template.
    Template(TemplateId),
    /// An environment.
    Env(EnvId),
    /// A key pair.
    AccessKey(String),
    /// A token to join with.
    JoinToken(String),
    /// A machine.
    Machine(MachineId),
    /// A node.
    Node(NodeId),
    /// An activity.
    Activity(ActivityKey),
    /// A topic.
    Topic(StreamNo),
    /// A queue.
    Queue(StreamNo),
    /// A subscription.
    Subscription(SubscriptionKey),
    /// A message of a queue.
    Message(MessageKey),
    /// A deleted message that is kept.
    Kept(MessageKey),
    /// All messages stored under a number, by which a queue does not store any more. No row has this key.
    Heap(StreamNo),
    /// All deleted messages kept under a number, by which a queue does not keep any more. No row has this key.
    KeptHeap(StreamNo),
    /// A delivery.
    Delivery(DeliveryKey),
    /// A client token.
    Token(String),
}

/// A row as it stands; `None` in an image: it is gone.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// A job.
    Job(Arc<Job>),
    /// A task.
    Task(Arc<Task>),
    /// An instance.
    Instance(Arc<Instance>),
    /// A task template.
    Template(Arc<Template>),
    /// An environment.
    Env(Arc<Env>),
    /// A key pair.
    AccessKey(Arc<AccessKey>),
    /// A token to join with.
    JoinToken(Arc<JoinToken>),
    /// A machine.
    Machine(Arc<Machine>),
    /// A node.
    Node(Arc<Node>),
    /// An activity.
    Activity(Arc<Activity>),
    /// A topic.
    Topic(Arc<Topic>),
    /// A queue.
    Queue(Arc<Queue>),
    /// A subscription.
    Subscription(Arc<Subscription>),
    /// A message of a queue.
    Message(Arc<QueueMessage>),
    /// A deleted message that is kept.
    Kept(Arc<KeptMessage>),
    /// A delivery.
    Delivery(Arc<Delivery>),
    /// A client token.
    Token(Arc<ClientToken>),
}

impl State {
    /// A job that is loaded: every unfinished one is.
    #[must_use]
    pub fn job(&self, id: JobId) -> Option<&Arc<Job>> {
        self.jobs.get(&id)
    }

    /// All loaded jobs.
    pub fn jobs(&self) -> impl Iterator<Item = &Arc<Job>> {
        self.jobs.iter().map(|(_, job)| job)
    }

    /// A task of a loaded job.
    #[must_use]
    pub fn task(&self, key: TaskKey) -> Option<&Arc<Task>> {
        self.tasks.get(&key)
    }

    /// Tasks of a loaded job, in order.
    pub fn tasks_of(&self, job: JobId) -> impl Iterator<Item = &Arc<Task>> {
        self.tasks.range(TaskKey { job, task: 0 }..=TaskKey { job, task: u32::MAX }).map(|(_, task)| task)
    }

    /// A loaded instance: every one with a row that has not finished is.
    #[must_use]
    pub fn instance(&self, key: InstanceKey) -> Option<&Arc<Instance>> {
        self.instances.get(&key)
    }

    /// Loaded instances of a task, in order.
    pub fn instances_of(&self, task: TaskKey) -> impl Iterator<Item = &Arc<Instance>> {
        let at = |index| InstanceKey { job: task.job, task: task.task, index };
        self.instances.range(at(0)..=at(u32::MAX)).map(|(_, instance)| instance)
    }

    /// A task template.
    #[must_use]
    pub fn template(&self, id: TemplateId) -> Option<&Arc<Template>> {
        self.templates.get(&id)
    }

    /// All task templates.
    pub fn templates(&self) -> impl Iterator<Item = &Arc<Template>> {
        self.templates.iter().map(|(_, template)| template)
    }

    /// An environment.
    #[must_use]
    pub fn env(&self, id: EnvId) -> Option<&Arc<Env>> {
        self.envs.get(&id)
    }

    /// An environment that somebody made.
    #[must_use]
    pub fn public_env(&self, id: EnvId) -> Option<&Arc<Env>> {
        self.env(id).filter(|env| env.owner.is_none())
    }

    /// Whether nodes were made for tasks of this job and are not all gone.
    #[must_use]
    pub fn has_own_nodes(&self, job: JobId) -> bool {
        let at = |task| (TaskKey { job, task }, if task == 0 { EnvId::FIRST } else { EnvId::LAST });
        self.index.owned.range(at(0)..=at(u32::MAX)).next().is_some()
    }

    /// All environments, those made for tasks among them.
    pub fn envs(&self) -> impl Iterator<Item = &Arc<Env>> {
        self.envs.iter().map(|(_, env)| env)
    }

    /// A node.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<&Arc<Node>> {
        self.nodes.get(&id)
    }

    /// All nodes.
    pub fn nodes(&self) -> impl Iterator<Item = &Arc<Node>> {
        self.nodes.iter().map(|(_, node)| node)
    }

    /// Nodes of an environment.
    pub fn nodes_of(&self, env: EnvId) -> impl Iterator<Item = &Arc<Node>> {
        let (from, to) = ((env, NodeId::FIRST), (env, NodeId::LAST));
        self.index.env_nodes.range(from..=to).filter_map(|(_, node)| self.nodes.get(node))
    }

    /// An activity that is loaded: every one that goes on is.
    #[must_use]
    pub fn activity(&self, key: ActivityKey) -> Option<&Arc<Activity>> {
        self.activities.get(&key)
    }

    /// A topic by number.
    #[must_use]
    pub fn topic(&self, no: StreamNo) -> Option<&Arc<Topic>> {
        self.topics.get(&no)
    }

    /// All topics.
    pub fn topics(&self) -> impl Iterator<Item = &Arc<Topic>> {
        self.topics.iter().map(|(_, topic)| topic)
    }

    /// A topic by name, in any case.
    #[must_use]
    pub fn topic_named(&self, name: &str) -> Option<&Arc<Topic>> {
        let no = named(&self.index.topic_names, name)?;
        self.topics.get(&no)
    }

    /// A queue by number.
    #[must_use]
    pub fn queue(&self, no: StreamNo) -> Option<&Arc<Queue>> {
        self.queues.get(&no)
    }

    /// The queue that stores its messages, or keeps deleted ones, under a number.
    #[must_use]
    pub fn queue_of(&self, heap: StreamNo) -> Option<&Arc<Queue>> {
        self.queues.get(self.index.heaps.get(&heap)?)
    }

    /// Queues whose dead letters go to a queue.
    pub fn dead_letter_sources(&self, to: StreamNo) -> impl Iterator<Item = &Arc<Queue>> {
        self.queues().filter(move |queue| queue.dead_letter.is_some_and(|bound| bound.queue == to))
    }

    /// All queues.
    pub fn queues(&self) -> impl Iterator<Item = &Arc<Queue>> {
        self.queues.iter().map(|(_, queue)| queue)
    }

    /// A queue by name, in any case.
    #[must_use]
    pub fn queue_named(&self, name: &str) -> Option<&Arc<Queue>> {
        let no = named(&self.index.queue_names, name)?;
        self.queues.get(&no)
    }

    /// A subscription.
    #[must_use]
    pub fn subscription(&self, key: SubscriptionKey) -> Option<&Arc<Subscription>> {
        self.subscriptions.get(&key)
    }

    /// All subscriptions.
    pub fn subscriptions(&self) -> impl Iterator<Item = &Arc<Subscription>> {
        self.subscriptions.iter().map(|(_, subscription)| subscription)
    }

    /// Subscriptions of a topic, in the order they were made.
    pub fn subscriptions_of(&self, topic: StreamNo) -> impl Iterator<Item = &Arc<Subscription>> {
        let at = |no| SubscriptionKey { topic, no };
        self.subscriptions.range(at(0)..=at(u32::MAX)).map(|(_, subscription)| subscription)
    }

    /// A message of a queue, if it is loaded.
    #[must_use]
    pub fn message(&self, key: MessageKey) -> Option<&Arc<QueueMessage>> {
        self.messages.get(&key)
    }

    /// Loaded messages stored under a number, by place.
    pub fn messages_of(&self, heap: StreamNo) -> impl Iterator<Item = &Arc<QueueMessage>> {
        let at = |seq| MessageKey { heap, seq };
        self.messages.range(at(0)..=at(u64::MAX)).map(|(_, message)| message)
    }

    /// Loaded deleted messages kept under a number, by place, behind a place.
    pub fn kept_after(&self, heap: StreamNo, after: u64) -> impl Iterator<Item = &Arc<KeptMessage>> {
        let at = |seq| MessageKey { heap, seq };
        self.kept.range(at(after.saturating_add(1))..=at(u64::MAX)).map(|(_, message)| message)
    }

    /// Loaded messages stored under a number that can be received at `now`, in the order they became so.
    pub fn visible(&self, heap: StreamNo, now: Timestamp) -> impl Iterator<Item = &Arc<QueueMessage>> {
        let range = (heap, Timestamp(i64::MIN), 0)..=(heap, now, u64::MAX);
        self.index
            .visible
            .range(range)
            .filter_map(move |(_, _, seq)| self.messages.get(&MessageKey { heap, seq: *seq }))
    }

    /// The time of the last decision.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The row with this key as it stands; `None` when it is gone or not loaded.
    #[must_use]
    pub fn row(&self, key: &RowKey) -> Option<Row> {
        match key {
            RowKey::Job(id) => self.jobs.get(id).cloned().map(Row::Job),
            RowKey::Task(key) => self.tasks.get(key).cloned().map(Row::Task),
            RowKey::Instance(key) => self.instances.get(key).cloned().map(Row::Instance),
            RowKey::Template(id) => self.templates.get(id).cloned().map(Row::Template),
            RowKey::Env(id) => self.envs.get(id).cloned().map(Row::Env),
            RowKey::AccessKey(id) => self.access_keys.get(id).cloned().map(Row::AccessKey),
            RowKey::JoinToken(digest) => self.join_tokens.get(digest).cloned().map(Row::JoinToken),
            RowKey::Machine(id) => self.machines.get(id).cloned().map(Row::Machine),
            RowKey::Node(id) => self.nodes.get(id).cloned().map(Row::Node),
            RowKey::Activity(key) => self.activities.get(key).cloned().map(Row::Activity),
            RowKey::Topic(no) => self.topics.get(no).cloned().map(Row::Topic),
            RowKey::Queue(no) => self.queues.get(no).cloned().map(Row::Queue),
            RowKey::Subscription(key) => self.subscriptions.get(key).cloned().map(Row::Subscription),
            RowKey::Message(key) => self.messages.get(key).cloned().map(Row::Message),
            RowKey::Kept(key) => self.kept.get(key).cloned().map(Row::Kept),
            RowKey::Heap(_) | RowKey::KeptHeap(_) => None,
            RowKey::Delivery(key) => self.deliveries.get(key).cloned().map(Row::Delivery),
            RowKey::Token(key) => self.tokens.get(key).cloned().map(Row::Token),
        }
    }

    /// Rows that have changed since this was last called.
    pub fn take_dirty(&mut self) -> Vec<RowKey> {
        std::mem::take(&mut self.dirty).into_iter().collect()
    }

    /// The number that the next topic or queue gets.
    #[must_use]
    pub fn next_stream(&self) -> StreamNo {
        StreamNo(self.next_stream.max(1))
    }

    /// Makes a queue be found by its name and by the numbers that its messages are stored under.
    pub(crate) fn index_queue(&mut self, queue: &Queue) {
        self.index.queue_names.insert((queue.name.to_lowercase(), queue.no));
        let heaps = std::iter::once(queue.heap).chain(queue.kept.map(|kept| kept.heap));
        for no in heaps {
            self.see_stream(no);
            self.index.heaps.insert(no, queue.no);
        }
        self.see_stream(queue.no);
    }

    /// Tells the state a number that no topic or queue to come may have.
    pub fn see_stream(&mut self, no: StreamNo) {
        self.next_stream = self.next_stream.max(no.0 + 1);
    }

    /// Tells the state the time of the last commit, so that time never goes back.
    pub fn see_time(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    /// Lets go of rows that only one batch needed: finished jobs with their tasks, finished instances and
    /// activities, messages, deliveries. `touched` are the keys the batch changed or loaded.
    pub fn forget(&mut self, touched: &[RowKey]) {
        for key in touched {
            match key {
                RowKey::Job(id) => self.forget_job(*id),
                RowKey::Instance(key) if self.instances.get(key).is_some_and(|row| row.phase().is_finished()) => {
                    self.instances.remove(key);
                }
                RowKey::Activity(key) if self.activities.get(key).is_some_and(|row| row.state.is_finished()) => {
                    self.activities.remove(key);
                }
                RowKey::Message(key) => {
                    if let Some(row) = self.messages.remove(key) {
                        self.index.visible.remove(&(key.heap, row.visible, key.seq));
                    }
                }
                RowKey::Kept(key) => {
                    self.kept.remove(key);
                }
                RowKey::Delivery(key) => {
                    self.deliveries.remove(key);
                }
                _ => {}
            }
        }
    }

    fn forget_job(&mut self, id: JobId) {
        // Its nodes' events go on to be counted with it.
        if !self.jobs.get(&id).is_some_and(|job| job.phase.is_finished()) || self.has_own_nodes(id) {
            return;
        }
        let tasks: Vec<TaskKey> = self.tasks_of(id).map(|task| task.key).collect();
        for key in tasks {
            self.tasks.remove(&key);
            self.index_task(key);
        }
        self.jobs.remove(&id);
        self.index_stalled(id);
    }

    fn load_instance(&mut self, row: Arc<Instance>) {
        let key = row.key;
        match row.stage {
            Stage::Waiting { not_before } if not_before > self.now => {
                self.index.pausing.insert((not_before, key));
            }
            Stage::Waiting { .. } => {
                self.index.returned.insert(key);
            }
            Stage::Held { node, started, .. } => {
                if let Some(node) = self.nodes.edit(&node) {
                    node.held.insert(key);
                }
                if let (false, Some(env), Some(since)) = (started, row.env, row.launched) {
                    self.index.ahead.insert((env, since, key));
                }
            }
            Stage::FailedInterrupted => {
                if let Some(node) = row.node.and_then(|node| self.nodes.edit(&node)) {
                    node.kept.insert(key);
                }
            }
            Stage::Succeed | Stage::Failed => {}
        }
        self.instances.put_shared(key, row);
        self.index_task(key.task_key());
    }

    /// Brings the indexes of a task up to date with its row.
    pub(crate) fn index_task(&mut self, key: TaskKey) {
        let Some((env, rank, own)) = self.jobs.get(&key.job).and_then(|job| {
            let spec = job.spec.tasks.get(key.task as usize)?;
            Some((spec.env, crate::limits::PRIORITY.saturating_sub(job.spec.priority), spec.own.is_some()))
        }) else {
            return;
        };
        let entry = (env, rank, key.job, key.task);
        if self.is_ready(key) {
            self.index.ready.insert(entry);
        } else {
            self.index.ready.remove(&entry);
        }
        let begun = |task: &Arc<Task>| task.phase != Phase::Pending && !task.phase.is_finished();
        if own && self.tasks.get(&key).is_some_and(begun) {
            self.index.elastic.insert(key);
        } else {
            self.index.elastic.remove(&key);
        }
        let sweeps = |task: &Arc<Task>| {
            let redoes = task.redo.is_some() && task.bulk.pieces() < crate::limits::BULK_RANGES;
            (task.intent.is_some() || redoes) && !task.phase.is_finished()
        };
        if self.tasks.get(&key).is_some_and(sweeps) {
            self.index.sweeps.insert(key);
        } else {
            self.index.sweeps.remove(&key);
        }
        self.index_stalled(key.job);
    }

    /// Whether an instance of the task could be placed now.
    pub(crate) fn is_ready(&self, key: TaskKey) -> bool {
        let (Some(task), Some(job)) = (self.tasks.get(&key), self.jobs.get(&key.job)) else { return false };
        let Some(spec) = job.spec.tasks.get(key.task as usize) else { return false };
        task.intent.is_none()
            && !task.phase.is_finished()
            && spec.max_concurrent.is_none_or(|most| task.instances.active() < most)
            && self.next_waiting(key).is_some()
    }

    /// How many instances of a task could be placed now, if there were places; counted only up to `most`.
    pub(crate) fn waiting_up_to(&self, key: TaskKey, most: u64) -> u64 {
        let at = |index| InstanceKey { job: key.job, task: key.task, index };
        let Some(task) = self.tasks.get(&key) else { return 0 };
        let bulk = if task.bulk_phase() == Phase::Runnable { task.bulk.len() } else { 0 };
        let left = usize::try_from(most.saturating_sub(bulk)).unwrap_or(usize::MAX);
        bulk.min(most) + self.index.returned.range(at(0)..=at(u32::MAX)).take(left).count() as u64
    }

    /// The waiting instance of a task whose turn it is: the lowest index.
    pub(crate) fn next_waiting(&self, key: TaskKey) -> Option<InstanceKey> {
        let at = |index| InstanceKey { job: key.job, task: key.task, index };
        let returned = self.index.returned.range(at(0)..=at(u32::MAX)).next().copied();
        let task = self.tasks.get(&key)?;
        let bulk = (task.bulk_phase() == Phase::Runnable).then(|| task.bulk.first().map(at)).flatten();
        returned.into_iter().chain(bulk).min()
    }
}

fn named(names: &OrdSet<(String, StreamNo)>, name: &str) -> Option<StreamNo> {
    let name = name.to_lowercase();
    let range = (name.clone(), StreamNo(0))..=(name, StreamNo(u32::MAX));
    names.range(range).next().map(|(_, no)| *no)
}
