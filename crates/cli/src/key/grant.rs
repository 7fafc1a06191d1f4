//! The flags that say what a key pair may do.

use clap::ValueEnum;
use serde_json::Value;

use crate::params;

/// What kind of thing a key pair is for.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Role {
    /// Everything
    Admin,
    /// Submit jobs, publish and send messages
    Submit,
    /// Look at everything
    Read,
    /// Receive and delete messages of queues
    Consume,
}

/// To what it may be done, how often, and how much of it.
#[derive(clap::Args)]
pub(super) struct Bounds {
    /// Only topics of this name, in which `*` stands for any text; may be given several times
    #[arg(long = "topic", value_name = "PATTERN")]
    topics: Vec<String>,
    /// Only queues of this name
    #[arg(long = "queue", value_name = "PATTERN")]
    queues: Vec<String>,
    /// Only environments of this name, and jobs whose tasks all run there
    #[arg(long = "env", value_name = "PATTERN")]
    environments: Vec<String>,
    /// At most so many calls a second; 0: no bound
    #[arg(long, value_name = "N")]
    rate: Option<u64>,
    /// At most so many bytes in a call's body; 0: no bound but the protocol's
    #[arg(long, value_name = "BYTES")]
    max_body: Option<u64>,
    /// Refuse more unfinished jobs than so many on its environments, whoever submitted them; 0: no bound
    #[arg(long, value_name = "N")]
    max_jobs: Option<u64>,
    /// Refuse more topics than so many of its patterns; 0: no bound
    #[arg(long, value_name = "N")]
    max_topics: Option<u64>,
    /// Refuse more queues than so many of its patterns; 0: no bound
    #[arg(long, value_name = "N")]
    max_queues: Option<u64>,
    /// Refuse more environments than so many of its patterns; 0: no bound
    #[arg(long, value_name = "N")]
    max_envs: Option<u64>,
    /// Whose it is or what for, in words for people
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

impl Bounds {
    /// Adds what was given.
    pub(super) fn add(self, roles: &[Role], params: &mut Value) {
        let roles: Vec<String> = roles.iter().map(|role| params::word(*role)).collect();
        let fields = [
            ("Roles", params::some(&roles)),
            ("Topics", params::some(&self.topics)),
            ("Queues", params::some(&self.queues)),
            ("Environments", params::some(&self.environments)),
            ("CallsPerSecond", self.rate.map(Value::from)),
            ("MaxBodyBytes", self.max_body.map(Value::from)),
            ("MaxJobs", self.max_jobs.map(Value::from)),
            ("MaxTopics", self.max_topics.map(Value::from)),
            ("MaxQueues", self.max_queues.map(Value::from)),
            ("MaxEnvironments", self.max_envs.map(Value::from)),
            ("Description", self.description.map(Value::from)),
        ];
        params::add(params, fields);
    }
}
