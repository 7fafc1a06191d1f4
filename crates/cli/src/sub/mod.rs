//! `herald sub`.

mod create;
mod delete;
mod list;
mod show;
mod update;

use create::Create;
use delete::Delete;
use list::List;
use show::Show;
use update::Update;

crate::noun::noun! {
    /// Subscriptions: what receives a topic's messages
    Sub: Create, List, Show, Update, Delete
}
