//! A server that speaks TLS: its own agents, a machine that joins, the command line and Tencent's SDK reach it by
//! its certificate, and nobody reaches it otherwise.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::machine::{self, Machine};
use crate::support::official;
use crate::support::server::{SECRET_ID, SECRET_KEY, Server, herald};

/// Lists jobs with the SDK, in a folder with the server's data.
const SDK: &str = "
import json, sys
from tencentcloud.common import credential
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
address, secret_id, secret_key = sys.argv[1:]
http = HttpProfile(endpoint=address, certification='data/tls/certificate.pem')
key = credential.Credential(secret_id, secret_key)
client = CommonClient('batch', '2017-03-12', key, 'ap-guangzhou', profile=ClientProfile(httpProfile=http))
print(json.dumps(client.call_json('DescribeJobs', {})))
";

/// `herald ARGS` as a client that finds the server in the data folder.
fn locally(server: &Server, args: &[&str]) -> Output {
    let mut client = herald(server.folder());
    client.args(args).args(["--data", "data"]).stdin(Stdio::null());
    client.output().expect("herald runs")
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn everything_is_said_by_tls_to_whoever_bears_the_certificate() {
    let server = Server::start_with("[tls]\non = true\n[nodes]\nbeat_ms = 200\n");
    assert!(server.endpoint().starts_with("https://"), "{}", server.endpoint());
    let env = r#"{"EnvName": "here", "DesiredComputeNodeCount": 1, "EnvData": {"InstanceType": "local"}}"#;
    fs::write(server.folder().join("env.json"), env).unwrap();
    let env = said(&locally(&server, &["env", "create", "env.json"]));
    let job = format!(
        r#"{{"JobName": "j", "Tasks": [{{"TaskName": "t", "EnvId": "{env}", "Application": {{"DeliveryForm": "LOCAL",
        "Command": "echo by tls"}}}}]}}"#
    );
    fs::write(server.folder().join("job.json"), job).unwrap();
    let job = said(&locally(&server, &["job", "submit", "job.json", "--wait"]));
    let job = job.lines().next().expect("an id");
    assert_eq!(said(&locally(&server, &["job", "logs", job, "t"])), "by tls");
    let console = said(&locally(&server, &["open", "--print"]));
    assert!(console.starts_with(&format!("{}/console/enter", server.endpoint())), "{console}");

    // A machine knows the server by what its token says.
    let token = said(&locally(&server, &["node", "token"]));
    let (word, pin) = token.split_once('.').expect("a digest");
    let joined = Machine::start(&server, Some(&token));
    assert!(joined.id.starts_with("ins-"), "{}", joined.id);
    let plain = machine::command(&server, "other", Some(word)).output().expect("it ends");
    assert!(!plain.status.success());
    assert!(String::from_utf8_lossy(&plain.stderr).contains("does not tell its certificate"));

    // Tencent's own client, which trusts the certificate as an authority.
    let mut sdk = Command::new(official::python());
    sdk.args(["-c", SDK, server.address(), SECRET_ID, SECRET_KEY]);
    official::alone(&mut sdk, server.folder()).current_dir(server.folder());
    let jobs: Value = serde_json::from_str(&said(&sdk.output().expect("Python runs"))).expect("JSON");
    assert_eq!(jobs["Response"]["TotalCount"], 1);

    // Without the certificate, or with another's, nobody is believed.
    let unknown = server.herald(&["job", "list"]);
    assert!(!unknown.status.success(), "no authority vouches for it");
    let other = format!("{}#sha256={}", server.endpoint(), pin.replace(['0', '1', '2', '3'], "4"));
    let output = locally(&server, &["job", "list", "--endpoint", &other]);
    assert!(!output.status.success(), "the digest is another's");
    let right = format!("{}#sha256={pin}", server.endpoint());
    assert!(said(&locally(&server, &["job", "list", "--endpoint", &right])).contains(job));
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.windows(4).any(|window| window == b"HTTP"), "nothing is said without TLS");
}
