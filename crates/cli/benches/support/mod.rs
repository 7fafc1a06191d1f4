//! What the benchmarks share: a server of their own, calls signed as any client signs them, and medians; for loads
//! over HTTP, [`connection`].

pub(crate) mod connection;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use wire::sign::{self, Key, Target};

/// What the server is called with.
pub(crate) const KEY: Key<'static> = Key { secret_id: "AKIDbench", secret_key: "bench" };

/// A running server, ended with all its nodes when dropped.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
    server: Child,
    host: String,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    /// Starts the built binary with data of its own.
    pub(crate) fn start() -> Self {
        rustls::crypto::ring::default_provider().install_default().expect("no provider is installed yet");
        let under = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let folder = tempfile::Builder::new().prefix("herald-bench-").tempdir_in(under).expect("a folder");
        let log = std::fs::File::create(folder.path().join("server.log")).expect("a log file");
        let mut server = Command::new(env!("CARGO_BIN_EXE_herald"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("data"))
            .env("HERALD_SECRET_ID", KEY.secret_id)
            .env("HERALD_SECRET_KEY", KEY.secret_key)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("herald serve starts");
        let mut line = String::new();
        BufReader::new(server.stdout.take().expect("piped")).read_line(&mut line).expect("the server's line");
        let host = line.trim().strip_prefix("listening on http://").expect("the server's line").to_owned();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let http = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
        Self { folder, server, host, http, runtime }
    }

    /// The folder of this run, removed at its end.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the server listens.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The process id of the server.
    pub(crate) fn server_pid(&self) -> u32 {
        self.server.id()
    }

    /// Calls an action of API 3.0 and returns its `Response`.
    pub(crate) fn api3(&self, service: &str, version: &str, action: &str, params: &Value) -> Value {
        let body = params.to_string();
        let target = Target { host: &self.host, service, action, version, region: Some("ap-guangzhou") };
        let mut request = self.http.post(format!("http://{}/", self.host));
        for (name, value) in sign::tc3(KEY, &target, body.as_bytes(), unix_seconds()) {
            request = request.header(name, value);
        }
        let reply = self.call(request.body(body));
        let response = reply["Response"].clone();
        assert!(response.get("Error").is_none(), "{action}: {response}");
        response
    }

    /// Calls an action of Batch.
    pub(crate) fn batch(&self, action: &str, params: &Value) -> Value {
        self.api3("batch", "2017-03-12", action, params)
    }

    /// Calls an action of CMQ v2.
    pub(crate) fn v2(&self, action: &str, params: &[(&str, &str)]) -> Value {
        let nonce = Instant::now().elapsed().subsec_nanos().into();
        let body = sign::v2(KEY, &self.host, "/v2/index.php", action, params, nonce, unix_seconds());
        let reply = self.call(self.http.post(format!("http://{}/v2/index.php", self.host)).body(body));
        assert_eq!(reply["code"], 0, "{action}: {reply}");
        reply
    }

    /// A counter of `/metrics`.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let request = self.http.get(format!("http://{}/metrics", self.host));
        let text = self.runtime.block_on(async { request.send().await?.text().await }).expect("/metrics answers");
        let line =
            text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).expect("the counter is there");
        line.trim().parse().expect("a number")
    }

    /// Makes an environment and waits until its nodes run.
    pub(crate) fn env(&self, instance_type: &str, nodes: u64) -> String {
        let spec = json!({"Placement": {"Zone": "ap-guangzhou-1"}, "ComputeEnv": {
            "EnvName": "bench", "DesiredComputeNodeCount": nodes, "EnvData": {"InstanceType": instance_type}}});
        let env = self.batch("CreateComputeEnv", &spec)["EnvId"].as_str().expect("an id").to_owned();
        self.until(|| {
            let env = self.batch("DescribeComputeEnv", &json!({"EnvId": env}));
            env["ComputeNodeMetrics"]["RunningCount"] == nodes
        });
        env
    }

    /// Waits until `fact` is so, looking now and then so as not to be the load, and gives up after two minutes.
    pub(crate) fn until(&self, fact: impl Fn() -> bool) {
        let start = Instant::now();
        while !fact() {
            assert!(start.elapsed() < Duration::from_secs(120), "it did not come to that in two minutes");
            std::thread::sleep(Duration::from_millis(40));
        }
    }

    fn call(&self, request: reqwest::RequestBuilder) -> Value {
        let text = self.runtime.block_on(async { request.send().await?.text().await }).expect("the server answers");
        serde_json::from_str(&text).expect("a JSON reply")
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // Nodes outlive their server, so they are ended first, and by it: an environment that goes takes them along.
        let listed = self.batch("DescribeComputeEnvs", &json!({}));
        for env in listed["ComputeEnvSet"].as_array().into_iter().flatten() {
            self.batch("DeleteComputeEnv", &json!({"EnvId": env["EnvId"]}));
        }
        self.until(|| self.batch("DescribeComputeEnvs", &json!({}))["TotalCount"] == 0);
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The middle of the values.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Unix time in milliseconds.
pub(crate) fn unix_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64() * 1000.0
}

/// Unix time in seconds, as signatures have it.
pub(crate) fn unix_seconds() -> i64 {
    (unix_ms() / 1000.0) as i64
}
