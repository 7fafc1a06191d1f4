//! The kernel's refusals as API 3.0 codes them for Tencent Batch.

use kernel::access::Counted;
use kernel::command::Refusal;

use crate::api3::ApiError;

/// The error that a refusal is told as.
#[must_use]
pub fn refusal(refusal: &Refusal) -> ApiError {
    ApiError::new(code(refusal), refusal.to_string())
}

fn code(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::NoJob(_) => "ResourceNotFound.Job",
        Refusal::JobUnfinished(_) => "ResourceInUse.Job",
        Refusal::JobNotFailed { .. } | Refusal::RetryWithoutEnv { .. } | Refusal::InstanceRedone(_) => {
            "UnsupportedOperation"
        }
        Refusal::NoInstance { .. } => "ResourceNotFound.TaskInstance",
        Refusal::JobQuota(_) | Refusal::KeyQuota { counted: Counted::Jobs, .. } => "LimitExceeded.JobQuota",
        Refusal::NoTemplate { .. } => "ResourceNotFound.TaskTemplate",
        Refusal::TemplateQuota(_) => "LimitExceeded.TaskTemplateQuota",
        Refusal::CpuQuota { .. } => "LimitExceeded.CpuQuota",
        Refusal::NoEnv { .. } => "ResourceNotFound.ComputeEnv",
        Refusal::EnvDeleting { .. } => "UnsupportedOperation.ComputeEnvAcceptOtherRequest",
        Refusal::TooManyEnvs(_) | Refusal::KeyQuota { counted: Counted::Environments, .. } => {
            "LimitExceeded.ComputeEnvQuota"
        }
        Refusal::NoNode { .. } => "ResourceNotFound.ComputeNode",
        Refusal::NodeTerminating { .. } => "UnsupportedOperation.ComputeNodeIsTerminating",
        Refusal::NodeForbidsTerminate { .. } => "UnsupportedOperation.ComputeNodeForbidTerminate",
        Refusal::MachineNotAttachable { .. } => "UnsupportedOperation.InstancesNotAllowToAttach",
        Refusal::MachineNotAttached { .. } => "UnsupportedOperation",
        Refusal::TooFewNodes { .. } => "UnsupportedOperation.NotEnoughComputeNodesToTerminate",
        Refusal::NoTopic { .. } => "InvalidParameter.NotificationTopicName",
        Refusal::TokenReused(_) | Refusal::ForeignEvent { .. } => "InvalidParameterValue",
        // Refusals of messages; no action of Batch leads to them.
        _ => "FailedOperation",
    }
}
