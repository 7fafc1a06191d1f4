//! Ordered-by-job delivery: events of one job, environment or subscription are posted one after the other, each in a
//! lane of its own, so a failing one holds back only those behind it. What is no event has no lane.
//!
//! A lane is not stored. What waits in it has never been begun and lies ahead of the cursor, so a new loop reads it
//! again, behind the one that has a row: the order is the log's. Only a message that has arrived may be repeated
//! behind a later one, when a loop was lost while its record was under way.

use std::collections::{BTreeMap, VecDeque};

use crate::event::Owner;
use crate::time::Timestamp;

#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: BTreeMap<Owner, Lane>,
    waiting: usize,
}

#[derive(Debug, Default)]
struct Lane {
    /// Messages that were begun and have not ended: one, or more right after the order has changed.
    open: usize,
    behind: VecDeque<Waiting>,
}

/// A message that waits for the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) seq: u64,
    pub(super) published: Timestamp,
}

impl Lanes {
    /// Whether an event of `owner` has been begun and has not ended.
    pub(super) fn is_taken(&self, owner: Option<Owner>) -> bool {
        owner.is_some_and(|owner| self.lanes.contains_key(&owner))
    }

    /// How many messages wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// A message is begun.
    pub(super) fn enter(&mut self, owner: Option<Owner>) {
        if let Some(owner) = owner {
            self.lanes.entry(owner).or_default().open += 1;
        }
    }

    /// A message waits for that which was begun.
    pub(super) fn wait(&mut self, owner: Owner, waiting: Waiting) {
        self.lanes.entry(owner).or_default().behind.push_back(waiting);
        self.waiting += 1;
    }

    /// A message has ended; gives the one behind it, which is to be begun.
    pub(super) fn leave(&mut self, owner: Option<Owner>) -> Option<Waiting> {
        let owner = owner?;
        let lane = self.lanes.get_mut(&owner)?;
        lane.open = lane.open.saturating_sub(1);
        if lane.open > 0 {
            return None;
        }
        let next = lane.behind.pop_front();
        match next {
            Some(_) => self.waiting -= 1,
            None => {
                self.lanes.remove(&owner);
            }
        }
        next
    }

    /// Ends the order; gives all that wait, with their owners.
    pub(super) fn end(&mut self) -> Vec<(Owner, Waiting)> {
        self.waiting = 0;
        let lanes = std::mem::take(&mut self.lanes).into_iter();
        lanes.flat_map(|(owner, lane)| lane.behind.into_iter().map(move |waiting| (owner, waiting))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{EnvId, JobId};

    fn waiting(seq: u64) -> Waiting {
        Waiting { seq, published: Timestamp(0) }
    }

    #[test]
    fn what_waits_in_a_lane_comes_out_in_order_one_at_a_time() {
        let (mut lanes, job, env) = (Lanes::default(), Owner::Job(JobId::FIRST), Owner::Env(EnvId::FIRST));
        assert!(!lanes.is_taken(Some(job)) && !lanes.is_taken(None));
        lanes.enter(Some(job));
        lanes.enter(None);
        assert!(lanes.is_taken(Some(job)) && !lanes.is_taken(Some(env)) && !lanes.is_taken(None));
        lanes.wait(job, waiting(2));
        lanes.wait(job, waiting(3));
        assert_eq!(lanes.waiting(), 2);
        for next in [2, 3] {
            assert_eq!(lanes.leave(Some(job)), Some(waiting(next)));
            lanes.enter(Some(job));
        }
        assert_eq!((lanes.leave(Some(job)), lanes.is_taken(Some(job)), lanes.waiting()), (None, false, 0));
    }

    #[test]
    fn where_several_were_begun_before_the_order_all_end_first() {
        let (mut lanes, job) = (Lanes::default(), Owner::Job(JobId::FIRST));
        lanes.enter(Some(job));
        lanes.enter(Some(job));
        lanes.wait(job, waiting(3));
        assert_eq!(lanes.leave(Some(job)), None);
        assert_eq!(lanes.leave(Some(job)), Some(waiting(3)));
    }
}
