//! A job of 1,000,000 instances of `true`: how long its submission takes, and how much memory the server holds while
//! it runs, one node runs the first of its instances, and it is terminated. Control of the same run: the submission of
//! a job of one instance, and the memory of a server that has done that. Floors: 2 s, and 500 MB.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[expect(dead_code, reason = "other benchmarks use the rest")]
mod support;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::Bench;

const INSTANCES: u64 = 1_000_000;
/// Instances that are run before the job is terminated, unless that takes longer than [`LONGEST`].
const RUN: u64 = 50_000;
const LONGEST: Duration = Duration::from_secs(90);
/// What the submission may take.
const SUBMISSION_S: f64 = 2.0;
/// What the server may hold.
const MEMORY_MB: f64 = 500.0;

fn main() -> ExitCode {
    let bench = Bench::start();
    let env = bench.env("local", 1);
    let (small, small_s) = submit(&bench, &env, 1);
    bench.until(|| metrics(&bench, &small, "SucceedCount") == 1);
    let before_mb = memory_mb(&bench, "VmRSS:");

    let (job, submission_s) = submit(&bench, &env, INSTANCES);
    let submitted_mb = memory_mb(&bench, "VmRSS:");
    let begin = Instant::now();
    let mut done = 0;
    let mut running_mb: f64 = 0.0;
    while done < RUN && begin.elapsed() < LONGEST {
        std::thread::sleep(Duration::from_millis(100));
        done = metrics(&bench, &job, "SucceedCount");
        running_mb = running_mb.max(memory_mb(&bench, "VmRSS:"));
    }
    let seconds = begin.elapsed().as_secs_f64();
    let begin = Instant::now();
    bench.batch("TerminateJob", &json!({"JobId": job}));
    // Many chunks: longer than what `until` waits for on a slow disk.
    while view(&bench, &job)["JobState"] != "FAILED" {
        std::thread::sleep(Duration::from_millis(100));
    }
    let ended_s = begin.elapsed().as_secs_f64();
    let peak_mb = memory_mb(&bench, "VmHWM:");

    println!("submission    {submission_s:>8.3} s of {INSTANCES} instances   floor {SUBMISSION_S} s");
    println!("control       {small_s:>8.3} s of one instance");
    println!("run           {done:>8} instances in {seconds:.1} s, then all terminated in {ended_s:.1} s");
    println!("memory        {peak_mb:>8.0} MB at most in the server's life   floor {MEMORY_MB} MB");
    println!("              {submitted_mb:>8.0} MB when submitted, {running_mb:.0} MB at most while it ran");
    println!("control       {before_mb:>8.0} MB before the job");
    if submission_s < SUBMISSION_S && peak_mb < MEMORY_MB { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Submits a job of so many instances; how long that took, in seconds.
fn submit(bench: &Bench, env: &str, instances: u64) -> (String, f64) {
    let job = json!({"Placement": {"Zone": "ap-guangzhou-1"}, "Job": {
    "JobName": "million", "Priority": 1, "Tasks": [{
        "TaskName": "many", "TaskInstanceNum": instances, "EnvId": env,
        "Application": {"DeliveryForm": "LOCAL", "Command": "true"},
    }]}});
    let begin = Instant::now();
    let reply = bench.batch("SubmitJob", &job);
    let seconds = begin.elapsed().as_secs_f64();
    (reply["JobId"].as_str().expect("an id").to_owned(), seconds)
}

fn view(bench: &Bench, job: &str) -> Value {
    bench.batch("DescribeJob", &json!({"JobId": job}))
}

fn metrics(bench: &Bench, job: &str, state: &str) -> u64 {
    view(bench, job)["TaskInstanceMetrics"][state].as_u64().expect("a number")
}

/// A figure of the server's process, in MB.
fn memory_mb(bench: &Bench, line: &str) -> f64 {
    let path = format!("/proc/{}/status", bench.server_pid());
    let status = std::fs::read_to_string(path).expect("the server runs");
    let found = status.lines().find_map(|found| found.strip_prefix(line)).expect("the kernel tells it");
    let kib: f64 = found.trim().trim_end_matches(" kB").parse().expect("a number of KiB");
    kib * 1_024.0 / 1_000_000.0
}
