//! Remote storage: inputs and outputs, and where standard output and standard error are copied to.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::field::{Field, wait_for_file};
use crate::support::objects::Objects;

const BUCKET: &str = "data-1250000000";
const COS: &str = "cos://data-1250000000.cos.ap-guangzhou.myqcloud.com/";
const SECRET: &str = "a-secret-that-nobody-sees";

fn input(from: &str, to: &str) -> Value {
    json!([{"SourcePath": from, "DestinationPath": to}])
}

fn output(from: &str, to: &str) -> Value {
    json!([{"SourcePath": from, "DestinationPath": to}])
}

fn reason(field: &mut Field, job: &str, task: &str) -> String {
    field.instances(job, task).remove(0)["StateReason"].as_str().expect("a text").to_owned()
}

#[test]
fn a_graph_hands_its_files_on_through_a_folder() {
    let mut field = Field::start("[nodes]\nslots = 2\n", 1);
    let bucket = field.server.folder().join("data/cos").join(BUCKET);
    fs::create_dir_all(bucket.join("in/deep")).expect("a folder of the test");
    fs::write(bucket.join("in/deep/words"), "some words").expect("a file of the test");
    let command = "mkdir -p out/deep && tr a-z A-Z < in/deep/words > out/deep/words && echo done";
    let mut first = field.task("first", command, 1);
    first["InputMappings"] = input(&format!("{COS}in/"), "in/");
    first["OutputMappings"] = output("out/", &format!("{COS}out/"));
    let absolute = field.path("elsewhere");
    let absolute = absolute.to_str().expect("UTF-8");
    let mut second = field.task("second", &format!("cat {absolute}/in/deep/words > /dev/stderr"), 1);
    second["InputMappings"] = input(&format!("{COS}out/"), &format!("{absolute}/in"));
    second["RedirectInfo"] = json!({"StdoutRedirectPath": format!("{COS}logs/"),
        "StderrRedirectPath": format!("{COS}logs/"),
        "StderrRedirectFileName": "${BATCH_JOB_ID}-${BATCH_TASK_NAME}-${BATCH_TASK_INSTANCE_INDEX}.err"});
    let dependences = json!({"Dependences": [{"StartTask": "first", "EndTask": "second"}]});
    let job = field.submit(&[first, second], dependences);
    field.wait_for(&job, "SUCCEED");
    let read = |path: &str| fs::read_to_string(bucket.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert_eq!(read("out/deep/words"), "SOME WORDS");
    assert_eq!(read(&format!("logs/{job}-second-0.err")), "SOME WORDS");
    assert_eq!(read(&format!("logs/stdout.{job}.second.0.log")), "");
    let told = &field.instances(&job, "second")[0]["RedirectInfo"];
    assert_eq!(told["StderrRedirectFileName"], format!("{job}-second-0.err"), "{told}");
    assert_eq!(told["StdoutRedirectFileName"], format!("stdout.{job}.second.0.log"), "{told}");
    assert_eq!(told["StdoutRedirectPath"], format!("{COS}logs/"), "{told}");
}

#[test]
fn a_task_reads_and_writes_a_server_of_objects() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let objects = Objects::start(folder.path(), &[BUCKET]);
    objects.put(&format!("{BUCKET}/in/deep/words"), b"some words");
    objects.put(&format!("{BUCKET}/inner"), b"not below in/");
    let config = format!("[nodes]\nslots = 2\n[storage.s3]\nendpoint = \"{}\"\n", objects.endpoint());
    let mut field = Field::start(&config, 1);
    let command = "[ ! -e in/ner ] && mkdir -p out/deep && tr a-z A-Z < in/deep/words > out/deep/words \
                   && head -c 11000000 /dev/zero > out/large && echo said && env >&2 && sleep 0.1";
    let mut task = field.task("work", command, 1);
    task["InputMappings"] = input(&format!("{COS}in/"), "in/");
    task["OutputMappings"] = output("out/", &format!("{COS}out/"));
    task["OutputMappingConfigs"] = json!([{"Scene": "COS", "WorkerNum": 2, "WorkerPartSize": 5}]);
    task["Authentications"] = json!([{"Scene": "COS", "SecretId": "AKIDtask", "SecretKey": SECRET}]);
    task["RedirectInfo"] = json!({"StdoutRedirectPath": format!("{COS}logs/"), "StdoutRedirectFileName": "said"});
    let job = field.submit(&[task], json!({}));
    field.wait_for(&job, "SUCCEED");
    assert_eq!(objects.get(&format!("{BUCKET}/out/deep/words")).body, b"SOME WORDS");
    assert_eq!(objects.get(&format!("{BUCKET}/logs/said")).body, b"said\n");
    let large = objects.get(&format!("{BUCKET}/out/large"));
    assert_eq!((large.status, large.body.len()), (200, 11_000_000));
    assert!(large.head.contains("-3\""), "in three parts: {}", large.head);
    let request = json!({"JobId": job});
    for action in ["DescribeJob", "DescribeJobSubmitInfo"] {
        let view = field.official.batch(action, request.clone()).expect("the job exists").to_string();
        assert!(!view.contains(SECRET), "{view}");
    }
    assert_secret_is_nowhere(field.server.folder());

    // A bucket that is not there, to read from and to write to.
    let gone = COS.replace("data-", "gone-");
    let mut reads = field.task("reads", "true", 1);
    reads["InputMappings"] = input(&gone, "in/");
    let mut writes = field.task("writes", "mkdir out && touch out/x", 1);
    writes["OutputMappings"] = output("out/", &gone);
    let job = field.submit(&[reads, writes], json!({}));
    field.wait_for(&job, "FAILED");
    let told = reason(&mut field, &job, "reads");
    assert!(told.starts_with(&format!("InputFailed: {gone}: ")) && told.contains("NoSuchBucket"), "{told}");
    let told = reason(&mut field, &job, "writes");
    assert!(told.starts_with(&format!("OutputFailed: out/ to {gone}: ")), "{told}");
}

/// Only the database may hold a secret: what runs it later must know it.
fn assert_secret_is_nowhere(folder: &Path) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        let is_database = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("herald.db"));
        if path.is_dir() {
            assert_secret_is_nowhere(&path);
        } else if !is_database {
            let bytes = fs::read(&path).unwrap_or_default();
            let found = bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
            assert!(!found, "the secret stands in {}", path.display());
        }
    }
}

#[test]
fn a_run_brings_its_files_home_though_its_server_was_killed() {
    let mut field = Field::start("", 1);
    let bucket = field.server.folder().join("data/cos").join(BUCKET);
    let (begun, go) = (field.path("begun"), field.path("go"));
    let command = format!(
        "echo once >> {0}; while [ ! -e {1} ]; do sleep 0.05; done; mkdir out; echo x > out/x; sleep 0.1",
        begun.display(),
        go.display()
    );
    let mut task = field.task("work", &command, 1);
    task["OutputMappings"] = output("out/", &format!("{COS}out/"));
    task["RedirectInfo"] = json!({"StdoutRedirectPath": format!("{COS}logs/")});
    let job = field.submit(&[task], json!({}));
    wait_for_file(&begun);
    field.server.kill9();
    fs::write(&go, "").expect("a file of the test");
    wait_for_file(&bucket.join("out/x"));
    field.server.restart();
    field.official.turn_to(field.server.address());
    field.wait_for(&job, "SUCCEED");
    assert_eq!(fs::read_to_string(begun).expect("the run wrote it"), "once\n");
    assert!(bucket.join(format!("logs/stdout.{job}.work.0.log")).exists());
}

#[test]
fn a_mounted_file_system_is_seen_by_runs_on_the_environment() {
    let mount = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(mount.path().join("deep")).expect("a folder of the test");
    fs::write(mount.path().join("deep/x"), "mounted").expect("a file of the test");
    let config = format!("[storage.mounts]\n\"cfs://10.0.0.1/\" = \"{}\"\n", mount.path().display());
    let mut field = Field::start(&config, 1);
    let mut task = field.task("work", "cp here/x here/y", 1);
    task["InputMappings"] = input("cfs://10.0.0.1/deep/", "here");
    let job = field.submit(&[task.clone()], json!({}));
    field.wait_for(&job, "SUCCEED");
    assert_eq!(fs::read_to_string(mount.path().join("deep/y")).expect("the run wrote it"), "mounted");
    task["InputMappings"] = input("nfs://10.0.0.2/", "here");
    let request = json!({"Placement": {"Zone": "ap-guangzhou-2"}, "Job": {"Tasks": [task]}});
    let refusal = field.official.batch("SubmitJob", request).expect_err("no such mount");
    assert_eq!(refusal.code, "InvalidParameterValue.RemoteStoragePath");
    assert!(refusal.message.starts_with("Job.Tasks.0.InputMappings.0.SourcePath: no mount"), "{}", refusal.message);
}

#[test]
fn what_cannot_be_copied_fails_the_run_with_its_reason() {
    let mut field = Field::start("[nodes]\nslots = 2\n", 1);
    let mut missing = field.task("missing", "true", 1);
    missing["InputMappings"] = input(&format!("{COS}in/"), "in");
    let mut nothing = field.task("nothing", "true", 1);
    nothing["OutputMappings"] = output("out", &format!("{COS}out/"));
    // The command's own failure is the one that counts; what it has written is copied all the same.
    let mut failing = field.task("failing", "mkdir out && echo x > out/x && echo why >&2 && exit 3", 1);
    failing["OutputMappings"] = output("out", &format!("{COS}out/"));
    let logs = field.path("logs");
    failing["RedirectLocalInfo"] = json!({"StderrLocalPath": logs, "StderrLocalFileName": "${BATCH_TASK_NAME}.err"});
    let file = field.path("file");
    fs::write(&file, "").expect("a file of the test");
    let mut nowhere = field.task("nowhere", "true", 1);
    nowhere["RedirectLocalInfo"] = json!({"StdoutLocalPath": file});
    let job = field.submit(&[missing, nothing, failing, nowhere], json!({}));
    field.wait_for(&job, "FAILED");
    let told = reason(&mut field, &job, "missing");
    assert!(told.starts_with(&format!("InputFailed: {COS}in/: there is no folder")), "{told}");
    let told = reason(&mut field, &job, "nothing");
    assert_eq!(told, format!("OutputFailed: out to {COS}out/: there is no such folder"));
    assert_eq!(reason(&mut field, &job, "failing"), "ExitCode: 3");
    let bucket = field.server.folder().join("data/cos").join(BUCKET);
    assert_eq!(fs::read_to_string(bucket.join("out/x")).expect("the run wrote it"), "x\n");
    assert_eq!(fs::read_to_string(logs.join("failing.err")).expect("the run wrote it"), "why\n");
    let told = reason(&mut field, &job, "nowhere");
    assert!(told.starts_with("RedirectFailed: "), "{told}");
}

#[test]
fn the_output_of_a_killed_run_is_copied_and_its_processes_are_gone() {
    let mut field = Field::start("[nodes]\nslots = 2\ngrace_ms = 300\n", 1);
    let mark = field.mark("run");
    let stubborn = "trap '' TERM; echo begun; (while :; do sleep 0.1; done) & while :; do sleep 0.1; done";
    let mut task = mark.on(field.task("work", stubborn, 1));
    task["Timeout"] = json!(2);
    task["RedirectInfo"] = json!({"StdoutRedirectPath": format!("{COS}logs/"), "StdoutRedirectFileName": "out"});
    let job = field.submit(&[task], json!({}));
    field.wait_for(&job, "FAILED");
    mark.assert_gone();
    assert_eq!(reason(&mut field, &job, "work"), "Timeout: ran longer than 2 s");
    let file = field.server.folder().join("data/cos").join(BUCKET).join("logs/out");
    assert_eq!(fs::read_to_string(file).expect("it was copied"), "begun\n");
}

#[test]
fn the_inputs_of_an_environment_are_there_for_every_run() {
    let field = Field::start("", 0);
    let bucket = field.server.folder().join("data/cos").join(BUCKET);
    fs::create_dir_all(&bucket).expect("a folder of the test");
    fs::write(bucket.join("x"), "of the environment").expect("a file of the test");
    let mut field = field;
    let env = json!({"EnvName": "with-inputs", "DesiredComputeNodeCount": 1, "EnvData": {"InstanceType": "S5.SMALL1"},
        "InputMappings": input(COS, "shared"),
        "Authentications": [{"Scene": "COS", "SecretId": "AKIDenv", "SecretKey": SECRET}]});
    let request = json!({"Placement": {"Zone": "ap-guangzhou-2"}, "ComputeEnv": env});
    let reply = field.official.batch("CreateComputeEnv", request).expect("a right request");
    field.env = reply["EnvId"].as_str().expect("an id").to_owned();
    let job = field.submit(&[field.task("work", "[ \"$(cat shared/x)\" = 'of the environment' ]", 1)], json!({}));
    field.wait_for(&job, "SUCCEED");
    let shown = field.official.batch("DescribeComputeEnvCreateInfo", json!({"EnvId": field.env}));
    let shown = shown.expect("the environment exists").to_string();
    assert!(shown.contains("AKIDenv") && !shown.contains(SECRET), "{shown}");
}

#[test]
fn commands_run_one_after_another_in_one_shell_until_one_fails() {
    let mut field = Field::start("", 1);
    let commands = |commands: &[&str]| {
        let lines: Vec<Value> = commands.iter().map(|command| json!({"Command": command})).collect();
        json!({"DeliveryForm": "LOCAL", "Commands": lines})
    };
    let mut good = field.task("good", "", 1);
    good["Application"] = commands(&["mkdir a && cd a", "export X='it'\\''s'", "echo \"$X\" > b # '", "[ -f ../a/b ]"]);
    let job = field.submit(&[good], json!({}));
    field.wait_for(&job, "SUCCEED");
    let mut bad = field.task("bad", "", 1);
    bad["Application"] = commands(&["true", "(exit 7)", "touch never"]);
    let job = field.submit(&[bad], json!({}));
    field.wait_for(&job, "FAILED");
    assert_eq!(reason(&mut field, &job, "bad"), "ExitCode: 7");
}
