//! A machine that joins a server.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::server::{Server, herald};

/// A machine beside the server's: `herald agent --join` with a folder of its own.
pub(crate) struct Machine {
    pub(crate) id: String,
    process: Child,
}

impl Machine {
    /// Starts it, and returns when it has joined.
    pub(crate) fn start(server: &Server, token: Option<&str>) -> Self {
        let log = OpenOptions::new().create(true).append(true).open(server.folder().join("machine.log"));
        let mut process = command(server, "machine", token).stderr(log.expect("a log")).spawn().expect("it starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("stdout was asked to be piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let id = line.trim_end().strip_prefix("joined as ").unwrap_or_else(|| panic!("{line:?}")).to_owned();
        Self { id, process }
    }

    /// Sends it a signal and waits for its end.
    pub(crate) fn signal(&mut self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.process.id()).expect("a process id is an i32")), signal)
            .expect("it lives");
        self.process.wait().expect("it can be waited for");
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The command that joins this server, with a folder of its own below the server's.
pub(crate) fn command(server: &Server, home: &str, token: Option<&str>) -> Command {
    let mut agent = herald(server.folder());
    agent.args(["agent", "--slots", "2", "--join", &server.endpoint(), "--home"]).arg(server.folder().join(home));
    agent.args(token.map(|token| format!("--token={token}")));
    agent.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    agent
}
