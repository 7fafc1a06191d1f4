//! Replies: every field that Tencent Batch documents, in its type, so that typed clients can read them. A list
//! without elements is `[]`; a time that has not come is `null`.

mod activity;
mod catalogue;
mod create_info;
mod env;
mod job;
mod monitor;
mod placement;
mod submit_info;
mod task;
mod template;

use serde_json::{Value, json};

pub use activity::describe_compute_env_activities;
pub use catalogue::{
    Offer, describe_available_cvm_instance_types, describe_cvm_zone_instance_config_infos, describe_instance_categories,
};
pub use create_info::{describe_compute_env_create_info, describe_compute_env_create_infos};
pub use env::{NodeCounts, describe_compute_env, describe_compute_envs};
pub use job::{describe_job, describe_jobs};
pub use monitor::{Point, describe_job_monitor_data};
pub use submit_info::describe_job_submit_info;
pub use task::{Log, bulk_instance, describe_task, describe_task_logs, instance};
pub use template::describe_task_templates;

fn tags(tags: &[(String, String)]) -> Value {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}
