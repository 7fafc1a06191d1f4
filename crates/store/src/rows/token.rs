//! Client tokens.

use std::sync::LazyLock;

use kernel::token::ClientToken;

use crate::engine::{Cells, Corrupt};
use crate::statement::{Statement, Table, Texts, values};

pub(crate) static TEXTS: LazyLock<Texts> =
    LazyLock::new(|| Table { name: "client_token", key: &["key"], columns: &["digest", "answer", "used"] }.texts());

pub(crate) fn put(token: &ClientToken) -> Statement<'_> {
    Statement::new(&*TEXTS.put, values![&token.key, &token.digest, &token.answer, token.used])
}

pub(crate) fn delete(key: &str) -> Statement<'_> {
    Statement::new(&*TEXTS.delete, values![key])
}

pub(crate) fn read(cells: &mut Cells<'_>) -> Result<ClientToken, Corrupt> {
    Ok(ClientToken { key: cells.string()?, digest: cells.string()?, answer: cells.string()?, used: cells.time()? })
}
