//! Queues and their messages.

use std::sync::{Arc, LazyLock};

use kernel::id::QueueId;
use kernel::queue::{MessageKey, Queue, QueueMessage, QueueSettings};
use kernel::topic::StreamNo;

use crate::engine::{Cells, Corrupt};
use crate::statement::{Statement, Table, Texts, values};

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
            "next_seq",
            "stored",
            "created",
            "modified",
        ],
    }
    .texts()
});

pub(crate) static MESSAGE_TEXTS: LazyLock<Texts> = LazyLock::new(|| {
    Table {
        name: "queue_message",
        key: &["queue", "seq"],
        columns: &["body", "enqueued", "visible", "first_dequeued", "dequeues", "receipt"],
    }
    .texts()
});

/// Changes what a receipt changes: the text is not written again.
const RECEIVED: &str = "update queue_message set visible = ?1, first_dequeued = ?2, dequeues = ?3, receipt = ?4 \
                        where queue = ?5 and seq = ?6";

pub(crate) fn put(queue: &Queue, fresh: bool) -> Statement<'_> {
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
        queue.next_seq,
        queue.stored,
        queue.created,
        queue.modified,
    ];
    TEXTS.write(fresh, values)
}

pub(crate) fn delete(no: StreamNo) -> Statement<'static> {
    Statement::new(&*TEXTS.delete, values![no])
}

pub(crate) fn read(cells: &mut Cells<'_>) -> Result<Queue, Corrupt> {
    let (no, id, name) = (cells.stream()?, cells.id(QueueId::from_number)?, cells.string()?);
    let _name_key = cells.string()?;
    Ok(Queue {
        no,
        id,
        name,
        settings: QueueSettings {
            max_messages: cells.int()?,
            polling_wait_s: cells.int()?,
            visibility_s: cells.int()?,
            max_msg_bytes: cells.int()?,
            retention_s: cells.int()?,
        },
        next_seq: cells.int()?,
        stored: cells.int()?,
        created: cells.time()?,
        modified: cells.time()?,
    })
}

pub(crate) fn put_message(message: &QueueMessage, fresh: bool) -> Statement<'_> {
    if !fresh {
        let values = values![
            message.visible,
            message.first_dequeued,
            message.dequeues,
            message.receipt,
            message.key.queue,
            message.key.seq,
        ];
        return Statement::one(RECEIVED, values);
    }
    let values = values![
        message.key.queue,
        message.key.seq,
        &*message.body,
        message.enqueued,
        message.visible,
        message.first_dequeued,
        message.dequeues,
        message.receipt,
    ];
    Statement::new(&*MESSAGE_TEXTS.insert, values)
}

pub(crate) fn delete_message(key: MessageKey) -> Statement<'static> {
    Statement::new(&*MESSAGE_TEXTS.delete, values![key.queue, key.seq])
}

pub(crate) fn read_message(cells: &mut Cells<'_>) -> Result<QueueMessage, Corrupt> {
    Ok(QueueMessage {
        key: MessageKey { queue: cells.stream()?, seq: cells.int()? },
        body: cells.text(|text| Some(Arc::from(text)))?,
        enqueued: cells.time()?,
        visible: cells.time()?,
        first_dequeued: cells.opt_time()?,
        dequeues: cells.int()?,
        receipt: cells.int()?,
    })
}
