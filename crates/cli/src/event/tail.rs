//! `herald event tail`.

use std::process::Stdio;

use eventsource_stream::Eventsource;
use futures_util::stream::unfold;
use futures_util::{Stream, StreamExt};
use jiff::tz::TimeZone;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::sleep;

use crate::client::Client;
use crate::context::Context;
use crate::failure::Failure;
use crate::follow::{SELDOM, be_patient};
use crate::reply::{text, time};
use crate::table::plain;

/// Follow the events of a job, an environment or a topic as they are committed
#[derive(clap::Args)]
#[command(after_help = MORE, group = clap::ArgGroup::new("whose").required(true).multiple(true).args(["job", "env", "topic"]))]
pub(crate) struct Tail {
    /// Those of this job
    #[arg(long, value_name = "ID", conflicts_with = "env")]
    job: Option<String>,
    /// Those of this environment
    #[arg(long, value_name = "ID")]
    env: Option<String>,
    /// Only those sent to this topic; alone: all its messages
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
    /// Begin with the event of the job or environment that has this Sequence, not with the next that comes
    #[arg(long, value_name = "SEQ")]
    since: Option<u64>,
    /// Begin with the first that the topics keep
    #[arg(long, conflicts_with = "since")]
    all: bool,
    /// End after so many events
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Run this command for each event, one after another: the event is its standard input, HERALD_EVENT_NAME,
    /// HERALD_EVENT_ID, HERALD_SEQUENCE and HERALD_TOPIC are set; if it fails, following ends there
    #[arg(long, value_name = "CMD")]
    exec: Option<String>,
}

const MORE: &str = "\
With --json each event is a line. A server that is away is waited for, up to 60 s, and nothing is missed meanwhile; \
what a topic no longer keeps is an error.

For instance: herald event tail --job job-ab12cd34 --since 1 --exec './notify \"$HERALD_EVENT_NAME\"'";

impl Tail {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let query = self.query();
        let (mut last_id, mut away) = (None, None);
        let mut left = self.count.unwrap_or(u64::MAX);
        while left > 0 {
            let opened = open(cx, &query, last_id.as_deref()).await;
            let stream = match opened {
                Ok(stream) => stream,
                Err(Failure::Client(error)) if error.is_unreachable() && last_id.is_some() => {
                    be_patient(cx, &mut away, error)?;
                    sleep(SELDOM).await;
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            away = None;
            let mut events = Box::pin(stream.eventsource());
            // A stream that breaks is begun anew behind the last event that was dealt with.
            while let Some(Ok(event)) = events.next().await {
                let document: Value = serde_json::from_str(&event.data).unwrap_or_default();
                if event.event == "error" {
                    return Err(Failure::Stream(text(&document, "Message")));
                }
                self.deal_with(cx, &document).await?;
                last_id = Some(event.id);
                left -= 1;
                if left == 0 {
                    break;
                }
            }
            // The stream's first words are where it begins.
            let begins_at = events.last_event_id().to_owned();
            last_id = last_id.or_else(|| Some(begins_at).filter(|id| !id.is_empty()));
            if left > 0 {
                // A server that stops ends each stream as soon as it begins.
                sleep(SELDOM).await;
            }
        }
        Ok(())
    }

    fn query(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("job", &self.job), ("env", &self.env), ("topic", &self.topic)] {
            value.as_ref().map(|value| query.append_pair(name, value));
        }
        self.since.map(|since| query.append_pair("since", &since.to_string()));
        if self.all {
            query.append_pair("from", "first");
        }
        query.finish()
    }

    async fn deal_with(&self, cx: &mut Context, event: &Value) -> Result<(), Failure> {
        if let Some(command) = &self.exec {
            return exec(command, event).await;
        }
        if cx.out.is_json() { cx.out.line(event) } else { cx.out.line(plain(&line(event, &cx.zone))) }?;
        cx.out.flush()
    }
}

/// Opens the stream, behind the event with this id.
async fn open(
    cx: &Context,
    query: &str,
    last_id: Option<&str>,
) -> Result<impl Stream<Item = reqwest::Result<bytes::Bytes>> + use<>, Failure> {
    let client: Client = cx.client()?;
    let response = client.events(query, last_id).await?;
    if !response.status().is_success() {
        let told = response.text().await.unwrap_or_default();
        let told: Value = serde_json::from_str(&told).unwrap_or(Value::String(told));
        let why = told["Message"].as_str().or(told.as_str()).unwrap_or("the server refused").to_owned();
        return Err(Failure::Stream(why));
    }
    Ok(unfold(response, |mut response| async {
        let chunk = response.chunk().await.transpose()?;
        Some((chunk, response))
    }))
}

/// An event on a line.
fn line(event: &Value, zone: &TimeZone) -> String {
    let said = &event["Event"]["Batch"];
    let at = time(event, "PublishTime", zone);
    let Some(name) = event["EventName"].as_str() else {
        return format!("{at}  MESSAGE {}  {}", text(event, "Place"), text(event, "MsgBody"));
    };
    let mut words = vec![at, format!("{name:<28}")];
    for field in ["JobId", "EnvId", "TaskName", "ComputeNodeId"] {
        words.push(text(said, field));
    }
    if let Some(index) = said["TaskInstanceIndex"].as_u64() {
        words.push(format!("[{index}]"));
    }
    words.push(text(said, "StateReason"));
    words.retain(|word| !word.is_empty());
    format!("{}  #{}", words.join("  "), text(event, "Sequence"))
}

/// Runs a command for an event.
async fn exec(command: &str, event: &Value) -> Result<(), Failure> {
    let failed = |why: String| Failure::Exec {
        command: command.to_owned(),
        event: if event["EventId"].is_null() { text(event, "MsgId") } else { text(event, "EventId") },
        why,
        sequence: event["Sequence"].as_u64(),
    };
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", command]).stdin(Stdio::piped());
    for (variable, field) in [
        ("HERALD_EVENT_NAME", "EventName"),
        ("HERALD_EVENT_ID", "EventId"),
        ("HERALD_SEQUENCE", "Sequence"),
        ("HERALD_TOPIC", "TopicName"),
    ] {
        shell.env(variable, text(event, field));
    }
    let mut child = shell.spawn().map_err(|error| failed(error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A command that does not read is none that failed.
        let _ = stdin.write_all(format!("{event}\n").as_bytes()).await;
    }
    let status = child.wait().await.map_err(|error| failed(error.to_string()))?;
    if status.success() { Ok(()) } else { Err(failed(status.to_string())) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_a_line() {
        let event = json!({"EventName": "TASK_INSTANCE_FAILED", "Sequence": 7, "PublishTime": 1_520_509_720_000_u64,
            "Event": {"Batch": {"JobId": "job-1", "TaskName": "t", "TaskInstanceIndex": 3, "StateReason": "ExitCode: 1"}}});
        let wanted = "2018-03-08 11:48:40  TASK_INSTANCE_FAILED          job-1  t  [3]  ExitCode: 1  #7";
        assert_eq!(line(&event, &TimeZone::UTC), wanted);
        let obeyed = json!({"EventName": null, "Place": 5, "MsgBody": "a\u{1b}[31m\nb"});
        assert_eq!(plain(&line(&obeyed, &TimeZone::UTC)), "  MESSAGE 5  a\\u{1b}[31m\\nb");
        let message = json!({"EventName": null, "Place": 4, "MsgBody": "hi", "PublishTime": 1_520_509_720_000_u64});
        assert_eq!(line(&message, &TimeZone::UTC), "2018-03-08 11:48:40  MESSAGE 4  hi");
    }

    #[tokio::test]
    async fn a_command_that_fails_tells_how_to_go_on() {
        let event = json!({"EventId": "evt-1", "EventName": "JOB_FAILED", "Sequence": 7});
        exec("read event; test \"$HERALD_EVENT_NAME\" = JOB_FAILED && test \"$HERALD_SEQUENCE\" = 7", &event)
            .await
            .unwrap();
        let failure = exec("exit 3", &event).await.unwrap_err();
        assert!(failure.to_string().starts_with("`exit 3` failed for event evt-1: exit status: 3"), "{failure}");
        assert_eq!(failure.hint().unwrap(), "the same with `--since 7` goes on with this event");
    }
}
