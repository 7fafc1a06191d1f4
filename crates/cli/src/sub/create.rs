//! `herald sub create`.

use clap::ValueEnum;
use serde_json::{Value, json};

use super::manner::Manner;
use crate::context::Context;
use crate::failure::Failure;

/// Subscribe a queue or an HTTP address to a topic, and print the subscription's id, and the secret that was made
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("endpoint_kind").required(true).args(["queue", "http"]))]
pub(crate) struct Create {
    /// The topic's name
    topic: String,
    /// The subscription's name
    name: String,
    /// Put messages into this queue
    #[arg(long, value_name = "QUEUE")]
    queue: Option<String>,
    /// Post messages to this address
    #[arg(long, value_name = "URL")]
    http: Option<String>,
    /// Only messages with this tag; may be given several times
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Only messages whose routing key fits this pattern; may be given several times
    #[arg(long, value_name = "KEY")]
    bind: Vec<String>,
    /// How a post that failed is repeated: 3 times in order, or after 1, 2, 4 ... s for a day, which is the default
    #[arg(long, value_enum, ignore_case = true)]
    strategy: Option<Strategy>,
    /// What a post holds: an envelope with the message in it, just the message, or a CloudEvent
    #[arg(long, value_enum, ignore_case = true)]
    format: Option<Format>,
    #[command(flatten)]
    manner: Manner,
}

/// The API's words for how posts are repeated.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Strategy {
    // Three times, 10 to 20 s apart, in order.
    #[value(name = "BACKOFF_RETRY")]
    Backoff,
    // After 1, 2, 4 ... 512 s, then each 512 s, for a day.
    #[value(name = "EXPONENTIAL_DECAY_RETRY")]
    ExponentialDecay,
}

/// The API's words for what a post holds.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Format {
    #[value(name = "JSON")]
    Json,
    #[value(name = "SIMPLIFIED")]
    Simplified,
    #[value(name = "CLOUDEVENTS")]
    CloudEvents,
}

/// The API's word for a choice.
pub(super) fn word(choice: Option<impl ValueEnum>) -> Option<String> {
    choice.and_then(|choice| choice.to_possible_value()).map(|word| word.get_name().to_owned())
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
        let mut params = json!({"TopicName": self.topic, "SubscriptionName": self.name});
        let (protocol, endpoint) = match (&self.queue, &self.http) {
            (Some(queue), _) => ("queue", queue),
            (None, Some(url)) => ("http", url),
            (None, None) => unreachable!("the command line has one of the two"),
        };
        params["Protocol"] = json!(protocol);
        params["Endpoint"] = json!(endpoint);
        for (field, values) in [("FilterTag", &self.tag), ("BindingKey", &self.bind)] {
            if !values.is_empty() {
                params[field] = json!(values);
            }
        }
        for (field, word) in [("NotifyStrategy", word(self.strategy)), ("NotifyContentFormat", word(self.format))] {
            if let Some(word) = word {
                params[field] = json!(word);
            }
        }
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
