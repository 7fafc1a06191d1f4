//! An agent as a process of its own: what becomes of its runs when it is ended from outside.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "the tests of the node use the rest")]
mod fake;

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};

use agent::{AgentConfig, NodeLimits, kill_leftovers, leftovers};
use fake::{Connection, Node, end, line, open, run};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use wire::node::{Exit, ToNode};

const HOME: &str = "AGENT_TEST_HOME";

/// The body of an agent's process.
#[test]
#[ignore = "the other tests start it as a process of its own"]
fn agent_process() {
    let home = std::env::var_os(HOME).expect("given by the test that starts this");
    agent::run(AgentConfig::load(home.as_ref()).unwrap()).unwrap();
}

/// Starts an agent; with a session of its own, as a provider does it, or without.
fn begin(node: &Node, own_session: bool) -> Child {
    let me = std::env::current_exe().unwrap();
    let mut command = if own_session {
        let mut command = Command::new("/usr/bin/setsid");
        command.arg(me);
        command
    } else {
        Command::new(me)
    };
    command.args(["agent_process", "--exact", "--ignored", "--test-threads=1"]).env(HOME, &node.config.home);
    command.stdout(std::process::Stdio::null()).spawn().unwrap()
}

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
}

/// An agent with one run, of two processes, that holds the pipe `alive`.
fn begin_with_run(node: &Node, own_session: bool) -> (Child, Connection, std::fs::File) {
    let pipe = node.pipe("alive");
    let agent = begin(node, own_session);
    let mut connection = node.welcome(&[]);
    connection.start(&format!("exec 9>{}; echo ready >&9; sleep 3600 & wait", pipe.display()), &[run(0)]);
    let mut alive = open(&pipe);
    assert_eq!(line(&mut alive), "ready");
    connection.started(run(0));
    (agent, connection, alive)
}

#[test]
fn what_a_dead_agent_leaves_is_killed() {
    for own_session in [true, false] {
        let node = Node::new(1);
        let (mut agent, _connection, alive) = begin_with_run(&node, own_session);
        let home = &node.config.home;
        assert_eq!(kill_leftovers(home).unwrap_err().kind(), io::ErrorKind::ResourceBusy, "it lives");

        signal(&agent, Signal::SIGKILL);
        assert_eq!(agent.wait().unwrap().signal(), Some(9));
        let found = leftovers(home).unwrap();
        assert_eq!(found.len(), 1);
        assert!(found[0].processes >= 1);
        assert_eq!(kill_leftovers(home).unwrap(), 1);
        end(alive);
        assert_eq!(leftovers(home).unwrap(), []);
        assert_eq!(kill_leftovers(home).unwrap(), 0);
    }
}

#[test]
fn a_leader_that_is_gone_does_not_hide_its_group() {
    let node = Node::new(1);
    let pipe = node.pipe("alive");
    let mut agent = begin(&node, true);
    let mut connection = node.welcome(&[]);
    let command = format!("exec 9>{}; trap 'exit 0' USR1; sleep 3600 & echo $$ >&9; wait", pipe.display());
    connection.start(&command, &[run(0)]);
    let mut alive = open(&pipe);
    let leader = Pid::from_raw(line(&mut alive).parse().unwrap());
    connection.started(run(0));
    signal(&agent, Signal::SIGKILL);
    agent.wait().unwrap();
    kill(leader, Signal::SIGUSR1).unwrap();
    assert_eq!(kill_leftovers(&node.config.home).unwrap(), 1);
    end(alive);
}

#[test]
fn what_left_its_session_and_its_environment_dies_with_a_dead_agent() {
    let limits = NodeLimits { cpu: 1, mem_mb: 256, pids: 64 };
    for limits in [None, Some(limits)] {
        let node = Node::with_limits(1, limits);
        let pipe = node.pipe("alive");
        let mut agent = begin(&node, true);
        let mut connection = node.welcome(&[]);
        let stray = |word| format!("(setsid env -i sh -c 'echo {word} >&9; sleep 3600' &)");
        connection.start(&format!("exec 9>{}; {}; exit 0", pipe.display(), stray("first")), &[run(0)]);
        // The first run's stray may have died with it before it could say anything; the second one's lives.
        let mut alive = open(&pipe);
        connection.started(run(0));
        connection.exited(run(0));
        connection.start(&format!("exec 9>{}; {}; sleep 3600", pipe.display(), stray("second")), &[run(1)]);
        connection.started(run(1));
        while line(&mut alive) != "second" {}
        signal(&agent, Signal::SIGKILL);
        agent.wait().unwrap();
        assert!(kill_leftovers(&node.config.home).unwrap() >= 2, "the run's group, and what left it");
        end(alive);
        let journal = std::fs::read_to_string(node.config.home.join("runs.log")).unwrap();
        let groups: Vec<&str> = journal.lines().filter_map(|line| line.strip_prefix("group ")).collect();
        assert!(!groups.is_empty() && groups.iter().all(|group| !std::path::Path::new(group).exists()), "{groups:?}");
    }
}

#[test]
fn a_new_agent_ends_what_the_old_one_left() {
    let node = Node::new(1);
    let (mut agent, _connection, alive) = begin_with_run(&node, true);
    signal(&agent, Signal::SIGKILL);
    agent.wait().unwrap();
    let mut agent = begin(&node, true);
    let (mut connection, held) = node.accept();
    end(alive);
    assert_eq!(held, []);
    connection.welcome(&[run(0)]);
    assert_eq!(connection.exited(run(0)).exit, Exit::NotStarted { reason: "lost by the agent".to_owned() });
    connection.send(&ToNode::Stop);
    assert!(agent.wait().unwrap().success());
}

#[test]
fn a_terminated_agent_ends_its_runs_and_reports_that() {
    let node = Node::new(1);
    let (mut agent, mut connection, alive) = begin_with_run(&node, false);
    connection.start("true", &[run(1), run(2)]);
    connection.send(&ToNode::Kill { runs: vec![run(2)] });
    connection.exited(run(2));
    signal(&agent, Signal::SIGTERM);
    end(alive);
    for index in [1, 0] {
        assert_eq!(connection.exited(run(index)).exit, Exit::Killed, "what waits ends before what runs");
    }
    assert!(agent.wait().unwrap().success());
}

#[test]
fn a_terminal_that_goes_away_changes_nothing() {
    let node = Node::new(1);
    let mut agent = begin(&node, false);
    let mut connection = node.welcome(&[]);
    for (index, sent) in [(0, Signal::SIGHUP), (1, Signal::SIGINT)] {
        signal(&agent, sent);
        connection.start("kill -HUP $$", &[run(index)]);
        connection.started(run(index));
        assert_eq!(connection.exited(run(index)).exit, Exit::Signal { signal: 1 }, "a run does not inherit that");
    }
    connection.send(&ToNode::Stop);
    assert!(agent.wait().unwrap().success());
}
