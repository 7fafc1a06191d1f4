//! Events as subscribers receive them.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::DemoError;
use crate::reply::{number, text};

/// The way an event came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Posted to the HTTP subscriber.
    Callback,
    /// Received from the queue.
    Queue,
}

impl Way {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::Callback, Self::Queue];

    /// The word for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Callback => "callback",
            Self::Queue => "queue",
        }
    }
}

/// A message with an event, just received.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) way: Way,
    /// When, in unix milliseconds.
    pub(super) at: i64,
    pub(super) event: Event,
}

impl Arrival {
    /// A message that arrives now.
    pub(super) fn now(way: Way, message: &str) -> Result<Self, DemoError> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let at = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        Ok(Self { way, at, event: Event::read(message)? })
    }

    /// Milliseconds from the change to the arrival.
    pub(super) fn delay(&self) -> i64 {
        self.at - self.event.changed
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// Such as `JOB_RUNNING`.
    pub(super) name: String,
    /// The id of the job or environment that asked for it.
    pub(super) owner: String,
    /// What of the owner changed: a task, an instance, a node; empty when it is the owner itself.
    pub(super) part: String,
    /// Its number among the owner's events.
    pub(super) sequence: u64,
    /// `evt-` and a ULID.
    pub(super) id: String,
    /// When the change was made, in unix milliseconds: the ULID's time.
    pub(super) changed: i64,
}

impl Event {
    /// The event in a message's text.
    pub(super) fn read(message: &str) -> Result<Self, DemoError> {
        let no_event = || DemoError::NoEvent(message.to_owned());
        let message: Value = serde_json::from_str(message).map_err(|_| no_event())?;
        let event = &message["Events"][0];
        let batch = &event["Batch"];
        let id = text(event, "EventId");
        let owner = ["JobId", "EnvId"].map(|field| text(batch, field)).into_iter().find(|id| !id.is_empty());
        Ok(Self {
            name: text(event, "EventName"),
            owner: owner.ok_or_else(no_event)?,
            part: part(batch),
            sequence: Some(number(event, "Sequence")).filter(|sequence| *sequence > 0).ok_or_else(no_event)?,
            changed: ulid_time(&id).ok_or_else(no_event)?,
            id,
        })
    }

    /// Whether the owner has no further event of what this demo asks for.
    pub(super) fn is_last(&self) -> bool {
        ["JOB_SUCCEED", "JOB_FAILED", "JOB_FAILED_INTERRUPTED", "COMPUTE_ENV_DELETED"].contains(&self.name.as_str())
    }
}

fn part(batch: &Value) -> String {
    let task = text(batch, "TaskName");
    match batch.get("TaskInstanceIndex") {
        Some(index) => format!("{task}.{index}"),
        None if task.is_empty() => text(batch, "ComputeNodeId"),
        None => task,
    }
}

/// The time in an EventId, in unix milliseconds: ten digits in Crockford's base 32 (the ULID specification).
fn ulid_time(id: &str) -> Option<i64> {
    const DIGITS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let ulid = id.strip_prefix("evt-").filter(|ulid| ulid.len() == 26)?;
    let mut digits = ulid.get(..10)?.chars().map(|c| DIGITS.find(c).and_then(|digit| i64::try_from(digit).ok()));
    digits.try_fold(0, |time, digit| Some(time << 5 | digit?))
}

#[cfg(test)]
mod tests {
    use kernel::event::EventId;
    use kernel::time::Timestamp;
    use rand::SeedableRng;
    use serde_json::json;

    use super::*;

    fn message(name: &str, batch: Value) -> String {
        let mut rng = rand::rngs::StdRng::seed_from_u64(1);
        let id = EventId::draw(Timestamp(1_700_000_000_123), &mut rng);
        json!({"Events": [{"EventName": name, "Batch": batch, "EventId": id.to_string(), "Sequence": 7}]}).to_string()
    }

    #[test]
    fn an_event_says_whose_it_is_and_when_it_was() {
        let instance = json!({"JobId": "job-1", "TaskName": "count", "TaskInstanceIndex": 3, "EnvId": "env-1",
            "ComputeNodeId": "node-1"});
        let node = json!({"ComputeNodeId": "node-1", "EnvId": "env-1"});
        let cases = [
            ("TASK_INSTANCE_RUNNING", instance, "job-1", "count.3"),
            ("TASK_SUCCEED", json!({"JobId": "job-1", "TaskName": "count"}), "job-1", "count"),
            ("JOB_SUCCEED", json!({"JobId": "job-1"}), "job-1", ""),
            ("COMPUTE_NODE_RUNNING", node, "env-1", "node-1"),
            ("COMPUTE_ENV_DELETED", json!({"EnvId": "env-1"}), "env-1", ""),
        ];
        for (name, batch, owner, part) in cases {
            let event = Event::read(&message(name, batch)).unwrap();
            assert_eq!((event.owner.as_str(), event.part.as_str()), (owner, part), "{name}");
            assert_eq!((event.sequence, event.changed), (7, 1_700_000_000_123), "{name}");
            assert_eq!(event.is_last(), part.is_empty(), "{name}");
        }
    }

    #[test]
    fn what_is_no_event_is_refused() {
        let nobodys = message("JOB_SUCCEED", json!({}));
        let unnumbered = message("JOB_SUCCEED", json!({"JobId": "job-1"})).replace("\"Sequence\":7", "\"Sequence\":0");
        let without_time = message("JOB_SUCCEED", json!({"JobId": "job-1"})).replace("evt-0", "evt-U");
        for text in ["", "{}", &nobodys, &unnumbered, &without_time] {
            assert!(matches!(Event::read(text), Err(DemoError::NoEvent(_))), "{text}");
        }
    }
}
