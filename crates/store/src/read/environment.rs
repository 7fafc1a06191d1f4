//! Environments and their nodes.

use std::sync::Arc;

use kernel::activity::Activity;
use kernel::environment::Env;
use kernel::id::{EnvId, NodeId};
use kernel::node::{Node, NodeStage};

use crate::engine::{Cells, Engine, EngineError, all, first};
use crate::page::{EnvFilter, EnvListed, NodeCounts, Page, Span};
use crate::read::{Conditions, page};
use crate::rows::{activity, environment, node};
use crate::statement::{Statement, Value, values};

pub(crate) fn env(engine: &mut dyn Engine, id: EnvId) -> Result<Option<Arc<Env>>, EngineError> {
    let text = format!("{} where env.id = ?1", environment::SELECT);
    first(engine, &Statement::new(text, values![id]), |row| environment::read(row).map(Arc::new))
}

pub(crate) fn envs(engine: &mut dyn Engine, filter: &EnvFilter, span: Span) -> Result<Page<EnvListed>, EngineError> {
    let mut conditions = Conditions::new();
    conditions.that("env.owner_job is null");
    conditions.within("env.id", filter.ids.iter().map(|id| Value::from(*id)));
    conditions.within("env.name", filter.names.iter().map(Value::from));
    conditions.within("env.zone", filter.zones.iter().map(Value::from));
    conditions.tagged("env_tag", "env", "env.id", &filter.tags);
    let order = "env.created desc, env.id desc";
    let found = page(engine, "env", environment::SELECT, conditions, order, span, environment::read)?;
    let mut items = Vec::with_capacity(found.items.len());
    for env in found.items {
        let nodes = counts(engine, env.id)?;
        items.push(EnvListed { env: Arc::new(env), nodes });
    }
    Ok(Page { total: found.total, items })
}

fn counts(engine: &mut dyn Engine, env: EnvId) -> Result<NodeCounts, EngineError> {
    let text = "select state, count(*), sum(attached) from node where env = ?1 group by state";
    let by_state = all(engine, &Statement::new(text, values![env]), |row: &mut Cells<'_>| {
        Ok((row.text(|word| node::stage(word, None))?, row.int::<u64>()?, row.int::<u64>()?))
    })?;
    let mut counts = NodeCounts::default();
    for (stage, count, attached) in by_state {
        counts.attached += attached;
        *match stage {
            NodeStage::Submitted { .. } => &mut counts.submitted,
            NodeStage::Creating => &mut counts.creating,
            NodeStage::Created | NodeStage::Restarting => &mut counts.created,
            NodeStage::CreationFailed => &mut counts.creation_failed,
            NodeStage::Running => &mut counts.running,
            NodeStage::Abnormal => &mut counts.abnormal,
            NodeStage::Deleting => &mut counts.deleting,
        } += count;
    }
    Ok(counts)
}

pub(crate) fn nodes(engine: &mut dyn Engine, env: EnvId) -> Result<Vec<Arc<Node>>, EngineError> {
    let text = format!("{} where env = ?1 order by env, id", node::TEXTS.select);
    all(engine, &Statement::new(text, values![env]), |row| node::read(row).map(Arc::new))
}

/// Activities of an environment, of these nodes (none named: of all), the newest first.
pub(crate) fn activities(
    engine: &mut dyn Engine,
    env: EnvId,
    nodes: &[NodeId],
    span: Span,
) -> Result<Page<Activity>, EngineError> {
    let mut conditions = Conditions::new();
    conditions.compare("env", "=", env);
    conditions.within("node", nodes.iter().map(|id| Value::from(*id)));
    page(engine, "activity", &activity::TEXTS.select, conditions, "started desc, id desc", span, activity::read)
}
