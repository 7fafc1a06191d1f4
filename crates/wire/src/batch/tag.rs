//! `Tags` of jobs and environments.

use std::collections::BTreeSet;

use kernel::limits::TAGS;

use super::check::{self, VALUE};
use crate::api3::ApiError;
use crate::fields::Reader;
use crate::limits::{TAG_KEY_CHARS, TAG_VALUE_CHARS};

/// The tags, as pairs of key and value.
pub(super) fn tags(reader: &Reader<'_>) -> Result<Vec<(String, String)>, ApiError> {
    let mut keys = BTreeSet::new();
    let tags = reader.objects("Tags", |tag| {
        let key = check::text(tag, "Key", TAG_KEY_CHARS, VALUE)?;
        let key = tag.required("Key", key)?;
        let value = check::text(tag, "Value", TAG_VALUE_CHARS, VALUE)?;
        let value = tag.required("Value", value)?;
        if key.is_empty() {
            return Err(tag.refuse("Key", VALUE, "must not be empty"));
        }
        if !keys.insert(key.clone()) {
            return Err(tag.refuse("Key", VALUE, format!("`{key}` is given twice")));
        }
        Ok((key, value))
    })?;
    check::count(reader, "Tags", tags.len(), TAGS)?;
    Ok(tags)
}
