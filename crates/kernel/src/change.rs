//! Changes: what happened. `evolve` is the only place where they become state.

use std::sync::Arc;

use crate::access::{AccessKey, JoinToken};
use crate::activity::{Activity, ActivityKey, ActivityState};
use crate::delivery::{Attempt, Delivery};
use crate::environment::{Env, NodeType};
use crate::event::{EventId, EventName};
use crate::id::{EnvId, JobId, MachineId, NodeId, TemplateId};
use crate::instance::{Asked, InstanceKey};
use crate::job::Job;
use crate::machine::{Machine, MachineFacts};
use crate::node::{Node, NodeStage, Then};
use crate::queue::{DeadLetter, MessageKey, Queue, QueueMessage, QueueSettings, Rewinding};
use crate::replay::Replay;
use crate::sample::Sample;
use crate::subscription::{Health, Stage, Subscription, SubscriptionKey};
use crate::task::{Intent, Task, TaskKey};
use crate::template::{Template, TemplateEdit};
use crate::time::Timestamp;
use crate::token::ClientToken;
use crate::topic::{StreamNo, Topic, TopicEdit};

/// One thing that happened, when, and the events that were sent of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
    /// One for each topic that asked for it.
    pub notices: Vec<Notice>,
}

/// That a change was sent to a topic.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// The topic.
    pub topic: StreamNo,
    /// The event's number among those of its job or environment there.
    pub sequence: u64,
    /// The event's id.
    pub id: EventId,
    /// The event's name.
    pub name: EventName,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A job was accepted, with its tasks.
    JobSubmitted(Box<Job>, Vec<Task>),
    /// A job entered another state.
    JobEntered(JobId, crate::phase::Phase, String),
    /// A job is to be terminated.
    JobTerminating(JobId),
    /// A failed job runs again: these tasks of it, which are ready or wait for others.
    JobRetried(JobId, Vec<(u32, crate::phase::Phase)>),
    /// Nothing of a job runs, for these reasons of its tasks, and those who asked were told.
    JobBlocked(JobId, Vec<(u32, crate::explain::Why)>),
    /// Nothing of a job runs, and there is nothing new to tell of that.
    JobStillBlocked(JobId),
    /// A finished job was erased.
    JobDeleted(JobId),
    /// A task template was made.
    TemplateCreated(Template),
    /// A task template changed.
    TemplateModified(TemplateId, TemplateEdit),
    /// A task template was erased.
    TemplateDeleted(TemplateId),
    /// A task became ready: its PENDING instances are RUNNABLE.
    TaskReady(TaskKey),
    /// A task entered another state.
    TaskEntered(TaskKey, crate::phase::Phase, String),
    /// All unfinished instances of a task are to end.
    TaskIntended(TaskKey, Intent),
    /// The intent on a task has reached all its instances.
    TaskSwept(TaskKey),
    /// Failed instances of a task that runs again, by index, are as if they never had been run.
    InstancesReset(TaskKey, Vec<u32>),
    /// An instance was given to a node, as its next attempt.
    InstancePlaced(InstanceKey, NodeId),
    /// A node was asked to give an instance back, or to end it.
    InstanceAsked(InstanceKey, Asked),
    /// An instance came back from its node without having run.
    InstanceReturned(InstanceKey),
    /// An instance's command started.
    InstanceStarted(InstanceKey),
    /// An instance succeeded.
    InstanceSucceeded(InstanceKey, RunEnd),
    /// An attempt failed, and another follows, not before this time.
    InstanceRetrying(InstanceKey, RunEnd, Timestamp),
    /// The pause after a failed attempt is over.
    PauseEnded(InstanceKey),
    /// An instance failed for good.
    InstanceFailed(InstanceKey, RunEnd),
    /// An instance failed, and its node is kept.
    InstanceInterrupted(InstanceKey, RunEnd),
    /// An environment was made.
    EnvCreated(Box<Env>),
    /// An environment's name, description, wanted number of nodes or instance types changed.
    EnvModified(EnvId, EnvEdit),
    /// An environment is being deleted.
    EnvDeleting(EnvId),
    /// An environment is gone.
    EnvDeleted(EnvId),
    /// A key pair was made.
    AccessKeyCreated(Box<AccessKey>),
    /// A key pair is this now.
    AccessKeyModified(Box<AccessKey>),
    /// A key pair is gone.
    AccessKeyDeleted(String),
    /// A token to join with was made.
    JoinTokenMade(JoinToken),
    /// A token to join with, named by its digest, was used or is over its time.
    JoinTokenGone(String),
    /// A machine joined.
    MachineJoined(Machine),
    /// A machine that had joined connected, and said this of itself.
    MachineSeen(MachineId, MachineFacts),
    /// A machine is not known any more.
    MachineForgotten(MachineId),
    /// A node is wanted.
    NodeSubmitted(Box<Node>),
    /// A node entered another state, for this reason.
    NodeEntered(NodeId, NodeStage, String),
    /// A node is given no more instances on somebody's request, or again some.
    NodeDrained(NodeId, bool),
    /// A node takes no more instances; this is done to it once it holds none.
    NodeLeft(NodeId, Then),
    /// A node could not be made of its type, for this reason; it is to be one of that type.
    NodeRetyped(NodeId, NodeType, String),
    /// A node's agent told of itself.
    NodeReported(NodeId, NodeFacts),
    /// A sample of what a run uses was taken. Changes no state; it is written beside it.
    SampleTaken(Arc<Sample>),
    /// The samples of an instance's attempts up to this one are given up, to make room.
    SamplesDropped(InstanceKey, u32),
    /// A run on a node took so long, in milliseconds.
    NodeRan(NodeId, u64),
    /// A node is gone.
    NodeDeleted(NodeId),
    /// A node's making or end began.
    ActivityBegan(Box<Activity>),
    /// An activity has come further; why, if it failed.
    ActivityEntered(ActivityKey, ActivityState, String),
    /// A topic was made.
    TopicCreated(Topic),
    /// So many messages were added to a topic.
    TopicGrew(StreamNo, u64),
    /// Attributes of a topic changed.
    TopicModified(StreamNo, TopicEdit),
    /// A topic is gone.
    TopicDeleted(StreamNo),
    /// A queue was made.
    QueueCreated(Queue),
    /// Attributes of a queue changed.
    QueueModified {
        /// The queue.
        queue: StreamNo,
        /// Its settings now.
        settings: QueueSettings,
        /// Where its dead letters go now.
        dead_letter: Option<DeadLetter>,
        /// Under which number it keeps deleted messages from now on, if it begins to.
        kept: Option<StreamNo>,
    },
    /// All messages of a queue are gone, those too that it could have been set back to.
    QueueCleared {
        /// The queue.
        queue: StreamNo,
        /// The number its messages are stored under from now on.
        heap: StreamNo,
        /// The number that deleted ones are kept under from now on, if they are.
        kept: Option<StreamNo>,
    },
    /// A queue is being set back, so far.
    QueueRewinding(StreamNo, Rewinding),
    /// A queue has been set back.
    QueueRewound(StreamNo),
    /// A queue is gone.
    QueueDeleted(StreamNo),
    /// A message was put into a queue; its place is the queue's next.
    MessageStored(QueueMessage),
    /// A message was received.
    MessageReceived {
        /// Which one.
        key: MessageKey,
        /// When it can be received again.
        visible: Timestamp,
        /// The chance part of the receipt's handle.
        receipt: u32,
    },
    /// A message was deleted.
    MessageDeleted(MessageKey),
    /// A message was deleted, and is kept for when its queue is set back.
    MessageKept(MessageKey),
    /// A message that was kept is in its queue again, as if it had never been received.
    MessageRewound(MessageKey),
    /// A message that was kept is gone.
    KeptDropped(MessageKey),
    /// A subscription was made.
    Subscribed(Box<Subscription>),
    /// A subscription's attributes, or its stage on request, are these now.
    SubscriptionModified(Box<Subscription>),
    /// A subscription's posts have led it to this stage.
    SubscriptionStaged(SubscriptionKey, Stage),
    /// A subscription's posts went like this.
    SubscriptionFared(SubscriptionKey, Health),
    /// A subscription is gone.
    Unsubscribed(SubscriptionKey),
    /// A subscription has this replay now, or it stands like this.
    ReplayPut(SubscriptionKey, Box<Replay>),
    /// A subscription is done with all messages up to this place.
    CursorMoved(SubscriptionKey, u64),
    /// A delivery has a row now, or another one.
    DeliveryPut(Delivery),
    /// A delivery needs no row any more.
    DeliveryCleared(SubscriptionKey, u64),
    /// An attempt of a delivery ended.
    AttemptEnded(Arc<Attempt>),
    /// A ClientToken was used.
    TokenUsed(ClientToken),
    /// A ClientToken is forgotten.
    TokenForgotten(String),
}

impl What {
    /// Whether a node has come, gone or entered another state.
    #[must_use]
    pub fn is_of_node(&self) -> bool {
        matches!(self, Self::NodeSubmitted(_) | Self::NodeEntered(..) | Self::NodeDeleted(_))
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunEnd {
    /// When, by the node's clock where a node said so.
    pub at: Timestamp,
    /// Exit code; `None` when nothing ran.
    pub exit_code: Option<i32>,
    /// Why; empty after success.
    pub reason: String,
    /// The last bytes of standard output.
    pub stdout: Arc<[u8]>,
    /// The last bytes of standard error.
    pub stderr: Arc<[u8]>,
}

/// What changes on an environment; `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EnvEdit {
    /// Its name.
    pub name: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// How many nodes it is to have.
    pub desired: Option<u64>,
    /// What new nodes are, in the order in which the types are tried.
    pub instance_types: Option<Vec<NodeType>>,
}

/// What a node's agent tells of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeFacts {
    /// Version of the agent.
    pub agent_version: String,
    /// Its addresses.
    pub addresses: Vec<String>,
    /// How its runs are bounded and ended, in a line for people.
    pub limits: String,
}
