//! `herald job logs`.

use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::reply::{decoded, items, number, text};

/// The most instances that one call of DescribeTaskLogs tells of.
const PAGE: u64 = 10;

/// Print the last 2,048 bytes that instances of a task wrote
#[derive(clap::Args)]
#[command(after_help = MORE)]
pub(crate) struct Logs {
    /// The job's id
    id: String,
    /// The task's name
    task: String,
    /// The instance's index, from 0
    index: Option<u64>,
    /// What was written to standard error, not to standard output
    #[arg(long)]
    stderr: bool,
}

const MORE: &str = "\
Without INDEX the output of each instance follows on a line with its index, unless there is only one.";

impl Logs {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        match self.index {
            Some(index) => self.one(cx, index).await,
            None => self.all(cx).await,
        }
    }

    async fn one(&self, cx: &mut Context, index: u64) -> Result<(), Failure> {
        let params = json!({"JobId": self.id, "TaskName": self.task, "TaskInstanceIndexes": [index]});
        let reply = cx.client()?.batch("DescribeTaskLogs", &params).await?;
        if cx.out.is_json() {
            return cx.out.json(&reply);
        }
        match items(&reply, "TaskInstanceLogSet").first() {
            Some(log) => cx.out.bytes(&self.stream(log)),
            None => {
                cx.out.say("no output yet");
                Ok(())
            }
        }
    }

    async fn all(&self, cx: &mut Context) -> Result<(), Failure> {
        let client = cx.client()?;
        let mut logs = Vec::new();
        let mut offset = 0;
        loop {
            let params = json!({"JobId": self.id, "TaskName": self.task, "Offset": offset, "Limit": PAGE});
            let mut reply = client.batch("DescribeTaskLogs", &params).await?;
            let total = number(&reply, "TotalCount");
            if cx.out.is_json() {
                logs.append(reply["TaskInstanceLogSet"].as_array_mut().unwrap_or(&mut Vec::new()));
            } else {
                self.print(&mut cx.out, &reply)?;
            }
            offset += PAGE;
            if offset >= total {
                break if cx.out.is_json() {
                    cx.out.json(&json!({"TotalCount": total, "TaskInstanceLogSet": logs}))
                } else {
                    Ok(())
                };
            }
        }
    }

    fn print(&self, out: &mut Output, reply: &Value) -> Result<(), Failure> {
        for log in items(reply, "TaskInstanceLogSet") {
            let bytes = self.stream(log);
            if number(reply, "TotalCount") > 1 {
                out.line(format_args!("==> {} {} <==", self.task, text(log, "TaskInstanceIndex")))?;
            }
            out.bytes(&bytes)?;
            // The next heading begins a line of its own.
            if number(reply, "TotalCount") > 1 && bytes.last().is_some_and(|last| *last != b'\n') {
                out.line("")?;
            }
        }
        out.flush()
    }

    /// What the instance wrote to the stream that was asked for.
    fn stream(&self, log: &Value) -> Vec<u8> {
        decoded(log, if self.stderr { "StderrLog" } else { "StdoutLog" })
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::output::testing::Paper;

    fn logs(stderr: bool) -> Logs {
        Logs { id: "job-1".into(), task: "count".into(), index: None, stderr }
    }

    #[test]
    fn each_instance_has_its_heading_when_there_are_several() {
        let set = json!([
            {"TaskInstanceIndex": 0, "StdoutLog": STANDARD.encode("one\n"), "StderrLog": STANDARD.encode("bad")},
            {"TaskInstanceIndex": 1, "StdoutLog": STANDARD.encode("two"), "StderrLog": ""},
        ]);
        let several = json!({"TotalCount": 2, "TaskInstanceLogSet": set});
        let paper = Paper::default();
        logs(false).print(&mut paper.output(), &several).unwrap();
        assert_eq!(paper.text(), "==> count 0 <==\none\n==> count 1 <==\ntwo\n");

        let paper = Paper::default();
        logs(true).print(&mut paper.output(), &several).unwrap();
        assert_eq!(paper.text(), "==> count 0 <==\nbad\n==> count 1 <==\n");

        let single = json!({"TotalCount": 1, "TaskInstanceLogSet": [several["TaskInstanceLogSet"][1]]});
        let paper = Paper::default();
        logs(false).print(&mut paper.output(), &single).unwrap();
        assert_eq!(paper.text(), "two");
    }
}
