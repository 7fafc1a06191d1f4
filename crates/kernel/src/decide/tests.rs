//! The life of jobs, as tables.

use crate::change::What;
use crate::command::{Command, ExitHow, Refusal, Report};
use crate::event::EventName;
use crate::instance::{Asked, InstanceKey, Stage};
use crate::job::DependOn;
use crate::phase::Phase::{self, Failed, Pending, Runnable, Running, Starting, Succeed};
use crate::testing::{World, job, notify};

pub(super) const OK: ExitHow = ExitHow::Code(0);
pub(super) const BAD: ExitHow = ExitHow::Code(3);

#[test]
fn an_instance_takes_its_task_and_job_along() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    let id = world.submit(job(env, &[("a", 1)]));
    assert_eq!(world.phases(id), (Starting, vec![Starting]));
    let (node, run) = world.held()[0];
    world.start(node, run);
    assert_eq!(world.phases(id), (Running, vec![Running]));
    world.exit(node, run, OK);
    assert_eq!(world.phases(id), (Succeed, vec![Succeed]));
    assert!(world.held().is_empty());
}

#[test]
fn without_a_free_slot_a_job_waits_runnable() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    let first = world.submit(job(env, &[("a", 1)]));
    let second = world.submit(job(env, &[("a", 1), ("b", 1)]));
    assert_eq!(world.phases(second), (Runnable, vec![Runnable, Runnable]));
    world.run_all(|_| OK);
    assert_eq!((world.phases(first).0, world.phases(second).0), (Succeed, Succeed));
}

/// Three tasks in a row, of which the second has two instances and one or both fail.
#[test]
fn dependences_follow_their_mode() {
    let table: &[(DependOn, &[u32], Phase, Phase)] = &[
        (DependOn::PreTaskSucceed, &[], Succeed, Succeed),
        (DependOn::PreTaskSucceed, &[1], Failed, Failed),
        (DependOn::PreTaskAtLeastPartlySucceed, &[1], Failed, Succeed),
        (DependOn::PreTaskAtLeastPartlySucceed, &[0, 1], Failed, Failed),
        (DependOn::PreTaskFinished, &[0, 1], Failed, Succeed),
    ];
    for (mode, failing, second, third) in table {
        let mut world = World::new(1);
        let env = world.env(1, vec![]);
        let mut spec = job(env, &[("a", 1), ("b", 2), ("c", 1)]);
        spec.dependences = vec![(0, 1), (1, 2)];
        spec.depend_on = *mode;
        let id = world.submit(spec);
        assert_eq!(world.phases(id).1, [Starting, Pending, Pending]);
        world.run_all(|run| if run.task == 1 && failing.contains(&run.index) { BAD } else { OK });
        let (phase, tasks) = world.phases(id);
        assert_eq!(tasks, [Succeed, *second, *third], "{mode:?} {failing:?}");
        assert_eq!(phase, if failing.is_empty() { Succeed } else { Failed });
    }
}

#[test]
fn a_dependence_that_cannot_be_met_fails_all_that_follow() {
    let mut world = World::new(1);
    let env = world.env(2, vec![]);
    let mut spec = job(env, &[("a", 1), ("b", 3), ("c", 1), ("d", 1)]);
    spec.dependences = vec![(0, 1), (1, 2), (3, 2)];
    let id = world.submit(spec);
    world.run_all(|run| if run.task == 0 { BAD } else { OK });
    assert_eq!(world.phases(id), (Failed, vec![Failed, Failed, Failed, Succeed]));
    let reasons: Vec<&str> = world.state.tasks_of(id).map(|task| task.reason.as_str()).collect();
    assert_eq!(reasons, ["1 of 1 instances failed", "DependenceUnmet: a", "DependenceUnmet: b", ""]);
    assert_eq!(world.state.job(id).unwrap().reason, "task a: 1 of 1 instances failed");
}

#[test]
fn a_failed_instance_leaves_its_siblings_alone() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    let id = world.submit(job(env, &[("a", 3)]));
    world.run_all(|run| if run.index == 0 { BAD } else { OK });
    let counts = world.state.job(id).unwrap().instances;
    assert_eq!((counts.of(Succeed), counts.of(Failed)), (2, 1));
}

#[test]
fn a_failed_run_is_tried_again_after_a_pause_on_another_node() {
    let mut world = World::new(1);
    world.settings.retry_pause_s = 60;
    let env = world.env(2, vec![]);
    let mut spec = job(env, &[("a", 1)]);
    spec.tasks[0].retries = 2;
    let id = world.submit(spec);
    let mut nodes = Vec::new();
    for (attempt, pause_s) in [(1, 1), (2, 2), (3, 0)] {
        let (node, run) = world.held()[0];
        assert_eq!(run.attempt, attempt);
        nodes.push(node);
        world.start(node, run);
        world.exit(node, run, BAD);
        if attempt < 3 {
            world.pass_ms(pause_s * 1000 - 1);
            assert_eq!(world.held(), [], "the pause is not over");
            world.pass_ms(1);
        }
    }
    assert_ne!(nodes[0], nodes[1]);
    assert_eq!(world.phases(id).0, Failed);
}

#[test]
fn each_way_to_fail_has_its_reason() {
    let table = [
        (ExitHow::Code(3), Some(3), "ExitCode: 3"),
        (ExitHow::Signal(9), Some(137), "Signal: 9"),
        (
            ExitHow::OutOfMemory { code: 137, limit_mb: 64 },
            Some(137),
            "OutOfMemory: needed more than the 64 MiB that it may use",
        ),
        (ExitHow::TimedOut, None, "Timeout: ran longer than 60 s"),
        (ExitHow::Failed("PackageInvalid: no archive".into()), None, "PackageInvalid: no archive"),
        (ExitHow::NotStarted("no space".into()), None, "NotStarted: no space"),
    ];
    for (how, code, reason) in table {
        let mut world = World::new(1);
        let env = world.env(1, vec![]);
        world.submit(job(env, &[("a", 1)]));
        let (node, run) = world.held()[0];
        world.exit(node, run, how);
        let end = world.changes.iter().find_map(|change| match &change.what {
            What::InstanceFailed(_, end) => Some((end.exit_code, end.reason.clone())),
            _ => None,
        });
        assert_eq!(end, Some((code, reason.to_owned())));
    }
}

#[test]
fn late_and_foreign_reports_are_not_believed() {
    let mut world = World::new(1);
    let env = world.env(2, vec![]);
    let mut spec = job(env, &[("a", 1)]);
    spec.tasks[0].retries = 1;
    let id = world.submit(spec);
    let (node, first) = world.held()[0];
    world.start(node, first);
    world.exit(node, first, BAD);
    let (next, second) = world.held()[0];
    world.exit(node, first, OK);
    world.exit(node, second, OK);
    assert_eq!(world.held(), [(next, second)], "neither an old attempt nor another node ends it");
    world.start(next, second);
    world.start(next, second);
    world.exit(next, second, OK);
    assert_eq!(world.phases(id).0, Succeed);
    let started = world.changes.iter().filter(|change| matches!(change.what, What::InstanceStarted(_))).count();
    assert_eq!(started, 2, "a repeated report changes nothing");
}

#[test]
fn termination_reaches_every_state() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    let mut spec = job(env, &[("running", 1), ("runnable", 2), ("pending", 2)]);
    spec.dependences = vec![(1, 2)];
    let id = world.submit(spec);
    let (node, run) = world.held()[0];
    world.start(node, run);
    world.run(Command::TerminateJob(id)).unwrap();
    assert_eq!(world.phases(id), (Running, vec![Running, Failed, Failed]));
    assert!(world.state.job(id).unwrap().terminating);
    assert!(world.has(|what| matches!(what, What::InstanceAsked(_, Asked::Kill))));
    world.exit(node, run, ExitHow::Killed);
    assert_eq!(world.phases(id), (Failed, vec![Failed; 3]));
    assert_eq!(world.state.job(id).unwrap().reason, "Terminated");
    assert!(!world.state.job(id).unwrap().terminating);
    world.run(Command::TerminateJob(id)).unwrap();
}

#[test]
fn only_a_finished_job_can_be_deleted() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    let id = world.submit(job(env, &[("a", 1)]));
    assert_eq!(world.run(Command::DeleteJob(id)), Err(Refusal::JobUnfinished(id)));
    world.run_all(|_| OK);
    world.run(Command::DeleteJob(id)).unwrap();
    assert_eq!(world.run(Command::DeleteJob(id)), Err(Refusal::NoJob(id)));
}

#[test]
fn a_lost_node_fails_what_had_begun_and_gives_back_the_rest() {
    let mut world = World::new(1);
    let env = world.env_with_slots(1, 3, vec![]);
    let id = world.submit(job(env, &[("a", 3)]));
    let held = world.held();
    let node = held[0].0;
    world.start(node, held[0].1);
    world.run(Command::NodeLost { node, reason: "gone".into(), begun: vec![held[1].1] }).unwrap();
    let counts = world.state.job(id).unwrap().instances;
    assert_eq!((counts.of(Failed), counts.of(Runnable)), (2, 1), "begun by report, begun by journal, never begun");
    let stages: Vec<&str> = world.state.nodes_of(env).map(|node| node.stage.as_str()).collect();
    assert_eq!(stages.len(), 2);
    assert!(stages.contains(&"DELETING") && stages.contains(&"SUBMITTED"), "{stages:?}");
    world.run(Command::NodeDestroyed { node, begun: vec![] }).unwrap();
    world.start_nodes();
    world.run_all(|_| OK);
    assert_eq!(world.phases(id).0, Failed);
}

#[test]
fn recreation_has_a_limit() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    for _ in 0..7 {
        let node = world.state.nodes_of(env).find(|node| node.stage.as_str() == "RUNNING").unwrap().id;
        world.run(Command::NodeLost { node, reason: "gone".into(), begun: vec![] }).unwrap();
        world.run(Command::NodeDestroyed { node, begun: vec![] }).unwrap();
        world.pass_ms(60_000);
        world.start_nodes();
    }
    let node = world.nodes(env)[0];
    world.run(Command::NodeLost { node, reason: "gone".into(), begun: vec![] }).unwrap();
    let stages: Vec<&str> = world.state.nodes_of(env).map(|node| node.stage.as_str()).collect();
    assert_eq!(stages, ["ABNORMAL"], "given up");
    world.run(Command::NodeConnected(node, Default::default())).unwrap();
    assert_eq!(world.state.node(node).unwrap().stage.as_str(), "RUNNING", "a node that reports again is taken back");
}

#[test]
fn a_deleted_environment_takes_nodes_and_instances_along() {
    let mut world = World::new(1);
    world.topic("t");
    let events = [EventName::ComputeEnvCreated, EventName::ComputeNodeDeleting, EventName::ComputeEnvDeleted];
    let env = world.env(2, vec![notify("t", &events)]);
    let id = world.submit(job(env, &[("a", 3)]));
    let (node, run) = world.held()[0];
    world.start(node, run);
    world.run(Command::DeleteEnv(env)).unwrap();
    for node in world.nodes(env) {
        world.run(Command::NodeDestroyed { node, begun: vec![] }).unwrap();
    }
    assert!(world.state.env(env).is_none());
    assert_eq!(world.phases(id).0, Failed);
    assert_eq!(world.state.tasks_of(id).next().unwrap().reason, "ComputeEnvDeleted");
    use EventName::{ComputeEnvCreated as Created, ComputeEnvDeleted as Gone, ComputeNodeDeleting as Going};
    assert_eq!(world.event_names(), [Created, Going, Going, Gone]);
    assert_eq!(world.events.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let refused = world.run(Command::SubmitJob { spec: Box::new(job(env, &[("a", 1)])), token: None });
    assert_eq!(refused, Err(Refusal::NoEnv { env, path: "Job.Tasks.0.EnvId".into() }));
}

#[test]
fn environments_grow_and_shrink() {
    let mut world = World::new(1);
    let env = world.env(2, vec![]);
    let edit = |desired| crate::change::EnvEdit { desired: Some(desired), ..Default::default() };
    world.run(Command::ModifyEnv(env, edit(3))).unwrap();
    world.start_nodes();
    assert_eq!(world.nodes(env).len(), 3);
    world.submit(job(env, &[("a", 1)]));
    let busy = world.held()[0].0;
    world.run(Command::ModifyEnv(env, edit(1))).unwrap();
    let staying: Vec<_> =
        world.state.nodes_of(env).filter(|node| node.stage.as_str() == "RUNNING").map(|node| node.id).collect();
    assert_eq!(staying, [busy], "idle nodes go first");
}

#[test]
fn an_environment_shrinks_by_what_is_missed_least() {
    let mut world = World::new(1);
    let env = world.env_with_slots(3, 1, vec![]);
    world.submit(job(env, &[("a", 1)]));
    let older = world.held()[0].0;
    world.pass_ms(1_000);
    world.submit(job(env, &[("b", 1)]));
    let younger = world.held().into_iter().map(|(node, _)| node).find(|node| *node != older).unwrap();
    let idle = world.nodes(env).into_iter().find(|node| ![older, younger].contains(node)).unwrap();
    let edit = |desired| crate::change::EnvEdit { desired: Some(desired), ..Default::default() };
    for (left, gone) in [(2, vec![idle]), (1, vec![idle, younger]), (0, vec![idle, younger, older])] {
        world.run(Command::ModifyEnv(env, edit(left))).unwrap();
        let going = |node: &&std::sync::Arc<crate::node::Node>| node.stage.as_str() == "DELETING";
        let mut going: Vec<_> = world.state.nodes_of(env).filter(going).map(|node| node.id).collect();
        let mut gone = gone;
        going.sort();
        gone.sort();
        assert_eq!(going, gone, "{left} are left");
    }
}

#[test]
fn nodes_that_are_being_made_are_not_enough_to_shrink_by() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    let edit = |desired| crate::change::EnvEdit { desired: Some(desired), ..Default::default() };
    world.run(Command::ModifyEnv(env, edit(2))).unwrap();
    let wanted = world.state.nodes_of(env).find(|node| node.stage.as_str() == "SUBMITTED").unwrap().id;
    world.run(Command::NodeCreating(wanted)).unwrap();
    let path = "DesiredComputeNodeCount".to_owned();
    let refused = world.run(Command::ModifyEnv(env, edit(0)));
    assert_eq!(refused, Err(Refusal::TooFewNodes { wanted: 2, able: 1, path }));
    assert_eq!(world.state.env(env).unwrap().desired, 2, "nothing changed");
    world.run(Command::ModifyEnv(env, edit(1))).unwrap();
    world.run(Command::DeleteEnv(env)).unwrap();
    let refused = world.run(Command::ModifyEnv(env, edit(3)));
    assert_eq!(refused, Err(Refusal::EnvDeleting { env, path: "EnvId".into() }));
}

#[test]
fn new_nodes_take_the_types_that_an_environment_has_now() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    let first = world.nodes(env)[0];
    let kind = crate::environment::NodeType { name: "S5.LARGE8".into(), cpu: 4, mem_gb: 8, slots: 3 };
    let types = crate::change::EnvEdit { instance_types: Some(vec![kind]), ..Default::default() };
    world.run(Command::ModifyEnv(env, types.clone())).unwrap();
    assert_eq!(world.state.node(first).unwrap().kind, "S5.SMALL1", "what is there stays as it is");
    let before = world.changes.len();
    world.run(Command::ModifyEnv(env, types)).unwrap();
    assert_eq!(world.changes.len(), before, "the same again changes nothing");
    let more = crate::change::EnvEdit { desired: Some(2), ..Default::default() };
    world.run(Command::ModifyEnv(env, more)).unwrap();
    let second = world.state.nodes_of(env).find(|node| node.id != first).unwrap();
    assert_eq!((second.kind.as_str(), second.slots, second.cpu, second.mem_gb), ("S5.LARGE8", 3, 4, 8));
}

#[test]
fn recreation_pauses_longer_each_time_and_as_often_as_the_environment_allows() {
    for most in [0, 1, 3] {
        let mut world = World::new(1);
        let env = world.env(1, vec![]);
        let mut row = (**world.state.env(env).unwrap()).clone();
        std::sync::Arc::make_mut(&mut row.spec).max_recreations = most;
        world.state.envs.put(env, row);
        for tried in 0..=most {
            let node = world.state.nodes_of(env).find(|node| node.stage.as_str() == "RUNNING").unwrap().id;
            world.run(Command::NodeLost { node, reason: "gone".into(), begun: vec![] }).unwrap();
            let next = world.state.nodes_of(env).find_map(|node| match node.stage {
                crate::node::NodeStage::Submitted { not_before } => Some(not_before.since_ms(world.now)),
                _ => None,
            });
            let pause = [0, 2_000, 4_000, 8_000][usize::try_from(tried).unwrap()];
            assert_eq!(next, (tried < most).then_some(pause), "{tried} of {most}");
            if next.is_some() {
                world.run(Command::NodeDestroyed { node, begun: vec![] }).unwrap();
                world.pass_ms(pause);
                world.start_nodes();
            }
        }
    }
}

#[test]
fn a_terminated_node_is_replaced() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    let node = world.nodes(env)[0];
    world.run(Command::TerminateNodes(env, vec![node])).unwrap();
    let again = world.run(Command::TerminateNodes(env, vec![node]));
    assert_eq!(again, Err(Refusal::NodeTerminating { node, path: "ComputeNodeIds.0".into() }));
    world.run(Command::NodeDestroyed { node, begun: vec![] }).unwrap();
    assert_eq!(world.nodes(env).len(), 1);
    assert_ne!(world.nodes(env)[0], node);
}

#[test]
fn higher_priority_goes_first_and_equals_take_turns() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    let block = world.submit(job(env, &[("a", 1)]));
    let low = world.submit(job(env, &[("a", 2)]));
    let mut spec = job(env, &[("a", 2)]);
    let mut jobs = vec![low];
    jobs.push(world.submit(spec.clone()));
    spec.priority = 50;
    let high = world.submit(spec);
    let mut order = Vec::new();
    while let Some((node, run)) = world.held().first().copied() {
        order.push(run.job);
        world.start(node, run);
        world.exit(node, run, OK);
    }
    assert_eq!(order[..3], [block, high, high]);
    assert_eq!((order[3] == order[5], order[4] == order[6], order[3] != order[4]), (true, true, true), "{order:?}");
}

#[test]
fn max_concurrent_bounds_a_task() {
    let mut world = World::new(1);
    let env = world.env_with_slots(1, 8, vec![]);
    let mut spec = job(env, &[("a", 5)]);
    spec.tasks[0].max_concurrent = Some(2);
    let id = world.submit(spec);
    assert_eq!(world.held().len(), 2);
    world.run_all(|_| OK);
    assert_eq!(world.phases(id).0, Succeed);
}

#[test]
fn a_million_instances_are_one_small_row() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    let id = world.submit(job(env, &[("a", 1_000_000)]));
    assert_eq!(world.state.instances_of(crate::task::TaskKey { job: id, task: 0 }).count(), 1);
    world.only(Command::TerminateJob(id)).unwrap();
    world.only(Command::Sweep).unwrap();
    let counts = world.state.job(id).unwrap().instances;
    assert_eq!(counts.of(Failed), 999, "a chunk of a thousand, one of which a node has to end");
}

#[test]
fn short_runs_are_given_ahead_and_asked_back_for_an_idle_node() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    world.submit(job(env, &[("a", 1)]));
    let (node, run) = world.held()[0];
    world.start(node, run);
    let exit = crate::command::RunExit { how: OK, run_ms: 2, end: Default::default() };
    world.report(node, Report::Exited(run, exit));
    world.submit(job(env, &[("a", 10)]));
    assert_eq!(world.held().len(), 10, "one in the slot, the others behind it");
    let edit = crate::change::EnvEdit { desired: Some(2), ..Default::default() };
    world.run(Command::ModifyEnv(env, edit)).unwrap();
    world.start_nodes();
    world.start(node, world.held()[0].1);
    world.pass_ms(crate::limits::NODE_AHEAD_PATIENCE_MS);
    let asked: Vec<InstanceKey> = world
        .changes
        .iter()
        .filter_map(|change| match change.what {
            What::InstanceAsked(key, Asked::Return) => Some(key),
            _ => None,
        })
        .collect();
    assert_eq!(asked.len(), 1, "as many as there are idle slots");
    let back = world.held().into_iter().find(|(_, run)| run.instance() == asked[0]).unwrap().1;
    world.report(node, Report::Returned(back));
    assert!(matches!(world.stage(asked[0]), Some(Stage::Held { node: other, .. }) if other != node));
    let instance = world.state.instance(asked[0]).unwrap();
    assert_eq!((instance.attempt, instance.failures), (2, 0), "no number is given twice, and nothing has failed");
    world.report(node, Report::Returned(back));
    assert!(
        world.stage(asked[0]).is_some_and(|stage| matches!(stage, Stage::Held { node: other, .. } if other != node))
    );
}

#[test]
fn events_of_a_job_are_numbered_without_a_gap_in_the_order_of_changes() {
    let mut world = World::new(1);
    world.topic("all");
    world.topic("ends");
    let env = world.env(1, vec![]);
    let mut spec = job(env, &[("a", 2), ("b", 1)]);
    spec.dependences = vec![(0, 1)];
    let of_job: Vec<EventName> = EventName::ALL.iter().copied().filter(|name| name.is_of_job()).collect();
    spec.notifications = vec![notify("all", &of_job), notify("ends", &[EventName::JobSucceed])];
    world.submit(spec);
    world.run_all(|_| OK);
    let all = world.state.topic_named("all").unwrap().no;
    let told: Vec<(u64, &str)> = world.events.iter().map(|event| (event.sequence, event.name.as_str())).collect();
    let expected = [
        (1, "JOB_SUBMITTED"),
        (2, "TASK_INSTANCE_RUNNING"),
        (3, "TASK_RUNNING"),
        (4, "JOB_RUNNING"),
        (5, "TASK_INSTANCE_SUCCEED"),
        (6, "TASK_INSTANCE_RUNNING"),
        (7, "TASK_INSTANCE_SUCCEED"),
        (8, "TASK_SUCCEED"),
        (9, "TASK_INSTANCE_RUNNING"),
        (10, "TASK_RUNNING"),
        (11, "TASK_INSTANCE_SUCCEED"),
        (12, "TASK_SUCCEED"),
        (13, "JOB_SUCCEED"),
        (1, "JOB_SUCCEED"),
    ];
    assert_eq!(told, expected);
    assert_eq!(world.state.topic(all).unwrap().next_seq, 14, "the topic counted them too");
}

#[test]
fn an_unknown_topic_refuses_the_job_by_its_path() {
    let mut world = World::new(1);
    world.topic("here");
    let env = world.env(1, vec![]);
    let mut spec = job(env, &[("a", 1)]);
    spec.notifications = vec![notify("HERE", &[EventName::JobFailed]), notify("gone", &[EventName::JobFailed])];
    let refused = world.run(Command::SubmitJob { spec: Box::new(spec), token: None });
    let path = "Job.Notifications.1.TopicName".to_owned();
    assert_eq!(refused, Err(Refusal::NoTopic { topic: "gone".into(), path }));
    assert_eq!(world.state.jobs().count(), 0);
}

#[test]
fn a_client_token_answers_once_more_and_refuses_another_request() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    let token = |digest: &str| Some(crate::command::Token { token: "t".into(), digest: digest.into() });
    let submit = |digest| Command::SubmitJob { spec: Box::new(job(env, &[("a", 1)])), token: token(digest) };
    let first = world.run(submit("x")).unwrap();
    assert_eq!(world.run(submit("x")).unwrap(), first);
    assert_eq!(world.run(submit("y")), Err(Refusal::TokenReused("t".into())));
    assert_eq!(world.state.jobs().count(), 1);
    world.pass_ms(crate::limits::CLIENT_TOKEN_MS);
    assert!(world.state.tokens.is_empty(), "forgotten when its time is over, though nothing else happens");
    assert_ne!(world.run(submit("y")).unwrap(), first);
}

#[test]
fn environments_and_their_cores_have_quotas() {
    let mut world = World::new(1);
    world.settings.env_quota = 2;
    world.settings.cpu_quota = 5;
    let env = world.env(3, vec![]);
    let edit = |desired| crate::change::EnvEdit { desired: Some(desired), ..Default::default() };
    let path = "DesiredComputeNodeCount".to_owned();
    let refused = world.run(Command::ModifyEnv(env, edit(6)));
    assert_eq!(refused, Err(Refusal::CpuQuota { wanted: 6, quota: 5, path: path.clone() }));
    world.run(Command::ModifyEnv(env, edit(4))).unwrap();
    let other = world.env(1, vec![]);
    let refused = world.run(Command::ModifyEnv(other, edit(2)));
    assert_eq!(refused, Err(Refusal::CpuQuota { wanted: 6, quota: 5, path }));
    let (spec, token) = (Box::new((*world.state.env(env).unwrap().spec).clone()), None);
    let create = |desired| Command::CreateEnv {
        name: "third".into(),
        description: String::new(),
        desired,
        spec: spec.clone(),
        token: token.clone(),
    };
    assert_eq!(world.run(create(0)), Err(Refusal::TooManyEnvs(2)));
    world.settings.env_quota = 0;
    let path = "ComputeEnv.DesiredComputeNodeCount".to_owned();
    assert_eq!(world.run(create(1)), Err(Refusal::CpuQuota { wanted: 6, quota: 5, path }));
    world.run(Command::DeleteEnv(env)).unwrap();
    world.run(create(4)).unwrap();
}

#[test]
fn unfinished_jobs_have_a_quota() {
    let mut world = World::new(1);
    world.settings.job_quota = 2;
    let env = world.env(1, vec![]);
    let submit = || Command::SubmitJob { spec: Box::new(job(env, &[("a", 1)])), token: None };
    world.run(submit()).unwrap();
    world.run(submit()).unwrap();
    assert_eq!(world.run(submit()), Err(Refusal::JobQuota(2)));
    world.run_all(|_| OK);
    world.run(submit()).unwrap();
}

#[test]
fn a_drained_node_keeps_what_has_begun_and_is_given_nothing_more() {
    let mut world = World::new(1);
    let env = world.env_with_slots(2, 1, vec![]);
    let nodes = world.nodes(env);
    world.submit(job(env, &[("a", 1)]));
    let (busy, run) = world.held()[0];
    world.start(busy, run);
    world.run(Command::DrainNodes(nodes.clone(), true)).unwrap();
    let waiting = world.submit(job(env, &[("b", 2)]));
    assert_eq!(world.held(), [(busy, run)], "both are drained");
    let told = world.only(Command::ExplainJob(waiting)).unwrap();
    assert!(format!("{told:?}").contains("2 drained"), "{told:?}");
    world.exit(busy, run, ExitHow::Code(0));
    assert!(world.held().is_empty(), "what has ended makes no room");
    world.run(Command::DrainNodes(vec![nodes[0]], false)).unwrap();
    assert_eq!(world.held().iter().map(|(node, _)| *node).collect::<Vec<_>>(), [nodes[0]]);
    let missing = world.run(Command::DrainNodes(vec![nodes[1], crate::id::NodeId::LAST], false));
    assert!(matches!(missing, Err(Refusal::NoNode { .. })), "{missing:?}");
    assert!(world.state.node(nodes[1]).unwrap().drained, "all or none");
}

#[test]
fn what_waits_on_a_drained_node_goes_elsewhere() {
    let mut world = World::new(1);
    let env = world.env_with_slots(2, 1, vec![]);
    world.submit(job(env, &[("a", 2)]));
    let (node, run) = world.held()[0];
    world.run(Command::DrainNodes(vec![node], true)).unwrap();
    // It was placed and has not begun: it is asked back, and the node gives it.
    assert!(matches!(world.stage(run.instance()), Some(Stage::Held { asked: Asked::Return, .. })));
    world.report(node, Report::Returned(run));
    world.settle();
    assert!(world.held().iter().all(|(holder, _)| *holder != node), "{:?}", world.held());
}
