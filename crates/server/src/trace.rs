//! Traces: what happens to the messages of topics and queues that ask for it is written to the log, one line each.

use kernel::change::What;
use kernel::queue::MessageKey;
use kernel::state::State;
use kernel::topic::MsgId;

use crate::ledger::Committed;

/// Writes what a commit did to messages that are traced.
pub(crate) fn tell(committed: &Committed<'_>) {
    for message in committed.messages {
        if let Some(topic) = committed.state.topic(message.topic).filter(|topic| topic.trace) {
            let msg_id = MsgId::new(message.topic, message.seq).0;
            tracing::info!(target: "trace", topic = topic.name, msg_id, "published");
        }
    }
    for change in committed.changes {
        if let Some((key, event)) = event(&change.what) {
            tell_one(committed.state, key, event);
        }
    }
}

/// What happened to a message, in a word, and where it is stored or kept.
fn event(what: &What) -> Option<(MessageKey, &'static str)> {
    match what {
        What::MessageStored(message) => Some((message.key, "stored")),
        What::MessageReceived { key, .. } => Some((*key, "received")),
        What::MessageDeleted(key) => Some((*key, "gone")),
        What::MessageKept(key) => Some((*key, "deleted, and kept")),
        What::MessageRewound(key) => Some((*key, "back")),
        _ => None,
    }
}

fn tell_one(state: &State, key: MessageKey, event: &str) {
    if let Some(queue) = state.queue_of(key.heap).filter(|queue| queue.settings.trace) {
        // What has come back was kept under another number than it is stored.
        let msg_id = MsgId::new(queue.heap, key.seq).0;
        tracing::info!(target: "trace", queue = queue.name, msg_id, "{event}");
    }
}
