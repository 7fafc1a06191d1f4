//! `herald sub rewind`.

use serde_json::{Value, json};

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;
use crate::named::Named;
use crate::reply::text;
use crate::when::{self, At};

/// Send a subscription the messages from a place or a time on once more, beside its live cursor
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["to", "stop"]))]
#[command(after_help = MORE)]
pub(crate) struct Rewind {
    #[command(flatten)]
    named: Named,
    /// From here on: a place in the topic (a number), or a time
    #[arg(long, value_name = "PLACE|TIME", value_parser = when::at)]
    to: Option<At>,
    /// Up to here and no further; else up to what the live cursor has done with
    #[arg(long, value_name = "PLACE|TIME", value_parser = when::at, requires = "to")]
    until: Option<At>,
    /// At most so many messages a second
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// Stop this replay instead, or all that go on
    #[arg(long, value_name = "REPLAY", num_args = 0..=1, default_missing_value = "0", conflicts_with = "until")]
    stop: Option<u32>,
}

const MORE: &str = "\
A time is 2018-06-15T14:43:17Z, the same without zone for that of this machine, or 90m for so long ago.
Messages keep their ids and numbers; posts of a rewind bear the header `x-herald-replay: 1`. `herald sub show` tells how
far it is. What the topic no longer keeps cannot be rewound to.";

impl Rewind {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let mut params = self.named.params();
        let client = cx.client()?;
        if let Some(no) = self.stop {
            if no > 0 {
                params["ReplayNo"] = json!(no);
            }
            let reply = client.call(Service::Herald, "StopReplay", &params).await?;
            return cx.done(&reply, format_args!("replays of {} are stopped", self.named.name));
        }
        params["Rate"] = json!(self.rate);
        put(&mut params, "To", self.to);
        put(&mut params, "Until", self.until);
        let reply = client.call(Service::Herald, "RewindSubscription", &params).await?;
        let (no, from, to) = (text(&reply, "ReplayNo"), text(&reply, "FromPlace"), text(&reply, "ToPlace"));
        cx.done(&reply, format_args!("replay {no} of {} goes from place {from} to {to}", self.named.name))
    }
}

fn put(params: &mut Value, field: &str, at: Option<At>) {
    match at {
        None => {}
        Some(At::Place(place)) => params[format!("{field}Place")] = json!(place),
        Some(At::Time(ms)) => params[format!("{field}Time")] = json!(ms),
    }
}
