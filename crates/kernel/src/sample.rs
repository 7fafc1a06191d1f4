//! What runs use, as their nodes measure it.

use serde::{Deserialize, Serialize};

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
    /// What went through the run's network since its last sample; `None` where it has none of its own.
    pub net: Option<Traffic>,
}

/// What goes through a network, in bytes a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// What comes in.
    pub bytes_in: u64,
    /// What goes out.
    pub bytes_out: u64,
}

/// All of something, in hundredths of a percent.
pub const WHOLE: u32 = 10_000;
