//! Instances that have left their task's bulk state.

use std::sync::LazyLock;

use kernel::id::{EnvId, JobId, MachineId, NodeId};
use kernel::instance::{Asked, Instance, InstanceKey, Stage};
use kernel::phase::Phase;

use crate::engine::{Cells, Corrupt};
use crate::rows::phase;
use crate::statement::{Statement, Table, Texts, values};

pub(crate) static TEXTS: LazyLock<Texts> = LazyLock::new(|| {
    Table {
        name: "instance",
        key: &["job", "task", "idx"],
        columns: &[
            "state",
            "asked",
            "not_before",
            "attempt",
            "failures",
            "created",
            "launched",
            "running",
            "ended",
            "exit_code",
            "reason",
            "node",
            "machine",
            "env",
        ],
    }
    .texts()
});

pub(crate) fn put(instance: &Instance, fresh: bool) -> Statement<'_> {
    let (asked, not_before) = match instance.stage {
        Stage::Held { asked, .. } => (Some(asked_word(asked)), None),
        Stage::Waiting { not_before } => (None, Some(not_before)),
        _ => (None, None),
    };
    let values = values![
        instance.key.job,
        instance.key.task,
        instance.key.index,
        instance.phase().as_str(),
        asked,
        not_before,
        instance.attempt,
        instance.failures,
        instance.created,
        instance.launched,
        instance.running,
        instance.ended,
        instance.exit_code,
        &instance.reason,
        instance.node,
        instance.machine,
        instance.env,
    ];
    TEXTS.write(fresh, values)
}

pub(crate) fn delete(key: InstanceKey) -> Statement<'static> {
    Statement::new(&*TEXTS.delete, values![key.job, key.task, key.index])
}

fn asked_word(asked: Asked) -> &'static str {
    match asked {
        Asked::Run => "run",
        Asked::Return => "return",
        Asked::Kill => "kill",
    }
}

pub(crate) fn read(cells: &mut Cells<'_>) -> Result<Instance, Corrupt> {
    let key = InstanceKey { job: cells.id(JobId::from_number)?, task: cells.int()?, index: cells.int()? };
    let phase = phase(cells)?;
    let asked = cells.opt_text(|word| {
        [Asked::Run, Asked::Return, Asked::Kill].into_iter().find(|asked| asked_word(*asked) == word)
    })?;
    let not_before = cells.opt_time()?.unwrap_or_default();
    let (attempt, failures, created) = (cells.int()?, cells.int()?, cells.time()?);
    let (launched, running, ended) = (cells.opt_time()?, cells.opt_time()?, cells.opt_time()?);
    let (exit_code, reason) = (cells.opt_int()?, cells.string()?);
    let node = cells.opt_id(NodeId::from_number)?;
    let (machine, env) = (cells.opt_id(MachineId::from_number)?, cells.opt_id(EnvId::from_number)?);
    let stage = match (phase, asked, node) {
        (Phase::Starting | Phase::Running, Some(asked), Some(node)) => {
            Stage::Held { node, started: phase == Phase::Running, asked }
        }
        (Phase::Succeed, ..) => Stage::Succeed,
        (Phase::Failed, ..) => Stage::Failed,
        (Phase::FailedInterrupted, ..) => Stage::FailedInterrupted,
        _ => Stage::Waiting { not_before },
    };
    Ok(Instance {
        key,
        stage,
        attempt,
        failures,
        created,
        launched,
        running,
        ended,
        exit_code,
        reason,
        node,
        machine,
        env,
    })
}
