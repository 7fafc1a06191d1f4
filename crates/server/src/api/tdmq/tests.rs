//! What fields are read as, and how bad ones are refused.

use kernel::topic::FilterType;

use super::dialect::Dialect;
use super::*;

type Read = fn(&Value) -> Result<Command, ApiError>;

fn new_queue(params: &Value) -> Result<Command, ApiError> {
    create_cmq_queue::command(params, Dialect::Tdmq)
}

fn new_topic(params: &Value) -> Result<Command, ApiError> {
    create_cmq_topic::command(params, Dialect::Tdmq)
}

/// The command that fields are read as, or how they are refused.
fn read(command: Read, params: &Value) -> String {
    match command(params) {
        Ok(command) => format!("{command:?}"),
        Err(error) => error.to_string(),
    }
}

/// Asserts that each of these, besides what is right, is refused so.
#[track_caller]
fn refused(command: Read, right: &Value, table: &[(&str, Value, &str)]) {
    for (key, value, said) in table {
        let mut params = right.clone();
        params[*key] = value.clone();
        assert_eq!(read(command, &params), *said, "{key}: {value}");
    }
}

#[test]
fn a_queue_has_the_documented_defaults() {
    let default = "CreateQueue { name: \"q\", settings: QueueSettings { max_messages: 100000000, polling_wait_s: 0, \
                   visibility_s: 30, max_msg_bytes: 1048576, retention_s: 345600, rewind_s: 0, kept_max_bytes: 0, \
                   trace: false }, dead_letter: None, tags: [] }";
    assert_eq!(read(new_queue, &json!({"QueueName": "q"})), default);
    // What asks for nothing that is not built; the legacy signatures bring every value as a text.
    let nothing = json!({"QueueName": "q", "RewindSeconds": 0, "Transaction": "0", "DeadLetterQueueName": "",
        "Policy": 0, "Trace": "False", "Tags": [], "RetentionSizeInMB": 0, "VisibilityTimeout": "30"});
    assert_eq!(read(new_queue, &nothing), default);
}

#[test]
fn a_queue_is_refused_for_what_is_wrong_or_not_built() {
    let name = "InvalidParameterValue: QueueName: a name must begin with a letter and have at most 64 letters, \
                digits, hyphens and underscores and not end in -retry or -dlq";
    let out_of_range = |key: &str, number: u64, range: &str| {
        format!("InvalidParameterValue: {key}: {number} is out of range, it must be from {range}")
    };
    let heap = out_of_range("MaxMsgHeapNum", 1, "1000000 to 1000000000");
    let poll = out_of_range("PollingWaitSeconds", 31, "0 to 30");
    let visibility = out_of_range("VisibilityTimeout", 43_201, "1 to 43200");
    let size = out_of_range("MaxMsgSize", 1_048_577, "1024 to 1048576");
    let rewind = out_of_range("RewindSeconds", 1_296_001, "0 to 1296000");
    let retention = out_of_range("MsgRetentionSeconds", 29, "30 to 1296000");
    let table = [
        ("QueueName", json!("q-retry"), name),
        ("QueueName", json!(null), "MissingParameter: QueueName: required, but missing"),
        ("MaxMsgHeapNum", json!(1), &heap),
        ("PollingWaitSeconds", json!(31), &poll),
        (
            "PollingWaitSeconds",
            json!(-1),
            "InvalidParameterValue.Negative: PollingWaitSeconds: -1 is negative, it must be 0 or more",
        ),
        ("VisibilityTimeout", json!(43_201), &visibility),
        ("MaxMsgSize", json!(1_048_577), &size),
        ("MsgRetentionSeconds", json!(29), &retention),
        ("RewindSeconds", json!(1_296_001), &rewind),
        (
            "RetentionSizeInMB",
            json!(10_240),
            "InvalidParameterValue: RetentionSizeInMB: a queue that cannot be set back keeps nothing; it must be 0",
        ),
        (
            "Transaction",
            json!(1),
            "UnsupportedOperation: Transaction: transactions are confirmed over CMQ's TCP protocol alone, which is \
             not spoken here; leave it out or give 0",
        ),
        ("DeadLetterQueueName", json!("d"), "MissingParameter: MaxReceiveCount: required, but missing"),
        ("MaxReceiveCount", json!(1), "MissingParameter: DeadLetterQueueName: required, but missing"),
        ("MaxReceiveCount", json!(1_001), "InvalidParameterValue: MaxReceiveCount: it must be from 1 to 1000"),
        ("MaxTimeToLive", json!(299), "InvalidParameterValue: MaxTimeToLive: it must be from 300 to 43200"),
        ("Policy", json!(1), "MissingParameter: MaxTimeToLive: required, but missing"),
        (
            "Tags",
            json!([{"TagKey": "k", "TagValue": "v"}, {"TagKey": "k", "TagValue": "w"}]),
            "InvalidParameterValue: Tags.1.TagKey: `k` is given twice",
        ),
        ("Tags", json!([{"TagKey": "k"}]), "MissingParameter: Tags.0.TagValue: required, but missing"),
        ("Colour", json!("red"), "UnknownParameter: Colour: not a parameter of this action"),
    ];
    refused(new_queue, &json!({"QueueName": "q"}), &table);
    let by_age = json!({"QueueName": "q", "DeadLetterQueueName": "d", "Policy": 1, "MaxTimeToLive": 300});
    let other = "InvalidParameterValue: MaxReceiveCount: it belongs to Policy 0; leave it out, or give 0";
    refused(new_queue, &by_age, &[("MaxReceiveCount", json!(3), other)]);
    let by_receives = json!({"QueueName": "q", "DeadLetterQueueName": "d", "MaxReceiveCount": 3});
    let other = "InvalidParameterValue: MaxTimeToLive: it belongs to Policy 1; leave it out, or give 0";
    refused(new_queue, &by_receives, &[("MaxTimeToLive", json!(300), other)]);
}

#[test]
fn a_topic_has_the_documented_defaults() {
    let default =
        "CreateTopic { name: \"t\", filter: Tags, max_msg_bytes: 65536, retention_s: 86400, trace: false, tags: [] }";
    assert_eq!(read(new_topic, &json!({"TopicName": "t"})), default);
    let given =
        json!({"TopicName": "t", "MaxMsgSize": 1024, "FilterType": 2, "MsgRetentionSeconds": 60, "Trace": false});
    assert_eq!(
        read(new_topic, &given),
        "CreateTopic { name: \"t\", filter: Routing, max_msg_bytes: 1024, retention_s: 60, trace: false, tags: [] }"
    );
    let table = [
        ("FilterType", json!(3), "InvalidParameterValue: FilterType: 3 is out of range, it must be from 1 to 2"),
        (
            "MsgRetentionSeconds",
            json!(59),
            "InvalidParameterValue: MsgRetentionSeconds: 59 is out of range, it must be from 60 to 1296000",
        ),
        (
            "MaxMsgSize",
            json!(65_537),
            "InvalidParameterValue: MaxMsgSize: 65537 is out of range, it must be from 1024 to 65536",
        ),
    ];
    refused(new_topic, &json!({"TopicName": "t"}), &table);
}

#[test]
fn subscriptions_are_read() {
    let to_queue = json!({"TopicName": "t", "SubscriptionName": "s", "Protocol": "queue", "Endpoint": "q",
        "BindingKey": ["job.#"]});
    assert_eq!(
        read(create_cmq_subscribe::command, &to_queue),
        as_cmq_has_it(
            "Subscribe(NewSubscription { topic: \"t\", name: \"s\", endpoint: Queue { queue: StreamNo(0), name: \"q\" }, \
         strategy: ExponentialDecayRetry, format: Simplified, filter_tags: [], binding_keys: [\"job.#\"]"
        )
    );
    let to_url = json!({"TopicName": "t", "SubscriptionName": "s", "Protocol": "http", "Endpoint": "http://h/",
        "NotifyStrategy": "BACKOFF_RETRY", "NotifyContentFormat": "JSON", "FilterTag": ["a", "b"]});
    assert_eq!(
        read(create_cmq_subscribe::command, &to_url),
        as_cmq_has_it(
            "Subscribe(NewSubscription { topic: \"t\", name: \"s\", endpoint: Http { url: \"http://h/\" }, \
         strategy: BackoffRetry, format: Json, filter_tags: [\"a\", \"b\"], binding_keys: []"
        )
    );
}

#[test]
fn bad_subscriptions_are_refused() {
    let right = json!({"TopicName": "t", "SubscriptionName": "s", "Protocol": "http", "Endpoint": "http://h/"});
    let url = "InvalidParameterValue: Endpoint: it must be an address that begins with http:// or https://, of at \
               most 500 characters, without blanks";
    let tags = "InvalidParameterValue: FilterTag: at most 5 tags of 1 to 16 characters, none of them a control \
                character";
    let table = [
        ("Protocol", json!("mail"), "InvalidParameterValue: Protocol: it must be http or queue"),
        ("Protocol", json!("queue"), "InvalidParameterValue: Endpoint: it must be the name of a queue"),
        ("Endpoint", json!("h:80"), url),
        ("Endpoint", json!("http://h/ "), url),
        (
            "NotifyStrategy",
            json!("NEVER"),
            "InvalidParameterValue: NotifyStrategy: it must be BACKOFF_RETRY or EXPONENTIAL_DECAY_RETRY",
        ),
        (
            "NotifyContentFormat",
            json!("XML"),
            "InvalidParameterValue: NotifyContentFormat: it must be JSON, SIMPLIFIED or CLOUDEVENTS",
        ),
        ("FilterTag", json!(["1", "2", "3", "4", "5", "6"]), tags),
        ("FilterTag", json!([""]), tags),
        (
            "BindingKey",
            json!([".".repeat(16)]),
            "InvalidParameterValue: BindingKey: at most 5 keys of at most 64 bytes and 15 dots",
        ),
    ];
    refused(create_cmq_subscribe::command, &right, &table);
    let json = json!({"TopicName": "t", "SubscriptionName": "s", "Protocol": "queue", "Endpoint": "q",
        "NotifyContentFormat": "JSON"});
    assert_eq!(
        read(create_cmq_subscribe::command, &json),
        "InvalidParameterValue: NotifyContentFormat: a queue gets each text as it is, so it must be SIMPLIFIED"
    );
}

#[test]
fn messages_are_read() {
    let sent = json!({"QueueName": "q", "MsgContent": "消息", "DelaySeconds": 0});
    assert_eq!(read(send_cmq_msg::command, &sent), "Send { queue: \"q\", bodies: [\"消息\"], delay_s: 0 }");
    let table = [
        ("MsgContent", json!(""), "InvalidParameterValue: MsgContent: a message needs at least one byte"),
        ("DelaySeconds", json!(null), "MissingParameter: DelaySeconds: required, but missing"),
        (
            "DelaySeconds",
            json!(3_601),
            "InvalidParameterValue: DelaySeconds: 3601 is out of range, it must be from 0 to 3600",
        ),
    ];
    refused(send_cmq_msg::command, &sent, &table);
}

#[test]
fn what_a_message_is_tagged_with_depends_on_its_topic() {
    let filter = |name: &str| match name {
        "tags" => Some(FilterType::Tags),
        "routes" => Some(FilterType::Routing),
        _ => None,
    };
    let publish = |topic: &str, tags: Value| {
        let params = json!({"TopicName": topic, "MsgContent": "x", "MsgTag": tags});
        match publish_cmq_msg::command(&params, filter) {
            Ok(Command::Publish { tags, routing_key, .. }) => format!("{tags:?} {routing_key:?}"),
            other => other.map(|command| format!("{command:?}")).unwrap_or_else(|error| error.to_string()),
        }
    };
    assert_eq!(publish("tags", json!(["a", "b"])), r#"["a", "b"] """#);
    assert_eq!(
        publish("tags", json!(["1", "2", "3", "4", "5", "6"])),
        "InvalidParameterValue: MsgTag: a message has at most 5 tags"
    );
    assert_eq!(publish("routes", json!(["job.failed"])), r#"[] "job.failed""#);
    assert_eq!(publish("routes", json!([])), r#"[] """#);
    assert_eq!(
        publish("routes", json!(["a", "b"])),
        "InvalidParameterValue: MsgTag: the topic routes by key, and a message has one routing key"
    );
    assert_eq!(publish("gone", json!([])), "ResourceNotFound.Topic: TopicName: topic `gone` does not exist");
}

#[test]
fn lists_are_asked_for_by_page_and_name() {
    let which = |params: Value| describe_cmq_queues::which(&params).map_err(|error| error.to_string());
    let (filter, span) = which(json!({})).unwrap();
    assert_eq!((filter.contains.as_str(), filter.names.len(), span.offset, span.limit), ("", 0, 0, 20));
    let (filter, span) = which(json!({"QueueName": "a", "QueueNameList": ["b"], "Offset": 7, "Limit": 50})).unwrap();
    assert_eq!((filter.contains.as_str(), filter.names[0].as_str(), span.offset, span.limit), ("a", "b", 7, 50));
    assert_eq!(
        which(json!({"Limit": 51})).unwrap_err(),
        "InvalidParameterValue: Limit: 51 is out of range, it must be from 0 to 50"
    );
    let by_tag = json!({"Filters": [{"Name": "tag:k", "Values": ["v"]}]});
    assert_eq!(
        which(by_tag).unwrap_err(),
        "InvalidParameterValue: IsTagFilter: it must be true when Filters look at tags"
    );
}

#[test]
fn subscriptions_are_asked_for_by_topic_or_by_queue() {
    let which = |params: Value| match describe_cmq_subscription_detail::which(&params) {
        Ok(which) => format!("{which:?}"),
        Err(error) => error.to_string(),
    };
    assert_eq!(which(json!({})), "MissingParameter: TopicName: required, but missing");
    assert_eq!(
        which(json!({"TopicName": "t", "QueueName": ""})),
        "Which { topic: Some(\"t\"), queue: None, contains: \"\", span: Span { offset: 0, limit: 20 } }"
    );
    assert_eq!(which(json!({"QueryType": "queue"})), "MissingParameter: QueueName: required, but missing");
    assert_eq!(
        which(json!({"QueryType": "queue", "QueueName": "q", "SubscriptionName": "s"})),
        "Which { topic: None, queue: Some(\"q\"), contains: \"s\", span: Span { offset: 0, limit: 20 } }"
    );
}

#[test]
fn ids_have_the_prefixes_of_this_api() {
    assert_eq!(Dialect::Tdmq.queue_id("queue-0123abcd".parse().unwrap()), "cmqq-0123abcd");
    assert_eq!(Dialect::Tdmq.topic_id("topic-0123abcd".parse().unwrap()), "cmqt-0123abcd");
}

/// What is read of a subscription that asks for nothing beyond CMQ.
fn as_cmq_has_it(read: &str) -> String {
    format!("{read}, manner: {:?} }})", kernel::subscription::MannerEdit::default())
}

#[test]
fn what_a_queue_is_to_keep_and_where_its_dead_letters_go_is_read() {
    let asked = json!({"QueueName": "q", "RewindSeconds": 60, "RetentionSizeInMB": 10_240, "Trace": true,
        "DeadLetterQueueName": "d", "Policy": 1, "MaxTimeToLive": 300, "Tags": [{"TagKey": "k", "TagValue": "v"}]});
    let Ok(Command::CreateQueue { settings, dead_letter, tags, .. }) = new_queue(&asked) else { panic!() };
    assert_eq!((settings.rewind_s, settings.kept_max_bytes, settings.trace), (60, 10_240 << 20, true));
    assert_eq!(format!("{dead_letter:?}"), "Some(NewDeadLetter { queue: \"d\", rule: Age { seconds: 300 } })");
    assert_eq!(tags, [("k".to_owned(), "v".to_owned())]);
    let edit = |params: Value| match modify_cmq_queue_attribute::command(&params, Dialect::Tdmq) {
        Ok(Command::ModifyQueue { edit, .. }) => *edit,
        other => panic!("{other:?}"),
    };
    let none = edit(json!({"QueueName": "q", "DeadLetterQueueName": "", "MaxReceiveCount": 0, "Policy": 0}));
    assert_eq!(none, kernel::command::QueueEdit::default());
    let some = edit(json!({"QueueName": "q", "RewindSeconds": 0, "MaxReceiveCount": 5}));
    assert_eq!((some.rewind_s, some.dead_letter_queue), (Some(0), None));
    assert_eq!(format!("{:?}", some.dead_letter_rule), "Some(Receives { most: 5 })");
}
