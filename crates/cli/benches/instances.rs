//! 10,000 instances of `true` from submission until the job has succeeded and the start and the end of each instance
//! lie in a queue. Control of the same run: bare `posix_spawn` of the same command from two threads, with a process
//! group and two output files each, before and after every round. Floor: half of the control; the mark is three
//! quarters.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[expect(dead_code, reason = "other benchmarks use the rest")]
mod support;

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use serde_json::json;
use support::{Bench, median};

const INSTANCES: u64 = 10_000;
const ROUNDS: usize = 3;

fn main() -> ExitCode {
    let bench = Bench::start();
    let env = bench.env("local", 1);
    bench.v2("CreateQueue", &[("queueName", "events")]);
    bench.v2("CreateTopic", &[("topicName", "job-message")]);
    bench.v2(
        "Subscribe",
        &[
            ("topicName", "job-message"),
            ("subscriptionName", "to-events"),
            ("protocol", "queue"),
            ("endpoint", "events"),
            ("notifyContentFormat", "SIMPLIFIED"),
        ],
    );
    let (mut rates, mut bares, mut ratios, mut syncs) = (vec![], vec![], vec![], vec![]);
    // The machine's speed changes from minute to minute, so each round stands beside the controls before and after it.
    let mut control = bare_spawns(bench.folder(), 0);
    for round in 0..ROUNDS as u64 {
        let before = bench.metric("herald_commits_total");
        let rate = one_job(&bench, &env, (round + 1) * INSTANCES * 2);
        let commits = bench.metric("herald_commits_total") - before;
        let next = bare_spawns(bench.folder(), round + 1);
        let bare = f64::midpoint(control, next);
        control = next;
        println!("round {round}: {rate:.0} instances/s, bare {bare:.0}/s, {commits} syncs");
        rates.push(rate);
        bares.push(bare);
        ratios.push(rate / bare);
        syncs.push(commits as f64 / INSTANCES as f64);
    }
    let ratio = median(ratios);
    println!("instances     {:>8.0} /s (median of {ROUNDS} rounds of {INSTANCES})", median(rates));
    println!("control       {:>8.0} /s bare posix_spawn, two threads, process group, two files", median(bares));
    println!("ratio         {ratio:>8.2}   floor 0.50, mark 0.75");
    println!("syncs         {:>8.3}   an instance", median(syncs));
    if ratio < 0.5 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Runs one job; says how many instances a second.
fn one_job(bench: &Bench, env: &str, events: u64) -> f64 {
    let start = Instant::now();
    let job = json!({"Placement": {"Zone": "ap-guangzhou-1"}, "Job": {
        "JobName": "bench",
        "Tasks": [{"TaskName": "t", "TaskInstanceNum": INSTANCES, "EnvId": env,
                   "Application": {"DeliveryForm": "LOCAL", "Command": "true"}}],
        "Notifications": [{"TopicName": "job-message", "EventConfigs": [
            {"EventName": "TASK_INSTANCE_RUNNING"}, {"EventName": "TASK_INSTANCE_SUCCEED"}]}]}});
    let job = bench.batch("SubmitJob", &job)["JobId"].clone();
    bench.until(|| bench.batch("DescribeJob", &json!({"JobId": job}))["JobState"] == "SUCCEED");
    bench.until(|| bench.v2("GetQueueAttributes", &[("queueName", "events")])["activeMsgNum"] == events);
    INSTANCES as f64 / start.elapsed().as_secs_f64()
}

/// Bare runs of the same command a second: with the same process group and files, from two threads. The files stay
/// until the benchmark ends: a file system may look at every file that was just removed before it makes another, and
/// the next round would pay for it.
fn bare_spawns(folder: &Path, round: u64) -> f64 {
    const EACH: u64 = 2_000;
    let folder = folder.join(format!("bare-{round}"));
    std::fs::create_dir_all(&folder).expect("a folder");
    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let folder = &folder;
            scope.spawn(move || (0..EACH).for_each(|number| bare_spawn(folder, thread, number)));
        }
    });
    2.0 * EACH as f64 / start.elapsed().as_secs_f64()
}

fn bare_spawn(folder: &Path, thread: u64, number: u64) {
    let file = |stream: &str| File::create(folder.join(format!("{thread}.{number}.{stream}"))).expect("a file");
    let status = Command::new("/bin/true")
        .stdin(Stdio::null())
        .stdout(file("stdout"))
        .stderr(file("stderr"))
        .process_group(0)
        .status()
        .expect("true runs");
    assert!(status.success());
}
