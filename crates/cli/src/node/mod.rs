//! `herald node`.

mod list;
mod terminate;

use list::List;
pub(crate) use list::table;
use terminate::Terminate;

crate::noun::noun! {
    /// Compute nodes of an environment
    Node: List, Terminate
}
