//! What the demo asks of the server: two nodes, and a job that counts words on them.
//!
//! The job's graph is `split` -> `count`, in [`PARTS`] instances -> `merge`. Its commands are plain sh, awk, tr and
//! sort; they find their files by `DEMO`, the absolute path of the demo's folder.

use std::path::Path;

use kernel::event::EventName;
use serde_json::{Value, json};

use super::stage::TOPIC;

/// Nodes of the environment.
pub(super) const NODES: usize = 2;
/// Instances of the task that counts.
pub(super) const PARTS: usize = 6;
/// The task that prints the result.
pub(super) const MERGE: &str = "merge";

/// Folders in the demo's folder that the commands use.
pub(super) const FOLDERS: [&str; 3] = ["input", "parts", "counts"];

/// Deals the lines of all texts out to the parts.
const SPLIT: &str = r#"
part=0
while [ "$part" -lt "$PARTS" ]; do : > "$DEMO/parts/$part"; part=$((part + 1)); done
LC_ALL=C awk '{ print > (ENVIRON["DEMO"] "/parts/" NR % ENVIRON["PARTS"]) }' "$DEMO"/input/*
"#;

/// Counts the words of one part: letters in a row, 4 to 24 bytes of them, without regard to case.
const COUNT: &str = r#"
LC_ALL=C tr -c 'A-Za-z\200-\377' '\n' < "$DEMO/parts/$BATCH_TASK_INSTANCE_INDEX" |
    LC_ALL=C awk 'length($0) > 3 && length($0) < 25 { count[tolower($0)]++ }
        END { for (word in count) print count[word] "\t" word }' > "$DEMO/counts/$BATCH_TASK_INSTANCE_INDEX"
"#;

/// Adds the counts up and prints the most frequent words.
const MERGE_COMMAND: &str = r#"
cat "$DEMO"/counts/* |
    LC_ALL=C awk -F '\t' '{ count[$2] += $1 } END { for (word in count) print count[word] "\t" word }' |
    LC_ALL=C sort -k 1,1nr -k 2 | head -n 10 | tee "$DEMO/result"
"#;

/// The request that makes the environment.
pub(super) fn environment() -> Value {
    json!({
        "Placement": placement(),
        "ComputeEnv": {
            "EnvName": "demo",
            "DesiredComputeNodeCount": NODES,
            "EnvData": {"InstanceType": "local"},
            "Notifications": notifications(|name| name.is_of_env()),
        },
    })
}

/// The request that submits the job.
pub(super) fn job(env: &str, folder: &Path) -> Value {
    let task = |name: &str, instances: usize, command: &str| {
        json!({
            "TaskName": name,
            "EnvId": env,
            "TaskInstanceNum": instances,
            "EnvVars": [{"Name": "DEMO", "Value": folder}, {"Name": "PARTS", "Value": PARTS.to_string()}],
            "Application": {"DeliveryForm": "LOCAL", "Command": command.trim()},
        })
    };
    json!({
        "Placement": placement(),
        "Job": {
            "JobName": "word-count",
            "Tasks": [task("split", 1, SPLIT), task("count", PARTS, COUNT), task(MERGE, 1, MERGE_COMMAND)],
            "Dependences": [
                {"StartTask": "split", "EndTask": "count"},
                {"StartTask": "count", "EndTask": MERGE},
            ],
            "Notifications": notifications(|name| name.is_of_job() && name.kind() != "NODE"),
        },
    })
}

/// The words and how often they are there, as `merge` printed them.
pub(super) fn result(printed: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(printed);
    let pairs = text.lines().filter_map(|line| line.split_once('\t'));
    pairs.map(|(count, word)| (word.to_owned(), count.to_owned())).collect()
}

fn placement() -> Value {
    json!({"Zone": "ap-guangzhou-1"})
}

fn notifications(wanted: impl Fn(EventName) -> bool) -> Value {
    let names = EventName::ALL.iter().filter(|name| wanted(**name));
    let configs: Vec<Value> = names.map(|name| json!({"EventName": name.as_str()})).collect();
    json!([{"TopicName": TOPIC, "EventConfigs": configs}])
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    /// Runs a task of the job as a node would, and returns what it printed.
    fn run(job: &Value, task: usize, instance: usize) -> Vec<u8> {
        let task = &job["Job"]["Tasks"][task];
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(task["Application"]["Command"].as_str().unwrap());
        for variable in task["EnvVars"].as_array().unwrap() {
            shell.env(variable["Name"].as_str().unwrap(), variable["Value"].as_str().unwrap());
        }
        let output = shell.env("BATCH_TASK_INSTANCE_INDEX", instance.to_string()).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        output.stdout
    }

    #[test]
    fn the_commands_count_words() {
        let folder = tempfile::Builder::new().prefix("a demo's folder ").tempdir().unwrap();
        for name in FOLDERS {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("input/1"), "Every event, every job:\nno event is lost").unwrap();
        fs::write(folder.path().join("input/2"), "EVENT 消息消息 x\n").unwrap();
        let job = job("env-00000000", folder.path());
        run(&job, 0, 0);
        for part in 0..PARTS {
            run(&job, 1, part);
        }
        let words = result(&run(&job, 2, 0));
        let wanted = [("event", "3"), ("every", "2"), ("lost", "1"), ("消息消息", "1")];
        assert_eq!(words, wanted.map(|(word, count)| (word.to_owned(), count.to_owned())));
    }

    #[test]
    fn all_events_of_job_and_environment_are_asked_for() {
        let asked = |request: &Value| request["Notifications"][0]["EventConfigs"].as_array().unwrap().len();
        let job = job("env-00000000", Path::new("/x"));
        assert!(asked(&job["Job"]) >= 12);
        assert!(asked(&environment()["ComputeEnv"]) >= 7);
    }
}
