//! `herald sub`.

mod create;
mod delete;
mod list;
mod show;

use create::Create;
use delete::Delete;
use list::List;
use show::Show;

crate::noun::noun! {
    /// Subscriptions: what receives a topic's messages
    Sub: Create, List, Show, Delete
}
