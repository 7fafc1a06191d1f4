//! How many things a key pair may make: what its call has led to is held against the quota of its grant.

use crate::access::{Counted, Kind, Scope, env_names};
use crate::audit::Call;
use crate::change::What;
use crate::command::Refusal;
use crate::decide::Draft;
use crate::state::State;

/// Refuses a call that has made more than its key pair may. A pair that is not in the state is bounded by nothing: it is
/// the installation's own.
pub(super) fn check(draft: &Draft<'_>, call: &Call) -> Result<(), Refusal> {
    let Some(key) = draft.state.access_key(&call.secret_id) else { return Ok(()) };
    let quota = key.grant.quota;
    let bounds = [
        (Counted::Jobs, quota.jobs),
        (Counted::Topics, quota.topics),
        (Counted::Queues, quota.queues),
        (Counted::Environments, quota.environments),
    ];
    for (counted, most) in bounds {
        let Some(most) = most else { continue };
        // Who makes nothing is refused nothing, though there be too many.
        let makes = draft.changes.iter().any(|change| made(&change.what) == Some(counted));
        if makes && count(&draft.state, counted, &key.grant.scope) > most {
            return Err(Refusal::KeyQuota { counted, most });
        }
    }
    Ok(())
}

/// What a change makes one more of.
fn made(what: &What) -> Option<Counted> {
    match what {
        What::JobSubmitted(..) | What::JobRetried(..) => Some(Counted::Jobs),
        What::TopicCreated(_) => Some(Counted::Topics),
        What::QueueCreated(_) => Some(Counted::Queues),
        What::EnvCreated(env) if env.owner.is_none() => Some(Counted::Environments),
        _ => None,
    }
}

fn count(state: &State, counted: Counted, scope: &Scope) -> u64 {
    let covers = |kind, name: &str| scope.covers(kind, name);
    let count = match counted {
        Counted::Jobs => {
            let living = state.jobs().filter(|job| !job.phase.is_finished());
            living.filter(|job| env_names(state, &job.spec).all(|name| covers(Kind::Environment, &name))).count()
        }
        Counted::Topics => state.topics().filter(|topic| covers(Kind::Topic, &topic.name)).count(),
        Counted::Queues => state.queues().filter(|queue| covers(Kind::Queue, &queue.name)).count(),
        Counted::Environments => {
            let users = state.envs().filter(|env| env.owner.is_none());
            users.filter(|env| covers(Kind::Environment, &env.name)).count()
        }
    };
    count as u64
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::access::{AccessCommand, Grant, Quota, Role};
    use crate::command::{Command, ExitHow, Reply, Token};
    use crate::phase::Phase;
    use crate::testing::{World, job};
    use crate::topic::FilterType;

    /// A world with a key pair of this quota, for topics `a-*`.
    fn world(quota: Quota) -> World {
        let mut world = World::new(1);
        let scope = Scope { topics: vec!["a-*".into()], ..Scope::default() };
        let grant = Grant { roles: [Role::Admin].into(), scope, quota, ..Grant::default() };
        let (secret_id, sealed, note) = ("pair".to_owned(), String::new(), String::new());
        world.run(Command::from(AccessCommand::CreateKey { secret_id, sealed, note, grant })).unwrap();
        world
    }

    fn called_by(secret_id: &str, command: Command) -> Command {
        let (product, action) = ("batch", "SubmitJob");
        let call = Call { secret_id: secret_id.into(), address: String::new(), product, action, targets: Vec::new() };
        Command::Called(Arc::new(call), Box::new(command))
    }

    fn topic(name: &str) -> Command {
        Command::CreateTopic {
            name: name.into(),
            filter: FilterType::Tags,
            max_msg_bytes: 1_024,
            retention_s: 60,
            trace: false,
            tags: Vec::new(),
        }
    }

    #[test]
    fn a_pair_makes_as_many_topics_as_its_scope_may_have() {
        let mut world = world(Quota { topics: Some(2), ..Quota::default() });
        // What others have made in its scope counts, what is beyond it does not.
        world.run(topic("a-1")).unwrap();
        world.run(topic("b-1")).unwrap();
        world.run(called_by("pair", topic("a-2"))).unwrap();
        let refused = Refusal::KeyQuota { counted: Counted::Topics, most: 2 };
        assert_eq!(world.run(called_by("pair", topic("a-3"))).unwrap_err(), refused);
        assert!(world.state.topic_named("a-3").is_none());
        // Others are not bound by it, and it may do what makes nothing.
        world.run(called_by("own", topic("a-4"))).unwrap();
        let delete = |name: &str| Command::DeleteTopic { name: name.into(), with_subscriptions: false };
        world.run(called_by("pair", delete("a-4"))).unwrap();
        assert_eq!(world.run(called_by("pair", topic("a-3"))).unwrap_err(), refused);
        world.run(called_by("pair", delete("a-1"))).unwrap();
        world.run(called_by("pair", topic("a-3"))).unwrap();
    }

    #[test]
    fn finished_jobs_make_room_until_they_are_retried_and_a_token_makes_no_job_twice() {
        let mut world = world(Quota { jobs: Some(1), ..Quota::default() });
        let env = world.env(1, Vec::new());
        world.start_nodes();
        let spec = job(env, &[("one", 1)]);
        let submit = |name: &str| {
            let token = Token { token: name.into(), digest: name.into() };
            called_by("pair", Command::SubmitJob { spec: Box::new(spec.clone()), token: Some(token) })
        };
        let first = world.run(submit("first")).unwrap();
        assert_eq!(world.run(submit("first")).unwrap(), first);
        let refused = Refusal::KeyQuota { counted: Counted::Jobs, most: 1 };
        assert_eq!(world.run(submit("second")).unwrap_err(), refused);
        world.run_all(|_| ExitHow::Code(1));
        let Reply::Job(first) = first else { panic!("{first:?}") };
        assert_eq!(world.phases(first).0, Phase::Failed);
        world.run(submit("second")).unwrap();
        assert_eq!(world.run(called_by("pair", Command::RetryJobs(vec![first]))).unwrap_err(), refused);
        assert_eq!(world.phases(first).0, Phase::Failed);
    }
}
