//! What crosses a boundary: API requests, replies, signatures, event bodies, the node protocol. No IO.

pub mod api3;
pub mod audit;
pub mod auth;
pub mod batch;
pub mod call;
pub mod cloud_event;
pub mod event;
pub mod explain;
pub mod fields;
pub mod file;
#[cfg(test)]
mod fixtures;
mod flat;
mod form;
mod json;
pub mod limits;
pub mod machine;
mod metrics;
pub mod node;
pub mod proof;
pub mod received;
pub mod request;
pub mod setup;
pub mod sign;
mod spelling;
pub mod time;
pub mod v2;
pub mod webhook;
