//! Events as receivers get them, and what their numbers prove.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::official::Official;
use super::receiver::Callback;
use super::wait;

/// The one event in a message's text.
pub(crate) fn event(text: &str) -> Value {
    let message: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text:?}"));
    let events = message["Events"].as_array().unwrap_or_else(|| panic!("no Events in {text}"));
    assert_eq!(events.len(), 1, "one event a message: {text}");
    events[0].clone()
}

/// The event in a callback of a SIMPLIFIED subscription: its whole body.
pub(crate) fn simplified(callback: &Callback) -> Value {
    event(&callback.body)
}

/// What `Batch` says of an event under `key`, as text.
pub(crate) fn batch_text<'a>(event: &'a Value, key: &str) -> &'a str {
    event["Batch"][key].as_str().unwrap_or_default()
}

/// Events by `Sequence`. A repeat must be the same event, bit for bit.
#[derive(Debug, Default)]
pub(crate) struct Log {
    events: BTreeMap<u64, Value>,
}

impl Log {
    /// The events of `subject` (a job's or environment's id) among `events`.
    pub(crate) fn of(subject: &str, events: impl IntoIterator<Item = Value>) -> Self {
        let mut log = Self::default();
        for event in events {
            log.add(subject, event);
        }
        log
    }

    /// Adds `event` if it is one of `subject`'s. Events about an environment's nodes are the environment's.
    pub(crate) fn add(&mut self, subject: &str, event: Value) {
        if batch_text(&event, "JobId") != subject && batch_text(&event, "EnvId") != subject {
            return;
        }
        let number = event["Sequence"].as_u64().unwrap_or_else(|| panic!("no Sequence in {event}"));
        let before = self.events.insert(number, event.clone());
        assert!(before.is_none_or(|before| before == event), "another event with Sequence {number}: {event}");
    }

    /// The events, by number.
    pub(crate) fn events(&self) -> impl Iterator<Item = &Value> {
        self.events.values()
    }

    /// Their names, by number.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.events().map(|event| event["EventName"].as_str().unwrap_or_default()).collect()
    }

    /// The events of this name, by number.
    pub(crate) fn named(&self, name: &str) -> Vec<&Value> {
        self.events().filter(|event| event["EventName"] == name).collect()
    }

    /// How many events have this name.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.named(name).len()
    }

    /// The indexes of the instances that have an event of this name.
    pub(crate) fn indexes(&self, name: &str) -> Vec<u64> {
        let named = self.named(name);
        let mut indexes: Vec<u64> =
            named.iter().filter_map(|event| event["Batch"]["TaskInstanceIndex"].as_u64()).collect();
        indexes.sort_unstable();
        indexes
    }

    /// Asserts that the numbers are 1, 2, 3 ... `total`: nothing is missing, nothing is too much.
    pub(crate) fn assert_whole(&self, total: usize) {
        let numbers: Vec<u64> = self.events.keys().copied().collect();
        let wanted: Vec<u64> = (1..=total as u64).collect();
        assert_eq!(numbers, wanted, "Sequence has a gap, or the number of events is wrong: {:?}", self.names());
    }
}

/// Takes messages from `queue` through the CMQ client, deleting each batch, until `enough` of the events' texts have
/// come, and returns those texts.
pub(crate) fn drain(official: &mut Official, queue: &str, mut enough: impl FnMut(&[String]) -> bool) -> Vec<String> {
    let mut texts = Vec::new();
    wait::until("messages in the queue", || {
        if enough(&texts) {
            return Some(());
        }
        // Long polling waits at the server, which answers as soon as there is a message.
        match official.cmq("batch_receive", json!({"queue": queue, "number": 16, "wait": 5})) {
            Ok(messages) => {
                let messages = messages.as_array().expect("a list of messages").clone();
                let handles: Vec<&Value> = messages.iter().map(|message| &message["receiptHandle"]).collect();
                official.cmq("batch_delete", json!({"queue": queue, "handles": handles})).expect("fresh handles");
                texts.extend(messages.iter().map(|message| message["msgBody"].as_str().expect("a text").to_owned()));
            }
            Err(refusal) => assert_eq!(refusal.code, "7000", "{refusal}"),
        }
        enough(&texts).then_some(())
    });
    texts
}
