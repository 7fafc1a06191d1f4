//! `GetQueueAttributes`.

use serde_json::{Value, json};
use wire::v2::{Params, V2Code, V2Error};

use super::Action;
use super::fields::name;
use super::refusal::of_store;
use crate::App;
use crate::api::cmq::read::{self, QueueView};

pub(super) const ACTION: Action = Action {
    name: "GetQueueAttributes",
    help: "Shows the attributes of a queue and how many messages it holds.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    let found = read::queue(app, &name(params, "queueName")?).await.map_err(|error| of_store(&error))?;
    found.map(|view| attributes(&view)).ok_or_else(|| V2Code::NoQueue.error())
}

fn attributes(QueueView { queue, figures }: &QueueView) -> Value {
    json!({
        "queueName": queue.name,
        "queueId": queue.id,
        "maxMsgHeapNum": queue.settings.max_messages,
        "pollingWaitSeconds": queue.settings.polling_wait_s,
        "visibilityTimeout": queue.settings.visibility_s,
        "maxMsgSize": queue.settings.max_msg_bytes,
        "msgRetentionSeconds": queue.settings.retention_s,
        "rewindSeconds": 0,
        "createTime": queue.created.seconds(),
        "lastModifyTime": queue.modified.seconds(),
        "activeMsgNum": figures.active,
        "inactiveMsgNum": figures.inactive,
        "delayMsgNum": figures.delayed,
        // The documentation spells it the one way, the older Java client reads the other.
        "rewindmsgNum": 0,
        "rewindMsgNum": 0,
        "minMsgTime": figures.oldest.map_or(0, |oldest| oldest.seconds()),
    })
}
