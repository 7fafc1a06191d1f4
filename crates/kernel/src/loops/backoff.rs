//! When a failed delivery is tried again: CMQ's two strategies (Tencent CMQ, "Subscription management", retry
//! policies). A gap begins at the failure. A message's retention is a bound of its own, which retries never extend.

use rand::{Rng, RngExt};

use crate::subscription::Strategy;

/// Retries under `BACKOFF_RETRY`.
const BACKOFF_RETRIES: u32 = 3;
/// Their gaps are drawn from this, in milliseconds.
const BACKOFF_GAP_MS: std::ops::RangeInclusive<u64> = 10_000..=20_000;
/// Retries under `EXPONENTIAL_DECAY_RETRY`: as many as fit into one day.
const DECAY_RETRIES: u32 = 176;
/// The longest of their gaps, in milliseconds.
const DECAY_GAP_MS: u64 = 512_000;

/// How long to wait, in milliseconds, after attempt number `failed` (from 1) has failed; `None`: give up.
pub fn gap_ms(strategy: Strategy, failed: u32, rng: &mut dyn Rng) -> Option<u64> {
    match strategy {
        Strategy::BackoffRetry => (failed <= BACKOFF_RETRIES).then(|| rng.random_range(BACKOFF_GAP_MS)),
        Strategy::ExponentialDecayRetry => (failed <= DECAY_RETRIES).then(|| {
            let doublings = failed.saturating_sub(1).min(9);
            (1_000 << doublings).min(DECAY_GAP_MS)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decay_doubles_to_512_s_and_fills_a_day() {
        let mut rng = crate::testing::rng(1);
        let gaps: Vec<u64> =
            (1..).map_while(|failed| gap_ms(Strategy::ExponentialDecayRetry, failed, &mut rng)).collect();
        assert_eq!(gaps[..11], [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512].map(|s| s * 1_000));
        assert!(gaps[10..].iter().all(|gap| *gap == 512_000));
        assert_eq!((gaps.len(), gaps.iter().sum::<u64>()), (176, 86_015_000));
    }

    #[test]
    fn backoff_tries_three_times_more_after_10_to_20_s() {
        let mut rng = crate::testing::rng(2);
        let mut all = Vec::new();
        for _ in 0..1_000 {
            let gaps: Vec<u64> = (1..).map_while(|failed| gap_ms(Strategy::BackoffRetry, failed, &mut rng)).collect();
            assert_eq!(gaps.len(), 3);
            all.extend(gaps);
        }
        assert!(all.iter().all(|gap| (10_000..=20_000).contains(gap)));
        assert!(all.iter().any(|gap| *gap < 11_000) && all.iter().any(|gap| *gap > 19_000));
    }
}
