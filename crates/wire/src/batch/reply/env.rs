//! Compute environments and their nodes.

use std::sync::Arc;

use kernel::environment::Env;
use kernel::node::{Node, NodeStage};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::placement::placement;
use super::tags;
use crate::event::ENV_TYPE;
use crate::time::Utc;

/// What Tencent calls nodes that are virtual machines; those here stand for them.
const RESOURCE_TYPE: &str = "CVM";

/// How many nodes are in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct NodeCounts {
    /// SUBMITTED.
    #[serde(rename = "SubmittedCount")]
    pub submitted: u64,
    /// CREATING.
    #[serde(rename = "CreatingCount")]
    pub creating: u64,
    /// CREATION_FAILED.
    #[serde(rename = "CreationFailedCount")]
    pub creation_failed: u64,
    /// CREATED.
    #[serde(rename = "CreatedCount")]
    pub created: u64,
    /// RUNNING.
    #[serde(rename = "RunningCount")]
    pub running: u64,
    /// DELETING.
    #[serde(rename = "DeletingCount")]
    pub deleting: u64,
    /// ABNORMAL.
    #[serde(rename = "AbnormalCount")]
    pub abnormal: u64,
    /// Attached, in whatever state; told beside these.
    #[serde(skip)]
    pub attached: u64,
}

impl NodeCounts {
    fn of(nodes: &[Arc<Node>]) -> Self {
        let mut counts = Self::default();
        for node in nodes {
            let count = match node.stage {
                NodeStage::Submitted { .. } => &mut counts.submitted,
                NodeStage::Creating => &mut counts.creating,
                NodeStage::CreationFailed => &mut counts.creation_failed,
                NodeStage::Created | NodeStage::Restarting => &mut counts.created,
                NodeStage::Running => &mut counts.running,
                NodeStage::Deleting => &mut counts.deleting,
                NodeStage::Abnormal => &mut counts.abnormal,
            };
            *count += 1;
            counts.attached += u64::from(node.attached);
        }
        counts
    }
}

/// The reply of `DescribeComputeEnv`. `nodes` are the environment's, with the instances they hold.
#[must_use]
pub fn describe_compute_env(env: &Env, nodes: &[Arc<Node>]) -> Value {
    let mut reply = view(env, NodeCounts::of(nodes));
    reply.insert("ComputeNodeSet".into(), nodes.iter().map(|node| compute_node(node)).collect());
    Value::Object(reply)
}

/// The reply of `DescribeComputeEnvs`: some of `total` environments, each with its nodes by state.
#[must_use]
pub fn describe_compute_envs(total: u64, envs: &[(Arc<Env>, NodeCounts)]) -> Value {
    let envs: Vec<Value> = envs.iter().map(|(env, counts)| Value::Object(view(env, *counts))).collect();
    json!({"ComputeEnvSet": envs, "TotalCount": total})
}

fn view(env: &Env, counts: NodeCounts) -> Map<String, Value> {
    let view = json!({
        "EnvId": env.id,
        "EnvName": env.name,
        "Placement": placement(&env.spec.zone, &env.spec.document),
        "CreateTime": Utc(env.created),
        "ComputeNodeMetrics": counts,
        "DesiredComputeNodeCount": env.desired,
        "EnvType": ENV_TYPE,
        "ResourceType": RESOURCE_TYPE,
        "NextAction": if env.deleting { "DELETING" } else { "" },
        "AttachedComputeNodeCount": counts.attached,
        "Tags": tags(&env.spec.tags),
    });
    match view {
        Value::Object(view) => view,
        _ => Map::new(),
    }
}

fn compute_node(node: &Node) -> Value {
    json!({
        "ComputeNodeId": node.id,
        "ComputeNodeInstanceId": node.machine,
        "ComputeNodeState": node.stage.as_str(),
        "Cpu": node.cpu,
        "Mem": node.mem_gb,
        "ResourceCreatedTime": node.resource_created.map(Utc),
        "TaskInstanceNumAvailable": node.free_slots(),
        "AgentVersion": node.agent_version,
        "PrivateIpAddresses": node.addresses,
        "PublicIpAddresses": [],
        "ResourceType": RESOURCE_TYPE,
        "ResourceOrigin": if node.attached { "USER_ATTACHED" } else { "BATCH_CREATED" },
    })
}
