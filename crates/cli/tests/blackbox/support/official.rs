//! The official Python clients, in a process of their own that answers one call at a time.

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::server::{SECRET_ID, SECRET_KEY};

/// How API 3.0 requests are signed and sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Api3 {
    pub(crate) sign: &'static str,
    pub(crate) method: &'static str,
}

/// The clients' default.
pub(crate) const TC3_POST: Api3 = Api3 { sign: "TC3-HMAC-SHA256", method: "POST" };

/// How CMQ v2 requests are signed and sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct V2 {
    pub(crate) sign: &'static str,
    pub(crate) method: &'static str,
}

/// The client's default.
pub(crate) const SHA1_POST: V2 = V2 { sign: "sha1", method: "POST" };

/// What a client raised: the code and message of the server's error reply, or the client's own.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

/// A reply, or what the client raised.
pub(crate) type Answer = Result<Value, Refusal>;

/// A running Python with the clients in it. Its working folder is the test's, where the CMQ client leaves its log.
pub(crate) struct Official {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    address: String,
    /// How often it has been turned to another server, which may be at the address of an earlier one.
    turn: u64,
    key: &'static str,
}

impl Official {
    /// Starts Python in `folder`, for the server at `address`.
    pub(crate) fn start(folder: &Path, address: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/session.py");
        let mut python = Command::new(python());
        python.arg(script).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = alone(&mut python, folder).spawn().expect("Python runs");
        let requests = process.stdin.take().expect("stdin was asked to be piped");
        let answers = BufReader::new(process.stdout.take().expect("stdout was asked to be piped"));
        Self { process, requests, answers, address: address.to_owned(), turn: 0, key: SECRET_KEY }
    }

    /// Turns to the server at another address, as after a restart.
    pub(crate) fn turn_to(&mut self, address: &str) {
        address.clone_into(&mut self.address);
        self.turn += 1;
    }

    /// Signs with another secret from now on.
    pub(crate) fn sign_with(&mut self, key: &'static str) {
        self.key = key;
    }

    /// An action of `batch`, sent in the clients' default way.
    pub(crate) fn batch(&mut self, action: &str, params: Value) -> Answer {
        self.api(TC3_POST, "batch", action, params)
    }

    /// An action of `tdmq`, sent in the clients' default way.
    pub(crate) fn tdmq(&mut self, action: &str, params: Value) -> Answer {
        self.api(TC3_POST, "tdmq", action, params)
    }

    /// An action of API 3.0 through the typed models, which drop what they do not know.
    pub(crate) fn api(&mut self, how: Api3, service: &str, action: &str, params: Value) -> Answer {
        let (sign, method) = (how.sign, how.method);
        self.ask(json!({"kind": "api", "service": service, "action": action, "params": params, "typed": true,
            "sign": sign, "method": method}))
    }

    /// An action of `batch` with the parameters just as they are, known or not.
    pub(crate) fn batch_as_is(&mut self, action: &str, params: Value) -> Answer {
        self.ask(json!({"kind": "api", "service": "batch", "action": action, "params": params, "typed": false,
            "sign": TC3_POST.sign, "method": TC3_POST.method}))
    }

    /// A signed POST to `batch` with this body, made longer by `padding` spaces, its clock off by `clock` seconds.
    /// The answer holds `status`, `type` and `body` of the reply.
    pub(crate) fn raw(&mut self, action: &str, body: &str, padding: usize, clock: i64) -> Value {
        let answer = self.ask(json!({"kind": "raw", "service": "batch", "action": action, "version": "2017-03-12",
            "body": body, "padding": padding, "clock": clock}));
        answer.expect("a raw request gets a reply")
    }

    /// A call of the CMQ client, sent in its default way; `call` is a key of `CALLS` in session.py.
    pub(crate) fn cmq(&mut self, call: &str, arguments: Value) -> Answer {
        self.cmq_as(SHA1_POST, call, arguments)
    }

    /// A call of the CMQ client.
    pub(crate) fn cmq_as(&mut self, how: V2, call: &str, arguments: Value) -> Answer {
        let (sign, method) = (how.sign, how.method);
        self.ask(json!({"kind": "cmq", "call": call, "arguments": arguments, "sign": sign, "method": method}))
    }

    fn ask(&mut self, mut request: Value) -> Answer {
        request["endpoint"] = json!(self.address);
        request["turn"] = json!(self.turn);
        request["id"] = json!(SECRET_ID);
        request["key"] = json!(self.key);
        writeln!(self.requests, "{request}").expect("the clients' process takes requests");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the clients' process answers");
        let mut answer: Value = serde_json::from_str(&line).expect("the clients' process answers in JSON");
        match answer.get("error") {
            None => Ok(answer["reply"].take()),
            Some(error) => Err(Refusal {
                code: error["code"].as_str().unwrap_or_default().to_owned(),
                message: error["message"].as_str().unwrap_or_default().to_owned(),
            }),
        }
    }
}

impl Drop for Official {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The Python that has the clients.
pub(crate) fn python() -> PathBuf {
    let told = std::env::var_os("HERALD_TEST_PYTHON").map(PathBuf::from);
    let usual = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/clients-venv/bin/python");
    let python = told.unwrap_or_else(usual);
    assert!(python.exists(), "the official clients are not installed; `cargo xtask clients` installs them");
    python
}

/// Keeps the user's own settings and proxies away from a program that a test runs.
pub(crate) fn alone<'a>(command: &'a mut Command, folder: &Path) -> &'a mut Command {
    for proxy in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env_remove(proxy);
    }
    command.env("HOME", folder).env("NO_PROXY", "*").env("no_proxy", "*")
}
