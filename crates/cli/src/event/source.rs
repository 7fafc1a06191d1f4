//! Where received messages are taken from: a file, standard input, or a queue.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use wire::limits::V2_BATCH;
use wire::proof::Proof;
use wire::received::{self, Received};

use crate::client::Client;
use crate::failure::Failure;
use crate::file::text as file_text;
use crate::reply::text;

/// What was received.
#[derive(Default)]
pub(super) struct Heap {
    pub(super) proof: Proof,
    /// The events, repeats too.
    pub(super) events: u64,
    /// Messages that are no events.
    pub(super) others: u64,
    /// What begins like an event and is none: where it stands, and why.
    pub(super) broken: Vec<(String, String)>,
    /// The newest handle of each message that was taken from a queue, by the message's id.
    handles: BTreeMap<String, String>,
    topic: Option<String>,
}

impl Heap {
    /// Nothing yet; what does not say its topic is of this one.
    pub(super) fn of(topic: Option<&str>) -> Self {
        Self { topic: topic.map(str::to_owned), ..Self::default() }
    }

    /// Takes in a file, `-` is standard input: JSON documents or bodies, one a line.
    pub(super) fn read_file(&mut self, path: &Path) -> Result<(), Failure> {
        let text = file_text(path)?;
        for (line, received) in received::split(&text) {
            self.take(received, || format!("line {line}"));
        }
        Ok(())
    }

    /// Takes in all messages of a queue, up to `most`. They come again once their visibility timeout has passed, unless
    /// they are acknowledged.
    pub(super) async fn drain(&mut self, client: &Client, queue: &str, most: u64) -> Result<(), Failure> {
        let mut left = most;
        let mut seen_once = true;
        while left > 0 && seen_once {
            let messages = client.receive(queue, usize::try_from(left).unwrap_or(V2_BATCH), Duration::ZERO).await?;
            if messages.is_empty() {
                return Ok(());
            }
            for message in &messages {
                left -= 1;
                let id = text(message, "msgId");
                if self.handles.insert(id.clone(), text(message, "receiptHandle")).is_some() {
                    seen_once = false; // Its visibility timeout has passed: the queue has been seen once.
                    continue;
                }
                self.take(received::read(message), || format!("message {id}"));
            }
        }
        Ok(())
    }

    /// Acknowledges all that was taken from the queue: it is gone from it. Says whether all was, which is not so where
    /// a visibility timeout has passed meanwhile.
    pub(super) async fn acknowledge(&mut self, client: &Client, queue: &str) -> Result<bool, Failure> {
        let handles: Vec<String> = std::mem::take(&mut self.handles).into_values().collect();
        let mut all = true;
        for some in handles.chunks(V2_BATCH) {
            match client.acknowledge(queue, some).await {
                Err(error) if error.is_too_late() => all = false,
                done => done?,
            }
        }
        Ok(all)
    }

    fn take(&mut self, received: Received, place: impl FnOnce() -> String) {
        match received {
            Received::Other => self.others += 1,
            Received::Broken(why) => self.broken.push((place(), why)),
            Received::Events(events) => {
                for mut event in events {
                    event.topic = event.topic.or_else(|| self.topic.clone());
                    self.events += 1;
                    self.proof.add(event);
                }
            }
        }
    }
}
