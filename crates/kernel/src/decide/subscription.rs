//! Subscriptions: made, deleted, moved on.

use std::sync::Arc;

use crate::command::{DeliveryRecord, NewSubscription, Refusal, Reply};
use crate::decide::Draft;
use crate::subscription::SubscriptionKey;
use crate::topic::TopicMessage;

pub(super) fn subscribe(draft: &mut Draft<'_>, new: NewSubscription) -> Result<Reply, Refusal> {
    todo!()
}

pub(super) fn unsubscribe(draft: &mut Draft<'_>, topic: &str, name: &str) -> Result<Reply, Refusal> {
    todo!()
}

pub(super) fn fan_out(
    draft: &mut Draft<'_>,
    key: SubscriptionKey,
    messages: &[Arc<TopicMessage>],
    through: u64,
) -> Result<Reply, Refusal> {
    todo!()
}

pub(super) fn record(draft: &mut Draft<'_>, record: DeliveryRecord) -> Result<Reply, Refusal> {
    todo!()
}
