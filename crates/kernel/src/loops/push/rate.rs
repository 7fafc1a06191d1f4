//! At most so many posts a second, evenly spread: no burst makes up for a pause, but for what falls into 10 ms.

use crate::time::Timestamp;

/// Posts that 10 ms bring are let through together.
const BURST_MS: u64 = 10;
/// What a post costs: in 1 ms comes as much as posts are allowed a second.
const POST: u64 = 1_000;

#[derive(Debug)]
pub(in crate::loops) struct Rate {
    /// 0: no bound.
    per_s: u64,
    credit: u64,
    at: Timestamp,
}

impl Rate {
    pub(in crate::loops) fn new(per_s: u32) -> Self {
        Self { per_s: u64::from(per_s), credit: POST, at: Timestamp::default() }
    }

    /// Another bound; what was saved up under the old one is kept, as far as the new one lets it.
    pub(in crate::loops) fn change(&mut self, per_s: u32) {
        self.per_s = u64::from(per_s);
        self.credit = self.credit.min(self.most());
    }

    fn most(&self) -> u64 {
        POST.max(self.per_s * BURST_MS)
    }

    fn credit(&self, now: Timestamp) -> u64 {
        self.credit.saturating_add(self.per_s.saturating_mul(now.since_ms(self.at))).min(self.most())
    }

    /// When a post may leave, seen from `now`; not after it, if one may.
    pub(in crate::loops) fn opens(&self, now: Timestamp) -> Timestamp {
        let credit = self.credit(now);
        if self.per_s == 0 || credit >= POST { now } else { now.plus_ms((POST - credit).div_ceil(self.per_s)) }
    }

    pub(in crate::loops) fn is_open(&self, now: Timestamp) -> bool {
        self.opens(now) <= now
    }

    /// A post leaves.
    pub(in crate::loops) fn passed(&mut self, now: Timestamp) {
        self.credit = self.credit(now).saturating_sub(POST);
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loops::push::tests::START;

    /// The milliseconds at which posts leave in the first `span_ms`, if there are always some.
    fn posts(rate: &mut Rate, span_ms: u64) -> Vec<u64> {
        let (mut now, mut at) = (START, Vec::new());
        while now.since_ms(START) < span_ms {
            while rate.is_open(now) && rate.per_s > 0 {
                rate.passed(now);
                at.push(now.since_ms(START));
            }
            let next = rate.opens(now);
            assert!(next > now);
            now = next;
        }
        at
    }

    #[test]
    fn posts_are_spread_evenly() {
        assert_eq!(posts(&mut Rate::new(1), 5_000), [0, 1_000, 2_000, 3_000, 4_000]);
        assert_eq!(posts(&mut Rate::new(4), 1_001), [0, 250, 500, 750, 1_000]);
    }

    #[test]
    fn no_second_has_more_than_the_bound_and_what_10_ms_bring() {
        for per_s in [1_u32, 3, 7, 50, 333, 1_000, 10_000] {
            let at = posts(&mut Rate::new(per_s), 3_000);
            let bound = u64::from(per_s) + (u64::from(per_s) / 100).max(1);
            for from in 0..2_000 {
                let inside = at.iter().filter(|ms| (from..from + 1_000).contains(*ms)).count() as u64;
                assert!(inside <= bound, "{per_s}/s: {inside} from {from} ms on");
            }
            assert!(at.len() as u64 >= 3 * u64::from(per_s), "{per_s}/s: only {}", at.len());
        }
    }

    #[test]
    fn a_pause_saves_nothing_up_and_0_is_no_bound() {
        let mut rate = Rate::new(10);
        rate.passed(START);
        let later = START.plus_s(60);
        rate.passed(later);
        assert_eq!(rate.opens(later), later.plus_ms(100));
        rate.change(0);
        assert!(rate.is_open(later));
        rate.change(5);
        assert_eq!(rate.opens(later), later.plus_ms(200));
    }
}
