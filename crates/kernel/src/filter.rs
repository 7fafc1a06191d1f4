//! Which messages a subscription wants: by tag, or by routing key as RabbitMQ's topic exchanges match them.

use crate::subscription::Subscription;
use crate::topic::{FilterType, TopicMessage};

/// Whether `subscription`, of a topic that filters by `filter`, wants a message with these tags and this key.
///
/// By tags: a subscription without tags wants everything; else the two must share one. Letter case counts.
/// By key: one of the binding keys must match. What the topic does not filter by is not looked at.
#[must_use]
pub fn wants(filter: FilterType, subscription: &Subscription, tags: &[String], routing_key: &str) -> bool {
    match filter {
        FilterType::Tags => {
            let wanted = &subscription.filter_tags;
            wanted.is_empty() || wanted.iter().any(|tag| tags.contains(tag))
        }
        FilterType::Routing => subscription.binding_keys.iter().any(|key| key_matches(key, routing_key)),
    }
}

/// [`wants`], of a message.
#[must_use]
pub fn wants_message(filter: FilterType, subscription: &Subscription, message: &TopicMessage) -> bool {
    wants(filter, subscription, &message.tags, &message.routing_key)
}

/// Whether a binding key matches a routing key. Words are parted by `.`; `*` stands for exactly one word that is not
/// empty, `#` for any number of words, also none; every other word for itself. An empty key has no words.
#[must_use]
pub fn key_matches(binding: &str, routing: &str) -> bool {
    let (pattern, words) = (words(binding), words(routing));
    let (mut at, mut word) = (0, 0);
    // After a `#`: the place behind it, and the first word it does not cover yet.
    let mut resume: Option<(usize, usize)> = None;
    while word < words.len() {
        if pattern.get(at) == Some(&"#") {
            at += 1;
            resume = Some((at, word));
        } else if pattern.get(at).is_some_and(|pattern| one_matches(pattern, words[word])) {
            at += 1;
            word += 1;
        } else if let Some((behind, uncovered)) = resume {
            // Only the last `#` need ever take more: what earlier ones could take is open to it too.
            (at, word) = (behind, uncovered + 1);
            resume = Some((behind, uncovered + 1));
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|word| *word == "#")
}

fn words(key: &str) -> Vec<&str> {
    if key.is_empty() { Vec::new() } else { key.split('.').collect() }
}

fn one_matches(pattern: &str, word: &str) -> bool {
    if pattern == "*" { !word.is_empty() } else { pattern == word }
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
