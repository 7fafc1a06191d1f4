//! Nodes on this machine: each a folder `DATA/nodes/<node>` and a process that is started there.
//!
//! The process leads a session of its own, is no part of the server's process group, and shares no stream with it:
//! so it lives on when the server ends, in whatever way. `setsid`, which becomes the agent, makes the session; doing
//! that between fork and exec here would cost a fork of the whole server.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::time::Duration;

use agent::{AgentConfig, NodeLimits, User};
use kernel::id::NodeId;
use kernel::instance::RunId;
use nix::unistd::{AccessFlags, access};
use subtle::ConstantTimeEq;
use tokio::process::Command;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::process::{self, HOME_FLAG, VERB};
use super::{CreateError, NewNode, Provider, Size};
use crate::data::draw_word;

/// Makes the session and becomes the agent.
const SETSID: &str = "/usr/bin/setsid";
/// The file in a node's folder that takes what its agent logs.
const LOG_FILE: &str = "agent.log";
/// Characters of a node's token.
const TOKEN_CHARS: usize = 40;
/// How long an agent that was told to stop may take before it is killed.
const STOP: Duration = Duration::from_millis(1_500);
/// How long an agent that got SIGTERM may take before it is killed.
const TERMINATE: Duration = Duration::from_secs(40);
/// Keys, which are no business of what a node runs.
const SECRETS: [&str; 5] =
    ["HERALD_SECRET_ID", "HERALD_SECRET_KEY", "HERALD_COS_SECRET_ID", "HERALD_COS_SECRET_KEY", "HERALD_JOIN_TOKEN"];

/// Makes nodes on this machine.
pub(crate) struct LocalProvider {
    /// The folder of their folders.
    pub(crate) nodes: PathBuf,
    /// Where the outputs of instances go.
    pub(crate) logs: PathBuf,
    /// The file that says where the server listens.
    pub(crate) endpoint_file: PathBuf,
    /// The program: `herald`.
    pub(crate) program: PathBuf,
    /// How many nodes there may be.
    pub(crate) capacity: usize,
    /// Processes and threads of a node, for each core of its type.
    pub(crate) pids_per_cpu: u32,
    /// How large a node's type may be; `None`: as large as it likes, since types are limits, not reservations.
    pub(crate) largest: Option<Size>,
    /// Who instances run as; `None`: who this process is.
    pub(crate) user: Option<User>,
    /// What agents show; `None`: each a token of its own.
    pub(crate) token: Option<String>,
    /// Whoever makes a node holds it, so that two do not count the same place as free.
    pub(crate) making: Mutex<()>,
    /// Where agents that were started here are waited for.
    pub(crate) runtime: Handle,
    /// Takes the nodes whose agents have ended.
    pub(crate) ended: mpsc::UnboundedSender<NodeId>,
}

impl Provider for LocalProvider {
    fn create(&self, node: &NewNode) -> Result<(), CreateError> {
        let failed = |what| move |source| CreateError::Failed { what, source };
        if let (Some(wanted), Some(has)) = (node.size, self.largest)
            && (wanted.cpu > has.cpu || wanted.mem_gb > has.mem_gb)
        {
            return Err(CreateError::TooLarge { wanted, has });
        }
        // What starts an agent would only say so to nobody.
        access(&self.program, AccessFlags::X_OK).map_err(io::Error::from).map_err(failed("start the agent"))?;
        let _making = self.making.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let home = self.home(node.id);
        if home.exists() {
            // An earlier try, perhaps by a server that is no more.
            if !process::agents(&home).map_err(failed("look at the processes"))?.is_empty() {
                return Ok(());
            }
        } else if self.list().map_err(failed("list the nodes"))?.len() >= self.capacity {
            return Err(CreateError::Capacity(self.capacity));
        }
        self.furnish(node, &home).map_err(failed("make the node's folder"))?;
        self.start(node.id, &home).map_err(failed("start the agent"))
    }

    fn end(&self, node: NodeId) -> io::Result<Vec<RunId>> {
        let home = self.home(node);
        process::kill_agents(&home)?;
        let begun = agent::begun(&home)?;
        agent::kill_leftovers(&home)?;
        Ok(begun.into_iter().collect())
    }

    fn stop(&self, node: NodeId) -> io::Result<Vec<RunId>> {
        // The gateway has told it to, if it is connected.
        process::wait_for_end(&self.home(node), STOP)?;
        self.end(node)
    }

    fn destroy(&self, node: NodeId) -> io::Result<Vec<RunId>> {
        let begun = self.stop(node)?;
        match fs::remove_dir_all(self.home(node)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(begun),
        }
    }

    fn list(&self) -> io::Result<Vec<NodeId>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.nodes)? {
            found.extend(entry?.file_name().to_str().and_then(|name| name.parse::<NodeId>().ok()));
        }
        Ok(found)
    }

    fn lives(&self, node: NodeId) -> bool {
        // Where nobody can look, nobody can say that it does not.
        process::agents(&self.home(node)).map_or(true, |agents| !agents.is_empty())
    }

    fn is_credential(&self, node: NodeId, shown: &str) -> bool {
        let known = AgentConfig::load(&self.home(node)).ok();
        known.is_some_and(|config| config.token.as_bytes().ct_eq(shown.as_bytes()).into())
    }
}

impl LocalProvider {
    /// Ends all nodes: each agent has time to end its runs and to report that.
    pub(crate) fn end_all(&self) -> io::Result<()> {
        let nodes = self.list()?;
        for node in &nodes {
            process::terminate_agents(&self.home(*node))?;
        }
        for node in nodes {
            process::wait_for_end(&self.home(node), TERMINATE)?;
            self.end(node)?;
        }
        Ok(())
    }

    fn home(&self, node: NodeId) -> PathBuf {
        self.nodes.join(node.to_string())
    }

    fn limits(&self, size: Size) -> NodeLimits {
        NodeLimits {
            cpu: size.cpu,
            mem_mb: u64::from(size.mem_gb) * 1_024,
            pids: size.cpu.saturating_mul(self.pids_per_cpu),
        }
    }

    fn furnish(&self, node: &NewNode, home: &Path) -> io::Result<()> {
        match fs::DirBuilder::new().mode(0o700).create(home) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let config = AgentConfig {
            home: home.to_owned(),
            endpoint_file: self.endpoint_file.clone(),
            node: node.id,
            token: self.token.clone().map_or_else(|| draw_word(TOKEN_CHARS), Ok)?,
            slots: node.slots,
            logs: self.logs.clone(),
            limits: node.size.map(|size| self.limits(size)),
            user: self.user.as_ref().map(|user| user.name().to_owned()),
        };
        if let Some(user) = &self.user {
            user.let_through(home)?;
        }
        config.save().map_err(io::Error::other)
    }

    fn start(&self, node: NodeId, home: &Path) -> io::Result<()> {
        let log = OpenOptions::new().create(true).append(true).open(home.join(LOG_FILE))?;
        let mut command = Command::new(SETSID);
        command.arg(&self.program).args([VERB, HOME_FLAG]).arg(home).current_dir(home);
        SECRETS.iter().for_each(|name| {
            command.env_remove(name);
        });
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(false);
        let _runtime = self.runtime.enter();
        let mut child = command.spawn()?;
        let ended = self.ended.clone();
        self.runtime.spawn(async move {
            let how = child.wait().await;
            tracing::info!(%node, ?how, "an agent has ended");
            // Without a listener the server is stopping.
            let _ = ended.send(node);
        });
        Ok(())
    }
}
