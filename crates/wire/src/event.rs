//! The text of an event: what a topic's subscribers receive (the event contract, section 3 of the event page).
//!
//! One event a message, compact JSON, keys in the order of the contract: those of Tencent Batch's event notice
//! first, `EventId` and `Sequence`, which are Herald's own, last. What does not exist yet is left out. A body is
//! self-contained: nobody needs to ask the API again to act on it.
//!
//! The ledger turns every event it commits into text, tens of thousands a second; so the bodies are plain structures
//! that borrow from the event, written once from front to back.

use kernel::environment::Env;
use kernel::event::{DeliveryTrouble, Event, EventId, NodeOwner, Subject};
use kernel::explain::TaskWhy;
use kernel::id::{EnvId, JobId, MachineId, NodeId};
use kernel::instance::Instance;
use kernel::job::{Job, JobSpec};
use kernel::node::Node;
use kernel::task::Task;
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use crate::metrics::Metrics;
use crate::time::Utc;

/// The type of every environment here: its nodes are made and destroyed by the service.
pub(crate) const ENV_TYPE: &str = "MANAGED";

/// The text of `event`, sent from `region`.
#[must_use]
pub fn body(event: &Event, region: &str) -> String {
    let notice = Notice {
        event_version: "1.0",
        event_time: Utc(event.at),
        region,
        batch: Batch::of(&event.subject),
        event_name: event.name.as_str(),
        event_vars: Vars(&event.vars),
        event_id: Text(event.id),
        sequence: event.sequence,
    };
    serde_json::to_string(&Body { events: [notice] }).expect("texts and numbers can always be written")
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    events: [Notice<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Notice<'a> {
    event_version: &'static str,
    event_time: Utc,
    region: &'a str,
    batch: Batch<'a>,
    event_name: &'static str,
    event_vars: Vars<'a>,
    event_id: Text,
    sequence: u64,
}

/// An event's id, written as its text.
struct Text(EventId);

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// The pairs that were asked for, `[{"Name":…,"Value":…}]`.
struct Vars<'a>(&'a [(String, String)]);

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Var<'a> {
    name: &'a str,
    value: &'a str,
}

impl Serialize for Vars<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for (name, value) in self.0 {
            list.serialize_element(&Var { name, value })?;
        }
        list.end()
    }
}

/// What the event happened to, as that stood right after.
#[derive(Serialize)]
#[serde(untagged)]
enum Batch<'a> {
    Job(JobFacts<'a>),
    Blocked(BlockedFacts<'a>),
    Task(TaskFacts<'a>),
    Instance(InstanceFacts<'a>),
    Env(EnvFacts<'a>),
    Node(NodeFacts<'a>),
    Delivery(DeliveryFacts<'a>),
}

impl<'a> Batch<'a> {
    fn of(subject: &'a Subject) -> Self {
        match subject {
            Subject::Job(job) => Self::Job(JobFacts::of(job)),
            Subject::Blocked(job, reasons) => Self::Blocked(BlockedFacts::of(job, reasons)),
            Subject::Task(spec, task) => Self::Task(TaskFacts::of(spec, task)),
            Subject::Instance(spec, instance) => Self::Instance(InstanceFacts::of(spec, instance)),
            Subject::Env(env) => Self::Env(EnvFacts::of(env)),
            Subject::Node(node, owner) => Self::Node(NodeFacts::of(node, owner)),
            Subject::Delivery(trouble) => Self::Delivery(DeliveryFacts::of(trouble)),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct JobFacts<'a> {
    job_id: JobId,
    job_name: &'a str,
    job_state: &'static str,
    priority: u64,
    create_time: Utc,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<Utc>,
    #[serde(skip_serializing_if = "str::is_empty")]
    state_reason: &'a str,
    task_metrics: Metrics,
}

impl<'a> JobFacts<'a> {
    fn of(job: &'a Job) -> Self {
        Self {
            job_id: job.id,
            job_name: &job.spec.name,
            job_state: job.phase.as_str(),
            priority: job.spec.priority,
            create_time: Utc(job.created),
            end_time: job.ended.map(Utc),
            state_reason: &job.reason,
            task_metrics: Metrics::of(&job.tasks),
        }
    }
}

/// A job of which nothing runs, and the reasons of its tasks.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BlockedFacts<'a> {
    #[serde(flatten)]
    job: JobFacts<'a>,
    reasons: Vec<Reason<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Reason<'a> {
    task_name: &'a str,
    reason: &'static str,
    detail: &'a str,
}

impl<'a> BlockedFacts<'a> {
    fn of(job: &'a Job, reasons: &'a [TaskWhy]) -> Self {
        let reason =
            |task: &'a TaskWhy| Reason { task_name: &task.name, reason: task.why.as_str(), detail: &task.detail };
        Self { job: JobFacts::of(job), reasons: reasons.iter().map(reason).collect() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TaskFacts<'a> {
    job_id: JobId,
    job_name: &'a str,
    task_name: &'a str,
    task_state: &'static str,
    create_time: Utc,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<Utc>,
    #[serde(skip_serializing_if = "str::is_empty")]
    state_reason: &'a str,
    task_instance_metrics: Metrics,
}

impl<'a> TaskFacts<'a> {
    fn of(spec: &'a JobSpec, task: &'a Task) -> Self {
        Self {
            job_id: task.key.job,
            job_name: &spec.name,
            task_name: task_name(spec, task.key.task),
            task_state: task.phase.as_str(),
            create_time: Utc(task.created),
            end_time: task.ended.map(Utc),
            state_reason: &task.reason,
            task_instance_metrics: Metrics::of(&task.instances),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InstanceFacts<'a> {
    job_id: JobId,
    job_name: &'a str,
    task_name: &'a str,
    task_instance_index: u32,
    task_instance_state: &'static str,
    #[serde(skip_serializing_if = "is_zero")]
    attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    #[serde(skip_serializing_if = "str::is_empty")]
    state_reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    compute_node_id: Option<NodeId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compute_node_instance_id: Option<MachineId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    env_id: Option<EnvId>,
    create_time: Utc,
    #[serde(skip_serializing_if = "Option::is_none")]
    launch_time: Option<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    running_time: Option<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<Utc>,
}

impl<'a> InstanceFacts<'a> {
    fn of(spec: &'a JobSpec, instance: &'a Instance) -> Self {
        Self {
            job_id: instance.key.job,
            job_name: &spec.name,
            task_name: task_name(spec, instance.key.task),
            task_instance_index: instance.key.index,
            task_instance_state: instance.phase().as_str(),
            attempt: instance.attempt,
            exit_code: instance.exit_code,
            state_reason: &instance.reason,
            compute_node_id: instance.node,
            compute_node_instance_id: instance.machine,
            // The environment of a task's own nodes is nobody else's business.
            env_id: instance
                .env
                .filter(|_| spec.tasks.get(instance.key.task as usize).is_some_and(|task| task.own.is_none())),
            create_time: Utc(instance.created),
            launch_time: instance.launched.map(Utc),
            running_time: instance.running.map(Utc),
            end_time: instance.ended.map(Utc),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EnvFacts<'a> {
    env_id: EnvId,
    env_name: &'a str,
    env_type: &'static str,
    desired_compute_node_count: u64,
    create_time: Utc,
}

impl<'a> EnvFacts<'a> {
    fn of(env: &'a Env) -> Self {
        Self {
            env_id: env.id,
            env_name: &env.name,
            env_type: ENV_TYPE,
            desired_compute_node_count: env.desired,
            create_time: Utc(env.created),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NodeFacts<'a> {
    compute_node_id: NodeId,
    #[serde(skip_serializing_if = "Option::is_none")]
    env_id: Option<EnvId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_id: Option<JobId>,
    compute_node_state: &'static str,
    mem: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_created_time: Option<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    env_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_name: Option<&'a str>,
    compute_node_instance_id: MachineId,
    cpu: u32,
    #[serde(skip_serializing_if = "str::is_empty")]
    state_reason: &'a str,
}

impl<'a> NodeFacts<'a> {
    fn of(node: &'a Node, owner: &'a NodeOwner) -> Self {
        let (env, task) = match owner {
            NodeOwner::Env(id, name) => (Some((*id, name.as_str())), None),
            NodeOwner::Task(id, name) => (None, Some((*id, name.as_str()))),
        };
        Self {
            compute_node_id: node.id,
            env_id: env.map(|(id, _)| id),
            job_id: task.map(|(id, _)| id),
            compute_node_state: node.stage.as_str(),
            mem: node.mem_gb,
            resource_created_time: node.resource_created.map(Utc),
            env_name: env.map(|(_, name)| name),
            task_name: task.map(|(_, name)| name),
            compute_node_instance_id: node.machine,
            cpu: node.cpu,
            state_reason: &node.reason,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DeliveryFacts<'a> {
    topic_name: &'a str,
    subscription_name: &'a str,
    endpoint: &'a str,
    failures: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_status: Option<u16>,
    #[serde(skip_serializing_if = "str::is_empty")]
    last_error: &'a str,
    /// As the message's id is written everywhere: a decimal number in a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    msg_id: Option<String>,
}

impl<'a> DeliveryFacts<'a> {
    fn of(trouble: &'a DeliveryTrouble) -> Self {
        Self {
            topic_name: &trouble.topic,
            subscription_name: &trouble.name,
            endpoint: &trouble.endpoint,
            failures: trouble.failures,
            last_status: trouble.last_status,
            last_error: &trouble.last_error,
            msg_id: trouble.message.map(|id| id.0.to_string()),
        }
    }
}

fn task_name(spec: &JobSpec, task: u32) -> &str {
    spec.tasks.get(task as usize).map_or("", |task| &task.name)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
