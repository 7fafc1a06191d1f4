//! Containers that runs are in: their names, the records of them in `HOME/containers`, and their end.
//!
//! A container is no child of the agent, nor of its session: only its name tells whose it is. So before it is started
//! its name is written down, with the program that runs it; the record goes when the container is gone.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use wire::node::RunId;

use crate::limits::{CONTAINER_ASKED, CONTAINER_GONE, CONTAINER_PAUSE, CONTAINER_TOLD_BYTES, LEFTOVERS_LOOK};
use crate::simple;

/// The folder of the records in the node's folder.
pub(crate) const FOLDER: &str = "containers";

/// Programs that run containers, as they are looked for.
const PROGRAMS: [&str; 2] = ["docker", "podman"];
/// Where they are looked for beyond the PATH.
const FOLDERS: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

/// The name of a run's container.
pub(crate) fn name(run: RunId) -> String {
    format!("herald-{}-{}-{}-{}", run.job, run.task, run.index, run.attempt)
}

/// The program that runs containers, with its own arguments: the one that is configured, or else the first there is.
pub(crate) fn program(configured: &[String], path: &OsStr) -> Result<Vec<String>, String> {
    let found = |word: &str| {
        let found = simple::program(word, path).or_else(|| simple::program(word, OsStr::new(FOLDERS)));
        found.filter(|program| program.is_file()).map(|program| program.display().to_string())
    };
    match configured {
        [] => match PROGRAMS.iter().find_map(|word| found(word)) {
            Some(program) => Ok(vec![program]),
            None => Err("neither docker nor podman is on this machine".to_owned()),
        },
        [word, arguments @ ..] => match found(word) {
            Some(program) => Ok([&[program], arguments].concat()),
            None => Err(format!("{word}, which is configured to run containers, is not on this machine")),
        },
    }
}

/// Writes down that a container is about to be started.
pub(crate) fn record(folder: &Path, name: &str, program: &[String]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(folder.join(name))?;
    file.write_all(&serde_json::to_vec(program)?)
}

/// Ends a container that was written down, and returns when it is gone. Nothing happens for one that was not.
pub(crate) fn remove(folder: &Path, name: &str) -> io::Result<()> {
    let file = folder.join(name);
    let text = match fs::read(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        text => text?,
    };
    // A torn record was not acted on.
    if let Ok(program) = serde_json::from_slice::<Vec<String>>(&text)
        && !program.is_empty()
    {
        // `rm` alone would let some programs wait for an end in good order.
        call(&program, &["kill", name])?;
        let removed = call(&program, &["rm", "--force", name])?;
        if !removed.succeeded && !is_gone(&removed.stderr) {
            let told = call(&program, &["container", "inspect", name])?.stderr;
            if !is_gone(&told) {
                return Err(io::Error::other(format!("the container {name} cannot be removed: {}", told.trim())));
            }
        }
    }
    fs::remove_file(file)
}

/// Ends a container that was written down, however often that has to be tried: as long as it may live, its run may not
/// count as ended.
pub(crate) fn remove_at_last(folder: &Path, name: &str) {
    let mut is_told = false;
    while let Err(error) = remove(folder, name) {
        if !is_told {
            tracing::error!(name, %error, "failed to end a container; its run goes on until it is gone");
        }
        is_told = true;
        thread::sleep(CONTAINER_PAUSE);
    }
}

/// Whether a container that was written down may still be there.
pub(crate) fn is_recorded(folder: &Path, name: &str) -> bool {
    folder.join(name).exists()
}

/// Whether the memory that a recorded container may use ran out, as far as the program that ran it can tell: docker
/// always, podman where the machine has cgroup v2.
pub(crate) fn ran_out_of_memory(folder: &Path, name: &str) -> io::Result<bool> {
    let program: Vec<String> = serde_json::from_slice(&fs::read(folder.join(name))?)?;
    let asked = call(&program, &["container", "inspect", "--format", "{{.State.OOMKilled}}", name])?;
    Ok(asked.succeeded && asked.stdout.trim() == "true")
}

/// Whether the program does something at all: docker's does not without its daemon.
pub(crate) fn answers(program: &[String]) -> Result<(), String> {
    let name = program.join(" ");
    match call_within(program, &["version"], CONTAINER_ASKED) {
        Ok(called) if called.succeeded => Ok(()),
        Ok(called) => {
            let last = called.stderr.trim().lines().next_back().unwrap_or_default().to_owned();
            Err(format!("{name} is there and does not work: {last}"))
        }
        Err(error) => Err(format!("{name} is there and does not work: {error}")),
    }
}

/// The first process in a recorded container, by its id on the machine; `None` while there is none.
pub(crate) fn first_process(folder: &Path, name: &str) -> io::Result<Option<i32>> {
    let program: Vec<String> = serde_json::from_slice(&fs::read(folder.join(name))?)?;
    let words = ["container", "inspect", "--format", "{{.State.Pid}}", name];
    let asked = call_within(&program, &words, CONTAINER_ASKED)?;
    Ok(asked.stdout.trim().parse().ok().filter(|pid| asked.succeeded && *pid > 0))
}

/// Ends all containers that are written down in a node's folder. The answer is how many there were.
pub(crate) fn remove_all(home: &Path) -> io::Result<usize> {
    let folder = home.join(FOLDER);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut removed = 0;
    for entry in entries {
        if let Some(name) = entry?.file_name().to_str() {
            remove(&folder, name)?;
            removed += 1;
        }
    }
    Ok(removed)
}

fn is_gone(told: &str) -> bool {
    told.to_lowercase().contains("no such")
}

/// What came of a call of the program.
struct Called {
    succeeded: bool,
    stdout: String,
    stderr: String,
}

fn call(program: &[String], words: &[&str]) -> io::Result<Called> {
    call_within(program, words, CONTAINER_GONE)
}

fn call_within(program: &[String], words: &[&str], most: Duration) -> io::Result<Called> {
    let [name, arguments @ ..] = program else { return Err(io::ErrorKind::InvalidInput.into()) };
    let mut command = Command::new(name);
    command.args(arguments).args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let until = Instant::now() + most;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() > until {
            let _ = child.kill();
            let _ = child.wait();
            return Err(io::Error::new(io::ErrorKind::TimedOut, format!("{name} {} does not end", words.join(" "))));
        }
        thread::sleep(LEFTOVERS_LOOK);
    };
    // It has ended, so these do.
    let (stdout, stderr) = (text(child.stdout.take()), text(child.stderr.take()));
    Ok(Called { succeeded: status.success(), stdout, stderr })
}

fn text(stream: Option<impl Read>) -> String {
    let mut text = Vec::new();
    if let Some(stream) = stream {
        let _ = stream.take(CONTAINER_TOLD_BYTES).read_to_end(&mut text);
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A program that writes down how it is called, and says that there is no such container.
    fn fake(folder: &Path) -> Vec<String> {
        let program = folder.join("docker");
        let log = folder.join("log");
        let script =
            format!("#!/bin/sh\necho \"$@\" >> {}\necho 'Error: No such container' >&2\nexit 1\n", log.display());
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        vec![program.display().to_string(), "--root=x".to_owned()]
    }

    #[test]
    fn a_recorded_container_is_killed_and_removed() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(remove_all(home.path()).unwrap(), 0);
        let records = home.path().join(FOLDER);
        record(&records, "herald-1", &fake(home.path())).unwrap();
        assert_eq!(remove_all(home.path()).unwrap(), 1);
        let log = fs::read_to_string(home.path().join("log")).unwrap();
        assert_eq!(log, "--root=x kill herald-1\n--root=x rm --force herald-1\n");
        assert_eq!(fs::read_dir(records).unwrap().count(), 0);
    }

    #[test]
    fn the_program_tells_whether_the_memory_ran_out() {
        let home = tempfile::tempdir().unwrap();
        for (answer, code, ran_out) in [("true", 0, true), ("false", 0, false), ("true", 1, false)] {
            let program = home.path().join(format!("docker-{answer}-{code}"));
            fs::write(&program, format!("#!/bin/sh\n[ $1 = container ] && echo {answer}\nexit {code}\n")).unwrap();
            fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
            record(home.path(), "herald-1", &[program.display().to_string()]).unwrap();
            assert_eq!(ran_out_of_memory(home.path(), "herald-1").unwrap(), ran_out, "{answer} {code}");
        }
    }

    #[test]
    fn a_container_is_ended_as_soon_as_it_can_be() {
        let home = tempfile::tempdir().unwrap();
        let (program, calls) = (home.path().join("docker"), home.path().join("calls"));
        let script = format!(
            "#!/bin/sh\necho x >> {0}\n[ \"$(wc -l < {0})\" -gt 5 ] && exit 0\necho 'the engine is busy' >&2\nexit 1\n",
            calls.display()
        );
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let records = home.path().join(FOLDER);
        record(&records, "herald-1", &[program.display().to_string()]).unwrap();
        remove_at_last(&records, "herald-1");
        assert!(!is_recorded(&records, "herald-1"));
        assert_eq!(fs::read_to_string(calls).unwrap().lines().count(), 8, "kill, rm and inspect; again; kill and rm");
    }

    #[test]
    fn a_container_that_cannot_be_removed_stays_written_down() {
        let home = tempfile::tempdir().unwrap();
        let records = home.path().join(FOLDER);
        record(&records, "herald-1", &["/bin/false".to_owned()]).unwrap();
        assert!(remove_all(home.path()).is_err());
        assert!(records.join("herald-1").exists());
    }

    #[test]
    fn the_program_is_the_configured_one_or_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let fake = fake(folder.path());
        assert_eq!(program(&[], folder.path().as_os_str()).unwrap(), fake[..1]);
        let configured = ["docker".to_owned(), "--root=x".to_owned()];
        assert_eq!(program(&configured, folder.path().as_os_str()).unwrap(), fake);
        let missing = program(&["no-such-program".to_owned()], OsStr::new(""));
        assert!(missing.unwrap_err().contains("no-such-program"));
        let missing = program(&["/no/such/program".to_owned()], OsStr::new(""));
        assert!(missing.unwrap_err().contains("/no/such/program"));
    }
}
