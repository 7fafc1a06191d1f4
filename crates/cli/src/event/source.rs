//! Where received messages are taken from: a file, standard input, or a queue.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use wire::proof::Proof;
use wire::received::{self, Received};

use crate::client::Client;
use crate::failure::Failure;
use crate::file::text as file_text;
use crate::reply::{items, text};

/// CMQ v2's code for an empty queue.
const NO_MESSAGE: &str = "7000";
/// Messages that one request takes.
const BATCH: &str = "16";

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

    /// Takes in all messages of a queue, up to `most`. Acknowledged, they are gone from it; else they come again once
    /// their visibility timeout has passed.
    pub(super) async fn drain(&mut self, client: &Client, queue: &str, most: u64, ack: bool) -> Result<(), Failure> {
        let (mut seen, mut taken) = (BTreeSet::new(), 0);
        while taken < most {
            let params = [("queueName", queue), ("numOfMsg", BATCH), ("pollingWaitSeconds", "0")];
            let reply = match client.v2("BatchReceiveMessage", &params, Duration::ZERO).await {
                Ok(reply) => reply,
                Err(error) if error.is_refusal(NO_MESSAGE) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            let mut handles = Vec::new();
            for message in items(&reply, "msgInfoList") {
                taken += 1;
                handles.push(text(message, "receiptHandle"));
                if !seen.insert(text(message, "msgId")) {
                    return Ok(()); // Its visibility timeout has passed: the queue has been seen once.
                }
                self.take(received::read(message), || format!("message {}", text(message, "msgId")));
            }
            if ack {
                acknowledge(client, queue, &handles).await?;
            }
        }
        Ok(())
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

async fn acknowledge(client: &Client, queue: &str, handles: &[String]) -> Result<(), Failure> {
    let names: Vec<String> = (0..handles.len()).map(|at| format!("receiptHandle.{at}")).collect();
    let mut params = vec![("queueName", queue)];
    params.extend(names.iter().map(String::as_str).zip(handles.iter().map(String::as_str)));
    let _: Value = client.v2("BatchDeleteMessage", &params, Duration::ZERO).await?;
    Ok(())
}
