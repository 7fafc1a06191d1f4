//! Whether posts of a subscription may leave: its [`Stage`], as the loop leads it on.
//!
//! A `Retry-After` closes the gate for as long as the receiver asks. A circuit breaker closes it after so many failures
//! running, and lets one post through at the end of each pause: the probe, whose answer opens the gate or begins a
//! longer pause. A receiver that says it is gone closes it until somebody resumes the subscription.

use crate::delivery::Outcome;
use crate::limits;
use crate::subscription::{Manner, PauseReason, Stage, Subscription};
use crate::time::Timestamp;

/// The status of a receiver that is gone.
const GONE: u16 = 410;
/// The statuses whose `Retry-After` says when to come back.
const COME_BACK: [u16; 2] = [429, 503];

/// What came of a post, as far as it concerns the gate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer<'a> {
    pub(super) seq: u64,
    pub(super) outcome: &'a Outcome,
    pub(super) retry_after_ms: Option<u64>,
    pub(super) at: Timestamp,
}

impl Answer<'_> {
    fn status(&self) -> Option<u16> {
        match self.outcome {
            Outcome::Replied { status, .. } => Some(*status),
            Outcome::Failed { .. } => None,
        }
    }

    /// Whether the receiver says that it is gone, and that counts.
    pub(super) fn is_gone(&self, manner: &Manner) -> bool {
        manner.pause_on_gone && self.status() == Some(GONE)
    }

    /// Until when the receiver asks to be left alone.
    fn hold(&self, manner: &Manner) -> Option<Timestamp> {
        Some(self.at.plus_ms(asked_ms(self.outcome, self.retry_after_ms, manner)?))
    }
}

/// For how many milliseconds a receiver asks to be left alone, within bounds, where its subscription obeys that.
pub(crate) fn asked_ms(outcome: &Outcome, retry_after_ms: Option<u64>, manner: &Manner) -> Option<u64> {
    let Outcome::Replied { status, .. } = outcome else { return None };
    let asked = retry_after_ms.filter(|ms| manner.retry_after && COME_BACK.contains(status) && *ms > 0)?;
    Some(asked.min(limits::RETRY_AFTER_MOST_MS))
}

#[derive(Debug)]
pub(super) struct Gate {
    stage: Stage,
    /// The stage as others know it, or will with the last record.
    told: Stage,
    /// Failures running.
    failures: u32,
    /// The message whose post is to find out whether the circuit may close.
    probe: Option<u64>,
}

impl Gate {
    pub(super) fn new(subscription: &Subscription) -> Self {
        let (stage, failures) = (subscription.stage, subscription.health.failures);
        Self { stage, told: stage, failures, probe: None }
    }

    /// Somebody may have paused or resumed the subscription.
    pub(super) fn changed(&mut self, subscription: &Subscription) {
        if subscription.stage != self.told {
            (self.stage, self.told) = (subscription.stage, subscription.stage);
            self.probe = None;
            if self.stage == Stage::Active {
                self.failures = 0;
            }
        }
    }

    /// When a post may leave, as things stand; long ago, if one may.
    pub(super) fn opens(&self) -> Timestamp {
        match self.stage {
            Stage::Active => Timestamp::default(),
            Stage::Held { until } => until,
            Stage::Broken { until, .. } if self.probe.is_none() => until,
            Stage::Broken { .. } | Stage::Paused { .. } => Timestamp::NEVER,
        }
    }

    pub(super) fn is_open(&self, now: Timestamp) -> bool {
        self.opens() <= now
    }

    /// A post leaves.
    pub(super) fn passed(&mut self, seq: u64) {
        match self.stage {
            Stage::Held { .. } => self.stage = Stage::Active,
            Stage::Broken { .. } => self.probe = Some(seq),
            Stage::Active | Stage::Paused { .. } => {}
        }
    }

    /// A post has no answer, and will have none.
    pub(super) fn gone(&mut self, seq: u64) {
        self.probe = self.probe.filter(|probe| *probe != seq);
    }

    /// A post was answered.
    pub(super) fn answered(&mut self, answer: Answer<'_>, manner: &Manner) {
        let was_probe = self.probe == Some(answer.seq);
        self.gone(answer.seq);
        if answer.outcome.is_success() {
            self.failures = 0;
            if matches!(self.stage, Stage::Broken { .. }) {
                (self.stage, self.probe) = (Stage::Active, None);
            }
            return;
        }
        self.failures = self.failures.saturating_add(1);
        if self.stage.is_paused() {
            return;
        }
        if answer.is_gone(manner) {
            self.stage = Stage::Paused { why: PauseReason::Gone, since: answer.at };
            return;
        }
        self.failed(answer.hold(manner), answer.at, was_probe, manner);
    }

    fn failed(&mut self, hold: Option<Timestamp>, at: Timestamp, was_probe: bool, manner: &Manner) {
        let hold = hold.unwrap_or_default();
        let rule = manner.circuit.filter(|rule| self.failures >= rule.failures);
        self.stage = match (self.stage, manner.circuit, rule) {
            (Stage::Broken { since, until, probes }, Some(rule), _) if was_probe => {
                let probes = probes.saturating_add(1);
                Stage::Broken { since, until: hold.max(until).max(at.plus_ms(rule.pause_ms(probes))), probes }
            }
            // It left before the circuit opened.
            (Stage::Broken { since, until, probes }, Some(_), _) => {
                Stage::Broken { since, until: until.max(hold), probes }
            }
            (stage, _, Some(rule)) => {
                let pause = at.plus_ms(rule.pause_ms(0));
                Stage::Broken { since: at, until: pause.max(hold).max(held_until(stage)), probes: 0 }
            }
            (stage, _, None) if hold > held_until(stage) => Stage::Held { until: hold },
            // Without its rule the circuit closes.
            (Stage::Broken { .. }, None, None) => Stage::Active,
            (stage, _, None) => stage,
        };
    }

    /// The stage, if others do not know it yet; from now on they do.
    pub(super) fn tell(&mut self) -> Option<Stage> {
        let news = (self.stage != self.told).then_some(self.stage);
        self.told = self.stage;
        news
    }

    /// Whether others should know of the stage soon. That a wait is over needs no telling.
    pub(super) fn has_news(&self) -> bool {
        self.stage != self.told && !(self.stage == Stage::Active && matches!(self.told, Stage::Held { .. }))
    }
}

fn held_until(stage: Stage) -> Timestamp {
    match stage {
        Stage::Held { until } => until,
        _ => Timestamp::default(),
    }
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
