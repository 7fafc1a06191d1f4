//! Sending messages once more: rewinds of a subscription, and redeliveries. Both are replays (`kernel::replay`).

pub(super) mod redeliver_messages;
pub(super) mod rewind_subscription;
pub(super) mod stop_replay;

use std::sync::Arc;

use kernel::command::{Command, NewReplay, Reply};
use kernel::limits::{REPLAY_RATE_DEFAULT_PER_S, REPLAY_RATE_PER_S};
use kernel::replay::{Replay, ReplayStage, Which};
use kernel::subscription::Subscription;
use kernel::topic::Topic;
use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::fields::Reader;

use super::fields::{integer, subscription, topic};
use crate::App;
use crate::api::api3::{self, unexpected};
use crate::api::tdmq::of_refusal;
use crate::ledger::Lane;

/// What a replay is asked of.
struct Target {
    topic: String,
    name: String,
    rate_per_s: u32,
}

fn target(reader: &Reader<'_>) -> Result<Target, ApiError> {
    let rate = integer(reader, "Rate", 1..=u64::from(REPLAY_RATE_PER_S))?;
    let rate_per_s = rate.and_then(|rate| u32::try_from(rate).ok()).unwrap_or(REPLAY_RATE_DEFAULT_PER_S);
    let (topic, name) = (reader.required_string("TopicName")?, reader.required_string("SubscriptionName")?);
    Ok(Target { topic, name, rate_per_s })
}

impl Target {
    fn find(&self, app: &App) -> Result<(Arc<Topic>, Arc<Subscription>), ApiError> {
        let state = app.state();
        let topic = topic(&state, &self.topic)?;
        let subscription = subscription(&state, &topic, &self.name)?;
        Ok((topic, subscription))
    }

    /// Begins a replay; gives its number.
    async fn start(self, app: &App, which: Which, from: u64, to: u64) -> Result<u32, ApiError> {
        let Self { topic, name, rate_per_s } = self;
        let new = NewReplay { topic, name, which, from, to, rate_per_s };
        match api3::submit(app, Lane::Api, Command::StartReplay(Box::new(new)), of_refusal).await? {
            Reply::Replay(no) => Ok(no),
            other => Err(unexpected(&other)),
        }
    }
}

/// A replay as replies show it. Times are in milliseconds.
pub(super) fn view(replay: &Replay) -> Value {
    let (which, since) = match &replay.which {
        Which::All => ("REWIND", None),
        Which::Dead { since } => ("REDELIVER_FAILED", Some(since.0)),
        Which::These { .. } => ("REDELIVER", None),
    };
    let reason = match &replay.stage {
        ReplayStage::Failed { reason } => Some(reason),
        _ => None,
    };
    json!({
        "ReplayNo": replay.no,
        "Kind": which,
        "Since": since,
        "FromPlace": replay.from,
        "ToPlace": replay.to,
        "NextPlace": replay.next,
        "Rate": replay.rate_per_s,
        "State": replay.stage.as_str(),
        "Reason": reason,
        "Delivered": replay.delivered,
        "Failed": replay.failed,
        "CreateTime": replay.created.0,
        "EndTime": replay.ended.map(|ended| ended.0),
    })
}
