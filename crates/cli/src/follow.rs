//! Waits for a job's end.
//!
//! The API has no call that waits, so the job is asked after again and again: soon at first, since many jobs are
//! short, then once a second.

use std::fmt::Write;
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressState, ProgressStyle};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::client::ClientError;
use crate::context::Context;
use crate::failure::Failure;
use crate::reply::{counts, number, text};

/// The first pause, and how it grows.
const SOON: Duration = Duration::from_millis(20);
pub(crate) const SELDOM: Duration = Duration::from_secs(1);
/// How long a server that has answered before may be away.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until the job has ended and returns it as `DescribeJob` shows it. The state's changes are told meanwhile.
///
/// # Errors
/// The server refuses, cannot be reached at first, or stays away.
pub(crate) async fn until_ended(cx: &Context, job: &str) -> Result<Value, Failure> {
    let bar = Bar::new(job);
    let mut pause = SOON;
    let mut told = String::new();
    let mut view = describe(cx, job).await?;
    loop {
        let state = text(&view, "JobState");
        bar.show(&view);
        if state != told && bar.is_hidden() {
            cx.out.say(format_args!("{job} {state}"));
        }
        if has_ended(&state) {
            return Ok(view);
        }
        told = state;
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(SELDOM);
        view = describe_again(cx, job).await?;
    }
}

/// Fails unless the job, as `DescribeJob` shows it, has succeeded.
pub(crate) fn must_have_succeeded(view: &Value) -> Result<(), Failure> {
    match text(view, "JobState").as_str() {
        "SUCCEED" => Ok(()),
        state => {
            Err(Failure::Job { job: text(view, "JobId"), state: state.to_owned(), reason: text(view, "StateReason") })
        }
    }
}

/// A job in one of these states changes no more of itself.
pub(crate) fn has_ended(state: &str) -> bool {
    matches!(state, "SUCCEED" | "FAILED" | "FAILED_INTERRUPTED")
}

async fn describe(cx: &Context, job: &str) -> Result<Value, Failure> {
    Ok(cx.client()?.batch("DescribeJob", &json!({"JobId": job})).await?)
}

/// Asks again while the server is away: jobs outlive its restarts.
async fn describe_again(cx: &Context, job: &str) -> Result<Value, Failure> {
    let mut since = None;
    loop {
        match describe(cx, job).await {
            Err(Failure::Client(error)) if error.is_unreachable() => {
                be_patient(cx, &mut since, error)?;
                tokio::time::sleep(SELDOM).await;
            }
            answer => return answer,
        }
    }
}

/// Says once that the server is away, and fails when it has been for too long.
///
/// # Errors
/// The error that told that it is away.
pub(crate) fn be_patient(cx: &Context, since: &mut Option<Instant>, error: ClientError) -> Result<(), Failure> {
    if since.is_none() {
        cx.out.say(format_args!("the server is away; waiting up to {} s for it", PATIENCE.as_secs()));
    }
    if since.get_or_insert_with(Instant::now).elapsed() > PATIENCE { Err(error.into()) } else { Ok(()) }
}

/// How far the job is, on a terminal only.
struct Bar(ProgressBar);

impl Bar {
    fn new(job: &str) -> Self {
        let template = "{prefix} {bar:24} {pos} of {len} instances, {per_sec}, {eta} left  {msg}";
        let style = ProgressStyle::with_template(template).expect("the template is a constant that is right");
        let rate = |state: &ProgressState, out: &mut dyn Write| {
            // A terminal that does not take it has other troubles.
            let _ = write!(out, "{:.1}/s", state.per_sec());
        };
        let left = |state: &ProgressState, out: &mut dyn Write| {
            let known = state.pos() > 0 && state.eta().as_secs() < 86_400 * 100;
            let _ = if known { write!(out, "{:#}", HumanDuration(state.eta())) } else { write!(out, "?") };
        };
        let style = style.with_key("per_sec", rate).with_key("eta", left);
        Self(ProgressBar::no_length().with_style(style).with_prefix(job.to_owned()))
    }

    fn show(&self, view: &Value) {
        let metrics = &view["TaskInstanceMetrics"];
        let ended = ["SucceedCount", "FailedCount", "FailedInterruptedCount"].map(|state| number(metrics, state));
        let all = metrics.as_object().into_iter().flatten().filter_map(|(_, count)| count.as_u64());
        self.0.set_length(all.sum());
        self.0.set_position(ended.iter().sum());
        self.0.set_message(format!("tasks: {}; instances: {}", counts(&view["TaskMetrics"]), counts(metrics)));
    }

    fn is_hidden(&self) -> bool {
        self.0.is_hidden()
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_success_is_success() {
        let view = |state: &str| json!({"JobId": "job-1", "JobState": state, "StateReason": "why"});
        assert!(must_have_succeeded(&view("SUCCEED")).is_ok());
        for state in ["FAILED", "FAILED_INTERRUPTED"] {
            assert!(has_ended(state));
            let failure = must_have_succeeded(&view(state)).unwrap_err();
            assert_eq!(failure.to_string(), format!("job-1 ended {state}: why"));
            assert_eq!(failure.exit_status(), 1);
        }
        assert!(!has_ended("RUNNING"));
    }
}
