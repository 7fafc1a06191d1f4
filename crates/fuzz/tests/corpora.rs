//! Every target on its corpus, and on changes of that: without a fuzzer, on any compiler. `PROPTEST_CASES` sets how many.

#![expect(clippy::unwrap_used, reason = "a corpus that cannot be read fails the test")]

use std::fs;
use std::path::Path;

use fuzz::TARGETS;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// What lies in the corpus of a target.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// One change of an input.
#[derive(Debug, Clone)]
enum Change {
    Replace(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
    /// A piece of another input is put in.
    Splice(prop::sample::Index, prop::sample::Index, usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<prop::sample::Index>;
    // What readers look for counts more than any byte.
    let byte = prop_oneof![any::<u8>(), prop::sample::select(&b"{}[]\",:.%&=+-/@#*\\ \n0129"[..])];
    prop_oneof![
        (at(), byte.clone()).prop_map(|(at, byte)| Change::Replace(at, byte)),
        (at(), prop::collection::vec(byte, 1..6)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (at(), 1..40usize).prop_map(|(at, count)| Change::Remove(at, count)),
        (at(), at(), 0..4_000usize, 1..80usize)
            .prop_map(|(at, other, from, count)| Change::Splice(at, other, from, count)),
    ]
}

fn apply(input: &mut Vec<u8>, change: &Change, all: &[Vec<u8>]) {
    let place = |at: &prop::sample::Index, input: &[u8]| at.index(input.len() + 1);
    match change {
        Change::Replace(at, byte) => {
            let at = place(at, input);
            match input.get_mut(at) {
                Some(there) => *there = *byte,
                None => input.push(*byte),
            }
        }
        Change::Insert(at, bytes) => {
            let at = place(at, input);
            input.splice(at..at, bytes.iter().copied());
        }
        Change::Remove(at, count) => {
            let at = place(at, input);
            let end = (at + count).min(input.len());
            input.drain(at..end);
        }
        Change::Splice(at, other, from, count) => {
            let other = other.get(all);
            let from = (*from).min(other.len());
            let piece = &other[from..(from + count).min(other.len())];
            let at = place(at, input);
            input.splice(at..at, piece.iter().copied());
        }
    }
}

/// Runs a target on its corpus, and on changed inputs of it.
fn run(name: &str) {
    let (_, check) = TARGETS.iter().find(|(target, _)| *target == name).unwrap();
    let all = corpus(name);
    assert!(all.len() > 4, "{name} has hardly a corpus");
    all.iter().for_each(|input| check(input));
    let inputs = (any::<prop::sample::Index>(), prop::collection::vec(change(), 1..8));
    let checked = TestRunner::default().run(&inputs, |(which, changes)| {
        let mut input = which.get(&all).clone();
        changes.iter().for_each(|change| apply(&mut input, change, &all));
        check(&input);
        Ok(())
    });
    if let Err(failure) = checked {
        panic!("{name}: {failure}");
    }
}

macro_rules! targets {
    ($($name:ident),*) => {
        $(#[test] fn $name() { run(stringify!($name)); })*

        #[test]
        fn no_target_is_left_out() {
            let run: &[&str] = &[$(stringify!($name)),*];
            let all: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(run, all);
        }
    };
}

targets!(address, api, archive, frame, job_file, received, request, routing);
