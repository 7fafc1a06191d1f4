//! Key pairs: `CreateAccessKey`, `DescribeAccessKeys`, `ModifyAccessKey`, `RotateAccessKey`, `DeleteAccessKey`.
//!
//! A secret is told once, in the reply that makes it; nothing tells it again.

use std::collections::BTreeSet;

use kernel::access::{AccessCommand, AccessKey, AccessKeyEdit, Grant, Quota, Role, Scope};
use kernel::command::{Command, Refusal, Reply};
use kernel::limits::{
    ACCESS_NOTE_CHARS, ACCESS_OVERLAP_DEFAULT_S, ACCESS_OVERLAP_S, CALLS_PER_S, SCOPE_PATTERN_CHARS, SCOPE_PATTERNS,
};
use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::fields::{self, Reader};
use wire::time::Utc;

use crate::App;
use crate::api::api3::{Action, internal, submit, unexpected};
use crate::api::tdmq;
use crate::data::draw_pair;
use crate::keys::KeyPair;
use crate::ledger::Lane;

const INVALID: &str = "InvalidParameterValue";

/// `CreateAccessKey`
pub(super) const CREATE: Action = Action {
    name: "CreateAccessKey",
    help: "Makes a key pair with roles, for some topics, queues and environments or for all; tells its secret this once.",
    call: |app, params| Box::pin(create(app, params)),
};

/// `DescribeAccessKeys`
pub(super) const DESCRIBE: Action = Action {
    name: "DescribeAccessKeys",
    help: "Lists the key pairs and what each may do; never their secrets.",
    call: |app, params| Box::pin(async move { describe(app, params) }),
};

/// `ModifyAccessKey`
pub(super) const MODIFY: Action = Action {
    name: "ModifyAccessKey",
    help: "Changes what a key pair may do, or lets it do nothing for a time.",
    call: |app, params| Box::pin(async move { done(app, modification(app, params)?).await }),
};

/// `RotateAccessKey`
pub(super) const ROTATE: Action = Action {
    name: "RotateAccessKey",
    help: "Gives a key pair another secret, and tells it this once; the old one stays valid beside it for a time.",
    call: |app, params| Box::pin(rotate(app, params)),
};

/// `DeleteAccessKey`
pub(super) const DELETE: Action = Action {
    name: "DeleteAccessKey",
    help: "Deletes a key pair; what it signs from then on is refused.",
    call: |app, params| {
        Box::pin(async move {
            let id = fields::read(params, "", |reader| reader.required_string("SecretId"))?;
            done(app, Command::from(AccessCommand::DeleteKey(id))).await
        })
    },
};

async fn create(app: &App, params: &Value) -> Result<Value, ApiError> {
    let (note, grant) = fields::read(params, "", |reader| {
        let note = note(reader)?.unwrap_or_default();
        let grant = grant(reader, &Grant::default())?;
        if grant.roles.is_empty() {
            return Err(ApiError::new("MissingParameter", format!("Roles: at least one of {}", role_words())));
        }
        Ok((note, grant))
    })?;
    let KeyPair { secret_id, secret_key } = drawn(draw_pair())?;
    let sealed = drawn(app.keys.seal(&secret_id, &secret_key))?;
    let made = AccessCommand::CreateKey { secret_id: secret_id.clone(), sealed, note, grant };
    done(app, Command::from(made)).await?;
    Ok(json!({"SecretId": secret_id, "SecretKey": secret_key}))
}

fn describe(app: &App, params: &Value) -> Result<Value, ApiError> {
    fields::read(params, "", |_| Ok(()))?;
    let (state, now) = (app.state(), app.clock());
    let mut keys: Vec<_> = state.access_keys().cloned().collect();
    keys.sort_by(|one, other| other.created.cmp(&one.created).then_with(|| one.secret_id.cmp(&other.secret_id)));
    let set: Vec<Value> = keys
        .iter()
        .map(|key| {
            let AccessKey { secret_id, note, grant, disabled, created, modified, earlier, .. } = &**key;
            let until = earlier.as_ref().map(|earlier| earlier.until).filter(|until| *until > now);
            json!({
                "SecretId": secret_id,
                "Description": note,
                "Roles": grant.roles.iter().map(|role| role.word()).collect::<Vec<_>>(),
                "Topics": grant.scope.topics,
                "Queues": grant.scope.queues,
                "Environments": grant.scope.environments,
                "CallsPerSecond": grant.calls_per_s,
                "MaxBodyBytes": grant.body_bytes,
                "MaxJobs": grant.quota.jobs,
                "MaxTopics": grant.quota.topics,
                "MaxQueues": grant.quota.queues,
                "MaxEnvironments": grant.quota.environments,
                "Disabled": disabled,
                "CreateTime": Utc(*created),
                "ModifyTime": Utc(*modified),
                "OldSecretValidUntil": until.map(Utc),
            })
        })
        .collect();
    Ok(json!({"OwnSecretId": app.keys.own(), "TotalCount": set.len(), "AccessKeySet": set}))
}

fn modification(app: &App, params: &Value) -> Result<Command, ApiError> {
    fields::read(params, "", |reader| {
        let id = reader.required_string("SecretId")?;
        // What is not named stays as it is.
        let had = app.state().access_key(&id).map(|key| key.grant.clone());
        let had = had.ok_or_else(|| missing(app, &id))?;
        let changed = grant(reader, &had)?;
        let edit = AccessKeyEdit {
            note: note(reader)?,
            grant: (changed != had).then_some(changed),
            disabled: reader.bool("Disabled")?,
        };
        Ok(Command::from(AccessCommand::ModifyKey(id, edit)))
    })
}

async fn rotate(app: &App, params: &Value) -> Result<Value, ApiError> {
    let (secret_id, keep_s) = fields::read(params, "", |reader| {
        let id = reader.required_string("SecretId")?;
        let keep_s = reader.u64("KeepOldSeconds")?.unwrap_or(ACCESS_OVERLAP_DEFAULT_S);
        if keep_s > ACCESS_OVERLAP_S {
            let rule = format!("it must be from 0 to {ACCESS_OVERLAP_S}");
            return Err(reader.refuse("KeepOldSeconds", INVALID, rule));
        }
        Ok((id, keep_s))
    })?;
    if app.state().access_key(&secret_id).is_none() {
        return Err(missing(app, &secret_id));
    }
    let secret_key = drawn(draw_pair())?.secret_key;
    let sealed = drawn(app.keys.seal(&secret_id, &secret_key))?;
    let command = AccessCommand::RotateKey { secret_id: secret_id.clone(), sealed, keep_s };
    done(app, Command::from(command)).await?;
    Ok(json!({"SecretId": secret_id, "SecretKey": secret_key}))
}

async fn done(app: &App, command: Command) -> Result<Value, ApiError> {
    match submit(app, Lane::Api, command, tdmq::of_refusal).await? {
        Reply::Done => Ok(json!({})),
        other => Err(unexpected(&other)),
    }
}

/// Why there is no such key pair among those that can be changed.
fn missing(app: &App, id: &str) -> ApiError {
    if id == app.keys.own() {
        let why =
            "SecretId: this is the installation's own key pair, which variables or the data folder of the server give";
        return ApiError::new("UnsupportedOperation", why);
    }
    tdmq::of_refusal(&Refusal::NoAccessKey(id.to_owned()))
}

fn drawn<T>(drawn: std::io::Result<T>) -> Result<T, ApiError> {
    drawn.map_err(|error| {
        tracing::error!(%error, "failed to draw a secret");
        internal()
    })
}

fn role_words() -> String {
    Role::ALL.map(Role::word).join(", ")
}

fn note(reader: &Reader<'_>) -> Result<Option<String>, ApiError> {
    let note = reader.string("Description")?;
    if note.as_ref().is_some_and(|note| note.chars().count() > ACCESS_NOTE_CHARS) {
        return Err(reader.refuse("Description", INVALID, format!("at most {ACCESS_NOTE_CHARS} characters")));
    }
    Ok(note)
}

/// What a key pair may do: what is given, and of `had` what is not.
fn grant(reader: &Reader<'_>, had: &Grant) -> Result<Grant, ApiError> {
    let words = reader.strings("Roles")?;
    let roles = match reader.has("Roles") {
        false => had.roles.clone(),
        true => words
            .iter()
            .enumerate()
            .map(|(at, word)| {
                let wrong =
                    || reader.refuse(&format!("Roles.{at}"), INVALID, format!("it must be one of {}", role_words()));
                word.parse::<Role>().map_err(|()| wrong())
            })
            .collect::<Result<BTreeSet<_>, _>>()?,
    };
    if roles.is_empty() && !had.roles.is_empty() {
        return Err(reader.refuse("Roles", INVALID, format!("at least one of {}", role_words())));
    }
    let scope = Scope {
        topics: patterns(reader, "Topics", &had.scope.topics)?,
        queues: patterns(reader, "Queues", &had.scope.queues)?,
        environments: patterns(reader, "Environments", &had.scope.environments)?,
    };
    // 0 takes a bound away.
    let calls_per_s = match reader.u64("CallsPerSecond")? {
        None => had.calls_per_s,
        Some(calls) => {
            let rule =
                || reader.refuse("CallsPerSecond", INVALID, format!("it must be from 0 (no bound) to {CALLS_PER_S}"));
            let calls = u32::try_from(calls).ok().filter(|calls| *calls <= CALLS_PER_S).ok_or_else(rule)?;
            (calls > 0).then_some(calls)
        }
    };
    let most = |name: &str, had: Option<u64>| -> Result<Option<u64>, ApiError> {
        Ok(reader.u64(name)?.map_or(had, |most| (most > 0).then_some(most)))
    };
    let body_bytes = most("MaxBodyBytes", had.body_bytes)?;
    let quota = Quota {
        jobs: most("MaxJobs", had.quota.jobs)?,
        topics: most("MaxTopics", had.quota.topics)?,
        queues: most("MaxQueues", had.quota.queues)?,
        environments: most("MaxEnvironments", had.quota.environments)?,
    };
    Ok(Grant { roles, scope, calls_per_s, body_bytes, quota })
}

fn patterns(reader: &Reader<'_>, name: &str, had: &[String]) -> Result<Vec<String>, ApiError> {
    let given = reader.strings(name)?;
    if !reader.has(name) {
        return Ok(had.to_vec());
    }
    if given.len() > SCOPE_PATTERNS {
        return Err(reader.refuse(name, INVALID, format!("at most {SCOPE_PATTERNS} patterns")));
    }
    for (at, pattern) in given.iter().enumerate() {
        let length = pattern.chars().count();
        if !(1..=SCOPE_PATTERN_CHARS).contains(&length) {
            let rule = format!("1 to {SCOPE_PATTERN_CHARS} characters, in which `*` stands for any text");
            return Err(reader.refuse(&format!("{name}.{at}"), INVALID, rule));
        }
    }
    Ok(given)
}
