//! A topic's message as a CloudEvent 1.0 in structured mode (CloudEvents, "JSON Event Format").
//!
//! An event of Herald is one whose `data` is the event as the topic carries it, without the list round it. Its `source`
//! is the job, environment or subscription within the topic, so `sequence` counts without a gap within a source, and
//! (`source`, `id`) is the same in each repeat. What a client has published has the message's id; a JSON object or list
//! is handed over as such, every other text as a text.

use kernel::event::Owner;
use kernel::topic::{MsgId, Topic, TopicMessage};
use serde::Serialize;
use serde_json::Value;

use crate::time::Utc;

/// The media type of such a body.
pub const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";
/// The type of what is no event of Herald.
const MESSAGE_TYPE: &str = "herald.message";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain";

#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: String,
    source: String,
    r#type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    time: String,
    /// The extension "Sequence": a number in a text, and that it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequencetype: Option<&'static str>,
    /// The message's tags, an extension of Herald's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<String>,
    datacontenttype: &'static str,
    data: &'a Value,
}

/// The text of `message`, sent from `region`.
#[must_use]
pub fn body(topic: &Topic, message: &TopicMessage, region: &str) -> Vec<u8> {
    let source = format!("/herald/{region}/topics/{}", topic.name);
    let json: Option<Value> = serde_json::from_str(&message.body).ok();
    let event = match (message.owner, json.as_ref().and_then(|json| json.pointer("/Events/0"))) {
        (Some(owner), Some(event)) => of_event(&source, owner, event),
        _ => None,
    };
    let written = match (event, json.as_ref().filter(|json| json.is_object() || json.is_array())) {
        (Some(event), _) => serde_json::to_vec(&event),
        (None, Some(json)) => serde_json::to_vec(&of_text(source, message, JSON, json)),
        (None, None) => serde_json::to_vec(&of_text(source, message, TEXT, &Value::from(&*message.body))),
    };
    written.expect("texts and numbers can always be written")
}

fn of_event<'a>(source: &str, owner: Owner, event: &'a Value) -> Option<CloudEvent<'a>> {
    Some(CloudEvent {
        specversion: "1.0",
        id: event["EventId"].as_str()?.to_owned(),
        source: format!("{source}/{owner}"),
        r#type: format!("herald.{}", event["EventName"].as_str()?),
        subject: Some(subject(&event["Batch"])),
        time: event["EventTime"].as_str()?.to_owned(),
        sequence: event["Sequence"].as_u64().map(|sequence| sequence.to_string()),
        sequencetype: Some("Integer"),
        tags: None,
        datacontenttype: JSON,
        data: event,
    })
}

fn of_text<'a>(
    source: String,
    message: &TopicMessage,
    datacontenttype: &'static str,
    data: &'a Value,
) -> CloudEvent<'a> {
    CloudEvent {
        specversion: "1.0",
        id: MsgId::new(message.topic, message.seq).0.to_string(),
        source,
        r#type: MESSAGE_TYPE.to_owned(),
        subject: (!message.routing_key.is_empty()).then(|| message.routing_key.clone()),
        time: Utc(message.published).to_string(),
        sequence: None,
        sequencetype: None,
        tags: (!message.tags.is_empty()).then(|| message.tags.join(",")),
        datacontenttype,
        data,
    }
}

/// To what exactly an event happened: `job-…`, `job-…/task`, `job-…/task/3`, `env-…`, `node-…`, `topic/subscription`.
fn subject(batch: &Value) -> String {
    let keys: &[&str] = if batch.get("SubscriptionName").is_some() {
        &["TopicName", "SubscriptionName"]
    } else if batch.get("ComputeNodeState").is_some() {
        &["ComputeNodeId"]
    } else if batch.get("JobId").is_some() {
        &["JobId", "TaskName", "TaskInstanceIndex"]
    } else {
        &["EnvId"]
    };
    let parts = keys.iter().filter_map(|key| match batch.get(key)? {
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use kernel::id::{JobId, TopicId};
    use kernel::time::Timestamp;
    use kernel::topic::{FilterType, StreamNo};
    use serde_json::json;

    use super::*;

    fn topic() -> Topic {
        Topic {
            no: StreamNo(3),
            id: TopicId::FIRST,
            name: "job-events".into(),
            filter: FilterType::Tags,
            max_msg_bytes: 65_536,
            retention_s: 86_400,
            trace: false,
            tags: Vec::new(),
            next_seq: 8,
            next_subscription: 1,
            created: Timestamp(0),
            modified: Timestamp(0),
        }
    }

    fn message(body: &str, owner: Option<Owner>, tags: &[&str]) -> TopicMessage {
        TopicMessage {
            topic: StreamNo(3),
            seq: 7,
            published: Timestamp(1_529_073_797_999),
            body: body.into(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            routing_key: String::new(),
            previous: 0,
            owner,
        }
    }

    fn text(message: &TopicMessage) -> String {
        String::from_utf8(body(&topic(), message, "ap-guangzhou")).unwrap()
    }

    #[test]
    fn an_event_keeps_its_id_time_and_sequence() {
        let event = r#"{"EventVersion":"1.0","EventTime":"2018-06-15T14:43:17Z","Region":"ap-guangzhou","Batch":{"JobId":"job-00000000","JobName":"n","TaskName":"count","TaskInstanceIndex":2},"EventName":"TASK_INSTANCE_FAILED","EventVars":[],"EventId":"evt-1","Sequence":9}"#;
        let message = message(&format!(r#"{{"Events":[{event}]}}"#), Some(Owner::Job(JobId::FIRST)), &["INSTANCE"]);
        let wanted = format!(
            r#"{{"specversion":"1.0","id":"evt-1","source":"/herald/ap-guangzhou/topics/job-events/job-00000000","type":"herald.TASK_INSTANCE_FAILED","subject":"job-00000000/count/2","time":"2018-06-15T14:43:17Z","sequence":"9","sequencetype":"Integer","datacontenttype":"application/json","data":{event}}}"#
        );
        assert_eq!(text(&message), wanted);
    }

    #[test]
    fn a_clients_text_is_a_text_and_its_json_is_json() {
        let wanted = r#"{"specversion":"1.0","id":"3298534883335","source":"/herald/ap-guangzhou/topics/job-events","type":"herald.message","time":"2018-06-15T14:43:17Z","tags":"a,b","datacontenttype":"text/plain","data":"say \"hi\""}"#;
        assert_eq!(text(&message("say \"hi\"", None, &["a", "b"])), wanted);
        let wanted = r#"{"specversion":"1.0","id":"3298534883335","source":"/herald/ap-guangzhou/topics/job-events","type":"herald.message","time":"2018-06-15T14:43:17Z","datacontenttype":"application/json","data":{"b":1,"a":[2]}}"#;
        assert_eq!(text(&message(r#"{"b":1,"a":[2]}"#, None, &[])), wanted);
        assert!(text(&message("17", None, &[])).contains(r#""text/plain","data":"17""#), "a number alone stays a text");
    }

    #[test]
    fn who_imitates_an_event_is_taken_for_a_client() {
        let fake = json!({"Events": [{"EventId": "evt-1", "EventName": "JOB_FAILED", "EventTime": "x", "Batch": {}}]});
        assert!(text(&message(&fake.to_string(), None, &[])).contains(r#""type":"herald.message""#));
    }

    #[test]
    fn a_subject_is_what_it_happened_to() {
        let table = [
            (json!({"JobId": "job-1", "JobName": "n"}), "job-1"),
            (json!({"JobId": "job-1", "TaskName": "t"}), "job-1/t"),
            (json!({"EnvId": "env-1", "EnvName": "n"}), "env-1"),
            (json!({"ComputeNodeId": "node-1", "EnvId": "env-1", "ComputeNodeState": "RUNNING"}), "node-1"),
            (json!({"TopicName": "t", "SubscriptionName": "s", "MsgId": "1"}), "t/s"),
        ];
        for (batch, wanted) in table {
            assert_eq!(subject(&batch), wanted);
        }
    }
}
