//! Black-box tests: the built `herald`, spoken to as its users do, with the official clients from the package index,
//! unmodified.
//!
//! Each test has a server of its own, on a port of its own, with its data in a temporary folder; when the test ends,
//! the server, its nodes and what runs on them end too. `cargo xtask test` installs the clients first.

mod activities;
mod api;
mod attempts;
mod backup;
mod blocked;
mod catalogue;
mod cmq;
mod connections;
mod console;
mod containers;
mod create_infos;
mod demo;
mod disk;
mod elastic;
mod environments;
mod event_stream;
mod failing_disk;
mod filters;
mod first_session;
mod graphs;
mod keys;
mod kill;
mod kill_mixed;
mod limits;
mod machines;
mod million;
mod nodes;
mod notifications;
mod order;
mod packages;
mod power;
mod retries;
mod runs;
mod sdk;
mod serve;
mod storage;
mod support;
mod tccli;
mod templates;
mod tls;
mod transcripts;
mod upgrade;
mod users;
mod verbs;
mod wrong_input;
