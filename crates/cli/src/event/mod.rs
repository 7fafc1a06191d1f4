//! `herald event`.

mod list;
mod source;
mod tail;
mod verify;

use list::List;
use tail::Tail;
use verify::Verify;

crate::noun::noun! {
    /// Events: what a job or environment has told, and the proof that none of it is missing
    Event: List, Tail, Verify
}
