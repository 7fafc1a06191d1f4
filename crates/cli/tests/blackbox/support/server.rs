//! A server of a test's own: the built binary, with its data in a temporary folder.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use super::official::{self, Official};
use super::{processes, wait};

/// The key pair that every test server is started with.
pub(crate) const SECRET_ID: &str = "AKIDtest0000000000000000000000000000";
/// The key's secret half.
pub(crate) const SECRET_KEY: &str = "testtesttesttesttesttesttesttest";

/// The configuration's file in a test's folder.
const CONFIG: &str = "herald.toml";

/// A running `herald serve`. Dropping it ends the server, its nodes and their instances; if the test is failing, it
/// prints the server's log first.
pub(crate) struct Server {
    folder: TempDir,
    process: Child,
    /// What it prints after its one line, read by a thread; it must stay empty.
    more_output: mpsc::Receiver<String>,
    /// `http`, or `https` where it speaks TLS.
    scheme: &'static str,
    address: String,
}

impl Server {
    /// Starts a server with no data yet, and returns when it takes requests.
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// Starts a server with this configuration, in TOML.
    pub(crate) fn start_with(config: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("herald-test-").tempdir().expect("a temporary folder");
        // Instances may be another user's, who has to get through to theirs.
        fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o711)).expect("it is the test's own");
        fs::write(folder.path().join(CONFIG), config).expect("the configuration is written");
        let (process, (scheme, address), more_output) = launch(folder.path());
        Self { folder, process, more_output, scheme, address }
    }

    /// `ADDR:PORT` of its listener.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// `http://ADDR:PORT`, or `https://ADDR:PORT`.
    pub(crate) fn endpoint(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// The server's process.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.process.id()).expect("a process id is an i32"))
    }

    /// The test's temporary folder; the server's data is in its folder `data`.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends the server's process, and only that, as a power cut would.
    pub(crate) fn kill9(&mut self) {
        self.process.kill().expect("a child can be killed");
        self.process.wait().expect("a child can be waited for");
    }

    /// Waits until the server has ended by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        wait::until("the server to end", || self.process.try_wait().expect("a child can be waited for"))
    }

    /// Asks the server to stop, and waits until it has.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        kill(self.pid(), Signal::SIGTERM).expect("a child can be signalled");
        self.process.wait().expect("a child can be waited for")
    }

    /// Starts the server again on the same data, on another port.
    pub(crate) fn restart(&mut self) {
        (self.process, (self.scheme, self.address), self.more_output) = launch(self.folder.path());
    }

    /// A process with the official Python clients, for this server.
    pub(crate) fn official(&self) -> Official {
        Official::start(self.folder(), self.address())
    }

    /// Runs `tccli ARGS` against this server and returns what it printed; it must succeed.
    pub(crate) fn tccli(&self, args: &[&str]) -> Value {
        self.tccli_or_refusal(args).unwrap_or_else(|(code, message)| panic!("tccli {args:?}: {code}: {message}"))
    }

    /// Runs `tccli ARGS` against this server: what it printed, or the code and message that the server refused it with.
    pub(crate) fn tccli_or_refusal(&self, args: &[&str]) -> Result<Value, (String, String)> {
        let output = self.try_tccli(args);
        let told = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            let refusal = told.split_once(" code:").and_then(|(_, told)| told.split_once(" message:"));
            let refusal = refusal.and_then(|(code, told)| Some((code, told.rsplit_once(" requestId:")?.0)));
            let (code, message) =
                refusal.unwrap_or_else(|| panic!("tccli {args:?} ended with {}: {told}", output.status));
            assert_eq!(output.status.code(), Some(255), "{told}");
            return Err((code.to_owned(), message.to_owned()));
        }
        let printed = String::from_utf8_lossy(&output.stdout);
        // While it waits for a state, it says so in lines of its own before the reply.
        let reply = printed.find('{').map_or("", |start| &printed[start..]);
        Ok(serde_json::from_str(reply)
            .unwrap_or_else(|error| panic!("tccli {args:?} printed no JSON ({error}): {printed}")))
    }

    /// Runs `tccli ARGS` against this server.
    pub(crate) fn try_tccli(&self, args: &[&str]) -> Output {
        let mut tccli = Command::new(official::python().with_file_name("tccli"));
        tccli.args(args).args(["--endpoint", &self.endpoint(), "--region", "ap-guangzhou"]);
        tccli.args(["--secretId", SECRET_ID, "--secretKey", SECRET_KEY]);
        tccli.current_dir(self.folder()).stdin(Stdio::null());
        official::alone(&mut tccli, self.folder()).output().expect("tccli runs")
    }

    /// Runs `herald ARGS` as a client of this server.
    pub(crate) fn herald(&self, args: &[&str]) -> Output {
        let mut herald = herald(self.folder());
        herald.args(args).env("HERALD_ENDPOINT", self.endpoint()).stdin(Stdio::null());
        herald.output().expect("herald runs")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            print_log(&self.folder.path().join("server.log"));
            processes::end_all_under(self.folder.path());
            return;
        }
        processes::end_all_under(self.folder.path());
        let more: Vec<String> = self.more_output.iter().collect();
        assert!(more.is_empty(), "the server printed more than its one line: {more:?}");
    }
}

/// `herald` with the test's key pair, in the test's folder, with nothing of the user's around it.
pub(crate) fn herald(folder: &Path) -> Command {
    let mut herald = Command::new(binary());
    herald.current_dir(folder).env("HERALD_SECRET_ID", SECRET_ID).env("HERALD_SECRET_KEY", SECRET_KEY);
    official::alone(&mut herald, folder);
    herald
}

/// The binary under test.
pub(crate) fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_herald"))
}

/// Starts `herald serve` on `folder`'s data and waits for its line on standard output.
fn launch(folder: &Path) -> (Child, (&'static str, String), mpsc::Receiver<String>) {
    let log = OpenOptions::new().create(true).append(true).open(folder.join("server.log")).expect("a log file");
    let mut serve = herald(folder);
    serve.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.join("data"));
    serve.arg("--config").arg(folder.join(CONFIG));
    serve.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    let mut process = serve.spawn().expect("herald serve runs");
    let lines = read_lines(process.stdout.take().expect("stdout was asked to be piped"));
    let line = lines.recv_timeout(wait::DEADLINE).unwrap_or_else(|_| {
        let _ = process.kill();
        print_log(&folder.join("server.log"));
        panic!("the server ended, or took too long, before it said where it listens");
    });
    let place = line.trim_end().strip_prefix("listening on ").and_then(|place| place.split_once("://"));
    let (scheme, address) = place.unwrap_or_else(|| panic!("the server's first line is {line:?}"));
    let scheme = if scheme == "https" { "https" } else { "http" };
    (process, (scheme, address.to_owned()), lines)
}

/// Reads lines in a thread, so that a server that prints nothing can be given up.
fn read_lines(output: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Shows what the server said, for whoever reads the failure.
#[expect(clippy::print_stderr, reason = "the test runner shows what a failed test printed")]
fn print_log(file: &Path) {
    let log = fs::read(file).unwrap_or_default();
    let tail = &log[log.len().saturating_sub(20_000)..];
    eprintln!("--- {} ---\n{}\n---", file.display(), String::from_utf8_lossy(tail));
}
