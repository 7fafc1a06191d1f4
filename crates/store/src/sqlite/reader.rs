//! The readers' connection.

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
use crate::read::{environment, instance, job, queue, subscription, template, topic};
use crate::reader::Reader;
use crate::sqlite::connection::Connection;

/// A connection that only reads.
pub(super) struct SqliteReader(Connection);

impl SqliteReader {
    pub(super) fn new(connection: Connection) -> Self {
        Self(connection)
    }
}

/// Every read is a transaction round the function of the same noun.
macro_rules! reads {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty = $noun:ident::$read:ident, $operation:literal;)*) => {
        impl Reader for SqliteReader {$(
            fn $name(&mut self, $($arg: $type),*) -> Result<$out, StoreError> {
                self.0.reading($operation, |engine| $noun::$read(engine, $($arg),*))
            }
        )*}
    };
}

reads! {
    fn job(id: JobId) -> Option<JobRows> = job::job, "read a job";
    fn jobs(filter: &JobFilter, span: Span) -> Page<Arc<Job>> = job::jobs, "list jobs";
    fn instances(task: TaskKey, phases: &[Phase], span: Span) -> Option<Page<InstanceListed>>
        = instance::instances, "list instances";
    fn instance(key: InstanceKey) -> Option<Arc<Instance>> = instance::instance, "read an instance";
    fn log_tails(task: TaskKey, indexes: &[u32]) -> Vec<LogTail> = instance::log_tails, "read the output of runs";
    fn templates(filter: &TemplateFilter, span: Span) -> Page<Arc<Template>>
        = template::templates, "list task templates";
    fn samples(key: InstanceKey, from: Timestamp, to: Timestamp) -> Vec<Sample> = instance::samples, "read samples";
    fn env(id: EnvId) -> Option<Arc<Env>> = environment::env, "read an environment";
    fn envs(filter: &EnvFilter, span: Span) -> Page<EnvListed> = environment::envs, "list environments";
    fn nodes(env: EnvId) -> Vec<Arc<Node>> = environment::nodes, "list nodes";
    fn activities(env: EnvId, nodes: &[NodeId], span: Span) -> Page<Activity>
        = environment::activities, "list activities";
    fn topic(name: &str) -> Option<Arc<Topic>> = topic::topic, "read a topic";
    fn topics(filter: &NameFilter, span: Span) -> Page<Arc<Topic>> = topic::topics, "list topics";
    fn topic_figures(topic: StreamNo) -> TopicFigures = topic::figures, "count what a topic holds";
    fn topic_messages(topic: StreamNo, after: u64, limit: usize) -> Vec<Arc<TopicMessage>>
        = topic::messages, "read a topic";
    fn topic_messages_before(topic: StreamNo, before: u64, limit: usize) -> Vec<Arc<TopicMessage>>
        = topic::messages_before, "read a topic backwards";
    fn topic_messages_from(topic: StreamNo, last: u64, limit: usize) -> Vec<Arc<TopicMessage>>
        = topic::messages_from, "read the messages of one thing";
    fn topic_span(topic: StreamNo, at: Timestamp) -> TopicSpan = topic::span, "look for a time in a topic";
    fn subscription(topic: StreamNo, name: &str) -> Option<Arc<Subscription>>
        = subscription::subscription, "read a subscription";
    fn subscriptions(topic: StreamNo, filter: &SubscriptionFilter, span: Span) -> Page<Arc<Subscription>>
        = subscription::subscriptions, "list subscriptions";
    fn deliveries(key: SubscriptionKey, set: DeliverySet, after: u64, limit: usize) -> Vec<Arc<Delivery>>
        = subscription::deliveries, "list deliveries";
    fn deliveries_before(key: SubscriptionKey, set: DeliverySet, before: u64, limit: usize) -> Vec<Arc<Delivery>>
        = subscription::deliveries_before, "list deliveries backwards";
    fn dead_deliveries(key: SubscriptionKey, since: Timestamp, after: u64, limit: usize) -> Vec<Arc<Delivery>>
        = subscription::dead_deliveries, "list deliveries that were given up";
    fn dead_figures(key: SubscriptionKey, since: Timestamp, most: u64) -> DeadFigures
        = subscription::dead_figures, "count deliveries that were given up";
    fn delivery(key: DeliveryKey) -> Option<Arc<Delivery>> = subscription::delivery, "read a delivery";
    fn attempts(key: SubscriptionKey, before: Option<(u64, u32)>, limit: usize) -> Vec<Arc<Attempt>>
        = subscription::attempts, "list attempts";
    fn attempts_of(key: SubscriptionKey, seq: u64, limit: usize) -> Vec<Arc<Attempt>>
        = subscription::attempts_of, "list the attempts of a delivery";
    fn last_attempt(key: DeliveryKey) -> Option<Arc<Attempt>> = subscription::last_attempt, "read an attempt";
    fn queue(name: &str) -> Option<Arc<Queue>> = queue::queue, "read a queue";
    fn queues(filter: &NameFilter, span: Span) -> Page<Arc<Queue>> = queue::queues, "list queues";
    fn queue_figures(queue: StreamNo, now: Timestamp) -> QueueFigures = queue::figures, "count what a queue holds";
    fn queue_messages(queue: StreamNo, after: u64, limit: usize) -> Vec<Arc<QueueMessage>>
        = queue::messages, "look at a queue's messages";
    fn next_visible(queue: StreamNo, now: Timestamp) -> Option<Timestamp>
        = queue::next_visible, "look for a queue's next message";
}
