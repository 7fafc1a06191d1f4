//! Texts from outside, changed by chance: read or refused, and never a panic. `PROPTEST_CASES` sets how many.

use proptest::prelude::*;
use wire::node::{FromNode, ToNode, decode};
use wire::{file, received};

const JOB: &str = r#"// A job.
{"job_name": "j", "tasks": [{"task_name": "a", "task_instance_num": 2, "env_id": "env-00000000", /* where */
 "application": {"delivery_form": "LOCAL", "command": "echo \"x\" é \n"},}], "notifications": [{"topic_name": "t",
 "event_configs": [{"event_name": "JobFailed", "event_vars": []}]}],}"#;
const EVENT: &str = r#"{"Events":[{"EventVersion":"1.0","EventTime":"2018-06-15T14:43:17Z","Region":"ap-guangzhou",
 "Batch":{"JobId":"job-ab12cd34"},"EventName":"JOB_FAILED","EventVars":[],"EventId":"evt-0","Sequence":1}]}"#;
const FRAME: &str = r#"{"type":"samples","samples":[{"run":{"job":"job-ab12cd34","task":0,"index":0,"attempt":1},
 "number":0,"at":1,"cpu":1,"mem":1,"disks":[["vda",1]],"net":[1,2]}]}"#;

/// A text with some of its bytes replaced, put in or taken away.
fn changed(text: &'static str) -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), 0..3u8, "[ -~é\u{0}\u{1f600}]{0,3}");
    prop::collection::vec(change, 0..8).prop_map(move |changes| {
        let mut chars: Vec<char> = text.chars().collect();
        for (place, how, new) in changes {
            let at = place.index(chars.len().max(1)).min(chars.len());
            let end = if how == 1 { at } else { (at + 1).min(chars.len()) };
            let new: Vec<char> = if how == 2 { Vec::new() } else { new.chars().collect() };
            chars.splice(at..end, new);
        }
        chars.into_iter().collect()
    })
}

proptest! {
    #[test]
    fn a_job_file_is_read_or_refused_with_a_line(text in changed(JOB)) {
        if let Err(error) = file::read(&text) {
            prop_assert!(error.to_string().contains("line "), "{error}");
        }
    }

    #[test]
    fn what_was_received_is_an_event_something_else_or_broken(text in changed(EVENT)) {
        // Whatever it is, all of it is looked at.
        let lines = received::split(&text).map(|(line, _)| line).max().unwrap_or(0);
        prop_assert!(lines <= text.matches('\n').count() + 1);
    }

    #[test]
    fn a_frame_is_read_or_refused(text in changed(FRAME)) {
        for error in [decode::<FromNode>(&text).err(), decode::<ToNode>(&text).err()].into_iter().flatten() {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
