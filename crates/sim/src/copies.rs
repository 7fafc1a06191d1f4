//! A subscription of a queue that nobody receives from, and its replays: they copy messages a page at a time, the copies
//! and the replay's place in one commit, so that it can be told how often each message is in the queue.

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::command::Command;
use kernel::replay::{Replay, Which};
use kernel::subscription::Subscription;
use kernel::topic::TopicMessage;
use rand::{Rng, RngExt};
use store::Reader;

use crate::promises::ensure;
use crate::replays::{self, ReplayKey};

/// The queue, and the name of its subscription.
pub(crate) const AGAIN: &str = "again";

/// A page of a replay, to be copied.
pub(crate) fn page(
    (key, no): ReplayKey,
    replay: &Replay,
    reader: &mut dyn Reader,
    rng: &mut dyn Rng,
) -> Result<Command, String> {
    let (found, through) = replays::find(key, replay, reader, replay.next - 1, rng.random_range(1..20))?;
    let lost = found.iter().filter(|it| it.message.is_none()).map(|it| it.seq).collect();
    let messages = found.into_iter().filter_map(|it| it.message).collect();
    Ok(Command::CopyReplay { key, no, messages, lost, through })
}

/// Each message of the topic's log is in the queue once, and once more for each replay that has come past it.
pub(crate) fn audit(log: &[Arc<TopicMessage>], subscription: &Subscription, texts: &[String]) -> Result<(), String> {
    // Those that ended first are forgotten where there were many.
    let forgotten = subscription.replays.first().is_some_and(|first| first.no > 1);
    let mut held: BTreeMap<&str, usize> = BTreeMap::new();
    for text in texts {
        *held.entry(text).or_default() += 1;
    }
    for message in log {
        let replayed = subscription.replays.iter().filter(|replay| has_passed(replay, message.seq)).count();
        let (count, wanted) = (held.remove(&*message.body).unwrap_or_default(), 1 + replayed);
        ensure(count == wanted || (forgotten && count > wanted), || {
            let (seq, replays) = (message.seq, &subscription.replays);
            format!("message {seq} was copied {count} times, not {wanted}: {replays:?}")
        })?;
    }
    ensure(held.is_empty(), || format!("{held:?} are copies of nothing"))
}

/// Whether a replay has come to a message that it is to send, and past it.
fn has_passed(replay: &Replay, seq: u64) -> bool {
    let among = match &replay.which {
        Which::All => true,
        Which::These { seqs } => seqs.contains(&seq),
        // Into a queue nothing is given up that could be sent again.
        Which::Dead { .. } => false,
    };
    among && (replay.from..replay.next.min(replay.to + 1)).contains(&seq)
}
