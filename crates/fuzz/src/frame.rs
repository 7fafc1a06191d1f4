//! Frames of agents and machines: read or refused, and what was read is written as what it is.

use wire::machine::{FromMachine, ToMachine};
use wire::node::{Frame, FrameError, FromNode, ToNode, decode, encode};

/// The text of a frame.
///
/// # Panics
/// Where a frame that was read is another after being written and read again.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    both_ways::<FromNode>(text);
    both_ways::<ToNode>(text);
    both_ways::<FromMachine>(text);
    both_ways::<ToMachine>(text);
}

fn both_ways<F: Frame + PartialEq>(text: &str) {
    match decode::<F>(text) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(frame) => match encode(&frame) {
            Ok(written) => {
                assert!(decode::<F>(&written).expect("what was written") == frame, "{text} became {written}")
            }
            // Escapes can make it longer than it came.
            Err(FrameError::TooLong { .. }) => {}
            Err(error) => panic!("{text} cannot be written: {error}"),
        },
    }
}
