//! The words Tencent Batch has for the states of jobs, tasks and task instances, and counts of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The state word of a job, a task or an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Phase {
    /// Accepted, not yet read. Herald reads at once, so nothing stays in it.
    Submitted,
    /// Waits for the tasks before it.
    Pending,
    /// Could run; waits for a place.
    Runnable,
    /// Has a place; its command has not started.
    Starting,
    /// Its command runs.
    Running,
    /// Ended well.
    Succeed,
    /// Ended otherwise.
    Failed,
    /// Ended otherwise, and its node is kept for a look.
    FailedInterrupted,
}

impl Phase {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 8] = [
        Self::Submitted,
        Self::Pending,
        Self::Runnable,
        Self::Starting,
        Self::Running,
        Self::Succeed,
        Self::Failed,
        Self::FailedInterrupted,
    ];

    /// Whether nothing follows: SUCCEED and FAILED.
    #[must_use]
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Succeed | Self::Failed)
    }

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "SUBMITTED",
            Self::Pending => "PENDING",
            Self::Runnable => "RUNNABLE",
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Succeed => "SUCCEED",
            Self::Failed => "FAILED",
            Self::FailedInterrupted => "FAILED_INTERRUPTED",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Phase {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|phase| phase.as_str() == text).ok_or(())
    }
}

/// How many are in each phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Counts([u64; 8]);

impl Counts {
    /// So many in one phase, none elsewhere.
    #[must_use]
    pub fn all_in(phase: Phase, count: u64) -> Self {
        let mut counts = Self::default();
        counts.0[phase as usize] = count;
        counts
    }

    /// How many are in `phase`.
    #[must_use]
    pub fn of(&self, phase: Phase) -> u64 {
        self.0[phase as usize]
    }

    /// How many there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// How many have a place: STARTING or RUNNING.
    #[must_use]
    pub fn active(&self) -> u64 {
        self.of(Phase::Starting) + self.of(Phase::Running)
    }

    /// Adds another count.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count += more;
        }
    }

    /// Moves `count` from one phase to another.
    pub fn shift(&mut self, from: Phase, to: Phase, count: u64) {
        debug_assert!(self.of(from) >= count, "{count} leave {from}, which has {}", self.of(from));
        self.0[from as usize] = self.0[from as usize].saturating_sub(count);
        self.0[to as usize] += count;
    }

    /// The phase of a whole from that of its parts. `has_run`: one of them was RUNNING at some time, after which the
    /// whole is RUNNING until its end.
    #[must_use]
    pub fn whole(&self, has_run: bool) -> Phase {
        let able = self.of(Phase::Submitted) + self.of(Phase::Runnable) + self.active();
        if self.of(Phase::Succeed) == self.total() {
            return Phase::Succeed;
        }
        // What is pending waits for what was interrupted.
        if able == 0 && self.of(Phase::FailedInterrupted) > 0 {
            return Phase::FailedInterrupted;
        }
        if able + self.of(Phase::Pending) == 0 {
            return Phase::Failed;
        }
        if has_run || self.of(Phase::Running) > 0 {
            Phase::Running
        } else if self.of(Phase::Starting) > 0 {
            Phase::Starting
        } else if self.of(Phase::Runnable) > 0 {
            Phase::Runnable
        } else {
            Phase::Pending
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Phase::*;

    #[test]
    fn a_whole_follows_its_parts() {
        let table: &[(&[Phase], bool, Phase)] = &[
            (&[Pending, Pending], false, Pending),
            (&[Runnable, Pending], false, Runnable),
            (&[Starting, Runnable], false, Starting),
            (&[Running, Starting], true, Running),
            (&[Runnable, Succeed], true, Running),
            (&[Succeed, Succeed], true, Succeed),
            (&[Succeed, Failed], true, Failed),
            (&[Failed, Running], true, Running),
            (&[Failed, FailedInterrupted], true, FailedInterrupted),
            (&[FailedInterrupted, Running], true, Running),
            (&[FailedInterrupted, Runnable], true, Running),
            (&[FailedInterrupted, Pending], true, FailedInterrupted),
            (&[FailedInterrupted, Succeed], true, FailedInterrupted),
            (&[Failed, Pending], false, Pending),
            (&[Failed, Failed], false, Failed),
        ];
        for (parts, has_run, whole) in table {
            let mut counts = Counts::default();
            for part in *parts {
                counts.add(&Counts::all_in(*part, 1));
            }
            assert_eq!(counts.whole(*has_run), *whole, "{parts:?}");
        }
    }

    #[test]
    fn words_read_back() {
        for phase in Phase::ALL {
            assert_eq!(phase.as_str().parse(), Ok(phase));
        }
        assert_eq!("SUCCEEDED".parse::<Phase>(), Err(()));
    }
}
