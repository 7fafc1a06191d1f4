//! `herald env`.

mod create;
mod delete;
mod list;
mod scale;
mod show;

use create::Create;
use delete::Delete;
use list::List;
use scale::Scale;
use show::Show;

crate::noun::noun! {
    /// Compute environments: sets of nodes that run jobs
    Env: Create, List, Show, Scale, Delete
}
