//! Machines that joined.

use std::sync::LazyLock;

use kernel::id::MachineId;
use kernel::machine::Machine;

use crate::engine::{Cells, Corrupt};
use crate::statement::{Statement, Table, Texts, json, values};

pub(crate) static TEXTS: LazyLock<Texts> = LazyLock::new(|| {
    Table { name: "machine", key: &["id"], columns: &["credential", "facts", "joined", "seen"] }.texts()
});

pub(crate) fn put(machine: &Machine, fresh: bool) -> Statement<'_> {
    let Machine { id, credential, facts, joined, seen } = machine;
    TEXTS.write(fresh, values![*id, credential, json(facts), *joined, *seen])
}

pub(crate) fn delete(id: MachineId) -> Statement<'static> {
    Statement::new(&*TEXTS.delete, values![id])
}

pub(crate) fn read(cells: &mut Cells<'_>) -> Result<Machine, Corrupt> {
    Ok(Machine {
        id: cells.id(MachineId::from_number)?,
        credential: cells.string()?,
        facts: cells.json()?,
        joined: cells.time()?,
        seen: cells.time()?,
    })
}
