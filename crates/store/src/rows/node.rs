//! Compute nodes.

use std::sync::LazyLock;

use kernel::id::{EnvId, MachineId, NodeId};
use kernel::node::{Node, NodeStage, Then};
use kernel::time::Timestamp;

use crate::engine::{Cells, Corrupt};
use crate::statement::{Statement, Table, Texts, json, values};

pub(crate) static TEXTS: LazyLock<Texts> = LazyLock::new(|| {
    Table {
        name: "node",
        key: &["id"],
        columns: &[
            "machine",
            "attached",
            "env",
            "state",
            "not_before",
            "after",
            "kind",
            "slots",
            "cpu",
            "mem_gb",
            "created",
            "resource_created",
            "running",
            "recreations",
            "agent_version",
            "addresses",
            "limits",
            "reason",
            "drained",
        ],
    }
    .texts()
});

pub(crate) fn put(node: &Node, fresh: bool) -> Statement<'_> {
    let not_before = match node.stage {
        NodeStage::Submitted { not_before } => Some(not_before),
        _ => None,
    };
    let values = values![
        node.id,
        node.machine,
        node.attached,
        node.env,
        word(node.stage),
        not_before,
        node.then.map(then_word),
        &node.kind,
        node.slots,
        node.cpu,
        node.mem_gb,
        node.created,
        node.resource_created,
        node.running,
        node.recreations,
        &node.agent_version,
        json(&node.addresses),
        &node.limits,
        &node.reason,
        node.drained,
    ];
    TEXTS.write(fresh, values)
}

pub(crate) fn delete(id: NodeId) -> Statement<'static> {
    Statement::new(&*TEXTS.delete, values![id])
}

fn then_word(then: Then) -> &'static str {
    match then {
        Then::Destroy => "destroy",
        Then::Restart => "restart",
    }
}

/// The word a stage is stored as.
fn word(stage: NodeStage) -> &'static str {
    if stage == NodeStage::Restarting { "RESTARTING" } else { stage.as_str() }
}

/// The stage with this word, apart from what SUBMITTED knows.
pub(crate) fn stage(word: &str, not_before: Option<Timestamp>) -> Option<NodeStage> {
    let submitted = NodeStage::Submitted { not_before: not_before.unwrap_or_default() };
    let stages = [
        submitted,
        NodeStage::Creating,
        NodeStage::Created,
        NodeStage::CreationFailed,
        NodeStage::Running,
        NodeStage::Restarting,
        NodeStage::Abnormal,
        NodeStage::Deleting,
    ];
    stages.into_iter().find(|stage| self::word(*stage) == word)
}

pub(crate) fn read(cells: &mut Cells<'_>) -> Result<Node, Corrupt> {
    let id = cells.id(NodeId::from_number)?;
    let (machine, attached) = (cells.id(MachineId::from_number)?, cells.int::<u8>()? == 1);
    let env = cells.id(EnvId::from_number)?;
    let made = cells.text(|word| stage(word, None))?;
    let stage = match (made, cells.opt_time()?) {
        (NodeStage::Submitted { .. }, Some(not_before)) => NodeStage::Submitted { not_before },
        (stage, _) => stage,
    };
    let then =
        cells.opt_text(|word| [Then::Destroy, Then::Restart].into_iter().find(|then| then_word(*then) == word))?;
    Ok(Node {
        id,
        machine,
        attached,
        env,
        stage,
        kind: cells.string()?,
        slots: cells.int()?,
        cpu: cells.int()?,
        mem_gb: cells.int()?,
        created: cells.time()?,
        resource_created: cells.opt_time()?,
        running: cells.opt_time()?,
        recreations: cells.int()?,
        agent_version: cells.string()?,
        addresses: cells.json()?,
        limits: cells.string()?,
        reason: cells.string()?,
        drained: cells.flag()?,
        then,
        held: Default::default(),
        kept: Default::default(),
        run_ms: None,
    })
}
