//! Instances that are ended one by one, as a table.

use super::tests::OK;
use crate::change::What;
use crate::command::{Command, ExitHow, Refusal, Report};
use crate::id::JobId;
use crate::instance::{Asked, InstanceKey};
use crate::job::DependOn;
use crate::phase::Phase::{self, Failed, Pending, Runnable, Running, Succeed};
use crate::testing::{World, job};

fn terminate(world: &mut World, job: JobId, task: &str, index: u64) -> Result<(), Refusal> {
    world.run(Command::TerminateInstance { job, task: task.into(), index }).map(|_| ())
}

/// How an instance failed: its reason.
fn failure(world: &World, key: InstanceKey) -> Option<String> {
    world.changes.iter().rev().find_map(|change| match &change.what {
        What::InstanceFailed(of, end) if *of == key => Some(end.reason.clone()),
        _ => None,
    })
}

#[test]
fn termination_of_an_instance_in_each_state() {
    let table: [(&str, u64, Phase, bool); 5] = [
        ("held", 0, Failed, true),
        ("started", 0, Failed, true),
        ("waiting", 3, Failed, false),
        ("pending", 1, Failed, false),
        ("done", 0, Succeed, false),
    ];
    for (what, index, ends, asks) in table {
        let mut world = World::new(1);
        let env = world.env(4, vec![]);
        let mut spec = job(env, &[("done", 1), ("started", 1), ("held", 1), ("waiting", 5), ("pending", 2)]);
        spec.dependences = vec![(1, 4)];
        spec.depend_on = DependOn::PreTaskFinished;
        spec.tasks.iter_mut().for_each(|task| task.retries = 3);
        let id = world.submit(spec);
        for (node, run) in world.held() {
            if run.task < 2 {
                world.start(node, run);
            }
            if run.task == 0 {
                world.exit(node, run, OK);
            }
        }
        let task = ["done", "started", "held", "waiting", "pending"].iter().position(|name| *name == what).unwrap();
        let key = InstanceKey { job: id, task: u32::try_from(task).unwrap(), index: u32::try_from(index).unwrap() };
        terminate(&mut world, id, what, index).unwrap();
        terminate(&mut world, id, what, index).unwrap();
        let asked = world.changes.iter().filter(|change| change.what == What::InstanceAsked(key, Asked::Kill)).count();
        assert_eq!(asked, usize::from(asks), "{what}: asked once, if a node has it");
        if let Some((node, run)) = world.held().into_iter().find(|(_, run)| run.instance() == key) {
            assert_eq!(failure(&world, key), None, "{what}: fails when it is dead");
            world.exit(node, run, ExitHow::Killed);
        }
        assert_eq!(failure(&world, key), (ends == Failed).then(|| "Terminated".to_owned()), "{what}");
        world.run_all(|_| OK);
        let counts = world.state.job(id).unwrap().instances;
        assert_eq!(counts.of(Failed), u64::from(ends == Failed), "{what}: others go on: {counts:?}");
        terminate(&mut world, id, what, index).unwrap();
        assert_eq!(world.state.job(id).unwrap().phase, if ends == Failed { Failed } else { Succeed });
    }
}

#[test]
fn no_retry_follows_however_a_terminated_run_ends() {
    let ends =
        [ExitHow::Killed, ExitHow::Code(1), ExitHow::Signal(15), ExitHow::TimedOut, ExitHow::NotStarted("why".into())];
    for how in ends {
        let mut world = World::new(1);
        let env = world.env(1, vec![]);
        let mut spec = job(env, &[("a", 1)]);
        spec.tasks[0].retries = 5;
        let id = world.submit(spec);
        let (node, run) = world.held()[0];
        world.start(node, run);
        terminate(&mut world, id, "a", 0).unwrap();
        assert_eq!(world.phases(id).0, Running);
        world.exit(node, run, how.clone());
        assert_eq!(world.phases(id).0, Failed, "{how:?}");
    }
}

#[test]
fn an_instance_to_be_ended_fails_with_its_node_and_when_it_comes_back() {
    for lost in [true, false] {
        let mut world = World::new(1);
        let env = world.env(1, vec![]);
        let mut spec = job(env, &[("a", 1)]);
        spec.tasks[0].retries = 5;
        let id = world.submit(spec);
        let (node, run) = world.held()[0];
        terminate(&mut world, id, "a", 0).unwrap();
        if lost {
            world.run(Command::NodeLost { node, reason: "gone".into(), begun: vec![] }).unwrap();
        } else {
            world.report(node, Report::Returned(run));
        }
        assert_eq!(world.phases(id).0, Failed);
        assert_eq!(failure(&world, run.instance()).as_deref(), Some("Terminated"));
    }
}

#[test]
fn a_pause_before_a_retry_ends_with_the_instance() {
    let mut world = World::new(1);
    world.settings.retry_pause_s = 60;
    let env = world.env(1, vec![]);
    let mut spec = job(env, &[("a", 1)]);
    spec.tasks[0].retries = 5;
    let id = world.submit(spec);
    let (node, run) = world.held()[0];
    world.exit(node, run, ExitHow::Code(1));
    assert_eq!(world.phases(id).0, Running);
    terminate(&mut world, id, "a", 0).unwrap();
    assert_eq!(world.phases(id).0, Failed);
    world.pass_ms(60_000);
    assert_eq!(world.held(), []);
}

#[test]
fn what_does_not_exist_cannot_be_ended() {
    let mut world = World::new(1);
    let env = world.env(0, vec![]);
    let id = world.submit(job(env, &[("a", 2)]));
    let lacks = |text: &str, path: &str| Err(Refusal::NoInstance { job: id, lacks: text.into(), path: path.into() });
    assert_eq!(terminate(&mut world, id, "b", 0), lacks("no task `b`", "TaskName"));
    let beyond = lacks("no instance 2 in its task `a`, which has 2", "TaskInstanceIndex");
    assert_eq!(terminate(&mut world, id, "a", 2), beyond);
    assert!(matches!(terminate(&mut world, id, "a", u64::MAX), Err(Refusal::NoInstance { .. })));
    let unknown = JobId::LAST;
    assert!(matches!(terminate(&mut world, unknown, "a", 0), Err(Refusal::NoInstance { job, .. }) if job == unknown));
    assert_eq!(world.phases(id).0, Runnable);
}

#[test]
fn a_pending_task_whose_instances_are_all_ended_has_failed() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    let mut spec = job(env, &[("a", 1), ("b", 2)]);
    spec.dependences = vec![(0, 1)];
    let id = world.submit(spec);
    terminate(&mut world, id, "b", 0).unwrap();
    assert_eq!(world.phases(id).1[1], Pending);
    terminate(&mut world, id, "b", 1).unwrap();
    assert_eq!(world.phases(id).1[1], Failed);
    world.run_all(|_| OK);
    assert_eq!(world.phases(id), (Failed, vec![Succeed, Failed]));
}
