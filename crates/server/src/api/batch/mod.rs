//! Actions of Tencent Batch, version 2017-03-12. `wire::batch` reads their parameters and writes their replies.

mod attach_instances;
mod catalogue;
mod create_compute_env;
mod create_task_template;
mod delete_compute_env;
mod delete_job;
mod delete_task_templates;
mod describe_available_cvm_instance_types;
mod describe_compute_env;
mod describe_compute_env_activities;
mod describe_compute_env_create_info;
mod describe_compute_env_create_infos;
mod describe_compute_envs;
mod describe_cvm_zone_instance_config_infos;
mod describe_instance_categories;
mod describe_job;
mod describe_job_monitor_data;
mod describe_job_submit_info;
mod describe_jobs;
mod describe_task;
mod describe_task_logs;
mod describe_task_templates;
mod detach_instances;
mod modify_compute_env;
mod modify_task_template;
mod retry_jobs;
mod submit_job;
mod terminate_compute_node;
mod terminate_compute_nodes;
mod terminate_job;
mod terminate_task_instance;

use kernel::command::{Command, Reply};
use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::batch::{self, Site};

use super::api3::{self, Action};
use crate::App;
use crate::ledger::Lane;

/// All actions of Batch that are built.
pub(super) const ACTIONS: &[Action] = &[
    submit_job::ACTION,
    describe_job::ACTION,
    describe_jobs::ACTION,
    describe_job_monitor_data::ACTION,
    describe_task::ACTION,
    describe_task_logs::ACTION,
    describe_job_submit_info::ACTION,
    terminate_job::ACTION,
    terminate_task_instance::ACTION,
    retry_jobs::ACTION,
    delete_job::ACTION,
    create_task_template::ACTION,
    describe_task_templates::ACTION,
    modify_task_template::ACTION,
    delete_task_templates::ACTION,
    create_compute_env::ACTION,
    describe_compute_env::ACTION,
    describe_compute_envs::ACTION,
    describe_compute_env_create_info::ACTION,
    describe_compute_env_create_infos::ACTION,
    describe_compute_env_activities::ACTION,
    modify_compute_env::ACTION,
    delete_compute_env::ACTION,
    terminate_compute_node::ACTION,
    terminate_compute_nodes::ACTION,
    attach_instances::ACTION,
    detach_instances::ACTION,
    describe_available_cvm_instance_types::ACTION,
    describe_cvm_zone_instance_config_infos::ACTION,
    describe_instance_categories::ACTION,
];

pub(super) async fn submit(app: &App, command: Command) -> Result<Reply, ApiError> {
    api3::submit(app, Lane::Api, command, batch::refusal).await
}

/// Submits a command that is answered without fields.
pub(super) async fn submit_done(app: &App, command: Command) -> Result<Value, ApiError> {
    match submit(app, command).await? {
        Reply::Done => Ok(json!({})),
        other => Err(api3::unexpected(&other)),
    }
}

/// Has a request's parameters read by `read`, which checks them against this installation.
pub(super) fn at_site<T>(app: &App, read: impl FnOnce(&Site<'_>) -> T) -> T {
    let settings = &app.settings;
    let node_type = |name: &str| settings.catalogue.node_type(name);
    let types_of_size =
        |cpu: u32, mem_gb: u32, categories: &[String]| settings.catalogue.of_size(cpu, mem_gb, categories);
    read(&Site {
        region: &settings.region,
        zones: &settings.zones,
        mounts: &settings.mounts,
        node_type: &node_type,
        types_of_size: &types_of_size,
    })
}

fn no_job(job: kernel::id::JobId) -> ApiError {
    batch::refusal(&kernel::command::Refusal::NoJob(job))
}

fn no_task(job: kernel::id::JobId, task_name: &str) -> ApiError {
    ApiError::new("ResourceNotFound.Task", format!("TaskName: job {job} has no task `{task_name}`"))
}
