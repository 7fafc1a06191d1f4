//! Queues and their messages.

use std::sync::{Arc, LazyLock};

use kernel::id::QueueId;
use kernel::queue::{
    DeadLetter, DeadLetterRule, Kept, KeptMessage, MessageKey, Origin, Queue, QueueMessage, QueueSettings, Rewinding,
};
use kernel::topic::StreamNo;

use crate::engine::{Cells, Corrupt};
use crate::statement::{Statement, Table, Texts, json, values};

pub(crate) static TEXTS: LazyLock<Texts> = LazyLock::new(|| {
    Table {
        name: "queue",
        key: &["no"],
        columns: &[
            "id",
            "name",
            "name_key",
            "max_messages",
            "polling_wait_s",
            "visibility_s",
            "max_msg_bytes",
            "retention_s",
            "rewind_s",
            "kept_max_bytes",
            "trace",
            "dead_queue",
            "dead_receives",
            "dead_age_s",
            "heap",
            "next_seq",
            "stored",
            "kept_heap",
            "kept",
            "kept_bytes",
            "rewinding",
            "tags",
            "created",
            "modified",
        ],
    }
    .texts()
});

pub(crate) static MESSAGE_TEXTS: LazyLock<Texts> = LazyLock::new(|| {
    Table {
        name: "queue_message",
        key: &["heap", "seq"],
        columns: &["body", "enqueued", "visible", "first_dequeued", "dequeues", "receipt", "origin"],
    }
    .texts()
});

pub(crate) static KEPT_TEXTS: LazyLock<Texts> = LazyLock::new(|| {
    Table { name: "kept_message", key: &["heap", "seq"], columns: &["body", "enqueued", "deleted", "origin"] }.texts()
});

/// Changes what a receipt changes: the text is not written again.
const RECEIVED: &str = "update queue_message set visible = ?1, first_dequeued = ?2, dequeues = ?3, receipt = ?4 \
                        where heap = ?5 and seq = ?6";

pub(crate) fn put(queue: &Queue, fresh: bool) -> Vec<Statement<'_>> {
    let (receives, age_s) = match queue.dead_letter.map(|bound| bound.rule) {
        None => (None, None),
        Some(DeadLetterRule::Receives { most }) => (Some(most), None),
        Some(DeadLetterRule::Age { seconds }) => (None, Some(seconds)),
    };
    let values = values![
        queue.no,
        queue.id,
        &queue.name,
        queue.name.to_lowercase(),
        queue.settings.max_messages,
        queue.settings.polling_wait_s,
        queue.settings.visibility_s,
        queue.settings.max_msg_bytes,
        queue.settings.retention_s,
        queue.settings.rewind_s,
        queue.settings.kept_max_bytes,
        queue.settings.trace,
        queue.dead_letter.map(|bound| bound.queue),
        receives,
        age_s,
        queue.heap,
        queue.next_seq,
        queue.stored,
        queue.kept.map(|kept| kept.heap),
        queue.kept.map_or(0, |kept| kept.count),
        queue.kept.map_or(0, |kept| kept.bytes),
        queue.rewinding.map(|rewinding| json(&rewinding)),
        json(&queue.tags),
        queue.created,
        queue.modified,
    ];
    let mut statements = vec![TEXTS.write(fresh, values)];
    if fresh {
        let text = "insert into queue_tag (queue, place, key, value) values (?1, ?2, ?3, ?4)";
        let tags = (0u32..).zip(&queue.tags);
        statements.extend(tags.map(|(place, (key, value))| Statement::new(text, values![queue.no, place, key, value])));
    }
    statements
}

pub(crate) fn delete(no: StreamNo) -> Vec<Statement<'static>> {
    let tags = Statement::new("delete from queue_tag where queue = ?1", values![no]);
    vec![Statement::new(&*TEXTS.delete, values![no]), tags]
}

pub(crate) fn read(cells: &mut Cells<'_>) -> Result<Queue, Corrupt> {
    let (no, id, name) = (cells.stream()?, cells.id(QueueId::from_number)?, cells.string()?);
    let _name_key = cells.string()?;
    let settings = QueueSettings {
        max_messages: cells.int()?,
        polling_wait_s: cells.int()?,
        visibility_s: cells.int()?,
        max_msg_bytes: cells.int()?,
        retention_s: cells.int()?,
        rewind_s: cells.int()?,
        kept_max_bytes: cells.int()?,
        trace: cells.flag()?,
    };
    let (dead, receives, age_s) = (cells.opt_int()?.map(StreamNo), cells.opt_int()?, cells.opt_int()?);
    let receives = receives.map(|most| DeadLetterRule::Receives { most });
    let rule = receives.or(age_s.map(|seconds| DeadLetterRule::Age { seconds }));
    let dead_letter = dead.zip(rule).map(|(queue, rule)| DeadLetter { queue, rule });
    let (heap, next_seq, stored) = (cells.stream()?, cells.int()?, cells.int()?);
    let (kept_heap, count, bytes) = (cells.opt_int()?.map(StreamNo), cells.int()?, cells.int()?);
    let kept = kept_heap.map(|heap| Kept { heap, count, bytes });
    let rewinding = cells.opt_text(|text| serde_json::from_str::<Rewinding>(text).ok())?;
    let (tags, created, modified) = (cells.json()?, cells.time()?, cells.time()?);
    Ok(Queue { no, id, name, settings, dead_letter, heap, next_seq, stored, kept, rewinding, tags, created, modified })
}

pub(crate) fn put_message(message: &QueueMessage, fresh: bool) -> Statement<'_> {
    if !fresh {
        let values = values![
            message.visible,
            message.first_dequeued,
            message.dequeues,
            message.receipt,
            message.key.heap,
            message.key.seq,
        ];
        return Statement::one(RECEIVED, values);
    }
    let values = values![
        message.key.heap,
        message.key.seq,
        &*message.body,
        message.enqueued,
        message.visible,
        message.first_dequeued,
        message.dequeues,
        message.receipt,
        message.origin.as_deref().map(json),
    ];
    Statement::new(&*MESSAGE_TEXTS.insert, values)
}

pub(crate) fn delete_message(key: MessageKey) -> Statement<'static> {
    Statement::new(&*MESSAGE_TEXTS.delete, values![key.heap, key.seq])
}

pub(crate) fn read_message(cells: &mut Cells<'_>) -> Result<QueueMessage, Corrupt> {
    Ok(QueueMessage {
        key: key(cells)?,
        body: cells.text(|text| Some(Arc::from(text)))?,
        enqueued: cells.time()?,
        visible: cells.time()?,
        first_dequeued: cells.opt_time()?,
        dequeues: cells.int()?,
        receipt: cells.int()?,
        origin: origin(cells)?,
    })
}

pub(crate) fn put_kept(message: &KeptMessage, fresh: bool) -> Statement<'_> {
    let values = values![
        message.key.heap,
        message.key.seq,
        &*message.body,
        message.enqueued,
        message.deleted,
        message.origin.as_deref().map(json),
    ];
    KEPT_TEXTS.write(fresh, values)
}

pub(crate) fn delete_kept(key: MessageKey) -> Statement<'static> {
    Statement::new(&*KEPT_TEXTS.delete, values![key.heap, key.seq])
}

pub(crate) fn read_kept(cells: &mut Cells<'_>) -> Result<KeptMessage, Corrupt> {
    Ok(KeptMessage {
        key: key(cells)?,
        body: cells.text(|text| Some(Arc::from(text)))?,
        enqueued: cells.time()?,
        deleted: cells.time()?,
        origin: origin(cells)?,
    })
}

fn key(cells: &mut Cells<'_>) -> Result<MessageKey, Corrupt> {
    Ok(MessageKey { heap: cells.stream()?, seq: cells.int()? })
}

fn origin(cells: &mut Cells<'_>) -> Result<Option<Arc<Origin>>, Corrupt> {
    cells.opt_text(|text| serde_json::from_str::<Origin>(text).ok().map(Arc::new))
}
