//! What readers ask for and get: filters, spans, pages, figures.

use std::sync::Arc;

use kernel::environment::Env;

use kernel::instance::Instance;
use kernel::job::Job;
pub use kernel::list::{EnvFilter, JobFilter, Span, Tagged, TemplateFilter};
use kernel::phase::Phase;
use kernel::task::Task;
use kernel::time::Timestamp;

/// Part of a list, and how long the whole is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// How many there are that match.
    pub total: u64,
    /// Those asked for.
    pub items: Vec<T>,
}

/// A job with its tasks, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRows {
    /// The job.
    pub job: Arc<Job>,
    /// Its tasks.
    pub tasks: Vec<Arc<Task>>,
}

/// An environment in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvListed {
    /// The environment.
    pub env: Arc<Env>,
    /// Its nodes by state.
    pub nodes: NodeCounts,
}

/// How many nodes are in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NodeCounts {
    /// SUBMITTED.
    pub submitted: u64,
    /// CREATING.
    pub creating: u64,
    /// CREATED.
    pub created: u64,
    /// CREATION_FAILED.
    pub creation_failed: u64,
    /// RUNNING.
    pub running: u64,
    /// ABNORMAL.
    pub abnormal: u64,
    /// DELETING.
    pub deleting: u64,
    /// Attached, in whatever state.
    pub attached: u64,
}

/// An instance in a list.
#[derive(Debug, Clone, PartialEq)]
pub enum InstanceListed {
    /// One that has not left the state in which its task's instances began, and has no row.
    Bulk {
        /// Its index.
        index: u32,
        /// That state.
        phase: Phase,
        /// When its job was submitted.
        created: Timestamp,
    },
    /// One with a row.
    Row(Arc<Instance>),
}

/// Which topics or queues.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NameFilter {
    /// The name contains this, in any case; empty: every name does.
    pub contains: String,
    /// The name is one of these, in any case; empty: it may be any.
    pub names: Vec<String>,
    /// Tags.
    pub tags: Tagged,
}

/// Which subscriptions of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubscriptionFilter {
    /// The name contains this, in any case; empty: every name does.
    pub contains: String,
    /// It delivers to a queue of this name, in any case.
    pub queue: Option<String>,
}

/// What a topic holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TopicFigures {
    /// Messages that are kept.
    pub messages: u64,
    /// When the oldest of them was published.
    pub oldest: Option<Timestamp>,
    /// Its subscriptions.
    pub subscriptions: u64,
}

/// What a topic's log holds, and where in it a time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TopicSpan {
    /// The place of the oldest message that is kept, and when it was published; `None`: none is kept.
    pub oldest: Option<(u64, Timestamp)>,
    /// The place of the first message that was published at the time asked for or later; `None`: there is none.
    pub from: Option<u64>,
}

/// What a queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueFigures {
    /// Messages that can be received.
    pub active: u64,
    /// Messages that were received and are hidden.
    pub inactive: u64,
    /// Messages whose first delay has not ended.
    pub delayed: u64,
    /// When the oldest message was stored.
    pub oldest: Option<Timestamp>,
}

/// Deliveries that were given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeadFigures {
    /// How many.
    pub count: u64,
    /// The place of the first; 0: there is none.
    pub first: u64,
    /// The place of the last of those counted; 0: there is none.
    pub last: u64,
}

/// Which rows of deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliverySet {
    /// Those that retry or are done ahead of the cursor: the subscription's window.
    Open,
    /// Those that were given up.
    Dead,
    /// All.
    All,
}
