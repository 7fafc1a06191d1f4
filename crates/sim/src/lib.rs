//! Seeded simulation of the production kernel, loops, ledger and store.
//!
//! The cast: `stage` is what there is at first; the `world` has a clock, a random source and a ledger on a store whose commits fail in all the ways they
//! can (`faults`); `actors` are the clients, the provider of nodes and the copier of topics; `machines` are nodes that
//! run what they are told, lose orders, die and come back; `pushes` are HTTP subscribers with the production push
//! loop; `aside` is a subscription that comes and goes, `copies` one whose replays copy messages into its queue; `promises` remembers what was acknowledged.
//!
//! One seed is one run: the storm, in which commands, faults, deaths of nodes and restarts of the server are drawn;
//! then the calm, in which nothing fails and every job must come to its end; then the `audit`, which holds what is
//! stored against what was promised. A seed that failed once is kept in `seeds.txt` and replayed first. That the
//! simulation can fail is shown with deliberate faults (`sabotage`).

mod actors;
mod aside;
mod audit;
mod copies;
mod draw;
mod faults;
mod machines;
mod promises;
mod pushes;
mod replays;
mod sabotage;
mod server;
mod stage;
mod templates;
mod world;

pub use sabotage::Sabotage;
pub use world::{Run, Summary, Violation, shrink, simulate, simulate_aloud};
