//! The timekeeper: ends runs whose time, or whose grace, is over. Times are told by a clock that is never set.
//!
//! It also looks after the groups that have lost their leader while they use their grace. Their processes are not
//! children of this one, so no event tells of their end; it looks again and again until then.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use wire::node::{Exit, RunId};

use crate::engine::{Shared, send, unix_ms};
use crate::procfs;
use crate::reaper::group_exists;
use crate::runs::Overdue;

/// The body of the timekeeper's thread.
pub(crate) fn run(shared: &Arc<Shared>) {
    while shared.wait_for_deadline() {
        let now = Instant::now();
        let groups = shared.update(|state| {
            let mut groups = Vec::new();
            for due in state.runs.overdue(now) {
                match due {
                    Overdue::Signal(signal) => send([signal]),
                    Overdue::Look(run, group) => groups.push((run, group)),
                }
            }
            groups
        });
        let gone = gone(&groups);
        if !gone.is_empty() {
            let at = unix_ms();
            shared.update(|state| {
                for run in gone {
                    // It is being ended, and is reported as that, whatever its processes answered.
                    state.end(run, Exit::Killed, at, now);
                }
            });
        }
    }
}

/// Those runs of whose group no process lives.
fn gone(groups: &[(RunId, i32)]) -> Vec<RunId> {
    let (mut gone, rest): (Vec<_>, Vec<_>) = groups.iter().partition(|(_, group)| !group_exists(*group));
    if !rest.is_empty() {
        // What has ended still counts as existing until it is reaped, by someone who may take his time.
        match procfs::living() {
            Ok(living) => {
                let living: HashSet<i32> = living.iter().map(|process| process.group).collect();
                gone.extend(rest.into_iter().filter(|(_, group)| !living.contains(group)));
            }
            Err(error) => tracing::warn!(%error, "failed to look for what is left of ended runs"),
        }
    }
    gone.into_iter().map(|(run, _)| run).collect()
}
