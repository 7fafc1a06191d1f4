//! A push: as CMQ makes it (Tencent CMQ, "HTTP endpoint subscription"), or as a CloudEvent; signed, where the
//! subscription has a secret.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use bytes::Bytes;
use kernel::subscription::{Format, Secrets, Subscription};
use kernel::time::Timestamp;
use kernel::topic::{MsgId, Topic, TopicMessage};
use serde::Serialize;
use wire::{cloud_event, webhook};

use crate::settings::Settings;

const USER_AGENT: &str = "Qcloud Notification Service Agent";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-cmq-request-id");
const MESSAGE_ID: HeaderName = HeaderName::from_static("x-cmq-message-id");
const MESSAGE_TAG: HeaderName = HeaderName::from_static("x-cmq-message-tag");
const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// The JSON format's envelope; its keys stand in this order.
#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(rename = "TopicOwner")]
    topic_owner: u64,
    #[serde(rename = "topicName")]
    topic_name: &'a str,
    #[serde(rename = "subscriptionName")]
    subscription_name: &'a str,
    #[serde(rename = "msgId")]
    msg_id: String,
    #[serde(rename = "msgBody")]
    msg_body: &'a str,
    /// In seconds.
    #[serde(rename = "publishTime")]
    publish_time: i64,
}

/// The headers of a post. Both of CMQ's formats call their body `text/plain`.
pub(super) fn headers(format: Format, message: &TopicMessage, request_id: u32) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    let content_type = match format {
        Format::Json | Format::Simplified => "text/plain",
        Format::CloudEvents => cloud_event::CONTENT_TYPE,
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    headers.insert(REQUEST_ID, HeaderValue::from(request_id));
    headers.insert(MESSAGE_ID, HeaderValue::from(MsgId::new(message.topic, message.seq).0));
    // A tag with a control character cannot stand in a header; then none does.
    let tags = HeaderValue::from_bytes(message.tags.join(", ").as_bytes());
    headers.insert(MESSAGE_TAG, tags.unwrap_or(HeaderValue::from_static("")));
    headers
}

/// Adds the signature of a post that leaves at `now`. Its id is the message's, the same in each repeat.
pub(super) fn sign(headers: &mut HeaderMap, secrets: &Secrets, message: &TopicMessage, body: &[u8], now: Timestamp) {
    let id = MsgId::new(message.topic, message.seq).0;
    let signatures = webhook::signatures(secrets.valid(now), &id.to_string(), now.seconds(), body);
    headers.insert(WEBHOOK_ID, HeaderValue::from(id));
    headers.insert(WEBHOOK_TIMESTAMP, HeaderValue::from(now.seconds()));
    headers.insert(WEBHOOK_SIGNATURE, HeaderValue::try_from(signatures).expect("Base64 can stand in a header"));
}

/// The body of a post.
pub(super) fn body(topic: &Topic, subscription: &Subscription, message: &TopicMessage, settings: &Settings) -> Bytes {
    match subscription.format {
        Format::CloudEvents => cloud_event::body(topic, message, &settings.region).into(),
        Format::Simplified => Bytes::copy_from_slice(message.body.as_bytes()),
        Format::Json => {
            let envelope = Envelope {
                topic_owner: settings.topic_owner,
                topic_name: &topic.name,
                subscription_name: &subscription.name,
                msg_id: MsgId::new(message.topic, message.seq).0.to_string(),
                msg_body: &message.body,
                publish_time: message.published.seconds(),
            };
            serde_json::to_vec(&envelope).expect("texts and numbers are JSON").into()
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::event::Outlets;
    use kernel::id::{SubscriptionId, TopicId};
    use kernel::subscription::{Endpoint, Health, Manner, Secret, Stage, Strategy, SubscriptionKey};
    use kernel::topic::{FilterType, StreamNo};

    use super::*;

    const NO: StreamNo = StreamNo(3);

    fn topic() -> Topic {
        Topic {
            no: NO,
            id: TopicId::FIRST,
            name: "MyTopic".into(),
            filter: FilterType::Tags,
            max_msg_bytes: 65_536,
            retention_s: 86_400,
            trace: false,
            tags: Vec::new(),
            next_seq: 1,
            next_subscription: 1,
            created: Timestamp(0),
            modified: Timestamp(0),
        }
    }

    fn subscription(format: Format) -> Subscription {
        Subscription {
            key: SubscriptionKey { topic: NO, no: 1 },
            id: SubscriptionId::FIRST,
            name: "mysubscription".into(),
            endpoint: Endpoint::Http { url: "http://example.com/".into() },
            strategy: Strategy::default(),
            format,
            filter_tags: Vec::new(),
            binding_keys: Vec::new(),
            manner: Manner::default(),
            secrets: None,
            replays: Vec::new(),
            stage: Stage::default(),
            health: Health::default(),
            outlets: Outlets::default(),
            start: 0,
            cursor: 0,
            created: Timestamp(0),
            modified: Timestamp(0),
        }
    }

    fn message() -> TopicMessage {
        TopicMessage {
            topic: NO,
            seq: 7,
            published: Timestamp(11_203_432_999),
            body: "test \"message\"".into(),
            tags: vec!["a".into(), "b".into()],
            routing_key: String::new(),
            previous: 0,
            owner: None,
        }
    }

    #[test]
    fn the_envelope_is_cmqs() {
        let settings = Settings { topic_owner: 100_015_036, ..crate::config::Config::default().settings() };
        let body = body(&topic(), &subscription(Format::Json), &message(), &settings);
        let right = r#"{"TopicOwner":100015036,"topicName":"MyTopic","subscriptionName":"mysubscription","msgId":"3298534883335","msgBody":"test \"message\"","publishTime":11203432}"#;
        assert_eq!(std::str::from_utf8(&body).unwrap(), right);
    }

    #[test]
    fn simplified_is_the_text_itself() {
        let settings = crate::config::Config::default().settings();
        let body = body(&topic(), &subscription(Format::Simplified), &message(), &settings);
        assert_eq!(std::str::from_utf8(&body).unwrap(), "test \"message\"");
    }

    #[test]
    fn the_headers_are_cmqs() {
        let headers = headers(Format::Json, &message(), 2_394_928_734);
        let shown: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        let right = [
            ("content-type", "text/plain"),
            ("user-agent", "Qcloud Notification Service Agent"),
            ("x-cmq-request-id", "2394928734"),
            ("x-cmq-message-id", "3298534883335"),
            ("x-cmq-message-tag", "a, b"),
        ];
        assert_eq!(shown, right);
        let odd = TopicMessage { tags: vec!["a\nb".into()], ..message() };
        assert_eq!(super::headers(Format::Json, &odd, 1)[MESSAGE_TAG], "");
        let content_type = super::headers(Format::CloudEvents, &odd, 1)[header::CONTENT_TYPE].clone();
        assert_eq!(content_type, "application/cloudevents+json; charset=utf-8");
    }

    #[test]
    fn a_signed_post_says_its_id_and_its_time() {
        let secret = |byte| Secret::new(vec![byte; 32]).unwrap();
        let secrets = Secrets { current: secret(1), previous: Some((secret(2), Timestamp(5_000))) };
        let mut headers = HeaderMap::new();
        sign(&mut headers, &secrets, &message(), b"hello", Timestamp(4_999));
        assert_eq!(
            (headers[WEBHOOK_ID].to_str().unwrap(), headers[WEBHOOK_TIMESTAMP].to_str().unwrap()),
            ("3298534883335", "4")
        );
        assert_eq!(headers[WEBHOOK_SIGNATURE].to_str().unwrap().matches("v1,").count(), 2);
        sign(&mut headers, &secrets, &message(), b"hello", Timestamp(5_000));
        assert_eq!(headers[WEBHOOK_SIGNATURE].to_str().unwrap().matches("v1,").count(), 1, "the old one is over");
    }
}
