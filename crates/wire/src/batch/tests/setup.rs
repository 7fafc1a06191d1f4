//! What surrounds a command: packages, containers, mappings, keys, redirects.

use kernel::setup::{Package, Setup, Workspace};
use serde_json::{Value, json};

use super::{ENV, at_site, told, with};
use crate::api3::ApiError;
use crate::batch::{SubmitJob, submit_job};

const COS: &str = "cos://data-1250000000.cos.ap-guangzhou.myqcloud.com/in/";

fn submit(request: &Value) -> Result<SubmitJob, ApiError> {
    at_site(|site| submit_job(request, site))
}

fn right() -> Value {
    json!({
        "Placement": {"Zone": "ap-guangzhou-2"},
        "Job": {"Tasks": [{"EnvId": ENV, "Application": {"DeliveryForm": "LOCAL", "Command": "true"}}]},
    })
}

/// A right request with a field of its task changed.
fn task(path: &str, value: Value) -> Value {
    with(right(), &format!("Job.Tasks.0.{path}"), value)
}

fn setup(request: &Value) -> Setup {
    submit(request).unwrap().spec.tasks[0].setup.clone()
}

#[test]
fn a_plain_task_has_nothing_round_it() {
    assert!(setup(&right()).is_empty());
    let empty = json!({"StdoutRedirectPath": "", "StderrRedirectPath": ""});
    assert!(setup(&task("RedirectInfo", empty)).is_empty());
}

#[test]
fn packages_come_from_many_places() {
    let package = |path: &str| {
        let application = json!({"DeliveryForm": "PACKAGE", "Command": "true", "PackagePath": path});
        setup(&task("Application", application)).package.unwrap()
    };
    assert_eq!(package("http://h/a.tgz?x=1"), Package::Web("http://h/a.tgz?x=1".into()));
    assert_eq!(package("https://h/a.zip"), Package::Web("https://h/a.zip".into()));
    for path in ["file:///srv/a.tar.gz", "/srv/a.tar.gz"] {
        assert_eq!(package(path), Package::File("/srv/a.tar.gz".into()));
    }
    let Package::Remote(remote) = package(&format!("{COS}a.tgz")) else { panic!("a remote package") };
    assert_eq!(remote.bucket, Some(("data-1250000000".into(), "in/a.tgz".into())));
    let Package::Remote(remote) = package("cfs://10.0.0.1/a.tgz") else { panic!("a remote package") };
    assert_eq!((remote.url.as_str(), remote.bucket), ("cfs://10.0.0.1/a.tgz", None));
}

#[test]
fn everything_round_a_command_is_read() {
    let mut request = task("Authentications", json!([{"Scene": "COS", "SecretId": "AKID", "SecretKey": "s3cret"}]));
    let task = &mut request["Job"]["Tasks"][0];
    task["Application"]["Docker"] = json!({"Image": "a/b:c", "Server": "ccr.ccs.tencentyun.com", "User": "u",
        "Password": "pass word", "MaxRetryCount": "3", "DelayOnRetry": 5, "DockerRunOption": "-u 'ro ot' --env=A"});
    task["InputMappings"] = json!([
        {"SourcePath": COS, "DestinationPath": "in/", "MountType": "COSFS", "MountOptionParameter": "-oallow_other"},
        {"SourcePath": "cfs://10.0.0.1/", "DestinationPath": "/data"},
    ]);
    task["OutputMappings"] = json!([
        {"SourcePath": "out", "DestinationPath": COS},
        {"SourcePath": "/out", "DestinationPath": COS, "OutputMappingOption": {"Workspace": "GLOBAL_WORKSPACE"}},
        {"SourcePath": "/out", "DestinationPath": COS, "OutputMappingOption": {"Workspace": "BATCH_WORKSPACE"}},
    ]);
    task["OutputMappingConfigs"] = json!([{"Scene": "COS", "WorkerNum": 8, "WorkerPartSize": "16"}]);
    task["RedirectInfo"] = json!({"StdoutRedirectPath": COS, "StdoutRedirectFileName": "${BATCH_JOB_ID}.out"});
    task["RedirectLocalInfo"] = json!({"StderrLocalPath": "/var/log/x/"});
    let job = submit(&request).unwrap();
    assert!(!format!("{job:?}").contains("s3cret") && !format!("{job:?}").contains("pass word"));
    assert!(!job.spec.document.contains("s3cret") && !job.spec.document.contains("pass word"));
    let setup = &job.spec.tasks[0].setup;
    let container = setup.container.as_ref().unwrap();
    assert_eq!((container.image.as_str(), container.server.as_str()), ("a/b:c", "ccr.ccs.tencentyun.com"));
    assert_eq!((container.pull_retries, container.pull_pause_s), (3, 5));
    assert_eq!(container.options, ["-u", "ro ot", "--env=A"]);
    assert_eq!(
        container.login.as_ref().map(|(user, password)| (user.as_str(), password.0.as_str())),
        Some(("u", "pass word"))
    );
    let inputs: Vec<(&str, bool, &str)> = setup
        .inputs
        .iter()
        .map(|input| (input.source.url.as_str(), input.source.bucket.is_some(), input.destination.as_str()))
        .collect();
    assert_eq!(inputs, [(COS, true, "in/"), ("cfs://10.0.0.1/", false, "/data")]);
    let workspaces: Vec<Workspace> = setup.outputs.iter().map(|output| output.workspace).collect();
    assert_eq!(workspaces, [Workspace::Unsaid, Workspace::Global, Workspace::Batch]);
    assert_eq!((setup.upload.workers, setup.upload.part_mb), (8, 16));
    assert_eq!(setup.key.as_ref().map(|key| key.secret.0.as_str()), Some("s3cret"));
    assert_eq!((setup.stdout.remote_name.as_str(), setup.stdout.remote.is_some()), ("${BATCH_JOB_ID}.out", true));
    assert_eq!((setup.stderr.local.as_deref(), setup.stderr.remote.as_ref()), (Some("/var/log/x/"), None));
}

#[test]
fn commands_are_an_alternative_to_a_command() {
    let commands = |commands: Value| submit(&task("Application", json!({"Commands": commands})));
    let job = commands(json!([{"Command": "cd x"}, {"Command": "make"}])).unwrap();
    let command = &job.spec.tasks[0].command;
    assert!(command.starts_with("eval 'cd x'\n") && command.contains("eval 'make'\n"), "{command}");
    let path = "Job.Tasks.0.Application.Commands";
    assert_eq!(told(commands(json!([]))), format!("MissingParameter {path}"));
    assert_eq!(told(commands(json!([{"Command": ""}]))), format!("InvalidParameterValue {path}.0.Command"));
    assert_eq!(told(commands(json!([{}]))), format!("MissingParameter {path}.0.Command"));
    let many = json!(vec![json!({"Command": "true"}); 101]);
    assert_eq!(told(commands(many)), format!("InvalidParameterValue.LimitExceeded {path}"));
    let long = json!({"Command": "x".repeat(40_000)});
    assert_eq!(told(commands(json!([long, long]))), format!("InvalidParameterValue {path}"));
}

/// Each: what is changed in a right task, and the code and the end of the path of the refusal.
#[test]
fn wrong_applications_are_refused_with_code_and_path() {
    let package = |path: &str| json!({"DeliveryForm": "PACKAGE", "Command": "true", "PackagePath": path});
    let docker = |docker: Value| json!({"Command": "true", "Docker": docker});
    let option = |option: &str| docker(json!({"Image": "i", "DockerRunOption": option}));
    let cases = [
        (json!({"DeliveryForm": "PACKAGE", "Command": "true"}), "MissingParameter", "PackagePath"),
        (
            json!({"Command": "true", "PackagePath": "http://h/p.tgz"}),
            "InvalidParameter.InvalidParameterCombination",
            "PackagePath",
        ),
        (package("ftp://h/p.tgz"), "InvalidParameterValue.RemoteStorageSchemeType", "PackagePath"),
        (package("p.tgz"), "InvalidParameterValue.RemoteStorageSchemeType", "PackagePath"),
        (package("http:///p.tgz"), "InvalidParameterValue.RemoteStoragePath", "PackagePath"),
        (package("https://user:word@h/p.tgz"), "InvalidParameterValue.RemoteStoragePath", "PackagePath"),
        (package(COS), "InvalidParameterValue.RemoteStoragePath", "PackagePath"),
        (package("nfs://10.0.0.9/p.tgz"), "InvalidParameterValue.RemoteStoragePath", "PackagePath"),
        (package("file://p.tgz"), "InvalidParameterValue.LocalPath", "PackagePath"),
        (package("/srv/../p.tgz"), "InvalidParameterValue.LocalPath", "PackagePath"),
        (docker(json!({})), "MissingParameter", "Docker.Image"),
        (docker(json!({"Image": "--privileged"})), "InvalidParameterValue", "Docker.Image"),
        (docker(json!({"Image": "a b"})), "InvalidParameterValue", "Docker.Image"),
        (docker(json!({"Image": "i", "User": "u"})), "InvalidParameter.InvalidParameterCombination", "Docker.Password"),
        (docker(json!({"Image": "i", "Password": "p"})), "InvalidParameter.InvalidParameterCombination", "Docker.User"),
        (docker(json!({"Image": "i", "MaxRetryCount": 101})), "InvalidParameterValue", "Docker.MaxRetryCount"),
        (docker(json!({"Image": "i", "DelayOnRetry": -1})), "InvalidParameterValue.Negative", "Docker.DelayOnRetry"),
        (docker(json!({"Image": "i", "Pull": 1})), "UnknownParameter", "Docker.Pull"),
        (option("-u 'root"), "InvalidParameterValue", "Docker.DockerRunOption"),
        (option("--name=x"), "InvalidParameterValue", "Docker.DockerRunOption"),
        (option("-it -d"), "InvalidParameterValue", "Docker.DockerRunOption"),
    ];
    for (application, code, path) in cases {
        let told = told(submit(&task("Application", application)));
        assert_eq!(told, format!("{code} Job.Tasks.0.Application.{path}"));
    }
}

#[test]
fn wrong_storage_is_refused_with_code_and_path() {
    let input = |source: &str, to: &str| json!([{"SourcePath": source, "DestinationPath": to}]);
    let output = |source: &str, to: &str| json!([{"SourcePath": source, "DestinationPath": to}]);
    let global = json!([{"SourcePath": "out", "DestinationPath": COS,
        "OutputMappingOption": {"Workspace": "GLOBAL_WORKSPACE"}}]);
    let config = |workers: u64, part: u64| json!([{"Scene": "COS", "WorkerNum": workers, "WorkerPartSize": part}]);
    let key = |scene: &str, secret: &str| json!({"Scene": scene, "SecretId": "i", "SecretKey": secret});
    let beijing = "cos://data-1.cos.ap-beijing.myqcloud.com/in/";
    let (scheme, remote) = ("InvalidParameterValue.RemoteStorageSchemeType", "InvalidParameterValue.RemoteStoragePath");
    let (local, value) = ("InvalidParameterValue.LocalPath", "InvalidParameterValue");
    let combination = "InvalidParameter.InvalidParameterCombination";
    let cases = [
        ("InputMappings", input("s3://b/", "in"), scheme, "InputMappings.0.SourcePath"),
        ("InputMappings", input("/srv/in/", "in"), scheme, "InputMappings.0.SourcePath"),
        ("InputMappings", input(COS.trim_end_matches('/'), "in"), remote, "InputMappings.0.SourcePath"),
        ("InputMappings", input(&format!("{COS}../"), "in"), remote, "InputMappings.0.SourcePath"),
        ("InputMappings", input(&format!("{COS}/"), "in"), remote, "InputMappings.0.SourcePath"),
        ("InputMappings", input("cos://data/in/", "in"), remote, "InputMappings.0.SourcePath"),
        ("InputMappings", input(beijing, "in"), remote, "InputMappings.0.SourcePath"),
        ("InputMappings", input("nfs://10.0.0.9/", "in"), remote, "InputMappings.0.SourcePath"),
        ("InputMappings", input(COS, ""), local, "InputMappings.0.DestinationPath"),
        ("InputMappings", input(COS, "../in"), local, "InputMappings.0.DestinationPath"),
        ("InputMappings", input(COS, "/"), local, "InputMappings.0.DestinationPath"),
        ("InputMappings", input(COS, "H:\\\\in"), local, "InputMappings.0.DestinationPath"),
        ("InputMappings", json!([{"DestinationPath": "in"}]), "MissingParameter", "InputMappings.0.SourcePath"),
        (
            "InputMappings",
            json!([input(COS, "in")[0].clone(), input(COS, "in/")[0].clone()]),
            local,
            "InputMappings.1.DestinationPath",
        ),
        ("OutputMappings", output("out", "cfs://10.0.0.1/"), scheme, "OutputMappings.0.DestinationPath"),
        ("OutputMappings", output("..", COS), local, "OutputMappings.0.SourcePath"),
        ("OutputMappings", global, local, "OutputMappings.0.SourcePath"),
        ("OutputMappingConfigs", config(0, 1), value, "OutputMappingConfigs.0.WorkerNum"),
        ("OutputMappingConfigs", config(1, 257), value, "OutputMappingConfigs.0.WorkerPartSize"),
        (
            "OutputMappingConfigs",
            json!([config(1, 1)[0].clone(), config(1, 1)[0].clone()]),
            combination,
            "OutputMappingConfigs.1.Scene",
        ),
        ("Authentications", json!([key("S3", "k")]), value, "Authentications.0.Scene"),
        ("Authentications", json!([key("COS", "")]), value, "Authentications.0.SecretKey"),
        ("Authentications", json!([key("COS", "k"), key("COS", "k")]), combination, "Authentications.1.Scene"),
        ("RedirectInfo", json!({"StdoutRedirectPath": "cfs://10.0.0.1/"}), scheme, "RedirectInfo.StdoutRedirectPath"),
        ("RedirectInfo", json!({"StderrRedirectPath": "cos://b/"}), remote, "RedirectInfo.StderrRedirectPath"),
        (
            "RedirectInfo",
            json!({"StdoutRedirectPath": COS, "StdoutRedirectFileName": "a/b"}),
            value,
            "RedirectInfo.StdoutRedirectFileName",
        ),
        ("RedirectInfo", json!({"StdoutRedirectFileName": "a"}), combination, "RedirectInfo.StdoutRedirectFileName"),
        ("RedirectLocalInfo", json!({"StdoutLocalPath": "../x"}), local, "RedirectLocalInfo.StdoutLocalPath"),
    ];
    for (field, value, code, path) in cases {
        assert_eq!(told(submit(&task(field, value))), format!("{code} Job.Tasks.0.{path}"));
    }
}
