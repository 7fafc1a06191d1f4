//! What Herald decides: the state of jobs, nodes and messages, and every change of it. No IO.

pub mod id;
