//! What failure and termination mean for nodes of tasks' own, as tables.

use std::collections::BTreeSet;

use super::elastic_tests::{BAD, OK, nodes, run_all, with_events};
use crate::change::What;
use crate::command::{Command, ExitHow, Refusal};
use crate::event::EventName;
use crate::id::NodeId;
use crate::instance::{InstanceKey, Stage};
use crate::job::{DependOn, FailedAction, JobSpec};
use crate::node::NodeStage;
use crate::phase::Phase::{self, Failed, FailedInterrupted, Pending, Runnable, Running, Starting, Succeed};
use crate::testing::{World, elastic_job};

/// What becomes of three tasks in a row, the second with one failing instance of two, under each action, with and
/// without a retry, and each condition of the third.
#[test]
fn a_graph_with_a_failing_instance_behaves_as_its_actions_say() {
    use FailedAction::{FastInterrupt, Interrupt, Terminate};
    let all = DependOn::PreTaskSucceed;
    let partly = DependOn::PreTaskAtLeastPartlySucceed;
    let finished = DependOn::PreTaskFinished;
    // Action, condition, retries, runs of the failing instance; then the two tasks, and after its termination.
    let table = [
        (Terminate, all, 0, 1, [Failed, Failed], [Failed, Failed]),
        (Terminate, all, 1, 2, [Failed, Failed], [Failed, Failed]),
        (Terminate, partly, 0, 1, [Failed, Succeed], [Failed, Succeed]),
        (Terminate, finished, 1, 2, [Failed, Succeed], [Failed, Succeed]),
        (Interrupt, all, 0, 1, [FailedInterrupted, Pending], [Failed, Failed]),
        (Interrupt, all, 1, 2, [FailedInterrupted, Pending], [Failed, Failed]),
        (Interrupt, partly, 1, 2, [FailedInterrupted, Pending], [Failed, Succeed]),
        (Interrupt, finished, 0, 1, [FailedInterrupted, Pending], [Failed, Succeed]),
        (FastInterrupt, all, 0, 1, [FailedInterrupted, Pending], [Failed, Failed]),
        (FastInterrupt, all, 3, 1, [FailedInterrupted, Pending], [Failed, Failed]),
        (FastInterrupt, partly, 3, 1, [FailedInterrupted, Pending], [Failed, Succeed]),
        (FastInterrupt, finished, 3, 1, [FailedInterrupted, Pending], [Failed, Succeed]),
    ];
    for (action, mode, retries, runs, tasks, then_tasks) in &table {
        // The job is as its second task, whatever it waits for.
        let whole = tasks[0];
        let row = format!("{action:?} {mode:?} {retries}");
        let mut world = World::new(1);
        world.topic("all");
        let id = world.submit(with_events(graph(*action, *mode, *retries)));
        run_all(&mut world, |run| if (run.task, run.index) == (1, 1) { BAD } else { OK });
        let bad = InstanceKey { job: id, task: 1, index: 1 };
        let starts = world.changes.iter().filter(|change| change.what == What::InstanceStarted(bad)).count();
        assert_eq!(starts, *runs, "{row}");
        assert_eq!(world.phases(id), (whole, vec![Succeed, tasks[0], tasks[1]]), "{row}");
        let used: Vec<NodeId> = placed(&world, bad);
        assert_eq!(used.iter().collect::<BTreeSet<_>>().len(), used.len(), "{row}: another node each");
        let kept = usize::from(whole == FailedInterrupted);
        assert_eq!(nodes(&world), used[used.len() - kept..], "{row}: the last one is kept, or none");
        if kept > 0 {
            end_interrupted(&mut world, bad);
            run_all(&mut world, |_| OK);
        }
        assert_eq!(world.phases(id), (Failed, vec![Succeed, then_tasks[0], then_tasks[1]]), "{row}");
        assert_eq!((nodes(&world).len(), world.state.envs().count()), (0, 0), "{row}");
        for name in [EventName::JobRunning, EventName::TaskFailedInterrupted, EventName::JobFailedInterrupted] {
            let count = world.event_names().iter().filter(|other| **other == name).count();
            assert_eq!(count, if name == EventName::JobRunning { 1 } else { kept }, "{row}: {name}");
        }
    }
}

fn graph(action: FailedAction, mode: DependOn, retries: u64) -> JobSpec {
    let mut spec = elastic_job(&[("a", 1), ("b", 2), ("c", 1)]);
    spec.dependences = vec![(0, 1), (1, 2)];
    spec.depend_on = mode;
    spec.tasks[1].retries = retries;
    spec.tasks[1].own.as_mut().unwrap().failed_action = action;
    spec
}

/// Ends one instance by order.
fn terminate(world: &mut World, key: InstanceKey) {
    let task = world.state.job(key.job).unwrap().spec.tasks[key.task as usize].name.clone();
    world.run(Command::TerminateInstance { job: key.job, task, index: key.index.into() }).unwrap();
}

/// The nodes an instance was given to, in order.
fn placed(world: &World, key: InstanceKey) -> Vec<NodeId> {
    let places = world.changes.iter().filter_map(|change| match change.what {
        What::InstancePlaced(of, node) if of == key => Some(node),
        _ => None,
    });
    places.collect()
}

/// What the termination of one instance does.
fn end_interrupted(world: &mut World, key: InstanceKey) {
    let node = placed(world, key).pop().unwrap();
    terminate(world, key);
    assert_eq!(world.stage(key), Some(Stage::FailedInterrupted), "not before the node is gone");
    assert_eq!(world.state.node(node).unwrap().stage, NodeStage::Deleting);
    world.destroy_nodes();
}

#[test]
fn an_interrupted_task_holds_its_places_until_it_is_terminated() {
    let mut world = World::new(1);
    world.settings.node_places = Some(1);
    let first = world.submit(graph(FailedAction::FastInterrupt, DependOn::PreTaskSucceed, 0));
    run_all(&mut world, |run| if run.task == 1 { BAD } else { OK });
    assert_eq!(world.state.job(first).unwrap().instances.of(FailedInterrupted), 1, "one place, one kept node");
    assert_eq!(world.phases(first).1, [Succeed, Running, Pending], "the other waits for a place");
    world.settings.job_quota = 1;
    let spec = Box::new(elastic_job(&[("a", 1)]));
    assert_eq!(world.run(Command::SubmitJob { spec, token: None }), Err(Refusal::JobQuota(1)));
    world.settings.job_quota = 0;
    let second = world.submit(elastic_job(&[("a", 1)]));
    assert_eq!(world.phases(second).0, Runnable);
    assert_eq!(world.run(Command::DeleteJob(first)), Err(Refusal::JobUnfinished(first)));
    world.run(Command::TerminateJob(first)).unwrap();
    run_all(&mut world, |_| OK);
    assert_eq!((world.phases(first).0, world.phases(second).0), (Failed, Succeed));
}

#[test]
fn a_lost_node_leaves_nothing_to_be_kept() {
    let mut world = World::new(1);
    let mut spec = graph(FailedAction::FastInterrupt, DependOn::PreTaskSucceed, 1);
    spec.dependences = vec![];
    let id = world.submit(spec);
    world.start_nodes();
    let bad = InstanceKey { job: id, task: 1, index: 1 };
    let (node, run) = world.held().into_iter().find(|(_, run)| run.instance() == bad).unwrap();
    world.start(node, run);
    world.run(Command::NodeLost { node, reason: "gone".into(), begun: vec![run] }).unwrap();
    run_all(&mut world, |_| OK);
    assert_eq!(world.phases(id).0, Succeed, "what was lost had a run left, on another node");
    assert_ne!(placed(&world, bad)[0], placed(&world, bad)[1]);
}

#[test]
fn a_kept_node_that_is_lost_stays_until_its_instance_is_terminated() {
    let mut world = World::new(1);
    let mut spec = elastic_job(&[("a", 1)]);
    spec.tasks[0].own.as_mut().unwrap().failed_action = FailedAction::Interrupt;
    let id = world.submit(spec);
    run_all(&mut world, |_| BAD);
    let node = nodes(&world)[0];
    world.run(Command::NodeLost { node, reason: "gone".into(), begun: vec![] }).unwrap();
    assert_eq!((world.phases(id).0, world.state.node(node).unwrap().stage), (FailedInterrupted, NodeStage::Abnormal));
    world.run(Command::TerminateJob(id)).unwrap();
    assert_eq!(world.phases(id).0, FailedInterrupted);
    world.destroy_nodes();
    assert_eq!((world.phases(id).0, nodes(&world).len()), (Failed, 0));
}

/// Termination of a job, and of one instance, in each state.
#[test]
fn termination_in_each_state_destroys_the_node_first() {
    for whole_job in [true, false] {
        for state in [Pending, Runnable, Starting, Running, FailedInterrupted] {
            let mut world = World::new(1);
            let mut spec = elastic_job(&[("before", 1), ("a", 1)]);
            spec.tasks[1].own.as_mut().unwrap().failed_action = FailedAction::Interrupt;
            if state == Pending {
                spec.dependences = vec![(0, 1)];
            }
            let id = world.submit(spec);
            let key = InstanceKey { job: id, task: 1, index: 0 };
            bring_to(&mut world, key, state);
            if whole_job {
                world.run(Command::TerminateJob(id)).unwrap();
            } else {
                terminate(&mut world, key);
            }
            let row = format!("whole job: {whole_job}, {state}");
            let phase = world.phases(id).1[1];
            if matches!(state, Pending | Runnable) {
                assert_eq!(phase, Failed, "{row}: at once");
            } else {
                assert_eq!(phase, state, "{row}: when the node is gone");
                let node = placed(&world, key).pop().unwrap();
                assert_eq!(world.state.node(node).unwrap().stage, NodeStage::Deleting, "{row}");
                world.destroy_nodes();
                assert_eq!(world.phases(id).1[1], Failed, "{row}");
            }
            run_all(&mut world, |_| OK);
            assert!(world.phases(id).0 == Failed && nodes(&world).is_empty(), "{row}");
            assert_eq!(world.state.tasks_of(id).nth(1).unwrap().instances.of(Failed), 1);
        }
    }
}

fn bring_to(world: &mut World, key: InstanceKey, state: Phase) {
    if matches!(state, Starting | Running | FailedInterrupted) {
        world.start_nodes();
        let (node, run) = world.held().into_iter().find(|(_, run)| run.instance() == key).unwrap();
        if state != Starting {
            world.start(node, run);
        }
        if state == FailedInterrupted {
            world.exit(node, run, BAD);
        }
    }
    let there = world.phases(key.job).1[key.task as usize];
    assert_eq!(there, state);
}

#[test]
fn a_node_with_other_instances_is_left_to_them() {
    let mut world = World::new(1);
    let mut spec = elastic_job(&[("a", 2)]);
    spec.tasks[0].own.as_mut().unwrap().instance_types[0].slots = 2;
    let id = world.submit(spec);
    world.start_nodes();
    let [(node, first), (_, second)] = world.held()[..] else { panic!("two on one node") };
    world.start(node, first);
    world.start(node, second);
    terminate(&mut world, first.instance());
    assert_eq!(world.state.node(node).unwrap().stage, NodeStage::Running);
    world.exit(node, first, ExitHow::Killed);
    assert_eq!(world.state.job(id).unwrap().instances.of(Failed), 1);
    world.exit(node, second, OK);
    assert_eq!(world.state.node(node).unwrap().stage, NodeStage::Deleting);
    world.destroy_nodes();
    assert_eq!(world.state.job(id).unwrap().instances.of(Succeed), 1);
}
