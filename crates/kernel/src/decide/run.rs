//! Steps of an instance: it starts, ends, is tried again or not.

use crate::change::{RunEnd, What};
use crate::decide::{Draft, Owner, cut, graph};
use crate::event::{EventName, Subject};
use crate::instance::{Asked, InstanceKey, Stage};
use crate::time::Timestamp;

pub(super) fn started(draft: &mut Draft<'_>, key: InstanceKey) {
    event(draft, What::InstanceStarted(key), EventName::TaskInstanceRunning, key);
    graph::settle_task(draft, key.task_key());
}

pub(super) fn succeeded(draft: &mut Draft<'_>, key: InstanceKey, end: RunEnd) {
    event(draft, What::InstanceSucceeded(key, end), EventName::TaskInstanceSucceed, key);
    graph::settle_task(draft, key.task_key());
}

/// An attempt has failed: the instance waits for the next one, or fails. `lost`: its node went, not its command.
pub(super) fn attempt_failed(draft: &mut Draft<'_>, key: InstanceKey, end: RunEnd, lost: bool) {
    let end = RunEnd { reason: cut(end.reason), ..end };
    match pause_before_next(draft, key, lost) {
        Some(not_before) => {
            event(draft, What::InstanceRetrying(key, end, not_before), EventName::TaskInstanceRetrying, key);
            graph::settle_task(draft, key.task_key());
        }
        None => failed(draft, key, end),
    }
}

/// An instance fails for good.
pub(super) fn failed(draft: &mut Draft<'_>, key: InstanceKey, end: RunEnd) {
    let end = RunEnd { reason: cut(end.reason), ..end };
    event(draft, What::InstanceFailed(key, end), EventName::TaskInstanceFailed, key);
    graph::settle_task(draft, key.task_key());
}

/// When the next attempt may begin; `None`: there is none.
fn pause_before_next(draft: &Draft<'_>, key: InstanceKey, lost: bool) -> Option<Timestamp> {
    let instance = draft.state.instance(key)?;
    let job = draft.state.job(key.job)?;
    let task = draft.state.task(key.task_key())?;
    if task.intent.is_some() || matches!(instance.stage, Stage::Held { asked: Asked::Kill, .. }) {
        return None;
    }
    let spec = job.spec.tasks.get(key.task as usize)?;
    let extra = if lost { u64::from(draft.settings.lost_retries) } else { 0 };
    if u64::from(instance.failures) >= spec.retries + extra {
        return None;
    }
    let doubled = 1u64 << instance.failures.min(16);
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

/// Whether the instance is held, and whether it has started there.
pub(super) fn held_started(draft: &Draft<'_>, key: InstanceKey) -> Option<bool> {
    match draft.state.instance(key)?.stage {
        Stage::Held { started, .. } => Some(started),
        _ => None,
    }
}
