//! The checks.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};
use nix::sys::statvfs::statvfs;

use super::Finding;

/// Below this a server will soon be full.
const SPACE_MB: u64 = 1_024;
/// Syncs that are timed.
const SYNCS: usize = 16;
/// A sync that takes longer bounds how many commits there are in a second to less than a few dozen.
const SLOW_SYNC: Duration = Duration::from_millis(30);
/// How long whoever listens may take to answer.
const ANSWER: Duration = Duration::from_secs(2);
/// 2024-01-01. A clock that shows less was never set.
const EARLIEST_S: u64 = 1_704_067_200;

/// The folder itself, or the nearest one above it that is there.
fn nearest(folder: &Path) -> PathBuf {
    let here = Path::new(".");
    let absolute = if folder.is_absolute() { folder.to_owned() } else { here.join(folder) };
    absolute.ancestors().find(|folder| folder.is_dir()).unwrap_or(here).to_owned()
}

pub(super) fn data_folder(data: &Path) -> Finding {
    const CHECK: &str = "data folder";
    let shown = data.display();
    let metadata = match fs::metadata(data) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let above = nearest(data);
            return if nix::unistd::access(&above, nix::unistd::AccessFlags::W_OK).is_ok() {
                Finding::fine(CHECK, format!("{shown} is not there yet; the first start makes it"))
            } else {
                let advice = format!("make {} writable, or choose another with --data", above.display());
                Finding::fail(CHECK, format!("{shown} cannot be made"), advice)
            };
        }
        Err(error) => return Finding::fail(CHECK, format!("{shown}: {error}"), "choose another with --data"),
        Ok(metadata) => metadata,
    };
    if !metadata.is_dir() {
        return Finding::fail(CHECK, format!("{shown} is no folder"), "choose another with --data");
    }
    if nix::unistd::access(data, nix::unistd::AccessFlags::W_OK).is_err() {
        return Finding::fail(
            CHECK,
            format!("{shown} cannot be written to"),
            "give it to the user that runs the server",
        );
    }
    let used = server_of(data);
    if metadata.permissions().mode() & 0o077 != 0 {
        let advice = format!("chmod 700 {shown}: commands, messages and outputs are in it");
        return Finding::warn(CHECK, format!("others may look into {shown}"), advice);
    }
    Finding::fine(CHECK, format!("{shown}{used}"))
}

/// What is said of the server that uses the folder.
fn server_of(data: &Path) -> String {
    let Ok(file) = OpenOptions::new().read(true).open(data.join("lock")) else { return String::new() };
    match Flock::lock(file, FlockArg::LockSharedNonblock) {
        Ok(_) => ", which no server uses now".to_owned(),
        Err(_) => {
            let pid = fs::read_to_string(data.join("lock")).unwrap_or_default();
            format!(", used by the server with process id {}", pid.trim())
        }
    }
}

pub(super) fn space(data: &Path) -> Finding {
    const CHECK: &str = "disk space";
    match statvfs(&nearest(data)) {
        Err(errno) => Finding::warn(CHECK, format!("cannot be found out: {errno}"), "look at it yourself"),
        Ok(found) => {
            let mb = found.blocks_available() * found.fragment_size() / (1_024 * 1_024);
            let told = format!("{:.1} GiB free", mb as f64 / 1_024.0);
            if mb < SPACE_MB {
                Finding::fail(CHECK, told, "free some, or choose another folder with --data")
            } else {
                Finding::fine(CHECK, told)
            }
        }
    }
}

/// How long it takes until something is on the disk: every commit waits for that.
pub(super) fn sync(data: &Path) -> Finding {
    const CHECK: &str = "disk sync";
    let timed = || -> io::Result<Duration> {
        let mut file = tempfile::tempfile_in(nearest(data))?;
        let mut times = Vec::new();
        for _ in 0..SYNCS {
            file.write_all(&[0; 4_096])?;
            let begin = Instant::now();
            file.sync_data()?;
            times.push(begin.elapsed());
        }
        times.sort_unstable();
        Ok(times[SYNCS / 2])
    };
    match timed() {
        Err(error) => Finding::fail(CHECK, format!("failed: {error}"), "choose another folder with --data"),
        Ok(median) => {
            let told = format!("{:.2} ms, median of {SYNCS}", median.as_secs_f64() * 1_000.0);
            if median > SLOW_SYNC {
                let advice = "every commit waits for one: a faster disk makes a faster server";
                Finding::warn(CHECK, told, advice)
            } else {
                Finding::fine(CHECK, told)
            }
        }
    }
}

pub(super) async fn port(listen: SocketAddr) -> Finding {
    const CHECK: &str = "port";
    match std::net::TcpListener::bind(listen) {
        Ok(_) => Finding::fine(CHECK, format!("{listen} is free")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            if answers(listen).await {
                Finding::fine(CHECK, format!("a Herald server answers at {listen}"))
            } else {
                Finding::fail(CHECK, format!("something else listens at {listen}"), "choose another with --listen")
            }
        }
        Err(error) => Finding::fail(CHECK, format!("{listen}: {error}"), "choose another with --listen"),
    }
}

/// Whether a server of ours answers there.
async fn answers(listen: SocketAddr) -> bool {
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Nothing is told to whoever answers, so that any certificate will do.
    let http = reqwest::Client::builder().no_proxy().timeout(ANSWER).tls_danger_accept_invalid_certs(true).build();
    let Ok(http) = http else { return false };
    for scheme in ["http", "https"] {
        let asked = async { http.get(format!("{scheme}://{listen}/console/login")).send().await?.text().await };
        if asked.await.is_ok_and(|page| page.contains("Herald")) {
            return true;
        }
    }
    false
}

pub(super) fn cgroups() -> Finding {
    let (whole, facts) = ::agent::survey_limits();
    if whole {
        return Finding::fine("cgroups", facts);
    }
    let advice =
        "instance types do not bound what is not limited; run the server as root, or in a unit with Delegate=yes";
    Finding::warn("cgroups", facts, advice)
}

pub(super) fn containers() -> Finding {
    const CHECK: &str = "containers";
    match ::agent::survey_containers() {
        Ok(program) => Finding::fine(CHECK, program),
        Err(why) => {
            Finding::warn(CHECK, why, "install one, if tasks are to run in containers; or name it in nodes.docker")
        }
    }
}

pub(super) fn clock() -> Finding {
    const CHECK: &str = "clock";
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    if now.as_secs() < EARLIEST_S {
        let advice = "set it: signatures are refused when client and server differ by five minutes";
        return Finding::fail(CHECK, "was never set", advice);
    }
    if is_synchronised() {
        return Finding::fine(CHECK, "synchronised");
    }
    let advice = "nothing on this machine keeps it right; run chrony or systemd-timesyncd";
    Finding::warn(CHECK, "not known to be synchronised", advice)
}

/// Whether something keeps the clock right, as far as systemd or chrony say so.
fn is_synchronised() -> bool {
    Path::new("/run/systemd/timesync/synchronized").exists() || Path::new("/run/chrony").exists()
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_data_folder_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("deep/data");
        assert_eq!(data_folder(&data).verdict, Verdict::Fine, "it can be made");
        fs::create_dir_all(&data).unwrap();
        fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(data_folder(&data).verdict, Verdict::Warn);
        fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(data_folder(&data).verdict, Verdict::Fine);
        fs::write(data.join("lock"), "17\n").unwrap();
        assert!(data_folder(&data).found.contains("which no server uses now"));
        let file = OpenOptions::new().read(true).write(true).open(data.join("lock")).unwrap();
        let _lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).unwrap();
        assert!(data_folder(&data).found.contains("process id 17"));
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(data_folder(&file).verdict, Verdict::Fail);
        assert_eq!(sync(&data).check, "disk sync");
    }

    #[tokio::test]
    async fn a_port_is_free_or_taken() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || drop(listener.accept()));
        assert_eq!(port(address).await.verdict, Verdict::Fail);
    }
}
