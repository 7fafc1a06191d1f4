//! Replays: begun, stopped, recorded, copied.

use std::sync::Arc;

use crate::change::What;
use crate::command::{NewReplay, Refusal, ReplayRecord, Reply};
use crate::decide::delivery::{Given, find_key, give_up};
use crate::decide::{Draft, message, subscription};
use crate::delivery::{Delivery, DeliveryKey, DeliveryStage};
use crate::filter;
use crate::limits;
use crate::mistake::Mistake;
use crate::replay::{Replay, ReplayStage, Which};
use crate::subscription::{Endpoint, Subscription, SubscriptionKey};
use crate::topic::TopicMessage;

pub(super) fn start(draft: &mut Draft<'_>, new: NewReplay) -> Result<Reply, Refusal> {
    let (topic, subscription) = subscription::named(draft, &new.topic, &new.name)?;
    let end = match new.which {
        // What is ahead of the live cursor comes by it anyway.
        Which::All => subscription.cursor,
        _ => topic.end(),
    };
    let (from, to) = (new.from.max(1), new.to.min(end));
    if from > to {
        return Err(Refusal::NothingToReplay { from, done: end });
    }
    let replay = Replay {
        no: subscription.replays.last().map_or(0, |last| last.no) + 1,
        which: new.which,
        from,
        to,
        next: from,
        rate_per_s: new.rate_per_s.clamp(1, limits::REPLAY_RATE_PER_S),
        stage: ReplayStage::Running,
        delivered: 0,
        failed: 0,
        created: draft.now,
        ended: None,
    };
    let mut running = subscription.replays.iter().filter(|other| other.is_running());
    if let Some(other) = running.clone().find(|other| other.overlaps(&replay)) {
        return Err(Refusal::ReplayOverlaps(other.no));
    }
    if running.by_ref().count() >= limits::REPLAYS {
        return Err(Refusal::TooManyReplays(limits::REPLAYS));
    }
    let no = replay.no;
    draft.record(What::ReplayPut(subscription.key, Box::new(replay)));
    Ok(Reply::Replay(no))
}

/// Stops a replay, or all that run.
pub(super) fn stop(draft: &mut Draft<'_>, topic: &str, name: &str, no: Option<u32>) -> Result<Reply, Refusal> {
    let (_, subscription) = subscription::named(draft, topic, name)?;
    if let Some(no) = no.filter(|no| subscription.replays.iter().all(|replay| replay.no != *no)) {
        return Err(Refusal::NoReplay(no));
    }
    for replay in subscription.replays.iter().filter(|replay| no.is_none_or(|no| no == replay.no)) {
        if replay.is_running() {
            end(draft, subscription.key, replay.clone(), ReplayStage::Stopped);
        }
    }
    Ok(Reply::Done)
}

/// Makes durable what a replay's loop has seen. A replay that has been stopped meanwhile stays where it was; its
/// attempts were made.
pub(super) fn record(draft: &mut Draft<'_>, record: ReplayRecord) -> Result<Reply, Refusal> {
    let Some((topic, subscription)) = find_key(draft, record.key) else { return Ok(Reply::Done) };
    for attempt in record.attempts.into_iter().filter(|attempt| attempt.key.subscription == record.key) {
        draft.record(What::AttemptEnded(attempt));
    }
    for seq in record.delivered.iter().filter(|seq| **seq <= topic.end()) {
        // Behind the cursor what was delivered needs no row; ahead of it the row holds its place.
        let key = DeliveryKey { subscription: record.key, seq: *seq };
        draft.record(if *seq <= subscription.cursor {
            What::DeliveryCleared(record.key, *seq)
        } else {
            What::DeliveryPut(Delivery { key, stage: DeliveryStage::Delivered, attempts: 0 })
        });
    }
    let failed = record.dead.len() as u64;
    for (text, attempts) in record.dead {
        let key = DeliveryKey { subscription: record.key, seq: text.seq };
        let row = Delivery { key, stage: DeliveryStage::Dead, attempts };
        let is_quiet = super::delivery::is_of_subscription(&text);
        give_up(draft, (&topic, &subscription), row, Given { text: Some(&text), last: None, is_quiet });
    }
    let Some(mut replay) = running(&subscription, record.no) else { return Ok(Reply::Done) };
    replay.next = record.next.clamp(replay.next, replay.to + 1);
    replay.delivered += record.count;
    replay.failed += failed + record.lost;
    match record.end {
        Some(stage) => end(draft, record.key, replay, stage),
        None => draft.record(What::ReplayPut(record.key, Box::new(replay))),
    }
    Ok(Reply::Done)
}

/// What was found of a replay after its place.
pub(super) struct Page<'a> {
    /// Messages, in order.
    pub(super) messages: &'a [Arc<TopicMessage>],
    /// Places of those that are gone.
    pub(super) lost: &'a [u64],
    /// All of the replay up to this place are among them.
    pub(super) through: u64,
}

/// Copies what a queue subscription is to get again into its queue, as far as there is room. What is gone is counted
/// once, with the step over it.
pub(super) fn copy(draft: &mut Draft<'_>, (key, no): (SubscriptionKey, u32), page: Page<'_>) -> Result<Reply, Refusal> {
    let Some((topic, subscription)) = find_key(draft, key) else { return Ok(Reply::Done) };
    let Some(mut replay) = running(&subscription, no) else { return Ok(Reply::Done) };
    let Endpoint::Queue { queue, .. } = &subscription.endpoint else { return Ok(Reply::Done) };
    let room = draft.state.queue(*queue).ok_or(Refusal::NoStream(*queue))?.room();
    let mut room = usize::try_from(room).unwrap_or(usize::MAX).min(limits::FAN_OUT_MESSAGES);
    let mut done = page.through.min(replay.to);
    for message in page.messages.iter().filter(|message| (replay.next..=replay.to).contains(&message.seq)) {
        if !filter::wants_message(topic.filter, &subscription, message) {
            continue;
        }
        if room == 0 || subscription.stage.is_paused() {
            done = done.min(message.seq - 1);
            break;
        }
        room -= 1;
        replay.delivered += 1;
        message::store(draft, *queue, message.body.clone(), draft.now);
        if replay.which != Which::All {
            draft.record(What::DeliveryCleared(key, message.seq));
        }
    }
    if done < replay.next {
        return Ok(Reply::Done);
    }
    replay.failed += page.lost.iter().filter(|seq| (replay.next..=done).contains(*seq)).count() as u64;
    replay.next = done + 1 + u64::from(draft.errs(Mistake::SkipReplayedCopy));
    if replay.next > replay.to {
        end(draft, key, replay, ReplayStage::Done);
    } else {
        draft.record(What::ReplayPut(key, Box::new(replay)));
    }
    Ok(Reply::Done)
}

fn running(subscription: &Subscription, no: u32) -> Option<Replay> {
    subscription.replays.iter().find(|replay| replay.no == no && replay.is_running()).cloned()
}

fn end(draft: &mut Draft<'_>, key: SubscriptionKey, mut replay: Replay, stage: ReplayStage) {
    replay.stage = stage;
    replay.ended = Some(draft.now);
    draft.record(What::ReplayPut(key, Box::new(replay)));
}

#[cfg(test)]
#[path = "replay_tests.rs"]
mod tests;
