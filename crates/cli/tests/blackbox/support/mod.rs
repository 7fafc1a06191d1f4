//! What the tests share: a server, the official clients, a receiver of callbacks, requests, and waiting for facts.

pub(crate) mod browser;
pub(crate) mod events;
pub(crate) mod field;
pub(crate) mod files;
pub(crate) mod machine;
pub(crate) mod objects;
pub(crate) mod official;
pub(crate) mod processes;
pub(crate) mod receiver;
pub(crate) mod requests;
pub(crate) mod rogue;
pub(crate) mod server;
pub(crate) mod signed;
pub(crate) mod strace;
pub(crate) mod wait;
