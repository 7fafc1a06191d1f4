//! Rebuilds nested parameters from the flat names that GET requests and forms of API 3.0 carry:
//! `Job.Tasks.0.EnvVars.1.Name=A`. All values stay strings; the field reader converts them.

use serde_json::{Map, Value};

use crate::api3::ApiError;
use crate::fields::shortened;
use crate::limits::PARAM_LEVELS;

/// The object that the pairs describe.
///
/// # Errors
/// `InvalidParameter`, with the path, for a name that is empty in a part or too deep, for a name that is a
/// value and an object at once, and for list indices that do not run from 0 without a gap.
pub(crate) fn rebuild<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Value, ApiError> {
    let mut root = Map::new();
    for (name, value) in pairs {
        insert(&mut root, name, value)?;
    }
    let fields = root.into_iter().map(|(key, value)| Ok((key.clone(), with_lists(&key, value)?)));
    fields.collect::<Result<Map<_, _>, _>>().map(Value::Object)
}

/// Puts one value at its place in a tree of objects; lists are objects with numbers for keys as yet.
fn insert(root: &mut Map<String, Value>, name: &str, value: &str) -> Result<(), ApiError> {
    let parts: Vec<&str> = name.split('.').collect();
    if parts.len() > PARAM_LEVELS {
        return Err(refused(name, format_args!("more than {PARAM_LEVELS} levels")));
    }
    if parts.contains(&"") {
        return Err(refused(name, "a part of the name is empty"));
    }
    let (last, parents) = parts.split_last().expect("splitting gives one part at least");
    let mut object = root;
    for parent in parents {
        let below = object.entry(*parent).or_insert_with(|| Value::Object(Map::new()));
        object = below.as_object_mut().ok_or_else(|| both(name))?;
    }
    match object.insert((*last).to_owned(), value.into()) {
        None => Ok(()),
        Some(Value::Object(_)) => Err(both(name)),
        Some(_) => Err(refused(name, "given twice")),
    }
}

/// Turns objects whose keys are numbers into lists.
fn with_lists(path: &str, value: Value) -> Result<Value, ApiError> {
    let Value::Object(object) = value else {
        return Ok(value);
    };
    let below = |key: &str, value| with_lists(&format!("{path}.{key}"), value);
    if object.keys().all(|key| index(key).is_none()) {
        let fields = object.into_iter().map(|(key, value)| Ok((key.clone(), below(&key, value)?)));
        return fields.collect::<Result<Map<_, _>, _>>().map(Value::Object);
    }
    if let Some(key) = object.keys().find(|key| index(key).is_none()) {
        let found = format!("{path}.{key}");
        return Err(refused(&found, "names a field where other names number a list"));
    }
    let mut items: Vec<(usize, String, Value)> =
        object.into_iter().filter_map(|(key, value)| index(&key).map(|index| (index, key, value))).collect();
    items.sort_unstable_by_key(|(index, _, _)| *index);
    if let Some((wanted, _)) = items.iter().enumerate().find(|(at, (index, _, _))| at != index) {
        let missing = format!("{path}.{wanted}");
        return Err(refused(&missing, "missing; a list is numbered from 0 without a gap"));
    }
    let items = items.into_iter().map(|(_, key, value)| below(&key, value));
    items.collect::<Result<Vec<_>, _>>().map(Value::Array)
}

/// The number that a part of a name is: digits, without leading zeros.
fn index(part: &str) -> Option<usize> {
    let number = part.parse::<usize>().ok()?;
    (number.to_string() == part).then_some(number)
}

fn both(name: &str) -> ApiError {
    refused(name, "a value here, but an object or list elsewhere in the request")
}

fn refused(name: &str, reason: impl std::fmt::Display) -> ApiError {
    ApiError::new("InvalidParameter", format!("{}: {reason}", shortened(name)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn rebuilt(pairs: &[(&str, &str)]) -> Result<Value, String> {
        rebuild(pairs.iter().copied()).map_err(|error| error.message)
    }

    #[test]
    fn names_become_objects_and_lists() {
        let pairs = [
            ("Limit", "20"),
            ("Job.Tasks.1.TaskName", "b"),
            ("Job.Tasks.0.TaskName", "a"),
            ("Job.Tasks.0.EnvVars.0.Name", "A_B"),
        ];
        let tasks = json!([{"TaskName": "a", "EnvVars": [{"Name": "A_B"}]}, {"TaskName": "b"}]);
        assert_eq!(rebuilt(&pairs), Ok(json!({"Limit": "20", "Job": {"Tasks": tasks}})));
        assert_eq!(rebuilt(&[]), Ok(json!({})));
        let ids: Vec<String> = (0..12).map(|n| format!("JobIds.{n}")).collect();
        let mut pairs: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), id.as_str())).collect();
        pairs.sort_unstable();
        assert_eq!(rebuilt(&pairs), Ok(json!({"JobIds": ids})));
    }

    #[test]
    fn names_that_contradict_each_other_are_refused() {
        let both = "a value here, but an object or list elsewhere in the request";
        for (pairs, message) in [
            ([("A", "1"), ("A.B", "2")], format!("A.B: {both}")),
            ([("A.B", "1"), ("A", "2")], format!("A: {both}")),
            ([("A.B.0", "1"), ("A.B.C", "2")], "A.B.C: names a field where other names number a list".into()),
            ([("A.0", "1"), ("A.2", "2")], "A.1: missing; a list is numbered from 0 without a gap".into()),
            ([("A.1", "1"), ("A.2", "2")], "A.0: missing; a list is numbered from 0 without a gap".into()),
            ([("A.0", "1"), ("A.00", "2")], "A.00: names a field where other names number a list".into()),
            ([("A", "1"), ("B..C", "2")], "B..C: a part of the name is empty".into()),
            ([("A", "1"), ("A", "2")], "A: given twice".into()),
        ] {
            assert_eq!(rebuilt(&pairs), Err(message));
        }
        let deep = vec!["A"; PARAM_LEVELS + 1].join(".");
        assert!(rebuilt(&[(&deep, "")]).unwrap_err().ends_with(": more than 32 levels"));
        assert!(rebuilt(&[(&deep[2..], "")]).is_ok());
    }

    fn flatten(path: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
        let join = |key: &str| {
            if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
        };
        match value {
            Value::Object(object) => object.iter().for_each(|(key, value)| flatten(&join(key), value, pairs)),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(n, item)| flatten(&join(&n.to_string()), item, pairs));
            }
            value => pairs.push((path.to_owned(), value.as_str().unwrap_or_default().to_owned())),
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = ".{0,6}".prop_map(Value::from);
        leaf.prop_recursive(5, 60, 12, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..12).prop_map(Value::from),
                prop::collection::btree_map("[A-Z][A-Za-z0-9_]{0,4}", inner, 1..5).prop_map(object),
            ]
        })
    }

    fn object(fields: std::collections::BTreeMap<String, Value>) -> Value {
        Value::Object(fields.into_iter().collect())
    }

    proptest! {
        #[test]
        fn what_is_flattened_is_rebuilt(
            fields in prop::collection::btree_map("[A-Z][a-z]{0,4}", value(), 0..5),
            seed in any::<u64>(),
        ) {
            let value = object(fields);
            let mut pairs = Vec::new();
            flatten("", &value, &mut pairs);
            // Clients send names in any order: Go sorts them by their bytes.
            pairs.sort_by_key(|(name, _)| name.bytes().fold(seed, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            }));
            let rebuilt = rebuild(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            prop_assert_eq!(rebuilt.unwrap(), value);
        }
    }
}
