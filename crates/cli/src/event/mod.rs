//! `herald event`.

mod list;
mod source;
mod verify;

use list::List;
use verify::Verify;

crate::noun::noun! {
    /// Events: what a job or environment has told, and the proof that none of it is missing
    Event: List, Verify
}
