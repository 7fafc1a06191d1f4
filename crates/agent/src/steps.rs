//! The agent's side of steps: starting them, reading what they left, and the end of those that were killed.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use wire::node::{Exit, RunId};

use crate::containers;
use crate::environment;
use crate::step::{Step, StepOrder, VERB, remove};

/// This program, also when the file it was started from has been replaced meanwhile; for this process's children and
/// for those that a shell in between becomes.
pub(crate) fn program() -> PathBuf {
    format!("/proc/{}/exe", std::process::id()).into()
}

/// What makes the program a step.
pub(crate) fn arguments(step: Step) -> [&'static str; 2] {
    [VERB, step.word()]
}

/// Where a user's own `docker` or `podman` is to be found. A step has these from its agent; its command has not.
pub(crate) const CLIENT_VARIABLES: [&str; 4] =
    ["DOCKER_HOST", "CONTAINER_HOST", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"];

/// Gives a command that starts a step its order, on standard input, and its environment.
pub(crate) fn equip(command: &mut Command, order: &StepOrder) -> io::Result<()> {
    command.stdin(order.file()?).env_clear().envs(environment::inherited(order.user.as_ref()));
    let client = CLIENT_VARIABLES.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    command.envs(client);
    // Who looks for what a dead agent left knows the run by these.
    command.envs(environment::of_batch(&order.task, order.run));
    Ok(())
}

/// How a run ended, whose step has ended with `exit`; `None`: its step was killed, and [`close`] is to be called.
pub(crate) fn outcome(order: &StepOrder, exit: &Exit) -> Option<Exit> {
    let left = order.left();
    if left.is_none() && order.has_end() {
        return None;
    }
    forget(order);
    Some(left.unwrap_or_else(|| exit.clone()))
}

/// Does what is left to be done of a run whose step was killed, and returns when it is done.
pub(crate) fn close(order: &StepOrder) {
    if let Err(error) = try_close(order) {
        tracing::error!(run = %order.run, %error, "failed to end what surrounded a run");
    }
    forget(order);
}

fn try_close(order: &StepOrder) -> io::Result<()> {
    let mut command = Command::new(program());
    command.args(arguments(Step::Close)).process_group(0);
    equip(&mut command, order)?;
    let log = File::options().append(true).create(true).open(&order.stderr)?;
    let mut child: Child = command.current_dir(&order.own).stdout(Stdio::piped()).stderr(log).spawn()?;
    // Nobody but the watch may wait for a child; that its output ends tells as much.
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_end(&mut Vec::new())?;
    }
    Ok(())
}

/// Whether a container may still be there that should have ended with its step.
pub(crate) fn has_container(order: &StepOrder) -> bool {
    containers::is_recorded(&order.containers, &containers::name(order.run))
}

/// Ends the container that is left of a step, and returns when it is gone: no other attempt may begin before.
pub(crate) fn end_container(order: &StepOrder) {
    containers::remove_at_last(&order.containers, &containers::name(order.run));
}

/// Removes what belongs to the step alone.
pub(crate) fn forget(order: &StepOrder) {
    if let Err(error) = remove(&order.own) {
        tracing::warn!(run = %order.run, %error, "failed to remove a step's folder");
    }
}

/// The name of a step's own folder.
pub(crate) fn folder_name(run: RunId) -> String {
    format!("{}.{}.{}.{}", run.job, run.task, run.index, run.attempt)
}
