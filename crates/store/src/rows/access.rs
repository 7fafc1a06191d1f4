//! Key pairs, and tokens to join with.

use std::sync::LazyLock;

use kernel::access::{AccessKey, Earlier, JoinToken};

use crate::engine::{Cells, Corrupt};
use crate::statement::{Statement, Table, Texts, json, values};

pub(crate) static KEYS: LazyLock<Texts> = LazyLock::new(|| {
    let columns = &["sealed", "earlier", "earlier_until", "note", "grants", "disabled", "created", "modified"];
    Table { name: "access_key", key: &["secret_id"], columns }.texts()
});

pub(crate) static TOKENS: LazyLock<Texts> =
    LazyLock::new(|| Table { name: "join_token", key: &["digest"], columns: &["created", "until"] }.texts());

pub(crate) fn put_key(key: &AccessKey, fresh: bool) -> Statement<'_> {
    let AccessKey { secret_id, sealed, earlier, note, grant, disabled, created, modified } = key;
    let until = earlier.as_ref().map(|earlier| earlier.until);
    let earlier = earlier.as_ref().map(|earlier| &earlier.sealed);
    let cells = values![secret_id, sealed, earlier, until, note, json(grant), *disabled, *created, *modified];
    KEYS.write(fresh, cells)
}

pub(crate) fn delete_key(secret_id: &str) -> Statement<'_> {
    Statement::new(&*KEYS.delete, values![secret_id])
}

pub(crate) fn read_key(cells: &mut Cells<'_>) -> Result<AccessKey, Corrupt> {
    let (secret_id, sealed) = (cells.string()?, cells.string()?);
    let (earlier, until) = (cells.opt_text(|text| Some(text.to_owned()))?, cells.opt_time()?);
    Ok(AccessKey {
        secret_id,
        sealed,
        earlier: earlier.zip(until).map(|(sealed, until)| Earlier { sealed, until }),
        note: cells.string()?,
        grant: cells.json()?,
        disabled: cells.int::<u8>()? == 1,
        created: cells.time()?,
        modified: cells.time()?,
    })
}

pub(crate) fn put_token(token: &JoinToken, fresh: bool) -> Statement<'_> {
    let JoinToken { digest, created, until } = token;
    TOKENS.write(fresh, values![digest, *created, *until])
}

pub(crate) fn delete_token(digest: &str) -> Statement<'_> {
    Statement::new(&*TOKENS.delete, values![digest])
}

pub(crate) fn read_token(cells: &mut Cells<'_>) -> Result<JoinToken, Corrupt> {
    Ok(JoinToken { digest: cells.string()?, created: cells.time()?, until: cells.time()? })
}
