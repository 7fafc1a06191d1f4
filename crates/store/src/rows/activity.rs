//! Activities of environments.

use std::sync::LazyLock;

use kernel::activity::{Activity, ActivityKey};
use kernel::id::{ActivityId, EnvId, MachineId, NodeId};

use crate::engine::{Cells, Corrupt};
use crate::rows::word;
use crate::statement::{Statement, Table, Texts, values};

pub(crate) static TEXTS: LazyLock<Texts> = LazyLock::new(|| {
    Table {
        name: "activity",
        key: &["id"],
        columns: &["env", "node", "kind", "machine", "cause", "state", "reason", "started", "ended"],
    }
    .texts()
});

pub(crate) fn put(activity: &Activity, fresh: bool) -> Statement<'_> {
    let values = values![
        activity.id,
        activity.env,
        activity.key.node,
        activity.key.kind.as_str(),
        activity.machine,
        &activity.cause,
        activity.state.as_str(),
        &activity.reason,
        activity.started,
        activity.ended,
    ];
    TEXTS.write(fresh, values)
}

pub(crate) fn delete(key: ActivityKey) -> Statement<'static> {
    Statement::new("delete from activity where node = ?1 and kind = ?2", values![key.node, key.kind.as_str()])
}

pub(crate) fn read(cells: &mut Cells<'_>) -> Result<Activity, Corrupt> {
    let (id, env) = (cells.id(ActivityId::from_number)?, cells.id(EnvId::from_number)?);
    let key = ActivityKey { node: cells.id(NodeId::from_number)?, kind: word(cells)? };
    Ok(Activity {
        id,
        key,
        env,
        machine: cells.id(MachineId::from_number)?,
        cause: cells.string()?,
        state: word(cells)?,
        reason: cells.string()?,
        started: cells.time()?,
        ended: cells.opt_time()?,
    })
}
