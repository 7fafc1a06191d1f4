//! The readers' side of a store: pages and single reads, each a short transaction of its own.

use std::sync::Arc;

use kernel::activity::Activity;
use kernel::delivery::{Attempt, Delivery, DeliveryKey};
use kernel::environment::Env;
use kernel::id::{EnvId, JobId, NodeId};
use kernel::instance::{Instance, InstanceKey};
use kernel::job::Job;
use kernel::node::Node;
use kernel::phase::Phase;
use kernel::queue::{Queue, QueueMessage};
use kernel::sample::Sample;
use kernel::subscription::{Subscription, SubscriptionKey};
use kernel::task::TaskKey;
use kernel::template::Template;
use kernel::time::Timestamp;
use kernel::topic::{StreamNo, Topic, TopicMessage};

use crate::batch::LogTail;
use crate::error::StoreError;
use crate::page::{
    DeadFigures, DeliverySet, EnvFilter, EnvListed, InstanceListed, JobFilter, JobRows, NameFilter, Page, QueueFigures,
    Span, SubscriptionFilter, TemplateFilter, TopicFigures, TopicSpan,
};

/// A connection that only reads. Each call sees one state of the database, that of the last commit or later. All
/// calls block; all fail only when the database cannot be read.
#[expect(clippy::missing_errors_doc, reason = "said once, above")]
pub trait Reader: Send {
    /// A job with its tasks.
    fn job(&mut self, id: JobId) -> Result<Option<JobRows>, StoreError>;
    /// Jobs, the newest first.
    fn jobs(&mut self, filter: &JobFilter, span: Span) -> Result<Page<Arc<Job>>, StoreError>;
    /// Instances of a task in these states (none named: all), by index. `None`: there is no such task.
    fn instances(
        &mut self,
        task: TaskKey,
        phases: &[Phase],
        span: Span,
    ) -> Result<Option<Page<InstanceListed>>, StoreError>;
    /// An instance, if it has a row.
    fn instance(&mut self, key: InstanceKey) -> Result<Option<Arc<Instance>>, StoreError>;
    /// The last output of those of these instances that have left some, by index.
    fn log_tails(&mut self, task: TaskKey, indexes: &[u32]) -> Result<Vec<LogTail>, StoreError>;

    /// Task templates, the newest first.
    fn templates(&mut self, filter: &TemplateFilter, span: Span) -> Result<Page<Arc<Template>>, StoreError>;

    /// The samples of an instance, taken between two moments, those included, in the order in which they were taken.
    fn samples(&mut self, key: InstanceKey, from: Timestamp, to: Timestamp) -> Result<Vec<Sample>, StoreError>;

    /// An environment.
    fn env(&mut self, id: EnvId) -> Result<Option<Arc<Env>>, StoreError>;
    /// Environments, the newest first.
    fn envs(&mut self, filter: &EnvFilter, span: Span) -> Result<Page<EnvListed>, StoreError>;
    /// Nodes of an environment, by id. What they hold is not in their rows.
    fn nodes(&mut self, env: EnvId) -> Result<Vec<Arc<Node>>, StoreError>;

    /// Activities of an environment, the newest first: of these nodes; none named: of all.
    fn activities(&mut self, env: EnvId, nodes: &[NodeId], span: Span) -> Result<Page<Activity>, StoreError>;

    /// A topic by its name, in any case.
    fn topic(&mut self, name: &str) -> Result<Option<Arc<Topic>>, StoreError>;
    /// Topics, the newest first.
    fn topics(&mut self, filter: &NameFilter, span: Span) -> Result<Page<Arc<Topic>>, StoreError>;
    /// What a topic holds.
    fn topic_figures(&mut self, topic: StreamNo) -> Result<TopicFigures, StoreError>;
    /// Up to `limit` messages of a topic after a place, in order.
    fn topic_messages(
        &mut self,
        topic: StreamNo,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Arc<TopicMessage>>, StoreError>;

    /// Up to `limit` messages of a topic before a place, the newest first.
    fn topic_messages_before(
        &mut self,
        topic: StreamNo,
        before: u64,
        limit: usize,
    ) -> Result<Vec<Arc<TopicMessage>>, StoreError>;
    /// Up to `limit` messages of one job or environment, the newest first: that at `last`, and from each the one
    /// before it. They end where the topic's retention has ended.
    fn topic_messages_from(
        &mut self,
        topic: StreamNo,
        last: u64,
        limit: usize,
    ) -> Result<Vec<Arc<TopicMessage>>, StoreError>;
    /// What a topic's log holds, and the place of the first message that was published at `at` or later.
    fn topic_span(&mut self, topic: StreamNo, at: Timestamp) -> Result<TopicSpan, StoreError>;

    /// A subscription by its name.
    fn subscription(&mut self, topic: StreamNo, name: &str) -> Result<Option<Arc<Subscription>>, StoreError>;
    /// Subscriptions of a topic, the newest first.
    fn subscriptions(
        &mut self,
        topic: StreamNo,
        filter: &SubscriptionFilter,
        span: Span,
    ) -> Result<Page<Arc<Subscription>>, StoreError>;
    /// Up to `limit` delivery rows of a subscription after a place, in order of their messages.
    fn deliveries(
        &mut self,
        key: SubscriptionKey,
        set: DeliverySet,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Delivery>>, StoreError>;
    /// Up to `limit` delivery rows of a subscription before a place, that of the newest message first.
    fn deliveries_before(
        &mut self,
        key: SubscriptionKey,
        set: DeliverySet,
        before: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Delivery>>, StoreError>;
    /// Up to `limit` deliveries of a subscription after a place that were given up at `since` or later.
    fn dead_deliveries(
        &mut self,
        key: SubscriptionKey,
        since: Timestamp,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Delivery>>, StoreError>;
    /// How many deliveries of a subscription were given up at `since` or later, and between which places. Counts to
    /// `most` and no further.
    fn dead_figures(&mut self, key: SubscriptionKey, since: Timestamp, most: u64) -> Result<DeadFigures, StoreError>;
    /// The row of a delivery, if it has one.
    fn delivery(&mut self, key: DeliveryKey) -> Result<Option<Arc<Delivery>>, StoreError>;
    /// Up to `limit` attempts of a subscription, the newest message first, of each message the last attempt first.
    /// `before`: only those behind this (place, number) in that order.
    fn attempts(
        &mut self,
        key: SubscriptionKey,
        before: Option<(u64, u32)>,
        limit: usize,
    ) -> Result<Vec<Arc<Attempt>>, StoreError>;
    /// Attempts to deliver one message to a subscription, in order; at most `limit`.
    fn attempts_of(&mut self, key: SubscriptionKey, seq: u64, limit: usize) -> Result<Vec<Arc<Attempt>>, StoreError>;
    /// The last attempt of a delivery that is kept.
    fn last_attempt(&mut self, key: DeliveryKey) -> Result<Option<Arc<Attempt>>, StoreError>;

    /// A queue by its name, in any case.
    fn queue(&mut self, name: &str) -> Result<Option<Arc<Queue>>, StoreError>;
    /// Queues, the newest first.
    fn queues(&mut self, filter: &NameFilter, span: Span) -> Result<Page<Arc<Queue>>, StoreError>;
    /// What a queue holds at `now`.
    fn queue_figures(&mut self, queue: StreamNo, now: Timestamp) -> Result<QueueFigures, StoreError>;
    /// Up to `limit` messages of a queue after a place, in order, whether they can be received or not. Nobody's receipt
    /// changes.
    fn queue_messages(
        &mut self,
        queue: StreamNo,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Arc<QueueMessage>>, StoreError>;
    /// When the next hidden message of a queue becomes visible, after `now`.
    fn next_visible(&mut self, queue: StreamNo, now: Timestamp) -> Result<Option<Timestamp>, StoreError>;
}
