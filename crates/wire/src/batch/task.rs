//! One of a job's `Tasks`.

use std::collections::BTreeSet;

use kernel::id::EnvId;
use kernel::job::TaskSpec;
use kernel::limits::{ENV_VAR_BYTES, NAME_CHARS, RETRIES, TASK_ENV_VARS, TASK_INSTANCES, TIMEOUT_DEFAULT_S, TIMEOUT_S};
use kernel::setup::Setup;

use super::check::{self, VALUE};
use super::{Site, application, ids, own, storage};
use crate::api3::ApiError;
use crate::fields::{Reader, shortened};
use crate::limits::TASK_NAME_BYTES;

/// A task. One without a name gets an empty one.
pub(super) fn task(task: &Reader<'_>, site: &Site<'_>) -> Result<TaskSpec, ApiError> {
    let env = env(task)?;
    let own = own::own_nodes(task, site)?;
    let name = name(task)?.unwrap_or_default();
    let application = task.required_object("Application", |inner| application::application(inner, site))?;
    let instances = check::within(task, "TaskInstanceNum", 1, TASK_INSTANCES, "InvalidParameterValue.TaskInstanceNum")?;
    let retries = check::up_to(task, "MaxRetryCount", RETRIES, "InvalidParameterValue.MaxRetryCount")?;
    let timeout_s = check::within(task, "Timeout", 1, TIMEOUT_S, VALUE)?;
    let max_concurrent = task.u64("MaxConcurrentNum")?;
    let env_vars = env_vars(task)?;
    let setup = setup(task, site)?;
    let restart_node = task.bool("RestartComputeNode")?.unwrap_or(false);
    Ok(TaskSpec {
        name,
        command: application.command,
        // One with nodes of its own gets an environment for them when it is submitted.
        env: env.unwrap_or(EnvId::FIRST),
        own,
        restart_node,
        instances: u32::try_from(instances.unwrap_or(1)).expect("limited to less"),
        retries: retries.unwrap_or(0),
        timeout_s: timeout_s.unwrap_or(TIMEOUT_DEFAULT_S),
        // 0 is no bound, as on Tencent.
        max_concurrent: max_concurrent.filter(|most| *most > 0),
        env_vars,
        setup: Setup { package: application.package, container: application.container, ..setup },
    })
}

/// What surrounds the command, but for what `Application` says of it.
fn setup(task: &Reader<'_>, site: &Site<'_>) -> Result<Setup, ApiError> {
    let (stdout, stderr) = storage::redirects(task, site)?;
    Ok(Setup {
        inputs: storage::inputs(task, site)?,
        outputs: storage::outputs(task, site)?,
        upload: storage::upload(task)?,
        key: storage::key(task)?,
        stdout,
        stderr,
        ..Setup::default()
    })
}

/// A task's name: it becomes part of file names, of what shells and URLs say, and of what people type.
fn name(task: &Reader<'_>) -> Result<Option<String>, ApiError> {
    let too_long = "InvalidParameter.TaskNameTooLong";
    let Some(name) = check::text(task, "TaskName", NAME_CHARS, too_long)? else { return Ok(None) };
    if name.len() > TASK_NAME_BYTES {
        let reason = format!("has {} bytes, and at most {TASK_NAME_BYTES} are allowed", name.len());
        return Err(task.refuse("TaskName", too_long, reason));
    }
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || !name.chars().all(fits) || name.starts_with(['.', '-']) {
        let reason = format!(
            "expected letters, digits, `-`, `_` and `.`, beginning with none of `-` and `.`, found \"{}\"",
            shortened(&name)
        );
        return Err(task.refuse("TaskName", "InvalidParameter.TaskName", reason));
    }
    Ok(Some(name))
}

/// The environment it names; `None`: it has nodes of its own.
fn env(task: &Reader<'_>) -> Result<Option<EnvId>, ApiError> {
    let own = task.value("ComputeEnv")?.is_some();
    let named = task.string("EnvId")?;
    match (named, own) {
        (Some(id), false) => ids::parsed(task, "EnvId", &id).map(Some),
        (None, true) => Ok(None),
        (named, _) => {
            let given = if named.is_some() { "both" } else { "neither" };
            let message =
                format!("{}: exactly one of EnvId and ComputeEnv must be given, found {given}", task.path("EnvId"));
            Err(ApiError::new("AllowedOneAttributeInEnvIdAndComputeEnv", message))
        }
    }
}

fn env_vars(task: &Reader<'_>) -> Result<Vec<(String, String)>, ApiError> {
    let mut names = BTreeSet::new();
    let vars = task.objects("EnvVars", |var| {
        let (name, value) = (var.required_string("Name")?, var.required_string("Value")?);
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(var.refuse("Name", VALUE, "must not be empty or have `=` or a NUL character in it"));
        }
        if !names.insert(name.clone()) {
            return Err(var.refuse("Name", VALUE, format!("`{}` is given twice", shortened(&name))));
        }
        if value.contains('\0') {
            return Err(var.refuse("Value", VALUE, "has a NUL character, which no environment can carry"));
        }
        if name.len() + value.len() > ENV_VAR_BYTES {
            let reason = format!("name and value have more than {ENV_VAR_BYTES} bytes");
            return Err(var.refuse("Value", VALUE, reason));
        }
        Ok((name, value))
    })?;
    check::count(task, "EnvVars", vars.len(), TASK_ENV_VARS)?;
    Ok(vars)
}
