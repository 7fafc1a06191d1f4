//! Sets of instance indexes, kept as ranges, so that a task of a million instances is one small row.

use serde::{Deserialize, Serialize};

/// Disjoint half-open ranges in ascending order, never touching one another.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ranges(Vec<(u32, u32)>);

impl Ranges {
    /// All indexes below `end`.
    #[must_use]
    pub fn up_to(end: u32) -> Self {
        if end == 0 { Self::default() } else { Self(vec![(0, end)]) }
    }

    /// How many indexes there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.0.iter().map(|(start, end)| u64::from(end - start)).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The lowest index.
    #[must_use]
    pub fn first(&self) -> Option<u32> {
        self.0.first().map(|(start, _)| *start)
    }

    /// Whether `index` is in it.
    #[must_use]
    pub fn contains(&self, index: u32) -> bool {
        self.position(index).is_ok()
    }

    /// The ranges, as (first, one past the last).
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.0.iter().copied()
    }

    /// The indexes, in order.
    pub fn indexes(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().flat_map(|(start, end)| *start..*end)
    }

    /// How many ranges there are.
    #[must_use]
    pub fn pieces(&self) -> usize {
        self.0.len()
    }

    /// Puts `index` in; false when it was in.
    pub fn insert(&mut self, index: u32) -> bool {
        let Err(at) = self.position(index) else { return false };
        let joins_before = at > 0 && self.0[at - 1].1 == index;
        let joins_after = self.0.get(at).is_some_and(|(start, _)| *start == index + 1);
        match (joins_before, joins_after) {
            (true, true) => {
                self.0[at - 1].1 = self.0[at].1;
                self.0.remove(at);
            }
            (true, false) => self.0[at - 1].1 = index + 1,
            (false, true) => self.0[at].0 = index,
            (false, false) => self.0.insert(at, (index, index + 1)),
        }
        true
    }

    /// Takes `index` out; false when it was not in.
    pub fn remove(&mut self, index: u32) -> bool {
        let Ok(at) = self.position(index) else { return false };
        let (start, end) = self.0[at];
        match (start == index, end == index + 1) {
            (true, true) => {
                self.0.remove(at);
            }
            (true, false) => self.0[at].0 = index + 1,
            (false, true) => self.0[at].1 = index,
            (false, false) => {
                self.0[at].1 = index;
                self.0.insert(at + 1, (index + 1, end));
            }
        }
        true
    }

    /// Where the range with `index` is, or where one would be inserted.
    fn position(&self, index: u32) -> Result<usize, usize> {
        self.0.binary_search_by(|(start, end)| {
            if *end <= index {
                std::cmp::Ordering::Less
            } else if *start > index {
                std::cmp::Ordering::Greater
            } else {
                std::cmp::Ordering::Equal
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn insertion_undoes_removal(end in 0u32..40, steps in proptest::collection::vec((any::<bool>(), 0u32..45), 0..90)) {
            let mut ranges = Ranges::up_to(end);
            let mut set: BTreeSet<u32> = (0..end).collect();
            for (puts, index) in steps {
                if puts {
                    prop_assert_eq!(ranges.insert(index), set.insert(index));
                } else {
                    prop_assert_eq!(ranges.remove(index), set.remove(&index));
                }
                prop_assert_eq!(ranges.indexes().collect::<Vec<_>>(), set.iter().copied().collect::<Vec<_>>());
                let gaps = set.iter().filter(|index| !set.contains(&(*index + 1))).count();
                prop_assert_eq!(ranges.pieces(), gaps, "ranges that touch are one");
            }
        }

        #[test]
        fn removal_agrees_with_a_set(end in 0u32..40, removed in proptest::collection::vec(0u32..45, 0..60)) {
            let mut ranges = Ranges::up_to(end);
            let mut set: BTreeSet<u32> = (0..end).collect();
            for index in removed {
                prop_assert_eq!(ranges.remove(index), set.remove(&index));
                prop_assert_eq!(ranges.indexes().collect::<Vec<_>>(), set.iter().copied().collect::<Vec<_>>());
                prop_assert_eq!(ranges.len(), set.len() as u64);
                prop_assert_eq!(ranges.first(), set.first().copied());
                prop_assert!(ranges.iter().all(|(start, end)| start < end));
                prop_assert!((0..45).all(|index| ranges.contains(index) == set.contains(&index)));
            }
        }
    }
}
