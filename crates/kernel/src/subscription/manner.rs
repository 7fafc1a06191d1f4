//! What a subscription asks for beyond CMQ. The default is what CMQ does, with two courtesies that CMQ is silent
//! about: `Retry-After` is obeyed, and a receiver that says it is gone (410) is left alone.

use serde::{Deserialize, Serialize};

use crate::event::Notification;
use crate::limits;
use crate::subscription::Secret;
use crate::topic::StreamNo;

/// How deliveries are made, beyond CMQ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Manner {
    /// In which order.
    pub order: Order,
    /// At most so many posts a second; 0: as many as there are.
    pub posts_per_s: u32,
    /// At most so many posts at once; 0: [`limits::PUSH_IN_FLIGHT`].
    pub concurrency: u32,
    /// Whether `Retry-After` of a 429 or 503 is obeyed.
    pub retry_after: bool,
    /// Whether a 410 pauses the subscription; else it is a failure like any other.
    pub pause_on_gone: bool,
    /// When posts stop because they fail; `None`: never.
    pub circuit: Option<CircuitRule>,
    /// Where messages go that were given up.
    pub dead_letters: Option<DeadLetters>,
    /// Where its own events go: none or one entry, which asks for all of them.
    pub notifications: Vec<Notification>,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            order: Order::default(),
            posts_per_s: 0,
            concurrency: 0,
            retry_after: true,
            pause_on_gone: true,
            circuit: None,
            dead_letters: None,
            notifications: Vec::new(),
        }
    }
}

impl Manner {
    /// Posts in flight at most, within `bound`.
    #[must_use]
    pub fn in_flight(&self, bound: usize) -> usize {
        match usize::try_from(self.concurrency) {
            Ok(0) | Err(_) => bound,
            Ok(asked) => asked.min(bound),
        }
    }

    /// The topic its own events go to, by the name that was given.
    #[must_use]
    pub fn notification_topic(&self) -> Option<&str> {
        self.notifications.first().map(|notification| notification.topic_name.as_str())
    }
}

/// In which order messages are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Order {
    /// As the strategy has it.
    #[default]
    Strategy,
    /// Events of one job or environment one after the other: a failing one holds back only those of its own. Every
    /// other message stands for itself.
    Job,
}

impl Order {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strategy => "STRATEGY",
            Self::Job => "JOB",
        }
    }
}

/// When posts stop because they fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CircuitRule {
    /// After so many failures running no post leaves.
    pub failures: u32,
    /// After so many seconds one post leaves, to find out; after each that fails the pause is twice as long, up to
    /// [`limits::CIRCUIT_PAUSE_MOST_S`].
    pub pause_s: u32,
}

impl CircuitRule {
    /// The pause before probe number `probe`, from 0, in milliseconds.
    #[must_use]
    pub fn pause_ms(&self, probe: u32) -> u64 {
        let most = u64::from(self.pause_s).max(limits::CIRCUIT_PAUSE_MOST_S);
        let doubled = u64::from(self.pause_s).saturating_mul(1 << probe.min(20));
        doubled.min(most) * 1_000
    }
}

/// The queue that given-up messages go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetters {
    /// Its number.
    pub queue: StreamNo,
    /// Its name, as it was given.
    pub name: String,
}

/// What changes in a [`Manner`]; `None` stays. Queues and topics are given by their names, an empty one for none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MannerEdit {
    /// The order.
    pub order: Option<Order>,
    /// Posts a second.
    pub posts_per_s: Option<u32>,
    /// Posts at once.
    pub concurrency: Option<u32>,
    /// Whether `Retry-After` is obeyed.
    pub retry_after: Option<bool>,
    /// Whether a 410 pauses.
    pub pause_on_gone: Option<bool>,
    /// Failures running after which the circuit opens; 0: none.
    pub circuit_failures: Option<u32>,
    /// Seconds before a probe.
    pub circuit_pause_s: Option<u32>,
    /// The queue for given-up messages.
    pub dead_letters: Option<String>,
    /// The topic for its own events.
    pub notify: Option<String>,
    /// What posts are signed with.
    pub signing: Option<Signing>,
}

impl MannerEdit {
    /// Whether it asks for something that only posts have.
    #[must_use]
    pub fn is_of_posts(&self) -> bool {
        *self != Self { dead_letters: self.dead_letters.clone(), notify: self.notify.clone(), ..Self::default() }
    }
}

/// What posts are signed with from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signing {
    /// Nothing.
    Off,
    /// What they are signed with already; a secret that is drawn, if that is nothing.
    Drawn,
    /// This secret.
    Given(Secret),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circuits_pause_doubles_up_to_its_most() {
        let rule = CircuitRule { failures: 5, pause_s: 30 };
        let pauses: Vec<u64> = (0..7).map(|probe| rule.pause_ms(probe) / 1_000).collect();
        assert_eq!(pauses, [30, 60, 120, 240, 480, 600, 600]);
        assert_eq!(CircuitRule { failures: 1, pause_s: 3_600 }.pause_ms(9), 3_600_000, "a longer one is kept as it is");
    }

    #[test]
    fn dead_letters_and_notifications_are_not_of_posts_only() {
        let letters = MannerEdit { dead_letters: Some("q".into()), notify: Some("t".into()), ..MannerEdit::default() };
        assert!(!letters.is_of_posts() && !MannerEdit::default().is_of_posts());
        assert!(MannerEdit { concurrency: Some(1), ..letters }.is_of_posts());
    }
}
