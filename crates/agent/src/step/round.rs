//! What a step does, from the beginning of its run to its end.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use wire::node::Exit;
use wire::setup::{Copied, Sent, Setup, Workspace};

use super::StepOrder;
use super::container::{Client, Volumes};
use super::failure::{Failure, failed_to};
use super::storage::{Store, Upload};
use super::{container, package, redirect};
use crate::steps::CLIENT_VARIABLES;
use crate::{containers, environment, procfs};

const SHELL: &str = "/bin/sh";

/// Leads a run, and writes down how it ended.
pub(super) async fn run(order: &StepOrder) -> Exit {
    let exit = match signal(SignalKind::terminate()) {
        Ok(mut terminated) => {
            let exit = lead(order, async {
                terminated.recv().await;
            });
            exit.await
        }
        Err(error) => Exit::Failed { reason: format!("NodeFailed: failed to take signals: {error}") },
    };
    if let Err(error) = order.leave(&exit) {
        complain(&format!("failed to write down how the run ended: {error}"));
    }
    exit
}

/// Does what is left to be done of a run that was killed.
pub(super) async fn close(order: &StepOrder) {
    if let Err(error) = containers::remove(&order.containers, &containers::name(order.run)) {
        complain(&format!("a container is left behind: {error}"));
    }
    if let Err(failure) = redirect::copy_outputs(order).await {
        complain(&failure.to_string());
    }
}

async fn lead(order: &StepOrder, terminated: impl Future<Output = ()>) -> Exit {
    let setup = order.setup();
    let mut terminated = std::pin::pin!(terminated);
    let mut place = Workplace { volumes: Volumes::default(), outputs: Vec::new() };
    let prepared = tokio::select! {
        prepared = prepare(order, &setup, &mut place) => Some(prepared),
        () = &mut terminated => None,
    };
    let ended = match prepared {
        Some(Ok(command)) => work(command).await,
        Some(Err(failure)) => Err(failure),
        // Whoever ended the run knows why.
        None => Ok(Exit::Signal { signal: Signal::SIGTERM as i32 }),
    };
    let ran = ended.is_ok() && !matches!(ended, Ok(Exit::Signal { .. }));
    end_strays();
    let exit = ended.unwrap_or_else(|failure| Exit::Failed { reason: failure.to_string() });
    let mut exit = container::end_of(order, exit);
    if let Err(error) = containers::remove(&order.containers, &containers::name(order.run)) {
        complain(&format!("a container is left behind: {error}"));
    }
    if ran {
        let sent = tokio::select! {
            sent = send(&setup, &place) => sent,
            () = &mut terminated => Ok(()),
        };
        exit = worse(exit, sent);
    }
    worse(exit, redirect::copy_outputs(order).await)
}

/// How a run ended, of whose end another part has just been tried. The command's own failure is the one that counts.
fn worse(exit: Exit, then: Result<(), Failure>) -> Exit {
    match then {
        Ok(()) => exit,
        Err(failure) if exit == (Exit::Code { code: 0 }) => Exit::Failed { reason: failure.to_string() },
        Err(failure) => {
            complain(&failure.to_string());
            exit
        }
    }
}

/// What the command finds, and where its outputs are found after it.
struct Workplace<'a> {
    volumes: Volumes,
    outputs: Vec<(&'a Sent, PathBuf)>,
}

/// Everything before the command. The answer is the command.
async fn prepare<'a>(order: &StepOrder, setup: &'a Setup, place: &mut Workplace<'a>) -> Result<Command, Failure> {
    if let Some(package) = &setup.package {
        package::install(package, order).await?;
    }
    for (number, input) in setup.inputs.iter().enumerate() {
        bring(order, setup, number, input, &mut place.volumes)
            .await
            .map_err(|why| Failure::Input { from: input.url.clone(), why })?;
    }
    for (number, output) in setup.outputs.iter().enumerate() {
        let found = output_folder(order, setup, number, output, &mut place.volumes)?;
        place.outputs.push((output, found));
    }
    let Some(container) = &setup.container else {
        let mut command = Command::new(SHELL);
        CLIENT_VARIABLES.iter().for_each(|name| {
            command.env_remove(name);
        });
        command.arg("-c").arg(&order.task.command).envs(environment::own(&order.task, order.run));
        command.env("PWD", &order.folder).current_dir(&order.folder);
        return Ok(command);
    };
    let mut client = Client::find(container)?;
    client.get_image(order).await?;
    client.run(order, &place.volumes)
}

/// Runs the command, which has this process's output. It is in this process's group: who ends the run ends it too.
async fn work(mut command: Command) -> Result<Exit, Failure> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    let ended = async { command.stdin(Stdio::null()).spawn()?.wait().await };
    let ended = ended.await.map_err(|source| Failure::Spawn { program, source })?;
    Ok(exit_of(ended))
}

fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code { code },
        (None, signal) => Exit::Signal { signal: signal.unwrap_or_default() },
    }
}

/// Makes an input appear where the command looks for it.
async fn bring(
    order: &StepOrder,
    setup: &Setup,
    number: usize,
    input: &Copied,
    volumes: &mut Volumes,
) -> Result<(), String> {
    let failed = |error: io::Error| error.to_string();
    let inside = order.folder.join(input.to.trim_end_matches('/'));
    let in_container = setup.container.is_some();
    let store = Store::open(&input.from)?;
    if let Some(mounted) = store.local_folder().filter(|_| input.mounted) {
        if !mounted.is_dir() {
            return Err(format!("there is no folder {}", mounted.display()));
        }
        if in_container {
            volumes.add(&inside, mounted);
            return Ok(());
        }
        return link(mounted, &inside).map_err(failed);
    }
    if in_container && input.to.starts_with('/') {
        let node = order.own.join(format!("input-{number}"));
        volumes.add(&inside, &node);
        return store.copy_in(&node).await;
    }
    store.copy_in(&inside).await
}

/// Makes `at` lead to a folder. Another run of this node may have done so already.
fn link(folder: &Path, at: &Path) -> io::Result<()> {
    if let Some(parent) = at.parent() {
        fs::create_dir_all(parent)?;
    }
    match symlink(folder, at) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if fs::read_link(at).is_ok_and(|target| target == folder) {
                return Ok(());
            }
            Err(io::Error::other(format!("something else is at {} already", at.display())))
        }
        result => result,
    }
}

/// Where on the node an output will be found.
fn output_folder(
    order: &StepOrder,
    setup: &Setup,
    number: usize,
    output: &Sent,
    volumes: &mut Volumes,
) -> Result<PathBuf, Failure> {
    let source = Path::new(output.from.trim_end_matches('/'));
    if !source.is_absolute() {
        return Ok(order.folder.join(source));
    }
    let in_container = setup.container.is_some();
    match output.workspace {
        Workspace::Batch if !in_container => {
            return Ok(order.folder.join(source.strip_prefix("/").unwrap_or(source)));
        }
        Workspace::Unsaid | Workspace::Global if !in_container => return Ok(source.to_owned()),
        _ => {}
    }
    if let Some(known) = volumes.on_node(source) {
        return Ok(known);
    }
    let node = match output.workspace {
        Workspace::Global => source.to_owned(),
        Workspace::Unsaid | Workspace::Batch => order.own.join(format!("output-{number}")),
    };
    fs::create_dir_all(&node).map_err(failed_to("make", &node))?;
    volumes.add(source, &node);
    Ok(node)
}

/// Copies the outputs away.
async fn send(setup: &Setup, place: &Workplace<'_>) -> Result<(), Failure> {
    let upload = Upload { workers: setup.workers, part_mb: setup.part_mb };
    for (output, found) in &place.outputs {
        let sending = async { Store::open(&output.to)?.copy_out(found, upload).await };
        let failure = |why| Failure::Output { from: output.from.clone(), to: output.url.clone(), why };
        sending.await.map_err(failure)?;
    }
    Ok(())
}

/// Kills what the command has left in its group, as a run's end does, so that nothing writes into what is copied. Only
/// in a group of this process's own.
fn end_strays() {
    let me = std::process::id();
    if u32::try_from(nix::unistd::getpgrp().as_raw()) != Ok(me) {
        return;
    }
    let Ok(me) = i32::try_from(me) else { return };
    loop {
        let strays: Vec<i32> = match procfs::living() {
            Ok(living) => {
                living.iter().filter(|process| process.group == me && process.pid != me).map(|p| p.pid).collect()
            }
            Err(error) => return complain(&format!("failed to look for what the command left: {error}")),
        };
        if strays.is_empty() {
            return;
        }
        for pid in strays {
            // One that has just ended is as good.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        std::thread::sleep(crate::limits::LEFTOVERS_LOOK);
    }
}

/// Tells the user on the run's standard error.
#[expect(clippy::print_stderr, reason = "a step's standard error is the run's")]
fn complain(what: &str) {
    eprintln!("herald: {what}");
}

#[cfg(test)]
mod tests {
    use kernel::id::JobId;
    use wire::node::{RunId, TaskOrder};
    use wire::setup::{Container, Place};

    use super::*;

    fn order() -> StepOrder {
        let run = RunId { job: JobId::from_number(35).unwrap(), task: 0, index: 3, attempt: 1 };
        let task = TaskOrder {
            job: run.job,
            task: 0,
            task_name: "count".to_owned(),
            instance_num: 8,
            command: String::new(),
            env: Vec::new(),
            setup: None,
            timeout_ms: 0,
            grace_ms: 0,
        };
        let root = std::env::temp_dir().join(format!("herald-step-{}", std::process::id()));
        StepOrder {
            run,
            task,
            folder: root.join("run"),
            own: root.join("own"),
            containers: root.join("containers"),
            user: None,
            bounds: Vec::new(),
            stdout: root.join("stdout"),
            stderr: root.join("stderr"),
        }
    }

    fn container() -> Container {
        Container {
            program: Vec::new(),
            run_options: Vec::new(),
            image: "i".to_owned(),
            server: String::new(),
            login: None,
            pull_retries: 0,
            pull_pause_s: 0,
            options: Vec::new(),
        }
    }

    /// Where outputs are found: in the run's folder, in a folder that only the container sees at that path, or where
    /// the node has them.
    #[test]
    fn where_an_output_is_found() {
        use Workspace::{Batch, Global, Unsaid};
        let order = order();
        let node = order.own.parent().unwrap().join("node");
        let absolute = node.to_str().unwrap();
        let inside = |path: &str| order.folder.join(path);
        let table = [
            (false, "out/", Unsaid, inside("out")),
            (false, "out", Batch, inside("out")),
            (false, "/data/out/", Batch, inside("data/out")),
            (false, "/data/out/", Unsaid, "/data/out".into()),
            (false, "/data/out", Global, "/data/out".into()),
            (true, "out/", Unsaid, inside("out")),
            (true, "/data/out", Unsaid, order.own.join("output-0")),
            (true, "/data/out", Batch, order.own.join("output-0")),
            (true, absolute, Global, node.clone()),
            (true, "/seen/already/deep", Unsaid, "/on/node/deep".into()),
        ];
        for (in_container, from, workspace, expected) in table {
            let setup = Setup { container: in_container.then(container), ..Setup::default() };
            let to = Place::Folder { root: String::new(), below: String::new() };
            let output = Sent { from: from.to_owned(), workspace, url: String::new(), to };
            let mut volumes = Volumes::default();
            volumes.add(Path::new("/seen/already"), Path::new("/on/node"));
            let found = output_folder(&order, &setup, 0, &output, &mut volumes).unwrap();
            assert_eq!(found, expected, "{from} {workspace:?} in a container: {in_container}");
        }
        let _ = fs::remove_dir_all(order.own.parent().unwrap());
    }

    #[test]
    fn the_commands_own_failure_counts() {
        let failure = || Err(Failure::PackageInvalid("x".to_owned()));
        let reason = "PackageInvalid: x".to_owned();
        assert_eq!(worse(Exit::Code { code: 0 }, failure()), Exit::Failed { reason });
        assert_eq!(worse(Exit::Code { code: 3 }, failure()), Exit::Code { code: 3 });
        assert_eq!(worse(Exit::Code { code: 0 }, Ok(())), Exit::Code { code: 0 });
    }

    #[test]
    fn a_link_is_made_once_and_never_over_something_else() {
        let root = tempfile::tempdir().unwrap();
        let (one, other) = (root.path().join("one"), root.path().join("other"));
        let at = root.path().join("deep/at");
        link(&one, &at).unwrap();
        link(&one, &at).unwrap();
        assert!(link(&other, &at).unwrap_err().to_string().contains("something else is at"));
        assert_eq!(fs::read_link(at).unwrap(), one);
    }
}
