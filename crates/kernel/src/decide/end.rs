//! An instance that is ended by order, whatever it does.

use crate::change::What;
use crate::decide::{Draft, node, run};
use crate::id::NodeId;
use crate::instance::{Asked, InstanceKey, Stage};
use crate::node::{NodeStage, Then};

/// Ends an instance, for this reason. What waits fails at once. What runs on an environment that somebody made is
/// ended there, and its node is restarted once its other instances have ended. What has a node of its task's own fails
/// when that is destroyed: at once, unless the node has others too, which it is left to.
pub(super) fn end(draft: &mut Draft<'_>, key: InstanceKey, reason: &str) {
    let Some(row) = draft.state.instance(key).cloned() else { return fail(draft, key, reason) };
    match row.stage {
        Stage::Waiting { .. } => fail(draft, key, reason),
        Stage::Held { node, started, .. } => {
            draft.record(What::InstanceAsked(key, Asked::Kill));
            if !is_own(draft, key) {
                if started {
                    node::leave(draft, node, Then::Restart);
                }
            } else if has_others(draft, node, key) {
                node::leave(draft, node, Then::Destroy);
            } else {
                node::delete(draft, node, reason);
            }
        }
        Stage::FailedInterrupted => {
            let node = row.node.filter(|node| draft.state.node(*node).is_some());
            match node {
                Some(node) if !has_others(draft, node, key) => node::delete(draft, node, reason),
                Some(node) => {
                    fail(draft, key, reason);
                    node::leave(draft, node, Then::Destroy);
                }
                None => fail(draft, key, reason),
            }
        }
        Stage::Succeed | Stage::Failed => {}
    }
}

/// Whether [`end`] has anything to do.
pub(super) fn is_open(draft: &Draft<'_>, key: InstanceKey) -> bool {
    let Some(row) = draft.state.instance(key) else { return true };
    match row.stage {
        Stage::Waiting { .. } => true,
        Stage::Held { asked, .. } => asked != Asked::Kill,
        Stage::FailedInterrupted => {
            let node = row.node.and_then(|node| draft.state.node(node));
            node.is_none_or(|node| node.stage != NodeStage::Deleting)
        }
        Stage::Succeed | Stage::Failed => false,
    }
}

fn fail(draft: &mut Draft<'_>, key: InstanceKey, reason: &str) {
    let end = run::unreported(draft, reason);
    run::failed(draft, key, end);
}

fn is_own(draft: &Draft<'_>, key: InstanceKey) -> bool {
    let spec = draft.state.job(key.job).and_then(|job| job.spec.tasks.get(key.task as usize));
    spec.is_some_and(|spec| spec.own.is_some())
}

/// Whether a node has instances beside this one that are not being ended.
fn has_others(draft: &Draft<'_>, node: NodeId, key: InstanceKey) -> bool {
    let Some(node) = draft.state.node(node) else { return false };
    let goes_on = |other: &InstanceKey| {
        let stage = draft.state.instance(*other).map(|row| row.stage);
        *other != key && !matches!(stage, Some(Stage::Held { asked: Asked::Kill, .. }))
    };
    node.held.iter().any(goes_on) || node.kept.iter().any(|other| *other != key)
}
