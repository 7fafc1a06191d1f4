//! The environment a run's process gets.
//!
//! The names are Tencent Batch's: `BATCH_JOB_ID` and its like, and the `BATCH_COMPUTE_` names of its first versions.

use std::ffi::{OsStr, OsString};

use wire::node::{RunId, TaskOrder};

use crate::user::User;

/// The variable that names the job; every process of a run was started with it.
pub(crate) const JOB_ID: &str = "BATCH_JOB_ID";

/// The other variables that tell which instance a process was started for.
const INSTANCE: [&str; 2] = ["BATCH_TASK_NAME", "BATCH_TASK_INSTANCE_INDEX"];

/// What is taken over from the agent's own environment. Nothing else is: a run should not depend on how an agent was
/// started, nor see what was meant for it.
const INHERITED: [&str; 6] = ["PATH", "HOME", "LANG", "TZ", "USER", "TMPDIR"];

/// Where programs are looked for when the agent itself does not know.
const PATH_DEFAULT: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a run takes over from this process, and, where it is another's, what is that user's own instead.
pub(crate) fn inherited(user: Option<&User>) -> Vec<(OsString, OsString)> {
    let mut variables: Vec<(OsString, OsString)> =
        INHERITED.iter().filter_map(|name| Some(((*name).into(), std::env::var_os(name)?))).collect();
    if !variables.iter().any(|(name, _)| name == "PATH") {
        variables.push(("PATH".into(), PATH_DEFAULT.into()));
    }
    if let Some(user) = user {
        let own = user.variables();
        variables.retain(|(name, _)| own.iter().all(|(other, _)| other != name));
        variables.extend(own);
    }
    variables
}

/// Where a run's programs are looked for.
pub(crate) fn path<'a>(inherited: &'a [(OsString, OsString)], order: &'a TaskOrder) -> &'a OsStr {
    let own = order.env.iter().rev().find(|(name, _)| name == "PATH").map(|(_, value)| OsStr::new(value));
    let inherited = || inherited.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_os_str());
    own.or_else(inherited).unwrap_or_default()
}

/// What this run adds, in an order in which a later variable replaces an earlier one: the task's own, then Batch's.
pub(crate) fn own(order: &TaskOrder, run: RunId) -> impl Iterator<Item = (String, String)> {
    order.env.iter().cloned().chain(of_batch(order, run))
}

/// What Batch tells a run of itself.
pub(crate) fn of_batch(order: &TaskOrder, run: RunId) -> impl Iterator<Item = (String, String)> + use<> {
    let job = run.job.to_string();
    let index = run.index.to_string();
    let batch = [
        (JOB_ID, job.clone()),
        ("BATCH_TASK_NAME", order.task_name.clone()),
        ("BATCH_TASK_INSTANCE_NUM", order.instance_num.to_string()),
        ("BATCH_TASK_INSTANCE_INDEX", index.clone()),
        ("BATCH_COMPUTE_JOB_ID", job),
        ("BATCH_COMPUTE_TASK_NAME", order.task_name.clone()),
        ("BATCH_COMPUTE_TASK_INSTANCE_INDEX", index),
    ];
    batch.into_iter().map(|(name, value)| (name.to_owned(), value))
}

/// The instance that a process with this environment was started for, as [`instance_of`] names it. The text is that of
/// `/proc/PID/environ`.
pub(crate) fn instance(environ: &[u8]) -> Option<String> {
    let value = |name: &str| {
        let value = environ.split(|byte| *byte == 0).rev();
        value.filter_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")).next()
    };
    let text = |name| value(name).map(|value| String::from_utf8_lossy(value).into_owned());
    Some([text(JOB_ID)?, text(INSTANCE[0])?, text(INSTANCE[1])?].join("/"))
}

/// How the instance of a run is named in its environment.
pub(crate) fn instance_of(run: RunId, task_name: &str) -> String {
    format!("{}/{task_name}/{}", run.job, run.index)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kernel::id::JobId;

    use super::*;

    fn order(run: RunId, env: &[(&str, &str)]) -> TaskOrder {
        TaskOrder {
            job: run.job,
            task: 0,
            task_name: "count".to_owned(),
            instance_num: 8,
            command: String::new(),
            env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            setup: None,
            timeout_ms: 0,
            grace_ms: 0,
        }
    }

    #[test]
    fn the_tasks_variables_cannot_replace_batchs() {
        let run = RunId { job: JobId::from_number(35).unwrap(), task: 0, index: 3, attempt: 1 };
        let order = order(run, &[("PATH", "/x"), (JOB_ID, "mine"), ("A", "1")]);
        let variables: BTreeMap<String, String> = own(&order, run).collect();
        let text: Vec<String> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            text.join(" "),
            "A=1 BATCH_COMPUTE_JOB_ID=job-0000000z BATCH_COMPUTE_TASK_INSTANCE_INDEX=3 \
             BATCH_COMPUTE_TASK_NAME=count BATCH_JOB_ID=job-0000000z BATCH_TASK_INSTANCE_INDEX=3 \
             BATCH_TASK_INSTANCE_NUM=8 BATCH_TASK_NAME=count PATH=/x"
        );
    }

    #[test]
    fn the_environment_tells_the_instance() {
        let run = RunId { job: JobId::from_number(35).unwrap(), task: 0, index: 3, attempt: 1 };
        let mut environ = Vec::new();
        for (name, value) in own(&order(run, &[(JOB_ID, "mine")]), run) {
            environ.extend(format!("{name}={value}\0").into_bytes());
        }
        assert_eq!(instance(&environ), Some(instance_of(run, "count")));
        assert_eq!(instance(b"PATH=/bin\0BATCH_JOB_ID=job-1\0"), None);
        assert_eq!(instance(b""), None);
    }

    #[test]
    fn the_tasks_own_path_counts() {
        let run = RunId { job: JobId::from_number(35).unwrap(), task: 0, index: 3, attempt: 1 };
        let inherited = [("PATH".into(), "/bin".into())];
        assert_eq!(path(&inherited, &order(run, &[])), "/bin");
        let own = order(run, &[("PATH", "/x"), ("PATH", "/y")]);
        assert_eq!(path(&inherited, &own), "/y", "as in the run's environment");
        assert_eq!(path(&[], &order(run, &[])), "");
    }

    #[test]
    fn there_is_always_a_path() {
        assert!(inherited(None).iter().any(|(name, _)| name == "PATH"));
        assert!(inherited(None).iter().all(|(name, _)| INHERITED.iter().any(|known| name == known)));
    }
}
