//! `herald delivery redeliver`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::client::{Client, Service};
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::follow;
use crate::reply::{items, number, text};
use crate::when;

/// Messages that one request names.
const AT_ONCE: usize = 100;

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
Messages keep their ids and numbers; their posts bear the header `x-herald-replay: 1`. `herald sub show` tells how far a
redelivery is, `herald sub rewind TOPIC NAME --stop` stops it.";

impl Redeliver {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let client = cx.client()?;
        let replies = match (&self.job, &self.env) {
            (None, None) => vec![self.one(&client).await?],
            (Some(id), _) => self.all_of(cx, &client, "JobId", id).await?,
            (None, Some(id)) => self.all_of(cx, &client, "EnvId", id).await?,
        };
        let count: u64 = replies.iter().map(|reply| number(reply, "Count")).sum();
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
        for (field, value) in [("TopicName", &self.topic), ("SubscriptionName", &self.name)] {
            if let Some(value) = value {
                params[field] = json!(value);
            }
        }
        let list = follow(cx, "DescribeDeliveries", params, "DeliverySet", "given-up deliveries", usize::MAX).await?;
        let mut ids: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for delivery in items(&list, "DeliverySet") {
            let key = (text(delivery, "TopicName"), text(delivery, "SubscriptionName"));
            ids.entry(key).or_default().push(text(delivery, "MsgId"));
        }
        let mut replies = Vec::new();
        for ((topic, name), ids) in ids {
            for some in ids.chunks(AT_ONCE) {
                let mut params = self.params(Some(&topic), Some(&name));
                params["MsgIds"] = json!(some);
                replies.push(client.call(Service::Herald, "RedeliverMessages", &params).await?);
            }
        }
        Ok(replies)
    }

    fn params(&self, topic: Option<&str>, name: Option<&str>) -> Value {
        json!({"TopicName": topic, "SubscriptionName": name, "DryRun": self.dry_run, "Rate": self.rate})
    }
}
