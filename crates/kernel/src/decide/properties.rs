//! What holds of every history: whatever graphs are drawn, however runs end and nodes fall, in whatever order reports
//! come, every job ends once, its events are numbered without a gap, and no attempt begins while another may run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use rand::{Rng, RngExt};

use crate::change::What;
use crate::command::{Command, ExitHow, Report, RunExit};
use crate::environment::NodeType;
use crate::event::{Event, EventName};
use crate::id::{EnvId, JobId};
use crate::instance::Stage;
use crate::job::{DependOn, FailedAction, IfNotCreated, Job, JobSpec, OwnNodes};
use crate::node::NodeStage;
use crate::phase::Phase;
use crate::testing::{World, job, notify};

fn drawn_job(env: EnvId, rng: &mut dyn Rng) -> JobSpec {
    let names: Vec<String> = (0..rng.random_range(1..5)).map(|number| format!("t{number}")).collect();
    let tasks: Vec<(&str, u32)> = names.iter().map(|name| (name.as_str(), rng.random_range(1..6))).collect();
    let mut spec = job(env, &tasks);
    for then in 1..tasks.len() as u32 {
        for first in 0..then {
            if rng.random_range(0..3) == 0 {
                spec.dependences.push((first, then));
            }
        }
    }
    let kinds = ["first", "second"].map(|name| NodeType {
        name: name.into(),
        cpu: 1,
        mem_gb: 1,
        slots: rng.random_range(1..3),
    });
    let actions = [FailedAction::Terminate, FailedAction::Interrupt, FailedAction::FastInterrupt];
    spec.if_not_created = if rng.random_range(0..2) == 0 { IfNotCreated::Failed } else { IfNotCreated::Runnable };
    for task in &mut spec.tasks {
        task.restart_node = rng.random_range(0..4) == 0;
        task.own = (rng.random_range(0..3) == 0).then(|| OwnNodes {
            instance_types: kinds[..rng.random_range(1..=2)].to_vec(),
            failed_action: actions[rng.random_range(0..actions.len())],
            creation_retries: rng.random_range(0..3),
        });
        task.retries = rng.random_range(0..3);
        task.max_concurrent = (rng.random_range(0..3) == 0).then(|| rng.random_range(1..3));
    }
    spec.priority = rng.random_range(0..3);
    let modes = [DependOn::PreTaskSucceed, DependOn::PreTaskAtLeastPartlySucceed, DependOn::PreTaskFinished];
    spec.depend_on = modes[rng.random_range(0..3usize)];
    let events: Vec<EventName> = EventName::ALL.iter().copied().filter(|name| name.is_of_job()).collect();
    spec.notifications = vec![notify("all", &events)];
    spec
}

/// One random step of the outside world.
fn step(world: &mut World, env: EnvId, jobs: &[JobId], calm: bool) {
    let held = world.held();
    let choice = if calm { world.rng.random_range(0..7) } else { world.rng.random_range(0..10) };
    match choice {
        0..=4 if !held.is_empty() => {
            let (node, run) = held[world.rng.random_range(0..held.len())];
            let how = match world.rng.random_range(0..6) {
                0 => ExitHow::Code(1),
                1 => ExitHow::TimedOut,
                _ => ExitHow::Code(0),
            };
            let killed = matches!(world.stage(run.instance()), Some(Stage::Held { asked, .. }) if asked != crate::instance::Asked::Run);
            let exit = RunExit {
                how: if killed { ExitHow::Killed } else { how },
                run_ms: world.rng.random_range(0..200),
                end: Default::default(),
            };
            let mut reports = vec![Report::Started(run), Report::Exited(run, exit)];
            reports.truncate(world.rng.random_range(1..3));
            world.run(Command::NodeReports(node, reports)).unwrap();
        }
        0..=5 => {
            let due = world.state.nodes().find(|node| {
                node.env != env && matches!(node.stage, NodeStage::Submitted { not_before } if not_before <= world.now)
            });
            if let Some(node) = due.map(|node| node.id).filter(|_| !calm && world.rng.random_range(0..4) == 0) {
                world.run(Command::NodeCreating(node)).unwrap();
                let reason = "drawn".to_owned();
                let no_place = world.rng.random_range(0..2) == 0;
                let failed = if no_place {
                    Command::NodeHasNoPlace(node, reason)
                } else {
                    Command::NodeCreationFailed(node, reason)
                };
                world.run(failed).unwrap();
            }
            world.start_nodes();
            world.destroy_nodes();
        }
        6 => world.pass_ms(if calm { 400_000 } else { 400 }),
        7 => {
            let nodes: Vec<_> = world.state.nodes().map(|node| node.id).collect();
            let node = nodes[world.rng.random_range(0..nodes.len())];
            let runs: Vec<_> = held.iter().filter(|(of, _)| *of == node).map(|(_, run)| *run).collect();
            let begun = runs.into_iter().filter(|_| world.rng.random_range(0..2) == 0).collect();
            world.run(Command::NodeLost { node, reason: "drawn".into(), begun }).unwrap();
        }
        8 if !jobs.is_empty() => {
            let job = jobs[world.rng.random_range(0..jobs.len())];
            match world.rng.random_range(0..4) {
                0 => {
                    let (task, index) = ("t0".to_owned(), world.rng.random_range(0..5));
                    let refused = world.run(Command::TerminateInstance { job, task, index }).is_err();
                    let there = u64::from(world.state.job(job).unwrap().spec.tasks[0].instances);
                    assert_eq!(refused, index >= there);
                }
                1 => {
                    world.run(Command::TerminateJob(job)).unwrap();
                }
                _ => {
                    let failed = world.state.job(job).unwrap().phase == Phase::Failed;
                    let retried = world.run(Command::RetryJobs(vec![job])).is_ok();
                    assert_eq!(retried, failed);
                }
            }
        }
        _ => {}
    }
}

fn sequences_are_gapless(world: &World) {
    let mut last: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for (event, (place, previous)) in world.events.iter().zip(&world.places) {
        let last = last.entry(event.subject.owner().to_string()).or_default();
        assert_eq!((event.sequence, *previous), (last.0 + 1, last.1), "{}", event.name);
        *last = (event.sequence, *place);
        assert!(ids.insert(event.id), "{} twice", event.id);
    }
}

/// From a job to its last event, and from each event to the one before it.
fn each_event_is_found_from_its_job(world: &World, jobs: &[JobId]) {
    for job in jobs {
        let of_job = |(event, _): &(&Event, _)| event.subject.owner().to_string() == job.to_string();
        let mut places: Vec<u64> = world.events.iter().zip(&world.places).filter(of_job).map(|(_, at)| at.0).collect();
        let topic = world.state.topic_named("all").unwrap().no;
        let Some(outlet) = world.state.job(*job).and_then(|job| job.outlets.of(topic)) else { continue };
        assert_eq!((outlet.first, outlet.sent), (places[0], places.len() as u64));
        let mut at = outlet.last;
        while at != 0 {
            assert_eq!(places.pop(), Some(at));
            at = world.places.iter().find(|(place, _)| *place == at).unwrap().1;
        }
        assert!(places.is_empty());
    }
}

/// And once more for each retry.
fn each_job_ends_once(world: &World, jobs: &[JobId]) {
    for job in jobs {
        let ends = world.changes.iter().filter(
            |change| matches!(&change.what, What::JobEntered(id, phase, _) if id == job && phase.is_finished()),
        );
        let retries =
            world.changes.iter().filter(|change| matches!(&change.what, What::JobRetried(id, _) if id == job));
        assert_eq!(ends.count(), 1 + retries.count());
        let last =
            world.events.iter().rev().find(|event| event.subject.owner().to_string() == job.to_string()).unwrap();
        assert!(matches!(last.name.kind(), "JOB" | "NODE"), "the job's end is its last event but for its own nodes'");
    }
}

fn attempts_follow_one_another(world: &World) {
    let mut running = BTreeSet::new();
    let mut succeeded = BTreeSet::new();
    for change in &world.changes {
        if let What::InstanceSucceeded(key, _) = &change.what {
            succeeded.insert(*key);
        }
        match &change.what {
            What::InstancePlaced(key, _) => {
                assert!(running.insert(*key), "{key:?} is placed while it is held");
                assert!(!succeeded.contains(key), "{key:?} is placed though it has succeeded");
            }
            What::InstanceReturned(key)
            | What::InstanceSucceeded(key, _)
            | What::InstanceRetrying(key, ..)
            | What::InstanceFailed(key, _)
            | What::InstanceInterrupted(key, _) => {
                running.remove(key);
            }
            _ => {}
        }
    }
    assert!(running.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]
    #[test]
    fn every_history_ends_well(seed in any::<u64>()) {
        let mut world = World::new(seed);
        world.settings.retry_pause_s = 1;
        world.settings.node_places = Some(world.rng.random_range(4..8));
        world.topic("all");
        let nodes = world.rng.random_range(1..4);
        let env = world.env_with_slots(nodes, 2, vec![]);
        let mut jobs = Vec::new();
        for _ in 0..world.rng.random_range(1..5) {
            let spec = drawn_job(env, &mut world.rng);
            jobs.push(world.submit(spec));
            for _ in 0..world.rng.random_range(0..40) {
                step(&mut world, env, &jobs, false);
            }
        }
        // Lost nodes are made anew only so often; from here on none is lost, and one that was given up comes back.
        for node in world.nodes(env) {
            if world.state.node(node).is_some_and(|node| node.stage == NodeStage::Abnormal) {
                world.run(Command::NodeConnected(node, Default::default())).unwrap();
            }
        }
        let finished = |world: &World| jobs.iter().all(|job| world.state.job(*job).is_none_or(|job| job.phase.is_finished()));
        for _ in 0..20_000 {
            if finished(&world) {
                break;
            }
            // What was interrupted ends when somebody terminates it; until then it may keep all places there are.
            for job in &jobs {
                let stuck = |job: &Arc<Job>| job.instances.of(Phase::FailedInterrupted) > 0 && job.instances.active() == 0;
                if world.state.job(*job).is_some_and(stuck) {
                    world.run(Command::TerminateJob(*job)).unwrap();
                }
            }
            step(&mut world, env, &jobs, true);
        }
        prop_assert!(finished(&world), "a job does not end");
        sequences_are_gapless(&world);
        each_event_is_found_from_its_job(&world, &jobs);
        each_job_ends_once(&world, &jobs);
        attempts_follow_one_another(&world);
    }
}
