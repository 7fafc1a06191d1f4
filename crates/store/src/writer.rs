//! The writer's side of a store.

use kernel::id::JobId;
use kernel::instance::InstanceKey;
use kernel::loops::expire::TopicCutoff;
use kernel::state::Row;
use kernel::subscription::SubscriptionKey;
use kernel::task::TaskKey;
use kernel::time::Timestamp;
use kernel::topic::StreamNo;

use crate::batch::Batch;
use crate::error::{CommitError, StoreError};
use crate::page::JobRows;
use crate::reader::Reader;

/// Which commit was the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamp {
    /// The ledger's version: how many batches have been committed.
    pub version: u64,
    /// Who made the last: its [`Batch::writer`].
    pub writer: u64,
}

/// The one connection that writes. All calls block; the ledger's thread owns it.
pub trait Store: Send {
    /// All that is alive, as the kernel takes it in when it starts.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn load(&mut self) -> Result<Loaded, StoreError>;

    /// Writes a batch in one transaction and returns when it is on the disk.
    ///
    /// # Errors
    /// [`CommitError`] tells what the caller must do.
    fn commit(&mut self, batch: &Batch) -> Result<(), CommitError>;

    /// The last commit.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn stamp(&mut self) -> Result<Stamp, StoreError>;

    /// A job, finished or not, with its tasks.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn job(&mut self, id: JobId) -> Result<Option<JobRows>, StoreError>;

    /// Up to `limit` FAILED instances of a task, from an index on, in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn failed_instances(&mut self, task: TaskKey, from: u32, limit: usize) -> Result<Vec<Row>, StoreError>;

    /// An instance, if it has a row.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn instance(&mut self, key: InstanceKey) -> Result<Option<Row>, StoreError>;

    /// Up to `limit` messages of a queue that can be received, from a place on, in the order they became visible.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn visible_messages(&mut self, after: VisibleAfter, limit: usize) -> Result<Vec<Row>, StoreError>;

    /// Those of the messages with these places that are stored under a number.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn messages(&mut self, heap: StreamNo, seqs: &[u64]) -> Result<Vec<Row>, StoreError>;

    /// The first of the messages stored under a number, of those that were stored after `kept`.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn oldest_messages(&mut self, heap: StreamNo, kept: Timestamp, limit: usize) -> Result<Vec<Row>, StoreError>;

    /// Up to `limit` deleted messages, from a place on, in the order they were stored.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn kept_messages(&mut self, after: KeptAfter, limit: usize) -> Result<Vec<Row>, StoreError>;

    /// Places of the messages stored under a number that were stored at `kept` or before: the oldest, at most
    /// `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn expired_messages(&mut self, heap: StreamNo, kept: Timestamp, limit: usize) -> Result<Vec<u64>, StoreError>;

    /// Removes up to `limit` rows whose owner is gone or whose time is over, in a transaction of its own. The version
    /// stays. Call again while there is more, other commits in between.
    ///
    /// # Errors
    /// As [`Store::commit`]; it may be repeated without harm.
    fn sweep(&mut self, cutoffs: &Cutoffs, limit: usize) -> Result<Swept, CommitError>;

    /// A further connection, for reads.
    ///
    /// # Errors
    /// When it cannot be opened.
    fn reader(&self) -> Result<Box<dyn Reader>, StoreError>;
}

/// What a store holds that is alive.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// Topics, queues, subscriptions, task templates, environments, nodes, activities that go on, then unfinished jobs, their tasks and unfinished
    /// instances, then client tokens: the order in which the kernel takes rows in.
    pub rows: Vec<Row>,
    /// The ledger's version.
    pub version: u64,
    /// The time of the last commit.
    pub now: Timestamp,
    /// Larger than the number of every topic and queue there ever was; 0 when there was none.
    pub next_stream: u32,
}

/// From where on, and which, messages of a queue are candidates for a receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VisibleAfter {
    /// The number they are stored under.
    pub heap: StreamNo,
    /// Only those that can be received at this time.
    pub now: Timestamp,
    /// Only those stored after this: others are over the queue's retention.
    pub kept: Timestamp,
    /// Behind this place in the order of (visible, seq); `None`: from the first.
    pub after: Option<(Timestamp, u64)>,
}

/// Which deleted messages are candidates for coming back, or for going.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptAfter {
    /// The number they are kept under.
    pub heap: StreamNo,
    /// Only those stored at this time or later;
    pub from: Timestamp,
    /// of those stored at this very time only those behind this place.
    pub after: u64,
}

impl KeptAfter {
    /// All of them, from the oldest on.
    #[must_use]
    pub fn first(heap: StreamNo) -> Self {
        Self { heap, from: Timestamp(i64::MIN), after: 0 }
    }
}

/// Which rows are removed although their owner lives. Messages of queues are not among them: they are counted, so
/// their removal is a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cutoffs {
    /// Finished jobs that ended at this moment or before go, with all that belongs to them.
    pub jobs: Timestamp,
    /// Attempts that left, and deliveries that were given up, at this moment or before go.
    pub attempts: Timestamp,
    /// Attempts at messages up to these places of some subscriptions go, whatever their time.
    pub many: Vec<(SubscriptionKey, u64)>,
    /// Activities that ended at this moment or before go.
    pub activities: Timestamp,
    /// Which messages of some topics go.
    pub topics: Vec<TopicCutoff>,
}

/// What a sweep did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Rows removed.
    pub rows: usize,
    /// Jobs that went because they ended long ago: their folders can go too.
    pub jobs: Vec<JobId>,
    /// Whether there is more to remove at once.
    pub more: bool,
}
