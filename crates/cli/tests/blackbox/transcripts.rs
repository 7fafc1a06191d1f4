//! What a user types and what is answered, kept in `tests/transcripts`: every verb, when it succeeds and when it fails.
//!
//! Each file is a session of its own server, run by one shell, in a folder with a few files. What differs from run to
//! run (ids, times, ports, folders) stands there under names of its own. With `HERALD_BLESS` set the answers are
//! written anew; read the difference then.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::official::alone;
use crate::support::server::{SECRET_ID, SECRET_KEY, Server, binary};

/// Stands before each command's answer in the shell's output.
const MARK: &str = "--- answer ";
/// Verbs whose success is shown elsewhere: they go on until somebody ends them, or last too long.
const SHOWN_ELSEWHERE: [&str; 3] = ["demo", "serve", "agent"];
/// Verbs whose success needs a machine that has joined.
const NEED_MACHINE: [&str; 2] = ["node attach", "node detach"];

const ENV: &str = r#"{"EnvName": "render", "DesiredComputeNodeCount": 1, "EnvData": {"InstanceType": "S5.SMALL1"}}"#;
const JOB: &str = r#"{"JobName": "greet", "Tasks": [{"TaskName": "say", "TaskInstanceNum": 2, "EnvId": "ENV",
 "Application": {"DeliveryForm": "LOCAL", "Command": "echo hello $BATCH_TASK_INSTANCE_INDEX"}}],
 "Notifications": [{"TopicName": "news", "EventConfigs": [{"EventName": "JobRunning"}, {"EventName": "JobSucceed"},
 {"EventName": "JobFailed"}]}]}"#;
const TEMPLATE: &str = r#"{"TaskTemplateName": "hello", "TaskTemplateInfo": {"TaskName": "hello", "EnvId": "ENV",
 "Application": {"DeliveryForm": "LOCAL", "Command": "echo hello"}}}"#;
/// Two events of three: one is missing.
const TOLD: &str = r#"{"Events":[{"EventVersion":"1.0","EventTime":"2018-06-15T14:43:17Z","Region":"ap-guangzhou","Batch":{"JobId":"job-ab12cd34"},"EventName":"JOB_RUNNING","EventVars":[],"EventId":"evt-01CG2ADW88000000000000000A","Sequence":1}]}
{"Events":[{"EventVersion":"1.0","EventTime":"2018-06-15T14:43:18Z","Region":"ap-guangzhou","Batch":{"JobId":"job-ab12cd34"},"EventName":"JOB_SUCCEED","EventVars":[],"EventId":"evt-01CG2ADW88000000000000000B","Sequence":3}]}
"#;

/// One command and its answer.
struct Exchange {
    command: String,
    answer: String,
}

impl Exchange {
    /// Whether the answer ends with a status other than 0, or with one that a pipe has hidden.
    fn failed(&self) -> bool {
        self.answer.lines().any(|line| line.starts_with("error:") || line.starts_with('['))
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts")
}

fn read(text: &str) -> Vec<Exchange> {
    let mut exchanges: Vec<Exchange> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("$ ") {
            Some(command) => exchanges.push(Exchange { command: command.to_owned(), answer: String::new() }),
            None => {
                let last = exchanges.last_mut().expect("a file begins with a command");
                last.answer.push_str(line);
                last.answer.push('\n');
            }
        }
    }
    exchanges
}

/// Runs the commands of a session, and writes down what was answered.
fn run(commands: &[&str]) -> String {
    let server = Server::start_with("[jobs]\nretry_pause_s = 0\n");
    let home = server.folder();
    for (name, text) in [("env.json", ENV), ("job.json", JOB), ("template.json", TEMPLATE), ("told.txt", TOLD)] {
        fs::write(home.join(name), text).expect("a file of the test");
    }
    let mut script = String::new();
    for (at, command) in commands.iter().enumerate() {
        script.push_str(&format!(
            "echo '{MARK}{at}'\n{{ {command}\n}} 2>&1\nlast=$?; test $last = 0 || echo \"[$last]\"\n"
        ));
    }
    let bin = home.join("bin");
    fs::create_dir(&bin).expect("a folder of the test");
    std::os::unix::fs::symlink(binary(), bin.join("herald")).expect("a link of the test");
    let mut bash = Command::new("bash");
    bash.args(["-c", &script]).current_dir(home).stdin(Stdio::null());
    let path = std::env::var("PATH").unwrap_or_default();
    alone(&mut bash, home).env("PATH", format!("{}:{path}", bin.display())).env("HERALD_ENDPOINT", server.endpoint());
    bash.env("HERALD_SECRET_ID", SECRET_ID).env("HERALD_SECRET_KEY", SECRET_KEY).env("TZ", "UTC");
    let output = bash.output().expect("bash runs");
    let text = String::from_utf8(output.stdout).expect("herald prints UTF-8");
    let mut names = Names::new(&server);
    let mut transcript = String::new();
    for (at, command) in commands.iter().enumerate() {
        let (_, answer) = text.split_once(&format!("{MARK}{at}\n")).expect("every command is run");
        let answer = answer.split(MARK).next().unwrap_or_default();
        transcript.push_str(&format!("$ {command}\n{}", names.replace(answer)));
    }
    transcript
}

/// What differs from run to run, and what stands for it.
struct Names {
    known: BTreeMap<String, String>,
    counts: BTreeMap<String, usize>,
    fixed: Vec<(String, String)>,
}

impl Names {
    fn new(server: &Server) -> Self {
        let folder = server.folder().canonicalize().expect("it is there");
        let fixed = vec![
            (server.address().to_owned(), "127.0.0.1:7400".to_owned()),
            (folder.display().to_string(), "FOLDER".to_owned()),
            (format!("process id {}", server.pid()), "process id 4711".to_owned()),
        ];
        Self { known: BTreeMap::new(), counts: BTreeMap::new(), fixed }
    }

    fn replace(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        for (found, name) in &self.fixed {
            text = text.replace(found, name);
        }
        // Which states of a job are seen while it is waited for is a matter of speed.
        let is_passing = |line: &str| {
            let state = line.strip_prefix("job-").and_then(|rest| rest.trim_end().split_once(' '));
            state.is_some_and(|(_, state)| ["PENDING", "RUNNABLE", "STARTING", "RUNNING"].contains(&state))
        };
        text.split_inclusive('\n').filter(|line| !is_passing(line)).map(|line| self.line(line)).collect()
    }

    fn line(&mut self, line: &str) -> String {
        let mut out = String::new();
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            let is_begin = out.chars().next_back().is_none_or(|before| !before.is_ascii_alphanumeric());
            let taken = if is_begin { self.take(rest, out.ends_with("(request ")) } else { None };
            match taken {
                Some((length, name)) => {
                    out.push_str(&name);
                    rest = &rest[length..];
                }
                None => {
                    out.push(c);
                    rest = &rest[c.len_utf8()..];
                }
            }
        }
        out
    }

    /// What a text begins with that is to be replaced: its length, and what stands for it. Both are as long, so that
    /// tables stay tables.
    fn take(&mut self, text: &str, is_request: bool) -> Option<(usize, String)> {
        let word: String = text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        for prefix in ["job", "env", "node", "ins", "task-tmpl", "cmqt", "cmqq", "subsc"] {
            let id = word.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-'));
            if id.is_some_and(|id| id.len() == 8 && id != "00000000" && id != "ab12cd34") {
                return Some((word.len(), self.name(prefix, &word)));
            }
        }
        if word.starts_with("evt-") && word.len() == 30 && !word.starts_with("evt-01CG2ADW88") {
            return Some((word.len(), format!("evt-{:026}", 0)));
        }
        if word.len() >= 13 && is_request && word.bytes().all(|b| b.is_ascii_digit()) {
            return Some((word.len(), "0000000000000000".to_owned()));
        }
        let is_uuid = word.len() == 36 && word.matches('-').count() == 4;
        let digits = |text: &str| text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
        let date = text.get(..19).filter(|_| text.get(..4).is_some_and(digits));
        let is_time = date.is_some_and(|date| {
            let shape: String = date.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
            matches!(shape.as_str(), "0000-00-00 00:00:00" | "0000-00-00T00:00:00") && date > "2026-11-02"
        });
        if is_uuid {
            return Some((36, "00000000-0000-0000-0000-000000000000".to_owned()));
        }
        is_time.then(|| (19, format!("2026-11-01{}08:00:00", &text[10..11])))
    }

    fn name(&mut self, prefix: &str, id: &str) -> String {
        if let Some(name) = self.known.get(id) {
            return name.clone();
        }
        let count = self.counts.entry(prefix.to_owned()).or_default();
        *count += 1;
        let name = format!("{prefix}-{count:08}");
        self.known.insert(id.to_owned(), name.clone());
        name
    }
}

fn check(session: &str) {
    let file = folder().join(session).with_extension("txt");
    let kept = fs::read_to_string(&file).expect("the transcript is there");
    let exchanges = read(&kept);
    let commands: Vec<&str> = exchanges.iter().map(|exchange| exchange.command.as_str()).collect();
    let found = run(&commands);
    if std::env::var_os("HERALD_BLESS").is_some() {
        fs::write(&file, found).expect("the transcript is written");
        return;
    }
    for (kept, found) in exchanges.iter().zip(read(&found)) {
        assert_eq!(found.answer, kept.answer, "$ {} (HERALD_BLESS=1 writes {} anew)", kept.command, file.display());
    }
}

#[test]
fn environments_are_as_written_down() {
    check("environments");
}

#[test]
fn nodes_are_as_written_down() {
    check("nodes");
}

#[test]
fn jobs_are_as_written_down() {
    check("jobs");
}

#[test]
fn templates_are_as_written_down() {
    check("templates");
}

#[test]
fn topics_are_as_written_down() {
    check("topics");
}

#[test]
fn queues_are_as_written_down() {
    check("queues");
}

#[test]
fn key_pairs_are_as_written_down() {
    check("keys");
}

#[test]
fn what_needs_no_server_is_as_written_down() {
    check("elsewhere");
}

/// Every verb that `--help` knows of stands in the transcripts, once with success and once with failure.
#[test]
fn every_verb_is_shown_to_succeed_and_to_fail() {
    let help = include_str!("../../src/help.txt");
    let verbs = help.lines().filter_map(|line| line.strip_prefix("$ herald ")?.strip_suffix(" --help"));
    // What agents start is for nobody else.
    let all: BTreeSet<&str> = verbs.filter(|verb| verb.split(' ').next() != Some("agent-step")).collect();
    let is_noun = |verb: &str| all.iter().any(|other| other.starts_with(&format!("{verb} ")));
    let verbs: Vec<&str> = all.iter().copied().filter(|verb| !is_noun(verb)).collect();
    assert!(verbs.len() > 60, "{verbs:?}");
    let (mut succeeded, mut failed) = (BTreeSet::new(), BTreeSet::new());
    for file in fs::read_dir(folder()).expect("the folder of the transcripts") {
        let text = fs::read_to_string(file.expect("a file").path()).expect("a transcript");
        for exchange in read(&text) {
            let said = |verb: &&&str| exchange.command.contains(&format!("herald {verb}"));
            let shown = if exchange.failed() { &mut failed } else { &mut succeeded };
            shown.extend(verbs.iter().filter(said).copied());
        }
    }
    let elsewhere = |verb: &&str| SHOWN_ELSEWHERE.contains(verb) || NEED_MACHINE.contains(verb);
    let missing: Vec<&str> = verbs.iter().copied().filter(|it| !succeeded.contains(it) && !elsewhere(it)).collect();
    assert!(missing.is_empty(), "not shown to succeed: {missing:?}");
    let missing: Vec<&str> = verbs.iter().copied().filter(|it| !failed.contains(it)).collect();
    assert!(missing.is_empty(), "not shown to fail: {missing:?}");
}
