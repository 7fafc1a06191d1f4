//! Nodes whose agents are started anew, after a run that asks for it or one that was ended by order.

use crate::change::What;
use crate::command::{Command, ExitHow};
use crate::event::EventName;
use crate::id::{EnvId, NodeId};
use crate::node::NodeStage;
use crate::phase::Phase::{Failed, Succeed};
use crate::testing::{World, job, notify};

const OK: ExitHow = ExitHow::Code(0);

fn stage(world: &World, node: NodeId) -> NodeStage {
    world.state.node(node).unwrap().stage
}

/// An environment of one node with two slots, whose events are told.
fn told(world: &mut World) -> (EnvId, NodeId) {
    world.topic("all");
    let events: Vec<EventName> = EventName::ALL.iter().copied().filter(|name| name.is_of_env()).collect();
    let env = world.env_with_slots(1, 2, vec![notify("all", &events)]);
    world.events.clear();
    let node = world.nodes(env)[0];
    (env, node)
}

#[test]
fn a_node_restarts_after_a_run_that_asks_for_it_and_nothing_else_is_told() {
    let mut world = World::new(1);
    let (env, node) = told(&mut world);
    let mut spec = job(env, &[("a", 1)]);
    spec.tasks[0].restart_node = true;
    let id = world.submit(spec);
    world.run_all(|_| OK);
    assert_eq!((world.phases(id).0, stage(&world, node)), (Succeed, NodeStage::Restarting));
    assert_eq!(stage(&world, node).as_str(), "CREATED");
    world.run(Command::NodeConnected(node, Default::default())).unwrap();
    assert_eq!(stage(&world, node), NodeStage::Restarting, "an agent that is to end does not count");
    world.run(Command::NodeLost { node, reason: "its agent has ended".into(), begun: vec![] }).unwrap();
    assert_eq!(stage(&world, node), NodeStage::Restarting, "that it ended is what was wanted");
    world.start_nodes();
    assert_eq!(stage(&world, node), NodeStage::Running);
    assert_eq!(world.event_names(), [EventName::ComputeNodeRunning]);
    let made = world.state.node(node).unwrap().resource_created;
    assert!(made.is_some_and(|made| made <= world.now), "it is the same node");
}

#[test]
fn a_node_restarts_once_its_other_instances_have_ended_and_takes_no_new_ones() {
    let mut world = World::new(1);
    let (env, node) = told(&mut world);
    let ended = world.submit(job(env, &[("a", 1)]));
    let other = world.submit(job(env, &[("b", 1)]));
    let held = world.held();
    let run_of = |job| held.iter().find(|(_, run)| run.job == job).unwrap().1;
    world.start(node, run_of(ended));
    world.start(node, run_of(other));
    world.run(Command::TerminateJob(ended)).unwrap();
    world.exit(node, run_of(ended), ExitHow::Killed);
    assert_eq!((world.phases(ended).0, stage(&world, node)), (Failed, NodeStage::Running));
    let waits = world.submit(job(env, &[("c", 1)]));
    assert_eq!(world.held().len(), 1, "a slot is free, but the node takes nothing");
    assert_eq!(world.state.node(node).unwrap().free_slots(), 0);
    world.exit(node, run_of(other), OK);
    assert_eq!((world.phases(other).0, stage(&world, node)), (Succeed, NodeStage::Restarting));
    world.start_nodes();
    world.run_all(|_| OK);
    assert_eq!(world.phases(waits).0, Succeed);
}

#[test]
fn what_was_ended_before_it_began_needs_no_restart() {
    let mut world = World::new(1);
    let (env, node) = told(&mut world);
    let id = world.submit(job(env, &[("a", 1)]));
    let (_, run) = world.held()[0];
    world.run(Command::TerminateJob(id)).unwrap();
    world.exit(node, run, ExitHow::Killed);
    assert_eq!((world.phases(id).0, stage(&world, node)), (Failed, NodeStage::Running));
    assert!(!world.has(|what| matches!(what, What::NodeLeft(..))));
}

#[test]
fn a_node_that_is_lost_before_its_restart_is_made_anew_like_any_other() {
    let mut world = World::new(1);
    let (env, node) = told(&mut world);
    let ended = world.submit(job(env, &[("a", 1)]));
    let (_, run) = world.held()[0];
    world.start(node, run);
    world.run(Command::TerminateJob(ended)).unwrap();
    world.run(Command::NodeLost { node, reason: "gone".into(), begun: vec![run] }).unwrap();
    assert_eq!((world.phases(ended).0, stage(&world, node)), (Failed, NodeStage::Deleting));
    assert_eq!(world.nodes(env).len(), 2);
}

#[test]
fn a_node_whose_agent_cannot_be_started_anew_could_not_be_made() {
    let mut world = World::new(1);
    let (env, node) = told(&mut world);
    let mut spec = job(env, &[("a", 1)]);
    spec.tasks[0].restart_node = true;
    world.submit(spec);
    world.run_all(|_| OK);
    world.run(Command::NodeEnded(node)).unwrap();
    world.run(Command::NodeCreationFailed(node, "no such program".into())).unwrap();
    assert_eq!(world.event_names()[0], EventName::ComputeNodeCreationFailed);
    assert_eq!(world.nodes(env).len(), 2, "another one takes its place");
}
