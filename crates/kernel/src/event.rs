//! Events: what topics carry of changes, who asked for which, and their gapless numbers.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::environment::Env;
use crate::explain::TaskWhy;
use crate::id::{EnvId, JobId, SubscriptionId};
use crate::instance::Instance;
use crate::job::{Job, JobSpec};
use crate::node::Node;
use crate::phase::Phase;
use crate::task::Task;
use crate::time::Timestamp;
use crate::topic::{MsgId, StreamNo};

macro_rules! event_names {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What can happen, by the name a notification asks for it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventName {$($(#[$doc])* $name,)*}

        impl EventName {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

event_names! {
    /// The job was accepted.
    JobSubmitted = "JOB_SUBMITTED";
    /// The failed job runs again.
    JobRetried = "JOB_RETRIED";
    /// Nothing of the job runs, for want of a place.
    JobBlocked = "JOB_BLOCKED";
    /// The job is RUNNING.
    JobRunning = "JOB_RUNNING";
    /// The job is SUCCEED.
    JobSucceed = "JOB_SUCCEED";
    /// The job is FAILED.
    JobFailed = "JOB_FAILED";
    /// The job is FAILED_INTERRUPTED.
    JobFailedInterrupted = "JOB_FAILED_INTERRUPTED";
    /// The job's data were erased.
    JobDeleted = "JOB_DELETED";
    /// A task is RUNNING.
    TaskRunning = "TASK_RUNNING";
    /// A task is SUCCEED.
    TaskSucceed = "TASK_SUCCEED";
    /// A task is FAILED.
    TaskFailed = "TASK_FAILED";
    /// A task is FAILED_INTERRUPTED.
    TaskFailedInterrupted = "TASK_FAILED_INTERRUPTED";
    /// An attempt of an instance is RUNNING.
    TaskInstanceRunning = "TASK_INSTANCE_RUNNING";
    /// An instance is SUCCEED.
    TaskInstanceSucceed = "TASK_INSTANCE_SUCCEED";
    /// An instance is FAILED.
    TaskInstanceFailed = "TASK_INSTANCE_FAILED";
    /// An instance is FAILED_INTERRUPTED.
    TaskInstanceFailedInterrupted = "TASK_INSTANCE_FAILED_INTERRUPTED";
    /// An attempt failed and another will follow.
    TaskInstanceRetrying = "TASK_INSTANCE_RETRYING";
    /// The environment exists.
    ComputeEnvCreated = "COMPUTE_ENV_CREATED";
    /// The environment's desired count changed.
    ComputeEnvScaled = "COMPUTE_ENV_SCALED";
    /// The environment and its nodes are gone.
    ComputeEnvDeleted = "COMPUTE_ENV_DELETED";
    /// A node was made.
    ComputeNodeCreated = "COMPUTE_NODE_CREATED";
    /// A node could not be made.
    ComputeNodeCreationFailed = "COMPUTE_NODE_CREATION_FAILED";
    /// A node's agent reports.
    ComputeNodeRunning = "COMPUTE_NODE_RUNNING";
    /// A node's agent is gone or silent.
    ComputeNodeAbnormal = "COMPUTE_NODE_ABNORMAL";
    /// A node's destruction starts.
    ComputeNodeDeleting = "COMPUTE_NODE_DELETING";
    /// A node is gone.
    ComputeNodeDeleted = "COMPUTE_NODE_DELETED";
    /// Three posts running of the subscription have failed.
    SubscriptionFailing = "SUBSCRIPTION_FAILING";
    /// A post of a failing subscription has succeeded.
    SubscriptionRecovered = "SUBSCRIPTION_RECOVERED";
    /// A delivery was given up.
    DeliveryDead = "DELIVERY_DEAD";
}

impl EventName {
    /// The event of a job that enters `phase`.
    #[must_use]
    pub fn of_job(phase: Phase) -> Option<Self> {
        match phase {
            Phase::Running => Some(Self::JobRunning),
            Phase::Succeed => Some(Self::JobSucceed),
            Phase::Failed => Some(Self::JobFailed),
            Phase::FailedInterrupted => Some(Self::JobFailedInterrupted),
            _ => None,
        }
    }

    /// The event of a task that enters `phase`.
    #[must_use]
    pub fn of_task(phase: Phase) -> Option<Self> {
        match phase {
            Phase::Running => Some(Self::TaskRunning),
            Phase::Succeed => Some(Self::TaskSucceed),
            Phase::Failed => Some(Self::TaskFailed),
            Phase::FailedInterrupted => Some(Self::TaskFailedInterrupted),
            _ => None,
        }
    }

    /// Whether jobs can be asked for it.
    #[must_use]
    pub fn is_of_job(self) -> bool {
        self < Self::ComputeEnvCreated || self.kind() == "NODE"
    }

    /// Whether environments can be asked for it.
    #[must_use]
    pub fn is_of_env(self) -> bool {
        self >= Self::ComputeEnvCreated && !self.is_of_subscription()
    }

    /// Whether it is of a subscription: sent to the topic in its own setting.
    #[must_use]
    pub fn is_of_subscription(self) -> bool {
        self.kind() == "DELIVERY"
    }

    /// Its first tag: what kind of thing it happens to.
    #[must_use]
    pub fn kind(self) -> &'static str {
        let name = self.as_str();
        let kinds = [
            ("JOB_", "JOB"),
            ("TASK_INSTANCE_", "INSTANCE"),
            ("TASK_", "TASK"),
            ("COMPUTE_ENV_", "ENV"),
            ("SUBSCRIPTION_", "DELIVERY"),
            ("DELIVERY_", "DELIVERY"),
        ];
        kinds.iter().find(|(prefix, _)| name.starts_with(prefix)).map_or("NODE", |(_, kind)| kind)
    }

    /// Its second tag: what happened, in one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        let name = self.as_str();
        if name.ends_with("FAILED_INTERRUPTED") {
            return "INTERRUPTED";
        }
        if name.ends_with("CREATION_FAILED") {
            return "CREATION_FAILED";
        }
        name.rsplit('_').next().unwrap_or(name)
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EventName {
    type Err = ();
    /// Reads `JOB_FAILED` and, as Tencent's event page writes it, `JobFailed`; letter case and `_` do not matter.
    fn from_str(text: &str) -> Result<Self, ()> {
        fn plain(text: &str) -> impl Iterator<Item = u8> {
            text.bytes().filter(|byte| *byte != b'_').map(|byte| byte.to_ascii_uppercase())
        }
        Self::ALL.iter().copied().find(|name| plain(name.as_str()).eq(plain(text))).ok_or(())
    }
}

impl Serialize for EventName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for EventName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|()| serde::de::Error::custom(format!("`{text}` is no event")))
    }
}

/// One topic and the events that are to go to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// The topic's name, as it was given.
    pub topic_name: String,
    /// The topic it named at submission. 0 before `decide` has looked it up.
    pub topic: StreamNo,
    /// The events.
    pub events: Vec<EventConfig>,
}

/// One event asked for, and the pairs its messages shall bear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventConfig {
    /// The event.
    pub name: EventName,
    /// Pairs of name and value, in order.
    pub vars: Vec<(String, String)>,
}

/// Whose event it is: who asked for it, and counts the sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A job's.
    Job(JobId),
    /// An environment's.
    Env(EnvId),
    /// A subscription's.
    Subscription(SubscriptionId),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Job(id) => id.fmt(f),
            Self::Env(id) => id.fmt(f),
            Self::Subscription(id) => id.fmt(f),
        }
    }
}

impl FromStr for Owner {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let job = text.parse().map(Self::Job).ok();
        let env = || text.parse().map(Self::Env).ok();
        let subscription = || text.parse().map(Self::Subscription).ok();
        job.or_else(env).or_else(subscription).ok_or(())
    }
}

/// What one job, environment or subscription has sent to each topic. With the place that each of its messages has of the one before
/// it, this is the way from a job to its messages: nobody needs an index, nor to look through those of others.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Outlets(Vec<Outlet>);

/// What one job or environment has sent to one topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "(StreamNo, u64, u64, u64)", from = "(StreamNo, u64, u64, u64)")]
pub struct Outlet {
    /// The topic.
    pub topic: StreamNo,
    /// How many events: the `Sequence` of the last.
    pub sent: u64,
    /// The place of the first in the topic.
    pub first: u64,
    /// The place of the last.
    pub last: u64,
}

impl Outlets {
    /// What went to `topic`, if anything has.
    #[must_use]
    pub fn of(&self, topic: StreamNo) -> Option<&Outlet> {
        self.0.iter().find(|outlet| outlet.topic == topic)
    }

    /// What went to each topic, in the order in which they got their first event.
    pub fn iter(&self) -> impl Iterator<Item = &Outlet> {
        self.0.iter()
    }

    /// Counts one more event to `topic`, whose message has this place there.
    pub(crate) fn count(&mut self, topic: StreamNo, place: u64) {
        match self.0.iter_mut().find(|outlet| outlet.topic == topic) {
            Some(outlet) => {
                outlet.sent += 1;
                outlet.last = place;
            }
            None => self.0.push(Outlet { topic, sent: 1, first: place, last: place }),
        }
    }
}

impl From<(StreamNo, u64, u64, u64)> for Outlet {
    fn from((topic, sent, first, last): (StreamNo, u64, u64, u64)) -> Self {
        Self { topic, sent, first, last }
    }
}

impl From<Outlet> for (StreamNo, u64, u64, u64) {
    fn from(outlet: Outlet) -> Self {
        (outlet.topic, outlet.sent, outlet.first, outlet.last)
    }
}

/// `evt-` and a ULID whose time is the change's millisecond: 48 bits of time, 80 of chance, in Crockford's base 32.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(u128);

impl EventId {
    /// Draws the id of an event at `at`.
    pub fn draw(at: Timestamp, rng: &mut dyn rand::Rng) -> Self {
        let time = u128::try_from(at.0.max(0)).expect("not negative") & ((1 << 48) - 1);
        let chance = (u128::from(rng.next_u64()) << 16) | u128::from(rng.next_u32() >> 16);
        Self((time << 80) | chance)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let mut text = [0u8; 26];
        for (place, slot) in text.iter_mut().rev().enumerate() {
            *slot = DIGITS[usize::try_from((self.0 >> (5 * place)) & 31).expect("five bits")];
        }
        write!(f, "evt-{}", std::str::from_utf8(&text).expect("digits are ASCII"))
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One event on its way to one topic: all that its message says.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What happened.
    pub name: EventName,
    /// When.
    pub at: Timestamp,
    /// Its own id.
    pub id: EventId,
    /// Its number among the events that this job or environment has sent to this topic, from 1.
    pub sequence: u64,
    /// The pairs that were asked for: (notification, event) in the subject's configuration.
    pub vars: Vec<(String, String)>,
    /// To what it happened, as that stood right after.
    pub subject: Subject,
}

/// To what an event happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// A job.
    Job(Arc<Job>),
    /// A job of which nothing runs, and why its tasks do not.
    Blocked(Arc<Job>, Arc<[TaskWhy]>),
    /// A task of a job.
    Task(Arc<JobSpec>, Arc<Task>),
    /// An instance of a job's task.
    Instance(Arc<JobSpec>, Arc<Instance>),
    /// An environment.
    Env(Arc<Env>),
    /// A node, and whose it is.
    Node(Arc<Node>, NodeOwner),
    /// A subscription, or one of its deliveries.
    Delivery(Box<DeliveryTrouble>),
}

/// Whose a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeOwner {
    /// An environment's, of this name.
    Env(EnvId, String),
    /// A job's, for its task of this name.
    Task(JobId, String),
}

/// What an event of a subscription tells.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryTrouble {
    /// The subscription's id.
    pub id: SubscriptionId,
    /// Its topic's name.
    pub topic: String,
    /// Its name.
    pub name: String,
    /// Where its messages go.
    pub endpoint: String,
    /// How many posts have failed: running; or, of a delivery that was given up, of it.
    pub failures: u32,
    /// The status of the last that failed, if there was an answer.
    pub last_status: Option<u16>,
    /// Why the last that failed had no answer; empty if there was one.
    pub last_error: String,
    /// The message that was given up.
    pub message: Option<MsgId>,
}

impl Subject {
    /// Whose event it is.
    #[must_use]
    pub fn owner(&self) -> Owner {
        match self {
            Self::Job(job) | Self::Blocked(job, _) => Owner::Job(job.id),
            Self::Task(_, task) => Owner::Job(task.key.job),
            Self::Instance(_, instance) => Owner::Job(instance.key.job),
            Self::Env(env) => Owner::Env(env.id),
            Self::Node(_, NodeOwner::Env(env, _)) => Owner::Env(*env),
            Self::Node(_, NodeOwner::Task(job, _)) => Owner::Job(*job),
            Self::Delivery(trouble) => Owner::Subscription(trouble.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_in_each_spelling() {
        for name in EventName::ALL {
            assert_eq!(name.as_str().parse(), Ok(*name));
            assert_eq!(name.as_str().to_lowercase().parse(), Ok(*name));
        }
        assert_eq!("JobFailed".parse(), Ok(EventName::JobFailed));
        assert_eq!("TaskInstanceFailedInterrupted".parse(), Ok(EventName::TaskInstanceFailedInterrupted));
        assert!("JOB_DONE".parse::<EventName>().is_err());
    }

    #[test]
    fn tags_are_kind_and_word() {
        let tags = |name: EventName| (name.kind(), name.word());
        assert_eq!(tags(EventName::JobFailedInterrupted), ("JOB", "INTERRUPTED"));
        assert_eq!(tags(EventName::TaskSucceed), ("TASK", "SUCCEED"));
        assert_eq!(tags(EventName::TaskInstanceRetrying), ("INSTANCE", "RETRYING"));
        assert_eq!(tags(EventName::ComputeEnvScaled), ("ENV", "SCALED"));
        assert_eq!(tags(EventName::ComputeNodeCreationFailed), ("NODE", "CREATION_FAILED"));
    }

    #[test]
    fn jobs_and_environments_have_their_own_events() {
        let of_job = EventName::ALL.iter().filter(|name| name.is_of_job()).count();
        let of_env = EventName::ALL.iter().filter(|name| name.is_of_env()).count();
        assert_eq!((of_job, of_env), (17 + 6, 9));
        assert!(EventName::ComputeNodeRunning.is_of_job() && !EventName::ComputeEnvCreated.is_of_job());
    }

    #[test]
    fn an_event_id_begins_with_its_time() {
        let mut rng = crate::testing::rng(7);
        let early = EventId::draw(Timestamp(1_700_000_000_000), &mut rng).to_string();
        let late = EventId::draw(Timestamp(1_700_000_000_001), &mut rng).to_string();
        assert_eq!(early.len(), 4 + 26);
        assert_eq!(&early[..14], "evt-01HF7YAT00");
        assert!(early < late);
    }
}
