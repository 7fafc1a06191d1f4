//! Reads JSON text with nothing left to chance: a key given twice is refused, depth and number of values
//! are limited, and a problem is told with its line and column.
//!
//! Comments (`//`, `/* */`) and commas before a closing bracket are let pass, as Tencent Batch's page on
//! event notices writes them. They are blanked out, not parsed, so that positions stay true, and only when
//! the text is not JSON without that.

use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::limits::{JSON_VALUES, PARAM_LEVELS};
use crate::spelling;

/// How the keys of a text are to come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// As they are written.
    AsWritten,
    /// As the API declares them, when they are written in snake_case.
    AsDeclared,
}

/// Where a text is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct SyntaxError {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What was found or expected there.
    pub problem: String,
}

/// Reads `text`.
pub(crate) fn read(text: &str, keys: Keys) -> Result<Value, SyntaxError> {
    let value = parse(text, keys).or_else(|error| match without_extras(text) {
        Some(plain) => parse(&plain, keys),
        None => Err(error),
    });
    value.map_err(|error| located(text, &error))
}

fn parse(text: &str, keys: Keys) -> Result<Value, serde_json::Error> {
    let budget = Cell::new(JSON_VALUES);
    let mut source = serde_json::Deserializer::from_str(text);
    let seed = Seed { keys, levels: PARAM_LEVELS, budget: &budget };
    let value = seed.deserialize(&mut source)?;
    source.end().map(|()| value)
}

/// Says where in characters what serde_json says in bytes.
fn located(text: &str, error: &serde_json::Error) -> SyntaxError {
    let (line, bytes) = (error.line().max(1), error.column());
    let before = text.lines().nth(line - 1).unwrap_or_default().as_bytes();
    let before = String::from_utf8_lossy(&before[..bytes.min(before.len())]);
    let message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let problem = message.strip_suffix(&place).unwrap_or(&message).to_owned();
    SyntaxError { line, column: before.chars().count().max(1), problem }
}

/// The text with comments and commas before a closing bracket turned into blanks; `None` when it has none.
fn without_extras(text: &str) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let mut comma = None;
    let mut last = b'[';
    let mut at = 0;
    while at < bytes.len() {
        let end = match &bytes[at..] {
            [b'"', rest @ ..] => at + 1 + string_length(rest),
            [b'/', b'/', rest @ ..] => at + 2 + find(rest, b"\n").unwrap_or(rest.len()),
            [b'/', b'*', rest @ ..] => find(rest, b"*/").map_or(bytes.len(), |length| at + 4 + length),
            _ => at + 1,
        };
        let token = bytes[at];
        let comment = token == b'/' && end > at + 1;
        match token {
            _ if comment => blank(&mut bytes[at..end]),
            b',' => comma = (!matches!(last, b'[' | b'{' | b',')).then_some(at),
            b']' | b'}' => comma.take().into_iter().for_each(|comma: usize| bytes[comma] = b' '),
            _ if token.is_ascii_whitespace() => {}
            _ => comma = None,
        }
        if !comment && !token.is_ascii_whitespace() {
            last = token;
        }
        at = end;
    }
    let plain = String::from_utf8(bytes).expect("only whole comments and commas were replaced");
    (plain != text).then_some(plain)
}

/// Bytes up to and with the quote that ends a string.
fn string_length(rest: &[u8]) -> usize {
    let mut escaped = false;
    let ends = |byte: &u8| {
        let end = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        end
    };
    rest.iter().position(ends).map_or(rest.len(), |quote| quote + 1)
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}

fn blank(bytes: &mut [u8]) {
    bytes.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
}

/// Builds one value; holds what is left of the limits.
#[derive(Clone, Copy)]
struct Seed<'b> {
    keys: Keys,
    levels: usize,
    budget: &'b Cell<usize>,
}

impl Seed<'_> {
    fn inner<E: de::Error>(self) -> Result<Self, E> {
        let levels = self.levels.checked_sub(1);
        let levels = levels.ok_or_else(|| E::custom(format!("more than {PARAM_LEVELS} levels")))?;
        Ok(Self { levels, ..self })
    }

    fn spend<E: de::Error>(self) -> Result<(), E> {
        let left = self.budget.get().checked_sub(1);
        self.budget.set(left.ok_or_else(|| E::custom(format!("more than {JSON_VALUES} values")))?);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        self.spend()?;
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(truth.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut source: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut items = Vec::new();
        while let Some(item) = source.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut source: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut object = Map::new();
        while let Some(written) = source.next_key::<String>()? {
            let key = match self.keys {
                Keys::AsWritten => written,
                Keys::AsDeclared => spelling::pascal(&written),
            };
            if object.contains_key(&key) {
                return Err(de::Error::custom(format!("key `{key}` given twice")));
            }
            let value = source.next_value_seed(inner)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read_plain(text: &str) -> Result<Value, String> {
        read(text, Keys::AsWritten).map_err(|error| error.to_string())
    }

    #[test]
    fn problems_are_told_with_their_place() {
        for (text, problem) in [
            ("{\"a\": 1", "line 1, column 7: EOF while parsing an object"),
            ("{\n  \"a\": x\n}", "line 2, column 8: expected value"),
            ("{\"消息\": x}", "line 1, column 8: expected value"),
            ("{\"a\": 1, \"a\": 2}", "line 1, column 12: key `a` given twice"),
            ("{} {}", "line 1, column 4: trailing characters"),
            ("", "line 1, column 1: EOF while parsing a value"),
            ("// only a comment", "line 1, column 17: EOF while parsing a value"),
            ("[1, 2,, 3]", "line 1, column 7: expected value"),
            ("[,]", "line 1, column 2: expected value"),
            ("{'a': 1}", "line 1, column 2: key must be a string"),
        ] {
            assert_eq!(read_plain(text), Err(problem.to_owned()), "{text}");
        }
        let deep = format!("{}{}", "[".repeat(PARAM_LEVELS + 1), "]".repeat(PARAM_LEVELS + 1));
        assert_eq!(read_plain(&deep), Err("line 1, column 34: more than 32 levels".to_owned()));
        assert!(read_plain(&deep[1..deep.len() - 1]).is_ok());
    }

    #[test]
    fn comments_and_last_commas_are_let_pass() {
        let text = r#"{
            // one, "two" /*
            "a": ["x // y", "z\"/*", 1,], /* and
            more ] */ "b": {"c": null, /* d */ }, // end
        }"#;
        let value = json!({"a": ["x // y", "z\"/*", 1], "b": {"c": null}});
        assert_eq!(read_plain(text), Ok(value));
        let text = "{\"a\": 1, /* 消息 */ }\n /* 消息 */ ?";
        assert_eq!(read_plain(text), Err("line 2, column 11: trailing characters".to_owned()));
    }

    #[test]
    fn keys_can_be_brought_to_their_declared_spelling() {
        let text = r#"{"job_name": "a", "Tasks": [{"env_vars": []}]}"#;
        let value = json!({"JobName": "a", "Tasks": [{"EnvVars": []}]});
        assert_eq!(read(text, Keys::AsDeclared), Ok(value));
        let error = read(r#"{"JobName": 1, "job_name": 2}"#, Keys::AsDeclared).unwrap_err();
        assert_eq!(error.to_string(), "line 1, column 25: key `JobName` given twice");
    }

    proptest! {
        /// Blanking must not change what is JSON already, nor fail on what is not.
        #[test]
        fn any_text_is_read_or_refused(text in r#"[ \[\]{},:"\\/*a1\n消]{0,40}"#) {
            let plain = without_extras(&text);
            if let Some(plain) = plain {
                prop_assert_eq!(plain.len(), text.len());
            }
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                let read = read_plain(&text);
                prop_assert!(read == Ok(value) || read.unwrap_err().contains("given twice"));
            }
        }
    }
}
