use serde_json::json;

use super::*;

/// Reads one field of `{"Job": {"F": value}}` and gives its debug text or the refusal.
fn field<T: std::fmt::Debug>(value: Value, read_field: impl Fn(&Reader<'_>) -> Result<T, ApiError>) -> String {
    let request = json!({"Job": {"F": value}});
    let read = read(&request, "", |request| request.required_object("Job", |job| read_field(job)));
    match read {
        Ok(value) => format!("{value:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn numbers_are_coerced_and_checked() {
    let unsigned = |value| field(value, |job| job.u64("F"));
    assert_eq!(unsigned(json!(7)), "Some(7)");
    assert_eq!(unsigned(json!("7")), "Some(7)");
    assert_eq!(unsigned(json!(u64::MAX)), format!("Some({})", u64::MAX));
    assert_eq!(unsigned(Value::Null), "None");
    assert_eq!(unsigned(json!(-1)), "InvalidParameterValue.Negative: Job.F: -1 is negative, it must be 0 or more");
    assert_eq!(unsigned(json!("-1")), "InvalidParameterValue.Negative: Job.F: -1 is negative, it must be 0 or more");
    for (value, found) in [
        (json!("abc"), r#"the string "abc""#),
        (json!(""), r#"the string """#),
        (json!("+1"), r#"the string "+1""#),
        (json!(" 1"), r#"the string " 1""#),
        (json!(1.5), "the number 1.5"),
        (json!(true), "true"),
        (json!([1]), "a list"),
        (json!({}), "an object"),
        (json!("18446744073709551616"), r#"the string "18446744073709551616""#),
    ] {
        let message = format!("InvalidParameter: Job.F: expected an integer of 0 or more, found {found}");
        assert_eq!(unsigned(value), message);
    }
    assert_eq!(field(json!("-5"), |job| job.i64("F")), "Some(-5)");
    assert_eq!(
        field(json!(u64::MAX), |job| job.i64("F")),
        "InvalidParameter: Job.F: expected an integer, found the number 18446744073709551615"
    );
}

#[test]
fn booleans_are_coerced_and_checked() {
    let boolean = |value| field(value, |job| job.bool("F"));
    for (value, truth) in [(json!(true), true), (json!("TRUE"), true), (json!("False"), false), (json!("false"), false)]
    {
        assert_eq!(boolean(value), format!("Some({truth})"));
    }
    assert_eq!(boolean(json!("yes")), r#"InvalidParameter: Job.F: expected true or false, found the string "yes""#);
    assert_eq!(boolean(json!(1)), "InvalidParameter: Job.F: expected true or false, found the number 1");
}

#[test]
fn texts_and_lists_are_checked() {
    assert_eq!(field(json!("x"), |job| job.required_string("F")), r#""x""#);
    assert_eq!(
        field(json!(1), |job| job.required_string("F")),
        "InvalidParameter: Job.F: expected a string, found the number 1"
    );
    assert_eq!(field(Value::Null, |job| job.required_string("F")), "MissingParameter: Job.F: required, but missing");
    assert_eq!(field(json!(["a", "b"]), |job| job.strings("F")), r#"["a", "b"]"#);
    assert_eq!(field(Value::Null, |job| job.strings("F")), "[]");
    assert_eq!(
        field(json!("a"), |job| job.strings("F")),
        r#"InvalidParameter: Job.F: expected a list of strings, found the string "a""#
    );
    assert_eq!(
        field(json!(["a", null]), |job| job.strings("F")),
        "InvalidParameter: Job.F.1: expected a string, found null"
    );
    assert_eq!(field(json!(["3", 4]), |job| job.u64s("F")), "[3, 4]");
}

#[test]
fn an_unread_key_is_refused_at_any_depth() {
    let task = |task: &Reader<'_>| task.required_string("TaskName");
    let submit = |request: &Value| read(request, "", |request| request.object("Job", |job| job.objects("Tasks", task)));
    let good = json!({"Job": {"Tasks": [{"TaskName": "a"}, {"TaskName": "b", "Other": null}]}});
    assert_eq!(submit(&good), Ok(Some(vec!["a".into(), "b".into()])));
    for (request, path) in [
        (json!({"Zone": 1}), "Zone"),
        (json!({"Job": {"Tasks": [], "tasks": []}}), "Job.tasks"),
        (json!({"Job": {"Tasks": [{"TaskName": "a"}, {"TaskName": "b", "X": 1}]}}), "Job.Tasks.1.X"),
    ] {
        let error = submit(&request).unwrap_err();
        assert_eq!(error.code, "UnknownParameter");
        assert_eq!(error.message, format!("{path}: not a parameter of this action"));
    }
    let error = submit(&json!({"Job": {"Tasks": [7]}})).unwrap_err();
    assert_eq!(error.message, "Job.Tasks.0: expected an object, found the number 7");
    let error = submit(&json!([])).unwrap_err();
    assert_eq!(error.message, "the request: expected an object, found a list");
}

#[test]
fn notifications_are_read_in_any_spelling() {
    let topics = |request: &Value| {
        read(request, "", |job| {
            job.objects("Notifications", |entry| {
                let events = entry.objects("EventConfigs", |event| event.required_string("EventName"))?;
                Ok((entry.required_string("TopicName")?, events))
            })
        })
    };
    let wanted = vec![("t".to_owned(), vec!["JobFailed".to_owned()])];
    for request in [
        json!({"notifications": [{"event_configs": [{"event_name": "JobFailed"}], "topic_name": "t"}]}),
        json!({"Notifications": [{"EventConfigs": [{"EventName": "JobFailed"}], "TopicName": "t"}]}),
        json!({"NOTIFICATIONS": [{"eventConfigs": [{"eventname": "JobFailed"}], "topicName": "t"}]}),
    ] {
        assert_eq!(topics(&request).as_ref(), Ok(&wanted), "{request}");
    }
    let twice = json!({"Notifications": [], "notifications": []});
    let error = topics(&twice).unwrap_err();
    assert_eq!(error.message, "Notifications: given twice, as `Notifications` and as `notifications`");
    let unknown = json!({"notifications": [{"topic_name": "t", "topic": "t"}]});
    assert_eq!(topics(&unknown).unwrap_err().message, "Notifications.0.topic: not a parameter of this action");
}

#[test]
fn a_long_text_is_cut_in_messages() {
    let error = field(json!("消".repeat(200)), |job| job.u64("F"));
    assert!(error.ends_with(&format!("found the string \"{}…\"", "消".repeat(ECHO_CHARS))), "{error}");
}
