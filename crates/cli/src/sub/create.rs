//! `herald sub create`.

use serde_json::{Value, json};

use super::manner::Manner;
use crate::context::Context;
use crate::failure::Failure;
use crate::named::Named;
use crate::params;

/// Subscribe a queue or an HTTP address to a topic, and print the subscription's id, and the secret that was made
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("endpoint_kind").required(true).args(["queue", "http"]))]
pub(crate) struct Create {
    #[command(flatten)]
    named: Named,
    /// Put messages into this queue
    #[arg(long, value_name = "QUEUE")]
    queue: Option<String>,
    /// Post messages to this address
    #[arg(long, value_name = "URL")]
    http: Option<String>,
    /// Only messages with this tag; may be given several times
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    #[command(flatten)]
    manner: Manner,
}

impl Create {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let reply = cx.client()?.tdmq("CreateCmqSubscribe", &self.params()).await?;
        cx.made(&reply, "SubscriptionId")?;
        match reply["SignatureSecret"].as_str().filter(|_| !cx.out.is_json()) {
            Some(secret) => cx.out.line(secret),
            None => Ok(()),
        }
    }

    fn params(&self) -> Value {
        let mut params = self.named.params();
        let (protocol, endpoint) = match (&self.queue, &self.http) {
            (Some(queue), _) => ("queue", queue),
            (None, Some(url)) => ("http", url),
            (None, None) => unreachable!("the command line has one of the two"),
        };
        params["Protocol"] = json!(protocol);
        params["Endpoint"] = json!(endpoint);
        params::add(&mut params, [("FilterTag", params::some(&self.tag))]);
        self.manner.add_to(&mut params);
        params
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args, FromArgMatches};

    use super::*;

    fn parse(line: &str) -> Result<Create, clap::Error> {
        let command = Create::augment_args(clap::Command::new("create").no_binary_name(true));
        Create::from_arg_matches(&command.try_get_matches_from(line.split(' '))?)
    }

    #[test]
    fn flags_become_the_apis_fields() {
        let queue = parse("jobs inbox --queue q --tag JOB --tag FAILED").unwrap();
        let wanted = json!({"TopicName": "jobs", "SubscriptionName": "inbox", "Protocol": "queue", "Endpoint": "q",
            "FilterTag": ["JOB", "FAILED"]});
        assert_eq!(queue.params(), wanted);
        let http = parse("t s --http http://a/b --bind #.x --strategy backoff_retry --format Simplified").unwrap();
        let wanted = json!({"TopicName": "t", "SubscriptionName": "s", "Protocol": "http", "Endpoint": "http://a/b",
            "BindingKey": ["#.x"], "NotifyStrategy": "BACKOFF_RETRY", "NotifyContentFormat": "SIMPLIFIED"});
        assert_eq!(http.params(), wanted);
    }

    #[test]
    fn an_endpoint_is_one_of_the_two() {
        assert!(parse("t s").is_err());
        assert!(parse("t s --queue q --http http://a").is_err());
        assert!(parse("t s --queue q --format XML").is_err());
    }
}
