//! `GetQueueAttributes`.

use kernel::queue::DeadLetterRule;
use serde_json::{Value, json};
use wire::v2::{Params, V2Code, V2Error};

use super::Action;
use super::fields::name;
use super::refusal::of_store;
use crate::App;
use crate::api::cmq::dead_letter;
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

pub(super) fn attributes(view: &QueueView) -> Value {
    let QueueView { queue, figures, sources, .. } = view;
    let mut fields = json!({
        "queueName": queue.name,
        "queueId": queue.id,
        "maxMsgHeapNum": queue.settings.max_messages,
        "pollingWaitSeconds": queue.settings.polling_wait_s,
        "visibilityTimeout": queue.settings.visibility_s,
        "maxMsgSize": queue.settings.max_msg_bytes,
        "msgRetentionSeconds": queue.settings.retention_s,
        "rewindSeconds": queue.settings.rewind_s,
        "createTime": queue.created.seconds(),
        "lastModifyTime": queue.modified.seconds(),
        "activeMsgNum": figures.active,
        "inactiveMsgNum": figures.inactive,
        "delayMsgNum": figures.delayed,
        // The documentation spells it the one way, the older Java client reads the other.
        "rewindmsgNum": view.kept(),
        "rewindMsgNum": view.kept(),
        "minMsgTime": figures.oldest.map_or(0, |oldest| oldest.seconds()),
        "deadLetterSource": sources
            .iter()
            .map(|source| json!({"queueId": source.id, "queueName": source.name}))
            .collect::<Vec<_>>(),
    });
    if let Some((name, rule)) = view.dead_letter() {
        fields["deadLetterPolicy"] = policy(name, rule);
    }
    fields
}

fn policy(queue: &str, rule: DeadLetterRule) -> Value {
    let mut policy = json!({"deadLetterQueue": queue, "policy": dead_letter::number(rule)});
    match rule {
        DeadLetterRule::Receives { most } => policy["maxReceiveCount"] = json!(most),
        DeadLetterRule::Age { seconds } => policy["maxTimeToLive"] = json!(seconds),
    }
    policy
}
