//! Tables of what subscriptions want.

use proptest::prelude::*;

use super::key_matches;

#[test]
fn binding_keys_match_as_rabbitmq_matches_them() {
    let table = [
        ("1.*.0", "1.anything.0", true),
        ("1.*.0", "1.0", false),
        ("1.*.0", "1.2.3.0", false),
        ("1.#.0", "1.2.3.4.4.2.2.0", true),
        ("1.#.0", "1.0", true),
        ("1.#.0", "1.0.1", false),
        ("#", "a.b.c", true),
        ("#", "", true),
        ("*", "", false),
        ("*", "a", true),
        ("*", "a.b", false),
        ("a.*", "a.", false),
        ("a.#", "a", true),
        ("a.#", "a.b.c", true),
        ("a.#", "ab", false),
        ("#.a", "a", true),
        ("#.a", "b.a.b.a", true),
        ("#.a.#", "b.c", false),
        ("#.a.#.b.#", "x.a.y.a.z.b", true),
        ("#.*", "", false),
        ("#.*", "a.b.c", true),
        ("*.#.*", "a", false),
        ("*.#.*", "a.b", true),
        ("a.b", "a.b", true),
        ("a.b", "A.b", false),
        ("", "", true),
        ("", "a", false),
        ("*.failed.*", "job.failed.job-ab12cd34", true),
        ("*.failed.*", "job.succeed.job-ab12cd34", false),
        ("job.#", "job.failed.job-ab12cd34", true),
    ];
    for (binding, routing, matches) in table {
        assert_eq!(key_matches(binding, routing), matches, "`{binding}` and `{routing}`");
    }
}

#[test]
fn many_wildcards_cost_little() {
    let binding = "#.a.".repeat(200) + "b";
    let routing = "a.".repeat(2_000) + "c";
    assert!(!key_matches(&binding, &routing));
}

/// The rule as it is written: the first word decides, and the rest follows the same rule.
fn by_rule(pattern: &[&str], words: &[&str]) -> bool {
    match (pattern.split_first(), words.split_first()) {
        (None, None) => true,
        (Some((&"#", rest)), _) => (0..=words.len()).any(|taken| by_rule(rest, &words[taken..])),
        (Some((&"*", rest)), Some((word, words))) => !word.is_empty() && by_rule(rest, words),
        (Some((own, rest)), Some((word, words))) => own == word && by_rule(rest, words),
        _ => false,
    }
}

proptest! {
    #[test]
    fn keys_match_as_the_rule_says(
        pattern in prop::collection::vec(prop::sample::select(vec!["a", "b", "*", "#"]), 0..7),
        words in prop::collection::vec(prop::sample::select(vec!["a", "b"]), 0..9),
    ) {
        prop_assert_eq!(key_matches(&pattern.join("."), &words.join(".")), by_rule(&pattern, &words));
    }
}
