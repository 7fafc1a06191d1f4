//! Subscriptions.

use std::sync::LazyLock;

use kernel::id::SubscriptionId;
use kernel::subscription::{Endpoint, Subscription, SubscriptionKey};
use kernel::topic::StreamNo;

use crate::engine::{Cells, Corrupt};
use crate::rows::word;
use crate::statement::{Statement, Table, Texts, json, values};

pub(crate) static TEXTS: LazyLock<Texts> = LazyLock::new(|| {
    Table {
        name: "subscription",
        key: &["topic", "no"],
        columns: &[
            "id",
            "name",
            "name_key",
            "protocol",
            "queue",
            "endpoint",
            "endpoint_key",
            "strategy",
            "format",
            "filter_tags",
            "binding_keys",
            "start",
            "manner",
            "secrets",
            "stage",
            "health",
            "outlets",
            "replays",
            "cursor",
            "created",
            "modified",
        ],
    }
    .texts()
});

pub(crate) fn put(subscription: &Subscription, fresh: bool) -> Statement<'_> {
    let (protocol, queue, endpoint) = match &subscription.endpoint {
        Endpoint::Queue { queue, name } => ("queue", Some(*queue), name),
        Endpoint::Http { url } => ("http", None, url),
    };
    let values = values![
        subscription.key.topic,
        subscription.key.no,
        subscription.id,
        &subscription.name,
        subscription.name.to_lowercase(),
        protocol,
        queue,
        endpoint,
        endpoint.to_lowercase(),
        subscription.strategy.as_str(),
        subscription.format.as_str(),
        json(&subscription.filter_tags),
        json(&subscription.binding_keys),
        subscription.start,
        json(&subscription.manner),
        json(&subscription.secrets),
        json(&subscription.stage),
        json(&subscription.health),
        json(&subscription.outlets),
        json(&subscription.replays),
        subscription.cursor,
        subscription.created,
        subscription.modified,
    ];
    TEXTS.write(fresh, values)
}

pub(crate) fn delete(key: SubscriptionKey) -> Statement<'static> {
    Statement::new(&*TEXTS.delete, values![key.topic, key.no])
}

pub(crate) fn read(cells: &mut Cells<'_>) -> Result<Subscription, Corrupt> {
    let key = SubscriptionKey { topic: cells.stream()?, no: cells.int()? };
    let (id, name) = (cells.id(SubscriptionId::from_number)?, cells.string()?);
    let _name_key = cells.string()?;
    let is_queue = cells.text(|protocol| Some(protocol == "queue"))?;
    let (queue, endpoint) = (cells.opt_int()?.map(StreamNo), cells.string()?);
    let endpoint = match queue.filter(|_| is_queue) {
        Some(queue) => Endpoint::Queue { queue, name: endpoint },
        None => Endpoint::Http { url: endpoint },
    };
    let _endpoint_key = cells.string()?;
    Ok(Subscription {
        key,
        id,
        name,
        endpoint,
        strategy: word(cells)?,
        format: word(cells)?,
        filter_tags: cells.json()?,
        binding_keys: cells.json()?,
        start: cells.int()?,
        manner: cells.json()?,
        secrets: cells.json()?,
        stage: cells.json()?,
        health: cells.json()?,
        outlets: cells.json()?,
        replays: cells.json()?,
        cursor: cells.int()?,
        created: cells.time()?,
        modified: cells.time()?,
    })
}
