//! How long the console's pages take on a server with 10,000 jobs, most of them ended, of 1,000,000 instances in all, and
//! with 1,000,000 messages: half of them in a topic, whose subscriber is a queue that has the other half. Each page is
//! asked for in turn by one visitor; from the request's beginning until its last byte. Control of the same run: a page
//! that reads nothing. Floor: a median of 100 ms for the slowest page.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[expect(dead_code, reason = "other benchmarks use the rest")]
mod support;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::connection::Connection;
use support::{Bench, KEY, median, unix_seconds};
use tokio::task::JoinSet;

const JOBS: u64 = 10_000;
const INSTANCES: u64 = 100;
/// Jobs that wait for a node until the end.
const WAITING: usize = 100;
const MESSAGES: u64 = 500_000;
const BATCH: u64 = 16;
const CONNECTIONS: u64 = 32;
const ROUNDS: usize = 21;
const FLOOR_MS: f64 = 100.0;
const BODY: &str = "A message of some sixty-four bytes, as a short job event would be";
const PATH: &str = "/v2/index.php";

fn main() -> ExitCode {
    let bench = Bench::start();
    let begin = Instant::now();
    let (env, jobs) = fill_jobs(&bench);
    fill_messages(&bench);
    bench.until(|| queue_holds(&bench) == MESSAGES);
    println!("filled        {JOBS} jobs, {} instances, {} messages", JOBS * INSTANCES, 2 * MESSAGES);
    println!("              in {:.0} s", begin.elapsed().as_secs_f64());
    let pages = pages(&env, &jobs);
    let visitor = Visitor::new(&bench);
    let mut slowest: f64 = 0.0;
    for (name, path) in &pages {
        let mut ms: Vec<f64> = (0..ROUNDS).map(|_| visitor.page(path)).collect();
        ms.sort_by(f64::total_cmp);
        println!("{name:<22} {:>8.1} ms, at most {:.1}", median(ms.clone()), ms[ms.len() - 1]);
        if *name != "control" {
            slowest = slowest.max(median(ms));
        }
    }
    println!("slowest       {slowest:>8.1} ms, median of {ROUNDS}   floor {FLOOR_MS} ms");
    if slowest <= FLOOR_MS { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn pages(env: &str, jobs: &[String]) -> Vec<(&'static str, String)> {
    let (first, last) = (&jobs[0], &jobs[jobs.len() - 1]);
    vec![
        ("control", "style.css".into()),
        ("overview", String::new()),
        ("jobs", "jobs".into()),
        ("jobs, the last page", format!("jobs?from={}", JOBS - 50)),
        ("jobs by state", "jobs?state=FAILED&from=5000".into()),
        ("jobs by name", "jobs?name=render-77".into()),
        ("job, ended", format!("jobs/{first}")),
        ("job, waiting", format!("jobs/{last}")),
        ("task, ended", format!("jobs/{first}/task?name=many")),
        ("task, waiting", format!("jobs/{last}/task?name=many")),
        ("instance", format!("jobs/{first}/instance?name=many&index=7")),
        ("environments", "environments".into()),
        ("environment", format!("environments/{env}")),
        ("topics", "topics".into()),
        ("topic", "topics/news".into()),
        ("messages", "topics/news/messages".into()),
        ("messages, far back", "topics/news/messages?before=1000".into()),
        ("message", format!("topics/news/messages/{}", MESSAGES / 2)),
        ("subscriber", "topics/news/subscribers/to-inbox".into()),
        ("queues", "queues".into()),
        ("queue", "queues/inbox".into()),
        ("queue's messages", format!("queues/inbox/messages?from={}", MESSAGES / 2)),
    ]
}

/// Submits the jobs and ends most of them. An environment without nodes lets the others wait.
fn fill_jobs(bench: &Bench) -> (String, Vec<String>) {
    let env = bench.env("local", 0);
    let submit = |number: u64| {
        let job = json!({"Placement": {"Zone": "ap-guangzhou-1"}, "Job": {
        "JobName": format!("render-{number}"), "Priority": 1, "Tasks": [{
            "TaskName": "many", "TaskInstanceNum": INSTANCES, "EnvId": env,
            "Application": {"DeliveryForm": "LOCAL", "Command": "true"},
        }]}});
        bench.batch("SubmitJob", &job)["JobId"].as_str().expect("an id").to_owned()
    };
    let mut jobs = Vec::new();
    for number in 0..JOBS {
        jobs.push(submit(number));
        // Ended as they come: only so many may be alive.
        if let Some(ended) = jobs.len().checked_sub(WAITING + 1) {
            bench.batch("TerminateJob", &json!({"JobId": jobs[ended]}));
        }
    }
    let ended = JOBS - WAITING as u64;
    let filter = json!({"Limit": 1, "Filters": [{"Name": "job-state", "Values": ["FAILED"]}]});
    while bench.batch("DescribeJobs", &filter)["TotalCount"] != ended {
        std::thread::sleep(Duration::from_millis(100));
    }
    (env, jobs)
}

fn tdmq(bench: &Bench, action: &str, params: &Value) -> Value {
    bench.api3("tdmq", "2020-02-17", action, params)
}

fn fill_messages(bench: &Bench) {
    tdmq(bench, "CreateCmqTopic", &json!({"TopicName": "news"}));
    tdmq(bench, "CreateCmqQueue", &json!({"QueueName": "inbox"}));
    let subscriber = json!({"TopicName": "news", "SubscriptionName": "to-inbox", "Protocol": "queue", "Endpoint": "inbox",
        "NotifyContentFormat": "SIMPLIFIED", "NotifyStrategy": "EXPONENTIAL_DECAY_RETRY"});
    tdmq(bench, "CreateCmqSubscribe", &subscriber);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for number in 0..CONNECTIONS {
            tasks.spawn(publish(bench.host().to_owned(), number));
        }
        tasks.join_all().await;
    });
}

async fn publish(host: String, number: u64) {
    let mut connection = Connection::open(&host).await;
    let names: Vec<String> = (0..BATCH).map(|number| format!("msgBody.{number}")).collect();
    let params: Vec<_> =
        [("topicName", "news")].into_iter().chain(names.iter().map(|name| (name.as_str(), BODY))).collect();
    let batches = MESSAGES / BATCH;
    for batch in (number..batches).step_by(usize::try_from(CONNECTIONS).expect("a small number")) {
        let form = wire::sign::v2(KEY, &host, PATH, "BatchPublishMessage", &params, batch, unix_seconds());
        let reply = connection.post(PATH, &form).await;
        assert!(reply.starts_with(b"{\"code\":0,"), "{}", String::from_utf8_lossy(reply));
    }
}

fn queue_holds(bench: &Bench) -> u64 {
    let described = tdmq(bench, "DescribeCmqQueueDetail", &json!({"QueueName": "inbox"}));
    described["QueueDescribe"]["ActiveMsgNum"].as_u64().expect("a number")
}

/// Somebody who is logged in.
struct Visitor {
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    console: String,
    cookie: String,
}

impl Visitor {
    fn new(bench: &Bench) -> Self {
        let made = bench.api3("herald", "2026-11-01", "CreateConsoleLogin", &json!({}));
        let path = made["Path"].as_str().expect("a path");
        let (host, no_redirect) = (bench.host(), reqwest::redirect::Policy::none());
        let http = reqwest::Client::builder().no_proxy().redirect(no_redirect).build().expect("an HTTP client");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let entered = runtime.block_on(http.get(format!("http://{host}{path}")).send()).expect("the server answers");
        let cookie =
            entered.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("a pair").to_owned();
        Self { http, runtime, console: format!("http://{host}/console/"), cookie }
    }

    /// How long a page took, in milliseconds.
    fn page(&self, path: &str) -> f64 {
        let request = self.http.get(format!("{}{path}", self.console)).header("cookie", &self.cookie);
        let begin = Instant::now();
        let page = async {
            let reply = request.send().await?;
            Ok::<_, reqwest::Error>((reply.status(), reply.bytes().await?))
        };
        let (status, bytes) = self.runtime.block_on(page).expect("the server answers");
        assert!(status.is_success(), "{path}: {status}: {}", String::from_utf8_lossy(&bytes));
        begin.elapsed().as_secs_f64() * 1_000.0
    }
}
