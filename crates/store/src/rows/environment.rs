//! Environments: what changes, what was asked for, and tags.

use std::sync::{Arc, LazyLock};

use kernel::environment::{Env, EnvSpec};
use kernel::id::{EnvId, JobId};
use kernel::task::TaskKey;

use crate::engine::{Cells, Corrupt};
use crate::statement::{Statement, Table, Texts, json, values};

static TEXTS: LazyLock<Texts> = LazyLock::new(|| {
    Table {
        name: "env",
        key: &["id"],
        columns: &[
            "owner_job",
            "owner_task",
            "name",
            "description",
            "zone",
            "desired",
            "types",
            "deleting",
            "created",
            "outlets",
        ],
    }
    .texts()
});

/// All that an environment is; read by [`read`].
pub(crate) const SELECT: &str = "select env.id, env.owner_job, env.owner_task, env.name, env.description, env.desired, env.types, \
                                 env.deleting, env.created, \
                                 env.outlets, env_spec.spec from env join env_spec on env_spec.env = env.id";

const UPDATE: &str =
    "update env set name = ?1, description = ?2, desired = ?3, types = ?4, deleting = ?5, outlets = ?6 where id = ?7";

pub(crate) fn put(env: &Env, fresh: bool) -> Vec<Statement<'_>> {
    if !fresh {
        let (types, outlets) = (json(&env.spec.instance_types), json(&env.outlets));
        let values = values![&env.name, &env.description, env.desired, types, env.deleting, outlets, env.id];
        return vec![Statement::one(UPDATE, values)];
    }
    let values = values![
        env.id,
        env.owner.map(|owner| owner.job),
        env.owner.map(|owner| owner.task),
        &env.name,
        &env.description,
        &env.spec.zone,
        env.desired,
        json(&env.spec.instance_types),
        env.deleting,
        env.created,
        json(&env.outlets),
    ];
    let mut statements = vec![
        Statement::new(&*TEXTS.insert, values),
        Statement::new("insert into env_spec (env, spec) values (?1, ?2)", values![env.id, json(&*env.spec)]),
    ];
    for (place, (key, value)) in (0u32..).zip(&env.spec.tags) {
        let text = "insert into env_tag (env, place, key, value) values (?1, ?2, ?3, ?4)";
        statements.push(Statement::new(text, values![env.id, place, key, value]));
    }
    statements
}

pub(crate) fn delete(id: EnvId) -> Vec<Statement<'static>> {
    vec![
        Statement::new(&*TEXTS.delete, values![id]),
        Statement::new("delete from env_spec where env = ?1", values![id]),
        Statement::new("delete from env_tag where env = ?1", values![id]),
    ]
}

pub(crate) fn read(cells: &mut Cells<'_>) -> Result<Env, Corrupt> {
    let id = cells.id(EnvId::from_number)?;
    let (job, task) = (cells.opt_id(JobId::from_number)?, cells.opt_int()?);
    let owner = job.zip(task).map(|(job, task)| TaskKey { job, task });
    let (name, description) = (cells.string()?, cells.string()?);
    let (desired, types, deleting) = (cells.int()?, cells.json()?, cells.flag()?);
    let (created, outlets) = (cells.time()?, cells.json()?);
    // The types that stand in the specification are those that the environment began with.
    let spec = Arc::new(EnvSpec { instance_types: types, ..cells.json()? });
    Ok(Env { id, owner, name, description, spec, desired, deleting, created, outlets })
}
