//! `ComputeEnv` of a task: nodes of its own.
//!
//! Of the machine it describes only the instance types have an effect here, as with environments
//! ([`super::env_data`]); the rest is checked as declared, stored and echoed.

use kernel::job::{FailedAction, OwnNodes};
use kernel::limits::NODE_RECREATIONS;

use super::check::{self, VALUE};
use super::declared::{AGENT_RUNNING_MODE, MOUNT_DATA_DISK};
use super::schema::{self, Field, Kind};
use super::{Site, env_data};
use crate::api3::ApiError;
use crate::event::ENV_TYPE;
use crate::fields::{Reader, shortened};

const ECHOED: &[Field] = &[
    Field::new("MountDataDisks", Kind::Objects(MOUNT_DATA_DISK)),
    Field::new("AgentRunningMode", Kind::Object(AGENT_RUNNING_MODE)),
];

/// The nodes that a task asks for; `None`: it has no `ComputeEnv`. The fields about them that stand beside it are
/// checked also where they have no effect, as Tencent documents it.
pub(super) fn own_nodes(task: &Reader<'_>, site: &Site<'_>) -> Result<Option<OwnNodes>, ApiError> {
    let actions = [
        ("TERMINATE", FailedAction::Terminate),
        ("INTERRUPT", FailedAction::Interrupt),
        ("FAST_INTERRUPT", FailedAction::FastInterrupt),
    ];
    let failed_action = check::one_of(task, "FailedAction", &actions)?.unwrap_or_default();
    let creation_retries = check::up_to(task, "ResourceMaxRetryCount", NODE_RECREATIONS, VALUE)?.unwrap_or(0);
    let types = task.object("ComputeEnv", |env| {
        if let Some(kind) = env.string("EnvType")?.filter(|kind| kind != ENV_TYPE) {
            let reason = format!("expected {ENV_TYPE}, found \"{}\"", shortened(&kind));
            return Err(env.refuse("EnvType", "InvalidParameterValue.ComputeEnv", reason));
        }
        schema::check(env, ECHOED)?;
        env_data::instance_types(env, site)
    })?;
    Ok(types.map(|instance_types| OwnNodes { instance_types, failed_action, creation_retries }))
}
