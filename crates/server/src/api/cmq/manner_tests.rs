//! What is read beyond CMQ, and what is refused.

use std::collections::BTreeMap;

use super::*;

/// Parameters by their names in `tdmq`.
struct Given(BTreeMap<&'static str, &'static str>);

impl Source for Given {
    type Error = String;
    fn text(&self, key: &str) -> Result<Option<String>, String> {
        Ok(self.0.get(key).map(|text| (*text).to_owned()))
    }
    fn refuse(&self, key: &str, rule: &str) -> String {
        format!("{key}: {rule}")
    }
}

fn given(fields: &[(&'static str, &'static str)]) -> Result<MannerEdit, String> {
    read(&Given(fields.iter().copied().collect()))
}

#[test]
fn each_field_changes_one_thing() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let none = MannerEdit::default;
    let table = [
        ("DeliveryOrder", "JOB", MannerEdit { order: Some(Order::Job), ..none() }),
        ("RateLimit", "10000", MannerEdit { posts_per_s: Some(10_000), ..none() }),
        ("Concurrency", "0", MannerEdit { concurrency: Some(0), ..none() }),
        ("ObeyRetryAfter", "False", MannerEdit { retry_after: Some(false), ..none() }),
        ("PauseOnGone", "true", MannerEdit { pause_on_gone: Some(true), ..none() }),
        ("CircuitFailures", "5", MannerEdit { circuit_failures: Some(5), ..none() }),
        ("CircuitSeconds", "0", none()),
        ("DeadLetterQueueName", "q", MannerEdit { dead_letters: Some("q".into()), ..none() }),
        ("DeadLetterQueueName", "", MannerEdit { dead_letters: Some(String::new()), ..none() }),
        ("NotificationTopicName", "t", MannerEdit { notify: Some("t".into()), ..none() }),
        ("Signature", "STANDARD_WEBHOOKS", MannerEdit { signing: Some(Signing::Drawn), ..none() }),
        ("Signature", "NONE", MannerEdit { signing: Some(Signing::Off), ..none() }),
        (
            "SignatureSecret",
            secret,
            MannerEdit { signing: webhook::parse_secret(secret).map(Signing::Given), ..none() },
        ),
        ("RateLimit", "", none()),
        ("Other", "x", none()),
    ];
    for (key, text, wanted) in table {
        assert_eq!(given(&[(key, text)]), Ok(wanted), "{key} {text}");
    }
}

#[test]
fn what_cannot_be_had_is_refused_by_the_fields_name() {
    let table = [
        ("DeliveryOrder", "job", "it must be STRATEGY or JOB"),
        ("RateLimit", "10001", "it must be a number from 0 to 10000"),
        ("RateLimit", "-1", "it must be a number from 0 to 10000"),
        ("Concurrency", "65", "it must be a number from 0 to 64"),
        ("ObeyRetryAfter", "yes", "it must be true or false"),
        ("CircuitFailures", "1001", "it must be a number from 0 to 1000"),
        ("CircuitSeconds", "86401", "it must be a number from 0 to 86400"),
        ("Signature", "HMAC", "it must be NONE or STANDARD_WEBHOOKS"),
        ("SignatureSecret", "whsec_c2hvcnQ=", "it must be whsec_ and 24 to 64 bytes in Base64"),
    ];
    for (key, text, rule) in table {
        assert_eq!(given(&[(key, text)]), Err(format!("{key}: {rule}")));
    }
    let both = [("Signature", "NONE"), ("SignatureSecret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")];
    assert_eq!(given(&both), Err("SignatureSecret: nothing is signed where Signature is NONE".into()));
}

#[test]
fn v2_begins_names_with_a_small_letter() {
    assert_eq!((v2_name("RateLimit"), v2_name("")), ("rateLimit".into(), String::new()));
}
