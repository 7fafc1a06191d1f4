//! Receiving: look, and while there is nothing, wait for the queue to ring.
//!
//! A receive listens before it looks, so what arrives in between wakes it. Messages whose delay or visibility timeout
//! ends come without a ring; for them the store is asked when the next is due, and, because others receive too, asked
//! again from time to time. The ledger is bothered only when there may be something, and an empty look commits
//! nothing.
//!
//! A client that goes away while its message is being committed does not get it: the message stays hidden until its
//! visibility timeout ends and comes again, as CMQ promises.

use std::sync::Arc;
use std::time::Duration;

use kernel::command::{Command, Reply};
use kernel::queue::QueueMessage;
use kernel::time::Timestamp;
use kernel::topic::StreamNo;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use wire::v2::{Params, V2Code, V2Error};

use super::fields::name;
use super::refusal::of_store;
use super::{submit, unexpected};
use crate::App;
use crate::api::cmq::limits::POLL_S;
use crate::ledger::Lane;
use crate::wakes::Listener;

/// How long a waiting receive trusts that the next message comes with a ring or when it is due.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Receives up to `max` messages of the request's queue, at least one. It waits as long as the request says, or else
/// the queue; longer than 30 s nobody waits (the Java client asks for 30,000 s when told to wait for ever).
pub(super) async fn receive(app: &App, params: &Params, max: usize) -> Result<Vec<Arc<QueueMessage>>, V2Error> {
    let name = name(params, "queueName")?;
    let asked = params.integer("pollingWaitSeconds", 0..=u64::MAX)?;
    let queue = app.state().queue_named(&name).cloned().ok_or_else(|| V2Code::NoQueue.error())?;
    let wait = Duration::from_secs(asked.unwrap_or(queue.settings.polling_wait_s).min(POLL_S));
    let deadline = Instant::now() + wait;
    let listener = app.queue_wakes.listen(queue.no);
    loop {
        let looked = app.clock();
        let command = Command::Receive { queue: name.clone(), max };
        match submit(app, Lane::Messages, command).await? {
            Reply::Received(messages) if !messages.is_empty() => {
                if messages.len() == max {
                    // There may be more, for somebody else who waits: rings that come while he looks count as one.
                    app.queue_wakes.ring(queue.no, 1);
                }
                return Ok(messages);
            }
            Reply::Received(_) => {}
            other => return Err(unexpected(&other)),
        }
        if wait.is_zero() || !may_have_come(app, queue.no, &listener, looked, deadline).await? {
            return Err(V2Code::NoMessage.error());
        }
    }
}

/// Waits until a message may have become visible since `looked`, or the queue is gone; `false`: neither has happened
/// until the deadline, or the server stops: then, too, there is no message, and the client asks again.
async fn may_have_come(
    app: &App,
    queue: StreamNo,
    listener: &Listener,
    looked: Timestamp,
    deadline: Instant,
) -> Result<bool, V2Error> {
    // What became visible in the very millisecond of the look may have come after it.
    let since = Timestamp(looked.0.saturating_sub(1));
    loop {
        let due = app.read(move |reader| reader.next_visible(queue, since)).await.map_err(|error| of_store(&error))?;
        let now = app.clock();
        if due.is_some_and(|due| due <= now) || app.state().queue(queue).is_none() {
            return Ok(true);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || app.ledger.is_stopping() {
            return Ok(false);
        }
        let until_due = due.map_or(LOOK_AGAIN, |due| Duration::from_millis(due.since_ms(now)));
        if timeout(left.min(until_due).min(LOOK_AGAIN), listener.wait()).await.is_ok() {
            return Ok(!app.ledger.is_stopping());
        }
    }
}

/// A received message. Clients need each of its fields, and the numbers as numbers.
pub(super) fn message(message: &QueueMessage) -> Value {
    let mut fields = json!({
        "msgBody": message.body,
        "msgId": message.msg_id().0.to_string(),
        "receiptHandle": message.handle().0.to_string(),
        "enqueueTime": message.enqueued.seconds(),
        "firstDequeueTime": message.first_dequeued.unwrap_or(message.enqueued).seconds(),
        "nextVisibleTime": message.visible.seconds(),
        "dequeueCount": message.dequeues,
    });
    if let Some(origin) = &message.origin {
        // Over HTTP CMQ says nothing of where a dead letter comes from; over TCP it says this.
        fields["originalQueueName"] = json!(origin.queue);
        fields["originalEnqueueTime"] = json!(origin.enqueued.seconds());
        fields["originalDequeueCount"] = json!(origin.dequeues);
    }
    fields
}
