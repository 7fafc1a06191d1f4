//! Key pairs and tokens to join with: made, changed, used up.

use std::sync::Arc;

use crate::access::{AccessCommand, AccessKey, AccessKeyEdit, Earlier, Grant, JoinToken};
use crate::change::What;
use crate::command::{Refusal, Reply};
use crate::decide::Draft;
use crate::limits;

pub(super) fn decide(draft: &mut Draft<'_>, command: AccessCommand) -> Result<Reply, Refusal> {
    match command {
        AccessCommand::CreateKey { secret_id, sealed, note, grant } => create(draft, secret_id, sealed, note, grant),
        AccessCommand::ModifyKey(id, edit) => modify(draft, &id, edit),
        AccessCommand::RotateKey { secret_id, sealed, keep_s } => rotate(draft, &secret_id, sealed, keep_s),
        AccessCommand::DeleteKey(id) => {
            let key = known(draft, &id)?;
            draft.record(What::AccessKeyDeleted(key.secret_id));
            Ok(Reply::Done)
        }
        AccessCommand::CreateJoinToken { digest, valid_s } => create_token(draft, digest, valid_s),
    }
}

fn create(
    draft: &mut Draft<'_>,
    secret_id: String,
    sealed: String,
    note: String,
    grant: Grant,
) -> Result<Reply, Refusal> {
    if draft.state.access_keys.len() >= limits::ACCESS_KEYS {
        return Err(Refusal::TooManyAccessKeys(limits::ACCESS_KEYS));
    }
    if draft.state.access_keys.contains(&secret_id) {
        return Err(Refusal::AccessKeyExists(secret_id));
    }
    let (created, modified) = (draft.now, draft.now);
    let key = AccessKey { secret_id, sealed, earlier: None, note, grant, disabled: false, created, modified };
    draft.record(What::AccessKeyCreated(Box::new(key)));
    Ok(Reply::Done)
}

fn modify(draft: &mut Draft<'_>, id: &str, edit: AccessKeyEdit) -> Result<Reply, Refusal> {
    let had = known(draft, id)?;
    let changed = AccessKey {
        note: edit.note.unwrap_or_else(|| had.note.clone()),
        grant: edit.grant.unwrap_or_else(|| had.grant.clone()),
        disabled: edit.disabled.unwrap_or(had.disabled),
        ..had.clone()
    };
    if changed != had {
        draft.record(What::AccessKeyModified(Box::new(AccessKey { modified: draft.now, ..changed })));
    }
    Ok(Reply::Done)
}

fn rotate(draft: &mut Draft<'_>, id: &str, sealed: String, keep_s: u64) -> Result<Reply, Refusal> {
    let had = known(draft, id)?;
    let until = draft.now.plus_ms(keep_s.saturating_mul(1_000));
    let earlier = (keep_s > 0).then(|| Earlier { sealed: had.sealed.clone(), until });
    let key = AccessKey { sealed, earlier, modified: draft.now, ..had };
    draft.record(What::AccessKeyModified(Box::new(key)));
    Ok(Reply::Done)
}

fn known(draft: &Draft<'_>, id: &str) -> Result<AccessKey, Refusal> {
    let key = draft.state.access_key(id).ok_or_else(|| Refusal::NoAccessKey(id.to_owned()))?;
    Ok(AccessKey::clone(key))
}

/// Tokens whose time is over make room; one that is there already is replaced.
fn create_token(draft: &mut Draft<'_>, digest: String, valid_s: u64) -> Result<Reply, Refusal> {
    let now = draft.now;
    let makes_room = |token: &&Arc<JoinToken>| token.until <= now || token.digest == digest;
    let over: Vec<String> = draft.state.join_tokens().filter(makes_room).map(|token| token.digest.clone()).collect();
    for digest in over {
        draft.record(What::JoinTokenGone(digest));
    }
    if draft.state.join_tokens.len() >= limits::JOIN_TOKENS {
        return Err(Refusal::TooManyJoinTokens(limits::JOIN_TOKENS));
    }
    let until = now.plus_ms(valid_s.saturating_mul(1_000));
    draft.record(What::JoinTokenMade(JoinToken { digest, created: now, until }));
    Ok(Reply::Done)
}

/// Uses a token up.
pub(super) fn use_token(draft: &mut Draft<'_>, digest: &str) -> Result<(), Refusal> {
    let good = draft.state.join_tokens.get(&digest.to_owned()).is_some_and(|token| token.until > draft.now);
    if !good {
        return Err(Refusal::NoJoinToken);
    }
    draft.record(What::JoinTokenGone(digest.to_owned()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;
    use crate::command::Command;
    use crate::testing::World;

    fn create(id: &str) -> Command {
        let grant = Grant { roles: [Role::Read].into(), ..Grant::default() };
        let (secret_id, sealed, note) = (id.to_owned(), "one".to_owned(), "mine".to_owned());
        Command::from(AccessCommand::CreateKey { secret_id, sealed, note, grant })
    }

    fn rotate(keep_s: u64) -> Command {
        Command::from(AccessCommand::RotateKey { secret_id: "a".into(), sealed: "two".into(), keep_s })
    }

    #[test]
    fn a_key_pair_is_made_changed_rotated_and_deleted() {
        let mut world = World::new(1);
        world.run(create("a")).unwrap();
        assert_eq!(world.run(create("a")).unwrap_err(), Refusal::AccessKeyExists("a".into()));
        let off = AccessKeyEdit { disabled: Some(true), ..AccessKeyEdit::default() };
        world.run(Command::from(AccessCommand::ModifyKey("a".into(), off.clone()))).unwrap();
        let key = world.state.access_key("a").unwrap().clone();
        assert!(key.disabled && key.note == "mine" && key.grant.has(Role::Read));
        world.run(rotate(10)).unwrap();
        let key = world.state.access_key("a").unwrap().clone();
        let earlier = key.earlier.clone().unwrap();
        assert_eq!((key.sealed.as_str(), earlier.sealed.as_str()), ("two", "one"));
        assert_eq!(earlier.until, world.state.now().plus_ms(10_000));
        world.run(rotate(0)).unwrap();
        assert_eq!(world.state.access_key("a").unwrap().earlier, None);
        world.run(Command::from(AccessCommand::DeleteKey("a".into()))).unwrap();
        assert!(world.state.access_key("a").is_none());
        let gone = Command::from(AccessCommand::ModifyKey("a".into(), off));
        assert_eq!(world.run(gone).unwrap_err(), Refusal::NoAccessKey("a".into()));
    }

    #[test]
    fn tokens_over_their_time_make_room_for_others() {
        let mut world = World::new(1);
        let token = |name: String| Command::from(AccessCommand::CreateJoinToken { digest: name, valid_s: 60 });
        for at in 0..limits::JOIN_TOKENS {
            world.run(token(at.to_string())).unwrap();
        }
        let full = world.run(token("more".into())).unwrap_err();
        assert_eq!(full, Refusal::TooManyJoinTokens(limits::JOIN_TOKENS));
        // One that is there already takes no more room: it is replaced.
        world.run(token("0".into())).unwrap();
        assert_eq!(world.state.join_tokens().count(), limits::JOIN_TOKENS);
        world.pass_ms(61_000);
        world.run(token("more".into())).unwrap();
        assert_eq!(world.state.join_tokens().count(), 1);
    }
}
