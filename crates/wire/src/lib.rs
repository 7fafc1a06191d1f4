//! What crosses a boundary: API requests, replies, signatures, event bodies, the node protocol. No IO.

pub mod api3;
pub mod fields;
pub mod limits;
pub mod node;
mod spelling;
