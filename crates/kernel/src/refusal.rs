//! Refusals: why the kernel does not do what it was asked.

use crate::event::EventName;
use crate::id::{EnvId, JobId, MachineId, NodeId, TemplateId};
use crate::topic::StreamNo;

/// Why something is refused. Whoever speaks to users gives it their protocol's code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such job.
    #[error("job {0} does not exist")]
    NoJob(JobId),
    /// The job has not finished.
    #[error("job {0} has not finished; terminate it first, or wait for its end")]
    JobUnfinished(JobId),
    /// Only failed jobs can be retried.
    #[error("{path}: job {job} is {state}; only a FAILED job can be retried")]
    JobNotFailed {
        /// The job.
        job: JobId,
        /// Its state.
        state: &'static str,
        /// The field.
        path: String,
    },
    /// A failed task has nowhere to run any more.
    #[error("{path}: job {job} cannot be retried: compute environment {env} of its task `{task}` {problem}")]
    RetryWithoutEnv {
        /// The job.
        job: JobId,
        /// The task's name.
        task: String,
        /// Its environment.
        env: EnvId,
        /// What is the matter with it.
        problem: &'static str,
        /// The field.
        path: String,
    },
    /// No such instance.
    #[error("{path}: job {job} has {lacks}")]
    NoInstance {
        /// The job.
        job: JobId,
        /// Which task or instance it has not.
        lacks: String,
        /// The field.
        path: String,
    },
    /// The instance is about to be made ready for another run.
    #[error("task instance {0} is being made ready to run again since its job was retried; try again in a moment")]
    InstanceRedone(u64),
    /// There are as many unfinished jobs as are allowed.
    #[error("at most {0} unfinished jobs are allowed")]
    JobQuota(u64),
    /// No such task template. `path` is the field that named it.
    #[error("{path}: task template {template} does not exist")]
    NoTemplate {
        /// The template.
        template: TemplateId,
        /// The field.
        path: String,
    },
    /// There are as many task templates as are allowed.
    #[error("there are {0} task templates already, and no more are allowed")]
    TemplateQuota(u64),
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
    /// The nodes of all environments would have more cores than are allowed.
    #[error("{path}: all compute environments together would have {wanted} cores, and at most {quota} are allowed")]
    CpuQuota {
        /// The cores they would have.
        wanted: u64,
        /// The most they may have.
        quota: u64,
        /// The field.
        path: String,
    },
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
    /// There are as many things of a kind in the scope of the key pair as it may bring it to.
    #[error("at most {most} {} are allowed in the scope of the key pair", .counted.word())]
    KeyQuota {
        /// The kind.
        counted: crate::access::Counted,
        /// How many.
        most: u64,
    },
    /// There are too many key pairs.
    #[error("there are {0} key pairs already, and no more are allowed")]
    TooManyAccessKeys(usize),
    /// There is such a key pair.
    #[error("SecretId: a key pair {0} exists already")]
    AccessKeyExists(String),
    /// There is no such key pair.
    #[error("SecretId: key pair {0} does not exist")]
    NoAccessKey(String),
    /// There are too many tokens.
    #[error("there are {0} tokens already that no machine has joined with; they end with their time")]
    TooManyJoinTokens(usize),
    /// The token lets nobody join.
    #[error("the token is none that `herald node token` has made, or was used, or its time is over")]
    NoJoinToken,
    /// The topic is where the audit trail goes.
    #[error("topic `{0}` is that of the audit trail (`audit.topic` in the server's configuration)")]
    AuditTopic(String),
    /// There are too many machines.
    #[error("there are {0} machines already, and no more are allowed")]
    TooManyMachines(usize),
    /// The machine cannot be attached.
    #[error("{path}: instance {machine} {problem}")]
    MachineNotAttachable {
        /// The machine.
        machine: MachineId,
        /// Why.
        problem: String,
        /// The field.
        path: String,
    },
    /// The machine is not one that was attached to that environment.
    #[error("{path}: instance {machine} was not attached to {env}; only attached instances can be detached")]
    MachineNotAttached {
        /// The machine.
        machine: MachineId,
        /// The environment.
        env: EnvId,
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
    /// The queue's deleted messages are not kept.
    #[error("queue `{0}` keeps no deleted messages, so it cannot be set back; give it rewindSeconds first")]
    NoRewind(String),
    /// A queue cannot be set back to that moment. Moments in seconds since 1970.
    #[error("{asked} is not a moment the queue can be set back to: it must be from {earliest} to {latest}")]
    RewindTime {
        /// The moment.
        asked: i64,
        /// The earliest it can be.
        earliest: i64,
        /// The latest it can be: when the oldest message was sent that waits.
        latest: i64,
    },
    /// A queue is to be set back further than it keeps messages.
    #[error("a queue that keeps messages for {retention_s} s cannot be set back by {rewind_s} s")]
    RewindOverRetention {
        /// How far back.
        rewind_s: u64,
        /// How long it keeps messages.
        retention_s: u64,
    },
    /// A queue cannot take these dead letters.
    #[error("queue `{queue}` cannot take the dead letters: {reason}")]
    BadDeadLetterQueue {
        /// The queue that is to take them.
        queue: String,
        /// Why it cannot.
        reason: &'static str,
    },
    /// Messages are to become dead letters after their retention.
    #[error("messages cannot become dead letters after {age_s} s when the queue keeps them for {retention_s} s")]
    AgeOverRetention {
        /// After how long.
        age_s: u64,
        /// How long the queue keeps messages.
        retention_s: u64,
    },
    /// The queue has no dead-letter queue.
    #[error("queue `{0}` has no dead-letter queue")]
    NotBound(String),
    /// A queue is to be bound without saying when messages go.
    #[error("queue `{0}`: a dead-letter queue needs the number of receipts or the age after which messages go there")]
    NoDeadLetterRule(String),
    /// The queue takes the dead letters of others.
    #[error("queue `{queue}` takes the dead letters of {by}; unbind it there first")]
    DeadLetterQueueInUse {
        /// The queue.
        queue: String,
        /// A list of queues.
        by: String,
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
    /// No such replay.
    #[error("the subscription has no replay {0}")]
    NoReplay(u32),
    /// What is to be replayed has not been delivered yet.
    #[error("nothing to replay from place {from} on: the subscription has done with the messages up to {done} so far")]
    NothingToReplay {
        /// Where it was to begin.
        from: u64,
        /// How far the subscription is.
        done: u64,
    },
    /// Another replay comes to the same messages.
    #[error("replay {0} of this subscription comes to some of these messages; wait for its end, or stop it")]
    ReplayOverlaps(u32),
    /// There are too many replays.
    #[error("the subscription has {0} replays that go on already, and no more are allowed")]
    TooManyReplays(usize),
    /// There are too many subscriptions.
    #[error("topic `{0}` has as many subscriptions as are allowed")]
    TooManySubscriptions(String),
    /// A subscription to a routing topic without binding keys.
    #[error("topic `{0}` routes by key: a subscription needs binding keys")]
    BindingKeyMissing(String),
    /// A subscription that fills a queue, with another format.
    #[error("a queue gets each text as it is, so the format must be SIMPLIFIED")]
    QueueNeedsSimplified,
    /// A subscription that fills a queue was to have what only posts have.
    #[error(
        "subscription `{0}` fills a queue: order, rate, concurrency, Retry-After, 410, circuit and signatures are of \
         posts to HTTP addresses"
    )]
    ForPostsOnly(String),
    /// A circuit's pause was given, but not when the circuit opens.
    #[error("a pause of the circuit breaker needs the number of failures after which the circuit opens")]
    NoCircuit,
    /// The queue for dead letters does not exist.
    #[error("queue `{0}` for dead letters does not exist")]
    NoDeadLetterQueue(String),
    /// A secret was to be replaced where there is none.
    #[error("subscription `{name}` of topic `{topic}` does not sign its posts; there is no secret to rotate")]
    NotSigned {
        /// The topic.
        topic: String,
        /// The subscription.
        name: String,
    },
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
