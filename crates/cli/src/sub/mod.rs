//! `herald sub`.

mod create;
mod delete;
mod list;
mod manner;
mod pause;
mod rotate_secret;
mod show;
mod update;

use create::Create;
use delete::Delete;
use list::List;
use pause::{Pause, Resume};
use rotate_secret::RotateSecret;
use show::Show;
use update::Update;

crate::noun::noun! {
    /// Subscriptions: what receives a topic's messages
    Sub: Create, List, Show, Update, Pause, Resume, RotateSecret, Delete
}
