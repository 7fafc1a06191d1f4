//! The two spellings of keys: `TopicName` as the API declares it, `topic_name` as Tencent Batch's page on
//! event notices writes it.

/// Names whose capitals do not follow from their words.
const IRREGULAR: [(&str, &str); 3] =
    [("cpu", "CPU"), ("ipv4_address_type", "IPv4AddressType"), ("ipv6_address_type", "IPv6AddressType")];

/// The declared spelling of a snake_case key: `topic_name` is `TopicName`. A key that already has a
/// capital is left as it is.
#[must_use]
pub(crate) fn pascal(key: &str) -> String {
    if key.chars().any(char::is_uppercase) {
        return key.to_owned();
    }
    if let Some((_, declared)) = IRREGULAR.iter().find(|(snake, _)| *snake == key) {
        return (*declared).to_owned();
    }
    key.split('_').map(capitalised).collect()
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Whether two keys are one but for capitals and underscores.
#[must_use]
pub(crate) fn same(left: &str, right: &str) -> bool {
    let letters = |text: &str| text.replace('_', "").to_lowercase();
    letters(left) == letters(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snake_case_becomes_the_declared_spelling() {
        for (snake, declared) in [
            ("event_configs", "EventConfigs"),
            ("name", "Name"),
            ("env_id", "EnvId"),
            ("cpu", "CPU"),
            ("ipv6_address_type", "IPv6AddressType"),
            ("ipv6_address_count", "Ipv6AddressCount"),
            ("TaskName", "TaskName"),
            ("taskName", "taskName"),
            ("", ""),
        ] {
            assert_eq!(pascal(snake), declared, "{snake}");
        }
    }

    #[test]
    fn keys_are_compared_without_capitals_and_underscores() {
        assert!(same("EventConfigs", "event_configs"));
        assert!(same("EventConfigs", "EVENTCONFIGS"));
        assert!(!same("EventConfig", "event_configs"));
    }
}
