//! `DescribeComputeEnvActivities`.

use kernel::id::{EnvId, NodeId};
use kernel::list::Span;
use serde_json::{Value, json};

use super::{filter, ids, select};
use crate::api3::ApiError;
use crate::fields;

/// What `DescribeComputeEnvActivities` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeComputeEnvActivities {
    /// The environment.
    pub env: EnvId,
    /// Activities of these nodes; none named: of all.
    pub nodes: Vec<NodeId>,
    /// Which part of them.
    pub page: Span,
}

/// Reads the parameters of `DescribeComputeEnvActivities`. Its `Filters` is declared as one filter, and was a list
/// before: both are accepted.
///
/// # Errors
/// The documented code and the field's path for whatever is wrong with them.
pub fn describe_compute_env_activities(params: &Value) -> Result<DescribeComputeEnvActivities, ApiError> {
    match params.get("Filters") {
        Some(filter @ Value::Object(_)) => {
            let mut listed = params.clone();
            listed["Filters"] = json!([filter]);
            // The path is that of what was sent.
            read(&listed).map_err(|error| ApiError::new(error.code, error.message.replace("Filters.0", "Filters")))
        }
        _ => read(params),
    }
}

fn read(params: &Value) -> Result<DescribeComputeEnvActivities, ApiError> {
    fields::read(params, "", |request| {
        let env = ids::required(request, "EnvId")?;
        let mut nodes = Vec::new();
        filter::each(request, &["compute-node-id"], |filter| {
            if filter.name != "compute-node-id" {
                return Ok(false);
            }
            nodes = filter.each(|key, text| ids::parsed(request, key, text))?;
            Ok(true)
        })?;
        Ok(DescribeComputeEnvActivities { env, nodes, page: select::page(request)? })
    })
}
