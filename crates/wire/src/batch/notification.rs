//! `Notifications`: which events go to which topics. Every spelling of the keys and of the events' names is accepted
//! (see [`crate::fields`]).

use std::collections::BTreeSet;

use kernel::event::{EventConfig, EventName, Notification};
use kernel::limits::{EVENT_VAR_NAME_BYTES, EVENT_VAR_VALUE_BYTES, EVENT_VARS, NOTIFICATIONS};
use kernel::topic::StreamNo;

use super::check::{self, VALUE};
use crate::api3::ApiError;
use crate::fields::{Reader, shortened};
use crate::limits::MESSAGING_NAME_CHARS;

/// The notifications of a job or environment. Their topics are not looked up yet. `is_of` says which events the thing
/// can be asked for; those are named to whoever asks for another.
pub(super) fn notifications(
    reader: &Reader<'_>,
    is_of: impl Fn(EventName) -> bool,
) -> Result<Vec<Notification>, ApiError> {
    // Both names mean the same topics here.
    check::one_of(reader, "NotificationTarget", &[("CMQ", ()), ("TDMQ_CMQ", ())])?;
    let mut seen = BTreeSet::new();
    let notifications = reader.objects("Notifications", |entry| {
        let topic_name = topic_name(entry)?;
        let topic = topic_name.to_lowercase();
        let events = entry.objects("EventConfigs", |config| {
            let name = event_name(config, &is_of)?;
            if !seen.insert((topic.clone(), name)) {
                let reason = format!("{name} is asked for twice for topic `{topic_name}`");
                return Err(config.refuse("EventName", "InvalidParameter.NotificationEventNameDuplicate", reason));
            }
            Ok(EventConfig { name, vars: vars(config)? })
        })?;
        if events.is_empty() {
            return Err(entry.refuse("EventConfigs", "MissingParameter", "at least one event is required"));
        }
        Ok(Notification { topic_name, topic: StreamNo::default(), events })
    })?;
    check::count(reader, "Notifications", notifications.len(), NOTIFICATIONS)?;
    Ok(notifications)
}

fn topic_name(entry: &Reader<'_>) -> Result<String, ApiError> {
    let too_long = "InvalidParameter.NotificationTopicNameTooLong";
    let name = check::text(entry, "TopicName", MESSAGING_NAME_CHARS, too_long)?;
    let name = entry.required("TopicName", name)?;
    if name.is_empty() {
        return Err(entry.refuse("TopicName", "InvalidParameter.NotificationTopicName", "must not be empty"));
    }
    Ok(name)
}

fn event_name(config: &Reader<'_>, is_of: impl Fn(EventName) -> bool) -> Result<EventName, ApiError> {
    let text = config.required_string("EventName")?;
    match text.parse::<EventName>() {
        Ok(name) if is_of(name) => Ok(name),
        _ => {
            let names: Vec<&str> =
                EventName::ALL.iter().filter(|name| is_of(**name)).map(|name| name.as_str()).collect();
            let reason = format!("expected one of {}, found \"{}\"", names.join(", "), shortened(&text));
            Err(config.refuse("EventName", VALUE, reason))
        }
    }
}

fn vars(config: &Reader<'_>) -> Result<Vec<(String, String)>, ApiError> {
    let vars = config.objects("EventVars", |var| {
        let (name, value) = (var.required_string("Name")?, var.required_string("Value")?);
        if name.is_empty() {
            return Err(var.refuse("Name", VALUE, "must not be empty"));
        }
        for (key, text, most) in [("Name", &name, EVENT_VAR_NAME_BYTES), ("Value", &value, EVENT_VAR_VALUE_BYTES)] {
            if text.len() > most {
                let reason = format!("has {} bytes, and at most {most} are allowed", text.len());
                return Err(var.refuse(key, VALUE, reason));
            }
        }
        Ok((name, value))
    })?;
    check::count(config, "EventVars", vars.len(), EVENT_VARS)?;
    Ok(vars)
}
