//! Who may call what: the role that each action takes, and the things it is about.
//!
//! What a key pair may do is decided by the kernel ([`Grant::permit`]); here stands which role an action takes, and
//! what of its parameters names a topic, a queue or an environment. A job is about the environments that its tasks run
//! in. An action that is about a kind of thing, and names none, is about all of them.

use std::borrow::Cow;
use std::str::FromStr;

use kernel::access::{Denied, Grant, Kind, OWN_NODES, Role, Target, env_name, env_names};
use kernel::id::{EnvId, JobId, NodeId};
use serde_json::Value;

use crate::App;

/// What an action takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Any of these roles.
    pub(crate) roles: &'static [Role],
    /// The kinds of things it is about.
    pub(crate) concerns: &'static [Kind],
}

const ADMIN: &[Role] = &[Role::Admin];
const READ: &[Role] = &[Role::Read];
const SUBMIT: &[Role] = &[Role::Submit];
const CONSUME: &[Role] = &[Role::Consume];
/// What whoever works with a queue or topic needs to find it.
const ANY: &[Role] = &[Role::Read, Role::Submit, Role::Consume];

const NOTHING: &[Kind] = &[];
const ENVS: &[Kind] = &[Kind::Environment];
const TOPICS: &[Kind] = &[Kind::Topic];
const QUEUES: &[Kind] = &[Kind::Queue];
const EVERYTHING: &[Kind] = &[Kind::Topic, Kind::Queue, Kind::Environment];

/// What an action takes; `None`: it is not known here, and nobody may call it.
pub(crate) fn rule(action: &str) -> Option<Rule> {
    let (roles, concerns) = match action {
        // Jobs.
        "SubmitJob" | "SubmitTaskTemplate" | "TerminateJob" | "DeleteJob" | "RetryJobs" | "TerminateTaskInstance" => {
            (SUBMIT, ENVS)
        }
        "CreateTaskTemplate" | "ModifyTaskTemplate" | "DeleteTaskTemplates" => (SUBMIT, NOTHING),
        "DescribeTaskTemplates"
        | "DescribeAvailableCvmInstanceTypes"
        | "DescribeCvmZoneInstanceConfigInfos"
        | "DescribeInstanceCategories"
        | "DescribeServer" => (READ, NOTHING),
        "DescribeJob"
        | "DescribeJobs"
        | "DescribeJobSubmitInfo"
        | "DescribeJobMonitorData"
        | "DescribeTask"
        | "DescribeTaskLogs"
        | "ExplainJob" => (READ, ENVS),
        // Environments, nodes, machines.
        "DescribeComputeEnv"
        | "DescribeComputeEnvs"
        | "DescribeComputeEnvActivities"
        | "DescribeComputeEnvCreateInfo"
        | "DescribeComputeEnvCreateInfos"
        | "DescribeNodes"
        | "DescribeMachines" => (READ, ENVS),
        "CreateComputeEnv"
        | "ModifyComputeEnv"
        | "DeleteComputeEnv"
        | "TerminateComputeNode"
        | "TerminateComputeNodes"
        | "AttachInstances"
        | "DetachInstances"
        | "DrainNodes"
        | "UndrainNodes" => (ADMIN, ENVS),
        // Topics and their subscriptions.
        "PublishMessage" | "BatchPublishMessage" | "PublishCmqMsg" => (SUBMIT, TOPICS),
        "QueryTopicRoute" => (ANY, TOPICS),
        "DescribeCmqTopics"
        | "DescribeCmqTopicDetail"
        | "DescribeTopicDetail"
        | "ListTopic"
        | "GetTopicAttributes"
        | "DescribeCmqSubscriptionDetail"
        | "DescribeSubscriptionDetail"
        | "ListSubscriptionByTopic"
        | "GetSubscriptionAttributes"
        | "DescribeSubscriptionProgress"
        | "DescribeDeliveries"
        | "DescribeDelivery"
        | "DescribeDeliveryAttempts" => (READ, TOPICS),
        "DescribeEvents" => (READ, NOTHING),
        "CreateCmqTopic"
        | "CreateTopic"
        | "ModifyCmqTopicAttribute"
        | "ModifyTopicAttribute"
        | "SetTopicAttributes"
        | "DeleteCmqTopic"
        | "DeleteTopic"
        | "CreateCmqSubscribe"
        | "CreateSubscribe"
        | "Subscribe"
        | "ModifyCmqSubscriptionAttribute"
        | "ModifySubscriptionAttribute"
        | "SetSubscriptionAttributes"
        | "ClearCmqSubscriptionFilterTags"
        | "ClearSubscriptionFilterTags"
        | "DeleteCmqSubscribe"
        | "DeleteSubscribe"
        | "Unsubscribe"
        | "PauseSubscription"
        | "ResumeSubscription"
        | "RotateSubscriptionSecret"
        | "RedeliverMessages"
        | "RewindSubscription"
        | "StopReplay" => (ADMIN, TOPICS),
        // Queues.
        "SendMessage" | "BatchSendMessage" | "SendCmqMsg" => (SUBMIT, QUEUES),
        "ReceiveMessage" | "BatchReceiveMessage" | "DeleteMessage" | "BatchDeleteMessage" => (CONSUME, QUEUES),
        "QueryQueueRoute" | "GetQueueAttributes" => (ANY, QUEUES),
        "DescribeCmqQueues"
        | "DescribeCmqQueueDetail"
        | "DescribeQueueDetail"
        | "ListQueue"
        | "DescribeCmqDeadLetterSourceQueues"
        | "DescribeDeadLetterSourceQueues" => (READ, QUEUES),
        "CreateCmqQueue"
        | "CreateQueue"
        | "ModifyCmqQueueAttribute"
        | "ModifyQueueAttribute"
        | "SetQueueAttributes"
        | "DeleteCmqQueue"
        | "DeleteQueue"
        | "ClearCmqQueue"
        | "ClearQueue"
        | "RewindCmqQueue"
        | "RewindQueue"
        | "UnbindCmqDeadLetter"
        | "UnbindDeadLetter" => (ADMIN, QUEUES),
        // The installation.
        "CreateConsoleLogin" => (READ, EVERYTHING),
        "CreateAccessKey" | "DescribeAccessKeys" | "ModifyAccessKey" | "RotateAccessKey" | "DeleteAccessKey"
        | "CreateJoinToken" => (ADMIN, EVERYTHING),
        _ => return None,
    };
    Some(Rule { roles, concerns })
}

/// Whether a grant allows an action about some things.
///
/// # Errors
/// [`Denied`].
pub(crate) fn permit(grant: &Grant, action: &str, targets: &[Target]) -> Result<(), Denied> {
    let Some(rule) = rule(action) else { return Err(Denied::Role(Role::Admin)) };
    let role = rule.roles.iter().copied().find(|role| grant.has(*role)).unwrap_or(rule.roles[0]);
    grant.permit(role, rule.concerns, targets)
}

/// What a call's parameters name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Named {
    /// Things by their names.
    targets: Vec<Target>,
    envs: Vec<EnvId>,
    jobs: Vec<JobId>,
    nodes: Vec<NodeId>,
    /// Whether a task wants nodes of its own.
    own_nodes: bool,
    /// The rest of what the audit trail tells.
    others: Vec<String>,
}

impl Named {
    /// Reads the parameters of a call of API 3.0.
    pub(crate) fn of_json(action: &str, params: &Value) -> Self {
        let mut named = Self::default();
        named.read(params);
        if matches!(action, "SubmitJob" | "SubmitTaskTemplate") {
            let tasks = params.pointer("/Job/Tasks").and_then(Value::as_array);
            named.own_nodes = tasks.is_none_or(|tasks| tasks.iter().any(|task| task["EnvId"].is_null()));
        }
        named
    }

    /// Reads the parameters of a call of CMQ v2.
    pub(crate) fn of_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Self {
        let mut named = Self::default();
        let is = |pair: &(&str, &str), name: &str| pair.0.eq_ignore_ascii_case(name);
        let queue = pairs.clone().any(|pair| is(&pair, "protocol") && pair.1.eq_ignore_ascii_case("queue"));
        for pair in pairs {
            if queue && is(&pair, "endpoint") {
                named.add(Kind::Queue, pair.1);
            }
            named.read_field(pair.0, pair.1);
        }
        named
    }

    fn read(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                if fields.get("Protocol").and_then(Value::as_str) == Some("queue")
                    && let Some(name) = fields.get("Endpoint").and_then(Value::as_str)
                {
                    self.add(Kind::Queue, name);
                }
                for (name, value) in fields {
                    match value {
                        Value::String(text) => self.read_field(name, text),
                        Value::Array(items) if items.iter().all(Value::is_string) => {
                            items.iter().filter_map(Value::as_str).for_each(|text| self.read_field(name, text));
                        }
                        other => self.read(other),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.read(item)),
            _ => {}
        }
    }

    fn read_field(&mut self, name: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        match name.to_ascii_lowercase().as_str() {
            "topicname" | "notificationtopicname" => self.add(Kind::Topic, text),
            "queuename" | "deadletterqueuename" | "deadletterqueue" | "sourcequeuename" => {
                self.add(Kind::Queue, text);
            }
            "envname" => self.add(Kind::Environment, text),
            "envid" | "envids" => self.envs.extend(EnvId::from_str(text)),
            "jobid" | "jobids" => self.jobs.extend(JobId::from_str(text)),
            "computenodeid" | "computenodeids" | "nodeid" | "nodeids" => self.nodes.extend(NodeId::from_str(text)),
            "secretid" | "subscriptionname" | "tasktemplateid" | "tasktemplateids" | "instanceid" | "instanceids" => {
                self.others.push(format!("{name} {text}"));
            }
            _ => {}
        }
    }

    fn add(&mut self, kind: Kind, name: &str) {
        self.targets.push(Target { kind, name: name.to_owned() });
    }

    /// What the audit trail tells of it.
    pub(crate) fn words(&self) -> Vec<String> {
        let targets = self.targets.iter().map(|target| format!("{} {}", target.kind.word(), target.name));
        let envs = self.envs.iter().map(|id| format!("environment {id}"));
        let jobs = self.jobs.iter().map(|id| format!("job {id}"));
        let nodes = self.nodes.iter().map(|id| format!("node {id}"));
        targets.chain(envs).chain(jobs).chain(nodes).chain(self.others.iter().cloned()).take(WORDS).collect()
    }

    /// All of it by name, as far as a grant asks for names.
    async fn targets(self, app: &App, grant: &Grant) -> Vec<Target> {
        let mut targets = self.targets;
        if grant.scope.environments.is_empty() {
            return targets;
        }
        let state = app.state();
        let mut names: Vec<String> = self.envs.iter().map(|id| env_name(&state, *id).into_owned()).collect();
        let of_node = |id: &NodeId| {
            state.node(*id).map_or_else(|| id.to_string(), |node| env_name(&state, node.env).into_owned())
        };
        names.extend(self.nodes.iter().map(of_node));
        if self.own_nodes {
            names.push(OWN_NODES.to_owned());
        }
        for id in self.jobs {
            let found = app.read(move |reader| reader.job(id)).await;
            // One that cannot be read is nobody's who is for some environments only.
            let spec = found.ok().flatten().map(|rows| rows.job.spec.clone());
            match spec {
                Some(spec) => names.extend(env_names(&state, &spec).map(Cow::into_owned)),
                None => names.push(id.to_string()),
            }
        }
        targets.extend(names.into_iter().map(|name| Target { kind: Kind::Environment, name }));
        targets
    }
}

/// Things that an entry of the audit trail names at most.
const WORDS: usize = 32;

/// Whether a call is allowed.
///
/// # Errors
/// [`Denied`].
pub(crate) async fn check(app: &App, grant: &Grant, action: &str, named: Named) -> Result<(), Denied> {
    let targets = named.targets(app, grant).await;
    permit(grant, action, &targets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::access::Scope;
    use serde_json::json;

    fn grant(roles: &[Role], scope: Scope) -> Grant {
        Grant { roles: roles.iter().copied().collect(), scope, ..Grant::default() }
    }

    #[test]
    fn every_action_has_a_rule_and_only_what_looks_is_for_readers() {
        for listed in crate::api::actions() {
            let rule = rule(listed.action).unwrap_or_else(|| panic!("{} has no rule", listed.action));
            let looks = ["Describe", "List", "Get", "Query", "Explain"];
            let looks = looks.iter().any(|word| listed.action.starts_with(word));
            let reads = rule.roles.contains(&Role::Read) && listed.action != "CreateConsoleLogin";
            assert_eq!(reads, looks && listed.action != "DescribeAccessKeys", "{}", listed.action);
        }
        assert_eq!(rule("Nothing"), None);
    }

    #[test]
    fn a_role_is_for_its_actions_alone() {
        let may = |role: Role, action: &str| permit(&grant(&[role], Scope::default()), action, &[]).is_ok();
        for (action, who) in [
            ("SubmitJob", vec![Role::Submit]),
            ("SendMessage", vec![Role::Submit]),
            ("ReceiveMessage", vec![Role::Consume]),
            ("GetQueueAttributes", vec![Role::Submit, Role::Read, Role::Consume]),
            ("DescribeJobs", vec![Role::Read]),
            ("CreateQueue", vec![]),
            ("CreateAccessKey", vec![]),
        ] {
            for role in Role::ALL {
                let wanted = who.contains(&role) || role == Role::Admin;
                assert_eq!(may(role, action), wanted, "{role:?} {action}");
            }
        }
        assert!(!may(Role::Admin, "Nothing"), "what has no rule is for nobody");
    }

    #[test]
    fn names_are_found_wherever_they_stand() {
        let job = json!({"Job": {"Tasks": [{"EnvId": "env-00000001"}, {"Task": {}}],
            "Notifications": [{"TopicName": "told"}]}});
        let named = Named::of_json("SubmitJob", &job);
        assert_eq!(named.targets, [Target { kind: Kind::Topic, name: "told".into() }]);
        assert_eq!((named.envs.len(), named.own_nodes), (1, true));
        let subscribe = json!({"TopicName": "t", "Protocol": "queue", "Endpoint": "q", "SubscriptionName": "s"});
        let named = Named::of_json("CreateCmqSubscribe", &subscribe);
        let words = named.words();
        assert_eq!(words, ["queue q", "topic t", "SubscriptionName s"]);
        let ids = json!({"JobIds": ["job-00000001", "job-00000002"], "ComputeNodeIds": ["node-00000001"]});
        let named = Named::of_json("RetryJobs", &ids);
        assert_eq!((named.jobs.len(), named.nodes.len()), (2, 1));
        let pairs = [("topicName", "t"), ("protocol", "queue"), ("endpoint", "q"), ("deadLetterQueueName", "d")];
        let named = Named::of_pairs(pairs.into_iter());
        assert_eq!(named.words(), ["topic t", "queue q", "queue d"]);
    }

    #[test]
    fn a_scope_holds_for_what_is_named_and_for_what_is_not() {
        let scope = Scope { queues: vec!["mine-*".into()], ..Scope::default() };
        let grant = grant(&[Role::Admin], scope);
        let may = |action: &str, params: Value| {
            let named = Named::of_json(action, &params);
            permit(&grant, action, &named.targets).is_ok()
        };
        assert!(may("CreateCmqQueue", json!({"QueueName": "mine-1"})));
        assert!(!may("CreateCmqQueue", json!({"QueueName": "other"})));
        assert!(!may("CreateCmqQueue", json!({"QueueName": "mine-1", "DeadLetterQueueName": "other"})));
        assert!(!may("DescribeCmqQueues", json!({})), "of all queues");
        assert!(!may("CreateAccessKey", json!({})), "a key pair with more would be made");
        assert!(may("CreateCmqTopic", json!({"TopicName": "any"})));
    }
}
