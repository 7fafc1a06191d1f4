//! When nothing of a job runs: who is told why, and when.

use std::sync::Arc;

use super::tests::{BAD, OK};
use crate::change::EnvEdit;
use crate::command::{Command, ExitHow, Reply};
use crate::event::{EventName, Subject};
use crate::explain::{Explained, TaskWhy, Why, explain};
use crate::id::{EnvId, JobId};
use crate::job::JobSpec;
use crate::phase::Phase::{Failed, Pending};
use crate::testing::{World, job, notify};

/// A job that wants to be told when it is blocked.
fn asking(world: &mut World, env: EnvId, tasks: &[(&str, u32)]) -> JobSpec {
    if world.state.topic_named("t").is_none() {
        world.topic("t");
    }
    let mut spec = job(env, tasks);
    spec.notifications = vec![notify("t", &[EventName::JobBlocked, EventName::JobSubmitted])];
    spec
}

/// What was told: per event the words of its tasks.
fn told(world: &World) -> Vec<Vec<Why>> {
    let blocked = world.events.iter().filter_map(|event| match &event.subject {
        Subject::Blocked(_, reasons) => Some(reasons.iter().map(|task| task.why).collect()),
        _ => None,
    });
    blocked.collect()
}

fn why(world: &mut World, id: JobId) -> Vec<Why> {
    explained(world, id).tasks.iter().map(|task| task.why).collect()
}

fn explained(world: &mut World, id: JobId) -> Explained {
    let before = world.changes.len();
    let reply = world.only(Command::ExplainJob(id)).unwrap();
    assert_eq!(world.changes.len(), before, "to explain changes nothing");
    match reply {
        Reply::Explained(explained) => *explained,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_job_without_a_place_tells_so_after_a_while_and_only_once() {
    let mut world = World::new(1);
    let env = world.env(0, vec![]);
    let spec = asking(&mut world, env, &[("a", 3)]);
    world.submit(spec);
    world.pass_ms(9_999);
    assert!(told(&world).is_empty());
    world.pass_ms(1);
    assert_eq!(told(&world), [[Why::NoNode]]);
    for _ in 0..5 {
        world.pass_ms(10_000);
    }
    assert_eq!(told(&world).len(), 1, "nothing new");
    world.run(Command::ModifyEnv(env, EnvEdit { desired: Some(1), ..EnvEdit::default() })).unwrap();
    world.pass_ms(10_000);
    assert_eq!(told(&world).len(), 1, "still no node, though one is wanted now");
    world.start_nodes();
    world.pass_ms(20_000);
    assert_eq!(told(&world).len(), 1, "it runs");
    assert_eq!(world.events.last().unwrap().sequence, 2);
}

#[test]
fn other_reasons_are_told_anew() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    let block = world.submit(job(env, &[("long", 1)]));
    let mut spec = asking(&mut world, env, &[("a", 1), ("b", 1)]);
    spec.dependences = vec![(0, 1)];
    let id = world.submit(spec);
    world.pass_ms(10_000);
    assert_eq!(told(&world), [[Why::NodesBusy, Why::Dependence]]);
    let (node, run) = world.held()[0];
    world.run(Command::NodeLost { node, reason: "gone".into(), begun: vec![run] }).unwrap();
    assert_eq!(world.phases(block).0, Failed);
    world.pass_ms(10_000);
    assert_eq!(told(&world), [[Why::NodesBusy, Why::Dependence], [Why::NoNode, Why::Dependence]]);
    let detail = &explained(&mut world, id).tasks[0].detail;
    assert!(detail.contains("1 DELETING, 1 SUBMITTED"), "{detail}");
}

#[test]
fn a_job_that_has_run_and_is_blocked_again_tells_it_again() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    let block = world.submit(job(env, &[("long", 1)]));
    let mut spec = asking(&mut world, env, &[("a", 2)]);
    spec.priority = 1;
    world.submit(spec);
    world.pass_ms(10_000);
    let (node, run) = world.held()[0];
    assert_eq!(run.job, block);
    world.exit(node, run, OK);
    let mut urgent = job(env, &[("urgent", 1)]);
    urgent.priority = 2;
    world.submit(urgent);
    let (node, run) = world.held()[0];
    world.exit(node, run, OK);
    world.pass_ms(10_000);
    assert_eq!(told(&world), [[Why::NodesBusy], [Why::NodesBusy]]);
}

#[test]
fn who_does_not_ask_costs_nothing_and_is_told_nothing() {
    let mut world = World::new(1);
    let env = world.env(0, vec![]);
    world.submit(job(env, &[("a", 1)]));
    assert!(world.state.index.stalled.is_empty());
    let spec = asking(&mut world, env, &[("a", 1)]);
    world.settings.blocked_after_s = 0;
    world.submit(spec);
    let (commands, wake) = crate::decide::follow_ups(&world.state, &world.settings, world.now);
    assert_eq!((commands.len(), wake), (0, crate::time::Timestamp::NEVER), "0 switches it off");
    world.pass_ms(1_000_000);
    assert!(told(&world).is_empty());
}

#[test]
fn a_pause_before_a_retry_is_no_want_of_a_place() {
    let mut world = World::new(1);
    world.settings.retry_pause_s = 60;
    let env = world.env(1, vec![]);
    let mut spec = asking(&mut world, env, &[("a", 1)]);
    spec.tasks[0].retries = 9;
    let id = world.submit(spec);
    for _ in 0..5 {
        let (node, run) = world.held()[0];
        world.exit(node, run, BAD);
        world.pass_ms(60_000);
    }
    assert!(told(&world).is_empty());
    let (node, run) = world.held()[0];
    world.exit(node, run, BAD);
    let task = explained(&mut world, id).tasks.remove(0);
    assert_eq!((task.why, task.until), (Why::RetryPause, Some(world.now.plus_s(32))));
}

/// A job of tasks `a` and then `b`, brought into some situation, and what is said of the two.
#[test]
fn each_reason_has_its_word() {
    type Step = fn(&mut World, EnvId, JobId);
    let table: &[(&str, u64, Step, [Why; 2])] = &[
        ("no node", 0, |_, _, _| {}, [Why::NoNode, Why::Dependence]),
        ("starting", 2, |_, _, _| {}, [Why::Starting, Why::Dependence]),
        ("running", 2, start_all, [Why::Running, Why::Dependence]),
        ("one waits", 1, start_all, [Why::NodesBusy, Why::Dependence]),
        ("finished", 1, |world, _, _| world.run_all(|_| OK), [Why::Finished, Why::Finished]),
        ("failed", 1, |world, _, _| world.run_all(|_| BAD), [Why::Finished, Why::Finished]),
        ("terminating", 1, terminate, [Why::Terminating, Why::Finished]),
        ("environment goes", 1, delete_env, [Why::ComputeEnvDeleted, Why::Finished]),
    ];
    for (what, nodes, step, wanted) in table {
        let mut world = World::new(1);
        let env = world.env(*nodes, vec![]);
        let mut spec = job(env, &[("a", 2), ("b", 1)]);
        spec.dependences = vec![(0, 1)];
        let id = world.submit(spec);
        step(&mut world, env, id);
        assert_eq!(why(&mut world, id), wanted, "{what}");
    }
}

fn start_all(world: &mut World, _: EnvId, _: JobId) {
    for (node, run) in world.held() {
        world.start(node, run);
    }
}

fn terminate(world: &mut World, env: EnvId, id: JobId) {
    start_all(world, env, id);
    world.run(Command::TerminateJob(id)).unwrap();
}

fn delete_env(world: &mut World, env: EnvId, id: JobId) {
    start_all(world, env, id);
    world.run(Command::DeleteEnv(env)).unwrap();
}

#[test]
fn a_bound_of_the_task_is_told_as_quota() {
    let mut world = World::new(1);
    let env = world.env(4, vec![]);
    let mut spec = job(env, &[("a", 4)]);
    spec.tasks[0].max_concurrent = Some(2);
    let id = world.submit(spec);
    let task = explained(&mut world, id).tasks.remove(0);
    assert_eq!((task.why, task.detail.as_str()), (Why::Quota, "2 instances wait for a place; MaxConcurrentNum is 2"));
}

#[test]
fn a_type_that_cannot_be_had_is_told_with_its_reason() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    // Given up after as many tries as the environment allows.
    for _ in 0..=7 {
        for node in world.nodes(env) {
            world.run(Command::NodeLost { node, reason: "gone".into(), begun: vec![] }).unwrap();
            world.run(Command::NodeDestroyed { node, begun: vec![] }).unwrap();
        }
        world.pass_ms(60_000);
        for node in world.nodes(env) {
            world.run(Command::NodeCreating(node)).unwrap();
            world.run(Command::NodeCreationFailed(node, "no capacity".into())).unwrap();
            world.run(Command::NodeDestroyed { node, begun: vec![] }).unwrap();
        }
    }
    let id = world.submit(job(env, &[("a", 1)]));
    let task = explained(&mut world, id).tasks.remove(0);
    assert_eq!(task.why, Why::TypeUnavailable, "{task:?}");
    assert!(task.detail.ends_with("could not be made: no capacity"), "{task:?}");
}

#[test]
fn what_is_pending_names_the_tasks_before_it() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    let mut spec = job(env, &[("a", 1), ("b", 1), ("c", 1)]);
    spec.dependences = vec![(0, 2), (1, 2)];
    let id = world.submit(spec);
    let task: TaskWhy = explained(&mut world, id).tasks.remove(2);
    assert_eq!((task.phase, task.why), (Pending, Why::Dependence));
    assert_eq!(task.detail, "waits for `a` (STARTING), `b` (RUNNABLE)");
    let (node, run) = world.held()[0];
    world.exit(node, run, ExitHow::Code(0));
    let row = Arc::clone(world.state.job(id).unwrap());
    assert_eq!(explain(&world.state, &row, world.now).tasks[2].detail, "waits for `b` (STARTING)");
}
