//! `cargo xtask test`: the whole suite, with what the black-box tests need.
//!
//! The build comes first, so that a mistake in the code shows before anything is installed. The suite's output is
//! passed on line by line; the last line adds up what every test binary said of itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::Stdio;

use crate::process::{self, Failure, cargo, ended};
use crate::{checkers, clients, packages};

/// Builds, installs the clients, and runs the tests that `args` name (all of them, when it is empty).
pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), Failure> {
    let whole = ["--workspace".to_owned(), "--no-fail-fast".to_owned()];
    let args = if args.is_empty() { &whole[..] } else { args };
    process::run(cargo(root).args(["test", "--release", "--no-run"]).args(args), "build the tests")?;
    let python = clients::prepare(root)?;
    packages::prepare()?;
    let checkers = checkers::prepare(root)?;

    let mut tests = cargo(root);
    tests.args(["test", "--release"]).args(args).env("HERALD_TEST_PYTHON", python);
    tests.env("HERALD_TEST_CHECKERS", checkers).stdout(Stdio::piped());
    let broken = |source| Failure::Start { program: "cargo test".to_owned(), source };
    let mut child = tests.spawn().map_err(broken)?;
    let output = child.stdout.take().expect("stdout was asked to be piped");
    let counts = pass_on(output).map_err(broken)?;
    let status = child.wait().map_err(broken)?;
    println!("tests: {} passed, {} failed, {} skipped", counts.passed, counts.failed, counts.skipped);
    ended(&tests, "pass the tests", status)
}

/// What the test binaries counted, added up.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// Copies a suite's output to standard output and adds up its result lines.
fn pass_on(output: impl Read) -> std::io::Result<Counts> {
    let mut counts = Counts::default();
    let mut lines = BufReader::new(output);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        let mut terminal = std::io::stdout().lock();
        terminal.write_all(&line)?;
        terminal.flush()?;
        counts.add(&String::from_utf8_lossy(&line));
        line.clear();
    }
    Ok(counts)
}

impl Counts {
    /// Adds a line such as `test result: ok. 12 passed; 0 failed; 1 ignored; ...`; other lines count nothing.
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else {
            return;
        };
        let words: Vec<&str> = result.split_whitespace().collect();
        for pair in words.windows(2) {
            let Ok(number) = pair[0].parse::<u64>() else {
                continue;
            };
            match pair[1] {
                "passed;" => self.passed += number,
                "failed;" => self.failed += number,
                "ignored;" => self.skipped += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_several_binaries_are_added_up() {
        let output = "running 2 tests\ntest a ... ok\n\
            test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
            test result: FAILED. 3 passed; 4 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.01s\n\
            7 passed; 7 failed in something else\n";
        let mut counts = Counts::default();
        output.lines().for_each(|line| counts.add(line));
        assert_eq!(counts, Counts { passed: 5, failed: 4, skipped: 1 });
    }
}
