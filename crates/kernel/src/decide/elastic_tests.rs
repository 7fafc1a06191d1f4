//! Tasks with nodes of their own, as tables: how many nodes, whether they can be made, what their end is.

use crate::change::What;
use crate::command::{Command, ExitHow, Refusal};
use crate::environment::NodeType;
use crate::event::{EventName, NodeOwner, Subject};
use crate::id::{EnvId, JobId, NodeId};
use crate::instance::RunId;
use crate::job::{IfNotCreated, JobSpec};
use crate::node::NodeStage;
use crate::phase::Phase::{Failed, Runnable, Succeed};
use crate::testing::{World, elastic_job, job, notify};

pub(super) const OK: ExitHow = ExitHow::Code(0);
pub(super) const BAD: ExitHow = ExitHow::Code(3);

/// Nodes that are there or to come.
pub(super) fn nodes(world: &World) -> Vec<NodeId> {
    world.state.nodes().filter(|node| node.stage != NodeStage::Deleting).map(|node| node.id).collect()
}

/// Makes and destroys nodes, and lets them run what they hold, until nothing is left to do.
pub(super) fn run_all(world: &mut World, how: impl Fn(RunId) -> ExitHow) {
    loop {
        let before = world.changes.len();
        world.start_nodes();
        world.destroy_nodes();
        if let Some((node, run)) = world.held().first().copied() {
            world.start(node, run);
            world.exit(node, run, how(run));
        }
        if world.changes.len() == before {
            return;
        }
    }
}

pub(super) fn with_events(mut spec: JobSpec) -> JobSpec {
    let of_job: Vec<EventName> = EventName::ALL.iter().copied().filter(|name| name.is_of_job()).collect();
    spec.notifications = vec![notify("all", &of_job)];
    spec
}

#[test]
fn nodes_are_made_for_a_task_and_gone_after_it() {
    let mut world = World::new(1);
    world.topic("all");
    let id = world.submit(with_events(elastic_job(&[("a", 2)])));
    assert_eq!((world.phases(id).0, nodes(&world).len()), (Runnable, 2));
    run_all(&mut world, |_| OK);
    assert_eq!(world.phases(id).0, Succeed);
    assert_eq!((world.state.nodes().count(), world.state.envs().count()), (0, 0));
    let sequences: Vec<u64> = world.events.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, (1..=sequences.len() as u64).collect::<Vec<_>>(), "the nodes' events count with the job's");
    let names = world.event_names();
    let end = names.iter().position(|name| *name == EventName::JobSucceed).unwrap();
    let after: Vec<EventName> = names[end + 1..].to_vec();
    assert_eq!(after, [EventName::ComputeNodeDeleting, EventName::ComputeNodeDeleted]);
    let of_nodes = world.events.iter().filter_map(|event| match &event.subject {
        Subject::Node(_, owner) => Some(owner.clone()),
        _ => None,
    });
    assert!(of_nodes.into_iter().all(|owner| owner == NodeOwner::Task(id, "a".into())));
    world.state.forget(&[crate::state::RowKey::Job(id)]);
    assert!(world.state.job(id).is_none(), "nothing holds it any more");
}

#[test]
fn a_finished_job_stays_as_long_as_its_nodes() {
    let mut world = World::new(1);
    let id = world.submit(elastic_job(&[("a", 1)]));
    world.start_nodes();
    world.run_all(|_| OK);
    world.state.forget(&[crate::state::RowKey::Job(id)]);
    assert_eq!(world.state.job(id).map(|job| job.phase), Some(Succeed));
    world.run(Command::DeleteJob(id)).unwrap();
    assert_eq!(world.state.nodes().count(), 1);
    world.destroy_nodes();
    assert_eq!((world.state.nodes().count(), world.state.envs().count()), (0, 0), "nodes of an erased job go too");
}

#[test]
fn a_task_has_as_many_nodes_as_it_can_use() {
    for (instances, slots, most, places, expected) in [
        (3, 1, None, None, 3),
        (3, 1, Some(2), None, 2),
        (5, 2, None, None, 3),
        (5, 2, Some(2), None, 1),
        (3, 1, None, Some(2), 2),
        (1_000_000, 1, None, Some(32), 32),
        (1_000_000, 4, None, Some(32), 32),
        (3, 1, None, Some(0), 0),
        (1_000_000, 1, None, Some(10_000), 2_000),
    ] {
        let mut world = World::new(1);
        world.settings.node_places = places;
        let mut spec = elastic_job(&[("a", instances)]);
        spec.tasks[0].max_concurrent = most;
        spec.tasks[0].own.as_mut().unwrap().instance_types[0].slots = slots;
        world.submit(spec);
        let row = (instances, slots, most, places);
        assert_eq!(nodes(&world).len(), expected, "{row:?}");
    }
}

#[test]
fn nodes_are_reused_and_go_when_no_instance_can_use_them() {
    let mut world = World::new(1);
    world.settings.node_places = Some(2);
    world.submit(elastic_job(&[("a", 4)]));
    world.start_nodes();
    let both = nodes(&world);
    for left in [2, 2, 1, 0] {
        let (node, run) = world.held()[0];
        assert!(both.contains(&node));
        world.start(node, run);
        world.exit(node, run, OK);
        assert_eq!(nodes(&world).len(), left);
    }
}

#[test]
fn a_task_that_waits_has_no_nodes_yet() {
    let mut world = World::new(1);
    let mut spec = elastic_job(&[("a", 1), ("b", 2)]);
    spec.dependences = vec![(0, 1)];
    let id = world.submit(spec);
    assert_eq!((world.state.envs().count(), nodes(&world).len()), (1, 1));
    run_all(&mut world, |_| OK);
    assert_eq!(world.phases(id).0, Succeed);
}

#[test]
fn places_are_shared_and_jobs_that_got_none_get_them_later() {
    let mut world = World::new(1);
    world.settings.node_places = Some(2);
    let first = world.submit(elastic_job(&[("a", 4)]));
    world.start_nodes();
    let second = world.submit(elastic_job(&[("a", 4)]));
    assert_eq!(world.phases(second).0, Runnable);
    let leaves = |world: &World, node| world.state.node(node).is_some_and(|node| node.then.is_some());
    let (node, run) = world.held().into_iter().find(|(node, _)| leaves(&world, *node)).expect("one makes way");
    world.start(node, run);
    world.exit(node, run, OK);
    world.destroy_nodes();
    let of = |world: &World, job: JobId| {
        let env = world.state.job(job).unwrap().spec.tasks[0].env;
        world.state.nodes_of(env).filter(|node| node.stage != NodeStage::Deleting).count()
    };
    assert_eq!((of(&world, first), of(&world, second)), (1, 1), "one node of the first has made way");
    run_all(&mut world, |_| OK);
    assert_eq!((world.phases(first).0, world.phases(second).0), (Succeed, Succeed));
}

#[test]
fn a_higher_priority_gets_its_nodes_first() {
    let mut world = World::new(1);
    world.settings.node_places = Some(2);
    let low = world.submit(elastic_job(&[("a", 3)]));
    world.start_nodes();
    let mut spec = elastic_job(&[("a", 2)]);
    spec.priority = 9;
    let high = world.submit(spec);
    for (node, run) in world.held() {
        world.start(node, run);
        world.exit(node, run, OK);
    }
    world.destroy_nodes();
    world.start_nodes();
    assert!(world.held().iter().all(|(_, run)| run.job == high) && world.held().len() == 2);
    run_all(&mut world, |_| OK);
    assert_eq!(world.phases(low).0, Succeed);
}

#[test]
fn environments_leave_what_they_do_not_take() {
    let mut world = World::new(1);
    world.settings.node_places = Some(3);
    let env = world.env(2, vec![]);
    world.submit(elastic_job(&[("a", 5)]));
    assert_eq!(nodes(&world).len(), 3);
    world.run(Command::ModifyEnv(env, crate::change::EnvEdit { desired: Some(0), ..Default::default() })).unwrap();
    world.destroy_nodes();
    assert_eq!(nodes(&world).len(), 3, "what an environment gives up goes to those who wait");
}

#[test]
fn a_node_the_provider_has_no_place_for_waits() {
    let mut world = World::new(1);
    let id = world.submit(elastic_job(&[("a", 1)]));
    let node = nodes(&world)[0];
    for _ in 0..200 {
        world.run(Command::NodeCreating(node)).unwrap();
        world.run(Command::NodeHasNoPlace(node, "capacity".into())).unwrap();
        world.pass_ms(1_000);
    }
    assert_eq!(
        (world.phases(id).0, nodes(&world)),
        (Runnable, vec![node]),
        "that is no failure, however long it lasts"
    );
    run_all(&mut world, |_| OK);
    assert_eq!(world.phases(id).0, Succeed);
}

#[test]
fn nobody_else_sees_or_names_a_tasks_environment() {
    let mut world = World::new(1);
    world.submit(elastic_job(&[("a", 1)]));
    let env = world.state.envs().next().unwrap().id;
    let node = nodes(&world)[0];
    let no_env = |path: &str| Err(Refusal::NoEnv { env, path: path.into() });
    assert_eq!(world.run(Command::DeleteEnv(env)), no_env("EnvId"));
    assert_eq!(world.run(Command::ModifyEnv(env, Default::default())), no_env("EnvId"));
    assert_eq!(world.run(Command::TerminateNodes(env, vec![node])), no_env("EnvId"));
    let spec = Box::new(job(env, &[("b", 1)]));
    assert_eq!(world.run(Command::SubmitJob { spec, token: None }), no_env("Job.Tasks.0.EnvId"));
}

/// Has the provider fail at every node that is due; says how many there were.
fn fail_nodes(world: &mut World) -> usize {
    let due = |stage| matches!(stage, NodeStage::Submitted { not_before } if not_before <= world.now);
    let nodes: Vec<NodeId> = world.state.nodes().filter(|node| due(node.stage)).map(|node| node.id).collect();
    for node in &nodes {
        world.run(Command::NodeCreating(*node)).unwrap();
        world.run(Command::NodeCreationFailed(*node, "no such machine".into())).unwrap();
    }
    world.destroy_nodes();
    nodes.len()
}

/// When the next node is due, in seconds from now.
fn next_due_s(world: &World) -> Option<u64> {
    let due = world.state.nodes().filter_map(|node| match node.stage {
        NodeStage::Submitted { not_before } => Some(not_before.since_ms(world.now) / 1_000),
        _ => None,
    });
    due.min()
}

#[test]
fn making_a_node_is_tried_again_by_schedule_and_then_counts_as_a_failed_run() {
    for (tries, total_s) in [(0, 0), (3, 1_800), (8, 6_300), (50, 80_100), (100, 260_100)] {
        let mut world = World::new(1);
        let mut spec = elastic_job(&[("a", 1)]);
        spec.tasks[0].own.as_mut().unwrap().creation_retries = tries;
        let id = world.submit(spec);
        let mut waited_s = 0;
        while fail_nodes(&mut world) == 1 {
            let Some(due_s) = next_due_s(&world) else { break };
            world.pass_ms(due_s * 1_000);
            waited_s += due_s;
        }
        assert_eq!((waited_s, world.phases(id).0), (total_s, Failed), "{tries} tries");
        let reason = world.changes.iter().find_map(|change| match &change.what {
            What::InstanceFailed(_, end) => Some(end.reason.clone()),
            _ => None,
        });
        assert_eq!(reason.as_deref(), Some("NodeNotCreated: no such machine"));
    }
}

#[test]
fn a_node_that_cannot_be_made_uses_up_runs_or_is_waited_for() {
    for (then, retries, failed_nodes, expected) in [
        (IfNotCreated::Failed, 0, 1, Failed),
        (IfNotCreated::Failed, 1, 1, Runnable),
        (IfNotCreated::Failed, 1, 2, Failed),
        (IfNotCreated::Runnable, 0, 1, Runnable),
        (IfNotCreated::Runnable, 0, 30, Runnable),
    ] {
        let mut world = World::new(1);
        let mut spec = elastic_job(&[("a", 1)]);
        spec.if_not_created = then;
        spec.tasks[0].retries = retries;
        let id = world.submit(spec);
        for _ in 0..failed_nodes {
            let due_s = next_due_s(&world).expect("another node");
            world.pass_ms(due_s * 1_000);
            assert_eq!(fail_nodes(&mut world), 1);
        }
        assert_eq!(world.phases(id).0, expected, "{then:?}, {retries} retries, {failed_nodes} nodes failed");
        if expected == Runnable {
            let due_s = next_due_s(&world).expect("another node");
            world.pass_ms(due_s * 1_000);
            run_all(&mut world, |_| OK);
            assert_eq!(world.phases(id).0, Succeed);
        }
    }
}

#[test]
fn an_agent_that_never_comes_is_a_node_that_could_not_be_made() {
    let mut world = World::new(1);
    let id = world.submit(elastic_job(&[("a", 1)]));
    let node = nodes(&world)[0];
    world.run(Command::NodeCreating(node)).unwrap();
    world.run(Command::NodeCreated(node)).unwrap();
    world.run(Command::NodeLost { node, reason: "its agent has ended".into(), begun: vec![] }).unwrap();
    assert_eq!(world.phases(id).0, Failed);
}

#[test]
fn instance_types_are_tried_in_order_until_one_can_be_made() {
    let kind = |name: &str, slots| NodeType { name: name.into(), cpu: slots, mem_gb: 1, slots };
    let mut world = World::new(1);
    world.topic("all");
    let mut spec = with_events(elastic_job(&[("a", 1)]));
    spec.tasks[0].own.as_mut().unwrap().instance_types = vec![kind("big", 4), kind("small", 1)];
    let id = world.submit(spec);
    let node = nodes(&world)[0];
    world.run(Command::NodeCreating(node)).unwrap();
    world.run(Command::NodeCreationFailed(node, "big is too big".into())).unwrap();
    let row = world.state.node(node).unwrap();
    assert_eq!((row.stage, row.kind.as_str(), row.slots), (NodeStage::Creating, "small", 1));
    assert!(!world.event_names().contains(&EventName::ComputeNodeCreationFailed), "one is left to be tried");
    world.run(Command::NodeCreationFailed(node, "small is, too".into())).unwrap();
    assert_eq!(world.phases(id).0, Failed);
    let failed = world.events.iter().find(|event| event.name == EventName::ComputeNodeCreationFailed).unwrap();
    let Subject::Node(row, _) = &failed.subject else { panic!("{failed:?}") };
    assert_eq!(row.reason, "big is too big; small is, too");
}

#[test]
fn on_a_named_environment_nothing_of_this_has_effect() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    let mut spec = job(env, &[("a", 1)]);
    spec.if_not_created = IfNotCreated::Runnable;
    let id = world.submit(spec);
    world.run_all(|_| BAD);
    assert_eq!((world.phases(id).0, world.nodes(env).len()), (Failed, 1));
    assert_eq!(world.state.envs().map(|env| env.id).collect::<Vec<EnvId>>(), [env]);
}
