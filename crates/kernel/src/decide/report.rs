//! What nodes report of runs. A report that is not of the current attempt, or not from the node that holds it, is
//! passed over: it has been answered before, or its node was given up.

use crate::change::{RunEnd, What};
use crate::command::{ExitHow, Reply, Report, RunExit, RunFailure};
use crate::decide::{Draft, graph, node, run};
use crate::id::NodeId;
use crate::instance::{Asked, RunId, Stage};
use crate::task::Intent;

pub(super) fn reports(draft: &mut Draft<'_>, node: NodeId, reports: Vec<Report>) -> Reply {
    for report in reports {
        match report {
            Report::Started(id) => started(draft, node, id),
            Report::Exited(id, exit) => exited(draft, node, id, exit),
            Report::Returned(id) => returned(draft, node, id),
        }
    }
    Reply::Done
}

/// Whether `node` holds this very attempt, and if so whether it has started and what was asked of it.
fn believed(draft: &Draft<'_>, node: NodeId, id: RunId) -> Option<(bool, Asked)> {
    let instance = draft.state.instance(id.instance())?;
    match instance.stage {
        Stage::Held { node: holder, started, asked } if holder == node && instance.attempt == id.attempt => {
            Some((started, asked))
        }
        _ => None,
    }
}

fn started(draft: &mut Draft<'_>, node: NodeId, id: RunId) {
    if let Some((false, _)) = believed(draft, node, id) {
        run::started(draft, id.instance());
    }
}

fn returned(draft: &mut Draft<'_>, holder: NodeId, id: RunId) {
    let Some((false, asked)) = believed(draft, holder, id) else { return };
    let key = id.instance();
    draft.record(What::InstanceReturned(key));
    node::settle(draft, holder);
    if asked == Asked::Kill {
        let reason = intent_reason(draft, id);
        let end = run::unreported(draft, &reason);
        run::failed(draft, key, end);
    } else {
        graph::settle_task(draft, key.task_key());
    }
}

fn exited(draft: &mut Draft<'_>, node: NodeId, id: RunId, exit: RunExit) {
    let Some((started, asked)) = believed(draft, node, id) else { return };
    let key = id.instance();
    if !matches!(exit.how, ExitHow::NotStarted(_) | ExitHow::Killed) {
        if !started {
            run::started(draft, key);
        }
        draft.record(What::NodeRan(node, exit.run_ms));
    }
    let end = RunEnd { at: exit.end.at, stdout: exit.end.stdout, stderr: exit.end.stderr, ..RunEnd::default() };
    let end = |exit_code, reason: String| RunEnd { exit_code, reason, ..end };
    match exit.how {
        ExitHow::Code(0) => run::succeeded(draft, key, end(Some(0), String::new())),
        ExitHow::Code(code) => {
            run::attempt_failed(draft, key, end(Some(code), format!("ExitCode: {code}")), RunFailure::Itself)
        }
        ExitHow::Signal(signal) => {
            run::attempt_failed(
                draft,
                key,
                end(Some(signal.saturating_add(128)), format!("Signal: {signal}")),
                RunFailure::Itself,
            );
        }
        ExitHow::OutOfMemory { code, limit_mb } => {
            let reason = format!("OutOfMemory: needed more than the {limit_mb} MiB that it may use");
            run::attempt_failed(draft, key, end(Some(code), reason), RunFailure::Itself);
        }
        ExitHow::TimedOut => {
            let seconds = timeout_s(draft, id);
            run::attempt_failed(
                draft,
                key,
                end(None, format!("Timeout: ran longer than {seconds} s")),
                RunFailure::Itself,
            );
        }
        ExitHow::Killed if asked == Asked::Kill => {
            let reason = intent_reason(draft, id);
            run::failed(draft, key, end(None, reason));
        }
        ExitHow::Killed => {
            run::attempt_failed(draft, key, end(None, "NodeLost: its agent was stopped".into()), RunFailure::NodeLost)
        }
        ExitHow::Failed(why) => run::attempt_failed(draft, key, end(None, why), RunFailure::Itself),
        ExitHow::NotStarted(why) => {
            run::attempt_failed(draft, key, end(None, format!("NotStarted: {why}")), RunFailure::Itself)
        }
    }
}

fn timeout_s(draft: &Draft<'_>, id: RunId) -> u64 {
    let spec = draft.state.job(id.job).and_then(|job| job.spec.tasks.get(id.task as usize));
    spec.map_or(0, |spec| spec.timeout_s)
}

fn intent_reason(draft: &Draft<'_>, id: RunId) -> String {
    let task = draft.state.task(id.instance().task_key());
    let intent = task.and_then(|task| task.intent.as_ref());
    // Without an intent on the whole task it was this instance alone that was to be ended.
    intent.map_or_else(|| Intent::Terminate.reason(), Intent::reason)
}
