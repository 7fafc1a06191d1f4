//! Reads a file that describes a job or an environment: JSON as the API takes it, and also as Tencent
//! Batch's page on event notices writes it, with comments, commas too many, snake_case keys and
//! `JobFailed` for `JOB_FAILED`.

use kernel::event::EventName;
use serde_json::Value;

use crate::json::{self, Keys, SyntaxError};

/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It is not JSON, or a key stands in it twice.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// It is JSON, but a list or a single value.
    #[error("the file must hold an object, `{{…}}`")]
    NotAnObject,
}

/// The parameters that the file's text describes, as the API declares them.
///
/// # Errors
/// [`FileError`], with line and column.
pub fn read(text: &str) -> Result<Value, FileError> {
    let mut value = json::read(text.trim_start_matches('\u{feff}'), Keys::AsDeclared)?;
    if !value.is_object() {
        return Err(FileError::NotAnObject);
    }
    declare_event_names(&mut value);
    Ok(value)
}

fn declare_event_names(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(declare_event_names),
        Value::Object(object) => object.iter_mut().for_each(|(key, value)| match value {
            Value::String(name) if key == "EventName" => *name = declared_event_name(name),
            value => declare_event_names(value),
        }),
        _ => {}
    }
}

/// `JOB_FAILED` for `JobFailed`. What is no event is left for the server to refuse.
fn declared_event_name(name: &str) -> String {
    name.parse::<EventName>().map_or_else(|()| name.to_owned(), |event| event.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_event_page_sample_is_read_as_it_stands() {
        let text = r#"{
  // what the page shows
  "notifications": [
    {
      "event_configs": [
        {
          "event_name": "JobFailed"
        },
        {
          "event_name": "JobSucceed",
          "event_vars": [
            {
              "name": "jobSucceed",
              "value": "Success"
            }
          ]
        }
      ],
      "topic_name": "job-message"
    }
  ],
}"#;
        let events = json!([
            {"EventName": "JOB_FAILED"},
            {"EventName": "JOB_SUCCEED", "EventVars": [{"Name": "jobSucceed", "Value": "Success"}]},
        ]);
        let wanted = json!({"Notifications": [{"EventConfigs": events, "TopicName": "job-message"}]});
        assert_eq!(read(text), Ok(wanted));
    }

    #[test]
    fn event_names_come_out_as_declared() {
        for (written, declared) in [
            ("TaskInstanceFailedInterrupted", "TASK_INSTANCE_FAILED_INTERRUPTED"),
            ("job_failed", "JOB_FAILED"),
            ("jobfailed", "JOB_FAILED"),
            ("JOB_FAILED", "JOB_FAILED"),
            ("JobExploded", "JobExploded"),
            ("", ""),
        ] {
            assert_eq!(declared_event_name(written), declared);
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_place() {
        assert_eq!(read("[1]"), Err(FileError::NotAnObject));
        let error = read("{\n  \"Job\": {,}\n}").unwrap_err();
        assert_eq!(error.to_string(), "line 2, column 11: key must be a string");
    }
}
