//! `herald key`.

mod create;
mod delete;
mod disable;
mod grant;
mod list;
mod rotate;
mod update;

use create::Create;
use delete::Delete;
use disable::{Disable, Enable};
use list::List;
use rotate::Rotate;
use update::Update;

crate::noun::noun! {
    /// Key pairs of others, each with roles and for some or all topics, queues and environments
    Key: Create, List, Update, Disable, Enable, Rotate, Delete
}
