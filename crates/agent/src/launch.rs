//! Starting the process of a run.
//!
//! `Command` uses `posix_spawn` here, which costs the same however large this process is. It falls back to `fork`
//! when asked for anything that must happen in the child (`pre_exec`, `uid`, `gid`, `groups`) or for a program that
//! is to be looked for; so none of these is used.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use wire::node::{RunId, TaskOrder};

use crate::cgroup::{Groups, RunGroup};
use crate::folders::Folders;
use crate::output::Output;
use crate::paths::{Stream, folder_name, is_plain, log_file};
use crate::step::{Step, StepOrder, VERB, remove, unnamed};
use crate::user::User;
use crate::{containers, environment, simple, steps};

const SHELL: &str = "/bin/sh";
/// The folder of the steps' own folders in the node's folder.
const STEPS: &str = "steps";

/// Where runs find their place on this machine.
#[derive(Debug)]
pub(crate) struct Launcher {
    pub(crate) folders: Folders,
    home: PathBuf,
    logs: PathBuf,
    inherited: Vec<(OsString, OsString)>,
    /// Who runs are; `None`: who this process is.
    user: Option<User>,
}

/// The files of a run that has been started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunFiles {
    pub(crate) folder: PathBuf,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
    /// Its control group, where runs have their own.
    pub(crate) group: Option<Box<RunGroup>>,
    /// What its step was told, if a step leads it.
    pub(crate) step: Option<Box<StepOrder>>,
}

impl RunFiles {
    /// Whether the run's command is in a container.
    pub(crate) fn is_contained(&self) -> bool {
        let setup = self.step.as_ref().and_then(|step| step.task.setup.as_deref());
        setup.is_some_and(|setup| setup.container.is_some())
    }
}

/// Why a run could not be started. The texts go to the user as the reason.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaunchError {
    #[error("the task's name `{0}` cannot be part of a file's name")]
    TaskName(String),
    #[error("it is for a container, and this node runs instances as a user who may start none")]
    Container,
    #[error("failed to make the working folder: {0}")]
    Folder(#[source] io::Error),
    #[error("failed to open the file of its {0}: {1}")]
    Output(Stream, #[source] io::Error),
    #[error("failed to make its control group: {0}")]
    Group(#[source] io::Error),
    #[error("failed to start {SHELL}: {0}")]
    Spawn(#[source] io::Error),
    #[error("failed to write its variables down: {0}")]
    Variables(#[source] io::Error),
    #[error("failed to make the folder of its step: {0}")]
    Step(#[source] io::Error),
}

impl Launcher {
    /// A launcher for the node whose folder is `home`, with the outputs below `logs`.
    pub(crate) fn open(home: &Path, logs: &Path, user: Option<User>) -> io::Result<Self> {
        std::fs::create_dir_all(logs)?;
        let folders = Folders::open(home, user.clone())?;
        // An earlier agent's runs are over.
        remove(&home.join(STEPS))?;
        let inherited = environment::inherited(user.as_ref());
        Ok(Self { folders, home: home.to_owned(), logs: logs.to_owned(), inherited, user })
    }

    /// The folder of the records of containers.
    pub(crate) fn containers(&self) -> PathBuf {
        self.home.join(containers::FOLDER)
    }

    /// Starts a run's process as the leader of its own group. The answer is its id; nothing but the reaper waits
    /// for it.
    pub(crate) fn launch(
        &self,
        run: RunId,
        order: &TaskOrder,
        groups: &Groups,
    ) -> Result<(i32, RunFiles), LaunchError> {
        if !is_plain(&order.task_name) {
            return Err(LaunchError::TaskName(order.task_name.chars().take(64).collect()));
        }
        if self.user.is_some() && order.setup.as_deref().is_some_and(|setup| setup.container.is_some()) {
            return Err(LaunchError::Container);
        }
        let name = folder_name(&order.task_name, run.index, run.attempt);
        let folder = self.folders.claim(run.job, &name).map_err(LaunchError::Folder)?;
        let mut step = order.setup.is_some().then(|| Box::new(self.step_order(&folder, run, order)));
        let group = groups.claim().map_err(LaunchError::Group);
        let result = group.and_then(|group| {
            let launched = match &mut step {
                Some(step) => {
                    step.bounds = group.as_ref().map(RunGroup::container_options).unwrap_or_default();
                    self.launch_step(step, group.as_ref())
                }
                None => self.launch_in(&folder, run, order, group.as_ref()),
            };
            if let (Err(_), Some(group)) = (&launched, &group) {
                groups.give_back(group, true);
            }
            launched.map(|launched| (launched, group))
        });
        match result {
            Ok(((pid, stdout, stderr), group)) => {
                Ok((pid, RunFiles { folder, stdout, stderr, group: group.map(Box::new), step }))
            }
            Err(error) => {
                self.folders.release(run.job, folder);
                Err(error)
            }
        }
    }

    fn launch_in(
        &self,
        folder: &Path,
        run: RunId,
        order: &TaskOrder,
        group: Option<&RunGroup>,
    ) -> Result<(i32, Output, Output), LaunchError> {
        if self.user.is_none()
            && let Some(words) = simple::words(&order.command)
            && let Some(program) = simple::program(words[0], environment::path(&self.inherited, order))
        {
            let command = match group {
                Some(group) => group.wrap(SHELL, &program, words[1..].iter().map(OsString::from)),
                None => {
                    let mut command = Command::new(program);
                    // As the shell does it.
                    command.arg0(words[0]).args(&words[1..]);
                    command
                }
            };
            match self.spawn(command, folder, run, order) {
                Err(LaunchError::Spawn(error)) => {
                    // A script without its first line, a missing interpreter: the shell knows what to do or say.
                    tracing::debug!(%run, %error, "left to the shell");
                }
                result => return result,
            }
        }
        let shell = [OsString::from("-c"), order.command.clone().into()];
        let (program, arguments) = match &self.user {
            None => (PathBuf::from(SHELL), shell.to_vec()),
            Some(user) => {
                let mut words = vec![OsString::from(VERB)];
                words.extend(user.words());
                words.push(SHELL.into());
                words.extend(shell);
                (steps::program(), words)
            }
        };
        let command = match group {
            Some(group) => group.wrap(SHELL, &program, arguments),
            None => {
                let mut command = Command::new(program);
                command.args(arguments);
                command
            }
        };
        self.spawn(command, folder, run, order)
    }

    fn step_order(&self, folder: &Path, run: RunId, order: &TaskOrder) -> StepOrder {
        let log = |stream| log_file(&self.logs, run.job, &order.task_name, run.index, stream);
        StepOrder {
            run,
            task: order.clone(),
            folder: folder.to_owned(),
            own: self.home.join(STEPS).join(steps::folder_name(run)),
            containers: self.containers(),
            user: self.user.clone(),
            bounds: Vec::new(),
            stdout: log(Stream::Stdout),
            stderr: log(Stream::Stderr),
        }
    }

    /// Starts the step that leads a run.
    fn launch_step(&self, order: &StepOrder, group: Option<&RunGroup>) -> Result<(i32, Output, Output), LaunchError> {
        order.make_folder().map_err(LaunchError::Step)?;
        let mut command = match group {
            Some(group) => group.wrap(SHELL, &steps::program(), steps::arguments(Step::Run).map(OsString::from)),
            None => {
                let mut command = Command::new(steps::program());
                command.args(steps::arguments(Step::Run));
                command
            }
        };
        steps::equip(&mut command, order).map_err(LaunchError::Step)?;
        let started = self.spawn_as_it_is(command, &order.folder, order.run, &order.task);
        if started.is_err() {
            steps::forget(order);
        }
        started
    }

    fn spawn(
        &self,
        mut command: Command,
        folder: &Path,
        run: RunId,
        order: &TaskOrder,
    ) -> Result<(i32, Output, Output), LaunchError> {
        command.env_clear().envs(self.inherited.iter().map(|(name, value)| (name, value)));
        match self.user {
            None => command.env("PWD", folder).envs(environment::own(order, run)).stdin(Stdio::null()),
            // The task's own come after it has become the user: what root starts obeys none of them (LD_PRELOAD). By the
            // others, who looks for what a dead agent left knows the run.
            Some(_) => {
                let variables = self.variables(folder, run, order).map_err(LaunchError::Variables)?;
                command.envs(environment::of_batch(order, run)).stdin(variables)
            }
        };
        self.spawn_as_it_is(command, folder, run, order)
    }

    /// A run's own variables, for [`become_user`](crate::become_user).
    fn variables(&self, folder: &Path, run: RunId, order: &TaskOrder) -> io::Result<File> {
        let place = ("PWD".to_owned(), folder.to_string_lossy().into_owned());
        let all: Vec<(String, String)> = std::iter::once(place).chain(environment::own(order, run)).collect();
        let path = self.home.join(format!("variables.{}", steps::folder_name(run)));
        unnamed(&path, &serde_json::to_vec(&all)?)
    }

    fn spawn_as_it_is(
        &self,
        mut command: Command,
        folder: &Path,
        run: RunId,
        order: &TaskOrder,
    ) -> Result<(i32, Output, Output), LaunchError> {
        let open = |stream| {
            let path = log_file(&self.logs, run.job, &order.task_name, run.index, stream);
            Output::open(path, self.user.as_ref()).map_err(|error| LaunchError::Output(stream, error))
        };
        let (stdout, stdout_file) = open(Stream::Stdout)?;
        let (stderr, stderr_file) = open(Stream::Stderr)?;
        let child = command
            .current_dir(folder)
            .stdout(stdout_file)
            .stderr(stderr_file)
            .process_group(0)
            .spawn()
            .map_err(LaunchError::Spawn)?;
        let pid = child.id().try_into().expect("Linux numbers processes within i32");
        Ok((pid, stdout, stderr))
    }
}
