//! The timekeeper: ends runs whose time, or whose grace, is over. Times are told by a clock that is never set.

use std::time::Instant;

use crate::engine::{Shared, send};

/// The body of the timekeeper's thread.
pub(crate) fn run(shared: &Shared) {
    let mut state = shared.lock();
    while !state.quit {
        let now = Instant::now();
        send(state.runs.overdue(now));
        let next = state.runs.next_deadline();
        state = shared.wait_for_deadline(state, next, now);
    }
}
