//! What clients call: actions of Tencent Batch, TDMQ for CMQ and Herald itself (API 3.0), and of CMQ v2.
//!
//! `entry` reads and verifies every request and finds its action in the [registry](actions). An action is one file: it
//! has its parameters read, submits a command to the ledger or reads the store, and says the answer in its protocol's
//! words. Nothing is decided here.

mod api3;
mod batch;
mod cmq;
mod cmq3;
mod entry;
mod herald;
mod registry;
mod request_id;
mod tdmq;
mod v2;

pub use registry::{Listed, actions};

use crate::App;

/// Takes every request that nothing else takes.
pub fn router(app: App) -> axum::Router {
    axum::Router::new().fallback(entry::handle).with_state(app)
}

#[cfg(test)]
mod coverage;
