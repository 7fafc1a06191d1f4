//! The shells round the kernel: everything between decisions and the world.
//!
//! The cast: clients speak to [`api`]; compute nodes to `gateway`; both submit commands to the [`ledger`], one thread
//! that decides, commits and only then answers. What a commit leads to elsewhere (`effects`) is a nudge to one of the
//! loops: `gateway` sends orders to nodes, `nodes` has its provider make and destroy them, `fan_out` fills queues,
//! `push` calls subscribers back, `expiry` removes what is too old. A nudge may be lost: each loop finds its work
//! again in the state and the store. `console` shows people what the API tells
//! programs, `event_stream` tells events as they come. [`run`] starts all of it, [`config`] says how.

pub mod api;
pub mod app;
mod backup;
#[doc(hidden)]
pub mod bare;
mod caller;
mod certificate;
mod chain;
mod checkpoints;
mod clock;
pub mod config;
mod console;
mod data;
mod door;
mod effects;
mod event_stream;
mod expiry;
mod fan_out;
mod gateway;
mod health;
pub mod keys;
pub mod ledger;
pub mod machines;
mod metrics;
mod nodes;
mod outbound;
mod provider;
mod pulse;
mod push;
mod readers;
mod replays;
mod run;
mod seal;
pub mod settings;
mod signatures;
mod space;
mod tally;
#[cfg(test)]
mod testing;
mod topic_log;
mod trace;
pub mod wakes;

pub use app::App;
pub use backup::{About, BackupError, backup, restore};
pub use certificate::CertificateError;
pub use config::Config;
pub use data::DataError;
pub use outbound::OutboundError;
pub use run::{Ready, ServeError, run};
