//! A server's system calls, followed or made to fail.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::server::Server;

/// A `strace` at a server's process.
pub(crate) struct Strace {
    process: Child,
    output: PathBuf,
}

impl Strace {
    /// Attaches to all threads of a server; returns once they are followed.
    pub(crate) fn attach(server: &Server, options: &[&str]) -> Self {
        let output = server.folder().join("trace");
        let mut strace = Command::new("strace");
        strace.arg("-f").args(options).arg("-o").arg(&output).args(["-p", &server.pid().to_string()]);
        strace.stdin(Stdio::null()).stderr(Stdio::piped());
        let mut process = strace.spawn().expect("strace runs; install it (Debian: apt-get install strace)");
        let mut told = BufReader::new(process.stderr.take().expect("stderr was asked to be piped"));
        let mut line = String::new();
        told.read_line(&mut line).expect("strace says what it does");
        assert!(line.contains("attached"), "strace follows the server: {line}");
        // It goes on to tell of each new thread, and would end where nobody could hear it.
        process.stderr = Some(told.into_inner());
        Self { process, output }
    }

    /// Lets the server go, if it still lives, and returns what was seen.
    pub(crate) fn stop(mut self) -> String {
        let pid = Pid::from_raw(i32::try_from(self.process.id()).expect("a process id is an i32"));
        // It has ended by itself where the server has, and is not waited for yet.
        kill(pid, Signal::SIGINT).expect("a child can be signalled");
        self.process.wait().expect("a child can be waited for");
        String::from_utf8_lossy(&fs::read(&self.output).expect("strace has written it")).into_owned()
    }
}
