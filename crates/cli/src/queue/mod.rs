//! `herald queue`.

mod create;
mod delete;
mod list;
mod receive;
mod send;
mod show;

use create::Create;
use delete::Delete;
use list::List;
use receive::Receive;
use send::Send;
use show::Show;

crate::noun::noun! {
    /// Queues: messages wait in one until they are received and acknowledged
    Queue: Create, List, Show, Send, Receive, Delete
}
