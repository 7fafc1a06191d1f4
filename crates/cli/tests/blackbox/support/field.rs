//! A server with one environment, whose events, and those of the jobs on it, are kept in queues; and a look at the
//! processes behind its nodes and instances.

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::events::{Log, batch_text, drain, event};
use super::official::Official;
use super::processes;
use super::requests::{
    ENV_EVENTS, JOB_EVENTS, environment, notifications, placement, submit, task, topic_with_queue, wait_for_job,
    wait_for_nodes,
};
use super::server::Server;
use super::wait;

/// Topic and queue of the environment's events.
const ENV_QUEUE: &str = "of-the-environment";
/// Topic and queue of the jobs' events.
const JOB_QUEUE: &str = "of-the-jobs";

/// A server, its environment, and the events that have been taken from the queues.
pub(crate) struct Field {
    pub(crate) official: Official,
    pub(crate) env: String,
    env_texts: Vec<String>,
    job_texts: Vec<String>,
    // Ends last, and with it all that runs on its nodes.
    pub(crate) server: Server,
}

impl Field {
    /// A server with this configuration, and an environment of so many nodes, all running.
    pub(crate) fn start(config: &str, nodes: u64) -> Self {
        let server = Server::start_with(config);
        let mut official = server.official();
        topic_with_queue(&mut official, ENV_QUEUE, ENV_QUEUE);
        topic_with_queue(&mut official, JOB_QUEUE, JOB_QUEUE);
        let mut wanted = environment("field", nodes);
        let events = [&ENV_EVENTS[..], &["COMPUTE_ENV_SCALED", "COMPUTE_NODE_DELETED"]].concat();
        wanted["Notifications"] = notifications(ENV_QUEUE, &events);
        let request = json!({"Placement": placement(), "ComputeEnv": wanted});
        let reply = official.batch("CreateComputeEnv", request).expect("a right request");
        let env = reply["EnvId"].as_str().expect("an id").to_owned();
        wait_for_nodes(&mut official, &env, nodes);
        Self { official, env, env_texts: Vec::new(), job_texts: Vec::new(), server }
    }

    /// A task of so many instances on the environment.
    pub(crate) fn task(&self, name: &str, command: &str, instances: u64) -> Value {
        task(name, &self.env, command, instances)
    }

    /// Submits a job of these tasks, with more members, that asks for every event.
    pub(crate) fn submit(&mut self, tasks: &[Value], more: Value) -> String {
        self.submit_asking(tasks, more, &[&JOB_EVENTS[..], &["TASK_INSTANCE_RETRYING", "JOB_RETRIED"]].concat())
    }

    /// Submits a job of these tasks, with more members, that asks for these events.
    pub(crate) fn submit_asking(&mut self, tasks: &[Value], more: Value, events: &[&str]) -> String {
        let mut job = more;
        job["Tasks"] = json!(tasks);
        job["Notifications"] = notifications(JOB_QUEUE, events);
        submit(&mut self.official, &job)
    }

    /// Waits until the job is in this state, and returns it.
    pub(crate) fn wait_for(&mut self, job: &str, state: &str) -> Value {
        wait_for_job(&mut self.official, job, &[state])
    }

    /// The environment as the API shows it; its nodes in `ComputeNodeSet`.
    pub(crate) fn view(&mut self) -> Value {
        self.official.batch("DescribeComputeEnv", json!({"EnvId": self.env})).expect("the environment exists")
    }

    /// The ids of the environment's nodes.
    pub(crate) fn nodes(&mut self) -> Vec<String> {
        let view = self.view();
        let nodes = view["ComputeNodeSet"].as_array().expect("a list");
        nodes.iter().map(|node| node["ComputeNodeId"].as_str().expect("an id").to_owned()).collect()
    }

    /// The instances of a task, by index.
    pub(crate) fn instances(&mut self, job: &str, task: &str) -> Vec<Value> {
        let request = json!({"JobId": job, "TaskName": task, "Limit": 1000});
        let view = self.official.batch("DescribeTask", request).expect("the task exists");
        view["TaskInstanceSet"].as_array().expect("a list").clone()
    }

    /// The environment's events so far, as soon as they are enough.
    pub(crate) fn env_events(&mut self, enough: impl Fn(&Log) -> bool) -> Log {
        take(&mut self.official, ENV_QUEUE, &mut self.env_texts, &self.env, enough)
    }

    /// A job's events so far, as soon as they are enough.
    pub(crate) fn job_events(&mut self, job: &str, enough: impl Fn(&Log) -> bool) -> Log {
        take(&mut self.official, JOB_QUEUE, &mut self.job_texts, job, enough)
    }

    /// Waits until an instance of the job has started, and returns the node that it started on.
    pub(crate) fn node_of(&mut self, job: &str) -> String {
        let log = self.job_events(job, |log| log.count("TASK_INSTANCE_RUNNING") > 0);
        let started = log.named("TASK_INSTANCE_RUNNING");
        batch_text(started[0], "ComputeNodeId").to_owned()
    }

    /// The folder of the nodes' folders.
    pub(crate) fn nodes_folder(&self) -> PathBuf {
        self.server.folder().join("data/nodes")
    }

    /// Whether a node has a living agent.
    pub(crate) fn has_agent(&self, node: &str) -> bool {
        !self.agents(node).is_empty()
    }

    /// The living agent of a node.
    pub(crate) fn agent(&self, node: &str) -> Option<Pid> {
        self.agents(node).first().copied()
    }

    fn agents(&self, node: &str) -> Vec<Pid> {
        let home = self.nodes_folder().join(node);
        let agents: Vec<Pid> = processes::started_under(&home).into_iter().filter(|pid| is_agent(*pid)).collect();
        // A child that the agent has begun and that is yet to become what it starts looks like the agent.
        let is_child = |pid: &Pid| processes::parent(*pid).is_some_and(|parent| agents.contains(&parent));
        agents.iter().copied().filter(|pid| !is_child(pid)).collect()
    }

    /// Sends a signal to the agent of a node, and to nothing else; returns who got it.
    pub(crate) fn signal_agent(&self, node: &str, signal: Signal) -> Pid {
        let agents = self.agents(node);
        assert_eq!(agents.len(), 1, "node {node} has one agent: {agents:?}");
        let agent = agents[0];
        kill(agent, signal).expect("an agent that lives can be signalled");
        agent
    }

    /// A mark for the processes of runs.
    pub(crate) fn mark(&self, name: &str) -> Mark {
        Mark(self.server.folder().join(format!("mark-{name}")))
    }

    /// A path in the test's folder, for commands to write to.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.server.folder().join(name)
    }
}

/// The mark that a task's processes carry in their environment, children and grandchildren too.
pub(crate) struct Mark(PathBuf);

impl Mark {
    /// Puts the mark on a task.
    pub(crate) fn on(&self, mut task: Value) -> Value {
        task["EnvVars"] = json!([{"Name": "MARK", "Value": self.0.to_str().expect("UTF-8")}]);
        task
    }

    /// The living processes that carry it.
    pub(crate) fn living(&self) -> Vec<Pid> {
        processes::started_under(&self.0)
    }

    /// Waits until so many processes carry it.
    pub(crate) fn wait_for(&self, processes: usize) {
        wait::until(&format!("{processes} processes of a run"), || (self.living().len() >= processes).then_some(()));
    }

    /// Waits until nothing of the run is left.
    pub(crate) fn wait_until_gone(&self) {
        wait::until("the end of the processes of a run", || self.living().is_empty().then_some(()));
    }

    /// Asserts that nothing of the run is left, at this very moment.
    pub(crate) fn assert_gone(&self) {
        assert_eq!(self.living(), [], "processes of the run live on");
    }
}

/// Waits until a file is there.
pub(crate) fn wait_for_file(path: &Path) {
    wait::until(&path.display().to_string(), || path.exists().then_some(()));
}

/// Takes messages from a queue until the events of `subject` are enough.
fn take(
    official: &mut Official,
    queue: &str,
    texts: &mut Vec<String>,
    subject: &str,
    enough: impl Fn(&Log) -> bool,
) -> Log {
    let log = |new: &[String]| Log::of(subject, texts.iter().chain(new).map(|text| event(text)));
    let new = drain(official, queue, |new| enough(&log(new)));
    let log = log(&new);
    texts.extend(new);
    log
}

/// Whether a process is the agent of a node.
pub(crate) fn is_agent(pid: Pid) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0).any(|word| word == b"agent")
}
