//! Seeds: those that failed once, then some that nobody has chosen.

use sim::{Run, Sabotage, Summary, shrink, simulate};

/// Seeds tried beside those that are kept.
const SEEDS: std::ops::Range<u64> = 1_000..1_030;

fn kept() -> Vec<u64> {
    let lines = include_str!("../seeds.txt").lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty()).map(|line| line.parse().expect("a seed is a number")).collect()
}

fn run(seed: u64) -> Summary {
    simulate(Run::of(seed)).unwrap_or_else(|violation| panic!("{violation}"))
}

#[test]
fn seeds_that_failed_once_hold() {
    for seed in kept() {
        simulate(Run::longest(seed)).unwrap_or_else(|violation| panic!("{violation}"));
        run(seed);
    }
}

#[test]
fn drawn_seeds_hold_and_see_enough() {
    let mut whole = Summary::default();
    for seed in SEEDS {
        let one = run(seed);
        whole.jobs += one.jobs;
        whole.events += one.events;
        whole.restarts += one.restarts;
        whole.acknowledged += one.acknowledged;
    }
    let seeds = SEEDS.end - SEEDS.start;
    assert!(whole.jobs as u64 > seeds && whole.restarts as u64 > 3 * seeds, "{whole:?}");
    assert!(whole.events as u64 > 50 * seeds && whole.acknowledged > 200 * seeds, "{whole:?}");
}

#[test]
fn a_seed_is_one_run() {
    assert_eq!(run(7), run(7));
}

/// Seeds in which each deliberate fault must be found.
const FAULTY_SEEDS: u64 = 200;

#[test]
fn every_deliberate_fault_is_found() {
    let found = |sabotage: &Sabotage| {
        (0..FAULTY_SEEDS).any(|seed| simulate(Run { sabotage: Some(*sabotage), ..Run::of(seed) }).is_err())
    };
    let missed: Vec<Sabotage> = Sabotage::all().filter(|sabotage| !found(sabotage)).collect();
    assert!(missed.is_empty(), "not found in {FAULTY_SEEDS} seeds: {missed:?}");
}

#[test]
fn a_failing_run_is_shrunk_and_fails_still() {
    let run = Run { sabotage: Some(Sabotage::LoseEvent), ..Run::of(0) };
    let shrunk = shrink(run);
    assert!(shrunk.steps <= run.steps, "{shrunk:?}");
    assert!(simulate(shrunk).is_err());
}
