//! `herald job init`.

use serde_json::{Value, json};

use crate::client::Client;
use crate::context::Context;
use crate::failure::Failure;
use crate::file::FileError;
use crate::reply::{items, text};

/// What the example names when there is no environment to name.
const NO_ENV: &str = "env-00000000";
/// The topic that the example names. What it asks of that topic is commented out.
const NO_TOPIC: &str = "job-message";
const EXAMPLE: &str = include_str!("example.jsonc");
/// What the lines begin with that ask for events, while nobody is there to be told.
const COMMENTED_OUT: &str = "    // ";

/// Print an example of a job, with comments, for `herald job submit`
#[derive(clap::Args)]
#[command(after_help = MORE)]
pub(crate) struct Init {
    /// The environment that its tasks run on; else the newest that the server has
    #[arg(long, value_name = "ID")]
    env: Option<String>,
    /// The topic that its events go to; else the newest that the server has
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
}

const MORE: &str = "\
For instance: herald job init > job.jsonc";

impl Init {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        // The example is worth printing without a server too, so that every failure here is only a missing answer.
        let client = cx.client().ok();
        let env = match self.env {
            Some(env) => Some(env),
            None => newest_env(client.as_ref()).await,
        };
        let topic = match self.topic {
            Some(topic) => Some(topic),
            None => newest_topic(client.as_ref()).await,
        };
        if env.is_none() {
            cx.out.say(format_args!("no environment found: put one's id in the place of {NO_ENV}"));
        }
        let example = example(env.as_deref(), topic.as_deref());
        if cx.out.is_json() {
            let read = wire::file::read(&example);
            return cx.out.json(&read.map_err(|source| FileError::Understand { path: "the example".into(), source })?);
        }
        cx.out.bytes(example.as_bytes())
    }
}

fn example(env: Option<&str>, topic: Option<&str>) -> String {
    let example = EXAMPLE.replace(NO_ENV, env.unwrap_or(NO_ENV));
    let Some(topic) = topic else { return example };
    let mut lines = String::with_capacity(example.len());
    for line in example.lines() {
        match line.strip_prefix(COMMENTED_OUT).filter(|rest| rest.starts_with(['"', ' ', ']'])) {
            Some(asked) => lines.push_str(&format!("    {}", asked.replace(NO_TOPIC, topic))),
            None => lines.push_str(line),
        }
        lines.push('\n');
    }
    lines
}

async fn newest_env(client: Option<&Client>) -> Option<String> {
    let reply = client?.batch("DescribeComputeEnvs", &json!({"Limit": 1})).await.ok()?;
    first(&reply, "ComputeEnvSet", "EnvId")
}

async fn newest_topic(client: Option<&Client>) -> Option<String> {
    let reply = client?.tdmq("DescribeCmqTopics", &json!({"Limit": 1})).await.ok()?;
    first(&reply, "TopicList", "TopicName")
}

fn first(reply: &Value, set: &str, field: &str) -> Option<String> {
    items(reply, set).first().map(|item| text(item, field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_request_of_submit_job() {
        let request = wire::file::read(&example(Some("env-0000abcd"), None)).unwrap();
        let tasks = items(&request["Job"], "Tasks");
        assert!(tasks.len() > 1 && tasks.iter().all(|task| task["EnvId"] == "env-0000abcd"), "{request}");
        assert!(!items(&request["Job"], "Dependences").is_empty(), "{request}");
        assert!(request["Job"]["Notifications"].is_null(), "{request}");
    }

    #[test]
    fn the_example_asks_for_events_where_there_is_a_topic() {
        let mut plain = wire::file::read(&example(None, None)).unwrap();
        let asking = wire::file::read(&example(None, Some("news"))).unwrap();
        let wanted = json!([{"TopicName": "news", "EventConfigs": [
            {"EventName": "JOB_SUCCEED", "EventVars": [{"Name": "team", "Value": "figures"}]},
            {"EventName": "JOB_FAILED"},
        ]}]);
        assert_eq!(asking["Job"]["Notifications"], wanted);
        plain["Job"]["Notifications"] = wanted;
        assert_eq!(asking, plain, "nothing else differs");
    }
}
