//! Deliveries, as they stand and as they went.
//!
//! Most deliveries have no row: those behind their subscription's cursor are done, those ahead of it have not begun. So
//! a list walks the topic's log and says of each message how its delivery stands; only the failed are found by their
//! rows. A list of one job's (or environment's) deliveries goes from its last event to the one before it, and so on:
//! a page costs the same however much else is in the topic.

pub(super) mod describe_attempts;
pub(super) mod describe_deliveries;
pub(super) mod describe_delivery;
mod list;
mod views;
