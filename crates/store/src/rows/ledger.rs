//! The ledger's own row: version, time, and the numbers given to streams.

use kernel::time::Timestamp;

use crate::batch::Batch;
use crate::engine::{Cells, Corrupt};
use crate::statement::{Statement, values};

/// What the row says.
pub(crate) struct LedgerRow {
    pub(crate) version: u64,
    pub(crate) writer: u64,
    pub(crate) now: Timestamp,
    pub(crate) next_stream: u32,
}

/// Raises the version, if it is still the expected one, and says by whom.
pub(crate) fn advance(batch: &Batch) -> Statement<'static> {
    Statement::new(
        "update ledger set version = version + 1, now = ?1, next_stream = ?2, writer = ?3 \
         where id = 1 and version = ?4",
        values![batch.now, batch.next_stream, batch.writer, batch.expected],
    )
}

pub(crate) fn select() -> Statement<'static> {
    Statement::new("select version, writer, now, next_stream from ledger where id = 1", Vec::new())
}

pub(crate) fn read(cells: &mut Cells<'_>) -> Result<LedgerRow, Corrupt> {
    Ok(LedgerRow { version: cells.int()?, writer: cells.int()?, now: cells.time()?, next_stream: cells.int()? })
}
