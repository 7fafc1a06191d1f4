//! Key pairs that may call, and what each may do to what.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::EnvId;
use crate::job::{JobSpec, TaskSpec};
use crate::state::State;
use crate::time::Timestamp;

/// A key pair that was made for somebody, beside the first one, which is the installation's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// What a caller names itself by.
    pub secret_id: String,
    /// What it signs with, sealed outside the kernel so that a row gives nothing away.
    pub sealed: String,
    /// The one before it, while both are valid.
    pub earlier: Option<Earlier>,
    /// Whose it is, or what for, in words for people.
    pub note: String,
    /// What it may do.
    pub grant: Grant,
    /// Whether it may do nothing for now.
    pub disabled: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When its secret, its grant, its note or its being disabled last changed.
    pub modified: Timestamp,
}

/// A secret that a rotation has left valid for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// The secret, sealed.
    pub sealed: String,
    /// Until when it is valid.
    pub until: Timestamp,
}

/// What a key pair may do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Grant {
    /// As who.
    pub roles: BTreeSet<Role>,
    /// To what.
    pub scope: Scope,
    /// Calls a second; `None`: no bound.
    #[serde(default)]
    pub calls_per_s: Option<u32>,
    /// Bytes of a call's body; `None`: no bound but the protocol's.
    #[serde(default)]
    pub body_bytes: Option<u64>,
    /// How many things it may bring its scope to.
    #[serde(default)]
    pub quota: Quota,
}

/// How many things there may be in the scope of a grant once a call under it has made one more, whoever made the others;
/// `None`: no bound but that of the installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Quota {
    /// Unfinished jobs whose tasks all run in environments of the scope.
    #[serde(default)]
    pub jobs: Option<u64>,
    /// Topics.
    #[serde(default)]
    pub topics: Option<u64>,
    /// Queues.
    #[serde(default)]
    pub queues: Option<u64>,
    /// Environments.
    #[serde(default)]
    pub environments: Option<u64>,
}

/// A kind of thing that a [`Quota`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Unfinished jobs.
    Jobs,
    /// Topics.
    Topics,
    /// Queues.
    Queues,
    /// Environments.
    Environments,
}

impl Counted {
    /// What they are called.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Jobs => "unfinished jobs",
            Self::Topics => "topics",
            Self::Queues => "queues",
            Self::Environments => "environments",
        }
    }
}

/// What kind of thing a caller does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything.
    Admin,
    /// Submits jobs and what belongs to them, and publishes and sends messages.
    Submit,
    /// Looks at everything that can be looked at without changing it.
    Read,
    /// Receives and deletes messages of queues.
    Consume,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Admin, Self::Submit, Self::Read, Self::Consume];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Submit => "submit",
            Self::Read => "read",
            Self::Consume => "consume",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|role| role.word() == word).ok_or(())
    }
}

/// The things that a grant is for, by patterns of their names, in which `*` stands for any text; none: all of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Scope {
    /// Of topics.
    #[serde(default)]
    pub topics: Vec<String>,
    /// Of queues.
    #[serde(default)]
    pub queues: Vec<String>,
    /// Of compute environments.
    #[serde(default)]
    pub environments: Vec<String>,
}

/// A kind of thing that a scope can bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Topics, with their subscriptions.
    Topic,
    /// Queues.
    Queue,
    /// Compute environments, with their nodes, and the jobs that run on them.
    Environment,
}

/// Something that a call is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
}

/// Why a call is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// It takes another role.
    #[error("this takes the role {}, which the key pair does not have", .0.word())]
    Role(Role),
    /// It is about something beyond the key pair's scope.
    #[error("{} `{name}` is beyond the scope of the key pair: {}", .kind.word(), .patterns.join(", "))]
    Beyond {
        /// Its kind.
        kind: Kind,
        /// Its name.
        name: String,
        /// What would be within it.
        patterns: Vec<String>,
    },
    /// It is about all things of a kind, and the key pair is for some.
    #[error("this is about every {}, and the scope of the key pair is {}", .kind.word(), .patterns.join(", "))]
    All {
        /// The kind.
        kind: Kind,
        /// What is within the scope.
        patterns: Vec<String>,
    },
}

impl Kind {
    /// What it is called.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Queue => "queue",
            Self::Environment => "environment",
        }
    }
}

impl Grant {
    /// Everything, everywhere: what the installation's own key pair has.
    #[must_use]
    pub fn everything() -> Self {
        Self { roles: BTreeSet::from([Role::Admin]), ..Self::default() }
    }

    /// Whether it has this role.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&Role::Admin) || self.roles.contains(&role)
    }

    /// Whether a call that takes `role` may be made about `targets`. A call is also about all things of each kind of
    /// `concerns` of which it names none.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn permit(&self, role: Role, concerns: &[Kind], targets: &[Target]) -> Result<(), Denied> {
        if !self.has(role) {
            return Err(Denied::Role(role));
        }
        for target in targets {
            if !self.scope.covers(target.kind, &target.name) {
                let (kind, name) = (target.kind, target.name.clone());
                let patterns = self.scope.patterns(kind).to_vec();
                return Err(Denied::Beyond { kind, name, patterns });
            }
        }
        for kind in concerns {
            let patterns = self.scope.patterns(*kind);
            if !patterns.is_empty() && targets.iter().all(|target| target.kind != *kind) {
                return Err(Denied::All { kind: *kind, patterns: patterns.to_vec() });
            }
        }
        Ok(())
    }
}

impl Scope {
    /// The patterns for a kind of thing.
    #[must_use]
    pub fn patterns(&self, kind: Kind) -> &[String] {
        match kind {
            Kind::Topic => &self.topics,
            Kind::Queue => &self.queues,
            Kind::Environment => &self.environments,
        }
    }

    /// Whether something of this name is within it.
    #[must_use]
    pub fn covers(&self, kind: Kind, name: &str) -> bool {
        let patterns = self.patterns(kind);
        patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern, name))
    }

    /// Whether it bounds nothing.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.topics.is_empty() && self.queues.is_empty() && self.environments.is_empty()
    }
}

/// What stands for the environments of tasks that have nodes of their own.
pub const OWN_NODES: &str = "(nodes of a task's own)";

/// The names of the environments that a job runs in.
pub fn env_names<'a>(state: &'a State, spec: &'a JobSpec) -> impl Iterator<Item = Cow<'a, str>> {
    let of_task = |task: &'a TaskSpec| match task.own {
        Some(_) => Cow::Borrowed(OWN_NODES),
        None => env_name(state, task.env),
    };
    spec.tasks.iter().map(of_task)
}

/// An environment's name; its id where it has none to tell.
#[must_use]
pub fn env_name(state: &State, id: EnvId) -> Cow<'_, str> {
    state.env(id).map_or_else(|| Cow::Owned(id.to_string()), |env| Cow::Borrowed(env.name.as_str()))
}

/// Whether a pattern stands for a name. As names themselves, it does not tell capital letters from small ones.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_lowercase(), name.to_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        // The earliest place leaves most for what follows.
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// What changes on a key pair; `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessKeyEdit {
    /// Its note.
    pub note: Option<String>,
    /// What it may do.
    pub grant: Option<Grant>,
    /// Whether it may do nothing for now.
    pub disabled: Option<bool>,
}

/// A token with which one machine can join, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinToken {
    /// Its digest: the token itself is kept nowhere.
    pub digest: String,
    /// When it was made.
    pub created: Timestamp,
    /// Until when it is good.
    pub until: Timestamp,
}

/// What is asked about key pairs and tokens.
#[derive(Debug, Clone)]
pub enum AccessCommand {
    /// Make a key pair; its secret id and sealed secret were drawn outside.
    CreateKey {
        /// Its public half.
        secret_id: String,
        /// Its other half, sealed.
        sealed: String,
        /// Its note.
        note: String,
        /// What it may do.
        grant: Grant,
    },
    /// Change a key pair.
    ModifyKey(String, AccessKeyEdit),
    /// Give a key pair another secret.
    RotateKey {
        /// Its public half.
        secret_id: String,
        /// The new secret, sealed.
        sealed: String,
        /// How long the old one stays valid, in seconds.
        keep_s: u64,
    },
    /// Delete a key pair.
    DeleteKey(String),
    /// Let one machine join with a token of this digest.
    CreateJoinToken {
        /// The digest.
        digest: String,
        /// How long it is good, in seconds.
        valid_s: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, wanted) in [
            ("jobs", "jobs", true),
            ("jobs", "Jobs", true),
            ("jobs", "jobs2", false),
            ("jobs-*", "jobs-", true),
            ("jobs-*", "jobs-a", true),
            ("jobs-*", "job", false),
            ("*", "", true),
            ("*-a", "b-a", true),
            ("*-a", "b-ab", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXcYb", false),
            ("a**c", "abc", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, name), wanted, "{pattern} {name}");
        }
    }

    fn grant(roles: &[Role], topics: &[&str]) -> Grant {
        let topics = topics.iter().map(|pattern| (*pattern).to_owned()).collect();
        let scope = Scope { topics, ..Scope::default() };
        Grant { roles: roles.iter().copied().collect(), scope, ..Grant::default() }
    }

    fn topic(name: &str) -> Target {
        Target { kind: Kind::Topic, name: name.to_owned() }
    }

    #[test]
    fn a_role_is_for_what_it_says_and_admin_for_all() {
        for held in Role::ALL {
            for asked in Role::ALL {
                let allowed = grant(&[held], &[]).permit(asked, &[Kind::Topic], &[]).is_ok();
                assert_eq!(allowed, held == asked || held == Role::Admin, "{held:?} {asked:?}");
            }
        }
        assert_eq!(grant(&[], &[]).permit(Role::Read, &[], &[]), Err(Denied::Role(Role::Read)));
    }

    #[test]
    fn a_scope_bounds_what_is_named_and_what_is_not() {
        let some = grant(&[Role::Admin], &["a-*", "b"]);
        assert_eq!(some.permit(Role::Read, &[Kind::Topic], &[topic("a-1"), topic("B")]), Ok(()));
        let patterns = vec!["a-*".to_owned(), "b".to_owned()];
        let beyond = Denied::Beyond { kind: Kind::Topic, name: "c".into(), patterns: patterns.clone() };
        assert_eq!(some.permit(Role::Read, &[Kind::Topic], &[topic("a-1"), topic("c")]), Err(beyond));
        let all = Denied::All { kind: Kind::Topic, patterns };
        assert_eq!(some.permit(Role::Read, &[Kind::Topic], &[]), Err(all));
        let queue = Target { kind: Kind::Queue, name: "any".into() };
        assert_eq!(some.permit(Role::Read, &[Kind::Queue], &[queue]), Ok(()), "queues are not bounded");
    }
}
