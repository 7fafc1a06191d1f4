//! The places for posts in flight: whoever wants to post waits for one. Who gets which is decided by
//! [`kernel::loops::push::Places`].

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use kernel::loops::push::Places;
use kernel::subscription::SubscriptionKey;
use tokio::sync::oneshot;

/// All places.
#[derive(Debug, Clone)]
pub(crate) struct Seats(Arc<Mutex<Hall>>);

#[derive(Debug)]
struct Hall {
    places: Places,
    waiters: BTreeMap<SubscriptionKey, VecDeque<oneshot::Sender<Seat>>>,
}

/// A place; it is given back when this is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    key: SubscriptionKey,
}

impl Seats {
    pub(crate) fn new(places: usize) -> Self {
        Self(Arc::new(Mutex::new(Hall { places: Places::new(places), waiters: BTreeMap::new() })))
    }

    /// A place for a post of this subscription, as soon as there is one. Cancel-safe.
    pub(super) async fn take(&self, key: SubscriptionKey) -> Seat {
        let seat = {
            let mut hall = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if hall.places.ask(key) {
                return self.seat(key);
            }
            let (giver, seat) = oneshot::channel();
            hall.waiters.entry(key).or_default().push_back(giver);
            seat
        };
        match seat.await {
            Ok(seat) => seat,
            // Who waits is in the hall, which this holds; so its giver is never dropped before it has given.
            Err(_) => std::future::pending().await,
        }
    }

    fn seat(&self, key: SubscriptionKey) -> Seat {
        Seat { seats: self.clone(), key }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut givers = Vec::new();
        {
            let mut hall = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
            for key in hall.places.give_back(self.key) {
                let giver = hall.waiters.get_mut(&key).and_then(VecDeque::pop_front);
                if hall.waiters.get(&key).is_some_and(VecDeque::is_empty) {
                    hall.waiters.remove(&key);
                }
                givers.push((key, giver));
            }
        }
        for (key, giver) in givers {
            let seat = self.seats.seat(key);
            // Who waits no more gives it back at once, by dropping it.
            let _ = giver.map(|giver| giver.send(seat));
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::topic::StreamNo;

    use super::*;
    use crate::testing::poll;

    fn key(no: u32) -> SubscriptionKey {
        SubscriptionKey { topic: StreamNo(1), no }
    }

    #[tokio::test]
    async fn a_place_goes_to_the_next_that_still_waits() {
        let seats = Seats::new(1);
        let first = seats.take(key(1)).await;
        let (mut second, mut third) = (Box::pin(seats.take(key(2))), Box::pin(seats.take(key(3))));
        assert!(poll(second.as_mut()).is_pending() && poll(third.as_mut()).is_pending());
        drop(second);
        drop(first);
        let third = third.await;
        let mut again = Box::pin(seats.take(key(1)));
        assert!(poll(again.as_mut()).is_pending());
        drop(third);
        again.await;
        seats.take(key(2)).await;
    }
}
