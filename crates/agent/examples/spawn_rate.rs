//! How many runs of `true` a second the agent's engine starts, reaps and reports, without a network; and, in the same
//! process, how many bare spawns the machine does: from two threads, each process in a group of its own, with two new
//! output files. Beside each rate stands the processor time of a run, that of its process included: it says more than
//! the rate on a machine that has other work.
//!
//! `cargo run --release -p agent --example spawn_rate [RUNS [ROUNDS [FOLDER]]]`
#![expect(clippy::print_stdout, reason = "printing figures is what this program is for")]

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Instant;

use agent::engine::Engine;
use kernel::id::JobId;
use wire::node::{Exit, FromNode, Report, RunId, TaskOrder};

/// Runs that are given ahead, as a server does.
const AHEAD: u32 = 32;
const SLOTS: u32 = 2;
const THREADS: u32 = 2;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let runs: u32 = args.next().map_or(Ok(4_000), |text| text.parse())?;
    let rounds: u32 = args.next().map_or(Ok(3), |text| text.parse())?;
    let base = args.next().unwrap_or_else(|| std::env::temp_dir().to_string_lossy().into_owned());
    for round in 0..rounds {
        let folder = Path::new(&base).join(format!("spawn-rate-{}-{round}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let plain = measure(runs, || bare(&folder, runs, &["/bin/true"]))?;
        let shell = measure(runs, || bare(&folder, runs, &["/bin/sh", "-c", "true"]))?;
        let agent = measure(runs, || engine(&folder, runs))?;
        println!(
            "bare true {plain}, bare sh -c true {shell}, engine {agent}: {:.0} % of bare true",
            100.0 * agent.per_second / plain.per_second
        );
        // The folder stays: removing so many files would slow the file system down for the next round.
    }
    Ok(())
}

struct Figure {
    per_second: f64,
    cpu_us: f64,
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}/s ({:.0} us)", self.per_second, self.cpu_us)
    }
}

fn measure<E: Into<Box<dyn Error>>>(
    runs: u32,
    work: impl FnOnce() -> Result<f64, E>,
) -> Result<Figure, Box<dyn Error>> {
    let before = cpu_us()?;
    let seconds = work().map_err(Into::into)?;
    let runs = f64::from(runs);
    Ok(Figure { per_second: runs / seconds, cpu_us: (cpu_us()? - before) / runs })
}

/// Processor time of this process and of the children it has reaped, in microseconds.
fn cpu_us() -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no name in /proc/self/stat")?;
    // Fields 14 to 17, in hundredths of a second; the first after the name is field 3.
    let ticks = fields.split_ascii_whitespace().skip(11).take(4).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks * 10_000.0)
}

/// Seconds for `runs` bare spawns.
fn bare(folder: &Path, runs: u32, command: &[&str]) -> io::Result<f64> {
    let folder = folder.join(format!("bare-{}", command.len()));
    std::fs::create_dir(&folder)?;
    let begin = Instant::now();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let folder = &folder;
                scope.spawn(move || -> io::Result<()> {
                    for index in (thread..runs).step_by(THREADS as usize) {
                        Command::new(command[0])
                            .args(&command[1..])
                            .stdin(Stdio::null())
                            .stdout(File::create(folder.join(format!("{index}.stdout")))?)
                            .stderr(File::create(folder.join(format!("{index}.stderr")))?)
                            .process_group(0)
                            .spawn()?
                            .wait()?;
                    }
                    Ok(())
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
    })?;
    Ok(begin.elapsed().as_secs_f64())
}

/// Seconds for `runs` runs through the engine, each reported as started and as ended well.
fn engine(folder: &Path, runs: u32) -> Result<f64, Box<dyn Error>> {
    let home = folder.join("node");
    std::fs::create_dir(&home)?;
    let (tell, told) = mpsc::channel();
    let engine = Engine::start(&home, &folder.join("logs"), SLOTS, None, None, move || {
        // The receiver may be gone at the end.
        let _ = tell.send(());
    })?;
    let job = JobId::from_number(1).expect("a small number");
    let order = TaskOrder {
        job,
        task: 0,
        task_name: "true".to_owned(),
        instance_num: u64::from(runs),
        command: "true".to_owned(),
        env: Vec::new(),
        setup: None,
        timeout_ms: 86_400_000,
        grace_ms: 10_000,
    };
    let begin = Instant::now();
    let (mut given, mut started, mut ended) = (0, 0, 0);
    while ended < runs {
        let more = (ended + SLOTS + AHEAD).min(runs);
        let next: Vec<RunId> = (given..more).map(|index| RunId { job, task: 0, index, attempt: 1 }).collect();
        given = more;
        engine.give(vec![order.clone()], &next);
        let Some(FromNode::Reports { number, reports }) = engine.next_frame() else {
            told.recv()?;
            continue;
        };
        for report in reports {
            match report {
                Report::Started { .. } => started += 1,
                Report::Exited { exit: Exit::Code { code: 0 }, .. } => ended += 1,
                other => return Err(format!("unexpected: {other:?}").into()),
            }
        }
        engine.acknowledge(number);
    }
    let seconds = begin.elapsed().as_secs_f64();
    assert_eq!(started, runs, "each was reported as started");
    engine.close(false);
    engine.stop();
    Ok(seconds)
}
