//! Every verb of `herald` that asks a server, as a user types it: what it prints, what it tells, how it ends.
//!
//! Data are on standard output and talk is on standard error, so a verb that only does something prints nothing;
//! with `--json` every verb prints one JSON document.

mod callbacks;
mod delivery;
mod environment;
mod job;
mod message;
mod replay;
mod wrong;

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::server::{Server, herald};

/// What a run of `herald` ended with, and what it said.
struct Said {
    line: String,
    status: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    /// Runs the command to its end, with this on standard input, while nobody reads what it prints.
    fn unread(mut herald: Command, args: &[&str], input: &str) -> Self {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        herald.args(args).stdin(Stdio::piped()).stdout(writer).stderr(Stdio::piped());
        Self::ended(herald, args, input)
    }

    /// Runs the command to its end, with this on standard input.
    fn of(mut herald: Command, args: &[&str], input: &str) -> Self {
        herald.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self::ended(herald, args, input)
    }

    fn ended(mut herald: Command, args: &[&str], input: &str) -> Self {
        let mut process = herald.spawn().expect("herald runs");
        let mut stdin = process.stdin.take().expect("stdin was asked to be piped");
        // A verb that reads nothing may have ended by now.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let output = process.wait_with_output().expect("herald ends");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("herald prints UTF-8");
        let (out, err) = (text(output.stdout), text(output.stderr));
        Self { line: args.join(" "), status: output.status.code(), out, err }
    }

    /// Everything, for whoever reads a failure.
    fn all(&self) -> String {
        format!("herald {}\nended with {:?}\n{}\n{}", self.line, self.status, self.out, self.err)
    }

    /// What it printed, since it succeeded.
    fn printed(&self) -> &str {
        assert_eq!(self.status, Some(0), "{}", self.all());
        &self.out
    }

    /// The one line that it printed.
    fn one_line(&self) -> String {
        let line = self.printed().strip_suffix('\n').unwrap_or_default();
        assert!(!line.is_empty() && !line.contains('\n'), "one line: {}", self.all());
        line.to_owned()
    }

    /// The JSON document that it printed.
    fn json(&self) -> Value {
        serde_json::from_str(self.printed()).unwrap_or_else(|error| panic!("{error}: {}", self.all()))
    }

    /// Asserts that it succeeded, printed nothing, and told this.
    fn assert_told(&self, what: &str) {
        assert_eq!(self.printed(), "", "{}", self.all());
        assert!(self.err.contains(what), "{what}: {}", self.all());
    }

    /// Asserts that it succeeded, and printed each of these.
    fn assert_printed(&self, what: &[&str]) {
        for what in what {
            assert!(self.printed().contains(what), "{what}: {}", self.all());
        }
    }

    /// Asserts that it failed with this status, printed nothing, and told each of these.
    fn assert_failed(&self, status: i32, what: &[&str]) {
        assert_eq!((self.status, self.out.as_str()), (Some(status), ""), "{}", self.all());
        for what in what {
            assert!(self.err.contains(what), "{what}: {}", self.all());
        }
    }
}

/// A server's client: a line with its words apart by single blanks is run as `herald LINE`.
trait Client {
    fn says(&self, line: &str) -> Said {
        self.says_of(line, "")
    }

    /// With this on standard input.
    fn says_of(&self, line: &str, input: &str) -> Said;

    /// With this on standard input, and nobody who reads what it prints.
    fn says_unread(&self, line: &str, input: &str) -> Said;
}

impl Client for Server {
    fn says_of(&self, line: &str, input: &str) -> Said {
        Said::of(client(self), &line.split(' ').collect::<Vec<_>>(), input)
    }

    fn says_unread(&self, line: &str, input: &str) -> Said {
        Said::unread(client(self), &line.split(' ').collect::<Vec<_>>(), input)
    }
}

fn client(server: &Server) -> Command {
    let mut herald = herald(server.folder());
    herald.env("HERALD_ENDPOINT", server.endpoint());
    herald
}

/// An environment's file, of so many nodes.
fn environment_file(nodes: u64) -> String {
    format!(
        "{{\"env_name\": \"by-hand\", // as the event page writes\n \"desired_compute_node_count\": {nodes},\n \
         \"env_data\": {{\"instance_type\": \"S5.SMALL1\"}},}}"
    )
}

/// Makes an environment of so many nodes, and returns its id.
fn new_environment(server: &Server, nodes: u64) -> String {
    server.says_of("env create -", &environment_file(nodes)).one_line()
}
