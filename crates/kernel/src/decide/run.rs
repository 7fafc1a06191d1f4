//! Steps of an instance: it starts, ends, is tried again or not.

use crate::change::{RunEnd, What};
use crate::command::RunFailure;
use crate::decide::{Draft, Owner, cut, graph, node};
use crate::event::{EventName, Subject};
use crate::id::NodeId;
use crate::instance::{Asked, InstanceKey, Stage};
use crate::job::FailedAction;
use crate::node::Then;
use crate::time::Timestamp;

pub(super) fn started(draft: &mut Draft<'_>, key: InstanceKey) {
    event(draft, What::InstanceStarted(key), EventName::TaskInstanceRunning, key);
    graph::settle_task(draft, key.task_key());
}

pub(super) fn succeeded(draft: &mut Draft<'_>, key: InstanceKey, end: RunEnd) {
    let node = holder(draft, key);
    event(draft, What::InstanceSucceeded(key, end), EventName::TaskInstanceSucceed, key);
    over(draft, key, node, false);
    graph::settle_task(draft, key.task_key());
}

/// An attempt has failed: the instance waits for the next one, fails, or is interrupted with its node kept.
pub(super) fn attempt_failed(draft: &mut Draft<'_>, key: InstanceKey, end: RunEnd, of: RunFailure) {
    let end = RunEnd { reason: cut(end.reason), ..end };
    let next = pause_before_next(draft, key, of);
    if of == RunFailure::Itself && keeps_node(draft, key, next.is_some()) {
        event(draft, What::InstanceInterrupted(key, end), EventName::TaskInstanceFailedInterrupted, key);
        return graph::settle_task(draft, key.task_key());
    }
    match next {
        Some(not_before) => {
            let node = holder(draft, key);
            event(draft, What::InstanceRetrying(key, end, not_before), EventName::TaskInstanceRetrying, key);
            over(draft, key, node, of == RunFailure::Itself);
            graph::settle_task(draft, key.task_key());
        }
        None => fail(draft, key, end, of == RunFailure::Itself),
    }
}

/// An instance fails for good.
pub(super) fn failed(draft: &mut Draft<'_>, key: InstanceKey, end: RunEnd) {
    let end = RunEnd { reason: cut(end.reason), ..end };
    fail(draft, key, end, false);
}

fn fail(draft: &mut Draft<'_>, key: InstanceKey, end: RunEnd, of_itself: bool) {
    let node = holder(draft, key);
    event(draft, What::InstanceFailed(key, end), EventName::TaskInstanceFailed, key);
    over(draft, key, node, of_itself);
    graph::settle_task(draft, key.task_key());
}

/// What the end of a run means for its node. `failed`: the run did, of itself.
fn over(draft: &mut Draft<'_>, key: InstanceKey, node: Option<NodeId>, failed: bool) {
    let Some(node) = node else { return };
    let Some(job) = draft.state.job(key.job) else { return };
    let Some(spec) = job.spec.tasks.get(key.task as usize) else { return };
    match &spec.own {
        Some(_) if failed => node::leave(draft, node, Then::Destroy),
        None if spec.restart_node => node::leave(draft, node, Then::Restart),
        _ => node::settle(draft, node),
    }
}

/// Whether the node of a run that failed of itself is kept, with the instance: as its task says.
fn keeps_node(draft: &Draft<'_>, key: InstanceKey, another_follows: bool) -> bool {
    let ended = draft.state.task(key.task_key()).is_none_or(|task| task.intent.is_some());
    let held = matches!(draft.state.instance(key).map(|row| row.stage), Some(Stage::Held { asked, .. }) if asked != Asked::Kill);
    let spec = draft.state.job(key.job).and_then(|job| job.spec.tasks.get(key.task as usize));
    let Some(own) = spec.and_then(|spec| spec.own.as_ref()).filter(|_| held && !ended) else { return false };
    match own.failed_action {
        FailedAction::Terminate => false,
        FailedAction::Interrupt => !another_follows,
        FailedAction::FastInterrupt => true,
    }
}

fn holder(draft: &Draft<'_>, key: InstanceKey) -> Option<NodeId> {
    draft.state.instance(key)?.holder()
}

/// When the next attempt may begin; `None`: there is none.
fn pause_before_next(draft: &Draft<'_>, key: InstanceKey, of: RunFailure) -> Option<Timestamp> {
    // One that has no row yet has not failed yet.
    let instance = draft.state.instance(key);
    let failures = instance.map_or(0, |row| row.failures);
    let killed = matches!(instance.map(|row| row.stage), Some(Stage::Held { asked: Asked::Kill, .. }));
    let job = draft.state.job(key.job)?;
    let task = draft.state.task(key.task_key())?;
    if task.intent.is_some() || killed {
        return None;
    }
    let spec = job.spec.tasks.get(key.task as usize)?;
    let extra = if of == RunFailure::NodeLost { u64::from(draft.settings.lost_retries) } else { 0 };
    if u64::from(failures) >= spec.retries + extra {
        return None;
    }
    let doubled = 1u64 << failures.min(16);
    Some(draft.now.plus_s(doubled.min(draft.settings.retry_pause_s)))
}

fn event(draft: &mut Draft<'_>, what: What, name: EventName, key: InstanceKey) {
    draft.record_event(what, name, Owner::Job(key.job), |state| {
        Some(Subject::Instance(state.job(key.job)?.spec.clone(), state.instance(key)?.clone()))
    });
}

/// How a run ends that no node reported on.
pub(super) fn unreported(draft: &Draft<'_>, reason: &str) -> RunEnd {
    RunEnd { at: draft.now, exit_code: None, reason: reason.to_owned(), ..RunEnd::default() }
}
