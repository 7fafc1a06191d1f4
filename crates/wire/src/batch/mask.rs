//! What is stored to be shown again has stars for secrets: the secret halves of keys, and passwords.

use serde_json::Value;

const SECRETS: [&str; 2] = ["SecretKey", "Password"];
const STARS: &str = "******";

/// A request, or a part of one, with stars for every secret in it.
#[must_use]
pub fn without_secrets(params: &Value) -> Value {
    let mut shown = params.clone();
    mask(&mut shown);
    shown
}

fn mask(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::Object(fields) => fields.iter_mut().for_each(|(key, value)| match value {
            Value::String(text) if SECRETS.contains(&key.as_str()) => STARS.clone_into(text),
            value => mask(value),
        }),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_masked_at_any_depth() {
        let docker = json!({"User": "u", "Password": "p"});
        let request = json!({"A": [{"SecretId": "i", "SecretKey": "k"}], "B": {"Docker": docker}, "Password": null});
        let shown = json!({"A": [{"SecretId": "i", "SecretKey": STARS}],
            "B": {"Docker": {"User": "u", "Password": STARS}}, "Password": null});
        assert_eq!(without_secrets(&request), shown);
    }
}
