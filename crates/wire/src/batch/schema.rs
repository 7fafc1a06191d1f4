//! Fields that are only checked for their types, to be stored and echoed: those that have no meaning on one's own
//! machines.

use crate::api3::ApiError;
use crate::fields::Reader;

/// A declared field.
pub(super) struct Field {
    name: &'static str,
    kind: Kind,
    required: bool,
}

/// What a field holds.
pub(super) enum Kind {
    Text,
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
            Kind::Text => drop(reader.string(name)?),
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
