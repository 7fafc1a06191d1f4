//! What every client verb is given.

use std::fmt::Display;

use jiff::tz::TimeZone;
use serde_json::Value;

use crate::client::{Client, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::reply::text;

/// The way to the server and the way to the user.
pub(crate) struct Context {
    /// Where all printing goes.
    pub(crate) out: Output,
    /// The user's time zone.
    pub(crate) zone: TimeZone,
    connection: Connection,
}

impl Context {
    /// Nothing is looked up before a verb asks for it.
    pub(crate) fn new(connection: Connection) -> Self {
        let zone = if connection.utc { TimeZone::UTC } else { TimeZone::system() };
        Self { out: Output::standard(connection.json), zone, connection }
    }

    /// A client for the server that flags, variables and data folder name. Each call looks again, because a server
    /// that was started anew may listen elsewhere.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let place = self.connection.place(|name| std::env::var(name).ok())?;
        Ok(Client::new(place)?)
    }

    /// What was ordered is done: prints the reply if JSON was asked for, and tells it otherwise.
    pub(crate) fn done(&mut self, reply: &Value, told: impl Display) -> Result<(), Failure> {
        if self.out.is_json() {
            return self.out.json(reply);
        }
        self.out.say(told);
        Ok(())
    }

    /// Prints what was made or sent by the field that names it.
    pub(crate) fn made(&mut self, reply: &Value, field: &str) -> Result<(), Failure> {
        if self.out.is_json() { self.out.json(reply) } else { self.out.line(text(reply, field)) }
    }

    /// The region that requests name.
    pub(crate) fn region(&self) -> &str {
        self.connection.region()
    }
}
