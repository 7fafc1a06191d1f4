//! `herald sub`.

mod create;
mod delete;
mod list;
mod manner;
mod pause;
mod progress;
mod rewind;
mod rotate_secret;
mod show;
mod update;

use create::Create;
use delete::Delete;
use list::List;
use pause::{Pause, Resume};
use rewind::Rewind;
use rotate_secret::RotateSecret;
use show::Show;
use update::Update;

crate::noun::noun! {
    /// Subscriptions: what receives a topic's messages
    Sub: Create, List, Show, Update, Pause, Rewind, Resume, RotateSecret, Delete
}
