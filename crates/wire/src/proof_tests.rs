use proptest::prelude::*;

use super::*;

fn key() -> LineKey {
    LineKey { topic: None, owner: "job-1".into() }
}

fn event(sequence: u64) -> ReceivedEvent {
    let LineKey { topic, owner } = key();
    let name = if sequence == 9 { "JOB_SUCCEED" } else { "TASK_RUNNING" };
    ReceivedEvent { topic, owner, name: name.into(), id: format!("evt-{sequence}"), sequence }
}

fn proof(numbers: &[u64]) -> Proof {
    let mut proof = Proof::default();
    numbers.iter().for_each(|number| proof.add(event(*number)));
    proof
}

/// What is said of these numbers, in words.
fn said(numbers: &[u64], facts: &Facts) -> String {
    let found = proof(numbers).find(&key(), facts);
    let list = |ranges: &[RangeInclusive<u64>]| {
        ranges.iter().map(|range| format!("{}-{}", range.start(), range.end())).collect::<Vec<_>>().join(",")
    };
    let unprovable: Vec<String> =
        found.unprovable.iter().map(|(range, why)| format!("{}-{} {why:?}", range.start(), range.end())).collect();
    let parts = [list(&found.gaps), list(&found.dead), unprovable.join(","), list(&found.waiting)];
    format!("{} {} [{}]", found.verdict().as_str(), found.last, parts.join("|"))
}

#[test]
fn what_is_missing_is_a_gap_unless_it_may_be_missing_rightly() {
    use Told::*;
    let filtered = || Facts { filtered: true, ..Facts::default() };
    let late = || Facts { late: true, ..Facts::default() };
    let told = |told: &[(u64, Told)]| Facts { told: told.iter().copied().collect(), ..Facts::default() };
    let table: [(&[u64], Facts, &str); 19] = [
        (&[1, 2, 3], Facts::default(), "whole 3 [|||]"),
        (&[3, 1, 2], Facts::default(), "whole 3 [|||]"),
        (&[1, 3], Facts::default(), "gap 3 [2-2|||]"),
        (&[2, 3, 7, 9], Facts::default(), "gap 9 [1-1,4-6,8-8|||]"),
        (&[1, 3], filtered(), "unprovable 3 [||2-2 Filtered|]"),
        (&[1, 2], filtered(), "whole 2 [|||]"),
        (&[3, 4], late(), "unprovable 4 [||1-2 Late|]"),
        // After its first event a late subscription misses none.
        (&[3, 5], late(), "gap 5 [4-4||1-2 Late|]"),
        (&[1, 2], late(), "whole 2 [|||]"),
        (
            &[3, 5],
            Facts { filtered: true, late: true, ..Facts::default() },
            "unprovable 5 [||1-2 Filtered,4-4 Filtered|]",
        ),
        // What the server tells settles it.
        (&[1, 4], told(&[(2, Unwanted), (3, Unwanted)]), "whole 4 [|||]"),
        (&[3], told(&[(1, Before), (2, Before)]), "whole 3 [|||]"),
        (&[1], told(&[(2, Waiting), (3, Waiting)]), "waiting 3 [|||2-3]"),
        (&[1, 3], told(&[(2, Delivered)]), "gap 3 [2-2|||]"),
        (&[1, 3], told(&[(2, Dead)]), "gap 3 [|2-2||]"),
        (&[], told(&[(1, Delivered), (2, Delivered), (3, Waiting)]), "gap 3 [1-2|||3-3]"),
        (&[], Facts::default(), "whole 0 [|||]"),
        // It tells of a part, since the rest is over its retention.
        (
            &[1, 6],
            Facts { told: told(&[(4, Unwanted), (5, Delivered)]).told, ..filtered() },
            "gap 6 [5-5||2-3 Filtered|]",
        ),
        (&[1, 5], told(&[(3, Delivered)]), "gap 5 [2-4|||]"),
    ];
    for (numbers, facts, wanted) in table {
        assert_eq!(said(numbers, &facts), wanted, "{numbers:?} {facts:?}");
    }
}

#[test]
fn repeats_are_counted_and_two_events_of_one_number_are_a_gap() {
    let mut proof = proof(&[1, 2, 2, 1, 2]);
    let found = proof.find(&key(), &Facts::default());
    assert_eq!((found.held, found.repeats, found.verdict()), (2, 3, Verdict::Whole));
    proof.add(ReceivedEvent { id: "evt-other".into(), ..event(2) });
    let found = proof.find(&key(), &Facts::default());
    assert_eq!((found.conflicts, found.repeats), (vec![2], 3));
    assert_eq!(proof.find(&key(), &Facts::default()).verdict(), Verdict::Gap);
}

#[test]
fn topics_and_owners_have_lines_of_their_own_and_an_end_is_seen() {
    let mut proof = proof(&[8, 9]);
    proof.add(ReceivedEvent { topic: Some("t".into()), ..event(1) });
    proof.add(ReceivedEvent { owner: "env-1".into(), ..event(1) });
    assert_eq!(proof.keys().count(), 3);
    let found = proof.find(&key(), &Facts::default());
    assert_eq!((found.end.as_deref(), found.gaps), (Some("JOB_SUCCEED"), vec![1..=7]));
    let other = LineKey { topic: Some("t".into()), ..key() };
    assert_eq!(proof.find(&other, &Facts::default()).end, None);
    assert_eq!(proof.missing(&key()), [1..=7]);
}

proptest! {
    #[test]
    fn held_and_missing_numbers_are_all_numbers(numbers in proptest::collection::btree_set(1u64..60, 0..40)) {
        let held: Vec<u64> = numbers.iter().copied().collect();
        let found = proof(&held).find(&key(), &Facts::default());
        let mut all: Vec<u64> = found.gaps.iter().cloned().flatten().chain(held.iter().copied()).collect();
        all.sort_unstable();
        prop_assert_eq!(&all, &(1..=found.last).collect::<Vec<_>>());
        prop_assert_eq!(found.verdict() == Verdict::Whole, held.len() as u64 == found.last);
    }
}
