//! Commands: what is asked of the kernel; replies: what it answers, if not a [`Refusal`].

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::access::AccessCommand;
use crate::audit::Call;
use crate::change::{Change, NodeFacts, RunEnd};
use crate::delivery::{Attempt, Delivery};
use crate::environment::EnvSpec;
use crate::explain::Explained;
use crate::id::{EnvId, JobId, MachineId, NodeId, QueueId, SubscriptionId, TemplateId, TopicId};
use crate::instance::RunId;
use crate::job::JobSpec;
use crate::machine::MachineFacts;
use crate::queue::{DeadLetterRule, Handle, QueueMessage, QueueSettings};
pub use crate::refusal::Refusal;
use crate::replay::{ReplayStage, Which};
use crate::sample::Sample;
use crate::subscription::{Endpoint, Format, MannerEdit, Secret, Stage, Strategy, SubscriptionKey};
use crate::template::{TemplateEdit, TemplateSpec};
use crate::time::Timestamp;
use crate::topic::{FilterType, MsgId, NewMessage, StreamNo, TopicEdit, TopicMessage};

/// What is asked.
#[derive(Debug, Clone)]
pub enum Command {
    /// What somebody has called for, who is named in the audit trail if it changes anything.
    Called(Arc<Call>, Box<Command>),
    /// Something about key pairs and tokens to join with.
    Access(Box<AccessCommand>),
    /// Accept a job.
    SubmitJob {
        /// What to run. Its notifications' topics are looked up by name.
        spec: Box<JobSpec>,
        /// Makes a repeat harmless.
        token: Option<Token>,
    },
    /// Run the failed instances of failed jobs again. Needs the jobs.
    RetryJobs(Vec<JobId>),
    /// End a job.
    TerminateJob(JobId),
    /// End one instance. Needs the job and the instance.
    TerminateInstance {
        /// The job.
        job: JobId,
        /// The task's name.
        task: String,
        /// The instance's index.
        index: u64,
    },
    /// Tell why the tasks of a job do not run. Changes nothing. Needs the job.
    ExplainJob(JobId),
    /// Erase a finished job.
    DeleteJob(JobId),
    /// Keep a task template.
    CreateTemplate(Box<TemplateSpec>),
    /// Change a task template.
    ModifyTemplate(TemplateId, TemplateEdit),
    /// Erase task templates.
    DeleteTemplates(Vec<TemplateId>),
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
    /// Give nodes no more instances, or again some.
    DrainNodes(Vec<NodeId>, bool),
    /// Know a machine of somebody's, whose agent shows a secret with this digest.
    JoinMachine {
        /// The digest of the token that lets it join; used up.
        token: String,
        /// The digest of the secret. A machine that asks again with the same one is told who it is.
        credential: String,
        /// What it says of itself.
        facts: MachineFacts,
        /// The machines that are connected, which stay known.
        connected: BTreeSet<MachineId>,
    },
    /// A machine that had joined has connected.
    MachineConnected(MachineId, MachineFacts),
    /// Make machines nodes of an environment.
    AttachMachines {
        /// The environment.
        env: EnvId,
        /// The machines.
        machines: Vec<MachineId>,
        /// Which of them are connected now.
        connected: BTreeSet<MachineId>,
    },
    /// Take machines out of an environment.
    DetachMachines(EnvId, Vec<MachineId>),
    /// A provider begins to make a node.
    NodeCreating(NodeId),
    /// A provider made a node.
    NodeCreated(NodeId),
    /// A provider could not make a node.
    NodeCreationFailed(NodeId, String),
    /// A provider has no place for a node, for this reason.
    NodeHasNoPlace(NodeId, String),
    /// The agent of a node that restarts has ended.
    NodeEnded(NodeId),
    /// A node's agent has connected.
    NodeConnected(NodeId, NodeFacts),
    /// What a node's agent tells of runs.
    NodeReports(NodeId, Vec<Report>),
    /// What a node's agent tells of what runs use.
    TakeSamples(NodeId, Vec<Sample>),
    /// A node's agent is gone or silent, and its processes are dead.
    NodeLost {
        /// The node.
        node: NodeId,
        /// Why.
        reason: String,
        /// Which of the runs it held had begun, as far as its journal tells.
        begun: Vec<RunId>,
    },
    /// The agent of an attached node is silent, and nobody can say whether its processes are dead.
    NodeSilent {
        /// The node.
        node: NodeId,
        /// Why it is thought so.
        reason: String,
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
    /// Bring the nodes of tasks' own to their number.
    Steer,
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
        /// Whether what is published is written to the server's log.
        trace: bool,
        /// Its tags, key and value.
        tags: Vec<(String, String)>,
    },
    /// Change attributes of a topic.
    ModifyTopic {
        /// Its name.
        name: String,
        /// What changes.
        edit: TopicEdit,
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
    /// Change a subscription's attributes.
    ModifySubscription {
        /// The topic's name.
        topic: String,
        /// The subscription's name.
        name: String,
        /// What changes.
        edit: Box<SubscriptionEdit>,
    },
    /// Let no message of a subscription leave.
    PauseSubscription {
        /// The topic's name.
        topic: String,
        /// The subscription's name.
        name: String,
    },
    /// Let the messages of a subscription leave again.
    ResumeSubscription {
        /// The topic's name.
        topic: String,
        /// The subscription's name.
        name: String,
    },
    /// Give a subscription another secret to sign its posts with.
    RotateSecret {
        /// The topic's name.
        topic: String,
        /// The subscription's name.
        name: String,
        /// The secret; `None`: one is drawn.
        secret: Option<Secret>,
        /// How long the old one stays valid beside it, in seconds.
        keep_s: u64,
    },
    /// Send messages to a subscription once more. They have ended for its live cursor, and are in the log.
    StartReplay(Box<NewReplay>),
    /// Stop a replay.
    StopReplay {
        /// The topic's name.
        topic: String,
        /// The subscription's name.
        name: String,
        /// Its number; `None`: all that run.
        no: Option<u32>,
    },
    /// Record what a replay's loop has seen.
    RecordReplay(Box<ReplayRecord>),
    /// Copy messages of a replay to a queue subscription's queue.
    CopyReplay {
        /// The subscription.
        key: SubscriptionKey,
        /// The replay's number.
        no: u32,
        /// Messages of the replay, in order.
        messages: Vec<Arc<TopicMessage>>,
        /// Places of those that were to be copied and are gone.
        lost: Vec<u64>,
        /// All of the replay up to this place are among them.
        through: u64,
    },
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
        /// Where its dead letters go.
        dead_letter: Option<NewDeadLetter>,
        /// Its tags, key and value.
        tags: Vec<(String, String)>,
    },
    /// Change attributes of a queue.
    ModifyQueue {
        /// Its name.
        name: String,
        /// What changes.
        edit: Box<QueueEdit>,
    },
    /// Send no more dead letters of a queue anywhere.
    UnbindDeadLetter {
        /// The queue whose dead letters they are.
        name: String,
    },
    /// Remove all messages of a queue.
    ClearQueue {
        /// Its name.
        name: String,
    },
    /// Set a queue back: what was deleted comes again. Needs the oldest message that waits in it, and of the deleted
    /// messages that were stored at `to` or later the first [`REWIND_MESSAGES`](crate::limits::REWIND_MESSAGES).
    RewindQueue {
        /// Its name.
        name: String,
        /// To which moment.
        to: Timestamp,
    },
    /// Go on setting a queue back. Needs the next [`REWIND_MESSAGES`](crate::limits::REWIND_MESSAGES) of its deleted
    /// messages behind where that stands.
    GoOnRewinding(StreamNo),
    /// Drop deleted messages that are kept no longer. Needs the oldest that a queue keeps.
    DropKept(StreamNo),
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
    /// Receive up to `max` messages. Needs the queue's first visible messages, `max` of them beside dead letters.
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
    /// Move those of the messages that have become dead letters, and remove those that are over their queue's
    /// retention. Needs those messages.
    ExpireMessages {
        /// The queue.
        queue: StreamNo,
        /// Their places in it.
        seqs: Vec<u64>,
    },
}

/// Where dead letters are to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeadLetter {
    /// The name of the queue they go to.
    pub queue: String,
    /// When.
    pub rule: DeadLetterRule,
}

/// What changes on a queue; `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueueEdit {
    /// Most messages it holds.
    pub max_messages: Option<u64>,
    /// How long a receive waits unless it says otherwise, in seconds.
    pub polling_wait_s: Option<u64>,
    /// How long a received message stays hidden, in seconds.
    pub visibility_s: Option<u64>,
    /// Largest message a client may send, in bytes.
    pub max_msg_bytes: Option<u64>,
    /// How long messages are kept, in seconds.
    pub retention_s: Option<u64>,
    /// How far back it can be set, in seconds.
    pub rewind_s: Option<u64>,
    /// Bytes of deleted messages that are kept for that at most; 0: as many as there are.
    pub kept_max_bytes: Option<u64>,
    /// Whether what happens to its messages is written to the server's log.
    pub trace: Option<bool>,
    /// The name of the queue that its dead letters go to.
    pub dead_letter_queue: Option<String>,
    /// When they go there.
    pub dead_letter_rule: Option<DeadLetterRule>,
}

impl From<AccessCommand> for Command {
    fn from(command: AccessCommand) -> Self {
        Self::Access(Box::new(command))
    }
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
    /// The memory that it may use ran out.
    OutOfMemory {
        /// Its exit code.
        code: i32,
        /// How much it may use, in MiB.
        limit_mb: u64,
    },
    /// It ran longer than its task allows.
    TimedOut,
    /// It was ended by order.
    Killed,
    /// What surrounds its command failed, for this reason.
    Failed(String),
    /// It never ran.
    NotStarted(String),
}

/// What a failed run failed of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunFailure {
    /// Its command, or that it could not be started.
    Itself,
    /// Its node was lost.
    NodeLost,
    /// There never was a node.
    NoNode,
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
    /// What it asks for beyond CMQ.
    pub manner: MannerEdit,
}

/// What changes on a subscription; `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubscriptionEdit {
    /// What happens after a failed delivery.
    pub strategy: Option<Strategy>,
    /// What a post's body is.
    pub format: Option<Format>,
    /// Tags it wants; empty: all.
    pub filter_tags: Option<Vec<String>>,
    /// Binding keys, on a topic that routes.
    pub binding_keys: Option<Vec<String>>,
    /// What it asks for beyond CMQ.
    pub manner: MannerEdit,
}

/// A replay to be begun.
#[derive(Debug, Clone)]
pub struct NewReplay {
    /// The topic's name.
    pub topic: String,
    /// The subscription's name.
    pub name: String,
    /// Which messages.
    pub which: Which,
    /// Its first place.
    pub from: u64,
    /// Its last place; what the live cursor has not passed is left to it.
    pub to: u64,
    /// At most so many messages a second.
    pub rate_per_s: u32,
}

/// What the loop of a replay has seen, to be made durable.
#[derive(Debug, Clone)]
pub struct ReplayRecord {
    /// The subscription.
    pub key: SubscriptionKey,
    /// The replay's number.
    pub no: u32,
    /// All messages before this place are done with.
    pub next: u64,
    /// Attempts that have ended.
    pub attempts: Vec<Arc<Attempt>>,
    /// Places of messages that were delivered and have a row that says they were given up.
    pub delivered: Vec<u64>,
    /// Messages that were given up, each after so many attempts.
    pub dead: Vec<(Arc<TopicMessage>, u32)>,
    /// How many were delivered.
    pub count: u64,
    /// How many were no longer in the log.
    pub lost: u64,
    /// How it has ended, if it has.
    pub end: Option<ReplayStage>,
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
    /// Which of the messages are events of subscriptions: nothing is told of them.
    pub quiet: Vec<u64>,
    /// What the subscription has come to, if that is new.
    pub stage: Option<Stage>,
    /// The messages that are put as dead, for the queue of dead letters: as far as they are in the log.
    pub texts: Vec<Arc<TopicMessage>>,
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
    /// The task template.
    Template(TemplateId),
    /// The job, and why its tasks do not run.
    Explained(Box<Explained>),
    /// The environment.
    Env(EnvId),
    /// The machine.
    Machine(MachineId),
    /// The topic.
    Topic(TopicId),
    /// The queue.
    Queue(QueueId),
    /// The subscription.
    Subscription(SubscriptionId),
    /// The replay's number.
    Replay(u32),
    /// Ids of the messages, in their order.
    Messages(Vec<MsgId>),
    /// What was received; empty when there was nothing.
    Received(Vec<Arc<QueueMessage>>),
    /// For each handle whether its message was deleted.
    Deleted(Vec<bool>),
}
