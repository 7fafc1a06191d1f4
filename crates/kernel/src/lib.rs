//! What Herald decides: the state of jobs, nodes and messages, and every change of it. No IO.
//!
//! [`decide`](decide::decide) looks at a [`State`](state::State) and a [`Command`](command::Command) and says what
//! happens; [`evolve`](evolve::evolve) makes it so. Live work, recovery and simulation use the same two functions.
//! Time and chance are arguments.

pub mod access;
pub mod activity;
pub mod audit;
pub mod change;
pub mod command;
pub mod decide;
pub mod delivery;
pub mod environment;
pub mod event;
pub mod evolve;
pub mod explain;
pub mod filter;
pub mod id;
pub mod instance;
pub mod invariant;
pub mod job;
pub mod limits;
pub mod list;
pub mod loops;
pub mod machine;
#[doc(hidden)]
pub mod mistake;
pub mod node;
pub mod phase;
pub mod queue;
pub mod ranges;
pub mod refusal;
pub mod replay;
mod room;
pub mod sample;
pub mod setup;
pub mod state;
pub mod subscription;
pub mod table;
pub mod task;
pub mod template;
pub mod time;
pub mod token;
pub mod topic;

#[cfg(test)]
mod testing;
