//! `sim --seed S` runs one seed and tells of each step on standard error; `sim --seeds N` runs that many, from a
//! seed that can be given as a second argument, and names those that fail.

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().ok();
    match words[..] {
        ["--seed", seed] => number(seed).map_or(ExitCode::from(2), one),
        ["--seeds", count] => number(count).map_or(ExitCode::from(2), |count| many(0, count)),
        ["--seeds", count, from] => match (number(count), number(from)) {
            (Some(count), Some(from)) => many(from, count),
            _ => ExitCode::from(2),
        },
        _ => {
            say("usage: sim --seed S | --seeds N [FROM]");
            ExitCode::from(2)
        }
    }
}

fn one(seed: u64) -> ExitCode {
    finish(sim::simulate_aloud(seed, &mut std::io::stderr()))
}

fn many(from: u64, count: u64) -> ExitCode {
    let failed = (from..from + count).filter(|seed| finish(sim::simulate(*seed)) == ExitCode::FAILURE).count();
    say(&format!("{count} seeds, {failed} failed"));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn finish(outcome: Result<sim::Summary, sim::Violation>) -> ExitCode {
    match outcome {
        Ok(_) => ExitCode::SUCCESS,
        Err(violation) => {
            say(&violation.to_string());
            ExitCode::FAILURE
        }
    }
}

fn say(line: &str) {
    // A reader that has gone away has heard enough.
    let _ = writeln!(std::io::stdout(), "{line}");
}
