//! What was received and is held against the promises: every line is an event, something else, or broken.

use wire::proof::{Facts, Proof};
use wire::received::{Received, split};

/// The text of a file of received messages.
///
/// # Panics
/// Where a line is told that is not there, or the verdict cannot be given.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut proof = Proof::default();
    let lines = text.matches('\n').count() + 1;
    for (line, received) in split(text) {
        assert!((1..=lines).contains(&line), "line {line} of {lines}");
        if let Received::Events(events) = received {
            events.into_iter().for_each(|event| proof.add(event));
        }
    }
    let keys: Vec<_> = proof.keys().cloned().collect();
    for key in keys {
        for gap in proof.missing(&key) {
            assert!(gap.start() <= gap.end(), "{gap:?}");
        }
        let finding = proof.find(&key, &Facts::default());
        assert!(finding.held <= finding.last, "{finding:?}");
        assert!(!finding.verdict().as_str().is_empty());
    }
}
