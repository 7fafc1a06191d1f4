//! The container that a command runs in: logging in, pulling, the command line of `docker run`.
//!
//! `docker` and `podman` take the same words for all that is done here. A password goes to standard input and ends up
//! in a file of the step's own; the values of variables go through a file too: a command line can be read by anyone on
//! the machine.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use wire::node::Exit;
use wire::setup::Container;

use super::StepOrder;
use super::failure::{Failure, failed_to};
use crate::containers;
use crate::environment;
use crate::limits::REASON_CHARS;

/// What a container sees of the node: its paths, and those of the node.
#[derive(Debug, Default)]
pub(super) struct Volumes {
    volumes: Vec<(PathBuf, PathBuf)>,
}

impl Volumes {
    /// A folder of the node is seen at this path.
    pub(super) fn add(&mut self, inside: &Path, node: &Path) {
        self.volumes.push((inside.to_owned(), node.to_owned()));
    }

    /// Where on the node a path of the container is, if some folder of the node is seen there.
    pub(super) fn on_node(&self, inside: &Path) -> Option<PathBuf> {
        let longest = self.volumes.iter().filter(|(at, _)| inside.starts_with(at));
        let (at, node) = longest.max_by_key(|(at, _)| at.components().count())?;
        Some(node.join(inside.strip_prefix(at).ok()?))
    }
}

/// What runs containers, for one container.
pub(super) struct Client<'a> {
    container: &'a Container,
    program: Vec<String>,
    /// The folder of the file with the password, once there is one.
    config: Option<PathBuf>,
}

impl<'a> Client<'a> {
    /// Finds the program.
    pub(super) fn find(container: &'a Container) -> Result<Self, Failure> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let program = containers::program(&container.program, &path).map_err(Failure::DockerUnavailable)?;
        Ok(Self { container, program, config: None })
    }

    /// Logs in and gets the image, unless it is there.
    pub(super) async fn get_image(&mut self, order: &StepOrder) -> Result<(), Failure> {
        let image = &self.container.image;
        if self.output(self.command(&["image", "inspect", image]).stdout(Stdio::null())).await?.status.success() {
            return Ok(());
        }
        if let Some((user, password)) = &self.container.login {
            let config = order.own.join("docker");
            fs::create_dir_all(&config).map_err(failed_to("make", &config))?;
            self.config = Some(config);
            self.log_in(user, &password.0).await?;
        }
        let tries = self.container.pull_retries + 1;
        let mut why = String::new();
        for number in 0..tries {
            if number > 0 {
                tokio::time::sleep(Duration::from_secs(self.container.pull_pause_s.into())).await;
            }
            let pulled = self.output(self.command(&["pull", image]).stdout(Stdio::null())).await?;
            if pulled.status.success() {
                return Ok(());
            }
            why = said(&pulled);
        }
        Err(Failure::DockerPull { image: image.clone(), tries, why })
    }

    async fn log_in(&self, user: &str, password: &str) -> Result<(), Failure> {
        // Podman does not assume the usual registry; docker knows it by this name too.
        let server = Some(self.container.server.as_str()).filter(|server| !server.is_empty()).unwrap_or("docker.io");
        let mut command = self.command(&["login", "--username", user, "--password-stdin", server]);
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|source| Failure::Spawn { program: self.program[0].clone(), source })?;
        if let Some(mut stdin) = child.stdin.take() {
            // A client that has ended already says why on standard error.
            let _ = stdin.write_all(password.as_bytes()).await;
        }
        let ended = child.wait_with_output().await;
        let ended = ended.map_err(|source| Failure::Spawn { program: self.program[0].clone(), source })?;
        if ended.status.success() { Ok(()) } else { Err(Failure::DockerLogin(said(&ended))) }
    }

    /// The command that runs the container. It is written down before, so that whoever finds the agent dead can end
    /// the container.
    pub(super) fn run(&self, order: &StepOrder, volumes: &Volumes) -> Result<Command, Failure> {
        let name = containers::name(order.run);
        containers::record(&order.containers, &name, &self.program)
            .map_err(failed_to("write into", &order.containers))?;
        let folder = order.folder.as_os_str();
        // It stays when it has ended, to be asked how; whoever ends the run removes it.
        let mut command = self.command(&["run", "--name", &name, "--entrypoint", "/bin/sh", "--workdir"]);
        command.arg(folder).arg("--volume").arg(volume(&order.folder, &order.folder));
        for (inside, node) in &volumes.volumes {
            command.arg("--volume").arg(volume(node, inside));
        }
        let variables: BTreeMap<String, String> = environment::own(&order.task, order.run).collect();
        let file = order.own.join("environment");
        for name in write_variables(&file, &variables).map_err(failed_to("write", &file))? {
            // What a line cannot hold is handed on from the client's own environment.
            command.args(["--env", &name]).env(&name, &variables[&name]);
        }
        command.arg("--env-file").arg(&file);
        command.args(&self.container.run_options).args(&self.container.options);
        // Last, because the last one counts.
        command.args(&order.bounds);
        command.arg(&self.container.image).arg("-c").arg(&order.task.command);
        Ok(command)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program[0]);
        command.args(&self.program[1..]).args(words).stdin(Stdio::null());
        if let Some(config) = &self.config {
            command.env("DOCKER_CONFIG", config).env("REGISTRY_AUTH_FILE", config.join("config.json"));
        }
        command
    }

    async fn output(&self, command: &mut Command) -> Result<Output, Failure> {
        let output = command.stderr(Stdio::piped()).output().await;
        output.map_err(|source| Failure::Spawn { program: self.program[0].clone(), source })
    }
}

/// How a run in a container ended, whose command ended with `exit`: whether its memory ran out is known to nobody else.
pub(super) fn end_of(order: &StepOrder, exit: Exit) -> Exit {
    let (Exit::Code { code }, Some(limit_mb)) = (&exit, memory_limit_mb(&order.bounds)) else { return exit };
    let name = containers::name(order.run);
    let asks = *code != 0 && containers::is_recorded(&order.containers, &name);
    match asks.then(|| containers::ran_out_of_memory(&order.containers, &name)) {
        Some(Ok(true)) => Exit::OutOfMemory { code: *code, limit_mb },
        _ => exit,
    }
}

/// What a container may use of the memory, by the options that bound it.
fn memory_limit_mb(bounds: &[String]) -> Option<u64> {
    let bytes = bounds.iter().find_map(|bound| bound.strip_prefix("--memory=")?.strip_suffix('b')?.parse::<u64>().ok());
    Some(bytes? / (1024 * 1024))
}

fn volume(node: &Path, inside: &Path) -> std::ffi::OsString {
    let mut text = node.as_os_str().to_owned();
    text.push(":");
    text.push(inside);
    text
}

/// Writes variables into a file for `--env-file`. The answer names those that such a file cannot hold.
fn write_variables(file: &Path, variables: &BTreeMap<String, String>) -> std::io::Result<Vec<String>> {
    let fits = |name: &str, value: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        name.chars().all(plain) && !value.contains(['\n', '\r'])
    };
    let (lines, rest): (Vec<_>, Vec<_>) = variables.iter().partition(|(name, value)| fits(name, value));
    let text: String = lines.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    file.write_all(text.as_bytes())?;
    Ok(rest.into_iter().map(|(name, _)| name.clone()).collect())
}

/// The end of what a program wrote to standard error, on one line.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let surplus = line.chars().count().saturating_sub(REASON_CHARS);
    let end: String = line.chars().skip(surplus).collect();
    if end.is_empty() { format!("it ended with {}", output.status) } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_the_container_is_found_on_the_node() {
        let mut volumes = Volumes::default();
        volumes.add(Path::new("/data"), Path::new("/own/0"));
        volumes.add(Path::new("/data/deep"), Path::new("/own/1"));
        let on_node = |inside: &str| volumes.on_node(Path::new(inside)).map(|path| path.display().to_string());
        assert_eq!(on_node("/data/x").as_deref(), Some("/own/0/x"));
        assert_eq!(on_node("/data/deep/x/").as_deref(), Some("/own/1/x"));
        assert_eq!(on_node("/database"), None);
    }

    #[test]
    fn the_memory_that_a_container_may_use_stands_among_its_bounds() {
        let limit = |bounds: &[&str]| memory_limit_mb(&bounds.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(limit(&["--cpus=1", "--memory=1073741824b"]), Some(1_024));
        assert_eq!(limit(&["--cpus=1"]), None);
    }

    #[test]
    fn what_a_line_cannot_hold_goes_another_way() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("env");
        let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let variables = [("A", " 1 \"x\" #"), ("B", "two\nlines"), ("#C", "3"), ("D E", "4")].map(pair);
        assert_eq!(write_variables(&file, &variables.into()).unwrap(), ["#C", "B", "D E"]);
        assert_eq!(fs::read_to_string(file).unwrap(), "A= 1 \"x\" #\n");
    }
}
