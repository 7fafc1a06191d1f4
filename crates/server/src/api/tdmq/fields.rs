//! Fields that more than one action has.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use kernel::limits::TAGS;
use kernel::subscription::MannerEdit;
use serde_json::Value;
use store::{NameFilter, Span, Tagged};
use wire::api3::ApiError;
use wire::fields::Reader;
use wire::limits::{TAG_KEY_CHARS, TAG_VALUE_CHARS};

use crate::api::cmq::limits::PAGE_DEFAULT;
use crate::api::cmq::manner;
use crate::api::cmq::rules::NAME_RULE;

/// What is out of its range or form.
pub(super) const INVALID: &str = "InvalidParameterValue";
/// Filters of one list.
const FILTERS: usize = 10;
/// What is not built.
const UNSUPPORTED: &str = "UnsupportedOperation";

/// The name of something to be made.
pub(super) fn new_name(
    reader: &Reader<'_>,
    key: &str,
    is_good: fn(&str) -> bool,
    rule: &str,
) -> Result<String, ApiError> {
    let name = reader.required_string(key)?;
    if is_good(&name) { Ok(name) } else { Err(reader.refuse(key, INVALID, format!("a name {NAME_RULE}{rule}"))) }
}

/// An integer within `range`.
pub(super) fn integer(reader: &Reader<'_>, key: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, ApiError> {
    match reader.u64(key)? {
        Some(number) if !range.contains(&number) => {
            let (least, most) = range.into_inner();
            Err(reader.refuse(key, INVALID, format!("{number} is out of range, it must be from {least} to {most}")))
        }
        number => Ok(number),
    }
}

/// An integer within `range` that has a default.
pub(super) fn integer_or(
    reader: &Reader<'_>,
    key: &str,
    range: RangeInclusive<u64>,
    default: u64,
) -> Result<u64, ApiError> {
    Ok(integer(reader, key, range)?.unwrap_or(default))
}

/// `Offset` and `Limit` of a list with at most `most` things on a page.
pub(in crate::api) fn span(reader: &Reader<'_>, most: u64) -> Result<Span, ApiError> {
    Ok(Span {
        offset: integer_or(reader, "Offset", 0..=u64::MAX, 0)?,
        limit: integer_or(reader, "Limit", 0..=most, PAGE_DEFAULT)?,
    })
}

/// Which queues or topics of a list: part of the name stands in `contains`, whole names in `names`, tags in
/// `Filters` when `IsTagFilter` says so.
pub(super) fn name_filter(reader: &Reader<'_>, contains: &str, names: &str) -> Result<NameFilter, ApiError> {
    let by_tag = reader.bool("IsTagFilter")?.unwrap_or(false);
    let pairs = filters(reader, |name| name.strip_prefix("tag:").map(str::to_owned), "tag: and the key of a tag")?;
    if !pairs.is_empty() && !by_tag {
        return Err(reader.refuse("IsTagFilter", INVALID, "it must be true when Filters look at tags"));
    }
    Ok(NameFilter {
        contains: reader.string(contains)?.unwrap_or_default(),
        names: reader.strings(names)?,
        tags: Tagged { pairs, ..Tagged::default() },
    })
}

/// The part of a name that `Filters` look for, under this name: one value.
pub(in crate::api) fn filtered_name(reader: &Reader<'_>, name: &str) -> Result<Option<String>, ApiError> {
    let found = filters(reader, |given| (given == name).then(String::new), name)?;
    let mut values = found.into_iter().flat_map(|(_, values)| values);
    let value = values.next();
    match values.next() {
        Some(_) => Err(reader.refuse("Filters", INVALID, format!("{name} can have one value"))),
        None => Ok(value),
    }
}

/// `Filters`: for each what `key` makes of its name, and its values.
fn filters(
    reader: &Reader<'_>,
    key: impl Fn(&str) -> Option<String>,
    rule: &str,
) -> Result<Vec<(String, Vec<String>)>, ApiError> {
    let filters = reader.objects("Filters", |filter| {
        let name = filter.required_string("Name")?;
        let key = key(&name).ok_or_else(|| filter.refuse("Name", INVALID, format!("it must be {rule}")))?;
        Ok((key, filter.strings("Values")?))
    })?;
    if filters.len() > FILTERS {
        return Err(reader.refuse("Filters", INVALID, format!("there can be at most {FILTERS}")));
    }
    Ok(filters)
}

/// `Tags` of what is made.
pub(super) fn tags(reader: &Reader<'_>) -> Result<Vec<(String, String)>, ApiError> {
    let mut keys = BTreeSet::new();
    let tags = reader.objects("Tags", |tag| {
        let (key, value) = (tag.required_string("TagKey")?, tag.required_string("TagValue")?);
        if key.is_empty() || key.chars().count() > TAG_KEY_CHARS {
            return Err(tag.refuse("TagKey", INVALID, format!("it must have 1 to {TAG_KEY_CHARS} characters")));
        }
        if value.chars().count() > TAG_VALUE_CHARS {
            return Err(tag.refuse("TagValue", INVALID, format!("it can have at most {TAG_VALUE_CHARS} characters")));
        }
        if !keys.insert(key.clone()) {
            return Err(tag.refuse("TagKey", INVALID, format!("`{key}` is given twice")));
        }
        Ok((key, value))
    })?;
    if tags.len() > TAGS {
        return Err(reader.refuse("Tags", INVALID, format!("there can be at most {TAGS}")));
    }
    Ok(tags)
}

/// `MsgContent`.
pub(super) fn content(reader: &Reader<'_>) -> Result<Vec<Arc<str>>, ApiError> {
    let content = reader.required_string("MsgContent")?;
    if content.is_empty() {
        return Err(reader.refuse("MsgContent", INVALID, "a message needs at least one byte"));
    }
    Ok(vec![content.into()])
}

/// What a subscription asks for beyond CMQ.
pub(super) fn manner(reader: &Reader<'_>) -> Result<MannerEdit, ApiError> {
    struct Given<'a, 'r>(&'a Reader<'r>);
    impl manner::Source for Given<'_, '_> {
        type Error = ApiError;
        fn text(&self, key: &str) -> Result<Option<String>, ApiError> {
            match self.0.value(key)? {
                Some(Value::Number(number)) => Ok(Some(number.to_string())),
                Some(Value::Bool(truth)) => Ok(Some(truth.to_string())),
                _ => self.0.string(key),
            }
        }
        fn refuse(&self, key: &str, rule: &str) -> ApiError {
            self.0.refuse(key, INVALID, rule)
        }
    }
    manner::read(&Given(reader))
}

/// Refuses a field that asks for something that is not built. Missing, empty, false or 0 it asks for nothing.
pub(super) fn refuse(reader: &Reader<'_>, key: &str, reason: &str) -> Result<(), ApiError> {
    let asks = match reader.value(key)? {
        None | Some(Value::Null) => false,
        Some(Value::Bool(truth)) => *truth,
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::String(text)) => !text.is_empty() && text != "0" && !text.eq_ignore_ascii_case("false"),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(fields)) => !fields.is_empty(),
    };
    if asks { Err(reader.refuse(key, UNSUPPORTED, reason)) } else { Ok(()) }
}
