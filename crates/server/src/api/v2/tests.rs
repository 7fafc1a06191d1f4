//! What parameters are read as, and how bad ones are refused.

use kernel::command::Command;
use url::form_urlencoded::Serializer;
use wire::call::Call;
use wire::request::HttpRequest;

use super::*;

/// Parameters as a client's POST brings them.
pub(super) fn params(pairs: &[(&str, &str)]) -> Params {
    let common = [
        ("Action", "Any"),
        ("SecretId", "AKIDtest"),
        ("Nonce", "1"),
        ("Timestamp", "1795290714"),
        ("Signature", "eA=="),
        ("RequestClient", "SDK_Python_1.3"),
        ("UserpollingWaitSeconds", "30"),
    ];
    let body = Serializer::new(String::new()).extend_pairs(common).extend_pairs(pairs).finish().into_bytes();
    let (method, path) = ("POST".into(), "/v2/index.php".into());
    match Call::read(HttpRequest { method, path, query: String::new(), headers: Vec::new(), body }) {
        Ok(Call::V2(call)) => call.params,
        other => panic!("{other:?}"),
    }
}

/// The command that parameters are read as, or how they are refused.
fn read(command: fn(&Params) -> Result<Command, V2Error>, pairs: &[(&str, &str)]) -> String {
    match command(&params(pairs)) {
        Ok(command) => format!("{command:?}"),
        Err(error) => format!("{} {error}", error.code),
    }
}

/// Asserts that each of these, besides what is right, is refused so.
#[track_caller]
fn refused(command: fn(&Params) -> Result<Command, V2Error>, right: &[(&str, &str)], table: &[(&str, &str, &str)]) {
    for (name, value, said) in table {
        let mut pairs: Vec<_> = right.iter().filter(|(key, _)| key != name).copied().collect();
        pairs.push((name, value));
        assert_eq!(read(command, &pairs), *said, "{name}={value}");
    }
}

#[test]
fn a_queue_has_the_documented_defaults() {
    // What the Python client sends of a queue that was told nothing.
    let python = [
        ("queueName", "q"),
        ("pollingWaitSeconds", "0"),
        ("visibilityTimeout", "30"),
        ("maxMsgSize", "65536"),
        ("msgRetentionSeconds", "345600"),
        ("rewindSeconds", "0"),
    ];
    let default = read(create_queue::command, &[("queueName", "q")]);
    assert_eq!(read(create_queue::command, &python), default);
    assert_eq!(
        default,
        "CreateQueue { name: \"q\", settings: QueueSettings { max_messages: 100000000, polling_wait_s: 0, \
         visibility_s: 30, max_msg_bytes: 65536, retention_s: 345600, rewind_s: 0, kept_max_bytes: 0, trace: false }, \
         dead_letter: None, tags: [] }"
    );
}

#[test]
fn dead_letter_policies_are_read() {
    let policy = |text: &str| match create_queue::command(&params(&[("queueName", "q"), ("deadLetterPolicy", text)])) {
        Ok(Command::CreateQueue { dead_letter, .. }) => format!("{dead_letter:?}"),
        other => panic!("{other:?}"),
    };
    assert_eq!(policy(""), "None");
    assert_eq!(policy("{}"), "None");
    assert_eq!(
        policy(r#"{"deadLetterQueue":"dead","policy":0,"maxReceiveCount":1000}"#),
        "Some(NewDeadLetter { queue: \"dead\", rule: Receives { most: 1000 } })"
    );
    assert_eq!(
        policy(r#"{"deadLetterQueue":"dead","policy":"1","maxTimeToLive":"300"}"#),
        "Some(NewDeadLetter { queue: \"dead\", rule: Age { seconds: 300 } })"
    );
}

#[test]
fn what_changes_is_read_and_what_is_not_given_stays() {
    let edit = |pairs: &[(&str, &str)]| match set_queue_attributes::command(&params(pairs)) {
        Ok(Command::ModifyQueue { name, edit }) => (name, *edit),
        other => panic!("{other:?}"),
    };
    let (name, nothing) = edit(&[("queueName", "q")]);
    assert_eq!((name.as_str(), nothing), ("q", kernel::command::QueueEdit::default()));
    let (_, some) = edit(&[("queueName", "q"), ("rewindSeconds", "0"), ("visibilityTimeout", "43200")]);
    assert_eq!((some.rewind_s, some.visibility_s, some.retention_s), (Some(0), Some(43_200), None));
    let subscription = |pairs: &[(&str, &str)]| {
        let named = [("topicName", "t"), ("subscriptionName", "s")];
        let pairs: Vec<_> = named.iter().chain(pairs).copied().collect();
        match set_subscription_attributes::command(&params(&pairs)) {
            Ok(Command::ModifySubscription { edit, .. }) => Ok(edit),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(format!("{} {error}", error.code)),
        }
    };
    assert_eq!(subscription(&[("endpoint", "http://h/"), ("protocol", "http")]), Ok(Default::default()));
    let some = subscription(&[("filterTag.1", "a"), ("notifyStrategy", "BACKOFF_RETRY")]).unwrap();
    assert_eq!((some.filter_tags, some.binding_keys), (Some(vec!["a".to_owned()]), None));
    assert_eq!(subscription(&[("notifyStrategy", "x")]), Err("4000 (10520)undefined notify retry stragety".into()));
    assert_eq!(
        subscription(&[("notifyContentFormat", "x")]),
        Err("4000 (10530)undefined notify content format".into())
    );
}

#[test]
fn a_queue_is_refused_for_what_is_wrong_or_not_built() {
    let range = |name: &str| format!("4000 (10350)parameter {name} value or length is out of range");
    let (heap, poll) = (range("maxMsgHeapNum"), range("pollingWaitSeconds"));
    let (visibility, size, retention) = (range("visibilityTimeout"), range("maxMsgSize"), range("msgRetentionSeconds"));
    let rewind = range("rewindSeconds");
    let transaction =
        range("transaction") + ": transactions need CMQ's TCP protocol, which is not spoken here; only 0 is taken";
    let (policy, count, age) = (range("policy"), range("maxReceiveCount"), range("maxTimeToLive"));
    let lacks = |name: &str| format!("4000 (10390)lacked of required parameter {name}");
    let (no_queue, no_age) = (lacks("deadLetterQueue"), lacks("maxTimeToLive"));
    let no_object = "4000 (10360)parameter deadLetterPolicy error type";
    let name = "4000 (10020)queue name format error";
    let table = [
        ("queueName", "1q", name),
        ("queueName", "", name),
        ("queueName", "q-dlq", name),
        ("maxMsgHeapNum", "999999", heap.as_str()),
        ("maxMsgHeapNum", "1000000001", heap.as_str()),
        ("pollingWaitSeconds", "31", poll.as_str()),
        ("pollingWaitSeconds", "x", "4000 (10360)parameter pollingWaitSeconds error type"),
        ("visibilityTimeout", "0", visibility.as_str()),
        ("visibilityTimeout", "43201", visibility.as_str()),
        ("maxMsgSize", "1023", size.as_str()),
        ("maxMsgSize", "1048577", size.as_str()),
        ("msgRetentionSeconds", "29", retention.as_str()),
        ("msgRetentionSeconds", "1296001", retention.as_str()),
        ("rewindSeconds", "1296001", rewind.as_str()),
        ("deadLetterPolicy", "x", no_object),
        ("deadLetterPolicy", "[]", no_object),
        ("deadLetterPolicy", r#"{"policy":0,"maxReceiveCount":1}"#, no_queue.as_str()),
        ("deadLetterPolicy", r#"{"deadLetterQueue":"d","policy":2}"#, policy.as_str()),
        ("deadLetterPolicy", r#"{"deadLetterQueue":"d","policy":0,"maxReceiveCount":1001}"#, count.as_str()),
        ("deadLetterPolicy", r#"{"deadLetterQueue":"d","policy":1,"maxReceiveCount":1}"#, no_age.as_str()),
        ("deadLetterPolicy", r#"{"deadLetterQueue":"d","policy":1,"maxTimeToLive":299}"#, age.as_str()),
        ("transaction", "1", transaction.as_str()),
    ];
    refused(create_queue::command, &[("queueName", "q")], &table);
    assert_eq!(read(create_queue::command, &[]), "4000 (10390)lacked of required parameter queueName");
}

#[test]
fn a_topic_has_the_documented_defaults() {
    let default =
        "CreateTopic { name: \"t\", filter: Tags, max_msg_bytes: 65536, retention_s: 86400, trace: false, tags: [] }";
    assert_eq!(read(create_topic::command, &[("topicName", "t")]), default);
    let python = [("topicName", "t"), ("maxMsgSize", "65536"), ("filterType", "1")];
    assert_eq!(read(create_topic::command, &python), default);
    let routing = [("topicName", "t"), ("maxMsgSize", "1048576"), ("filterType", "2")];
    assert_eq!(
        read(create_topic::command, &routing),
        "CreateTopic { name: \"t\", filter: Routing, max_msg_bytes: 1048576, retention_s: 86400, trace: false, tags: [] }"
    );
    let table = [
        ("topicName", "-", "4000 (10590)topic name format error"),
        ("filterType", "3", "4000 (10350)parameter filterType value or length is out of range"),
        ("maxMsgSize", "0", "4000 (10350)parameter maxMsgSize value or length is out of range"),
    ];
    refused(create_topic::command, &[("topicName", "t")], &table);
}

#[test]
fn subscriptions_are_read() {
    let to_queue = [
        ("topicName", "t"),
        ("subscriptionName", "s"),
        ("protocol", "queue"),
        ("endpoint", "q"),
        ("notifyStrategy", "BACKOFF_RETRY"),
        ("bindingKey.1", "job.#"),
    ];
    assert_eq!(
        read(subscribe::command, &to_queue),
        as_cmq_has_it(
            "Subscribe(NewSubscription { topic: \"t\", name: \"s\", endpoint: Queue { queue: StreamNo(0), name: \"q\" }, \
         strategy: BackoffRetry, format: Simplified, filter_tags: [], binding_keys: [\"job.#\"]"
        )
    );
    let to_url = [
        ("topicName", "t"),
        ("subscriptionName", "s"),
        ("protocol", "HTTP"),
        ("endpoint", "https://h/"),
        ("filterTag.1", "a"),
        ("filterTag.2", "b"),
    ];
    assert_eq!(
        read(subscribe::command, &to_url),
        as_cmq_has_it(
            "Subscribe(NewSubscription { topic: \"t\", name: \"s\", endpoint: Http { url: \"https://h/\" }, \
         strategy: ExponentialDecayRetry, format: Json, filter_tags: [\"a\", \"b\"], binding_keys: []"
        )
    );
}

#[test]
fn bad_subscriptions_are_refused() {
    let http = [
        ("topicName", "t"),
        ("subscriptionName", "s"),
        ("protocol", "http"),
        ("endpoint", "http://h/"),
        ("filterTag.1", "a"),
    ];
    let dots = ".".repeat(16);
    let long = "a".repeat(65);
    let table = [
        ("subscriptionName", "s s", "4000 (10620)subscription name format error"),
        ("protocol", "https", "4000 (10510)undefined protocol"),
        ("protocol", "queue", "4000 (10500)endpoint format error"),
        ("endpoint", "ftp://h/", "4000 (10500)endpoint format error"),
        ("endpoint", "http://h/a b", "4510 (10570)url connot contain any blank characters"),
        ("notifyStrategy", "NEVER", "4000 (10520)undefined notify retry stragety"),
        ("notifyContentFormat", "XML", "4000 (10530)undefined notify content format"),
        ("filterTag.1", "0123456789abcdefg", "4000 (10350)parameter filterTag value or length is out of range"),
        ("filterTag.3", "a", "4000 (10380)filterTag parameter is not consequent"),
        ("bindingKey.1", &dots, "4000 (10691)too many delimeters"),
        ("bindingKey.1", &long, "4000 (10350)parameter bindingKey value or length is out of range"),
    ];
    refused(subscribe::command, &http, &table);
    let six = |name: &str| -> String {
        let names: Vec<String> = (1..=6).map(|number| format!("{name}.{number}")).collect();
        let pairs = http[..4].iter().copied().chain(names.iter().map(|name| (name.as_str(), "a")));
        read(subscribe::command, &pairs.collect::<Vec<_>>())
    };
    assert_eq!(six("filterTag"), "4000 (10490)number of filterTag exceed limit");
    assert_eq!(six("bindingKey"), "4000 (10680)too many bindingKey");
    for missing in 0..4 {
        let pairs: Vec<_> = http.iter().enumerate().filter(|(at, _)| *at != missing).map(|(_, pair)| *pair).collect();
        let said = format!("4000 (10390)lacked of required parameter {}", http[missing].0);
        assert_eq!(read(subscribe::command, &pairs), said);
    }
    let json = [
        ("topicName", "t"),
        ("subscriptionName", "s"),
        ("protocol", "queue"),
        ("endpoint", "q"),
        ("notifyContentFormat", "JSON"),
    ];
    assert_eq!(read(subscribe::command, &json), "4000 (10640)notifyContentFormat of protocol queue must be SIMPLIFIED");
}

#[test]
fn messages_are_read() {
    let sent = [("queueName", "q"), ("msgBody", "This'is 100%=消息 +/"), ("delaySeconds", "3600")];
    assert_eq!(
        read(send_message::command, &sent),
        "Send { queue: \"q\", bodies: [\"This'is 100%=消息 +/\"], delay_s: 3600 }"
    );
    let batch = [("queueName", "q"), ("msgBody.0", "a"), ("msgBody.1", "b")];
    assert_eq!(read(batch_send_message::command, &batch), "Send { queue: \"q\", bodies: [\"a\", \"b\"], delay_s: 0 }");
    let published = [("topicName", "t"), ("msgBody", "x"), ("msgTag.1", "a"), ("routingKey", "")];
    assert_eq!(
        read(|params| publish_message::command(params, fields::body(params)?), &published),
        "Publish { topic: \"t\", bodies: [\"x\"], tags: [\"a\"], routing_key: \"\" }"
    );
}

#[test]
fn bad_messages_are_refused() {
    let range = "4000 (10692)delay seconds is out of range";
    let table = [
        ("msgBody", "", "4000 (10120)message body can't be empty"),
        ("delaySeconds", "3601", range),
        ("delaySeconds", "-1", range),
        ("delaySeconds", "soon", "4000 (10360)parameter delaySeconds error type"),
    ];
    refused(send_message::command, &[("queueName", "q"), ("msgBody", "x")], &table);
    assert_eq!(read(send_message::command, &[("queueName", "q")]), "4000 (10390)lacked of required parameter msgBody");

    let half = "x".repeat(524_289);
    let batch = |pairs: &[(&str, &str)]| {
        let pairs: Vec<_> = [("queueName", "q")].iter().chain(pairs).copied().collect();
        read(batch_send_message::command, &pairs)
    };
    assert_eq!(batch(&[]), "4000 (10390)lacked of required parameter msgBody.n");
    assert_eq!(batch(&[("msgBody.1", "a"), ("msgBody.2", "")]), "4000 (10120)message body can't be empty");
    assert_eq!(batch(&[("msgBody.1", &half), ("msgBody.2", &half)]), "4470 (10300)total message size exceed 1MB");
    assert_eq!(batch(&[("msgBody.1", "a"), ("msgBody.3", "a")]), "4000 (10380)msgBody parameter is not consequent");
    let names: Vec<String> = (1..=17).map(|number| format!("msgBody.{number}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "a")).collect();
    assert_eq!(batch(&many), "4000 (10370)msgBody parameter batch size is out of range");

    let publish = |params: &Params| publish_message::command(params, fields::body(params)?);
    let dots = ".".repeat(16);
    let table = [
        ("routingKey", dots.as_str(), "4000 (10691)too many delimeters"),
        ("msgTag.1", "0123456789abcdefg", "4000 (10350)parameter msgTag value or length is out of range"),
    ];
    refused(publish, &[("topicName", "t"), ("msgBody", "x")], &table);
    let names: Vec<String> = (1..=6).map(|number| format!("msgTag.{number}")).collect();
    let tags = names.iter().map(|name| (name.as_str(), "a"));
    let pairs: Vec<_> = [("topicName", "t"), ("msgBody", "x")].into_iter().chain(tags).collect();
    assert_eq!(read(publish, &pairs), "4000 (10720)too many msgTag");
}

#[test]
fn handles_are_decimal_numbers() {
    assert_eq!(fields::handle("18446744073709551615").map(|handle| handle.0), Ok(u64::MAX));
    for bad in ["", "+7", "7 ", "x", "18446744073709551616"] {
        let error = fields::handle(bad).unwrap_err();
        assert_eq!(format!("{} {error}", error.code), "4000 (10470)receiptHandle error", "{bad}");
    }
}

#[test]
fn whoever_gives_an_offset_gives_a_limit() {
    let span = |pairs: &[(&str, &str)]| {
        let span = fields::span(&params(pairs));
        span.map(|span| (span.offset, span.limit)).map_err(|error| format!("{} {error}", error.code))
    };
    assert_eq!(span(&[]), Ok((0, 20)));
    assert_eq!(span(&[("offset", "40"), ("limit", "50")]), Ok((40, 50)));
    assert_eq!(span(&[("offset", "40")]), Err("4000 (10390)lacked of required parameter limit".into()));
    assert_eq!(span(&[("limit", "51")]), Err("4000 (10350)parameter limit value or length is out of range".into()));
}

/// What is read of a subscription that asks for nothing beyond CMQ.
fn as_cmq_has_it(read: &str) -> String {
    format!("{read}, manner: {:?} }})", kernel::subscription::MannerEdit::default())
}
