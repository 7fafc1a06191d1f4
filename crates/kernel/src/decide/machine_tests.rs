//! Machines that join, are attached and detached.

use std::collections::BTreeSet;

use crate::access::AccessCommand;
use crate::command::{Command, ExitHow, Refusal, Reply};
use crate::event::EventName;
use crate::id::{EnvId, MachineId, NodeId};
use crate::instance::Stage;
use crate::limits;
use crate::machine::MachineFacts;
use crate::node::NodeStage;
use crate::phase::Phase::{Failed, Succeed};
use crate::testing::{World, job, notify};

const OK: ExitHow = ExitHow::Code(0);

fn facts() -> MachineFacts {
    MachineFacts { name: "far".into(), cpu: 4, mem_gb: 8, slots: 2 }
}

/// A token that one machine can join with.
fn token(world: &mut World) -> String {
    let digest = format!("token {}", world.changes.len());
    let make = AccessCommand::CreateJoinToken { digest: digest.clone(), valid_s: 60 };
    world.run(Command::from(make)).unwrap();
    digest
}

fn try_join(world: &mut World, connected: &[MachineId]) -> Result<Reply, Refusal> {
    let connected = connected.iter().copied().collect();
    let credential = format!("digest of {}", world.state.machines().count() + world.changes.len());
    let token = token(world);
    world.run(Command::JoinMachine { token, credential, facts: facts(), connected })
}

fn join(world: &mut World) -> MachineId {
    match try_join(world, &[]) {
        Ok(Reply::Machine(id)) => id,
        other => panic!("{other:?}"),
    }
}

fn attach(world: &mut World, env: EnvId, machines: &[MachineId]) -> Result<Reply, Refusal> {
    let connected = machines.iter().copied().collect();
    world.run(Command::AttachMachines { env, machines: machines.to_vec(), connected })
}

/// An environment without a node of its own, and a machine that is its one node.
fn attached(world: &mut World) -> (EnvId, MachineId, NodeId) {
    world.topic("all");
    let events: Vec<EventName> = EventName::ALL.iter().copied().filter(|name| name.is_of_env()).collect();
    let env = world.env(0, vec![notify("all", &events)]);
    let machine = join(world);
    attach(world, env, &[machine]).unwrap();
    world.start_nodes();
    let node = world.state.node_on(machine).expect("it was attached");
    assert_eq!((node.stage, node.slots, node.cpu), (NodeStage::Running, 2, 4));
    let node = node.id;
    world.events.clear();
    (env, machine, node)
}

fn stage(world: &World, node: NodeId) -> Option<NodeStage> {
    world.state.node(node).map(|node| node.stage)
}

fn lost(node: NodeId) -> Command {
    Command::NodeLost { node, reason: "its agent has ended".into(), begun: vec![] }
}

#[test]
fn an_attached_machine_runs_jobs_beside_the_nodes_that_are_wanted() {
    let mut world = World::new(1);
    let (env, machine, node) = attached(&mut world);
    let id = world.submit(job(env, &[("a", 5)]));
    world.run_all(|_| OK);
    assert_eq!(world.phases(id).0, Succeed);
    assert_eq!(world.state.node(node).unwrap().machine, machine);
    let scale = |desired| {
        let edit = crate::change::EnvEdit { desired: Some(desired), ..Default::default() };
        Command::ModifyEnv(env, edit)
    };
    world.run(scale(2)).unwrap();
    assert_eq!(world.state.nodes_of(env).count(), 3, "it is none of the two");
    world.start_nodes();
    world.run(scale(0)).unwrap();
    assert_eq!(stage(&world, node), Some(NodeStage::Running), "it is never chosen to go");
    let going = world.state.nodes_of(env).filter(|node| node.stage == NodeStage::Deleting).count();
    assert_eq!(going, 2);
}

#[test]
fn a_lost_machine_is_not_made_anew_and_comes_back() {
    let mut world = World::new(1);
    let (env, _, node) = attached(&mut world);
    let id = world.submit(job(env, &[("a", 1)]));
    let (_, run) = world.held()[0];
    world.start(node, run);
    world.run(lost(node)).unwrap();
    assert_eq!((world.phases(id).0, stage(&world, node)), (Failed, Some(NodeStage::Abnormal)));
    assert_eq!(world.state.nodes_of(env).count(), 1);
    world.run(Command::NodeConnected(node, Default::default())).unwrap();
    assert_eq!(stage(&world, node), Some(NodeStage::Running));
    assert_eq!(world.event_names(), [EventName::ComputeNodeAbnormal, EventName::ComputeNodeRunning]);
}

#[test]
fn what_runs_on_a_silent_machine_stays_there_until_it_is_known_to_be_dead() {
    for comes_back in [true, false] {
        let mut world = World::new(1);
        let (env, _, node) = attached(&mut world);
        let mut spec = job(env, &[("a", 1)]);
        spec.tasks[0].retries = 1;
        let id = world.submit(spec);
        let (_, run) = world.held()[0];
        world.start(node, run);
        world.run(Command::NodeSilent { node, reason: "silent".into() }).unwrap();
        assert_eq!(stage(&world, node), Some(NodeStage::Abnormal));
        let held = world.state.instance(run.instance()).unwrap().stage;
        assert!(matches!(held, Stage::Held { node: holder, .. } if holder == node), "nobody knows that it is dead");
        if comes_back {
            world.run(Command::NodeConnected(node, Default::default())).unwrap();
            world.exit(node, run, OK);
        } else {
            world.run(lost(node)).unwrap();
            assert_eq!(world.held(), [], "a node that is gone is given nothing");
            world.run(Command::NodeConnected(node, Default::default())).unwrap();
            assert_eq!(world.held()[0].1.attempt, run.attempt + 1);
            world.run_all(|_| OK);
        }
        assert_eq!(world.phases(id).0, Succeed);
    }
}

#[test]
fn a_node_that_was_made_is_never_taken_for_silent() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    let node = world.nodes(env)[0];
    world.run(Command::NodeSilent { node, reason: "silent".into() }).unwrap();
    assert_eq!(stage(&world, node), Some(NodeStage::Running));
}

#[test]
fn what_runs_on_a_detached_machine_fails_and_the_machine_is_free() {
    let mut world = World::new(1);
    let (env, machine, node) = attached(&mut world);
    let id = world.submit(job(env, &[("a", 1)]));
    let (_, run) = world.held()[0];
    world.start(node, run);
    world.run(Command::DetachMachines(env, vec![machine])).unwrap();
    assert_eq!(stage(&world, node), Some(NodeStage::Deleting));
    let again = world.run(Command::DetachMachines(env, vec![machine]));
    assert_eq!(again, Err(Refusal::NodeTerminating { node, path: "InstanceIds.0".into() }));
    world.run(Command::NodeDestroyed { node, begun: vec![] }).unwrap();
    assert_eq!((world.phases(id).0, stage(&world, node)), (Failed, None));
    let failed = world.changes.iter().find_map(|change| match &change.what {
        crate::change::What::InstanceFailed(_, end) => Some(end.reason.clone()),
        _ => None,
    });
    assert_eq!(failed.as_deref(), Some("NodeDetached"));
    assert_eq!(world.event_names(), [EventName::ComputeNodeDeleting, EventName::ComputeNodeDeleted]);
    attach(&mut world, env, &[machine]).unwrap();
    assert_ne!(world.state.node_on(machine).unwrap().id, node);
}

#[test]
fn a_deleted_environment_lets_its_machines_go() {
    let mut world = World::new(1);
    let (env, machine, node) = attached(&mut world);
    world.run(Command::DeleteEnv(env)).unwrap();
    world.run(Command::NodeDestroyed { node, begun: vec![] }).unwrap();
    assert!(world.state.env(env).is_none() && world.state.node_on(machine).is_none());
    assert!(world.state.machine(machine).is_some());
}

#[test]
fn all_machines_of_a_request_are_attached_or_none() {
    let mut world = World::new(1);
    let (env, taken, node) = attached(&mut world);
    let free = join(&mut world);
    let refusal = |world: &mut World, machines: &[MachineId], connected: BTreeSet<MachineId>| {
        let attach = Command::AttachMachines { env, machines: machines.to_vec(), connected };
        match world.run(attach) {
            Err(Refusal::MachineNotAttachable { machine, problem, path }) => (machine, problem, path),
            other => panic!("{other:?}"),
        }
    };
    let path = "Instances.1.InstanceId".to_owned();
    let unknown = MachineId::LAST;
    let problem = "is not known; run `herald agent --join` on it".to_owned();
    let all = BTreeSet::from([free, taken, unknown]);
    assert_eq!(refusal(&mut world, &[free, unknown], all.clone()), (unknown, problem, path.clone()));
    let problem = format!("is attached to {env} already, as {node}");
    assert_eq!(refusal(&mut world, &[free, taken], all), (taken, problem, path.clone()));
    let problem = "is not connected; see that its agent runs".to_owned();
    let other = join(&mut world);
    assert_eq!(refusal(&mut world, &[free, other], BTreeSet::from([free])), (other, problem, path));
    assert!(world.state.node_on(free).is_none());

    let gone = EnvId::LAST;
    let connected = BTreeSet::new();
    let nowhere = world.run(Command::AttachMachines { env: gone, machines: vec![free], connected });
    assert_eq!(nowhere, Err(Refusal::NoEnv { env: gone, path: "EnvId".into() }));
    let detached = world.run(Command::DetachMachines(env, vec![taken, free]));
    assert_eq!(detached, Err(Refusal::MachineNotAttached { machine: free, env, path: "InstanceIds.1".into() }));
    assert_eq!(stage(&world, node), Some(NodeStage::Running));
}

#[test]
fn a_machine_that_was_made_cannot_be_detached_and_machines_have_a_limit() {
    let mut world = World::new(1);
    let env = world.env(1, vec![]);
    let made = world.state.nodes_of(env).next().unwrap().machine;
    let path = "InstanceIds.0".to_owned();
    let refused = world.run(Command::DetachMachines(env, vec![made]));
    assert_eq!(refused, Err(Refusal::MachineNotAttached { machine: made, env, path }));
    let known: Vec<MachineId> = (0..limits::MACHINES).map(|_| join(&mut world)).collect();
    assert_eq!(try_join(&mut world, &known), Err(Refusal::TooManyMachines(limits::MACHINES)));
    // One that is neither connected nor attached gives way, first the one that was seen longest ago.
    attach(&mut world, env, &known[..1]).unwrap();
    world.pass_ms(1_000);
    world.run(Command::MachineConnected(known[2], facts())).unwrap();
    let connected = &known[3..];
    assert!(matches!(try_join(&mut world, connected), Ok(Reply::Machine(_))));
    let is_known = |world: &World, at: usize| world.state.machine(known[at]).is_some();
    assert_eq!([0, 1, 2, 3].map(|at| is_known(&world, at)), [true, false, true, true]);
}

#[test]
fn what_a_machine_says_of_itself_is_kept_anew_at_each_connection() {
    let mut world = World::new(1);
    let machine = join(&mut world);
    world.pass_ms(5_000);
    let facts = MachineFacts { cpu: 8, ..facts() };
    world.run(Command::MachineConnected(machine, facts.clone())).unwrap();
    let known = world.state.machine(machine).unwrap();
    assert_eq!((&known.facts, known.seen), (&facts, world.now));
    assert!(known.joined < known.seen);
}

#[test]
fn a_token_lets_one_machine_join_and_a_repeat_is_told_the_same() {
    let mut world = World::new(1);
    let token = token(&mut world);
    let join = |credential: &str| Command::JoinMachine {
        token: token.clone(),
        credential: credential.into(),
        facts: facts(),
        connected: BTreeSet::new(),
    };
    let first = world.run(join("one")).unwrap();
    assert_eq!(world.run(join("one")).unwrap(), first, "its answer was lost");
    assert_eq!(world.run(join("two")).unwrap_err(), Refusal::NoJoinToken);
    let late = self::token(&mut world);
    world.pass_ms(60_000);
    let late =
        Command::JoinMachine { token: late, credential: "two".into(), facts: facts(), connected: BTreeSet::new() };
    assert_eq!(world.run(late).unwrap_err(), Refusal::NoJoinToken);
    assert_eq!(world.state.machines().count(), 1);
}
