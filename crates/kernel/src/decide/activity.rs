//! Activities: what every change of a node leads to in the list of what happened to its environment.
//!
//! They follow from the changes themselves, so none can be forgotten: [`follow`] is called for each change that is
//! recorded. Nodes of a task's own have none: their environment is in no list.

use crate::activity::{Activity, ActivityKey, ActivityKind, ActivityState, Cause};
use crate::change::What;
use crate::command::Command;
use crate::decide::Draft;
use crate::id::{ActivityId, NodeId};
use crate::node::NodeStage;
use crate::state::State;

/// The cause of what a command does to nodes.
pub(super) fn cause(state: &State, command: &Command) -> Cause {
    match command {
        Command::CreateEnv { desired, .. } => Cause::CreateEnv(*desired),
        Command::ModifyEnv(env, edit) => match (state.env(*env).map(|env| env.desired), edit.desired) {
            (Some(from), Some(to)) if from != to => Cause::ModifyEnv(from, to),
            _ => Cause::Other,
        },
        Command::DeleteEnv(_) => Cause::DeleteEnv,
        Command::AttachMachines { .. } => Cause::Attach,
        Command::DetachMachines(..) => Cause::Detach,
        Command::TerminateNodes(..) => Cause::TerminateNodes,
        Command::NodeCreationFailed(node, _) | Command::NodeLost { node, .. } => Cause::Recreate(*node),
        _ => Cause::Other,
    }
}

/// Records what a change of a node means for its activities. It has taken effect on the draft.
pub(super) fn follow(draft: &mut Draft<'_>, what: &What) {
    let (create, terminate) = (ActivityKind::CreateComputeNode, ActivityKind::TerminateComputeNode);
    match what {
        What::NodeSubmitted(node) => begin(draft, node.id, create, ActivityState::Submitted),
        What::NodeEntered(id, stage, reason) => match stage {
            NodeStage::Creating => enter(draft, *id, create, ActivityState::Processing, ""),
            NodeStage::Created | NodeStage::Running => enter(draft, *id, create, ActivityState::Succeed, ""),
            NodeStage::CreationFailed => enter(draft, *id, create, ActivityState::Failed, reason),
            NodeStage::Deleting => {
                enter(draft, *id, create, ActivityState::Failed, reason);
                begin(draft, *id, terminate, ActivityState::Processing);
            }
            _ => {}
        },
        What::NodeDeleted(id) => enter(draft, *id, terminate, ActivityState::Succeed, ""),
        _ => {}
    }
}

fn begin(draft: &mut Draft<'_>, node: NodeId, kind: ActivityKind, state: ActivityState) {
    let Some(node) = draft.state.node(node).cloned() else { return };
    if draft.state.public_env(node.env).is_none() {
        return;
    }
    let key = ActivityKey { node: node.id, kind };
    let activity = Activity {
        id: ActivityId::draw(draft.rng),
        key,
        env: node.env,
        machine: node.machine,
        cause: draft.cause.text(key),
        state,
        reason: String::new(),
        started: draft.now,
        ended: None,
    };
    draft.record(What::ActivityBegan(Box::new(activity)));
}

/// Moves an activity on, if it has not ended.
fn enter(draft: &mut Draft<'_>, node: NodeId, kind: ActivityKind, state: ActivityState, reason: &str) {
    let key = ActivityKey { node, kind };
    if draft.state.activity(key).is_some_and(|activity| !activity.state.is_finished() && activity.state != state) {
        draft.record(What::ActivityEntered(key, state, reason.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{Change, EnvEdit};
    use crate::id::EnvId;
    use crate::testing::World;

    /// Every activity that began, newest first, as it stands, with its node's id left out of the cause.
    fn told(world: &World) -> Vec<(&'static str, String, &'static str, String)> {
        let mut all: Vec<Activity> = Vec::new();
        for Change { at, what, .. } in &world.changes {
            match what {
                What::ActivityBegan(activity) => all.insert(0, (**activity).clone()),
                What::ActivityEntered(key, state, reason) => {
                    let activity = all.iter_mut().find(|activity| activity.key == *key).expect("it has begun");
                    assert!(!activity.state.is_finished(), "{activity:?} had ended");
                    activity.state = *state;
                    activity.reason.clone_from(reason);
                    activity.ended = state.is_finished().then_some(*at);
                }
                _ => {}
            }
        }
        let cause = |activity: &Activity| activity.cause.split(" node-").next().unwrap_or_default().to_owned();
        all.iter()
            .map(|one| (&one.key.kind.as_str()[..6], cause(one), one.state.as_str(), one.reason.clone()))
            .collect()
    }

    fn node_of(world: &World, env: EnvId) -> NodeId {
        let mut nodes = world.state.nodes_of(env).filter(|node| node.stage != NodeStage::Deleting);
        nodes.next().expect("a node").id
    }

    fn row(
        kind: &'static str,
        cause: &str,
        state: &'static str,
        reason: &str,
    ) -> (&'static str, String, &'static str, String) {
        (kind, cause.to_owned(), state, reason.to_owned())
    }

    #[test]
    fn each_making_and_end_of_a_node_is_an_activity_with_its_cause() {
        let mut world = World::new(1);
        let env = world.env(1, Vec::new());
        let made = row("CREATE", "CreateComputeEnv: the capacity is 1", "SUCCEED", "");
        assert_eq!(told(&world), std::slice::from_ref(&made));
        let scale = |desired| Command::ModifyEnv(env, EnvEdit { desired: Some(desired), ..EnvEdit::default() });
        world.run(scale(2)).unwrap();
        let grown = |state| row("CREATE", "ModifyComputeEnv: increase the capacity from 1 to 2", state, "");
        assert_eq!(told(&world)[0], grown("SUBMITTED"));
        world.start_nodes();
        assert_eq!(told(&world)[0], grown("SUCCEED"));
        world.run(scale(1)).unwrap();
        let shrunk = |state| row("TERMIN", "ModifyComputeEnv: decrease the capacity from 2 to 1", state, "");
        assert_eq!(told(&world)[0], shrunk("PROCESSING"));
        let going = world.state.nodes_of(env).find(|node| node.stage == NodeStage::Deleting).unwrap().id;
        world.run(Command::NodeDestroyed { node: going, begun: Vec::new() }).unwrap();
        assert_eq!(told(&world), [shrunk("SUCCEED"), grown("SUCCEED"), made]);
        assert!(world.state.activities.iter().all(|(_, activity)| !activity.state.is_finished()));
    }

    #[test]
    fn a_failed_node_is_made_anew_and_both_are_told() {
        let mut world = World::new(1);
        let env = world.env(1, Vec::new());
        let first = node_of(&world, env);
        world.run(Command::NodeLost { node: first, reason: "silent".into(), begun: Vec::new() }).unwrap();
        let cause = "RecreateComputeNode";
        assert_eq!(told(&world)[..2], [row("CREATE", cause, "SUBMITTED", ""), row("TERMIN", cause, "PROCESSING", "")]);
        let second = node_of(&world, env);
        world.run(Command::NodeCreating(second)).unwrap();
        assert_eq!(told(&world)[0], row("CREATE", cause, "PROCESSING", ""));
        world.run(Command::NodeCreationFailed(second, "capacity".into())).unwrap();
        let told = told(&world);
        assert_eq!(told[2], row("CREATE", cause, "FAILED", "capacity"));
        assert_eq!(told[..2], [row("CREATE", cause, "SUBMITTED", ""), row("TERMIN", cause, "PROCESSING", "")]);
    }

    #[test]
    fn what_ends_a_node_is_told_with_it() {
        let mut world = World::new(1);
        let env = world.env(1, Vec::new());
        let node = node_of(&world, env);
        world.run(Command::TerminateNodes(env, vec![node])).unwrap();
        let wanted = [
            row("CREATE", "CreateComputeNode", "SUBMITTED", ""),
            row("TERMIN", "TerminateComputeNodes", "PROCESSING", ""),
        ];
        assert_eq!(told(&world)[..2], wanted);
        world.run(Command::DeleteEnv(env)).unwrap();
        let told = told(&world);
        assert_eq!(told[0], row("TERMIN", "DeleteComputeEnv", "PROCESSING", ""));
        assert_eq!(told[1], row("CREATE", "CreateComputeNode", "FAILED", "ComputeEnvDeleted"), "it was never made");
    }
}
