//! Declared fields: what is only checked for its type, to be stored and echoed because it has no meaning on one's own
//! machines; and how what was stored is echoed.

use serde_json::{Map, Value, json};

use crate::api3::ApiError;
use crate::fields::{Reader, shortened};

/// What is shown for a secret.
const MASK: &str = "******";

/// A declared field.
pub(super) struct Field {
    name: &'static str,
    kind: Kind,
    required: bool,
}

/// What a field holds.
pub(super) enum Kind {
    Text,
    /// A text that is never shown again.
    Secret,
    /// One of some words.
    Word(&'static [&'static str]),
    /// A decimal number, written as a text.
    Decimal,
    Integer,
    Unsigned,
    Flag,
    Texts,
    Object(&'static [Field]),
    Objects(&'static [Field]),
}

impl Field {
    /// A field that may be left out.
    pub(super) const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: false }
    }

    /// A field that must be given.
    pub(super) const fn required(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: true }
    }
}

/// Reads these fields of an object, at any depth, and refuses those that are not as declared.
pub(super) fn check(reader: &Reader<'_>, fields: &[Field]) -> Result<(), ApiError> {
    for Field { name, kind, required } in fields {
        let given = reader.has(name);
        match kind {
            Kind::Text | Kind::Secret => drop(reader.string(name)?),
            Kind::Word(words) => word(reader, name, words)?,
            Kind::Decimal => decimal(reader, name)?,
            Kind::Integer => drop(reader.i64(name)?),
            Kind::Unsigned => drop(reader.u64(name)?),
            Kind::Flag => drop(reader.bool(name)?),
            Kind::Texts => drop(reader.strings(name)?),
            Kind::Object(fields) => drop(reader.object(name, |inner| check(inner, fields))?),
            Kind::Objects(fields) => drop(reader.objects(name, |inner| check(inner, fields))?),
        }
        reader.required(name, (given || !required).then_some(()))?;
    }
    Ok(())
}

/// The words of machines that are rented are checked as those who rent them out would.
fn word(reader: &Reader<'_>, name: &str, words: &[&str]) -> Result<(), ApiError> {
    match reader.string(name)? {
        Some(given) if !words.contains(&given.as_str()) => {
            let reason = format!("expected one of {}, found \"{}\"", words.join(", "), shortened(&given));
            Err(reader.refuse(name, "InvalidParameter.CvmParameters", reason))
        }
        _ => Ok(()),
    }
}

fn decimal(reader: &Reader<'_>, name: &str) -> Result<(), ApiError> {
    let is_decimal = |text: &str| {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        [whole, part].iter().all(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    match reader.string(name)? {
        Some(given) if !is_decimal(&given) => {
            let reason = format!("expected a decimal number such as 0.12, found \"{}\"", shortened(&given));
            Err(reader.refuse(name, "InvalidParameterValue.NotFloat", reason))
        }
        _ => Ok(()),
    }
}

/// The declared fields that a stored object has, each in its declared type: a flattened request had nothing but texts.
/// Stars stand for secrets.
pub(super) fn given(stored: &Value, fields: &[Field]) -> Value {
    let echoed = fields.iter().filter_map(|field| {
        let value = stored.get(field.name).filter(|value| !value.is_null())?;
        Some((field.name.to_owned(), typed(value, &field.kind, given)))
    });
    Value::Object(echoed.collect::<Map<_, _>>())
}

/// All declared fields of a stored object, as [`given`] shows them: what it lacks is `null`, or `[]` for a list.
pub(super) fn whole(stored: &Value, fields: &[Field]) -> Value {
    let echoed = fields.iter().map(|field| {
        let value = match (stored.get(field.name).filter(|value| !value.is_null()), &field.kind) {
            (Some(value), kind) => typed(value, kind, whole),
            (None, Kind::Texts | Kind::Objects(_)) => json!([]),
            (None, _) => Value::Null,
        };
        (field.name.to_owned(), value)
    });
    Value::Object(echoed.collect::<Map<_, _>>())
}

/// A stored value in its declared type. It was checked when it came, so what does not fit cannot be there.
fn typed(value: &Value, kind: &Kind, object: fn(&Value, &[Field]) -> Value) -> Value {
    let each = |one: &dyn Fn(&Value) -> Value| -> Value {
        value.as_array().map(|items| items.iter().map(one).collect()).unwrap_or_else(|| json!([]))
    };
    match (kind, value) {
        (Kind::Secret, _) => MASK.into(),
        (Kind::Integer, Value::String(text)) => text.parse::<i64>().map_or(Value::Null, Value::from),
        (Kind::Unsigned, Value::String(text)) => text.parse::<u64>().map_or(Value::Null, Value::from),
        (Kind::Flag, Value::String(text)) => text.eq_ignore_ascii_case("true").into(),
        (Kind::Object(fields), value) => object(value, fields),
        (Kind::Objects(fields), _) => each(&|item| object(item, fields)),
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: &[Field] = &[Field::new("Size", Kind::Unsigned), Field::new("Password", Kind::Secret)];
    const THING: &[Field] = &[
        Field::new("Name", Kind::Text),
        Field::new("Count", Kind::Integer),
        Field::new("Fast", Kind::Flag),
        Field::new("Words", Kind::Texts),
        Field::new("Part", Kind::Object(PART)),
        Field::new("Parts", Kind::Objects(PART)),
    ];

    #[test]
    fn what_was_stored_is_echoed_in_its_declared_types_without_secrets() {
        let stored = json!({"Count": "-1", "Fast": "TRUE", "Part": {"Size": "2", "Password": "p"}, "Name": null,
            "Parts": [{"Size": 3}], "Odd": 1});
        let wanted = json!({"Count": -1, "Fast": true, "Part": {"Size": 2, "Password": "******"},
            "Parts": [{"Size": 3}]});
        assert_eq!(given(&stored, THING), wanted);
        let wanted = json!({"Name": null, "Count": -1, "Fast": true, "Words": [],
            "Part": {"Size": 2, "Password": "******"}, "Parts": [{"Size": 3, "Password": null}]});
        assert_eq!(whole(&stored, THING), wanted);
        assert_eq!(given(&json!({}), THING), json!({}));
    }
}
