//! Reads the parameters of an API 3.0 action, field by field, and lets nothing pass unread.
//!
//! [`read`] hands a [`Reader`] to a closure and, when that is done, refuses every key that it did not ask
//! for; objects within are read by closures of their own, so an unknown key is found at any depth and
//! nobody can forget to look. What is refused, and how:
//!
//! * a missing field: `MissingParameter`;
//! * a value of the wrong type: `InvalidParameter`;
//! * a negative number where none can be: `InvalidParameterValue.Negative`;
//! * a key that nobody reads: `UnknownParameter`.
//!
//! Every message begins with the field's path, `Job.Tasks.0.TaskInstanceNum`. `null` is the same as
//! nothing. Numbers and booleans may come as strings (`"1"`, `"TRUE"`), since no official client checks
//! types and Tencent's own samples send them so; a flattened request has nothing else.
//!
//! `Notifications` and all keys below it are accepted in any spelling, because Tencent Batch's page on
//! event notices writes them `notifications`, `event_configs`, `topic_name`.

use std::cell::RefCell;

use serde_json::{Map, Value};

use crate::api3::ApiError;
use crate::limits::ECHO_CHARS;
use crate::spelling;

/// Below this key, and for it, every spelling is accepted.
const ANY_SPELLING: &str = "Notifications";

/// Reads one object with `body`, then refuses the keys that `body` did not read.
///
/// `path` is where the object stands in the request, empty for the request itself.
///
/// # Errors
/// What `body` refuses; `UnknownParameter` for an unread key; `InvalidParameter` when `value` is no object.
pub fn read<T>(
    value: &Value,
    path: &str,
    body: impl FnOnce(&Reader<'_>) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    read_object(value, path, false, body)
}

fn read_object<T>(
    value: &Value,
    path: &str,
    any_spelling: bool,
    body: impl FnOnce(&Reader<'_>) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let Value::Object(object) = value else {
        return Err(wrong_type(path, "an object", value));
    };
    let reader = Reader { path: path.to_owned(), object, any_spelling, read: RefCell::default() };
    let result = body(&reader)?;
    reader.refuse_unread()?;
    Ok(result)
}

/// One object of a request, being read.
pub struct Reader<'a> {
    path: String,
    object: &'a Map<String, Value>,
    any_spelling: bool,
    read: RefCell<Vec<&'a str>>,
}

impl<'a> Reader<'a> {
    /// The path of a field of this object, for messages: `Job.Tasks.0.TaskName`.
    #[must_use]
    pub fn path(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// An error of the caller's own about a field of this object; `reason` follows the field's path.
    #[must_use]
    pub fn refuse(&self, key: &str, code: &'static str, reason: impl std::fmt::Display) -> ApiError {
        ApiError::new(code, format!("{}: {reason}", self.path(key)))
    }

    /// Whether the field is given. Asking is not reading.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.candidates(key).next().is_some()
    }

    /// The field as it is, for what is stored and echoed. Nothing below it is checked.
    ///
    /// # Errors
    /// `InvalidParameter` when it is given in two spellings.
    pub fn value(&self, key: &str) -> Result<Option<&'a Value>, ApiError> {
        let mut candidates = self.candidates(key);
        let Some((spelling, value)) = candidates.next() else {
            return Ok(None);
        };
        if let Some((other, _)) = candidates.next() {
            let reason = format!("given twice, as `{spelling}` and as `{other}`");
            return Err(self.refuse(key, "InvalidParameter", reason));
        }
        self.read.borrow_mut().push(spelling);
        Ok(Some(value))
    }

    /// A text.
    ///
    /// # Errors
    /// `InvalidParameter` when it is no string.
    pub fn string(&self, key: &str) -> Result<Option<String>, ApiError> {
        self.scalar(key, text)
    }

    /// A text that must be given.
    ///
    /// # Errors
    /// `MissingParameter`; `InvalidParameter` when it is no string.
    pub fn required_string(&self, key: &str) -> Result<String, ApiError> {
        self.required(key, self.string(key)?)
    }

    /// An integer of zero or more.
    ///
    /// # Errors
    /// `InvalidParameter` when it is no integer, `InvalidParameterValue.Negative` below zero.
    pub fn u64(&self, key: &str) -> Result<Option<u64>, ApiError> {
        self.scalar(key, unsigned)
    }

    /// An integer of zero or more that must be given.
    ///
    /// # Errors
    /// `MissingParameter`, and those of [`Reader::u64`].
    pub fn required_u64(&self, key: &str) -> Result<u64, ApiError> {
        self.required(key, self.u64(key)?)
    }

    /// An integer.
    ///
    /// # Errors
    /// `InvalidParameter` when it is none.
    pub fn i64(&self, key: &str) -> Result<Option<i64>, ApiError> {
        self.scalar(key, signed)
    }

    /// A boolean.
    ///
    /// # Errors
    /// `InvalidParameter` when it is none.
    pub fn bool(&self, key: &str) -> Result<Option<bool>, ApiError> {
        self.scalar(key, boolean)
    }

    /// A list of texts; empty when it is not given.
    ///
    /// # Errors
    /// `InvalidParameter` when it is no list, or an element is no string.
    pub fn strings(&self, key: &str) -> Result<Vec<String>, ApiError> {
        self.list(key, "a list of strings", text)
    }

    /// A list of integers of zero or more; empty when it is not given.
    ///
    /// # Errors
    /// `InvalidParameter` when it is no list, and those of [`Reader::u64`] for its elements.
    pub fn u64s(&self, key: &str) -> Result<Vec<u64>, ApiError> {
        self.list(key, "a list of integers", unsigned)
    }

    /// An object, read by `body`.
    ///
    /// # Errors
    /// `InvalidParameter` when it is no object; what `body` refuses; `UnknownParameter` for a key in it
    /// that `body` did not read.
    pub fn object<T>(
        &self,
        key: &str,
        body: impl FnOnce(&Reader<'_>) -> Result<T, ApiError>,
    ) -> Result<Option<T>, ApiError> {
        self.value(key)?
            .map(|value| read_object(value, &self.path(key), self.any_spelling_below(key), body))
            .transpose()
    }

    /// An object that must be given, read by `body`.
    ///
    /// # Errors
    /// `MissingParameter`, and those of [`Reader::object`].
    pub fn required_object<T>(
        &self,
        key: &str,
        body: impl FnOnce(&Reader<'_>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        self.required(key, self.object(key, body)?)
    }

    /// A list of objects, each read by `body`; empty when it is not given.
    ///
    /// # Errors
    /// `InvalidParameter` when it is no list, and those of [`Reader::object`] for its elements.
    pub fn objects<T>(
        &self,
        key: &str,
        mut body: impl FnMut(&Reader<'_>) -> Result<T, ApiError>,
    ) -> Result<Vec<T>, ApiError> {
        let any_spelling = self.any_spelling_below(key);
        self.list(key, "a list of objects", |path, value| read_object(value, path, any_spelling, &mut body))
    }

    /// Turns a field that is not there into `MissingParameter`.
    ///
    /// # Errors
    /// `MissingParameter` when `found` is `None`.
    pub fn required<T>(&self, key: &str, found: Option<T>) -> Result<T, ApiError> {
        found.ok_or_else(|| self.refuse(key, "MissingParameter", "required, but missing"))
    }

    fn scalar<T>(
        &self,
        key: &str,
        convert: impl Fn(&str, &Value) -> Result<T, ApiError>,
    ) -> Result<Option<T>, ApiError> {
        self.value(key)?.map(|value| convert(&self.path(key), value)).transpose()
    }

    fn list<T>(
        &self,
        key: &str,
        expected: &str,
        mut convert: impl FnMut(&str, &Value) -> Result<T, ApiError>,
    ) -> Result<Vec<T>, ApiError> {
        let Some(value) = self.value(key)? else {
            return Ok(Vec::new());
        };
        let path = self.path(key);
        let Value::Array(items) = value else {
            return Err(wrong_type(&path, expected, value));
        };
        let items = items.iter().enumerate();
        items.map(|(index, item)| convert(&join(&path, &index.to_string()), item)).collect()
    }

    fn any_spelling_below(&self, key: &str) -> bool {
        self.any_spelling || key == ANY_SPELLING
    }

    /// The entries that `key` means, without those that are null.
    fn candidates(&self, key: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let exact = (!self.any_spelling_below(key)).then(|| self.object.get_key_value(key)).flatten();
        let other = self.any_spelling_below(key).then(|| self.object.iter()).into_iter().flatten();
        let other = other.filter(move |(spelling, _)| spelling::same(spelling, key));
        let found = exact.into_iter().chain(other).filter(|(_, value)| !value.is_null());
        found.map(|(spelling, value)| (spelling.as_str(), value))
    }

    fn refuse_unread(&self) -> Result<(), ApiError> {
        let read = self.read.borrow();
        let mut given = self.object.iter().filter(|(_, value)| !value.is_null());
        match given.find(|(key, _)| !read.contains(&key.as_str())) {
            Some((key, _)) => Err(self.refuse(&shortened(key), "UnknownParameter", "not a parameter of this action")),
            None => Ok(()),
        }
    }
}

fn text(path: &str, value: &Value) -> Result<String, ApiError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        _ => Err(wrong_type(path, "a string", value)),
    }
}

fn integer(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => number.as_i128(),
        Value::String(text) => text.parse().ok().filter(|_| !text.starts_with('+')),
        _ => None,
    }
}

fn unsigned(path: &str, value: &Value) -> Result<u64, ApiError> {
    let expected = "an integer of 0 or more";
    let number = integer(value).ok_or_else(|| wrong_type(path, expected, value))?;
    if number < 0 {
        let message = format!("{path}: {number} is negative, it must be 0 or more");
        return Err(ApiError::new("InvalidParameterValue.Negative", message));
    }
    u64::try_from(number).map_err(|_| wrong_type(path, expected, value))
}

fn signed(path: &str, value: &Value) -> Result<i64, ApiError> {
    let number = integer(value).and_then(|number| i64::try_from(number).ok());
    number.ok_or_else(|| wrong_type(path, "an integer", value))
}

fn boolean(path: &str, value: &Value) -> Result<bool, ApiError> {
    match value {
        Value::Bool(truth) => Ok(*truth),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(wrong_type(path, "true or false", value)),
    }
}

fn wrong_type(path: &str, expected: &str, found: &Value) -> ApiError {
    let found = match found {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the string \"{}\"", shortened(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    };
    let place = if path.is_empty() { "the request" } else { path };
    ApiError::new("InvalidParameter", format!("{place}: expected {expected}, found {found}"))
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// A user's own text as a message repeats it.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(ECHO_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
#[path = "fields_tests.rs"]
mod tests;
