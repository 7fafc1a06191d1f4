//! The words of dead-letter policies: CMQ numbers them.

use kernel::queue::DeadLetterRule;

use super::limits::{DEAD_AGE_S, DEAD_RECEIVES};

/// The policy's number: 0 counts receipts, 1 looks at the age.
pub(in crate::api) fn number(rule: DeadLetterRule) -> u64 {
    match rule {
        DeadLetterRule::Receives { .. } => 0,
        DeadLetterRule::Age { .. } => 1,
    }
}

/// The rule that receipts make.
pub(in crate::api) fn by_receives(most: u64) -> Option<DeadLetterRule> {
    let most = u32::try_from(most).ok().filter(|_| DEAD_RECEIVES.contains(&most))?;
    Some(DeadLetterRule::Receives { most })
}

/// The rule that age makes.
pub(in crate::api) fn by_age(seconds: u64) -> Option<DeadLetterRule> {
    DEAD_AGE_S.contains(&seconds).then_some(DeadLetterRule::Age { seconds })
}
