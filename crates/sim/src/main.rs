//! Runs the simulation.

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use sim::{Run, Sabotage, shrink, simulate, simulate_aloud};

const USAGE: &str = "\
usage: sim --seed S              run one seed, and tell of each step on standard error
       sim --seeds N [--from F]  run N seeds, from F (0) on
       sim --from F --to T       run the seeds from F up to T, without T
       sim --seconds N [--from F]  run seeds for so long
       sim --twice N             run N seeds twice, and see that both runs are the same
       sim --sabotage            make each deliberate fault, and tell how many seeds it took to find it";

/// Seeds in which a deliberate fault is looked for.
const LOOKED_THROUGH: u64 = 200;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().ok();
    let asked = match words[..] {
        ["--seed", seed] => number(seed).map(one),
        ["--seeds", count] => number(count).map(|count| many(0..count)),
        ["--seeds", count, "--from", from] => both(number(count), number(from)).map(|(n, from)| many(from..from + n)),
        ["--from", from, "--to", to] => both(number(from), number(to)).map(|(from, to)| many(from..to)),
        ["--seconds", seconds] => number(seconds).map(|seconds| for_seconds(0, seconds)),
        ["--seconds", seconds, "--from", from] => {
            both(number(seconds), number(from)).map(|(seconds, from)| for_seconds(from, seconds))
        }
        ["--twice", count] => number(count).map(twice),
        ["--sabotage"] => Some(sabotage()),
        _ => None,
    };
    asked.unwrap_or_else(|| {
        say(USAGE);
        ExitCode::from(2)
    })
}

fn both(one: Option<u64>, other: Option<u64>) -> Option<(u64, u64)> {
    Some((one?, other?))
}

fn one(seed: u64) -> ExitCode {
    match simulate_aloud(Run::of(seed), &mut std::io::stderr()) {
        Ok(_) => ExitCode::SUCCESS,
        Err(violation) => {
            say(&violation.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Whether the seed holds. One that does not is named, with the shortest storm that fails.
fn holds(seed: u64) -> bool {
    let Err(violation) = simulate(Run::of(seed)) else { return true };
    say(&violation.to_string());
    say(&format!("    it fails with a storm of {} steps", shrink(Run::of(seed)).steps));
    false
}

fn many(seeds: impl Iterator<Item = u64>) -> ExitCode {
    let begin = Instant::now();
    let (mut count, mut failed) = (0_u32, 0_u32);
    for seed in seeds {
        count += 1;
        failed += u32::from(!holds(seed));
    }
    if count == 0 {
        say("no seeds to run: give a count or a time above 0, or a range that ends after it begins");
        return ExitCode::from(2);
    }
    let ms = begin.elapsed().as_millis() / u128::from(count);
    say(&format!("{count} seeds, {failed} failed, {ms} ms a seed"));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn for_seconds(from: u64, seconds: u64) -> ExitCode {
    let until = Instant::now() + Duration::from_secs(seconds);
    many((from..).take_while(|_| Instant::now() < until))
}

fn twice(count: u64) -> ExitCode {
    let differs = |seed: &u64| {
        let told = || {
            let mut trace = Vec::new();
            let outcome = simulate_aloud(Run::of(*seed), &mut trace).map_err(|violation| violation.to_string());
            (outcome, trace)
        };
        told() != told()
    };
    let different: Vec<u64> = (0..count).filter(differs).collect();
    say(&format!("{count} seeds twice, these differ: {different:?}"));
    if different.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn sabotage() -> ExitCode {
    let mut all = true;
    for sabotage in Sabotage::all() {
        let found = (0..LOOKED_THROUGH).find_map(|seed| {
            let violation = simulate(Run { sabotage: Some(sabotage), ..Run::of(seed) }).err()?;
            Some((seed, violation.what))
        });
        all &= found.is_some();
        match found {
            Some((seed, what)) => say(&format!("{sabotage:?}: found after {} seeds: {what:.100}", seed + 1)),
            None => say(&format!("{sabotage:?}: NOT FOUND in {LOOKED_THROUGH} seeds")),
        }
    }
    if all { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn say(line: &str) {
    // A reader that has gone away has heard enough.
    let _ = writeln!(std::io::stdout(), "{line}");
}
