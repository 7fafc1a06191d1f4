//! Typed access to the parameters of a CMQ v2 request. Unknown ones are ignored, as the service does:
//! clients add `UserpollingWaitSeconds`, `Region` and the like.

use std::ops::RangeInclusive;

use super::{V2Code, V2Error};
use crate::form::Pair;

/// The parameters of one request, decoded.
pub struct Params {
    pairs: Vec<Pair>,
}

impl Params {
    pub(crate) fn new(pairs: Vec<Pair>) -> Self {
        Self { pairs }
    }

    /// As they came, for the signature.
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// A text, perhaps empty. A known third-party client sends names with a blank at their end.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        let mut pairs = self.pairs.iter();
        pairs.find(|(key, _)| key.trim_end() == name).map(|(_, value)| value.as_str())
    }

    /// A text that must be given, perhaps empty.
    ///
    /// # Errors
    /// [`V2Code::Lacking`].
    pub fn required(&self, name: &str) -> Result<&str, V2Error> {
        self.text(name).ok_or_else(|| V2Code::Lacking.about(name))
    }

    /// An integer within `range`.
    ///
    /// # Errors
    /// [`V2Code::WrongType`], [`V2Code::OutOfRange`].
    pub fn integer(&self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, V2Error> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let number: i128 = text.parse().map_err(|_| V2Code::WrongType.about(name))?;
        match u64::try_from(number) {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            _ => Err(V2Code::OutOfRange.about(name)),
        }
    }

    /// An integer within `range` that must be given.
    ///
    /// # Errors
    /// [`V2Code::Lacking`], and those of [`Params::integer`].
    pub fn required_integer(&self, name: &str, range: RangeInclusive<u64>) -> Result<u64, V2Error> {
        self.integer(name, range)?.ok_or_else(|| V2Code::Lacking.about(name))
    }

    /// A list, `name.1=…&name.2=…`, numbered from 0 or 1, in the order of its numbers; empty when there is
    /// none. `too_many` is what more than `most` items are refused with: each list has its own code.
    ///
    /// # Errors
    /// [`V2Code::KeyFormat`], [`V2Code::NotConsecutive`], `too_many`.
    pub fn list(&self, name: &str, most: usize, too_many: V2Code) -> Result<Vec<&str>, V2Error> {
        let mut items = Vec::new();
        for (key, value) in &self.pairs {
            let number = key.trim_end().strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
            if let Some(number) = number {
                let parsed: Option<usize> = number.parse().ok().filter(|n: &usize| n.to_string() == number);
                items.push((parsed.ok_or_else(|| V2Code::KeyFormat.about(key))?, value.as_str()));
            }
        }
        if items.len() > most {
            return Err(too_many.about(name));
        }
        items.sort_unstable();
        let first = items.first().map_or(0, |(number, _)| *number);
        if first > 1 || items.iter().enumerate().any(|(at, (number, _))| *number != first + at) {
            return Err(V2Code::NotConsecutive.about(name));
        }
        Ok(items.into_iter().map(|(_, value)| value).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::V2_BATCH;

    fn params(pairs: &[(&str, &str)]) -> Params {
        Params::new(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    }

    fn refusal<T>(result: Result<T, V2Error>) -> String {
        result.err().map(|error| format!("{} {error}", error.code)).unwrap_or_default()
    }

    #[test]
    fn texts_and_numbers_are_checked() {
        let params = params(&[("queueName ", "q"), ("n", "30"), ("big", "31"), ("minus", "-1"), ("x", "y")]);
        assert_eq!(params.required("queueName"), Ok("q"));
        assert_eq!(refusal(params.required("topicName")), "4000 (10390)lacked of required parameter topicName");
        assert_eq!(params.integer("n", 0..=30), Ok(Some(30)));
        assert_eq!(params.integer("none", 0..=30), Ok(None));
        assert_eq!(refusal(params.required_integer("none", 0..=30)), "4000 (10390)lacked of required parameter none");
        for name in ["big", "minus"] {
            assert_eq!(
                refusal(params.integer(name, 0..=30)),
                format!("4000 (10350)parameter {name} value or length is out of range")
            );
        }
        assert_eq!(refusal(params.integer("x", 0..=30)), "4000 (10360)parameter x error type");
    }

    #[test]
    fn lists_are_numbered_from_0_or_1_and_sorted_as_numbers() {
        let list = |names: &[&str]| {
            let pairs: Vec<(&str, &str)> = names.iter().map(|name| (*name, *name)).collect();
            let params = params(&pairs);
            let items = params.list("m", V2_BATCH, V2Code::BatchSize);
            items.map(|items| items.join(" ")).map_err(|error| format!("{} {error}", error.code))
        };
        assert_eq!(list(&["m.1", "m.3", "m.2"]), Ok("m.1 m.2 m.3".into()));
        assert_eq!(list(&["m.0", "m.1", "mm.7", "m"]), Ok("m.0 m.1".into()));
        assert_eq!(list(&[]), Ok(String::new()));
        let names: Vec<String> = (1..=16).map(|number| format!("m.{number}")).collect();
        let mut sorted: Vec<&str> = names.iter().map(String::as_str).collect();
        sorted.sort_unstable();
        assert_eq!(list(&sorted), Ok(names.join(" ")));
        sorted.push("m.17");
        assert_eq!(list(&sorted), Err("4000 (10370)m parameter batch size is out of range".into()));
        for gap in [["m.1", "m.3"], ["m.2", "m.3"], ["m.0", "m.2"]] {
            assert_eq!(list(&gap), Err("4000 (10380)m parameter is not consequent".into()));
        }
        assert_eq!(list(&["m.01"]), Err("4000 (10310)error: parameter m.01 key format error".into()));
    }
}
