//! An agent against a server that does what the test says.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fake;

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use agent::{AgentError, Stream};
use fake::{Connection, Node, end, end_early, line, open, open_early, open_endless, order, run};
use wire::node::{Exit, FromNode, Report, RunId, TaskOrder, ToNode};

/// An agent waits for every child of its process, so one process can have only one at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

struct Agent {
    node: Node,
    thread: Thread,
}

/// The thread that an agent runs in.
struct Thread {
    handle: Option<JoinHandle<Result<(), AgentError>>>,
    home: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl Drop for Thread {
    /// After a failure, ends the agent before the next test's turn: without its folder it goes.
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            let _ = fs::remove_dir_all(&self.home);
            let _ = handle.join();
        }
    }
}

impl Agent {
    fn begin(slots: u32) -> Self {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let node = Node::new(slots);
        let config = node.config.clone();
        let home = config.home.clone();
        let handle = Some(std::thread::spawn(move || agent::run(config)));
        Self { node, thread: Thread { handle, home, _turn: turn } }
    }

    /// An agent that has been welcomed.
    fn welcome(slots: u32) -> (Self, Connection) {
        let agent = Self::begin(slots);
        let connection = agent.node.welcome(&[]);
        (agent, connection)
    }

    /// Waits for the end.
    fn join(self) -> (Node, Result<(), AgentError>) {
        let Self { node, mut thread } = self;
        (node, thread.handle.take().unwrap().join().unwrap())
    }

    /// Ends the agent.
    fn stop(self, mut connection: Connection) -> Node {
        connection.send(&ToNode::Stop);
        let (node, result) = self.join();
        result.unwrap();
        node
    }
}

#[test]
fn a_run_has_its_environment_its_folder_and_its_output() {
    let (agent, mut connection) = Agent::welcome(1);
    let order = TaskOrder {
        env: vec![("A".to_owned(), "a b".to_owned()), ("BATCH_JOB_ID".to_owned(), "mine".to_owned())],
        ..order("pwd; env | grep -E '^(A|BATCH_.*|CARGO.*)=' | sort; echo bad >&2; cat; echo done")
    };
    connection.start_order(order, &[run(3)]);
    connection.started(run(3));
    let exited = connection.exited(run(3));
    assert_eq!(exited.exit, Exit::Code { code: 0 });
    let work = agent.node.config.home.join("work/job-0000000z");
    let expected = format!(
        "{}\nA=a b\nBATCH_COMPUTE_JOB_ID=job-0000000z\nBATCH_COMPUTE_TASK_INSTANCE_INDEX=3\n\
         BATCH_COMPUTE_TASK_NAME=task\nBATCH_JOB_ID=job-0000000z\nBATCH_TASK_INSTANCE_INDEX=3\n\
         BATCH_TASK_INSTANCE_NUM=100\nBATCH_TASK_NAME=task\ndone\n",
        work.join("task.3.1").display()
    );
    assert_eq!(exited.stdout, expected);
    assert_eq!(exited.stderr, "bad\n");
    assert_eq!(agent.node.log(3, Stream::Stdout), expected);
    assert_eq!(agent.node.log(3, Stream::Stderr), "bad\n");

    connection.start("echo 7 > result", &[run(4)]);
    connection.started(run(4));
    connection.exited(run(4));
    assert_eq!(fs::read_to_string(work.join("task.4.1/result")).unwrap(), "7\n");
    let _node = agent.stop(connection);
    let left: Vec<_> = fs::read_dir(&work).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["task.4.1"], "an empty folder is removed, another stays");
}

#[test]
fn a_run_ends_as_it_ends() {
    let (agent, mut connection) = Agent::welcome(1);
    for (index, (command, exit)) in [
        ("exit 0", Exit::Code { code: 0 }),
        ("exit 3", Exit::Code { code: 3 }),
        ("no-such-program", Exit::Code { code: 127 }),
        ("kill -9 $$", Exit::Signal { signal: 9 }),
        ("kill -40 $$", Exit::Signal { signal: 40 }),
    ]
    .into_iter()
    .enumerate()
    {
        let run = run(u32::try_from(index).unwrap());
        connection.start(command, &[run]);
        connection.started(run);
        assert_eq!(connection.exited(run).exit, exit, "{command}");
    }
    agent.stop(connection);
}

#[test]
fn a_run_that_cannot_start_says_why() {
    let (agent, mut connection) = Agent::welcome(1);
    let plain = || order("true");
    let variable = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    for (index, (order, reason)) in [
        (order(&"x".repeat(200_000)), "failed to start /bin/sh: Argument list too long (os error 7)"),
        (TaskOrder { env: variable("A", "\0"), ..plain() }, "failed to start /bin/sh: nul byte found in provided data"),
        (
            TaskOrder { task_name: "../up".to_owned(), ..plain() },
            "the task's name `../up` cannot be part of a file's name",
        ),
        (TaskOrder { task: 1, ..plain() }, "the order to start it lacked its task"),
    ]
    .into_iter()
    .enumerate()
    {
        let run = run(u32::try_from(index).unwrap());
        connection.start_order(order, &[run]);
        let exited = connection.exited(run);
        assert_eq!(exited.exit, Exit::NotStarted { reason: reason.to_owned() });
        assert_eq!(exited.run_ms, 0);
    }
    connection.start("true", &[run(9)]);
    connection.started(run(9));
    assert_eq!(connection.exited(run(9)).exit, Exit::Code { code: 0 }, "its slot is free again");
    agent.stop(connection);
}

#[test]
fn attempts_share_their_output_files() {
    let (agent, mut connection) = Agent::welcome(1);
    for (attempt, command) in [(1, "echo first"), (2, "true"), (3, "echo third")] {
        let run = RunId { attempt, ..run(0) };
        connection.start(command, &[run]);
        connection.started(run);
        let written = command.strip_prefix("echo ").map(|word| format!("{word}\n")).unwrap_or_default();
        assert_eq!(connection.exited(run).stdout, written);
    }
    assert_eq!(agent.node.log(0, Stream::Stdout), "first\nthird\n");
    agent.stop(connection);
}

#[test]
fn a_timeout_kills_the_whole_group() {
    let (agent, mut connection) = Agent::welcome(1);
    let pipe = agent.node.pipe("alive");
    // On a slow machine it may be over before the pipe is open.
    let alive = open_early(&pipe);
    let command = format!("trap '' TERM; exec 9>{}; sleep 3600 & sleep 3600", pipe.display());
    connection.start_order(TaskOrder { timeout_ms: 50, grace_ms: 50, ..order(&command) }, &[run(0)]);
    connection.started(run(0));
    let exited = connection.exited(run(0));
    assert_eq!(exited.exit, Exit::TimedOut);
    assert!(exited.run_ms >= 50, "{}", exited.run_ms);
    end_early(alive);
    agent.stop(connection);
}

#[test]
fn nothing_of_a_run_outlives_it() {
    let (agent, mut connection) = Agent::welcome(1);
    let pipe = agent.node.pipe("alive");
    connection.start(&format!("trap '' TERM HUP; exec 9>{}; sleep 3600 & exit 5", pipe.display()), &[run(0)]);
    end(open(&pipe));
    connection.started(run(0));
    assert_eq!(connection.exited(run(0)).exit, Exit::Code { code: 5 });
    agent.stop(connection);
}

#[test]
fn a_killed_run_may_say_goodbye() {
    let (agent, mut connection) = Agent::welcome(1);
    let pipe = agent.node.pipe("alive");
    let command = format!(
        "trap 'echo goodbye; exit 0' TERM; exec 9>{}; echo ready >&9; while :; do sleep 3600; done",
        pipe.display()
    );
    connection.start(&command, &[run(0), run(1)]);
    let mut alive = open(&pipe);
    assert_eq!(line(&mut alive), "ready");
    connection.started(run(0));
    connection.send(&ToNode::Kill { runs: vec![run(1), run(0), run(2)] });
    let queued = connection.exited(run(1));
    assert_eq!((queued.exit, queued.run_ms), (Exit::Killed, 0));
    end(alive);
    let exited = connection.exited(run(0));
    assert_eq!((exited.exit, exited.stdout.as_str()), (Exit::Killed, "goodbye\n"));
    agent.stop(connection);
}

#[test]
fn the_child_of_a_shell_has_its_grace_too() {
    let (agent, mut connection) = Agent::welcome(1);
    let (pipe, go) = (agent.node.pipe("alive"), agent.node.pipe("go"));
    // SIGTERM ends the outer shell at once. The inner one takes it when its own child has ended, and its time.
    let inner = format!(
        "trap \"read word < {}; echo goodbye; exit 0\" TERM; exec 9>{}; echo ready >&9; sleep 3600; exit 1",
        go.display(),
        pipe.display()
    );
    let command = format!("/bin/sh -c '{inner}'; echo never");
    connection.start(&command, &[run(0)]);
    let mut alive = open(&pipe);
    assert_eq!(line(&mut alive), "ready");
    connection.started(run(0));
    connection.send(&ToNode::Kill { runs: vec![run(0)] });
    fs::write(&go, "go\n").unwrap();
    end(alive);
    let exited = connection.exited(run(0));
    assert_eq!((exited.exit, exited.stdout.as_str()), (Exit::Killed, "goodbye\n"));

    let inner = format!("trap \"\" TERM; exec 9>{}; echo ready >&9; sleep 3600", pipe.display());
    let order = TaskOrder { grace_ms: 50, ..order(&format!("/bin/sh -c '{inner}'; echo never")) };
    connection.start_order(order, &[run(1)]);
    let mut alive = open(&pipe);
    assert_eq!(line(&mut alive), "ready");
    connection.started(run(1));
    connection.send(&ToNode::Kill { runs: vec![run(1)] });
    end(alive);
    assert_eq!(connection.exited(run(1)).exit, Exit::Killed);
    agent.stop(connection);
}

#[test]
fn what_is_only_words_needs_no_shell() {
    let (agent, mut connection) = Agent::welcome(1);
    let folder = agent.node.folder.path();
    let script = folder.join("script");
    fs::write(&script, "echo by the shell: $0 $1\n").unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let script = script.display().to_string();
    let program = |index| format!("{}/work/job-0000000z/task.{index}.1\n", agent.node.config.home.display());
    for (index, (command, stdout)) in [
        ("printenv PWD".to_owned(), program(0)),
        ("printenv PWD;".to_owned(), program(1)),
        ("cat /proc/self/comm".to_owned(), "cat\n".to_owned()),
        (format!("{script} argument"), format!("by the shell: {script} argument\n")),
    ]
    .into_iter()
    .enumerate()
    {
        let run = run(u32::try_from(index).unwrap());
        connection.start(&command, &[run]);
        connection.started(run);
        let exited = connection.exited(run);
        assert_eq!((exited.exit, exited.stdout), (Exit::Code { code: 0 }, stdout), "{command}");
    }
    agent.stop(connection);
}

#[test]
fn what_waits_can_be_revoked() {
    let (agent, mut connection) = Agent::welcome(1);
    let pipe = agent.node.pipe("go");
    connection.start(&format!("read word < {}", pipe.display()), &[run(0), run(1), run(2)]);
    connection.started(run(0));
    connection.send(&ToNode::Revoke { runs: vec![run(0), run(1)] });
    assert_eq!(connection.report(), Report::Revoked { run: run(1) });
    fs::write(&pipe, "go\n").unwrap();
    // The slot is filled before the run that held it is done with, so either report may come first.
    let next = [connection.report(), connection.report()];
    assert!(next.iter().any(|report| matches!(report, Report::Exited { run, .. } if *run == fake::run(0))));
    assert!(next.iter().any(|report| matches!(report, Report::Started { run, .. } if *run == fake::run(2))));
    fs::write(&pipe, "go\n").unwrap();
    connection.exited(run(2));
    agent.stop(connection);
}

#[test]
fn what_was_given_back_does_not_begin_because_an_order_is_repeated() {
    let (agent, mut connection) = Agent::welcome(1);
    let pipe = agent.node.pipe("go");
    let command = format!("read word < {}", pipe.display());
    connection.start(&command, &[run(0), run(1)]);
    connection.started(run(0));
    connection.send(&ToNode::Revoke { runs: vec![run(1)] });
    let (_, reports) = connection.reports();
    assert_eq!(reports, [Report::Revoked { run: run(1) }]);
    connection.leave();
    // The server has not heard of it, and orders the run once more.
    let mut connection = agent.node.welcome(&[run(0), run(1)]);
    connection.start(&command, &[run(1)]);
    fs::write(&pipe, "go\n").unwrap();
    connection.start("true", &[run(2)]);
    let ended = |report: &Report| matches!(report, Report::Exited { run, .. } if *run == fake::run(2));
    let mut reports = Vec::new();
    while !reports.iter().any(ended) {
        reports.push(connection.report());
    }
    assert!(reports.contains(&Report::Revoked { run: run(1) }), "it is told again");
    let begun = |report: &Report| matches!(report, Report::Started { run, .. } if *run == fake::run(1));
    assert!(!reports.iter().any(begun), "{reports:?}");
    agent.stop(connection);
}

#[test]
fn runs_ahead_of_the_slots_need_nobody() {
    let (agent, mut connection) = Agent::welcome(1);
    let pipe = agent.node.pipe("order");
    let runs: Vec<RunId> = (0..20).map(run).collect();
    connection.start(&format!("echo $BATCH_TASK_INSTANCE_INDEX > {}", pipe.display()), &runs);
    let mut lines = open_endless(&pipe);
    for index in 0..20 {
        // Nothing is acknowledged meanwhile.
        assert_eq!(line(&mut lines), index.to_string());
    }
    let mut running = Vec::new();
    let mut begun = 0;
    while begun < 20 || !running.is_empty() {
        match connection.report() {
            Report::Started { run, .. } => {
                assert_eq!(run, fake::run(begun));
                running.push(run);
                begun += 1;
            }
            Report::Exited { run, exit: Exit::Code { code: 0 }, .. } => {
                let position = running.iter().position(|running| *running == run).expect("it has begun");
                running.remove(position);
            }
            other => panic!("{other:?}"),
        }
    }
    agent.stop(connection);
}

#[test]
fn reports_are_repeated_until_acknowledged() {
    let (mut agent, mut connection) = Agent::welcome(1);
    connection.start("exit 4", &[run(0)]);
    let (number, first) = connection.reports();
    assert_eq!(number, 1);
    assert!(matches!(first[0], Report::Started { .. }));
    let mut all = first.clone();
    while all.len() < 2 {
        all.extend(connection.reports().1);
    }
    agent.node.move_server();
    drop(connection);

    let (mut connection, held) = agent.node.accept();
    assert_eq!(held, [], "what has ended is not held, only its report is");
    connection.welcome(&[run(0)]);
    let mut again = Vec::new();
    while again.len() < 2 {
        let (number, reports) = connection.reports();
        assert_eq!(number == 1, again.is_empty());
        again.extend(reports);
    }
    assert_eq!(again, all, "the run is believed, and not reported as lost besides");
    connection.acknowledge(2);
    connection.start("exit 5", &[run(1)]);
    assert!(matches!(connection.reports().1[0], Report::Started { run, .. } if run == fake::run(1)));
    agent.stop(connection);
}

#[test]
fn only_what_the_server_believes_in_lives_on() {
    let (agent, mut connection) = Agent::welcome(2);
    let pipes = [agent.node.pipe("alive-0"), agent.node.pipe("alive-1")];
    let folder = agent.node.folder.path().display().to_string();
    let command = format!("trap '' TERM; exec 9>{folder}/alive-$BATCH_TASK_INSTANCE_INDEX; sleep 3600");
    connection.start(&command, &[run(0), run(1), run(2)]);
    let alive = pipes.each_ref().map(open);
    let started = [connection.report().run(), connection.report().run()];
    assert!(started.contains(&run(0)) && started.contains(&run(1)));
    connection.leave();

    let (mut connection, held) = agent.node.accept();
    assert_eq!(held, [run(0), run(1), run(2)]);
    connection.welcome(&[run(0), run(8)]);
    let [alive_0, alive_1] = alive;
    end(alive_1);
    let lost = Exit::NotStarted { reason: "lost by the agent".to_owned() };
    assert_eq!(connection.exited(run(8)).exit, lost);
    connection.leave();

    let (mut connection, held) = agent.node.accept();
    assert_eq!(held, [run(0)]);
    connection.welcome(&[run(0)]);
    connection.start("true", &[run(3)]);
    connection.started(run(3));
    connection.exited(run(3));
    agent.stop(connection);
    end(alive_0);
}

#[test]
fn beats_come_without_being_asked() {
    let (agent, mut connection) = Agent::welcome(1);
    for _ in 0..3 {
        assert_eq!(connection.receive(), FromNode::Beat);
    }
    agent.stop(connection);
}

#[test]
fn a_refused_agent_ends_with_its_runs() {
    let (agent, mut connection) = Agent::welcome(1);
    let pipe = agent.node.pipe("alive");
    connection.start(&format!("trap '' TERM; exec 9>{}; sleep 3600", pipe.display()), &[run(0)]);
    let alive = open(&pipe);
    drop(connection);
    let (mut connection, _) = agent.node.accept();
    connection.send(&ToNode::Refused { reason: "unknown node".to_owned() });
    end(alive);
    assert!(matches!(agent.join().1, Err(AgentError::Refused { reason }) if reason == "unknown node"));
}

#[test]
fn an_agent_without_its_folder_ends_with_its_runs() {
    let (agent, mut connection) = Agent::welcome(1);
    let pipe = agent.node.pipe("alive");
    connection.start(&format!("trap '' TERM; exec 9>{}; sleep 3600", pipe.display()), &[run(0)]);
    let alive = open(&pipe);
    fs::remove_dir_all(&agent.node.config.home).unwrap();
    end(alive);
    let (node, result) = agent.join();
    assert!(matches!(result, Err(AgentError::HomeGone { home }) if home == node.config.home));
    assert!(!node.config.home.exists());
}

#[test]
fn a_server_that_talks_nonsense_is_left_and_tried_again() {
    let agent = Agent::begin(1);
    let (mut connection, _) = agent.node.accept();
    connection.send(&ToNode::Ack { number: 1 });
    let (mut connection, _) = agent.node.accept();
    connection.send(&ToNode::Welcome { version: 99, beat_ms: 1_000, sample_ms: 1_000, believed: vec![] });
    let mut connection = agent.node.welcome(&[]);
    connection.welcome(&[]);
    let connection = agent.node.welcome(&[]);
    agent.stop(connection);
}
