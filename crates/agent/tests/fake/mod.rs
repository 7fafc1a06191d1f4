//! A server that does what a test says, and the folder of a node that belongs to it.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

use agent::{AgentConfig, NodeLimits, Stream, log_file};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kernel::id::{JobId, NodeId};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::stat::Mode;
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};
use wire::node::{Exit, FromNode, Report, RunId, TaskOrder, ToNode, VERSION, decode, encode};

/// How long a test waits for what must come. Only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A node's folder and the address that its agent looks for.
pub(crate) struct Node {
    pub(crate) folder: TempDir,
    pub(crate) config: AgentConfig,
    listener: TcpListener,
}

impl Node {
    pub(crate) fn new(slots: u32) -> Self {
        Self::with_limits(slots, None)
    }

    /// A node whose runs have limits.
    pub(crate) fn with_limits(slots: u32, limits: Option<NodeLimits>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("node");
        fs::create_dir(&home).unwrap();
        let config = AgentConfig {
            endpoint_file: folder.path().join("endpoint"),
            node: NodeId::from_number(7).unwrap(),
            token: "s3cret".to_owned(),
            slots,
            logs: folder.path().join("logs"),
            limits,
            user: None,
            home,
        };
        config.save().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let node = Self { folder, config, listener };
        node.write_endpoint();
        node
    }

    /// The server's address changes, as at a restart. Connections stay as they are.
    pub(crate) fn move_server(&mut self) {
        self.listener = TcpListener::bind("127.0.0.1:0").unwrap();
        self.write_endpoint();
    }

    fn write_endpoint(&self) {
        let address = self.listener.local_addr().unwrap();
        fs::write(&self.config.endpoint_file, format!("http://{address}\n")).unwrap();
    }

    /// Waits for the agent to connect and say Hello. The answer includes what it says it holds.
    pub(crate) fn accept(&self) -> (Connection, Vec<RunId>) {
        let (stream, _) = self.listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let socket = tungstenite::accept(stream).unwrap();
        let mut connection = Connection { socket, reports: VecDeque::new() };
        let FromNode::Hello { version, node, token, cpu, mem_mb, addresses, held, .. } = connection.receive() else {
            panic!("no Hello");
        };
        assert_eq!((version, node, token.as_str()), (VERSION, self.config.node, "s3cret"));
        assert!(cpu > 0 && mem_mb > 0);
        assert_eq!(addresses, ["127.0.0.1"]);
        (connection, held)
    }

    /// The same, with a Welcome that believes in these runs.
    pub(crate) fn welcome(&self, believed: &[RunId]) -> Connection {
        let (mut connection, _) = self.accept();
        connection.welcome(believed);
        connection
    }

    /// A pipe with a name. A process that has it open for writing and every child that inherits it keep it from
    /// ending, so its end is the fact that all of them are dead.
    pub(crate) fn pipe(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        nix::unistd::mkfifo(&path, Mode::S_IRWXU).unwrap();
        path
    }

    pub(crate) fn log(&self, index: u32, stream: Stream) -> String {
        fs::read_to_string(log_file(&self.config.logs, job(), "task", index, stream)).unwrap()
    }
}

/// Opens the pipe such that it does not end, whoever has it open or not.
pub(crate) fn open_endless(pipe: &PathBuf) -> File {
    File::options().read(true).write(true).open(pipe).unwrap()
}

/// Opens the pipe whether or not someone has it open for writing, for [`end_early`].
pub(crate) fn open_early(pipe: &PathBuf) -> File {
    File::options().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(pipe).unwrap()
}

/// Waits until nobody has the pipe open any more, if anybody ever had.
pub(crate) fn end_early(pipe: File) {
    fcntl(&pipe, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
    end(pipe);
}

/// Waits until someone has the pipe open for writing.
pub(crate) fn open(pipe: &PathBuf) -> File {
    File::open(pipe).unwrap()
}

/// Waits for a line.
pub(crate) fn line(pipe: &mut File) -> String {
    let mut line = String::new();
    let mut byte = [0];
    while pipe.read(&mut byte).unwrap() == 1 && byte != *b"\n" {
        line.push(byte[0].into());
    }
    line
}

/// Waits until nobody has the pipe open any more.
pub(crate) fn end(mut pipe: File) {
    let mut rest = String::new();
    pipe.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

/// The server's end of a connection.
pub(crate) struct Connection {
    socket: WebSocket<TcpStream>,
    reports: VecDeque<Report>,
}

impl Connection {
    pub(crate) fn send(&mut self, frame: &ToNode) {
        self.socket.send(Message::text(encode(frame).unwrap())).unwrap();
    }

    pub(crate) fn welcome(&mut self, believed: &[RunId]) {
        self.send(&ToNode::Welcome { version: VERSION, beat_ms: 20, sample_ms: 50, believed: believed.to_vec() });
    }

    /// The next frame.
    pub(crate) fn receive(&mut self) -> FromNode {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => return decode(&text).unwrap(),
                Ok(_) => {}
                // A read with a time limit does not go on by itself after the process was stopped for a moment.
                Err(tungstenite::Error::Io(error)) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// The next frame of reports, not acknowledged.
    pub(crate) fn reports(&mut self) -> (u64, Vec<Report>) {
        loop {
            match self.receive() {
                FromNode::Reports { number, reports } => return (number, reports),
                FromNode::Beat | FromNode::Samples { .. } => {}
                FromNode::Hello { .. } => panic!("a second Hello"),
            }
        }
    }

    /// Loses the connection, after the agent has read all that was sent.
    pub(crate) fn leave(mut self) {
        self.socket.send(Message::Ping("last".into())).unwrap();
        while self.socket.read().unwrap() != Message::Pong("last".into()) {}
    }

    pub(crate) fn acknowledge(&mut self, number: u64) {
        self.send(&ToNode::Ack { number });
    }

    /// The next report; frames are acknowledged as they come.
    pub(crate) fn report(&mut self) -> Report {
        while self.reports.is_empty() {
            let (number, reports) = self.reports();
            self.acknowledge(number);
            self.reports = reports.into();
        }
        self.reports.pop_front().unwrap()
    }

    /// Expects the start of this run.
    pub(crate) fn started(&mut self, expected: RunId) {
        match self.report() {
            Report::Started { run, at } if run == expected => assert!(at > 1_700_000_000_000),
            other => panic!("{other:?}"),
        }
    }

    /// Expects the end of this run.
    pub(crate) fn exited(&mut self, expected: RunId) -> Exited {
        match self.report() {
            Report::Exited { run, exit, run_ms, stdout, stderr, .. } if run == expected => {
                Exited { exit, run_ms, stdout: text(&stdout), stderr: text(&stderr) }
            }
            other => panic!("{other:?}"),
        }
    }

    /// Gives runs of one task with this command.
    pub(crate) fn start(&mut self, command: &str, runs: &[RunId]) {
        self.start_order(order(command), runs);
    }

    pub(crate) fn start_order(&mut self, order: TaskOrder, runs: &[RunId]) {
        self.send(&ToNode::Start { tasks: vec![order], runs: runs.to_vec() });
    }
}

/// How a run ended, with its outputs as text.
#[derive(Debug)]
pub(crate) struct Exited {
    pub(crate) exit: Exit,
    pub(crate) run_ms: u64,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

fn text(base64: &str) -> String {
    String::from_utf8(BASE64_STANDARD.decode(base64).unwrap()).unwrap()
}

pub(crate) fn job() -> JobId {
    JobId::from_number(35).unwrap()
}

pub(crate) fn run(index: u32) -> RunId {
    RunId { job: job(), task: 0, index, attempt: 1 }
}

/// An order that leaves time enough, for whoever uses it up and after that.
pub(crate) fn order(command: &str) -> TaskOrder {
    TaskOrder {
        job: job(),
        task: 0,
        task_name: "task".to_owned(),
        instance_num: 100,
        command: command.to_owned(),
        env: Vec::new(),
        setup: None,
        timeout_ms: 3_600_000,
        grace_ms: 3_600_000,
    }
}
