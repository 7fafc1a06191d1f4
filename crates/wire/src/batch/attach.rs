//! Requests about machines of one's own: attached to an environment, detached from it.

use kernel::id::{EnvId, MachineId};
use serde_json::Value;

use super::check;
use super::declared::LOGIN;
use super::ids::{self};
use super::schema::{self, Field, Kind};
use crate::api3::ApiError;
use crate::fields::{self, Reader};
use crate::limits::REQUEST_IDS;

/// The code of a machine that is named twice.
const TWICE: &str = "InvalidParameterValue.InstanceIdDuplicated";
/// What is not done to a machine of one's own: it is not installed anew, and nobody logs in to it.
const NOT_DONE: &[Field] = &[Field::new("ImageId", Kind::Text), Field::new("LoginSettings", Kind::Object(LOGIN))];

/// Machines to be attached to an environment, or to be detached from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvMachines {
    /// The environment.
    pub env: EnvId,
    /// Which ones.
    pub machines: Vec<MachineId>,
}

/// Reads the parameters of `AttachInstances`.
///
/// # Errors
/// The documented code and the field's path for whatever is wrong with them.
pub fn attach_instances(params: &Value) -> Result<EnvMachines, ApiError> {
    fields::read(params, "", |request| {
        let env = ids::required(request, "EnvId")?;
        let machines = request.objects("Instances", |instance| {
            let machine = ids::required(instance, "InstanceId")?;
            schema::check(instance, NOT_DONE)?;
            for key in ["ImageId", "LoginSettings"] {
                if instance.value(key)?.is_some_and(|value| !value.is_null()) {
                    let reason = "a machine of one's own is not installed anew; leave it out";
                    return Err(instance.refuse(key, check::UNSUPPORTED, reason));
                }
            }
            Ok(machine)
        })?;
        counted(request, "Instances", &machines, ".InstanceId")?;
        Ok(EnvMachines { env, machines })
    })
}

/// Reads the parameters of `DetachInstances`.
///
/// # Errors
/// The documented code and the field's path for whatever is wrong with them.
pub fn detach_instances(params: &Value) -> Result<EnvMachines, ApiError> {
    fields::read(params, "", |request| {
        let env = ids::required(request, "EnvId")?;
        let machines = ids::list(request, "InstanceIds")?;
        counted(request, "InstanceIds", &machines, "")?;
        Ok(EnvMachines { env, machines })
    })
}

/// Refuses none, too many, and one that is named twice.
fn counted(request: &Reader<'_>, key: &str, machines: &[MachineId], field: &str) -> Result<(), ApiError> {
    if machines.is_empty() {
        return Err(request.refuse(key, "MissingParameter", "at least one instance is required"));
    }
    check::count(request, key, machines.len(), REQUEST_IDS)?;
    match (1..machines.len()).find(|at| machines[..*at].contains(&machines[*at])) {
        Some(at) => {
            Err(request.refuse(&format!("{key}.{at}{field}"), TWICE, format!("{} is given twice", machines[at])))
        }
        None => Ok(()),
    }
}
