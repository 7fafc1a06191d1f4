//! `herald job init`.

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::reply::{items, text};

/// What the example names when there is no environment to name.
const NO_ENV: &str = "env-00000000";
const EXAMPLE: &str = include_str!("example.jsonc");

/// Print an example of a job, with comments, for `herald job submit`
#[derive(clap::Args)]
#[command(after_help = MORE)]
pub(crate) struct Init {
    /// The environment that its tasks run on; else the newest that the server has
    #[arg(long, value_name = "ID")]
    env: Option<String>,
}

const MORE: &str = "\
For instance: herald job init > job.jsonc";

impl Init {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let env = match self.env {
            Some(env) => Some(env),
            None => newest(cx).await,
        };
        if env.is_none() {
            cx.out.say(format_args!("no environment found: put one's id in the place of {NO_ENV}"));
        }
        cx.out.bytes(example(env.as_deref()).as_bytes())
    }
}

fn example(env: Option<&str>) -> String {
    EXAMPLE.replace(NO_ENV, env.unwrap_or(NO_ENV))
}

/// The example is worth printing without a server too, so that every failure here is only a missing answer.
async fn newest(cx: &Context) -> Option<String> {
    let reply = cx.client().ok()?.batch("DescribeComputeEnvs", &json!({"Limit": 1})).await.ok()?;
    items(&reply, "ComputeEnvSet").first().map(|env| text(env, "EnvId"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_request_of_submit_job() {
        let request = wire::file::read(&example(Some("env-0000abcd"))).unwrap();
        let tasks = items(&request["Job"], "Tasks");
        assert!(tasks.len() > 1 && tasks.iter().all(|task| task["EnvId"] == "env-0000abcd"), "{request}");
        assert!(!items(&request["Job"], "Dependences").is_empty(), "{request}");
    }
}
