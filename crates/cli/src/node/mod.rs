//! `herald node`.

mod attach;
mod drain;
mod list;
mod machines;
mod terminate;
mod token;

use attach::{Attach, Detach};
use drain::{Drain, Undrain};
use list::List;
pub(crate) use list::table;
use machines::Machines;
use terminate::Terminate;
use token::Token;

crate::noun::noun! {
    /// Compute nodes of an environment, and machines that can be attached as such
    Node: List, Drain, Undrain, Terminate, Machines, Token, Attach, Detach
}
