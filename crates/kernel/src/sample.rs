//! What runs use, as their nodes measure it.

use crate::instance::RunId;
use crate::time::Timestamp;

/// What a run used at one moment. Parts are in hundredths of a percent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The run.
    pub run: RunId,
    /// Which of the run's samples, from 0.
    pub number: u32,
    /// When, by the node's clock, but never later than it was taken in.
    pub at: Timestamp,
    /// Processor time since the run's last sample, of what it may use.
    pub cpu: u32,
    /// Memory, of what it may use.
    pub mem: u32,
    /// How full the node's disks are, by name.
    pub disks: Vec<(String, u32)>,
}

/// All of something, in hundredths of a percent.
pub const WHOLE: u32 = 10_000;
