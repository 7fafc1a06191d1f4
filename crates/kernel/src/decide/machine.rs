//! Machines of others: they join, and are attached to environments and detached from them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::change::What;
use crate::command::{Refusal, Reply};
use crate::decide::{Draft, access, environment, node};
use crate::id::{EnvId, MachineId};
use crate::limits;
use crate::machine::{ATTACHED_KIND, Machine, MachineFacts};
use crate::node::{Node, NodeStage};

/// A machine that did not hear the answer asks again, and gets it. Where as many are known as may be, one that is not connected nor attached is forgotten for the new one: that which
/// was seen last of all. Should it come back, it joins anew.
pub(super) fn join(
    draft: &mut Draft<'_>,
    token: &str,
    credential: String,
    facts: MachineFacts,
    connected: &BTreeSet<MachineId>,
) -> Result<Reply, Refusal> {
    if let Some(known) = draft.state.machines().find(|machine| machine.credential == credential) {
        return Ok(Reply::Machine(known.id));
    }
    access::use_token(draft, token)?;
    if draft.state.machines.len() >= limits::MACHINES {
        let attached: BTreeSet<MachineId> =
            draft.state.nodes().filter(|node| node.attached).map(|node| node.machine).collect();
        let idle = |machine: &&Arc<Machine>| !connected.contains(&machine.id) && !attached.contains(&machine.id);
        let oldest = draft.state.machines().filter(idle).min_by_key(|machine| (machine.seen, machine.id));
        let oldest = oldest.map(|machine| machine.id).ok_or(Refusal::TooManyMachines(limits::MACHINES))?;
        draft.record(What::MachineForgotten(oldest));
    }
    let (id, now) = (MachineId::draw(draft.rng), draft.now);
    draft.record(What::MachineJoined(Machine { id, credential, facts, joined: now, seen: now }));
    Ok(Reply::Machine(id))
}

pub(super) fn connected(draft: &mut Draft<'_>, id: MachineId, facts: MachineFacts) -> Reply {
    if draft.state.machine(id).is_some() {
        draft.record(What::MachineSeen(id, facts));
    }
    Reply::Done
}

/// All of them, or none.
pub(super) fn attach(
    draft: &mut Draft<'_>,
    env: EnvId,
    ids: &[MachineId],
    connected: &BTreeSet<MachineId>,
) -> Result<Reply, Refusal> {
    environment::living(draft, env)?;
    let machine = |(position, id): (usize, &MachineId)| {
        let refuse = |problem: &str| Refusal::MachineNotAttachable {
            machine: *id,
            problem: problem.to_owned(),
            path: format!("Instances.{position}.InstanceId"),
        };
        let machine =
            draft.state.machine(*id).ok_or_else(|| refuse("is not known; run `herald agent --join` on it"))?;
        if let Some(node) = draft.state.node_on(*id) {
            return Err(refuse(&format!("is attached to {} already, as {}", node.env, node.id)));
        }
        if !connected.contains(id) {
            return Err(refuse("is not connected; see that its agent runs"));
        }
        Ok(machine.clone())
    };
    let machines = ids.iter().enumerate().map(machine).collect::<Result<Vec<_>, _>>()?;
    for machine in machines {
        let MachineFacts { cpu, mem_gb, slots, .. } = machine.facts;
        let at_once = NodeStage::Submitted { not_before: draft.now };
        let new = Node {
            kind: ATTACHED_KIND.to_owned(),
            slots,
            cpu,
            mem_gb,
            attached: true,
            ..node::new(draft, env, machine.id, at_once)
        };
        draft.record(What::NodeSubmitted(Box::new(new)));
    }
    Ok(Reply::Done)
}

/// All of them, or none.
pub(super) fn detach(draft: &mut Draft<'_>, env: EnvId, ids: &[MachineId]) -> Result<Reply, Refusal> {
    if draft.state.public_env(env).is_none() {
        return Err(Refusal::NoEnv { env, path: "EnvId".into() });
    }
    let node = |(position, id): (usize, &MachineId)| {
        let path = format!("InstanceIds.{position}");
        let found = draft.state.nodes_of(env).find(|node| node.machine == *id);
        match found.filter(|node| node.attached) {
            Some(node) if node.stage == NodeStage::Deleting => Err(Refusal::NodeTerminating { node: node.id, path }),
            Some(node) => Ok(node.id),
            None => Err(Refusal::MachineNotAttached { machine: *id, env, path }),
        }
    };
    let nodes = ids.iter().enumerate().map(node).collect::<Result<Vec<_>, _>>()?;
    for id in nodes {
        node::delete(draft, id, node::DETACHED);
    }
    Ok(Reply::Done)
}
