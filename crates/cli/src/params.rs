//! From what the command line was given to the parameters of a request.

use clap::ValueEnum;
use serde_json::Value;

/// Adds the fields that were given.
pub(crate) fn add<const N: usize>(params: &mut Value, fields: [(&str, Option<Value>); N]) {
    for (field, value) in fields {
        if let Some(value) = value {
            params[field] = value;
        }
    }
}

/// Several values of a flag that may be given several times; nothing where it was not.
pub(crate) fn some(values: &[String]) -> Option<Value> {
    (!values.is_empty()).then(|| values.into())
}

/// The API's word for a choice.
pub(crate) fn word(choice: impl ValueEnum) -> String {
    choice.to_possible_value().map_or_else(String::new, |word| word.get_name().to_owned())
}
