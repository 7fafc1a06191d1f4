//! What an agent is told at its start: a file `node.json` in the node's own folder.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use kernel::id::NodeId;
use serde::{Deserialize, Serialize};

use crate::limits::SLOTS;

/// The file's name in the node's folder.
pub const CONFIG_FILE: &str = "node.json";

/// An agent's settings.
#[derive(Clone, PartialEq, Eq)]
pub struct AgentConfig {
    /// The node's own folder. It holds `node.json`, the journal `runs.log` and the working folders of runs.
    pub home: PathBuf,
    /// A file that holds the server's address, as `http://HOST:PORT`. It is read again before each try to connect,
    /// because a server may come back at another port.
    pub endpoint_file: PathBuf,
    /// Which node this is.
    pub node: NodeId,
    /// The secret that shows it. Never shown by `Debug`.
    pub token: String,
    /// How many runs go at once.
    pub slots: u32,
    /// The folder of the whole outputs: `LOGS/<job>/<task name>.<index>.stdout` and `.stderr`.
    pub logs: PathBuf,
    /// What its runs may use together; `None`: all that there is.
    pub limits: Option<NodeLimits>,
    /// The user that its runs are; `None`: who the agent is.
    pub user: Option<String>,
}

/// What the runs of a node may use together. Each slot has an equal share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeLimits {
    /// Cores.
    pub cpu: u32,
    /// Memory in MiB.
    pub mem_mb: u64,
    /// Processes and threads.
    pub pids: u32,
}

/// `node.json` as it is written: everything but the folder it lies in.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    node: NodeId,
    token: String,
    slots: u32,
    endpoint_file: PathBuf,
    logs: PathBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limits: Option<NodeLimits>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("failed to read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("failed to write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not the JSON it should be.
    #[error("failed to understand {}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A value is out of its bounds.
    #[error("slots in {} is {slots}; it should be 1 to {SLOTS}", path.display())]
    Slots {
        /// The file.
        path: PathBuf,
        /// What it says.
        slots: u32,
    },
}

impl AgentConfig {
    /// Reads `HOME/node.json`. Relative paths in it are relative to HOME.
    ///
    /// # Errors
    /// The file is missing, is not JSON of the known fields, or asks for an impossible number of slots.
    pub fn load(home: &Path) -> Result<Self, ConfigError> {
        let path = home.join(CONFIG_FILE);
        let text = fs::read_to_string(&path).map_err(|source| ConfigError::Read { path: path.clone(), source })?;
        let file: ConfigFile =
            serde_json::from_str(&text).map_err(|source| ConfigError::Parse { path: path.clone(), source })?;
        if !(1..=SLOTS).contains(&file.slots) {
            return Err(ConfigError::Slots { path, slots: file.slots });
        }
        let home = std::path::absolute(home).map_err(|source| ConfigError::Read { path, source })?;
        Ok(Self {
            endpoint_file: home.join(file.endpoint_file),
            node: file.node,
            token: file.token,
            slots: file.slots,
            logs: home.join(file.logs),
            limits: file.limits,
            user: file.user,
            home,
        })
    }

    /// Writes `HOME/node.json` for [`AgentConfig::load`], readable by its owner only. HOME must exist.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self) -> Result<(), ConfigError> {
        let file = ConfigFile {
            node: self.node,
            token: self.token.clone(),
            slots: self.slots,
            endpoint_file: self.endpoint_file.clone(),
            logs: self.logs.clone(),
            limits: self.limits,
            user: self.user.clone(),
        };
        let path = self.home.join(CONFIG_FILE);
        write_private(&path, &file).map_err(|source| ConfigError::Write { path, source })
    }
}

fn write_private(path: &Path, config: &ConfigFile) -> io::Result<()> {
    let text = serde_json::to_string(config)?;
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

impl fmt::Debug for AgentConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentConfig")
            .field("home", &self.home)
            .field("endpoint_file", &self.endpoint_file)
            .field("node", &self.node)
            .field("slots", &self.slots)
            .field("logs", &self.logs)
            .field("limits", &self.limits)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn config(home: &Path) -> AgentConfig {
        AgentConfig {
            home: home.to_owned(),
            endpoint_file: home.join("endpoint"),
            node: NodeId::from_number(7).unwrap(),
            token: "s3cret".to_owned(),
            slots: 2,
            logs: home.join("logs"),
            limits: Some(NodeLimits { cpu: 4, mem_mb: 8_192, pids: 4_096 }),
            user: Some("nobody".to_owned()),
        }
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let home = tempfile::tempdir().unwrap();
        let config = config(home.path());
        config.save().unwrap();
        assert_eq!(AgentConfig::load(home.path()).unwrap(), config);
        let mode = fs::metadata(home.path().join(CONFIG_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!format!("{config:?}").contains("s3cret"));
    }

    #[test]
    fn a_wrong_file_is_refused() {
        let home = tempfile::tempdir().unwrap();
        assert!(matches!(AgentConfig::load(home.path()), Err(ConfigError::Read { .. })));
        let good = r#"{"node":"node-00000007","token":"t","slots":2,"endpoint_file":"endpoint","logs":"logs"}"#;
        for (from, to) in [("\"slots\"", "\"slot\""), ("2", "2,\"more\":1"), ("node-", "job-"), ("{", "")] {
            fs::write(home.path().join(CONFIG_FILE), good.replacen(from, to, 1)).unwrap();
            assert!(matches!(AgentConfig::load(home.path()), Err(ConfigError::Parse { .. })), "{to}");
        }
        fs::write(home.path().join(CONFIG_FILE), good.replace("2", "0")).unwrap();
        assert!(matches!(AgentConfig::load(home.path()), Err(ConfigError::Slots { slots: 0, .. })));
        fs::write(home.path().join(CONFIG_FILE), good).unwrap();
        assert_eq!(AgentConfig::load(home.path()).unwrap().logs, home.path().join("logs"));
    }
}
