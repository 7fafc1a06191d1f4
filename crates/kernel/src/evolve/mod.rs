//! Evolution: the only place where a state changes. Total: every change can be applied to every state, and what
//! names a row that is not there does nothing.

mod instance;
mod job;
mod message;
mod queue;

use std::sync::Arc;

use crate::change::{Change, EnvEdit, What};
use crate::id::{EnvId, JobId, NodeId, TemplateId};
use crate::job::Job;
use crate::node::NodeStage;
use crate::phase::Phase;
use crate::ranges::Ranges;
use crate::state::{RowKey, State};
use crate::task::{Task, TaskKey};
use crate::template::TemplateEdit;
use crate::time::Timestamp;

/// Makes `change` part of `state`.
pub fn evolve(state: &mut State, change: &Change) {
    state.now = state.now.max(change.at);
    let begins = matches!(change.what, What::JobSubmitted(..) | What::EnvCreated(_));
    if !begins {
        // What is about to be erased still counts its last event.
        count_notices(state, change);
    }
    apply(state, change);
    if begins {
        count_notices(state, change);
    }
}

fn apply(state: &mut State, change: &Change) {
    match &change.what {
        What::JobSubmitted(job, tasks) => job_submitted(state, job, tasks),
        What::JobEntered(id, phase, reason) => job_entered(state, *id, *phase, reason, change.at),
        What::JobTerminating(id) => edit_job(state, *id, |job| job.terminating = true),
        What::JobRetried(id, tasks) => job::retried(state, *id, tasks),
        What::JobBlocked(id, reasons) => job::blocked(state, *id, reasons),
        What::JobStillBlocked(id) => state.stall_anew(*id),
        What::JobDeleted(id) => job_deleted(state, *id),
        What::TaskReady(key) => task_ready(state, *key),
        What::TaskEntered(key, phase, reason) => task_entered(state, *key, *phase, reason, change.at),
        What::TaskIntended(key, intent) => {
            edit_task(state, *key, |task| task.intent = Some(intent.clone()));
        }
        What::TaskSwept(key) => {
            state.index.sweeps.remove(key);
        }
        What::TemplateCreated(template) => {
            state.templates.put(template.id, template.clone());
            state.dirty.insert(RowKey::Template(template.id));
        }
        What::TemplateModified(id, edit) => template_modified(state, *id, edit),
        What::TemplateDeleted(id) => {
            state.templates.remove(id);
            state.dirty.insert(RowKey::Template(*id));
        }
        What::InstancesReset(key, indexes) => job::instances_reset(state, *key, indexes),
        What::EnvCreated(env) => {
            state.index.owned.extend(env.owner.map(|owner| (owner, env.id)));
            state.envs.put(env.id, (**env).clone());
            state.dirty.insert(RowKey::Env(env.id));
        }
        What::EnvModified(id, edit) => env_modified(state, *id, edit),
        What::EnvDeleting(id) => {
            state.dirty.insert(RowKey::Env(*id));
            if let Some(env) = state.envs.edit(id) {
                env.deleting = true;
            }
        }
        What::EnvDeleted(id) => env_deleted(state, *id),
        What::AccessKeyCreated(key) | What::AccessKeyModified(key) => {
            state.dirty.insert(RowKey::AccessKey(key.secret_id.clone()));
            state.access_keys.put(key.secret_id.clone(), (**key).clone());
        }
        What::AccessKeyDeleted(id) => {
            state.access_keys.remove(id);
            state.dirty.insert(RowKey::AccessKey(id.clone()));
        }
        What::JoinTokenMade(token) => {
            state.dirty.insert(RowKey::JoinToken(token.digest.clone()));
            state.join_tokens.put(token.digest.clone(), token.clone());
        }
        What::JoinTokenGone(digest) => {
            state.join_tokens.remove(digest);
            state.dirty.insert(RowKey::JoinToken(digest.clone()));
        }
        What::MachineJoined(machine) => {
            state.dirty.insert(RowKey::Machine(machine.id));
            state.machines.put(machine.id, machine.clone());
        }
        What::MachineSeen(id, facts) => {
            if let Some(machine) = state.machines.edit(id) {
                machine.facts.clone_from(facts);
                machine.seen = change.at;
            }
            state.dirty.insert(RowKey::Machine(*id));
        }
        What::MachineForgotten(id) => {
            state.machines.remove(id);
            state.dirty.insert(RowKey::Machine(*id));
        }
        What::NodeSubmitted(node) => {
            state.index.env_nodes.insert((node.env, node.id));
            state.dirty.insert(RowKey::Node(node.id));
            state.nodes.put(node.id, (**node).clone());
        }
        What::NodeEntered(id, stage, reason) => node_entered(state, *id, *stage, reason, change.at),
        What::NodeDrained(id, drained) => edit_node(state, *id, |node| node.drained = *drained),
        What::NodeLeft(id, then) => edit_node(state, *id, |node| node.then = Some(*then)),
        What::NodeRetyped(id, kind, reason) => edit_node(state, *id, |node| {
            node.kind.clone_from(&kind.name);
            (node.slots, node.cpu, node.mem_gb) = (kind.slots, kind.cpu, kind.mem_gb);
            node.reason.clone_from(reason);
        }),
        What::NodeReported(id, facts) => edit_node(state, *id, |node| {
            node.agent_version.clone_from(&facts.agent_version);
            node.addresses.clone_from(&facts.addresses);
            node.limits.clone_from(&facts.limits);
        }),
        What::NodeRan(id, run_ms) => {
            // A guess for placement, not worth a row.
            if let Some(node) = state.nodes.edit(id) {
                node.learn_run(*run_ms);
            }
        }
        What::NodeDeleted(id) => {
            state.dirty.insert(RowKey::Node(*id));
            if let Some(node) = state.nodes.remove(id) {
                state.index.env_nodes.remove(&(node.env, node.id));
            }
        }
        What::ActivityBegan(activity) => {
            state.dirty.insert(RowKey::Activity(activity.key));
            state.activities.put(activity.key, (**activity).clone());
        }
        What::ActivityEntered(key, entered, reason) => {
            state.dirty.insert(RowKey::Activity(*key));
            if let Some(activity) = state.activities.edit(key) {
                activity.state = *entered;
                reason.clone_into(&mut activity.reason);
                activity.ended = entered.is_finished().then_some(change.at);
            }
        }
        What::TokenUsed(token) => {
            state.dirty.insert(RowKey::Token(token.key.clone()));
            forget_token(state, &token.key);
            state.index.token_ages.insert((token.used, token.key.clone()));
            state.tokens.put(token.key.clone(), token.clone());
        }
        What::TokenForgotten(key) => {
            state.dirty.insert(RowKey::Token(key.clone()));
            forget_token(state, key);
        }
        what => {
            if !instance::evolve(state, what, change.at) {
                message::evolve(state, what, change.at);
            }
        }
    }
}

/// Counts the events of a change, with their jobs, environments or subscriptions and in their topics.
fn count_notices(state: &mut State, change: &Change) {
    let Some(owner) = (!change.notices.is_empty()).then(|| owner(state, &change.what)).flatten() else { return };
    for notice in &change.notices {
        state.dirty.insert(owner.clone());
        let place = state.topic(notice.topic).map_or(0, |topic| topic.next_seq);
        match &owner {
            RowKey::Job(id) => {
                if let Some(job) = state.jobs.edit(id) {
                    job.outlets.count(notice.topic, place);
                }
            }
            RowKey::Env(id) => {
                if let Some(env) = state.envs.edit(id) {
                    env.outlets.count(notice.topic, place);
                }
            }
            RowKey::Subscription(key) => {
                if let Some(subscription) = state.subscriptions.edit(key) {
                    subscription.outlets.count(notice.topic, place);
                }
            }
            _ => {}
        }
        message::topic_grew(state, notice.topic, 1);
    }
}

/// Whose outlets count the events of a change.
fn owner(state: &State, what: &What) -> Option<RowKey> {
    match what {
        What::JobSubmitted(job, _) => Some(RowKey::Job(job.id)),
        What::EnvCreated(env) => Some(RowKey::Env(env.id)),
        What::JobEntered(id, ..) | What::JobRetried(id, _) | What::JobBlocked(id, _) | What::JobDeleted(id) => {
            Some(RowKey::Job(*id))
        }
        What::TaskEntered(key, ..) => Some(RowKey::Job(key.job)),
        What::InstanceStarted(key)
        | What::InstanceSucceeded(key, _)
        | What::InstanceRetrying(key, ..)
        | What::InstanceFailed(key, _)
        | What::InstanceInterrupted(key, _) => Some(RowKey::Job(key.job)),
        What::EnvModified(id, _) | What::EnvDeleted(id) => Some(RowKey::Env(*id)),
        What::NodeEntered(id, ..) | What::NodeDeleted(id) => {
            let env = state.node(*id)?.env;
            let owner = state.env(env).and_then(|env| env.owner);
            Some(owner.map_or(RowKey::Env(env), |task| RowKey::Job(task.job)))
        }
        What::SubscriptionFared(key, _) => Some(RowKey::Subscription(*key)),
        What::DeliveryPut(delivery) => Some(RowKey::Subscription(delivery.key.subscription)),
        _ => None,
    }
}

fn job_submitted(state: &mut State, job: &Job, tasks: &[Task]) {
    state.dirty.insert(RowKey::Job(job.id));
    state.jobs.put(job.id, job.clone());
    for task in tasks {
        state.dirty.insert(RowKey::Task(task.key));
        state.tasks.put(task.key, task.clone());
        state.index_task(task.key);
    }
}

fn job_entered(state: &mut State, id: JobId, phase: Phase, reason: &str, at: Timestamp) {
    edit_job(state, id, |job| {
        job.phase = phase;
        reason.clone_into(&mut job.reason);
        job.has_run |= phase == Phase::Running;
        if phase.is_finished() {
            job.ended = Some(at);
            job.terminating = false;
            job.blocked.clear();
        }
    });
    state.index_stalled(id);
}

fn job_deleted(state: &mut State, id: JobId) {
    let tasks: Vec<TaskKey> = state.tasks_of(id).map(|task| task.key).collect();
    for key in tasks {
        state.tasks.remove(&key);
        state.dirty.insert(RowKey::Task(key));
    }
    state.jobs.remove(&id);
    state.dirty.insert(RowKey::Job(id));
    state.index_stalled(id);
}

fn task_ready(state: &mut State, key: TaskKey) {
    let Some(count) = state.task(key).map(|task| task.instances.of(Phase::Pending)) else { return };
    edit_task(state, key, |task| {
        task.phase = Phase::Runnable;
        task.instances.shift(Phase::Pending, Phase::Runnable, count);
    });
    edit_job(state, key.job, |job| {
        job.tasks.shift(Phase::Pending, Phase::Runnable, 1);
        job.instances.shift(Phase::Pending, Phase::Runnable, count);
    });
}

fn task_entered(state: &mut State, key: TaskKey, phase: Phase, reason: &str, at: Timestamp) {
    let Some(from) = state.task(key).map(|task| task.phase) else { return };
    edit_job(state, key.job, |job| {
        job.tasks.shift(from, phase, 1);
    });
    edit_task(state, key, |task| {
        task.phase = phase;
        reason.clone_into(&mut task.reason);
        task.has_run |= phase == Phase::Running;
        if phase.is_finished() {
            task.ended = Some(at);
            task.bulk = Ranges::default();
        }
    });
}

fn env_deleted(state: &mut State, id: EnvId) {
    state.dirty.insert(RowKey::Env(id));
    let Some(owner) = state.envs.remove(&id).and_then(|env| env.owner) else { return };
    state.index.owned.remove(&(owner, id));
    if state.job(owner.job).is_some() {
        // One that has finished was kept for its nodes' events, and may be let go of now.
        state.dirty.insert(RowKey::Job(owner.job));
    }
}

fn template_modified(state: &mut State, id: TemplateId, edit: &TemplateEdit) {
    state.dirty.insert(RowKey::Template(id));
    let Some(template) = state.templates.edit(&id) else { return };
    let spec = Arc::make_mut(&mut template.spec);
    if let Some(name) = &edit.name {
        spec.name.clone_from(name);
    }
    if let Some(description) = &edit.description {
        spec.description.clone_from(description);
    }
    if let Some(task) = &edit.task {
        spec.task.clone_from(task);
    }
}

fn env_modified(state: &mut State, id: EnvId, edit: &EnvEdit) {
    state.dirty.insert(RowKey::Env(id));
    let Some(env) = state.envs.edit(&id) else { return };
    if let Some(name) = &edit.name {
        env.name.clone_from(name);
    }
    if let Some(description) = &edit.description {
        env.description.clone_from(description);
    }
    env.desired = edit.desired.unwrap_or(env.desired);
    if let Some(types) = &edit.instance_types {
        Arc::make_mut(&mut env.spec).instance_types.clone_from(types);
    }
}

fn node_entered(state: &mut State, id: NodeId, stage: NodeStage, reason: &str, at: Timestamp) {
    edit_node(state, id, |node| {
        node.stage = stage;
        reason.clone_into(&mut node.reason);
        match stage {
            NodeStage::Created => node.resource_created = node.resource_created.or(Some(at)),
            NodeStage::Running => node.running = Some(at),
            NodeStage::Restarting => node.then = None,
            _ => {}
        }
    });
}

fn forget_token(state: &mut State, key: &String) {
    if let Some(token) = state.tokens.remove(key) {
        state.index.token_ages.remove(&(token.used, token.key.clone()));
    }
}

fn edit_job(state: &mut State, id: JobId, edit: impl FnOnce(&mut Job)) {
    state.dirty.insert(RowKey::Job(id));
    if let Some(job) = state.jobs.edit(&id) {
        edit(job);
    }
}

fn edit_task(state: &mut State, key: TaskKey, edit: impl FnOnce(&mut Task)) {
    state.dirty.insert(RowKey::Task(key));
    if let Some(task) = state.tasks.edit(&key) {
        edit(task);
    }
    state.index_task(key);
}

fn edit_node(state: &mut State, id: NodeId, edit: impl FnOnce(&mut crate::node::Node)) {
    state.dirty.insert(RowKey::Node(id));
    if let Some(node) = state.nodes.edit(&id) {
        edit(node);
    }
}
