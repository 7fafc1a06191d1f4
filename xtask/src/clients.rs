//! `cargo xtask clients`: the official clients, pinned, in a virtual environment of the workspace's own.
//!
//! The environment is made anew when the list of packages changes. That list is copied into it only after everything
//! in it was installed, so an installation that was cut short is never taken for a whole one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::packages;
use crate::process::{Failure, run};

/// The packages, as `pip` reads them.
const REQUIREMENTS: &str = "crates/cli/tests/clients/requirements.txt";
/// Where they are installed.
const ENVIRONMENT: &str = "target/clients-venv";
/// Exits 0 in a Python that the clients run on and that can make virtual environments.
const USABLE: &str = "import sys, venv, ensurepip; sys.exit(not (3, 8) <= sys.version_info[:2] <= (3, 13))";
/// Minor versions, best first: those in wide use before the oldest and the newest.
const MINORS: [&str; 6] = ["11", "12", "10", "13", "9", "8"];

/// Makes the environment unless it is there already, and returns the path of its Python.
pub(crate) fn prepare(root: &Path) -> Result<PathBuf, Failure> {
    let wanted_file = root.join(REQUIREMENTS);
    let wanted = fs::read(&wanted_file).map_err(file_failure("read", &wanted_file))?;
    let environment = root.join(ENVIRONMENT);
    let installed = environment.join("requirements.txt");
    let python = environment.join("bin/python");
    if fs::read(&installed).is_ok_and(|packages| packages == wanted) && usable(&python) {
        return Ok(python);
    }

    let base = find_or_install_python()?;
    eprintln!("installing the official clients with {} into {}", base.display(), environment.display());
    if environment.exists() {
        fs::remove_dir_all(&environment).map_err(file_failure("remove", &environment))?;
    }
    run(Command::new(base).args(["-m", "venv"]).arg(&environment), "make a virtual environment")?;
    // Compiling all of the SDK's thousands of modules ahead takes longer than the rest of the installation.
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-compile"];
    run(Command::new(&python).args(pip).arg("-r").arg(&wanted_file), "install the official clients")?;
    fs::write(&installed, wanted).map_err(file_failure("write", &installed))?;
    Ok(python)
}

/// A Python of this machine; Debian's is installed where there is none and the user is root.
fn find_or_install_python() -> Result<PathBuf, Failure> {
    if let Some(python) = find_python() {
        return Ok(python);
    }
    if packages::may_install() {
        packages::install(&["python3", "python3-venv"])?;
    }
    find_python().ok_or_else(|| Failure::NoPython { pyenv: pyenv_versions() })
}

/// The first usable Python: by versioned name on PATH, then plain `python3`, then those that pyenv keeps off PATH.
fn find_python() -> Option<PathBuf> {
    let by_version = MINORS.iter().map(|minor| PathBuf::from(format!("python3.{minor}")));
    let plain = ["python3", "/usr/bin/python3"].map(PathBuf::from);
    by_version.chain(plain).chain(pyenv_pythons()).find(|python| usable(python))
}

/// Every Python that pyenv has installed, used or not.
fn pyenv_pythons() -> Vec<PathBuf> {
    let Ok(versions) = fs::read_dir(pyenv_versions()) else {
        return Vec::new();
    };
    let mut pythons: Vec<PathBuf> = versions.flatten().map(|version| version.path().join("bin/python3")).collect();
    pythons.sort();
    pythons
}

/// The folder in which pyenv keeps its versions.
fn pyenv_versions() -> PathBuf {
    let named = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("/root"), PathBuf::from);
    named.unwrap_or_else(|| home.join(".pyenv")).join("versions")
}

/// Whether `python` runs, is of a version that the clients run on, and can make virtual environments. It must be
/// run to know: pyenv puts names on PATH that end in an error.
fn usable(python: &Path) -> bool {
    let mut check = Command::new(python);
    check.args(["-c", USABLE]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    check.status().is_ok_and(|status| status.success())
}

/// Makes an error of a file operation into a failure.
pub(crate) fn file_failure(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Failure {
    let path = path.to_path_buf();
    move |source| Failure::File { what, path, source }
}
