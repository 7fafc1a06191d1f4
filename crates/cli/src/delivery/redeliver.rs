//! `herald delivery redeliver`.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::limits::REDELIVER_MESSAGES;
use serde_json::{Value, json};

use crate::client::{Client, Service};
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::follow;
use crate::named::named;
use crate::params;
use crate::reply::{items, number, text};
use crate::when;

/// The first pause between two looks at a replay, and the longest.
const SOON: Duration = Duration::from_millis(20);
const SELDOM: Duration = Duration::from_secs(1);

/// Send messages once more: one, all that were given up since a time, or the given-up ones of a job
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["message", "failed_since", "job", "env"]))]
#[command(after_help = MORE)]
pub(crate) struct Redeliver {
    /// The topic's name
    #[arg(required_unless_present_any = ["job", "env"])]
    topic: Option<String>,
    /// The subscription's name
    #[arg(required_unless_present_any = ["job", "env"])]
    name: Option<String>,
    /// This message; may be given several times
    #[arg(long, value_name = "ID")]
    message: Vec<String>,
    /// All deliveries that were given up at this time or later
    #[arg(long, value_name = "TIME", value_parser = when::time)]
    failed_since: Option<i64>,
    /// All given-up deliveries of this job's events
    #[arg(long, value_name = "ID")]
    job: Option<String>,
    /// All given-up deliveries of this environment's events
    #[arg(long, value_name = "ID")]
    env: Option<String>,
    /// Only tell how many there are
    #[arg(long)]
    dry_run: bool,
    /// At most so many messages a second
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
}

const MORE: &str = "\
A time is 2018-06-15T14:43:17Z, the same without zone for that of this machine, or 90m for so long ago.
Messages keep their ids and numbers; their posts bear the header `x-herald-replay: 1`. `herald sub show` tells how \
far a redelivery is, `herald sub rewind TOPIC NAME --stop` stops it.
With --job or --env each hundred messages of a subscription wait for the end of those before, so that --rate is that of \
all.";

impl Redeliver {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let client = cx.client()?;
        let replies = match (&self.job, &self.env) {
            (None, None) => vec![self.one(&client).await?],
            (Some(id), _) => self.all_of(cx, &client, "JobId", id).await?,
            (None, Some(id)) => self.all_of(cx, &client, "EnvId", id).await?,
        };
        let count = counted(&replies);
        let reply = json!({"Count": count, "Replays": replies});
        let will = if self.dry_run { "would be" } else { "are being" };
        cx.done(&reply, format_args!("{count} deliveries {will} made once more"))
    }

    async fn one(&self, client: &Client) -> Result<Value, Failure> {
        let mut params = self.params(self.topic.as_deref(), self.name.as_deref());
        match self.failed_since {
            Some(since) => params["FailedSince"] = json!(since),
            None => params["MsgIds"] = json!(self.message),
        }
        Ok(client.call(Service::Herald, "RedeliverMessages", &params).await?)
    }

    /// What was given up of one job's or environment's, a request for each subscription and hundred messages.
    async fn all_of(&self, cx: &Context, client: &Client, field: &str, id: &str) -> Result<Vec<Value>, Failure> {
        let mut params = json!({"States": ["DEAD"]});
        params[field] = json!(id);
        let given = |value: &Option<String>| value.clone().map(Value::from);
        params::add(&mut params, [("TopicName", given(&self.topic)), ("SubscriptionName", given(&self.name))]);
        let list = follow(cx, "DescribeDeliveries", params, "DeliverySet", "given-up deliveries", usize::MAX).await?;
        let mut ids: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for delivery in items(&list, "DeliverySet") {
            let key = (text(delivery, "TopicName"), text(delivery, "SubscriptionName"));
            ids.entry(key).or_default().push(text(delivery, "MsgId"));
        }
        let mut replies = Vec::new();
        for ((topic, name), ids) in ids {
            let send = async |some: &[String]| {
                let mut params = self.params(Some(&topic), Some(&name));
                params["MsgIds"] = json!(some);
                Ok(client.call(Service::Herald, "RedeliverMessages", &params).await?)
            };
            let ended = async |no: u64| until_ended(client, &topic, &name, no).await;
            if let Err(failure) = in_turn(&ids, &mut replies, send, ended).await {
                let begun = counted(&replies);
                cx.out.say(format_args!("{begun} deliveries were made once more, or still are, before this failed"));
                return Err(failure);
            }
        }
        Ok(replies)
    }

    fn params(&self, topic: Option<&str>, name: Option<&str>) -> Value {
        json!({"TopicName": topic, "SubscriptionName": name, "DryRun": self.dry_run, "Rate": self.rate})
    }
}

/// How many deliveries these replies are about.
fn counted(replies: &[Value]) -> u64 {
    replies.iter().map(|reply| number(reply, "Count")).sum()
}

/// Sends the messages of one subscription, so many with each request. Each is a replay with a rate of its own, so it
/// begins when the one before has ended.
async fn in_turn(
    ids: &[String],
    replies: &mut Vec<Value>,
    send: impl AsyncFn(&[String]) -> Result<Value, Failure>,
    ended: impl AsyncFn(u64) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut before = None;
    for some in ids.chunks(REDELIVER_MESSAGES) {
        if let Some(no) = before {
            ended(no).await?;
        }
        let reply = send(some).await?;
        // A dry run, or one that finds nothing to do, begins no replay.
        before = reply["ReplayNo"].as_u64();
        replies.push(reply);
    }
    Ok(())
}

/// Waits until a replay has come to its end.
async fn until_ended(client: &Client, topic: &str, name: &str, no: u64) -> Result<(), Failure> {
    let params = named(topic, name);
    let mut pause = SOON;
    loop {
        let progress = client.call(Service::Herald, "DescribeSubscriptionProgress", &params).await?;
        let found = items(&progress, "ReplaySet").iter().find(|replay| replay["ReplayNo"] == no);
        // One that is not remembered any more has ended as well.
        let Some(replay) = found else { return Ok(()) };
        match text(replay, "State").as_str() {
            "RUNNING" => tokio::time::sleep(pause).await,
            "DONE" => return Ok(()),
            state => {
                let reason = text(replay, "Reason");
                let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
                return Err(Failure::Replay(format!("replay {no} of {topic}/{name} ended {state}{why}")));
            }
        }
        pause = (pause * 3 / 2).min(SELDOM);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn ids(count: usize) -> Vec<String> {
        (0..count).map(|number| number.to_string()).collect()
    }

    /// What is done, in order, when this many messages are sent and the replay `bad` does not end well.
    async fn deeds(count: usize, bad: u64) -> (Vec<String>, u64, bool) {
        let (deeds, replies) = (RefCell::new(Vec::new()), &mut Vec::new());
        let send = async |some: &[String]| {
            deeds.borrow_mut().push(format!("send {} to {}", some[0], some[some.len() - 1]));
            let no = deeds.borrow().iter().filter(|deed| deed.starts_with("send")).count();
            Ok(json!({"Count": some.len(), "ReplayNo": no}))
        };
        let ended = async |no| {
            deeds.borrow_mut().push(format!("wait for {no}"));
            if no == bad { Err(Failure::Replay("stopped".to_owned())) } else { Ok(()) }
        };
        let failed = in_turn(&ids(count), replies, send, ended).await.is_err();
        (deeds.take(), counted(replies), failed)
    }

    #[tokio::test]
    async fn a_hundred_waits_for_the_hundred_before() {
        let all = ["send 0 to 99", "wait for 1", "send 100 to 199", "wait for 2", "send 200 to 249"];
        assert_eq!(deeds(250, 0).await, (all.map(str::to_owned).to_vec(), 250, false));
        assert_eq!(deeds(250, 2).await, (all[..4].iter().map(|deed| (*deed).to_owned()).collect(), 200, true));
        assert_eq!(deeds(100, 0).await, (vec!["send 0 to 99".to_owned()], 100, false));
        assert_eq!(deeds(0, 0).await, (vec![], 0, false));
    }

    #[tokio::test]
    async fn what_begins_no_replay_is_not_waited_for() {
        let mut replies = Vec::new();
        let send = async |some: &[String]| Ok(json!({"Count": some.len(), "ReplayNo": null}));
        let ended = async |_| panic!("there is no replay");
        in_turn(&ids(300), &mut replies, send, ended).await.unwrap();
        assert_eq!(counted(&replies), 300);
    }
}
