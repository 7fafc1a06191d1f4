//! `cargo xtask bench NAME`: the benchmarks, each of which prints its figure, its floor and the control of the same
//! run, and exits 1 below the floor.

use std::path::Path;

use crate::process::{Failure, cargo, run};

/// A benchmark: its name here and in `cargo bench`, the crate that has it, and what it measures.
struct Bench {
    name: &'static str,
    package: &'static str,
    measures: &'static str,
}

const BENCHES: [Bench; 8] = [
    Bench { name: "ledger", package: "store", measures: "instance completions committed per second on SQLite" },
    Bench { name: "retention", package: "store", measures: "commits while a day of 10,000,000 messages is removed" },
    Bench { name: "instances", package: "cli", measures: "10,000 instances of `true` from submission to their events" },
    Bench { name: "callback", package: "cli", measures: "from the exit of a process to the receipt of its callback" },
    Bench {
        name: "messages",
        package: "cli",
        measures: "messages sent, received and deleted over HTTP, beside an echo",
    },
    Bench { name: "million", package: "cli", measures: "submission of 1,000,000 instances, and the memory they take" },
    Bench {
        name: "pages",
        package: "cli",
        measures: "the console's pages on a server with 10,000 jobs, 1,000,000 instances and 1,000,000 messages",
    },
    Bench {
        name: "subscribers",
        package: "cli",
        measures: "delays at 980 subscriptions beside 20 that are dead or slow, and without them",
    },
];

/// Runs the benchmark called `name`; `all` runs every one, `list` prints what there is.
pub(crate) fn run_named(root: &Path, name: &str) -> Result<(), Failure> {
    match name {
        "list" => {
            BENCHES.iter().for_each(|bench| println!("{:<10} {}", bench.name, bench.measures));
            Ok(())
        }
        "all" => run_all(root),
        _ => match BENCHES.iter().find(|bench| bench.name == name) {
            Some(bench) => run_one(root, bench),
            None => Err(Failure::NoBenchmark { name: name.to_owned(), known: names(&BENCHES) }),
        },
    }
}

/// Runs all, also after one has failed, and names those that did.
fn run_all(root: &Path) -> Result<(), Failure> {
    let failed: Vec<&str> =
        BENCHES.iter().filter(|bench| run_one(root, bench).is_err()).map(|bench| bench.name).collect();
    if failed.is_empty() { Ok(()) } else { Err(Failure::Benchmarks { names: failed.join(", ") }) }
}

fn run_one(root: &Path, bench: &Bench) -> Result<(), Failure> {
    let mut command = cargo(root);
    command.args(["bench", "--package", bench.package, "--bench", bench.name]);
    run(&mut command, &format!("run the benchmark {}", bench.name))
}

fn names(benches: &[Bench]) -> String {
    benches.iter().map(|bench| bench.name).collect::<Vec<_>>().join(", ")
}
