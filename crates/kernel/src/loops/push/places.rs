//! Places for posts in flight over all subscriptions: what bounds them together and stays fair.
//!
//! A subscription gets another place only while it holds fewer than an eighth of those that are free. So whoever holds
//! many must leave many, and as more come each gets less: 20 subscriptions whose receivers hang leave a tenth of the
//! places at their worst, and more as they give some back. One that holds none gets one as long as any is free; alone, a
//! subscription gets all that its own bound allows.

use std::collections::{BTreeMap, VecDeque};

use crate::subscription::SubscriptionKey;

/// A subscription may hold this part of what is free.
const SHARE: usize = 8;

/// The places, who holds them, and who waits for one.
#[derive(Debug)]
pub struct Places {
    free: usize,
    held: BTreeMap<SubscriptionKey, usize>,
    /// How many places each waits for; in `turns` each stands once.
    waiting: BTreeMap<SubscriptionKey, usize>,
    turns: VecDeque<SubscriptionKey>,
}

impl Places {
    /// So many places.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self { free: places, held: BTreeMap::new(), waiting: BTreeMap::new(), turns: VecDeque::new() }
    }

    /// Asks for a place: whether it is given now. Else the subscription waits for one more.
    pub fn ask(&mut self, key: SubscriptionKey) -> bool {
        if !self.waiting.contains_key(&key) && self.may(key) {
            self.take(key);
            return true;
        }
        let waits = self.waiting.entry(key).or_default();
        if *waits == 0 {
            self.turns.push_back(key);
        }
        *waits += 1;
        false
    }

    /// Gives a place back: who has one now. Those that wait take turns.
    pub fn give_back(&mut self, key: SubscriptionKey) -> Vec<SubscriptionKey> {
        self.free += 1;
        if let Some(held) = self.held.get_mut(&key) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&key);
            }
        }
        let mut given = Vec::new();
        while let Some(next) = self.next() {
            self.take(next);
            given.push(next);
        }
        given
    }

    /// The next whose turn it is and that may have a place; it goes to the end of those that wait.
    fn next(&mut self) -> Option<SubscriptionKey> {
        let at = self.turns.iter().position(|key| self.may(*key))?;
        let key = self.turns.remove(at)?;
        let waits = self.waiting.get_mut(&key)?;
        *waits -= 1;
        if *waits == 0 {
            self.waiting.remove(&key);
        } else {
            self.turns.push_back(key);
        }
        Some(key)
    }

    fn may(&self, key: SubscriptionKey) -> bool {
        let held = self.held.get(&key).copied().unwrap_or(0);
        self.free > 0 && (held == 0 || held < self.free / SHARE)
    }

    fn take(&mut self, key: SubscriptionKey) {
        self.free -= 1;
        *self.held.entry(key).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::topic::StreamNo;

    fn key(no: u32) -> SubscriptionKey {
        SubscriptionKey { topic: StreamNo(1), no }
    }

    /// How many places a subscription gets that wants as many as there are.
    fn fill(places: &mut Places, no: u32) -> usize {
        (0..10_000).filter(|_| places.ask(key(no))).count()
    }

    #[test]
    fn one_alone_gets_all_that_it_may_have() {
        let mut places = Places::new(512);
        assert_eq!((0..56).filter(|_| places.ask(key(1))).count(), 56);
    }

    #[test]
    fn slow_ones_leave_places_for_those_that_hold_none() {
        let mut places = Places::new(512);
        let slow: usize = (0..20).map(|no| fill(&mut places, no)).sum();
        assert!(slow <= 512 - 48, "20 that never give back hold {slow}");
        for no in 1_000..1_048 {
            assert!(places.ask(key(no)), "{no} finds a place");
        }
    }

    #[test]
    fn those_that_wait_take_turns() {
        let mut places = Places::new(1);
        assert!(places.ask(key(1)));
        for no in [2, 2, 3, 1] {
            assert!(!places.ask(key(no)));
        }
        let mut given = Vec::new();
        let mut holder = key(1);
        for _ in 0..4 {
            let next = places.give_back(holder);
            assert_eq!(next.len(), 1);
            holder = next[0];
            given.push(holder.no);
        }
        assert_eq!(given, [2, 3, 1, 2]);
        assert_eq!(places.give_back(holder), []);
    }

    proptest! {
        #[test]
        fn no_place_is_lost_and_nobody_waits_while_one_is_free(steps in prop::collection::vec((0u32..6, any::<bool>()), 0..400)) {
            let mut places = Places::new(10);
            let (mut held, mut waiting) = (BTreeMap::new(), 0);
            for (no, asks) in steps {
                if asks {
                    if places.ask(key(no)) { *held.entry(key(no)).or_insert(0) += 1 } else { waiting += 1 }
                } else if let Some(count) = held.get_mut(&key(no)).filter(|count| **count > 0) {
                    *count -= 1;
                    for given in places.give_back(key(no)) {
                        waiting -= 1;
                        *held.entry(given).or_insert(0) += 1;
                    }
                }
                prop_assert_eq!(held.values().sum::<usize>() + places.free, 10);
                prop_assert_eq!(waiting, places.waiting.values().sum::<usize>());
                let idle = places.waiting.keys().any(|key| held.get(key).is_none_or(|count| *count == 0));
                prop_assert!(places.free == 0 || !idle, "one that holds none waits beside a free place");
            }
        }
    }
}
