//! Failed jobs that run again, as tables.

use super::tests::{BAD, OK};
use crate::change::What;
use crate::command::{Command, ExitHow, Refusal, Report};
use crate::event::EventName;
use crate::instance::{InstanceKey, RunId};
use crate::job::DependOn;
use crate::limits;
use crate::phase::Phase::{self, Failed, Pending, Runnable, Running, Starting, Succeed};
use crate::task::TaskKey;
use crate::testing::{World, job, notify};

fn retry(world: &mut World, id: crate::id::JobId) {
    world.run(Command::RetryJobs(vec![id])).unwrap();
}

#[test]
fn failed_instances_run_again_and_those_that_succeeded_do_not() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    let id = world.submit(job(env, &[("a", 4)]));
    world.run_all(|run| if run.index.is_multiple_of(2) { BAD } else { OK });
    assert_eq!(world.phases(id).0, Failed);
    retry(&mut world, id);
    assert_eq!(world.phases(id), (Starting, vec![Starting]));
    assert_eq!(world.state.job(id).unwrap().reason, "");
    let mut again = Vec::new();
    while let Some((node, run)) = world.held().first().copied() {
        again.push((run.index, run.attempt));
        world.start(node, run);
        assert_eq!(world.phases(id), (Running, vec![Running]));
        world.exit(node, run, OK);
    }
    assert_eq!(again, [(0, 2), (2, 2)], "no number of an attempt is given twice");
    assert_eq!(world.phases(id), (Succeed, vec![Succeed]));
    assert_eq!(world.state.job(id).unwrap().instances.of(Succeed), 4);
}

/// Three tasks in a row; `first` says which instances fail in the first run. Then the states after the retry, and
/// which tasks run again.
#[test]
fn a_retry_goes_task_by_task_along_the_graph() {
    use DependOn::{PreTaskAtLeastPartlySucceed as Partly, PreTaskFinished as Finished, PreTaskSucceed as All};
    type Row<'a> = (DependOn, &'a [(u32, u32)], [Phase; 3], &'a [(u32, u32)]);
    let table: &[Row<'_>] = &[
        (All, &[(0, 0)], [Starting, Pending, Pending], &[(0, 0), (1, 0), (1, 1), (2, 0)]),
        (All, &[(1, 1)], [Succeed, Starting, Pending], &[(1, 1), (2, 0)]),
        (Partly, &[(1, 0)], [Succeed, Starting, Succeed], &[(1, 0)]),
        (Partly, &[(1, 0), (1, 1)], [Succeed, Starting, Pending], &[(1, 0), (1, 1), (2, 0)]),
        (Finished, &[(0, 0), (2, 0)], [Starting, Succeed, Starting], &[(0, 0), (2, 0)]),
        (Finished, &[(1, 1), (2, 0)], [Succeed, Starting, Pending], &[(1, 1), (2, 0)]),
    ];
    for (mode, failing, after, again) in table {
        let mut world = World::new(1);
        let env = world.env(3, vec![]);
        let mut spec = job(env, &[("a", 1), ("b", 2), ("c", 1)]);
        spec.dependences = vec![(0, 1), (1, 2)];
        spec.depend_on = *mode;
        let id = world.submit(spec);
        world.run_all(|run| if failing.contains(&(run.task, run.index)) { BAD } else { OK });
        assert_eq!(world.phases(id).0, Failed, "{mode:?} {failing:?}");
        retry(&mut world, id);
        assert_eq!(world.phases(id).1, after, "{mode:?} {failing:?}");
        let mut order: Vec<(u32, u32)> = Vec::new();
        while let Some((node, run)) = world.held().first().copied() {
            order.push((run.task, run.index));
            world.exit(node, run, OK);
        }
        assert_eq!(order, *again, "{mode:?} {failing:?}");
        assert_eq!(world.phases(id), (Succeed, vec![Succeed; 3]), "{mode:?} {failing:?}");
    }
}

#[test]
fn a_retried_instance_gets_its_retries_anew() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    let mut spec = job(env, &[("a", 1)]);
    spec.tasks[0].retries = 1;
    let id = world.submit(spec);
    world.run_all(|_| BAD);
    retry(&mut world, id);
    let mut attempts = Vec::new();
    while let Some((node, run)) = world.held().first().copied() {
        attempts.push(run.attempt);
        world.start(node, run);
        world.exit(node, run, BAD);
    }
    assert_eq!(attempts, [3, 4]);
    assert_eq!(world.phases(id).0, Failed);
    retry(&mut world, id);
    world.run_all(|_| OK);
    assert_eq!(world.phases(id).0, Succeed, "as often as anyone wants");
}

#[test]
fn late_reports_of_an_attempt_before_the_retry_are_not_believed() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    let id = world.submit(job(env, &[("a", 1)]));
    let (node, run) = world.held()[0];
    world.exit(node, run, BAD);
    retry(&mut world, id);
    world.start(node, run);
    world.exit(node, run, OK);
    assert_eq!(world.phases(id).0, Starting);
}

#[test]
fn a_retry_is_of_all_jobs_or_of_none() {
    let mut world = World::new(1);
    let env = world.env(2, vec![]);
    let (failed, running) = (world.submit(job(env, &[("a", 1)])), world.submit(job(env, &[("b", 1)])));
    let held = world.held().into_iter().find(|(_, run)| run.job == failed).unwrap();
    world.exit(held.0, held.1, BAD);
    let before = world.changes.len();
    let refused = world.run(Command::RetryJobs(vec![failed, running]));
    assert_eq!(refused, Err(Refusal::JobNotFailed { job: running, state: "STARTING", path: "JobIds.1".into() }));
    let unknown = crate::id::JobId::LAST;
    assert_eq!(world.run(Command::RetryJobs(vec![failed, unknown])), Err(Refusal::NoJob(unknown)));
    assert_eq!(world.changes.len(), before, "nothing has happened");
    world.run_all(|_| OK);
    let refused = world.run(Command::RetryJobs(vec![running]));
    assert_eq!(refused, Err(Refusal::JobNotFailed { job: running, state: "SUCCEED", path: "JobIds.0".into() }));
    world.run(Command::RetryJobs(vec![failed, failed])).unwrap();
    world.run_all(|_| OK);
    assert_eq!(world.phases(failed).0, Succeed);
}

#[test]
fn a_job_whose_environment_is_gone_is_not_retried() {
    let mut world = World::new(1);
    let (env, other) = (world.env(1, vec![]), world.env(1, vec![]));
    let mut spec = job(env, &[("a", 1), ("b", 1)]);
    spec.tasks[1].env = other;
    let id = world.submit(spec);
    world.run_all(|run| if run.task == 1 { BAD } else { OK });
    world.run(Command::DeleteEnv(env)).unwrap();
    retry(&mut world, id);
    world.run_all(|_| BAD);
    world.run(Command::DeleteEnv(other)).unwrap();
    let refused = |problem| {
        let (task, path) = ("b".into(), "JobIds.0".into());
        Err(Refusal::RetryWithoutEnv { job: id, task, env: other, problem, path })
    };
    assert_eq!(world.run(Command::RetryJobs(vec![id])), refused("is being deleted"));
    for node in world.nodes(other) {
        world.run(Command::NodeDestroyed { node, begun: vec![] }).unwrap();
    }
    assert_eq!(world.run(Command::RetryJobs(vec![id])), refused("does not exist any more"));
    assert_eq!(world.phases(id).0, Failed);
}

#[test]
fn a_retry_counts_among_the_unfinished_jobs() {
    let mut world = World::new(1);
    world.settings.job_quota = 1;
    let env = world.env(1, vec![]);
    let failed = world.submit(job(env, &[("a", 1)]));
    world.run_all(|_| BAD);
    world.submit(job(env, &[("a", 1)]));
    assert_eq!(world.run(Command::RetryJobs(vec![failed])), Err(Refusal::JobQuota(1)));
    world.run_all(|_| OK);
    retry(&mut world, failed);
}

#[test]
fn a_retried_job_tells_all_its_changes_again_and_counts_on() {
    let mut world = World::new(1);
    world.topic("t");
    let env = world.env(1, vec![]);
    let mut spec = job(env, &[("a", 1)]);
    let of_job: Vec<EventName> = EventName::ALL.iter().copied().filter(|name| name.is_of_job()).collect();
    spec.notifications = vec![notify("t", &of_job)];
    let id = world.submit(spec);
    world.run_all(|_| BAD);
    world.events.clear();
    retry(&mut world, id);
    world.run_all(|_| OK);
    let told: Vec<(u64, &str)> = world.events.iter().map(|event| (event.sequence, event.name.as_str())).collect();
    let expected = [
        (8, "JOB_RETRIED"),
        (9, "TASK_INSTANCE_RUNNING"),
        (10, "TASK_RUNNING"),
        (11, "JOB_RUNNING"),
        (12, "TASK_INSTANCE_SUCCEED"),
        (13, "TASK_SUCCEED"),
        (14, "JOB_SUCCEED"),
    ];
    assert_eq!(told, expected);
    let again = world.state.job(id).unwrap();
    assert_eq!((again.phase, again.ended.is_some()), (Succeed, true));
}

#[test]
fn a_million_failed_instances_are_retried_in_chunks() {
    let count = 3 * limits::SWEEP_INSTANCES as u32 + 7;
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    let id = world.submit(job(env, &[("a", count)]));
    world.run(Command::TerminateJob(id)).unwrap();
    let (node, run) = world.held()[0];
    world.exit(node, run, ExitHow::Killed);
    assert_eq!(world.phases(id).0, Failed);
    world.only(Command::RetryJobs(vec![id])).unwrap();
    let counts = world.state.job(id).unwrap().instances;
    assert_eq!(counts.of(Runnable), u64::from(count), "they count as RUNNABLE at once");
    let key = TaskKey { job: id, task: 0 };
    world.only(Command::Sweep).unwrap();
    let redo = world.state.task(key).unwrap().redo.unwrap();
    assert_eq!((redo.from, redo.left), (1_000, 2_007), "a chunk a commit");
    world.settle();
    let task = world.state.task(key).unwrap();
    assert_eq!((task.redo, task.bulk.pieces()), (None, 1), "all of them are one range again, but what is placed");
    assert_eq!(world.state.instances_of(key).count(), 1);
}

#[test]
fn scattered_failures_wait_for_their_turn_so_that_a_task_stays_a_small_row() {
    let count = 4 * limits::BULK_RANGES as u32;
    let mut world = World::new(1);
    let env = world.env_with_slots(1, 64, vec![]);
    let id = world.submit(job(env, &[("a", count)]));
    let failing = |run: RunId| if run.index.is_multiple_of(2) { BAD } else { OK };
    run_in_bulk(&mut world, failing);
    retry(&mut world, id);
    let key = TaskKey { job: id, task: 0 };
    let mut most = 0;
    while !world.held().is_empty() {
        most = most.max(world.state.task(key).unwrap().bulk.pieces());
        run_some(&mut world, |_| OK);
    }
    assert!(most <= limits::BULK_RANGES + limits::SWEEP_INSTANCES, "{most} ranges");
    assert_eq!(world.phases(id).0, Succeed);
    assert_eq!(world.state.job(id).unwrap().instances.of(Succeed), u64::from(count));
}

fn run_in_bulk(world: &mut World, how: impl Fn(RunId) -> ExitHow) {
    while !world.held().is_empty() {
        run_some(world, &how);
    }
}

/// Ends everything that nodes hold, in one command a node.
fn run_some(world: &mut World, how: impl Fn(RunId) -> ExitHow) {
    let held = world.held();
    let node = held[0].0;
    let exit = |run| crate::command::RunExit { how: how(run), run_ms: 10_000, end: Default::default() };
    let reports = held.iter().filter(|(of, _)| *of == node).map(|(_, run)| Report::Exited(*run, exit(*run)));
    let reports = reports.collect();
    world.run(Command::NodeReports(node, reports)).unwrap();
}

#[test]
fn a_job_terminated_while_it_is_made_ready_again_ends() {
    let count = 2 * limits::SWEEP_INSTANCES as u32 + 5;
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    let id = world.submit(job(env, &[("a", count)]));
    world.run(Command::TerminateJob(id)).unwrap();
    let (node, run) = world.held()[0];
    world.exit(node, run, ExitHow::Killed);
    world.only(Command::RetryJobs(vec![id])).unwrap();
    world.only(Command::Sweep).unwrap();
    let instance = |index| Command::TerminateInstance { job: id, task: "a".into(), index };
    assert_eq!(world.run(instance(0)), Ok(crate::command::Reply::Done));
    world.only(Command::TerminateJob(id)).unwrap();
    world.settle();
    while let Some((node, run)) = world.held().first().copied() {
        world.exit(node, run, ExitHow::Killed);
    }
    assert_eq!(world.phases(id), (Failed, vec![Failed]));
    assert_eq!(world.state.job(id).unwrap().instances.of(Failed), u64::from(count));
    let last = InstanceKey { job: id, task: 0, index: count - 1 };
    assert!(world.past.contains_key(&last));
    assert!(world.has(|what| matches!(what, What::JobRetried(..))));
}
