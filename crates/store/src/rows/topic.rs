//! Topics and their messages.

use std::sync::{Arc, LazyLock};

use kernel::id::TopicId;
use kernel::topic::{FilterType, StreamNo, Topic, TopicMessage};

use crate::engine::{Cells, Corrupt};
use crate::rows::word;
use crate::statement::{Statement, Table, Texts, json, values};

pub(crate) static TEXTS: LazyLock<Texts> = LazyLock::new(|| {
    Table {
        name: "topic",
        key: &["no"],
        columns: &[
            "id",
            "name",
            "name_key",
            "filter",
            "max_msg_bytes",
            "retention_s",
            "trace",
            "tags",
            "next_seq",
            "next_subscription",
            "created",
            "modified",
        ],
    }
    .texts()
});

pub(crate) static MESSAGE_TEXTS: LazyLock<Texts> = LazyLock::new(|| {
    Table {
        name: "topic_message",
        key: &["topic", "seq"],
        columns: &["published", "body", "tags", "routing_key", "previous", "owner"],
    }
    .texts()
});

pub(crate) fn put(topic: &Topic, fresh: bool) -> Vec<Statement<'_>> {
    let filter = match topic.filter {
        FilterType::Tags => "tags",
        FilterType::Routing => "routing",
    };
    let values = values![
        topic.no,
        topic.id,
        &topic.name,
        topic.name.to_lowercase(),
        filter,
        topic.max_msg_bytes,
        topic.retention_s,
        topic.trace,
        json(&topic.tags),
        topic.next_seq,
        topic.next_subscription,
        topic.created,
        topic.modified,
    ];
    let mut statements = vec![TEXTS.write(fresh, values)];
    if fresh {
        let text = "insert into topic_tag (topic, place, key, value) values (?1, ?2, ?3, ?4)";
        let tags = (0u32..).zip(&topic.tags);
        statements.extend(tags.map(|(place, (key, value))| Statement::new(text, values![topic.no, place, key, value])));
    }
    statements
}

pub(crate) fn delete(no: StreamNo) -> Vec<Statement<'static>> {
    let tags = Statement::new("delete from topic_tag where topic = ?1", values![no]);
    vec![Statement::new(&*TEXTS.delete, values![no]), tags]
}

pub(crate) fn read(cells: &mut Cells<'_>) -> Result<Topic, Corrupt> {
    let (no, id, name) = (cells.stream()?, cells.id(TopicId::from_number)?, cells.string()?);
    let _name_key = cells.string()?;
    Ok(Topic {
        no,
        id,
        name,
        filter: word(cells)?,
        max_msg_bytes: cells.int()?,
        retention_s: cells.int()?,
        trace: cells.flag()?,
        tags: cells.json()?,
        next_seq: cells.int()?,
        next_subscription: cells.int()?,
        created: cells.time()?,
        modified: cells.time()?,
    })
}

pub(crate) fn insert_message(message: &TopicMessage) -> Statement<'_> {
    let values = values![
        message.topic,
        message.seq,
        message.published,
        &*message.body,
        json(&message.tags),
        &message.routing_key,
        message.previous,
        message.owner.map(|owner| owner.to_string()),
    ];
    Statement::new(&*MESSAGE_TEXTS.insert, values)
}

pub(crate) fn read_message(cells: &mut Cells<'_>) -> Result<TopicMessage, Corrupt> {
    Ok(TopicMessage {
        topic: cells.stream()?,
        seq: cells.int()?,
        published: cells.time()?,
        body: cells.text(|text| Some(Arc::from(text)))?,
        tags: cells.json()?,
        routing_key: cells.string()?,
        previous: cells.int()?,
        owner: cells.opt_text(|text| text.parse().ok())?,
    })
}
