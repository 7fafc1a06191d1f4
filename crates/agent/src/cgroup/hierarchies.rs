//! Where this process stands in the hierarchies of control groups.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The group that this process is in, in each hierarchy that is mounted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Hierarchies {
    /// In that of version 2.
    pub(super) v2: Option<PathBuf>,
    /// In those of version 1, each with its controllers, or with its name as `name=...`.
    pub(super) v1: Vec<(Vec<String>, PathBuf)>,
}

impl Hierarchies {
    /// As `/proc` tells.
    pub(super) fn find() -> io::Result<Self> {
        let mounts = fs::read_to_string("/proc/self/mountinfo")?;
        Ok(Self::parse(&mounts, &fs::read_to_string("/proc/self/cgroup")?))
    }

    fn parse(mounts: &str, groups: &str) -> Self {
        let mut found = Self::default();
        for mount in mounts.lines().filter_map(Mount::parse) {
            if mount.kind == "cgroup2" && found.v2.is_none() {
                found.v2 = own(groups, "").and_then(|own| mount.folder(own));
            } else if mount.kind == "cgroup" {
                let names: Vec<String> = mount.options.split(',').map(str::to_owned).collect();
                let folder = names.iter().find_map(|name| own(groups, name)).and_then(|own| mount.folder(own));
                found.v1.extend(folder.map(|folder| (names, folder)));
            }
        }
        found
    }

    /// The group in which this process stands in the hierarchy where processes are tracked: that of version 2, where
    /// a group can be killed as a whole, or else one of version 1 that this process may make groups in.
    pub(super) fn tracking(&self) -> Option<&Path> {
        let named = |(names, _): &&(Vec<String>, PathBuf)| names.iter().any(|name| name.starts_with("name="));
        let v1 = || self.v1.iter().find(named).or_else(|| self.v1.first());
        self.v2.as_deref().or_else(|| v1().map(|(_, folder)| folder.as_path()))
    }

    /// The group of the hierarchy of version 1 that has a controller.
    pub(super) fn v1_with(&self, controller: &str) -> Option<&Path> {
        let with = self.v1.iter().find(|(names, _)| names.iter().any(|name| name == controller));
        with.map(|(_, folder)| folder.as_path())
    }

    /// Every group that this process is in.
    pub(super) fn all(&self) -> impl Iterator<Item = &Path> {
        self.v2.iter().chain(self.v1.iter().map(|(_, folder)| folder)).map(PathBuf::as_path)
    }

    /// Which version a folder's hierarchy is of, for people.
    pub(super) fn version(&self, folder: &Path) -> &'static str {
        if self.v2.as_ref().is_some_and(|v2| folder.starts_with(v2)) { "v2" } else { "v1" }
    }
}

/// A line of `/proc/self/mountinfo`.
struct Mount<'a> {
    kind: &'a str,
    /// The group that the mount shows as its root.
    root: &'a str,
    point: String,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (before, after) = line.split_once(" - ")?;
        let mut before = before.split(' ').skip(3);
        let (root, point) = (before.next()?, before.next()?);
        let mut after = after.split(' ');
        let (kind, options) = (after.next()?, after.nth(1)?);
        // Blanks are written as octal numbers.
        Some(Self { kind, root, point: point.replace("\\040", " "), options })
    }

    /// The folder of a group, if the mount shows it.
    fn folder(&self, own: &str) -> Option<PathBuf> {
        let below = Path::new(own).strip_prefix(self.root).ok()?;
        Some(Path::new(&self.point).join(below))
    }
}

/// The group in the hierarchy with this controller or name, as `/proc/self/cgroup` tells; no name: that of version 2.
fn own<'a>(groups: &'a str, name: &str) -> Option<&'a str> {
    groups.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (number, names, path) = (parts.next()?, parts.next()?, parts.next()?);
        let is = if name.is_empty() { number == "0" } else { names.split(',').any(|one| one == name) };
        is.then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_2_alone() {
        let mounts = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
        let found = Hierarchies::parse(mounts, "0::/user.slice/user-0.slice/session-1.scope\n");
        let own = Path::new("/sys/fs/cgroup/user.slice/user-0.slice/session-1.scope");
        assert_eq!((found.v2.as_deref(), found.v1.len(), found.tracking()), (Some(own), 0, Some(own)));
        assert_eq!(found.version(&own.join("x")), "v2");
    }

    #[test]
    fn both_versions() {
        let mounts = "\
            1 0 8:1 / / rw - ext4 /dev/vda rw\n\
            2 1 0:2 / /cg/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
            3 1 0:3 /box /cg/memory rw - cgroup cgroup rw,memory\n\
            4 1 0:4 / /cg/my\\040named rw - cgroup cgroup rw,name=systemd\n\
            5 1 0:5 / /cg/unified rw - cgroup2 cgroup2 rw\n";
        let groups = "4:memory:/box/inner\n3:cpu,cpuacct:/a\n1:name=systemd:/n\n0::/\n";
        let found = Hierarchies::parse(mounts, groups);
        assert_eq!(found.v2.as_deref(), Some(Path::new("/cg/unified/")));
        assert_eq!(found.v1_with("cpu"), Some(Path::new("/cg/cpu,cpuacct/a")));
        assert_eq!(found.v1_with("memory"), Some(Path::new("/cg/memory/inner")));
        assert_eq!(found.v1_with("pids"), None);
        let without_v2 = Hierarchies { v2: None, ..found };
        assert_eq!(without_v2.tracking(), Some(Path::new("/cg/my named/n")));
        assert_eq!(without_v2.version(Path::new("/cg/my named/n")), "v1");
    }

    #[test]
    fn none_at_all() {
        let found = Hierarchies::parse("1 0 8:1 / / rw - ext4 /dev/vda rw\n", "");
        assert_eq!((found.clone(), found.tracking()), (Hierarchies::default(), None));
    }
}
