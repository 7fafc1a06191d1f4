//! The one binary of Herald: server, agent, demonstration and every client verb.
//!
//! [`args`] is the registry of verbs; each verb is a file with its flags, its help and what it does. Client verbs get
//! a [`context::Context`]: the way to the server ([`client`]) and the way to the user ([`output`], through which all
//! printing goes). What goes wrong is a [`failure::Failure`], which knows its exit status.

mod agent;
mod args;
mod backup;
mod client;
mod completions;
mod config;
mod context;
mod delivery;
mod demo;
mod doctor;
mod env;
mod event;
mod failure;
mod file;
mod follow;
mod job;
mod key;
mod listing;
mod logging;
mod man;
mod named;
mod node;
mod noun;
mod open;
mod output;
mod params;
mod queue;
mod reply;
mod serve;
mod signals;
mod step;
mod sub;
mod table;
mod template;
mod topic;
mod when;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version come this way too; clap knows which go to standard output.
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match cli.run() {
        Ok(code) => code,
        Err(failure) => {
            output::complain(&failure);
            ExitCode::from(failure.exit_status())
        }
    }
}
