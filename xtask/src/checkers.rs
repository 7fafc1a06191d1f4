//! What the tests hold the console's pages against: html-validate and axe-core, pinned, in a folder of the
//! workspace's own.
//!
//! As with the official clients, the list of packages is copied last, so that a cut installation is never taken for a
//! whole one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::clients::file_failure;
use crate::packages;
use crate::process::{Failure, run};

/// The packages, as `npm` reads them.
const PACKAGES: &str = "crates/cli/tests/console/package.json";
/// Where they are installed.
const FOLDER: &str = "target/console-checkers";

/// Installs them unless they are there already, and returns their folder.
pub(crate) fn prepare(root: &Path) -> Result<PathBuf, Failure> {
    let wanted_file = root.join(PACKAGES);
    let wanted = fs::read(&wanted_file).map_err(file_failure("read", &wanted_file))?;
    let folder = root.join(FOLDER);
    let installed = folder.join("installed.json");
    if fs::read(&installed).is_ok_and(|packages| packages == wanted) {
        return Ok(folder);
    }
    let is_there = Command::new("npm").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !is_there && packages::may_install() {
        packages::install(&["nodejs", "npm"])?;
    } else if !is_there {
        return Err(Failure::NoNpm);
    }
    fs::create_dir_all(&folder).map_err(file_failure("make", &folder))?;
    let copied = folder.join("package.json");
    fs::write(&copied, &wanted).map_err(file_failure("write", &copied))?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]);
    run(npm.current_dir(&folder).stdin(Stdio::null()), "install what the console's pages are held against")?;
    fs::write(&installed, wanted).map_err(file_failure("write", &installed))?;
    Ok(folder)
}
