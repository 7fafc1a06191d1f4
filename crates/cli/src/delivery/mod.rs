//! `herald delivery`.

mod list;
mod redeliver;
mod show;

use list::List;
use redeliver::Redeliver;
use show::Show;

crate::noun::noun! {
    /// Deliveries: how each message went to each subscription, and every attempt of it
    Delivery: List, Show, Redeliver
}
