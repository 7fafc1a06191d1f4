//! Rows and statements: what Herald keeps, and the one way in and out of it.
//!
//! The cast. [`Store`] is the writer's side, synchronous and owned by one thread: it loads what is alive, fetches the
//! rows a command names, and takes a [`Batch`] in one commit. [`Reader`] is a further connection for pages and single
//! reads. Both are traits, so that engines can follow one another and a simulation can put faults between; the
//! engine here is SQLite ([`sqlite::SqliteStore`]). [`ledger::Ledger`] is what stands above: it lets the kernel decide
//! a batch of commands on an overlay of its state, commits what came of it once, and gives back the replies.
//!
//! SQL holds row images that the kernel computed. Nothing is decided here.

pub mod ledger;
pub mod sqlite;

mod batch;
mod engine;
mod error;
mod load;
mod merge;
mod page;
mod read;
mod reader;
mod rows;
mod statement;
mod sweep;
mod write;
mod writer;

pub use batch::{Batch, LogTail, RowChange};
pub use error::{CommitError, OpenError, StoreError};
pub use page::{
    DeadFigures, DeliverySet, EnvFilter, EnvListed, InstanceListed, JobFilter, JobRows, NameFilter, NodeCounts, Page,
    QueueFigures, Span, SubscriptionFilter, Tagged, TemplateFilter, TopicFigures, TopicSpan,
};
pub use reader::Reader;
pub use writer::{Cutoffs, KeptAfter, Loaded, Stamp, Store, Swept, VisibleAfter};
