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

/// Bytes beyond its bounds that an output file may take of the disk before its middle is given back.
pub(crate) const OUTPUT_LOOSE_BYTES: u64 = 4 * 1024 * 1024;

/// How often runs that go on are looked at: whether their outputs grow too long, and whether a sample is due.
pub(crate) const LOOK: Duration = Duration::from_millis(100);
/// How soon they are looked at again while an output grows fast.
pub(crate) const LOOK_SOON: Duration = Duration::from_millis(20);
/// When a run is first sampled, unless samples are taken more often than that.
pub(crate) const FIRST_SAMPLE: Duration = Duration::from_secs(1);
/// How often a run is sampled before a server has said so.
pub(crate) const SAMPLE_PERIOD: Duration = Duration::from_secs(10);
/// Samples after which a run is sampled half as often as before, so that the longest run does not have many.
pub(crate) const SAMPLES_THEN_RARER: u32 = 360;
/// Samples that wait to be sent; older ones are dropped, since nothing depends on them.
pub(crate) const WAITING_SAMPLES: usize = 4_096;
/// Disks that a sample tells of.
pub(crate) const DISKS: usize = 16;

/// Bandwidth of processor time is counted anew so often, in microseconds: the kernel's default.
pub(crate) const CPU_PERIOD_US: u64 = 100_000;
/// How long what a run left behind may take to be gone once it is killed.
pub(crate) const KILLED_GONE: Duration = Duration::from_secs(10);
/// How often that is looked at. They are not children of this process, so no event tells.
pub(crate) const KILLED_LOOK: Duration = Duration::from_millis(1);

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
/// Bounds of the interval between samples that a server may ask for.
pub(crate) const SAMPLE_SHORTEST: Duration = Duration::from_millis(20);
/// See [`SAMPLE_SHORTEST`].
pub(crate) const SAMPLE_LONGEST: Duration = Duration::from_secs(3_600);
/// How long an agent lives on without a server.
pub const WITHOUT_SERVER: Duration = Duration::from_secs(24 * 3_600);
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

/// Bytes of a package as it is fetched.
pub(crate) const PACKAGE_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// Bytes of all files of a package.
pub(crate) const UNPACKED_BYTES: u64 = 32 * 1024 * 1024 * 1024;
/// Files, folders and links of a package.
pub(crate) const PACKAGE_ENTRIES: u64 = 500_000;
/// How long fetching a package may take.
pub(crate) const FETCH: Duration = Duration::from_secs(3_600);
/// Redirects that are followed for a package.
pub(crate) const REDIRECTS: usize = 5;
/// How long connecting to a server of packages or of storage may take.
pub(crate) const CONNECT: Duration = Duration::from_secs(10);
/// How long one request to a server of storage may take.
pub(crate) const STORAGE_REPLY: Duration = Duration::from_secs(600);
/// How often a failed request to a server of storage is repeated.
pub(crate) const STORAGE_TRIES: usize = 5;
/// Files of a folder that is copied in or out.
pub(crate) const COPIED_FILES: usize = 1_000_000;
/// Objects that are fetched at once.
pub(crate) const DOWNLOADS: usize = 4;
/// Bytes of a part of an upload that servers take (S3: all but the last have 5 MiB).
pub(crate) const PART_BYTES_LEAST: usize = 5 * 1024 * 1024;
/// Parts of an upload (S3: 10,000).
pub(crate) const PARTS_MOST: u64 = 10_000;
/// Bytes that are held in memory for uploads at once.
pub(crate) const UPLOAD_BYTES: usize = 512 * 1024 * 1024;
/// Characters of what another program said that stand in a reason.
pub(crate) const REASON_CHARS: usize = 300;
/// How long one call of `docker` or `podman` that ends a container may take.
pub(crate) const CONTAINER_GONE: Duration = Duration::from_secs(30);
/// How long it may take to ask what a container's first process is.
pub(crate) const CONTAINER_ASKED: Duration = Duration::from_secs(5);
/// The pause before a container is ended once more that could not be.
pub(crate) const CONTAINER_PAUSE: Duration = Duration::from_millis(500);
/// Bytes that are read of what such a call says.
pub(crate) const CONTAINER_TOLD_BYTES: u64 = 64 * 1024;
