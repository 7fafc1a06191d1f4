//! Deliveries and their attempts.

use std::sync::LazyLock;

use kernel::delivery::{Attempt, Delivery, DeliveryKey, DeliveryStage, Outcome};
use kernel::subscription::SubscriptionKey;
use kernel::time::Timestamp;

use crate::engine::{Cells, Corrupt};
use crate::statement::{Statement, Table, Texts, values};

pub(crate) static TEXTS: LazyLock<Texts> = LazyLock::new(|| {
    Table {
        name: "delivery",
        key: &["topic", "subscription", "seq"],
        columns: &["state", "next", "attempts", "dead_since"],
    }
    .texts()
});

pub(crate) static ATTEMPT_TEXTS: LazyLock<Texts> = LazyLock::new(|| {
    Table {
        name: "attempt",
        key: &["topic", "subscription", "seq", "number"],
        columns: &["at", "duration_ms", "address", "status", "text"],
    }
    .texts()
});

/// `now` is the time of the commit: a delivery that is given up is so from then on.
pub(crate) fn put(delivery: &Delivery, now: Timestamp) -> Statement<'_> {
    let (state, next) = match delivery.stage {
        DeliveryStage::Retrying { next } => ("RETRYING", Some(next)),
        DeliveryStage::Delivered => ("DELIVERED", None),
        DeliveryStage::Dead => ("DEAD", None),
    };
    let DeliveryKey { subscription, seq } = delivery.key;
    let dead_since = (delivery.stage == DeliveryStage::Dead).then_some(now);
    let values = values![subscription.topic, subscription.no, seq, state, next, delivery.attempts, dead_since];
    Statement::new(&*TEXTS.put, values)
}

pub(crate) fn delete(key: DeliveryKey) -> Statement<'static> {
    Statement::new(&*TEXTS.delete, values![key.subscription.topic, key.subscription.no, key.seq])
}

fn read_key(cells: &mut Cells<'_>) -> Result<DeliveryKey, Corrupt> {
    let subscription = SubscriptionKey { topic: cells.stream()?, no: cells.int()? };
    Ok(DeliveryKey { subscription, seq: cells.int()? })
}

pub(crate) fn read(cells: &mut Cells<'_>) -> Result<Delivery, Corrupt> {
    let key = read_key(cells)?;
    let state = cells.string()?;
    let next = cells.opt_time()?;
    let stage = match (state.as_str(), next) {
        ("DELIVERED", _) => DeliveryStage::Delivered,
        (_, Some(next)) => DeliveryStage::Retrying { next },
        (_, None) => DeliveryStage::Dead,
    };
    let attempts = cells.int()?;
    cells.opt_time()?; // When it was given up: only its removal asks for that.
    Ok(Delivery { key, stage, attempts })
}

/// An attempt whose number is there already was recorded before its loop was replaced: the first record stays.
pub(crate) fn insert_attempt(attempt: &Attempt) -> Statement<'_> {
    static TEXT: LazyLock<String> = LazyLock::new(|| format!("{} on conflict do nothing", ATTEMPT_TEXTS.insert));
    let (status, text) = match &attempt.outcome {
        Outcome::Replied { status, body } => (Some(u32::from(*status)), body),
        Outcome::Failed { error } => (None, error),
    };
    let DeliveryKey { subscription, seq } = attempt.key;
    let values = values![
        subscription.topic,
        subscription.no,
        seq,
        attempt.number,
        attempt.at,
        attempt.duration_ms,
        &attempt.address,
        status,
        text,
    ];
    Statement::new(&**TEXT, values)
}

pub(crate) fn read_attempt(cells: &mut Cells<'_>) -> Result<Attempt, Corrupt> {
    let (key, number, at) = (read_key(cells)?, cells.int()?, cells.time()?);
    let (duration_ms, address) = (cells.int()?, cells.string()?);
    let outcome = match (cells.opt_int()?, cells.string()?) {
        (Some(status), body) => Outcome::Replied { status, body },
        (None, error) => Outcome::Failed { error },
    };
    Ok(Attempt { key, number, at, duration_ms, address, outcome })
}
