//! Routing and binding keys: matched as the slowest, plainest matching does it.

use kernel::filter::key_matches;

/// A binding key, a line feed, a routing key. Longer ones than a topic takes are not of interest.
///
/// # Panics
/// Where the two ways of matching disagree.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some((binding, routing)) = text.split_once('\n') else { return };
    if binding.len() > 64 || routing.len() > 64 {
        return;
    }
    assert_eq!(key_matches(binding, routing), plainly(&words(binding), &words(routing)), "{binding:?} {routing:?}");
}

fn words(key: &str) -> Vec<&str> {
    if key.is_empty() { Vec::new() } else { key.split('.').collect() }
}

/// Fills in, from the end, which rest of the pattern matches which rest of the words.
fn plainly(pattern: &[&str], words: &[&str]) -> bool {
    let mut matches = vec![vec![false; words.len() + 1]; pattern.len() + 1];
    matches[pattern.len()][words.len()] = true;
    for at in (0..pattern.len()).rev() {
        for word in (0..=words.len()).rev() {
            matches[at][word] = match (pattern[at], words.get(word)) {
                ("#", None) => matches[at + 1][word],
                ("#", Some(_)) => matches[at + 1][word] || matches[at][word + 1],
                (_, None) => false,
                ("*", Some(given)) => !given.is_empty() && matches[at + 1][word + 1],
                (wanted, Some(given)) => wanted == *given && matches[at + 1][word + 1],
            };
        }
    }
    matches[0][0]
}
