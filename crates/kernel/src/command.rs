//! Commands: what is asked of the kernel; replies and refusals: what it answers.

use std::sync::Arc;

use crate::change::{Change, NodeFacts, RunEnd};
use crate::delivery::{Attempt, Delivery};
use crate::environment::EnvSpec;
use crate::event::EventName;
use crate::id::{EnvId, JobId, NodeId, QueueId, SubscriptionId, TopicId};
use crate::instance::RunId;
use crate::job::JobSpec;
use crate::queue::{Handle, QueueMessage, QueueSettings};
use crate::subscription::{Endpoint, Format, Strategy, SubscriptionKey};
use crate::topic::{FilterType, MsgId, NewMessage, StreamNo, TopicMessage};

/// What is asked.
#[derive(Debug, Clone)]
pub enum Command {
    /// Accept a job.
    SubmitJob {
        /// What to run. Its notifications' topics are looked up by name.
        spec: Box<JobSpec>,
        /// Makes a repeat harmless.
        token: Option<Token>,
    },
    /// End a job.
    TerminateJob(JobId),
    /// Erase a finished job.
    DeleteJob(JobId),
    /// Make an environment.
    CreateEnv {
        /// Its name.
        name: String,
        /// Its description.
        description: String,
        /// How many nodes.
        desired: u64,
        /// The rest. Its notifications' topics are looked up by name.
        spec: Box<EnvSpec>,
        /// Makes a repeat harmless.
        token: Option<Token>,
    },
    /// Change an environment.
    ModifyEnv(EnvId, crate::change::EnvEdit),
    /// Delete an environment and its nodes.
    DeleteEnv(EnvId),
    /// Destroy nodes of an environment.
    TerminateNodes(EnvId, Vec<NodeId>),
    /// A provider begins to make a node.
    NodeCreating(NodeId),
    /// A provider made a node.
    NodeCreated(NodeId),
    /// A provider could not make a node.
    NodeCreationFailed(NodeId, String),
    /// A node's agent has connected.
    NodeConnected(NodeId, NodeFacts),
    /// What a node's agent tells of runs.
    NodeReports(NodeId, Vec<Report>),
    /// A node's agent is gone or silent, and its processes are dead.
    NodeLost {
        /// The node.
        node: NodeId,
        /// Why.
        reason: String,
        /// Which of the runs it held had begun, as far as its journal tells.
        begun: Vec<RunId>,
    },
    /// A node that was to be destroyed is gone, and its processes are dead.
    NodeDestroyed {
        /// The node.
        node: NodeId,
        /// Which of the runs it held had begun, as far as its journal tells.
        begun: Vec<RunId>,
    },
    /// Give ready instances to nodes.
    Place(EnvId),
    /// Carry out intents, a chunk of them.
    Sweep,
    /// Look at what time alone makes due.
    Tick,
    /// Make a topic.
    CreateTopic {
        /// Its name.
        name: String,
        /// How it chooses among subscriptions.
        filter: FilterType,
        /// Largest message, in bytes.
        max_msg_bytes: u64,
        /// How long messages are kept, in seconds.
        retention_s: u64,
    },
    /// Delete a topic.
    DeleteTopic {
        /// Its name.
        name: String,
        /// Whether its subscriptions go with it; else they refuse it.
        with_subscriptions: bool,
    },
    /// Publish texts.
    Publish {
        /// The topic's name.
        topic: String,
        /// The texts.
        bodies: Vec<Arc<str>>,
        /// Their tags.
        tags: Vec<String>,
        /// Their routing key.
        routing_key: String,
    },
    /// Make a subscription.
    Subscribe(Box<NewSubscription>),
    /// Delete a subscription.
    Unsubscribe {
        /// The topic's name.
        topic: String,
        /// The subscription's name.
        name: String,
    },
    /// Copy messages to a queue subscription's queue and move its cursor. `messages` follow one another in the
    /// topic and begin after the cursor or before it; those before are passed over.
    FanOut {
        /// The subscription.
        key: SubscriptionKey,
        /// Messages of its topic, in order.
        messages: Vec<Arc<TopicMessage>>,
        /// All messages up to this place have been looked at: it may lie behind the last of `messages` when
        /// retention has removed some.
        through: u64,
    },
    /// Record what the push loop of an HTTP subscription has decided.
    RecordDeliveries(Box<DeliveryRecord>),
    /// Make a queue.
    CreateQueue {
        /// Its name.
        name: String,
        /// Its settings.
        settings: QueueSettings,
    },
    /// Delete a queue and its messages.
    DeleteQueue {
        /// Its name.
        name: String,
    },
    /// Put texts into a queue.
    Send {
        /// The queue's name.
        queue: String,
        /// The texts.
        bodies: Vec<Arc<str>>,
        /// How long before they can be received, in seconds.
        delay_s: u64,
    },
    /// Receive up to `max` messages. Needs the queue's first visible messages.
    Receive {
        /// The queue's name.
        queue: String,
        /// At most this many.
        max: usize,
    },
    /// Delete received messages. Needs those messages.
    DeleteMessages {
        /// The queue's name.
        queue: String,
        /// Handles of their receipts.
        handles: Vec<Handle>,
    },
    /// Remove those of the messages that are over their queue's retention. Needs those messages.
    ExpireMessages {
        /// The queue.
        queue: StreamNo,
        /// Their places in it.
        seqs: Vec<u64>,
    },
}

/// A client token and a digest of the request it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The token.
    pub token: String,
    /// Digest of the request's body.
    pub digest: String,
}

/// What a node tells of one run.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// Its command started.
    Started(RunId),
    /// It ended.
    Exited(RunId, RunExit),
    /// It was given back without having begun.
    Returned(RunId),
}

/// How a run ended on its node.
#[derive(Debug, Clone, PartialEq)]
pub struct RunExit {
    /// In what way.
    pub how: ExitHow,
    /// How long it ran, in milliseconds, by a clock that nobody sets.
    pub run_ms: u64,
    /// When, exit code, reason and output: `exit_code` and `reason` are filled in from `how`.
    pub end: RunEnd,
}

/// In what way a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExitHow {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// It ran longer than its task allows.
    TimedOut,
    /// It was ended by order.
    Killed,
    /// It never ran.
    NotStarted(String),
}

/// A subscription to be made.
#[derive(Debug, Clone)]
pub struct NewSubscription {
    /// The topic's name.
    pub topic: String,
    /// Its own name.
    pub name: String,
    /// Where messages go; a queue's number is looked up by its name.
    pub endpoint: Endpoint,
    /// What happens after a failed delivery.
    pub strategy: Strategy,
    /// What a post's body is.
    pub format: Format,
    /// Tags it wants; empty: all.
    pub filter_tags: Vec<String>,
    /// Binding keys, on a topic that routes.
    pub binding_keys: Vec<String>,
}

/// What the push loop of a subscription has decided, to be made durable.
#[derive(Debug, Clone)]
pub struct DeliveryRecord {
    /// The subscription.
    pub key: SubscriptionKey,
    /// All messages up to this place are done with.
    pub cursor: u64,
    /// Rows that are new or have changed.
    pub put: Vec<Delivery>,
    /// Places of messages that need no row any more.
    pub cleared: Vec<u64>,
    /// Attempts that have ended.
    pub attempts: Vec<Arc<Attempt>>,
}

/// What a decision is: changes, the messages they publish, and the answer.
#[derive(Debug, Clone)]
pub struct Decision {
    /// What happens, in order. Empty: nothing to commit.
    pub changes: Vec<Change>,
    /// Messages for topics, in order.
    pub messages: Vec<NewMessage>,
    /// The answer.
    pub reply: Reply,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Done.
    Done,
    /// The job.
    Job(JobId),
    /// The environment.
    Env(EnvId),
    /// The topic.
    Topic(TopicId),
    /// The queue.
    Queue(QueueId),
    /// The subscription.
    Subscription(SubscriptionId),
    /// Ids of the messages, in their order.
    Messages(Vec<MsgId>),
    /// What was received; empty when there was nothing.
    Received(Vec<Arc<QueueMessage>>),
    /// For each handle whether its message was deleted.
    Deleted(Vec<bool>),
}

/// Why something is refused. Whoever speaks to users gives it their protocol's code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such job.
    #[error("job {0} does not exist")]
    NoJob(JobId),
    /// The job has not finished.
    #[error("job {0} has not finished; terminate it first, or wait for its end")]
    JobUnfinished(JobId),
    /// There are as many unfinished jobs as are allowed.
    #[error("there are {0} unfinished jobs already, and no more are allowed")]
    JobQuota(u64),
    /// No such environment. `path` is the field that named it.
    #[error("{path}: compute environment {env} does not exist")]
    NoEnv {
        /// The environment.
        env: EnvId,
        /// The field.
        path: String,
    },
    /// The environment is being deleted.
    #[error("{path}: compute environment {env} is being deleted")]
    EnvDeleting {
        /// The environment.
        env: EnvId,
        /// The field.
        path: String,
    },
    /// There are too many environments.
    #[error("there are {0} compute environments already, and no more are allowed")]
    TooManyEnvs(usize),
    /// No such node in that environment.
    #[error("{path}: compute node {node} does not exist in this environment")]
    NoNode {
        /// The node.
        node: NodeId,
        /// The field.
        path: String,
    },
    /// The node is being destroyed already.
    #[error("{path}: compute node {node} is being destroyed already")]
    NodeTerminating {
        /// The node.
        node: NodeId,
        /// The field.
        path: String,
    },
    /// The node cannot be destroyed as it stands.
    #[error(
        "{path}: compute node {node} is {state}; only CREATED, CREATION_FAILED, RUNNING and ABNORMAL nodes can be terminated"
    )]
    NodeForbidsTerminate {
        /// The node.
        node: NodeId,
        /// Its state.
        state: &'static str,
        /// The field.
        path: String,
    },
    /// Fewer nodes could go than were to go.
    #[error("{path}: {wanted} nodes would have to go, but only {able} can")]
    TooFewNodes {
        /// How many were to go.
        wanted: u64,
        /// How many could.
        able: u64,
        /// The field.
        path: String,
    },
    /// The token was used with another request.
    #[error("ClientToken: `{0}` was used with another request; use a new token for a new request")]
    TokenReused(String),
    /// No such topic. `path` is the field that named it.
    #[error("{path}: topic `{topic}` does not exist")]
    NoTopic {
        /// The topic.
        topic: String,
        /// The field.
        path: String,
    },
    /// The topic exists.
    #[error("topic `{0}` exists already")]
    TopicExists(String),
    /// There are too many topics.
    #[error("there are {0} topics already, and no more are allowed")]
    TooManyTopics(usize),
    /// The topic has subscriptions.
    #[error("topic `{0}` has subscriptions; delete them first")]
    TopicHasSubscriptions(String),
    /// Living jobs or environments send events to the topic.
    #[error("topic `{topic}` is named by {by}; its events would be lost")]
    TopicInUse {
        /// The topic.
        topic: String,
        /// A list of job and environment ids.
        by: String,
    },
    /// No such queue.
    #[error("queue `{0}` does not exist")]
    NoQueue(String),
    /// The queue exists.
    #[error("queue `{0}` exists already")]
    QueueExists(String),
    /// There are too many queues.
    #[error("there are {0} queues already, and no more are allowed")]
    TooManyQueues(usize),
    /// A queue holds as many messages as it may.
    #[error("queue `{queue}` holds {limit} messages, as many as it may")]
    QueueFull {
        /// The queue.
        queue: String,
        /// The limit.
        limit: u64,
    },
    /// All numbers that topics and queues can have were given.
    #[error("every number for a topic or queue has been given; no more can be made")]
    StreamsExhausted,
    /// Subscriptions deliver to the queue.
    #[error("queue `{queue}` receives the messages of {by}; delete those subscriptions first")]
    QueueInUse {
        /// The queue.
        queue: String,
        /// A list of `topic/subscription`.
        by: String,
    },
    /// No such subscription.
    #[error("subscription `{name}` of topic `{topic}` does not exist")]
    NoSubscription {
        /// The topic.
        topic: String,
        /// The subscription.
        name: String,
    },
    /// The subscription exists.
    #[error("subscription `{name}` of topic `{topic}` exists already")]
    SubscriptionExists {
        /// The topic.
        topic: String,
        /// The subscription.
        name: String,
    },
    /// There are too many subscriptions.
    #[error("topic `{0}` has as many subscriptions as are allowed")]
    TooManySubscriptions(String),
    /// A subscription to a routing topic without binding keys.
    #[error("topic `{0}` routes by key: a subscription needs binding keys")]
    BindingKeyMissing(String),
    /// A message to a routing topic without a routing key.
    #[error("topic `{0}` routes by key: a message needs a routing key")]
    RoutingKeyMissing(String),
    /// A message without a taker: the topic has no subscription.
    #[error("topic `{0}` has no subscription")]
    NoSubscriber(String),
    /// A message without a taker: no subscription wants it.
    #[error("no subscription of topic `{0}` wants this message")]
    NoMatch(String),
    /// A message is too large.
    #[error("the message has {bytes} bytes, and at most {limit} are allowed")]
    MessageTooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: u64,
    },
    /// A notification asks for an event that cannot be had of this kind of thing.
    #[error("{path}: {event} is not an event of a {of}")]
    ForeignEvent {
        /// The event.
        event: EventName,
        /// `job` or `compute environment`.
        of: &'static str,
        /// The field.
        path: String,
    },
    /// A stream's number is not among the living.
    #[error("stream {0:?} does not exist")]
    NoStream(StreamNo),
}
