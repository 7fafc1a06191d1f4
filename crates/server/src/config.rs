//! Configuration: a TOML file, with a default for everything in it.
//!
//! Whoever starts a server reads the file, then lays variables and flags over it: every field is public. A key that
//! is not known is refused with its path, as is a value that cannot work.

mod security;
mod storage;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use kernel::environment::NodeType;
use kernel::limits;
use kernel::mistake::Mistakes;
use serde::{Deserialize, Serialize};
use url::Url;

pub use security::{Audit, Sealed, Tls};
pub use storage::{S3, Storage};

use crate::keys::KeyPair;
use crate::provider::Size;
use crate::settings::{Catalogue, OfferedType, Settings};

/// The file that says what the defaults are, with what each setting is.
pub const DEFAULT_FILE: &str = include_str!("config/default.toml");

/// All settings of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The data folder. Made if missing. Default: `herald-data`.
    pub data: PathBuf,
    /// Where to listen; port 0 picks one. Default: `127.0.0.1:7400`.
    pub listen: SocketAddr,
    /// Whether to listen beyond the loopback although nothing that is said there is encrypted. Default: false.
    pub insecure: bool,
    /// How much of the data folder's disk is to stay free, in MB: with less, what needs room is refused. Default: 500;
    /// 0: nothing is looked at.
    pub keep_free_mb: u64,
    /// The one region. Default: `ap-guangzhou`.
    pub region: String,
    /// The zones of the region. Default: the region's name with `-1` to `-9`.
    pub zones: Vec<String>,
    /// The key pair that may call, from the environment; `None`: the one in `DATA/credentials.json`, made at first
    /// start. Not in the file, which others may read.
    #[serde(skip)]
    pub key: Option<KeyPair>,
    /// The key that secrets in the database are sealed with, as 64 hexadecimal digits, from the environment; `None`: the
    /// one in `DATA/master.key`, made at first start. Not in the file, which others may read.
    #[serde(skip)]
    pub master_key: Option<Sealed>,
    /// Connections at once, agents' too; whoever comes beyond them waits. Default: 10,000.
    pub connections: usize,
    /// Encryption of everything that is said to this server.
    pub tls: Tls,
    /// The audit trail.
    pub audit: Audit,
    /// Jobs and their instances.
    pub jobs: Jobs,
    /// Nodes and their agents.
    pub nodes: Nodes,
    /// Where runs find their data.
    pub storage: Storage,
    /// Topics and queues.
    pub messages: Messages,
    /// Posts to HTTP subscribers.
    pub push: Push,
    /// The web console.
    pub console: ConsoleNames,
}

/// `[console]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsoleNames {
    /// Names, such as `batch.example.com`, that the console is reached by; under another name it is not shown, since a
    /// name of somebody else's may lead here. Addresses and `localhost` need not be named. Default: none.
    pub hosts: Vec<String>,
}

/// `[jobs]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jobs {
    /// Most unfinished jobs; 0: no bound. Default: 0.
    pub quota: u64,
    /// Most task templates, at most 10,000. Default: 50.
    pub template_quota: u64,
    /// How long nothing of a job runs, in seconds, before those who asked for JOB_BLOCKED are told why; 0: nobody is.
    /// Default: 10.
    pub blocked_after_s: u64,
    /// Longest pause between two attempts of an instance, in seconds: pauses double from 1 up to it; 0: none.
    /// Default: 60.
    pub retry_pause_s: u64,
    /// How many attempts an instance gets, beyond its own, for those that were lost with their node. Default: 0.
    pub lost_retries: u32,
    /// How long finished jobs are kept, with the outputs of their instances, in days. Default: 30.
    pub keep_days: u64,
}

/// `[nodes]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Nodes {
    /// Most nodes on this machine; an environment's fail beyond it as `capacity`, tasks' own are not made. Default: 32.
    pub local_capacity: usize,
    /// Most compute environments; 0: no bound but that of the installation, 10,000. Default: 0.
    pub env_quota: u64,
    /// Most cores that all compute environments together may want; 0: no bound. Default: 0.
    pub cpu_quota: u64,
    /// Whether a node whose type has more cores or memory than this machine cannot be made; else a type only says
    /// what a node may use. Default: false.
    pub refuse_larger_types: bool,
    /// How often an agent shows that it lives, in milliseconds. Default: 2,000.
    pub beat_ms: u64,
    /// How long an agent may be silent before its node is given up, in milliseconds. Default: 20,000.
    pub silent_ms: u64,
    /// How long an instance has between SIGTERM and SIGKILL, in milliseconds. Default: 10,000.
    pub grace_ms: u64,
    /// How often an instance is sampled for what it uses, in milliseconds; one that runs for long, more rarely.
    /// Default: 10,000.
    pub sample_ms: u64,
    /// Processes and threads that the instances of a node may have, for each core of its type; `local` is not
    /// limited. Default: 1,024.
    pub pids_per_cpu: u32,
    /// Instances at once on a node whose type is not listed. Default: 1.
    pub slots: u32,
    /// The user that instances on this machine's nodes run as, where the server is root. Default: none, which means who
    /// the server is.
    pub user: Option<String>,
    /// The program that runs containers, with its own arguments, such as `["podman", "--root", "/x"]`. Default: none,
    /// which means `docker`, or `podman` where there is none.
    pub docker: Vec<String>,
    /// Arguments that its `run` gets for every container, such as `["--network", "none"]`. Default: none.
    pub docker_run: Vec<String>,
    /// Instance types, by name. `local`, this machine with one slot a core, is there unless listed otherwise.
    pub types: BTreeMap<String, ListedType>,
}

/// `[nodes.types.NAME]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedType {
    /// Cores.
    pub cpu: u32,
    /// Memory in GiB.
    pub mem_gb: u32,
    /// Instances at once. Default: 1.
    #[serde(default = "one")]
    pub slots: u32,
    /// The family that lists of types tell. Default: what stands before the point in the name, or the name.
    #[serde(default)]
    pub family: Option<String>,
    /// The family's category in lists: GENERAL, COMPUTE, or one of these with `_2` or `_3`. Default: GENERAL.
    #[serde(default)]
    pub category: Option<String>,
}

/// `[messages]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Messages {
    /// Number of the account that owns topics and queues: `TopicOwner` in posts. Default: 1250000000.
    pub topic_owner: u64,
    /// Whether clients may publish what no subscription takes; else it is refused. Default: false.
    pub keep_untaken: bool,
    /// How long attempts of deliveries, and deliveries that were given up, are kept, in days. Default: 7.
    pub attempts_keep_days: u64,
    /// Of how many of each subscription's latest messages attempts are kept. Default: 1,000,000.
    pub attempts_keep_messages: u64,
}

/// `[push]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Push {
    /// Networks, such as `10.0.0.0/8`, that posts may go to though they are not public. A server that listens on a
    /// loopback address allows loopback as well. Default: none.
    pub allow: Vec<IpNet>,
    /// How long a subscriber may take to answer, in milliseconds. Default: 15,000.
    pub timeout_ms: u64,
    /// Posts in flight, of all subscriptions together. Default: 512.
    pub posts: usize,
    /// A proxy for all posts, such as `http://10.0.0.1:3128`. Then addresses in URLs are checked as ever, while names
    /// are left to the proxy, which looks them up itself and has to keep private addresses out. Default: none.
    pub proxy: Option<Url>,
    /// A file of certificates in PEM form whose owners are trusted by https endpoints, beside those that this machine
    /// trusts. Default: none.
    pub ca_file: Option<PathBuf>,
}

fn one() -> u32 {
    1
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: "herald-data".into(),
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7400),
            insecure: false,
            keep_free_mb: 500,
            region: "ap-guangzhou".into(),
            zones: Vec::new(),
            key: None,
            master_key: None,
            connections: 10_000,
            tls: Tls::default(),
            audit: Audit::default(),
            jobs: Jobs::default(),
            nodes: Nodes::default(),
            storage: Storage::default(),
            messages: Messages::default(),
            push: Push::default(),
            console: ConsoleNames::default(),
        }
    }
}

impl Default for Jobs {
    fn default() -> Self {
        Self {
            quota: 0,
            template_quota: limits::TEMPLATES_DEFAULT,
            blocked_after_s: limits::BLOCKED_AFTER_S,
            retry_pause_s: limits::RETRY_PAUSE_DEFAULT_S,
            lost_retries: 0,
            keep_days: 30,
        }
    }
}

impl Default for Nodes {
    fn default() -> Self {
        Self {
            local_capacity: 32,
            env_quota: 0,
            cpu_quota: 0,
            refuse_larger_types: false,
            beat_ms: 2_000,
            silent_ms: 20_000,
            grace_ms: 10_000,
            sample_ms: 10_000,
            pids_per_cpu: 1_024,
            slots: 1,
            user: None,
            docker: Vec::new(),
            docker_run: Vec::new(),
            types: BTreeMap::new(),
        }
    }
}

impl Default for Messages {
    fn default() -> Self {
        Self {
            topic_owner: 1_250_000_000,
            keep_untaken: false,
            attempts_keep_days: limits::ATTEMPTS_KEPT_S / 86_400,
            attempts_keep_messages: limits::ATTEMPTS_KEPT_MESSAGES,
        }
    }
}

impl Default for Push {
    fn default() -> Self {
        Self { allow: Vec::new(), timeout_ms: 15_000, posts: limits::PUSH_PLACES, proxy: None, ca_file: None }
    }
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("failed to read the configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML, or holds what is not known.
    #[error("line {line} of the configuration: `{key}`: {problem}")]
    Syntax {
        /// Where, from 1.
        line: usize,
        /// The key's path, such as `nodes.beat_ms`.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// A value is out of its bounds.
    #[error("{key} is {value}; it should be {right}")]
    Value {
        /// The key's path.
        key: String,
        /// What it is.
        value: String,
        /// What would be right.
        right: &'static str,
    },
}

impl Config {
    /// Reads a file and checks it.
    ///
    /// # Errors
    /// [`ConfigError`], each kind.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.into(), source })?;
        Self::parse(&text)
    }

    /// Reads a file over which flags and variables will be laid: what it says is checked then.
    ///
    /// # Errors
    /// [`ConfigError::Read`] and [`ConfigError::Syntax`].
    pub fn read_unchecked(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.into(), source })?;
        Self::understand(&text)
    }

    /// Reads a text in TOML and checks it.
    ///
    /// # Errors
    /// [`ConfigError::Syntax`] and [`ConfigError::Value`].
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config = Self::understand(text)?;
        config.check()?;
        Ok(config)
    }

    fn understand(text: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let (line, key) = place(text, at);
            ConfigError::Syntax { line, key, problem: error.message().to_owned() }
        })
    }

    /// Checks what types do not: [`run`](crate::run) does so too, after flags and variables were laid over.
    ///
    /// # Errors
    /// [`ConfigError::Value`].
    pub fn check(&self) -> Result<(), ConfigError> {
        let is_here = self.listen.ip().to_canonical().is_loopback();
        ensure(
            is_here || self.insecure || self.tls.is_on(),
            "listen",
            self.listen,
            "a loopback address: keys, commands and outputs would cross the network unencrypted. Turn TLS on (`[tls]`, \
             `--tls`), or give `insecure` (`--insecure`) where that network is trusted",
        )?;
        let connections = self.connections;
        ensure((16..=1_000_000).contains(&connections), "connections", connections, "16 to 1000000")?;
        self.tls.check()?;
        let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let right_word = "a word of letters, digits and `-`";
        ensure(word(&self.region), "region", &self.region, right_word)?;
        for (position, zone) in self.zones.iter().enumerate() {
            ensure(word(zone), &format!("zones.{position}"), zone, right_word)?;
        }
        let nodes = &self.nodes;
        let span = |value: u64, most: u64| (1..=most).contains(&value);
        let (days, most) = (self.messages.attempts_keep_days, self.messages.attempts_keep_messages);
        ensure(span(days, 36_500), "messages.attempts_keep_days", days, "1 to 36500")?;
        ensure(most > 0, "messages.attempts_keep_messages", most, "at least 1")?;
        ensure(span(self.jobs.keep_days, 36_500), "jobs.keep_days", self.jobs.keep_days, "1 to 36500")?;
        let templates = self.jobs.template_quota;
        ensure(templates <= limits::TEMPLATES, "jobs.template_quota", templates, "0 to 10000")?;
        ensure(
            self.jobs.retry_pause_s <= limits::RETRY_PAUSE_S,
            "jobs.retry_pause_s",
            self.jobs.retry_pause_s,
            "0 to 86400",
        )?;
        ensure(self.jobs.blocked_after_s <= 86_400, "jobs.blocked_after_s", self.jobs.blocked_after_s, "0 to 86400")?;
        let capacity = nodes.local_capacity;
        ensure(capacity <= MOST_LOCAL_NODES, "nodes.local_capacity", capacity, "0 to 1024")?;
        ensure((20..=60_000).contains(&nodes.beat_ms), "nodes.beat_ms", nodes.beat_ms, "20 to 60000")?;
        let patient = nodes.silent_ms >= nodes.beat_ms.saturating_mul(2) && nodes.silent_ms <= 86_400_000;
        ensure(patient, "nodes.silent_ms", nodes.silent_ms, "at least twice nodes.beat_ms, and at most 86400000")?;
        ensure(nodes.grace_ms <= 600_000, "nodes.grace_ms", nodes.grace_ms, "0 to 600000")?;
        let samples = nodes.sample_ms;
        ensure((20..=3_600_000).contains(&samples), "nodes.sample_ms", samples, "20 to 3600000")?;
        let pids = nodes.pids_per_cpu;
        ensure(span(pids.into(), 32_768), "nodes.pids_per_cpu", pids, "1 to 32768")?;
        let words = nodes.docker.iter().chain(&nodes.docker_run);
        let right_words = "words of a command line";
        ensure(words.clone().all(|word| !word.is_empty()), "nodes.docker", "a list with an empty word", right_words)?;
        self.audit.check()?;
        self.storage.check()?;
        ensure(slots_fit(nodes.slots), "nodes.slots", nodes.slots, "1 to 1024")?;
        ensure(nodes.types.len() <= MOST_TYPES, "nodes.types", nodes.types.len(), "at most 1000 types")?;
        for (name, listed) in &nodes.types {
            let key = |field: &str| format!("nodes.types.{name}.{field}");
            ensure(span(listed.cpu.into(), 65_536), &key("cpu"), listed.cpu, "1 to 65536")?;
            ensure(span(listed.mem_gb.into(), 65_536), &key("mem_gb"), listed.mem_gb, "1 to 65536")?;
            ensure(slots_fit(listed.slots), &key("slots"), listed.slots, "1 to 1024")?;
            let category = listed.category.as_deref().unwrap_or("GENERAL");
            ensure(wire::batch::CATEGORIES.contains(&category), &key("category"), category, "one of the API's")?;
        }
        ensure(span(self.push.timeout_ms, 600_000), "push.timeout_ms", self.push.timeout_ms, "1 to 600000")?;
        ensure((8..=65_536).contains(&self.push.posts), "push.posts", self.push.posts, "8 to 65536")?;
        let proxy = self.push.proxy.as_ref();
        let fits = |proxy: &Url| matches!(proxy.scheme(), "http" | "https") && proxy.has_host();
        // Without user, password and query: what is wrong is told, never a secret.
        let shown = proxy.map(|url| format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default()));
        let shown = shown.unwrap_or_default();
        ensure(proxy.is_none_or(fits), "push.proxy", shown, "an address that begins with http:// or https://")
    }

    /// What requests are checked against.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let zones = if self.zones.is_empty() {
            (1..=9).map(|number| format!("{}-{number}", self.region)).collect()
        } else {
            self.zones.clone()
        };
        // What is listed goes before this machine, which is there in any case.
        let types = std::iter::once(OfferedType::of(this_machine())).chain(self.nodes.types.iter().map(offered));
        Settings {
            region: self.region.clone(),
            zones,
            mounts: self.storage.mounts.keys().cloned().collect(),
            catalogue: Catalogue::new(types, self.nodes.slots),
            sample_ms: self.nodes.sample_ms,
            pin: None,
            topic_owner: self.messages.topic_owner,
        }
    }

    /// What the kernel decides by.
    pub(crate) fn kernel_settings(&self) -> kernel::decide::Settings {
        kernel::decide::Settings {
            keep_untaken: self.messages.keep_untaken,
            attempts_kept_s: self.messages.attempts_keep_days * 86_400,
            attempts_kept: self.messages.attempts_keep_messages,
            job_quota: self.jobs.quota,
            template_quota: self.jobs.template_quota,
            env_quota: self.nodes.env_quota,
            cpu_quota: self.nodes.cpu_quota,
            blocked_after_s: self.jobs.blocked_after_s,
            node_places: Some(self.nodes.local_capacity as u64),
            retry_pause_s: self.jobs.retry_pause_s,
            lost_retries: self.jobs.lost_retries,
            audit_topic: self.audit.topic.clone(),
            mistakes: Mistakes::NONE,
        }
    }
}

impl Config {
    /// How large a node's type may be.
    pub(crate) fn largest_node(&self) -> Option<Size> {
        let NodeType { cpu, mem_gb, .. } = this_machine();
        self.nodes.refuse_larger_types.then_some(Size { cpu, mem_gb })
    }
}

const MOST_LOCAL_NODES: usize = 1_024;
/// Instance types that the configuration may list: replies name each in each zone.
const MOST_TYPES: usize = 1_000;

fn slots_fit(slots: u32) -> bool {
    (1..=limits::NODE_SLOTS).contains(&slots)
}

fn ensure(good: bool, key: &str, value: impl std::fmt::Display, right: &'static str) -> Result<(), ConfigError> {
    if good { Ok(()) } else { Err(ConfigError::Value { key: key.to_owned(), value: value.to_string(), right }) }
}

/// A listed type, as it is offered.
fn offered((name, listed): (&String, &ListedType)) -> OfferedType {
    let ListedType { cpu, mem_gb, slots, .. } = *listed;
    let usual = OfferedType::of(NodeType { name: name.clone(), cpu, mem_gb, slots });
    OfferedType {
        family: listed.family.clone().unwrap_or(usual.family),
        category: listed.category.clone().unwrap_or(usual.category),
        node: usual.node,
    }
}

/// The instance type `local`: this machine, one slot a core.
pub(crate) fn this_machine() -> NodeType {
    let cores = std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX));
    let kib = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:").map(str::to_owned))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    });
    let mem_gb = kib.map_or(1, |kib| u32::try_from(kib / (1024 * 1024)).unwrap_or(u32::MAX).max(1));
    NodeType { name: "local".into(), cpu: cores, mem_gb, slots: cores.clamp(1, limits::NODE_SLOTS) }
}

/// The line, from 1, and the path of the key at a byte of a TOML text.
fn place(text: &str, at: usize) -> (usize, String) {
    let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let this = text.lines().nth(line - 1).unwrap_or_default().trim();
    let header = |line: &str| {
        let inner = line.trim().strip_prefix('[')?.split(']').next()?.trim_start_matches('[').trim().to_owned();
        Some(inner)
    };
    if let Some(section) = header(this) {
        return (line, section);
    }
    let section = before.lines().rev().find_map(header);
    let key = this.split('=').next().unwrap_or_default().trim();
    (line, section.map_or_else(|| key.to_owned(), |section| format!("{section}.{key}")))
}

#[cfg(test)]
mod tests;
