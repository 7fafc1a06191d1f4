//! Queues and their messages.

use std::sync::Arc;

use crate::command::{Refusal, Reply};
use crate::decide::Draft;
use crate::queue::{Handle, QueueSettings};

pub(super) fn create_queue(draft: &mut Draft<'_>, name: String, settings: QueueSettings) -> Result<Reply, Refusal> {
    todo!()
}

pub(super) fn delete_queue(draft: &mut Draft<'_>, name: &str) -> Result<Reply, Refusal> {
    todo!()
}

pub(super) fn send(draft: &mut Draft<'_>, queue: &str, bodies: Vec<Arc<str>>, delay_s: u64) -> Result<Reply, Refusal> {
    todo!()
}

pub(super) fn receive(draft: &mut Draft<'_>, queue: &str, max: usize) -> Result<Reply, Refusal> {
    todo!()
}

pub(super) fn delete(draft: &mut Draft<'_>, queue: &str, handles: &[Handle]) -> Result<Reply, Refusal> {
    todo!()
}
