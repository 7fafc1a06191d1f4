//! `herald env`.

mod activities;
mod create;
mod delete;
mod list;
mod scale;
mod show;

use activities::Activities;
use create::Create;
use delete::Delete;
use list::List;
use scale::Scale;
use show::Show;

crate::noun::noun! {
    /// Compute environments: sets of nodes that run jobs
    Env: Create, List, Show, Activities, Scale, Delete
}
