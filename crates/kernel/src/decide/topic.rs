//! Topics: made, deleted, published to.

use std::sync::Arc;

use crate::command::{Refusal, Reply};
use crate::decide::Draft;
use crate::topic::FilterType;

/// A topic to be made.
pub(super) struct NewTopic {
    pub(super) name: String,
    pub(super) filter: FilterType,
    pub(super) max_msg_bytes: u64,
    pub(super) retention_s: u64,
}

pub(super) fn create(draft: &mut Draft<'_>, new: &NewTopic) -> Result<Reply, Refusal> {
    todo!()
}

pub(super) fn delete(draft: &mut Draft<'_>, name: &str, with_subscriptions: bool) -> Result<Reply, Refusal> {
    todo!()
}

pub(super) fn publish(
    draft: &mut Draft<'_>,
    topic: &str,
    bodies: Vec<Arc<str>>,
    tags: Vec<String>,
    routing_key: String,
) -> Result<Reply, Refusal> {
    todo!()
}
