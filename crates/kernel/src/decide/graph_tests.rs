//! Three tasks in a row, of which one instance of the second fails, in every way and under every mode.

use super::tests::{BAD, OK};
use crate::command::{Command, ExitHow};
use crate::event::EventName;
use crate::id::JobId;
use crate::instance::RunId;
use crate::job::DependOn;
use crate::phase::Phase::{self, Failed, Succeed};
use crate::testing::{World, job, notify};

const MODES: [DependOn; 3] =
    [DependOn::PreTaskSucceed, DependOn::PreTaskAtLeastPartlySucceed, DependOn::PreTaskFinished];

/// A job of tasks `a`, `b` with two instances, and `c`, in a row.
fn row(world: &mut World, nodes: u64, mode: DependOn, retries: u64) -> JobId {
    world.topic("t");
    let env = world.env(nodes, vec![]);
    let mut spec = job(env, &[("a", 1), ("b", 2), ("c", 1)]);
    spec.dependences = vec![(0, 1), (1, 2)];
    spec.depend_on = mode;
    spec.tasks[1].retries = retries;
    let of_job: Vec<EventName> = EventName::ALL.iter().copied().filter(|name| name.is_of_job()).collect();
    spec.notifications = vec![notify("t", &of_job)];
    world.submit(spec)
}

/// The state in which the third task ends when so many of the second's two instances failed.
fn third(mode: DependOn, failed: u32) -> Phase {
    match (mode, failed) {
        (_, 0) | (DependOn::PreTaskAtLeastPartlySucceed, 1) | (DependOn::PreTaskFinished, _) => Succeed,
        _ => Failed,
    }
}

fn count(world: &World, name: EventName) -> usize {
    world.events.iter().filter(|event| event.name == name).count()
}

/// How a run ends; how often of `attempts` it does so before one succeeds; `fails`: whether the instance has failed.
#[test]
fn a_failing_instance_in_every_mode_with_and_without_retries() {
    let ways = [BAD, ExitHow::Signal(9), ExitHow::TimedOut, ExitHow::NotStarted("why".into())];
    for mode in MODES {
        for how in &ways {
            for (retries, bad_runs) in [(0, 1), (1, 1), (2, 2), (2, 3)] {
                for failing in [1, 2] {
                    let mut world = World::new(1);
                    let id = row(&mut world, 2, mode, retries);
                    let is_bad = |run: RunId| run.task == 1 && run.index < failing && run.attempt <= bad_runs;
                    world.run_all(|run| if is_bad(run) { how.clone() } else { OK });
                    let failed = if u64::from(bad_runs) > retries { failing } else { 0 };
                    let what = format!("{mode:?} {how:?} {retries} {bad_runs} {failing}");
                    let second = if failed > 0 { Failed } else { Succeed };
                    let (whole, tasks) = world.phases(id);
                    assert_eq!(tasks, [Succeed, second, third(mode, failed)], "{what}");
                    assert_eq!(whole, second, "{what}");
                    let again = u64::from(failing) * retries.min(bad_runs.into());
                    assert_eq!(count(&world, EventName::TaskInstanceRetrying) as u64, again, "{what}");
                    let ends = [EventName::JobSucceed, EventName::JobFailed].map(|name| count(&world, name));
                    assert_eq!(ends.iter().sum::<usize>(), 1, "{what}");
                    let numbers: Vec<u64> = world.events.iter().map(|event| event.sequence).collect();
                    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "{what}");
                }
            }
        }
    }
}

/// How far the job has come when it is terminated: what is done before.
#[test]
fn termination_of_a_graph_in_each_state() {
    type Step = fn(&mut World);
    let table: &[(&str, u64, Step, [Phase; 3])] = &[
        ("nothing has a place", 0, |_| {}, [Failed; 3]),
        ("the first is held", 1, |_| {}, [Failed; 3]),
        ("the first runs", 1, start_all, [Failed; 3]),
        ("the second is held", 1, |world| end_first(world, OK), [Succeed, Failed, Failed]),
        (
            "the second runs",
            1,
            |world| {
                end_first(world, OK);
                start_all(world)
            },
            [Succeed, Failed, Failed],
        ),
        (
            "the second pauses",
            1,
            |world| {
                end_first(world, OK);
                end_first(world, BAD)
            },
            [Succeed, Failed, Failed],
        ),
        (
            "the third runs",
            2,
            |world| {
                (0..3).for_each(|_| end_first(world, OK));
                start_all(world)
            },
            [Succeed, Succeed, Failed],
        ),
        ("all is done", 1, |world| world.run_all(|_| OK), [Succeed; 3]),
    ];
    for mode in MODES {
        for (what, nodes, step, ends) in table {
            let mut world = World::new(1);
            world.settings.retry_pause_s = 60;
            let id = row(&mut world, *nodes, mode, 9);
            step(&mut world);
            world.run(Command::TerminateJob(id)).unwrap();
            while let Some((node, run)) = world.held().first().copied() {
                assert!(world.state.job(id).unwrap().terminating, "{mode:?}, {what}");
                world.exit(node, run, ExitHow::Killed);
            }
            world.pass_ms(600_000);
            assert_eq!(world.phases(id).1, *ends, "{mode:?}, {what}");
            let ended = world.state.job(id).unwrap();
            let reason = if ended.phase == Failed { "Terminated" } else { "" };
            assert_eq!((ended.reason.as_str(), ended.terminating), (reason, false), "{mode:?}, {what}");
            let last = world.events.last().map(|event| event.name);
            assert_eq!(last, EventName::of_job(ended.phase), "{mode:?}, {what}");
            assert_eq!(count(&world, EventName::JobFailed) + count(&world, EventName::JobSucceed), 1);
        }
    }
}

fn start_all(world: &mut World) {
    for (node, run) in world.held() {
        world.start(node, run);
    }
}

/// Ends the first instance that a node has.
fn end_first(world: &mut World, how: ExitHow) {
    let (node, run) = world.held()[0];
    world.start(node, run);
    world.exit(node, run, how);
}
