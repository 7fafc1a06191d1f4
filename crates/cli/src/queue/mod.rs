//! `herald queue`.

mod clear;
mod create;
mod delete;
mod list;
mod receive;
mod rewind;
mod send;
mod settings;
mod show;
mod update;

use clear::Clear;
use create::Create;
use delete::Delete;
use list::List;
use receive::Receive;
use rewind::Rewind;
use send::Send;
use show::Show;
use update::Update;

crate::noun::noun! {
    /// Queues: messages wait in one until they are received and acknowledged
    Queue: Create, List, Show, Update, Send, Receive, Rewind, Clear, Delete
}
