//! How full the machine's disks are.

use std::fs;
use std::io;
use std::path::Path;

use nix::sys::statvfs::statvfs;

use crate::limits::DISKS;

/// The disks by name, such as `vda`, each with how full it is, in hundredths of a percent as `df` counts it: of what
/// anyone may use. Always among them is what holds `folder`, be it no disk of this machine.
pub(crate) fn used(folder: &Path) -> io::Result<Vec<(String, u32)>> {
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let mut found = Vec::new();
    for (name, point) in disks(&mounts, folder) {
        // One that does not answer, or has no size, is none.
        let Ok(stat) = statvfs(Path::new(&point)) else { continue };
        let used = u128::from(stat.blocks().saturating_sub(stat.blocks_free()));
        let usable = used + u128::from(stat.blocks_available());
        if let Some(part) = (used * 10_000).checked_div(usable) {
            found.push((name, u32::try_from(part).unwrap_or(10_000)));
        }
    }
    Ok(found)
}

/// Names and places of the disks in a table of mounts.
fn disks(mounts: &str, folder: &Path) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let all: Vec<(String, String)> = mounts.lines().filter_map(mount).collect();
    // The innermost mount that holds the folder; of several at one place the last hides the others.
    let home = all.iter().filter(|(_, point)| folder.starts_with(point)).max_by_key(|(_, point)| point.len());
    let devices = all.iter().filter(|(source, _)| source.starts_with("/dev/"));
    for (source, point) in home.into_iter().chain(devices) {
        let name = source.rsplit('/').next().unwrap_or(source).to_owned();
        if found.len() < DISKS && !found.iter().any(|(known, _)| *known == name) {
            found.push((name, point.clone()));
        }
    }
    found
}

/// Source and place of a line of `/proc/self/mountinfo`.
fn mount(line: &str) -> Option<(String, String)> {
    let (before, after) = line.split_once(" - ")?;
    let point = before.split(' ').nth(4)?;
    let source = after.split(' ').nth(1)?;
    // Blanks are written as octal numbers.
    Some((source.replace("\\040", " "), point.replace("\\040", " ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_are_what_devices_are_mounted_from() {
        let mounts = "\
            1 0 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
            2 1 0:5 / /proc rw - proc proc rw\n\
            3 1 254:16 / /data\\040one rw - xfs /dev/mapper/one rw\n\
            4 1 254:0 /x /mnt rw - ext4 /dev/vda rw\n\
            5 1 0:9 / /tmp rw shared:1 - tmpfs scratch rw\n";
        let named = |folder: &str| {
            disks(mounts, Path::new(folder))
                .into_iter()
                .map(|(name, point)| format!("{name}={point}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(named("/home/node"), ["vda=/", "one=/data one"]);
        assert_eq!(named("/tmp/node"), ["scratch=/tmp", "vda=/", "one=/data one"]);
        assert_eq!(named("/data one/node"), ["one=/data one", "vda=/"]);
    }

    #[test]
    fn this_machine_has_one() {
        let folder = tempfile::tempdir().unwrap();
        let found = used(folder.path()).unwrap();
        assert!(found.iter().any(|(name, used)| !name.is_empty() && (1..=10_000).contains(used)), "{found:?}");
    }
}
