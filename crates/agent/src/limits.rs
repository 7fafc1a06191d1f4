//! Every limit and every time of the agent, with its unit in its name.

use std::time::Duration;

/// Runs that may be queued here. A server sends far fewer ahead; more are refused as not started.
pub(crate) const QUEUED_RUNS: usize = 4_096;
/// Slots of a node.
pub(crate) const SLOTS: u32 = 1_024;
/// Reports that may wait for their acknowledgement before no further run is started.
pub(crate) const BACKLOG_REPORTS: usize = 4_096;
/// Frames of reports that may be under way to the server. Two, so that an end need not wait until the server has
/// committed its start; no more, so that reports gather while the server commits.
pub(crate) const FRAMES_UNDER_WAY: usize = 2;
/// With at least so many runs queued a node is sure to have work for longer than [`GATHER`]: it lets reports gather.
pub(crate) const GATHER_QUEUED_RUNS: usize = 12;
/// How long reports gather on a node that has enough to do, so that one commit takes in many. An idle one reports at
/// once.
pub(crate) const GATHER: Duration = Duration::from_millis(6);
/// Runs that are being started at a time: starting a process occupies a core, and waits for the new process to be on
/// its way.
pub(crate) const STARTS_AT_ONCE: usize = 2;
/// Threads that start runs, wait for their ends and finish them. One more than may be starting runs.
pub(crate) const WORKERS: usize = STARTS_AT_ONCE + 1;

/// How often a group is looked at that has lost its leader and uses its grace.
pub(crate) const GROUP_LOOK: Duration = Duration::from_millis(20);

/// Bytes of an output file's beginning that are kept when it grew too long.
pub(crate) const OUTPUT_HEAD_BYTES: u64 = 1024 * 1024;
/// Bytes of an output file's end that are kept when it grew too long.
pub(crate) const OUTPUT_TAIL_BYTES: u64 = 64 * 1024;

/// Length of the journal at which it is written anew with the living runs only, in bytes.
pub(crate) const JOURNAL_BYTES: u64 = 1024 * 1024;

/// Empty working folders that are kept for the next run of the same job.
pub(crate) const SPARE_FOLDERS: usize = 32;
/// How long they are kept after the last run.
pub(crate) const SPARE: Duration = Duration::from_millis(100);

/// First and longest pause between two tries to reach the server.
pub(crate) const RECONNECT_FIRST: Duration = Duration::from_millis(50);
/// See [`RECONNECT_FIRST`].
pub(crate) const RECONNECT_LONGEST: Duration = Duration::from_secs(2);
/// How long connecting, or waiting for the Welcome, or sending one frame may take.
pub(crate) const STEP: Duration = Duration::from_secs(10);
/// A connection on which nothing came for so many beats, and for [`STEP`], is given up.
pub(crate) const SILENT_BEATS: u32 = 4;
/// Bounds of the interval between beats that a server may ask for.
pub(crate) const BEAT_SHORTEST: Duration = Duration::from_millis(20);
/// See [`BEAT_SHORTEST`].
pub(crate) const BEAT_LONGEST: Duration = Duration::from_secs(60);
/// How long an agent lives on without a server.
pub(crate) const WITHOUT_SERVER: Duration = Duration::from_secs(24 * 3_600);
/// How often the agent looks whether its folder is still there.
pub(crate) const HOME_CHECK: Duration = Duration::from_secs(1);

/// How long an agent that ends waits for processes to be gone beyond their grace.
pub(crate) const LAST_RUNS: Duration = Duration::from_secs(5);
/// How long an agent that ends waits for the acknowledgement of its last reports.
pub(crate) const LAST_REPORTS: Duration = Duration::from_secs(2);

/// How long `kill_leftovers` waits for killed processes to be gone.
pub(crate) const LEFTOVERS_GONE: Duration = Duration::from_secs(10);
/// How often it looks.
pub(crate) const LEFTOVERS_LOOK: Duration = Duration::from_millis(2);
