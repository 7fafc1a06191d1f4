//! What the black-box tests need of Debian: podman, which runs containers, and busybox, which an image is made of;
//! Chromium with its driver and a font, which look at the console; strace, which shows when the server syncs.
//!
//! Installed where it is missing and the user may install packages; elsewhere the tests that need it say so.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::process::{Failure, run};

const APT: &str = "/usr/bin/apt-get";
/// Files that must be there, and the packages that have them.
const NEEDED: [(&str, &str); 7] = [
    ("/usr/bin/podman", "podman"),
    ("/usr/sbin/runc", "runc"),
    ("/usr/bin/strace", "strace"),
    ("/bin/busybox", "busybox-static"),
    ("/usr/bin/chromium", "chromium"),
    ("/usr/bin/chromedriver", "chromium-driver"),
    ("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "fonts-dejavu-core"),
];

/// Installs what is missing.
pub(crate) fn prepare() -> Result<(), Failure> {
    let missing = NEEDED.iter().filter(|(program, _)| !Path::new(program).exists());
    let missing: Vec<&str> = missing.map(|(_, package)| *package).collect();
    if missing.is_empty() || !may_install() {
        return Ok(());
    }
    install(&missing)
}

/// Whether this user may install Debian's packages.
pub(crate) fn may_install() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0) && Path::new(APT).exists()
}

/// Installs Debian's packages of these names.
pub(crate) fn install(packages: &[&str]) -> Result<(), Failure> {
    let mut apt = Command::new(APT);
    run(apt.args(["update", "-q"]).stdin(Stdio::null()), "update the list of Debian's packages")?;
    let mut apt = Command::new(APT);
    apt.args(["install", "-y", "-q", "--no-install-recommends"]).args(packages);
    apt.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    run(&mut apt, &format!("install {}", packages.join(", ")))
}
