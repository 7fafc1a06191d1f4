//! Environments: made, changed, deleted; and kept at the number of nodes they are to have.

use std::sync::Arc;

use crate::change::{EnvEdit, What};
use crate::command::{Refusal, Reply, Token};
use crate::decide::{Draft, Owner, node, remember, remembered, resolve_topics};
use crate::environment::{Env, EnvSpec, NodeType};
use crate::event::{EventName, Outlets, Subject};
use crate::id::{EnvId, NodeId};
use crate::limits;
use crate::node::NodeStage;
use crate::task::{Intent, TaskKey};

/// An environment to be made.
pub(super) struct NewEnv {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) desired: u64,
    pub(super) spec: EnvSpec,
}

pub(super) fn create(draft: &mut Draft<'_>, mut new: NewEnv, token: Option<Token>) -> Result<Reply, Refusal> {
    if let Some(answer) = remembered(draft, "CreateComputeEnv", token.as_ref())? {
        return Ok(answer.parse().map_or(Reply::Done, Reply::Env));
    }
    for (position, notification) in new.spec.notifications.iter().enumerate() {
        for (event, config) in notification.events.iter().enumerate() {
            if !config.name.is_of_env() {
                let path = format!("ComputeEnv.Notifications.{position}.EventConfigs.{event}.EventName");
                return Err(Refusal::ForeignEvent { event: config.name, of: "compute environment", path });
            }
        }
    }
    resolve_topics(draft, &mut new.spec.notifications, "ComputeEnv")?;
    let quota = usize::try_from(draft.settings.env_quota).unwrap_or(usize::MAX);
    let most = if quota == 0 { limits::ENVS } else { quota.min(limits::ENVS) };
    if draft.state.envs.len() - draft.state.index.owned.len() >= most {
        return Err(Refusal::TooManyEnvs(most));
    }
    check_cpus(draft, None, cpus(&new.spec.instance_types, new.desired), "ComputeEnv.DesiredComputeNodeCount")?;
    let id = EnvId::draw(draft.rng);
    let env = Env {
        id,
        owner: None,
        name: new.name,
        description: new.description,
        spec: Arc::new(new.spec),
        desired: new.desired,
        deleting: false,
        created: draft.now,
        outlets: Outlets::default(),
    };
    record_env(draft, What::EnvCreated(Box::new(env)), EventName::ComputeEnvCreated, id);
    reconcile(draft, id);
    remember(draft, "CreateComputeEnv", token, id.to_string());
    Ok(Reply::Env(id))
}

pub(super) fn modify(draft: &mut Draft<'_>, id: EnvId, edit: EnvEdit) -> Result<Reply, Refusal> {
    let env = living(draft, id)?;
    let had = env.desired;
    let wanted = edit.desired.unwrap_or(had);
    let types = edit.instance_types.filter(|types| *types != env.spec.instance_types);
    if wanted > had || types.is_some() {
        let path = if wanted > had { "DesiredComputeNodeCount" } else { "EnvData.InstanceTypes" };
        check_cpus(draft, Some(id), cpus(types.as_ref().unwrap_or(&env.spec.instance_types), wanted), path)?;
    }
    let going = (wanted < had).then(|| nodes_to_go(draft, id, had - wanted)).transpose()?.unwrap_or_default();
    let edit = EnvEdit {
        name: edit.name.filter(|name| *name != env.name),
        description: edit.description.filter(|text| *text != env.description),
        desired: (wanted != had).then_some(wanted),
        instance_types: types,
    };
    if edit == EnvEdit::default() {
        return Ok(Reply::Done);
    }
    if edit.desired.is_some() {
        record_env(draft, What::EnvModified(id, edit), EventName::ComputeEnvScaled, id);
    } else {
        draft.record(What::EnvModified(id, edit));
    }
    for node in going {
        node::delete(draft, node, "ComputeEnvScaled");
    }
    reconcile(draft, id);
    Ok(Reply::Done)
}

/// Cores of so many nodes.
fn cpus(types: &[NodeType], nodes: u64) -> u64 {
    types.first().map_or(0, |kind| nodes.saturating_mul(u64::from(kind.cpu)))
}

/// Whether the environments may have so many cores, `more` of them in the one that is made or changed.
fn check_cpus(draft: &Draft<'_>, changed: Option<EnvId>, more: u64, path: &str) -> Result<(), Refusal> {
    let quota = draft.settings.cpu_quota;
    if quota == 0 {
        return Ok(());
    }
    let others = draft.state.envs().filter(|env| !env.deleting && Some(env.id) != changed);
    let wanted = others.map(|env| cpus(&env.spec.instance_types, env.desired)).fold(more, u64::saturating_add);
    if wanted > quota { Err(Refusal::CpuQuota { wanted, quota, path: path.to_owned() }) } else { Ok(()) }
}

/// Which nodes go when an environment shrinks: those that are not there yet, idle and ABNORMAL ones, then those with
/// the youngest instances.
fn nodes_to_go(draft: &Draft<'_>, id: EnvId, count: u64) -> Result<Vec<NodeId>, Refusal> {
    let mut able: Vec<_> = draft
        .state
        .nodes_of(id)
        .filter(|node| !node.attached && !matches!(node.stage, NodeStage::Deleting | NodeStage::Creating))
        .map(|node| {
            let busy = node.stage == NodeStage::Running && !node.held.is_empty();
            let started = node.held.iter().filter_map(|key| draft.state.instance(*key)?.launched).max();
            (busy, std::cmp::Reverse(started), node.id)
        })
        .collect();
    if (able.len() as u64) < count {
        let path = "DesiredComputeNodeCount".to_owned();
        return Err(Refusal::TooFewNodes { wanted: count, able: able.len() as u64, path });
    }
    able.sort();
    Ok(able.into_iter().take(usize::try_from(count).unwrap_or(usize::MAX)).map(|(.., node)| node).collect())
}

pub(super) fn delete(draft: &mut Draft<'_>, id: EnvId) -> Result<Reply, Refusal> {
    living(draft, id)?;
    draft.record(What::EnvDeleting(id));
    let tasks: Vec<TaskKey> = draft
        .state
        .tasks
        .iter()
        .filter(|(_, task)| !task.phase.is_finished() && task.intent.is_none())
        .map(|(key, _)| *key)
        .filter(|key| draft.state.job(key.job).is_some_and(|job| job.spec.tasks[key.task as usize].env == id))
        .collect();
    for key in tasks {
        draft.record(What::TaskIntended(key, Intent::ComputeEnvDeleted));
    }
    let nodes: Vec<NodeId> = draft.state.nodes_of(id).map(|node| node.id).collect();
    for node in nodes {
        node::delete(draft, node, "ComputeEnvDeleted");
    }
    finish_deletion(draft, id);
    Ok(Reply::Done)
}

/// Lets an environment go whose deletion was ordered and whose last node is gone.
pub(super) fn finish_deletion(draft: &mut Draft<'_>, id: EnvId) {
    let Some(env) = draft.state.env(id).filter(|env| env.deleting).cloned() else { return };
    if draft.state.nodes_of(id).next().is_none() {
        let what = What::EnvDeleted(id);
        draft.record_event(what, EventName::ComputeEnvDeleted, Owner::Env(id), |_| Some(Subject::Env(env)));
    }
}

/// Asks for the nodes that an environment lacks, and lets the surplus of unmade ones go.
pub(super) fn reconcile(draft: &mut Draft<'_>, id: EnvId) {
    let Some(env) = draft.state.env(id).filter(|env| !env.deleting).cloned() else { return };
    let has =
        draft.state.nodes_of(id).filter(|node| node.stage != NodeStage::Deleting && !node.attached).count() as u64;
    for _ in has..env.desired {
        node::submit(draft, &env, draft.now, 0);
    }
}

/// [`reconcile`] for every environment.
pub(super) fn reconcile_all(draft: &mut Draft<'_>) {
    let envs: Vec<EnvId> = draft.state.envs().map(|env| env.id).collect();
    for env in envs {
        reconcile(draft, env);
    }
}

pub(super) fn living(draft: &Draft<'_>, id: EnvId) -> Result<Arc<Env>, Refusal> {
    let path = || "EnvId".to_owned();
    let env = draft.state.public_env(id).ok_or_else(|| Refusal::NoEnv { env: id, path: path() })?;
    if env.deleting { Err(Refusal::EnvDeleting { env: id, path: path() }) } else { Ok(env.clone()) }
}

fn record_env(draft: &mut Draft<'_>, what: What, name: EventName, id: EnvId) {
    draft.record_event(what, name, Owner::Env(id), |state| state.env(id).cloned().map(Subject::Env));
}
