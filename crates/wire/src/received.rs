//! What a receiver got, in whatever clothes it came: the event's body itself, CMQ's push envelope round it, a
//! CloudEvent, or a message as a queue's receive gives it. The event in it is taken out; who holds many of them can
//! prove that none is missing ([`proof`](crate::proof)).

use std::borrow::Cow;

use serde_json::{Map, Value};

/// What an event is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedEvent {
    /// The topic's name, where what came says it.
    pub topic: Option<String>,
    /// The id of the job or environment that counts it; for events about deliveries the `topic/subscription`.
    pub owner: String,
    /// Its name, such as `JOB_SUCCEED`.
    pub name: String,
    /// Its own id.
    pub id: String,
    /// Its number among those of its owner in the topic.
    pub sequence: u64,
}

/// One thing that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// Events; one, unless a batch was received.
    Events(Vec<ReceivedEvent>),
    /// Something else, such as a client's own message.
    Other,
    /// Something that begins like an event and is none, for this reason.
    Broken(String),
}

/// Splits a text into the things that were received, each with the line on which it begins, from 1: JSON documents,
/// one a line or over many lines, and lines that are no JSON.
pub fn split(text: &str) -> impl Iterator<Item = (usize, Received)> {
    let (mut rest, mut line) = (text, 1);
    std::iter::from_fn(move || {
        let begun = rest.trim_start();
        line += newlines(&rest[..rest.len() - begun.len()]);
        rest = begun;
        if rest.is_empty() {
            return None;
        }
        let (at, (taken, received)) = (line, next(rest));
        line += newlines(&rest[..taken]);
        rest = &rest[taken..];
        Some((at, received))
    })
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// The first thing in `text`, and how many bytes it takes.
fn next(text: &str) -> (usize, Received) {
    let mut documents = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let line = text.find('\n').unwrap_or(text.len());
    match documents.next() {
        // A line that only begins with a number or a word is a text.
        Some(Ok(value)) if value.is_object() || value.is_array() => (documents.byte_offset(), read(&value)),
        Some(Err(error)) if text.starts_with("{\"Events\"") => (line, Received::Broken(error.to_string())),
        _ => (line, Received::Other),
    }
}

/// Reads one thing that was received.
#[must_use]
pub fn read(value: &Value) -> Received {
    let mut events = Vec::new();
    match gather(value, None, &mut events) {
        Err(reason) => Received::Broken(reason),
        Ok(()) if events.is_empty() => Received::Other,
        Ok(()) => Received::Events(events),
    }
}

/// Takes the events out of what is wrapped round them. How deep that may go is bounded: each wrapping is another.
fn gather(value: &Value, topic: Option<&str>, events: &mut Vec<ReceivedEvent>) -> Result<(), String> {
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| gather(item, topic, events)),
        Value::Object(object) => object_events(object, topic, events),
        _ => Ok(()),
    }
}

fn object_events(
    object: &Map<String, Value>,
    topic: Option<&str>,
    events: &mut Vec<ReceivedEvent>,
) -> Result<(), String> {
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    let topic = text("topicName").or(text("TopicName")).or(topic);
    if object.contains_key("specversion") {
        events.extend(cloud_event(object, topic)?);
        return Ok(());
    }
    if let Some(list) = object.get("Events").and_then(Value::as_array) {
        for event in list {
            events.push(plain_event(event, topic)?);
        }
        return Ok(());
    }
    if let Some(list) = object.get("msgInfoList") {
        return gather(list, topic, events);
    }
    // A push's envelope, or a message of a queue: the body is a text.
    match text("msgBody").map(serde_json::from_str::<Value>) {
        Some(Ok(body @ Value::Object(_))) if body.get("msgBody").is_none() => gather(&body, topic, events),
        _ => Ok(()),
    }
}

/// Whether events can bear this number: they are counted from 1, and no counter goes beyond what a column holds.
fn is_sequence(number: u64) -> bool {
    (1..=i64::MAX.unsigned_abs()).contains(&number)
}

/// One of the `Events` of a body.
fn plain_event(event: &Value, topic: Option<&str>) -> Result<ReceivedEvent, String> {
    let text = |key: &str| event[key].as_str().map(str::to_owned).ok_or_else(|| format!("an event without {key}"));
    let sequence = event["Sequence"].as_u64().filter(|number| is_sequence(*number));
    Ok(ReceivedEvent {
        topic: topic.map(str::to_owned),
        owner: owner(&event["Batch"]).ok_or("an event of no job and no environment")?.into_owned(),
        name: text("EventName")?,
        id: text("EventId")?,
        sequence: sequence.ok_or("an event without Sequence")?,
    })
}

/// A CloudEvent of Herald's: its `id` is the EventId, its extension `sequence` the Sequence, its `data` the event.
fn cloud_event(object: &Map<String, Value>, topic: Option<&str>) -> Result<Option<ReceivedEvent>, String> {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    if !text("id").starts_with("evt-") {
        return Ok(None); // A client's own message, or somebody else's event.
    }
    let data = object.get("data").unwrap_or(&Value::Null);
    let event = data["Events"].get(0).unwrap_or(data);
    let sequence = match object.get("sequence") {
        Some(Value::String(digits)) => digits.parse().ok(),
        Some(number) => number.as_u64(),
        None => event["Sequence"].as_u64(),
    };
    let of_data = owner(&event["Batch"]).or_else(|| owner(event));
    let kind = text("type").rsplit('.').next().unwrap_or_default();
    Ok(Some(ReceivedEvent {
        topic: topic.or(topic_of_source(text("source"))).map(str::to_owned),
        owner: of_data.ok_or("a CloudEvent of no job and no environment")?.into_owned(),
        name: event["EventName"].as_str().unwrap_or(kind).to_owned(),
        id: text("id").to_owned(),
        sequence: sequence.filter(|number| is_sequence(*number)).ok_or("a CloudEvent without sequence")?,
    }))
}

/// The topic in a source such as `/herald/ap-guangzhou/topics/NAME`.
fn topic_of_source(source: &str) -> Option<&str> {
    source.split_once("topics/").map(|(_, rest)| rest.split('/').next().unwrap_or(rest)).filter(|name| !name.is_empty())
}

/// Whose event it is. Instances name both their job and the environment they run in: they are the job's.
fn owner(batch: &Value) -> Option<Cow<'_, str>> {
    let text = |key: &str| batch[key].as_str();
    if let Some(id) = text("JobId").or(text("EnvId")) {
        return Some(id.into());
    }
    Some(format!("{}/{}", text("TopicName")?, text("SubscriptionName")?).into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const BODY: &str =
        r#"{"Events":[{"EventName":"JOB_RUNNING","Batch":{"JobId":"job-1"},"EventId":"evt-A","Sequence":2}]}"#;

    fn event(topic: Option<&str>) -> ReceivedEvent {
        let (owner, name, id) = ("job-1".into(), "JOB_RUNNING".into(), "evt-A".into());
        ReceivedEvent { topic: topic.map(Into::into), owner, name, id, sequence: 2 }
    }

    #[test]
    fn an_event_is_found_in_each_of_its_clothes() {
        let body: Value = serde_json::from_str(BODY).unwrap();
        let cases = [
            (body.clone(), None),
            (
                json!({"TopicOwner": 1, "topicName": "t", "subscriptionName": "s", "msgId": "7", "msgBody": BODY}),
                Some("t"),
            ),
            (json!({"msgBody": BODY, "msgId": "7", "receiptHandle": "9"}), None),
            (json!({"msgInfoList": [{"msgBody": BODY, "msgId": "7"}]}), None),
            (json!([{"msgBody": BODY}]), None),
            (
                json!({"specversion": "1.0", "id": "evt-A", "source": "/herald/r/topics/t", "type": "x.JOB_RUNNING",
                    "sequence": "2", "data": {"JobId": "job-1"}}),
                Some("t"),
            ),
            (json!({"specversion": "1.0", "id": "evt-A", "data": body}), None),
        ];
        for (value, topic) in cases {
            assert_eq!(read(&value), Received::Events(vec![event(topic)]), "{value}");
        }
    }

    #[test]
    fn what_is_no_event_is_told_apart_from_a_broken_one() {
        for value in [json!({}), json!({"msgBody": "hello"}), json!({"specversion": "1.0", "id": "x"}), json!([])] {
            assert_eq!(read(&value), Received::Other, "{value}");
        }
        let without = json!({"Events": [{"EventName": "X", "EventId": "evt-1", "Batch": {"EnvId": "env-1"}}]});
        assert_eq!(read(&without), Received::Broken("an event without Sequence".into()));
        let nobodys = json!({"Events": [{"EventName": "X", "EventId": "evt-1", "Sequence": 1, "Batch": {}}]});
        assert_eq!(read(&nobodys), Received::Broken("an event of no job and no environment".into()));
    }

    #[test]
    fn owners_are_jobs_before_environments() {
        for (batch, right) in [
            (json!({"JobId": "job-1", "EnvId": "env-1"}), Some("job-1")),
            (json!({"EnvId": "env-1"}), Some("env-1")),
            (json!({"TopicName": "t", "SubscriptionName": "s"}), Some("t/s")),
            (json!({"TopicName": "t"}), None),
        ] {
            assert_eq!(owner(&batch).as_deref(), right, "{batch}");
        }
    }

    #[test]
    fn a_text_is_split_into_documents_and_lines() {
        let pretty = serde_json::to_string_pretty(&json!({"msgBody": BODY})).unwrap();
        let text =
            format!("{BODY}\nhello there\n\n{pretty}\n{{\"Events\": [\n{{\"Events\":[{{\n12 monkeys\n{BODY} {BODY}");
        let found: Vec<(usize, Received)> = split(&text).collect();
        let one = || Received::Events(vec![event(None)]);
        let lines: Vec<usize> = found.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 2, 4, 7, 8, 9, 10, 10]);
        let kinds: Vec<&Received> = found.iter().map(|(_, received)| received).collect();
        assert_eq!([kinds[0], kinds[2], kinds[6], kinds[7]], [&one(), &one(), &one(), &one()]);
        assert_eq!([kinds[1], kinds[5]], [&Received::Other, &Received::Other]);
        assert!(matches!([kinds[3], kinds[4]], [Received::Broken(_), Received::Broken(_)]));
    }
}
