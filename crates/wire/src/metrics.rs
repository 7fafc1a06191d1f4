//! Counters of tasks or instances by state: `TaskMetrics` and `TaskInstanceMetrics` of Tencent Batch, in events and
//! in replies.

use kernel::phase::{Counts, Phase};
use serde::Serialize;

/// How many are in each state, in the order of Tencent Batch's data type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Metrics {
    submitted_count: u64,
    pending_count: u64,
    runnable_count: u64,
    starting_count: u64,
    running_count: u64,
    succeed_count: u64,
    failed_interrupted_count: u64,
    failed_count: u64,
}

impl Metrics {
    pub(crate) fn of(counts: &Counts) -> Self {
        Self {
            submitted_count: counts.of(Phase::Submitted),
            pending_count: counts.of(Phase::Pending),
            runnable_count: counts.of(Phase::Runnable),
            starting_count: counts.of(Phase::Starting),
            running_count: counts.of(Phase::Running),
            succeed_count: counts.of(Phase::Succeed),
            failed_interrupted_count: counts.of(Phase::FailedInterrupted),
            failed_count: counts.of(Phase::Failed),
        }
    }
}
