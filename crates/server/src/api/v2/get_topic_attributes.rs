//! `GetTopicAttributes`.

use kernel::topic::FilterType;
use serde_json::{Value, json};
use wire::v2::{Params, V2Code, V2Error};

use super::Action;
use super::fields::name;
use super::refusal::of_store;
use crate::App;
use crate::api::cmq::read::{self, TopicView};

pub(super) const ACTION: Action = Action {
    name: "GetTopicAttributes",
    help: "Shows the attributes of a topic and how many messages wait in it.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    let found = read::topic(app, &name(params, "topicName")?).await.map_err(|error| of_store(&error))?;
    found.map(|view| attributes(&view)).ok_or_else(|| V2Code::NoTopic.error())
}

fn attributes(TopicView { topic, waiting, .. }: &TopicView) -> Value {
    json!({
        "topicName": topic.name,
        "topicId": topic.id,
        "msgCount": waiting,
        "maxMsgSize": topic.max_msg_bytes,
        "msgRetentionSeconds": topic.retention_s,
        "createTime": topic.created.seconds(),
        "lastModifyTime": topic.modified.seconds(),
        "filterType": match topic.filter {
            FilterType::Tags => 1,
            FilterType::Routing => 2,
        },
    })
}
