//! Checks that many fields share.

use crate::api3::ApiError;
use crate::fields::{Reader, shortened};

/// The code of a value that is of the right type, but wrong.
pub(super) const VALUE: &str = "InvalidParameterValue";
/// The code of fields that exclude one another.
pub(super) const COMBINATION: &str = "InvalidParameter.InvalidParameterCombination";
/// The code of what is not built.
pub(super) const UNSUPPORTED: &str = "UnsupportedOperation";

/// A text of at most `most` characters; a longer one is refused with `too_long`. Control characters other than
/// tabs and line ends are refused: no form or terminal shows them.
pub(super) fn text(
    reader: &Reader<'_>,
    key: &str,
    most: usize,
    too_long: &'static str,
) -> Result<Option<String>, ApiError> {
    let Some(text) = reader.string(key)? else { return Ok(None) };
    let chars = text.chars().count();
    if chars > most {
        let reason = format!("has {chars} characters, and at most {most} are allowed");
        return Err(reader.refuse(key, too_long, reason));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
        return Err(reader.refuse(key, VALUE, "has a control character"));
    }
    Ok(Some(text))
}

/// A word that stands for one of some values.
pub(super) fn one_of<T: Copy>(reader: &Reader<'_>, key: &str, words: &[(&str, T)]) -> Result<Option<T>, ApiError> {
    let Some(given) = reader.string(key)? else { return Ok(None) };
    match words.iter().find(|(word, _)| *word == given) {
        Some((_, value)) => Ok(Some(*value)),
        None => {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let reason = format!("expected {}, found \"{}\"", words.join(" or "), shortened(&given));
            Err(reader.refuse(key, VALUE, reason))
        }
    }
}

/// An integer from 0 to `most`; a larger one is refused with `code`.
pub(super) fn up_to(reader: &Reader<'_>, key: &str, most: u64, code: &'static str) -> Result<Option<u64>, ApiError> {
    within(reader, key, 0, most, code)
}

/// An integer from `least` to `most`; another is refused with `code`, a negative one as negative.
pub(super) fn within(
    reader: &Reader<'_>,
    key: &str,
    least: u64,
    most: u64,
    code: &'static str,
) -> Result<Option<u64>, ApiError> {
    match reader.u64(key)? {
        Some(number) if number < least || number > most => {
            Err(reader.refuse(key, code, format!("{number} is not from {least} to {most}")))
        }
        number => Ok(number),
    }
}

/// Refuses a list of more than `most` elements.
pub(super) fn count(reader: &Reader<'_>, key: &str, given: usize, most: usize) -> Result<(), ApiError> {
    if given > most {
        let reason = format!("has {given} elements, and at most {most} are allowed");
        return Err(reader.refuse(key, "InvalidParameterValue.LimitExceeded", reason));
    }
    Ok(())
}
