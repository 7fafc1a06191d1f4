//! Requests about compute environments: from their parameters to checked specifications.

use kernel::change::EnvEdit;
use kernel::command::Token;
use kernel::environment::EnvSpec;
use kernel::id::{EnvId, NodeId};
use kernel::limits::{DESCRIPTION_CHARS, ENV_NODES, NAME_CHARS, NODE_RECREATIONS, NODE_RECREATIONS_DEFAULT};
use serde_json::Value;

use super::check::{self, VALUE};
use super::declared::{AGENT_RUNNING_MODE, MOUNT_DATA_DISK};
use super::schema::{self, Field, Kind};
use super::{Site, env_data, ids, mask, notification, placement, storage, tag, token};
use crate::api3::ApiError;
use crate::event::ENV_TYPE;
use crate::fields::{self, Reader};

/// Disks to mount and an agent on Windows have no meaning on one's own machines: stored and echoed.
const ECHOED: &[Field] = &[
    Field::new("MountDataDisks", Kind::Objects(MOUNT_DATA_DISK)),
    Field::new("AgentRunningMode", Kind::Object(AGENT_RUNNING_MODE)),
];

/// An environment to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateComputeEnv {
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// How many nodes.
    pub desired: u64,
    /// The rest.
    pub spec: EnvSpec,
    /// Makes a repeat harmless.
    pub token: Option<Token>,
}

/// An environment to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModifyComputeEnv {
    /// Which one.
    pub env: EnvId,
    /// What changes.
    pub edit: EnvEdit,
}

/// Nodes to be destroyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminateComputeNodes {
    /// Their environment.
    pub env: EnvId,
    /// Which ones.
    pub nodes: Vec<NodeId>,
}

/// Reads the parameters of `CreateComputeEnv`.
///
/// # Errors
/// The documented code and the field's path for whatever is wrong with them.
pub fn create_compute_env(params: &Value, site: &Site<'_>) -> Result<CreateComputeEnv, ApiError> {
    fields::read(params, "", |request| {
        let zone = placement::zone(request, site)?;
        let token = token::token(request, params)?;
        request.required_object("ComputeEnv", |env| {
            let name = env.required("EnvName", name(env)?)?;
            let desired = env.required("DesiredComputeNodeCount", desired(env, VALUE)?)?;
            let description = description(env)?.unwrap_or_default();
            let document = mask::without_secrets(params).to_string();
            Ok(CreateComputeEnv { name, description, desired, spec: spec(env, site, zone, document)?, token })
        })
    })
}

fn spec(env: &Reader<'_>, site: &Site<'_>, zone: String, document: String) -> Result<EnvSpec, ApiError> {
    if check::one_of(env, "EnvType", &[(ENV_TYPE, true), ("THPC_QUEUE", false)])? == Some(false) {
        let reason = format!("queues of THPC clusters do not exist here; use {ENV_TYPE}");
        return Err(env.refuse("EnvType", check::UNSUPPORTED, reason));
    }
    let instance_types = env_data::instance_types(env, site)?;
    schema::check(env, ECHOED)?;
    let inputs = storage::inputs(env, site)?;
    let key = storage::key(env)?;
    check::one_of(env, "ActionIfComputeNodeInactive", &[("RECREATE", ())])?;
    let max_recreations = check::up_to(env, "ResourceMaxRetryCount", NODE_RECREATIONS, VALUE)?;
    let notifications = notification::notifications(env, |event| event.is_of_env())?;
    Ok(EnvSpec {
        instance_types,
        notifications,
        tags: tag::tags(env)?,
        zone,
        recreate: true,
        max_recreations: max_recreations.unwrap_or(NODE_RECREATIONS_DEFAULT),
        inputs,
        key,
        document,
    })
}

/// Reads the parameters of `ModifyComputeEnv`.
///
/// # Errors
/// The documented code and the field's path for whatever is wrong with them.
pub fn modify_compute_env(params: &Value, site: &Site<'_>) -> Result<ModifyComputeEnv, ApiError> {
    fields::read(params, "", |request| {
        let env = ids::required(request, "EnvId")?;
        // Nothing else of EnvData is declared here, and so nothing else is accepted.
        let instance_types =
            request.object("EnvData", |data| data.required("InstanceTypes", env_data::named_types(data, site)?))?;
        let edit = EnvEdit {
            name: name(request)?,
            description: description(request)?,
            desired: desired(request, "InvalidParameterValue.LimitExceeded")?,
            instance_types,
        };
        Ok(ModifyComputeEnv { env, edit })
    })
}

/// Reads the parameters of `TerminateComputeNode`.
///
/// # Errors
/// The documented code and the field's path for whatever is wrong with them.
pub fn terminate_compute_node(params: &Value) -> Result<TerminateComputeNodes, ApiError> {
    fields::read(params, "", |request| {
        let env = ids::required(request, "EnvId")?;
        Ok(TerminateComputeNodes { env, nodes: vec![ids::required(request, "ComputeNodeId")?] })
    })
}

/// Reads the parameters of `DrainNodes` and `UndrainNodes`, Herald's own: the nodes.
///
/// # Errors
/// As [`terminate_compute_nodes`].
pub fn compute_nodes(params: &Value) -> Result<Vec<NodeId>, ApiError> {
    fields::read(params, "", |request| ids::distinct(request, "ComputeNodeIds", "node"))
}

/// Reads the parameters of `TerminateComputeNodes`.
///
/// # Errors
/// The documented code and the field's path for whatever is wrong with them.
pub fn terminate_compute_nodes(params: &Value) -> Result<TerminateComputeNodes, ApiError> {
    fields::read(params, "", |request| {
        let env = ids::required(request, "EnvId")?;
        Ok(TerminateComputeNodes { env, nodes: ids::distinct(request, "ComputeNodeIds", "node")? })
    })
}

fn name(reader: &Reader<'_>) -> Result<Option<String>, ApiError> {
    match check::text(reader, "EnvName", NAME_CHARS, "InvalidParameter.EnvNameTooLong")? {
        Some(name) if name.is_empty() => Err(reader.refuse("EnvName", VALUE, "must not be empty")),
        name => Ok(name),
    }
}

fn description(reader: &Reader<'_>) -> Result<Option<String>, ApiError> {
    check::text(reader, "EnvDescription", DESCRIPTION_CHARS, "InvalidParameter.EnvDescriptionTooLong")
}

fn desired(reader: &Reader<'_>, too_many: &'static str) -> Result<Option<u64>, ApiError> {
    check::up_to(reader, "DesiredComputeNodeCount", ENV_NODES, too_many)
}
