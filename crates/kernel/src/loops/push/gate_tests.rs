//! Tables of what closes the gate, and for how long.

use super::*;
use crate::loops::push::tests::{START, subscription};
use crate::subscription::{CircuitRule, Strategy};

/// A gate with its manner and its clock.
struct Stand {
    gate: Gate,
    manner: Manner,
    now: Timestamp,
}

impl Stand {
    fn new(manner: Manner) -> Self {
        Self { gate: Gate::new(&subscription(Strategy::default(), &[])), manner, now: START }
    }

    fn answer(&mut self, seq: u64, status: u16, retry_after_ms: Option<u64>) {
        let outcome = Outcome::Replied { status, body: String::new() };
        self.gate.answered(Answer { seq, outcome: &outcome, retry_after_ms, at: self.now }, &self.manner);
    }

    /// Seconds after the start at which the gate opens; `None`: open now; -1: never.
    fn opens_s(&self) -> Option<i64> {
        let opens = self.gate.opens();
        match opens {
            Timestamp::NEVER => Some(-1),
            _ if self.gate.is_open(self.now) => None,
            _ => Some(i64::try_from(opens.since_ms(START)).unwrap() / 1_000),
        }
    }
}

fn with_circuit(failures: u32, pause_s: u32) -> Manner {
    Manner { circuit: Some(CircuitRule { failures, pause_s }), ..Manner::default() }
}

#[test]
fn retry_after_holds_for_as_long_as_it_says_within_an_hour() {
    let table = [
        (429, Some(7_000), Some(7)),
        (503, Some(120_000), Some(120)),
        (429, Some(86_400_000), Some(3_600)),
        (429, Some(0), None),
        (429, None, None),
        (500, Some(7_000), None),
        (302, Some(7_000), None),
    ];
    for (status, retry_after_ms, opens_s) in table {
        let mut stand = Stand::new(Manner::default());
        stand.answer(1, status, retry_after_ms);
        assert_eq!(stand.opens_s(), opens_s, "{status} {retry_after_ms:?}");
    }
    let mut stand = Stand::new(Manner { retry_after: false, ..Manner::default() });
    stand.answer(1, 429, Some(7_000));
    assert_eq!(stand.opens_s(), None, "unless the subscription does not obey it");
}

#[test]
fn the_longest_of_several_retry_afters_counts_and_time_ends_it() {
    let mut stand = Stand::new(Manner::default());
    stand.answer(1, 429, Some(60_000));
    stand.answer(2, 429, Some(5_000));
    assert_eq!((stand.opens_s(), stand.gate.tell()), (Some(60), Some(Stage::Held { until: START.plus_s(60) })));
    stand.answer(3, 200, None);
    assert_eq!(stand.opens_s(), Some(60), "a success that was under way changes nothing");
    stand.now = START.plus_s(60);
    assert!(stand.gate.is_open(stand.now));
    stand.gate.passed(4);
    assert!(!stand.gate.has_news(), "that it is over is told with the next record");
    assert_eq!(stand.gate.tell(), Some(Stage::Active));
}

#[test]
fn gone_closes_the_gate_until_somebody_resumes() {
    let mut stand = Stand::new(Manner::default());
    stand.answer(1, 410, None);
    let paused = Stage::Paused { why: PauseReason::Gone, since: START };
    assert_eq!((stand.opens_s(), stand.gate.tell()), (Some(-1), Some(paused)));
    stand.answer(2, 200, None);
    assert_eq!(stand.opens_s(), Some(-1), "also when a post that was under way succeeds");
    stand.gate.changed(&subscription(Strategy::default(), &[]));
    assert_eq!(stand.opens_s(), None);
    let mut stand = Stand::new(Manner { pause_on_gone: false, ..Manner::default() });
    stand.answer(1, 410, None);
    assert_eq!(stand.opens_s(), None, "unless the subscription takes it for a failure like others");
}

#[test]
fn a_circuit_opens_after_failures_running_and_probes_after_longer_and_longer_pauses() {
    let mut stand = Stand::new(with_circuit(3, 30));
    for (status, opens_s) in [(500, None), (500, None), (200, None), (500, None), (500, None), (500, Some(30))] {
        stand.answer(1, status, None);
        assert_eq!(stand.opens_s(), opens_s);
    }
    stand.answer(2, 500, None);
    assert_eq!(stand.opens_s(), Some(30), "what left before changes nothing");
    let mut at_s = 30;
    for pause_s in [60, 120, 240, 480, 600, 600] {
        stand.now = START.plus_s(at_s);
        assert!(stand.gate.is_open(stand.now), "half open");
        stand.gate.passed(9);
        assert_eq!(stand.opens_s(), Some(-1), "for one");
        stand.answer(9, 500, None);
        at_s += pause_s;
        assert_eq!(stand.opens_s(), i64::try_from(at_s).ok());
    }
    stand.now = START.plus_s(at_s);
    stand.gate.passed(9);
    stand.answer(9, 204, None);
    assert_eq!((stand.opens_s(), stand.gate.tell()), (None, None), "closed again, as if nothing had been");
    stand.answer(9, 500, None);
    assert_eq!(stand.opens_s(), None, "counted anew");
}

#[test]
fn a_probe_is_held_by_retry_after_too_and_its_loss_lets_another_through() {
    let mut stand = Stand::new(with_circuit(1, 10));
    stand.answer(1, 503, Some(60_000));
    assert_eq!(stand.opens_s(), Some(60));
    stand.now = START.plus_s(60);
    stand.gate.passed(1);
    stand.gate.gone(1);
    assert!(stand.gate.is_open(stand.now));
    stand.gate.passed(2);
    stand.answer(2, 503, Some(600_000));
    assert_eq!(stand.opens_s(), Some(660));
}

#[test]
fn an_open_circuit_survives_a_restart_and_ends_with_its_rule() {
    let broken = Stage::Broken { since: START, until: START.plus_s(30), probes: 0 };
    let row = Subscription { stage: broken, ..subscription(Strategy::default(), &[]) };
    let mut stand = Stand::new(Manner::default());
    stand.gate = Gate::new(&row);
    assert_eq!(stand.opens_s(), Some(30));
    stand.answer(1, 500, None);
    assert_eq!(stand.opens_s(), None, "the subscription has no circuit any more");
}
