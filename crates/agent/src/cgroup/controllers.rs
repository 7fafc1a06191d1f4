//! Controllers: what they are told in either version, and what they tell.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::hierarchies::Hierarchies;
use crate::config::NodeLimits;
use crate::limits::CPU_PERIOD_US;

/// What is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Cpu,
    Memory,
    Pids,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Cpu, Self::Memory, Self::Pids];

    /// The controller's name, in both versions.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Pids => "pids",
        }
    }
}

/// What processes of a group may use together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    /// Processor time within each [`CPU_PERIOD_US`], on all cores together.
    cpu_us: u64,
    pub(super) memory_bytes: u64,
    pids: u64,
}

impl Bounds {
    pub(super) fn of(limits: &NodeLimits) -> Self {
        Self {
            cpu_us: u64::from(limits.cpu) * CPU_PERIOD_US,
            memory_bytes: limits.mem_mb * 1024 * 1024,
            pids: limits.pids.into(),
        }
    }

    /// Processor time within each second, in microseconds.
    pub(super) fn cpu_us_per_s(&self) -> u64 {
        self.cpu_us * (1_000_000 / CPU_PERIOD_US)
    }

    /// As an option of `docker run`.
    pub(super) fn container_option(&self, kind: Kind) -> String {
        match kind {
            Kind::Cpu => {
                let hundredths = self.cpu_us * 100 / CPU_PERIOD_US;
                format!("--cpus={}.{:02}", hundredths / 100, hundredths % 100)
            }
            Kind::Memory => format!("--memory={}b", self.memory_bytes),
            Kind::Pids => format!("--pids-limit={}", self.pids),
        }
    }

    /// One slot's part.
    pub(super) fn share(self, slots: u32) -> Self {
        let slots = u64::from(slots.max(1));
        Self {
            // Less than a hundredth of a core is refused by the kernel.
            cpu_us: (self.cpu_us / slots).max(CPU_PERIOD_US / 100),
            memory_bytes: self.memory_bytes / slots,
            pids: (self.pids / slots).max(1),
        }
    }
}

/// A controller, and the group below which it bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Controller {
    kind: Kind,
    v2: bool,
    base: PathBuf,
}

impl Controller {
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn is_v2(&self) -> bool {
        self.v2
    }

    pub(super) fn base(&self) -> &Path {
        &self.base
    }

    pub(super) fn below(self, name: &str) -> Self {
        Self { base: self.base.join(name), ..self }
    }

    /// Bounds a group.
    pub(super) fn limit(&self, group: &Path, bounds: &Bounds) -> io::Result<()> {
        let set = |file: &str, text: String| fs::write(group.join(file), text);
        match (self.kind, self.v2) {
            (Kind::Cpu, true) => set("cpu.max", format!("{} {CPU_PERIOD_US}", bounds.cpu_us)),
            (Kind::Cpu, false) => {
                set("cpu.cfs_period_us", CPU_PERIOD_US.to_string())?;
                set("cpu.cfs_quota_us", bounds.cpu_us.to_string())
            }
            (Kind::Memory, true) => {
                // Where swap is not counted these are missing, and then there is nothing to be said to it.
                let _ = set("memory.swap.max", "0".to_owned());
                let _ = set("memory.oom.group", "1".to_owned());
                set("memory.max", bounds.memory_bytes.to_string())
            }
            (Kind::Memory, false) => {
                set("memory.limit_in_bytes", bounds.memory_bytes.to_string())?;
                let _ = set("memory.memsw.limit_in_bytes", bounds.memory_bytes.to_string());
                Ok(())
            }
            (Kind::Pids, _) => set("pids.max", bounds.pids.to_string()),
        }
    }

    /// How often the kernel has ended a process of this group because its memory ran out.
    pub(super) fn times_out_of_memory(&self, group: &Path) -> u64 {
        let file = if self.v2 { "memory.events" } else { "memory.oom_control" };
        fs::read_to_string(group.join(file)).ok().and_then(|text| field(&text, "oom_kill")).unwrap_or(0)
    }

    /// The memory that a group uses and cannot easily do without, in bytes.
    pub(super) fn memory_bytes(&self, group: &Path) -> Option<u64> {
        let (file, inactive) = if self.v2 {
            ("memory.current", "inactive_file")
        } else {
            ("memory.usage_in_bytes", "total_inactive_file")
        };
        let used: u64 = fs::read_to_string(group.join(file)).ok()?.trim().parse().ok()?;
        let inactive = fs::read_to_string(group.join("memory.stat")).ok().and_then(|text| field(&text, inactive));
        Some(used.saturating_sub(inactive.unwrap_or(0)))
    }
}

/// Processor time that a group of version 2 has used, in microseconds. Each has that, whatever its controllers.
pub(super) fn cpu_us(group: &Path) -> Option<u64> {
    field(&fs::read_to_string(group.join("cpu.stat")).ok()?, "usage_usec")
}

/// The number behind a name in a file of such pairs.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

/// The controllers that can be used, and the group of version 2 in which the node's own group is to be made.
///
/// In version 2 a group with processes cannot pass controllers on to groups below it, unless it is the root. So it is
/// this process's own group, or the one above it, which has none where a service manager made a group for the service
/// (`Delegate=` with `DelegateSubgroup=`) or a session.
pub(super) fn find(found: &Hierarchies) -> (Option<PathBuf>, Vec<Controller>) {
    let mut controllers = Vec::new();
    let own = found.v2.as_deref();
    let candidates = own.into_iter().chain(own.and_then(Path::parent)).filter(|folder| is_group(folder));
    let best = candidates
        .map(|folder| (folder, passed_on(folder)))
        .reduce(|best, next| if next.1.len() > best.1.len() { next } else { best });
    if let Some((folder, kinds)) = &best {
        controllers.extend(kinds.iter().map(|kind| Controller { kind: *kind, v2: true, base: (*folder).to_owned() }));
    }
    for kind in Kind::ALL {
        if controllers.iter().any(|controller| controller.kind == kind) {
            continue;
        }
        let folder = found.v1_with(kind.as_str());
        controllers.extend(folder.map(|folder| Controller { kind, v2: false, base: folder.to_owned() }));
    }
    (best.map(|(folder, _)| folder.to_owned()), controllers)
}

fn is_group(folder: &Path) -> bool {
    folder.join(PASS_ON).exists()
}

/// The file that says which controllers the groups below have.
const PASS_ON: &str = "cgroup.subtree_control";

/// The controllers that groups below this one have, those included that it could be told to pass on.
fn passed_on(folder: &Path) -> Vec<Kind> {
    let words = |file: &str| fs::read_to_string(folder.join(file)).unwrap_or_default();
    let has = |text: &str, kind: Kind| text.split_ascii_whitespace().any(|word| word == kind.as_str());
    let (there, passed) = (words("cgroup.controllers"), words(PASS_ON));
    let wanted = Kind::ALL.into_iter().filter(|kind| has(&there, *kind));
    wanted.filter(|kind| has(&passed, *kind) || pass(folder, *kind).is_ok()).collect()
}

fn pass(folder: &Path, kind: Kind) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().append(true).open(folder.join(PASS_ON))?;
    io::Write::write_all(&mut file, format!("+{} ", kind.as_str()).as_bytes())
}

/// Has the node's group of version 2 pass its controllers on to those of its runs.
pub(super) fn pass_on(controllers: &[Controller]) -> io::Result<()> {
    for controller in controllers.iter().filter(|controller| controller.v2) {
        fs::write(controller.base.join(PASS_ON), format!("+{}", controller.kind.as_str()))?;
    }
    Ok(())
}
