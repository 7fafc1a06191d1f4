//! Containers: commands that run in an image, through podman.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::field::{Field, wait_for_file};
use crate::support::files::tgz;
use crate::support::wait;

const IMAGE: &str = "localhost/herald-test:1";
const COS: &str = "cos://data-1250000000.cos.ap-guangzhou.myqcloud.com/";

/// Podman with storage of its own, and one image, made of busybox. It ends all containers when dropped.
struct Podman {
    command: Vec<String>,
    folder: tempfile::TempDir,
}

impl Podman {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("herald-podman-").tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let command = [
            "podman",
            "--root",
            &path("root"),
            "--runroot",
            &path("run"),
            "--tmpdir",
            &path("tmp"),
            "--runtime",
            "runc",
            "--cgroup-manager=cgroupfs",
            "--events-backend=none",
            "--storage-driver=vfs",
        ];
        let podman = Self { command: command.map(str::to_owned).to_vec(), folder };
        let image = podman.image();
        let imported = podman.run(&["import", "--quiet", &image.display().to_string(), IMAGE]);
        let told = String::from_utf8_lossy(&imported.stderr);
        assert!(imported.status.success(), "`cargo xtask test` installs podman: {told}");
        podman
    }

    /// The archive of a root file system: one program, which is all the tools there are.
    fn image(&self) -> PathBuf {
        let root = self.folder.path().join("image");
        for folder in ["bin", "tmp", "etc", "proc", "sys", "dev"] {
            fs::create_dir_all(root.join(folder)).expect("a folder of the test");
        }
        fs::copy("/bin/busybox", root.join("bin/busybox")).expect("`cargo xtask test` installs busybox-static");
        for tool in ["sh", "cat", "sleep", "echo", "tr", "mkdir", "env", "touch", "ls", "id"] {
            std::os::unix::fs::symlink("busybox", root.join("bin").join(tool)).expect("a link of the test");
        }
        let archive = self.folder.path().join("image.tar");
        let made = Command::new("tar").arg("-C").arg(&root).arg("-cf").arg(&archive).arg(".").status();
        assert!(made.is_ok_and(|status| status.success()), "tar makes the image");
        archive
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut podman = Command::new(&self.command[0]);
        podman.args(&self.command[1..]).args(args).stdin(Stdio::null());
        podman.output().expect("`cargo xtask test` installs podman")
    }

    /// The names of the containers there are.
    fn containers(&self) -> String {
        let listed = self.run(&["ps", "--all", "--format", "{{.Names}}"]);
        String::from_utf8_lossy(&listed.stdout).trim().to_owned()
    }

    fn config(&self, grace_ms: u64) -> String {
        let run = ["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096", "--network", "none"];
        format!(
            "[jobs]\nretry_pause_s = 0\n[nodes]\ngrace_ms = {grace_ms}\ndocker = {:?}\ndocker_run = {run:?}\n",
            self.command
        )
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        self.run(&["rm", "--all", "--force", "--time", "0"]);
    }
}

fn contained(field: &Field, name: &str, command: &str) -> Value {
    let mut task = field.task(name, command, 1);
    task["Application"]["Docker"] = json!({"Image": IMAGE});
    task
}

/// The values of a curve of the first instance.
fn curve(field: &mut Field, job: &str, task: &str, metric: &str) -> Vec<f64> {
    let request = json!({"JobId": job, "TaskName": task, "TaskInstanceIndex": 0, "MetricName": metric});
    let reply = field.official.batch("DescribeJobMonitorData", request).expect("a right request");
    reply["DataPoints"]["Values"].as_array().expect("a list").iter().filter_map(Value::as_f64).collect()
}

#[test]
fn what_is_used_in_a_container_is_measured() {
    let podman = Podman::new();
    let config = podman.config(100).replace("[nodes]\n", "[nodes]\nsample_ms = 200\n");
    let mut field = Field::start(&config, 1);
    let task = contained(&field, "busy", "while :; do :; done");
    let job = field.submit(&[task], json!({"JobName": "busy"}));
    wait::until("processor time of the container", || {
        curve(&mut field, &job, "busy", "CpuUsage").iter().any(|part| *part > 20.0).then_some(())
    });
    assert!(curve(&mut field, &job, "busy", "MemUsage").iter().all(|part| (0.0..50.0).contains(part)));
    // Its network is its own, and there is nothing in it.
    let traffic = curve(&mut field, &job, "busy", "LanIntraffic");
    assert!(!traffic.is_empty() && traffic.iter().all(|bytes| *bytes == 0.0), "{traffic:?}");
    field.official.batch("TerminateJob", json!({"JobId": job})).expect("the job exists");
    field.wait_for(&job, "FAILED");
}

fn reason(field: &mut Field, job: &str, task: &str) -> String {
    field.instances(job, task).remove(0)["StateReason"].as_str().expect("a text").to_owned()
}

#[test]
fn a_command_in_a_container_has_its_package_its_files_its_variables_and_its_exit_code() {
    let podman = Podman::new();
    let mut field = Field::start(&podman.config(10_000), 1);
    let bucket = field.server.folder().join("data/cos/data-1250000000");
    fs::create_dir_all(bucket.join("in")).expect("a folder of the test");
    fs::write(bucket.join("in/words"), "some words").expect("a file of the test");
    fs::write(bucket.join("p.tgz"), tgz(&[("run", "#!/bin/sh\ntr a-z A-Z < /data/in/words > /data/out/words\n")]))
        .expect("a file of the test");
    let command = "./run && mkdir deep && cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max \
                   > deep/memory 2> /dev/null; echo \"$BATCH_TASK_NAME/$TWO/$HOME\" > deep/env && exit 5";
    let mut task = contained(&field, "work", command);
    task["Application"]["DeliveryForm"] = json!("PACKAGE");
    task["Application"]["PackagePath"] = json!(format!("{COS}p.tgz"));
    task["Application"]["Docker"]["DockerRunOption"] = json!("--env 'HOME=/a b'");
    task["EnvVars"] = json!([{"Name": "TWO", "Value": "two\nlines"}]);
    task["InputMappings"] = json!([{"SourcePath": format!("{COS}in/"), "DestinationPath": "/data/in/"}]);
    task["OutputMappings"] = json!([
        {"SourcePath": "/data/out", "DestinationPath": format!("{COS}out/")},
        {"SourcePath": "deep/", "DestinationPath": format!("{COS}out/")},
    ]);
    let job = field.submit(&[task], json!({}));
    field.wait_for(&job, "FAILED");
    assert_eq!(reason(&mut field, &job, "work"), "ExitCode: 5");
    let read = |path: &str| fs::read_to_string(bucket.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert_eq!(read("out/words"), "SOME WORDS");
    assert_eq!(read("out/env"), "work/two\nlines//a b\n");
    // A gibibyte is what the node's type has; the group of a container is one of its own.
    assert_eq!(read("out/memory"), "1073741824\n");
    assert_eq!(podman.containers(), "");
}

/// A run in a container that ignores SIGTERM.
const STUBBORN: &str = "trap '' TERM; touch $READY; while :; do sleep 0.1; done";

#[test]
fn a_container_ends_with_its_run() {
    let podman = Podman::new();
    let mut field = Field::start(&podman.config(500), 1);
    let ready = field.path("node-ready");
    fs::create_dir(&ready).expect("a folder of the test");
    let mount = format!("--volume {0}:{0}", ready.display());
    let mut task = contained(&field, "timed", STUBBORN);
    task["Timeout"] = json!(3);
    task["Application"]["Docker"]["DockerRunOption"] = json!(mount);
    task["EnvVars"] = json!([{"Name": "READY", "Value": ready.join("timed")}]);
    let job = field.submit(&[task.clone()], json!({}));
    field.wait_for(&job, "FAILED");
    assert_eq!(reason(&mut field, &job, "timed"), "Timeout: ran longer than 3 s");
    assert_eq!(podman.containers(), "");

    task["Timeout"] = json!(3_600);
    task["EnvVars"] = json!([{"Name": "READY", "Value": ready.join("ended")}]);
    let job = field.submit(&[task.clone()], json!({}));
    wait_for_file(&ready.join("ended"));
    assert_eq!(podman.containers(), format!("herald-{job}-0-0-1"));
    field.official.batch("TerminateJob", json!({"JobId": job})).expect("the job exists");
    field.wait_for(&job, "FAILED");
    assert_eq!(podman.containers(), "");

    // The agent is killed: whoever finds the node dead ends the container before the instance is tried again.
    task["EnvVars"] = json!([{"Name": "READY", "Value": ready.join("lost")}]);
    let job = field.submit(&[task], json!({}));
    wait_for_file(&ready.join("lost"));
    let node = field.node_of(&job);
    field.signal_agent(&node, Signal::SIGKILL);
    field.wait_for(&job, "FAILED");
    assert!(reason(&mut field, &job, "timed").starts_with("NodeLost"));
    assert_eq!(podman.containers(), "");
}

#[test]
fn an_image_that_cannot_be_had_and_a_program_that_is_not_there_are_told() {
    let mut field = Field::start("[nodes]\ndocker = [\"/no/such/docker\"]\n", 1);
    let job = field.submit(&[contained(&field, "work", "true")], json!({}));
    field.wait_for(&job, "FAILED");
    let told = reason(&mut field, &job, "work");
    assert!(told.starts_with("DockerUnavailable: /no/such/docker"), "{told}");
}

/// A program in the place of docker that writes down what it is given, refuses to pull twice, and then runs nothing.
const FAKE: &str = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 1
echo "$*" >> calls
case "$1" in
    image) exit 1 ;;
    login) cat > password; echo "$DOCKER_CONFIG" > config; [ "$(cat password)" = 'pass word' ] || { echo 'bad password' >&2; exit 1; } ;;
    pull) echo x >> pulls; [ "$(wc -l < pulls)" -ge 3 ] || { echo 'no such image' >&2; exit 1; } ;;
    run) exit 9 ;;
    kill | rm) echo 'no such container' >&2; exit 1 ;;
esac
"#;

#[test]
fn a_registry_is_logged_in_to_and_asked_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = folder.path().join("docker");
    fs::write(&program, FAKE).expect("a file of the test");
    fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).expect("a file of the test");
    let mut field = Field::start(&format!("[nodes]\ndocker = [{:?}]\n", program.display().to_string()), 1);
    let docker = |password: &str, retries: u64| {
        json!({"Image": "ccr.ccs.tencentyun.com/a/b:c", "Server": "ccr.ccs.tencentyun.com", "User": "u",
            "Password": password, "MaxRetryCount": retries, "DelayOnRetry": 0})
    };
    let mut run = |docker: Value| {
        let mut task = contained(&field, "work", "true");
        task["Application"]["Docker"] = docker;
        let job = field.submit(&[task], json!({}));
        field.wait_for(&job, "FAILED");
        reason(&mut field, &job, "work")
    };
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("the program wrote it");
    let image = "ccr.ccs.tencentyun.com/a/b:c";
    assert_eq!(run(docker("pass word", 1)), format!("DockerPullFailed: {image}, after 2 tries: no such image"));
    assert_eq!(run(docker("wrong", 0)), "DockerLoginFailed: bad password");
    assert_eq!(run(docker("pass word", 0)), "ExitCode: 9", "the third try");
    let calls = read("calls");
    assert!(calls.contains("login --username u --password-stdin ccr.ccs.tencentyun.com\n"), "{calls}");
    assert!(!calls.contains("pass word") && !calls.contains("wrong"), "{calls}");
    assert!(!Path::new(read("config").trim()).exists(), "the file with the password is gone");
    for node in fs::read_dir(field.nodes_folder()).expect("a folder").flatten() {
        let steps: Vec<_> = fs::read_dir(node.path().join("steps")).expect("a folder").collect();
        assert!(steps.is_empty(), "{steps:?}");
    }
}
