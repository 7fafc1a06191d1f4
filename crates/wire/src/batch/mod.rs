//! Tencent Batch, API version 2017-03-12: its requests become kernel terms here, and kernel terms its replies.
//!
//! A request is read once, by a function named after its action; what comes out is checked: every input error ends
//! here, naming the field's path. Three kinds of fields stand beside those that have an effect:
//!
//! * Those without meaning on one's own machines (disks, networks, prices) are checked for their types and kept in the
//!   `document` of the job or environment, to be echoed.
//! * Those without effect on tasks that name an environment, as Tencent documents it (`FailedAction`,
//!   `StateIfCreateCvmFailed`, a task's `ResourceMaxRetryCount`), are checked and accepted.
//! * Those that ask for what is not built are refused with `UnsupportedOperation`, never ignored.
//!
//! What only the state can tell (whether a topic, an environment, a job exists) the kernel refuses; [`refusal`] gives
//! its refusals their codes.

mod activity;
mod application;
mod attach;
mod catalogue;
mod check;
mod declared;
mod env;
mod env_data;
mod filter;
mod graph;
mod ids;
mod job;
mod mask;
mod monitor;
mod notification;
mod orders;
mod own;
mod placement;
mod refusal;
pub mod reply;
mod schema;
mod select;
mod storage;
mod tag;
mod task;
mod template;
mod token;

use kernel::environment::NodeType;

pub use activity::{DescribeComputeEnvActivities, describe_compute_env_activities};
pub use attach::{EnvMachines, attach_instances, detach_instances};
pub use catalogue::{TypeFilter, describe_instance_categories};
pub use catalogue::{describe_available_cvm_instance_types, describe_cvm_zone_instance_config_infos};
pub use env::{CreateComputeEnv, ModifyComputeEnv, TerminateComputeNodes};
pub use env::{compute_nodes, create_compute_env, modify_compute_env, terminate_compute_node, terminate_compute_nodes};
pub use env_data::CATEGORIES;
pub use ids::{env_id, job_id};
pub use job::{SubmitJob, submit_job};
pub use mask::without_secrets;
pub use monitor::{DescribeJobMonitorData, Metric, describe_job_monitor_data};
pub use orders::{TerminateTaskInstance, retry_jobs, terminate_task_instance};
pub use refusal::refusal;
pub use select::{DescribeComputeEnvs, DescribeJobs, DescribeTask, DescribeTaskLogs, Logs};
pub use select::{
    describe_compute_env_create_infos, describe_compute_envs, describe_jobs, describe_task, describe_task_logs,
};
pub use template::{DescribeTaskTemplates, SubmitTaskTemplate};
pub use template::{create_task_template, delete_task_templates, describe_task_templates};
pub use template::{modify_task_template, submit_task_template};

/// From cores, memory in GiB and categories to the types that have them.
pub type TypesOfSize<'a> = dyn Fn(u32, u32, &[String]) -> Vec<NodeType> + 'a;

/// What requests are checked against: the installation they arrive at.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// Its region.
    pub region: &'a str,
    /// The zones of its region.
    pub zones: &'a [String],
    /// The addresses, `cfs://…` and `nfs://…`, that are mounted here.
    pub mounts: &'a [String],
    /// What a node of an instance type has to offer; `None` for a type that cannot be had.
    pub node_type: &'a dyn Fn(&str) -> Option<NodeType>,
    /// The types with so many cores and so much memory in GiB, of one of these categories; none named: of any.
    pub types_of_size: &'a TypesOfSize<'a>,
}

#[cfg(test)]
mod tests;
