//! The proof that no event is missing, from those that were received (the event contract, section 4.3).
//!
//! `Sequence` counts the events that one job (or environment) has sent to one topic: 1, 2, 3, without a gap. So whoever
//! holds 1 to n holds all there were up to the nth. A number that is not held is a *gap*, unless it may rightly be
//! missing: a subscription's filter may not want it, the subscription may have begun after it, or it may not have
//! been delivered yet. Where nobody can tell, the truth is *unprovable*, with the reason. What a server tells of
//! single numbers settles them.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::received::ReceivedEvent;

/// The events of one job or environment in one topic.
#[derive(Debug, Default)]
struct Line {
    /// The id and name of the event with each number.
    held: BTreeMap<u64, (String, String)>,
    repeats: u64,
    conflicts: Vec<u64>,
}

/// Whose line it is: the topic, where that is known, and the job or environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineKey {
    /// The topic's name; `None`: what came did not say it.
    pub topic: Option<String>,
    /// The job's or environment's id.
    pub owner: String,
}

/// Everything that was received.
#[derive(Debug, Default)]
pub struct Proof {
    lines: BTreeMap<LineKey, Line>,
}

/// What is known of how events came to the receiver.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The subscription takes only some of the topic's messages.
    pub filtered: bool,
    /// The subscription may have begun after the first event.
    pub late: bool,
    /// What a server tells of single numbers.
    pub told: BTreeMap<u64, Told>,
}

/// What a server tells of an event that it has sent to the topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It was delivered, so whoever does not hold it has lost it.
    Delivered,
    /// It was given up, and never arrived.
    Dead,
    /// It is still to be delivered.
    Waiting,
    /// The subscription's filter does not want it.
    Unwanted,
    /// The subscription began after it.
    Before,
}

/// Why a missing number is neither a gap nor none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// A filter may have left it out.
    Filtered,
    /// The subscription may have begun after it.
    Late,
}

/// What is true of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whose line it is.
    pub key: LineKey,
    /// How many different events are held.
    pub held: u64,
    /// The highest number that is known of, held or not.
    pub last: u64,
    /// How many arrived more than once.
    pub repeats: u64,
    /// The event that ended the job or environment, if it is held.
    pub end: Option<String>,
    /// Numbers that are missing for no reason.
    pub gaps: Vec<RangeInclusive<u64>>,
    /// Numbers that were given up: missing, and named as such by the server.
    pub dead: Vec<RangeInclusive<u64>>,
    /// Numbers that may be missing rightly, and why.
    pub unprovable: Vec<(RangeInclusive<u64>, Why)>,
    /// Numbers that are still to be delivered.
    pub waiting: Vec<RangeInclusive<u64>>,
    /// Numbers that two different events bear.
    pub conflicts: Vec<u64>,
}

/// The truth in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// None is missing.
    Whole,
    /// What is not held is on its way.
    Waiting,
    /// Nobody can tell.
    Unprovable,
    /// Some are missing.
    Gap,
}

impl Verdict {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Waiting => "waiting",
            Self::Unprovable => "unprovable",
            Self::Gap => "gap",
        }
    }
}

impl Proof {
    /// Takes in an event.
    pub fn add(&mut self, event: ReceivedEvent) {
        let line = self.lines.entry(LineKey { topic: event.topic, owner: event.owner }).or_default();
        match line.held.get(&event.sequence) {
            None => {
                line.held.insert(event.sequence, (event.id, event.name));
            }
            Some((id, _)) if *id == event.id => line.repeats += 1,
            Some(_) => line.conflicts.push(event.sequence),
        }
    }

    /// Whose events there are.
    pub fn keys(&self) -> impl Iterator<Item = &LineKey> {
        self.lines.keys()
    }

    /// Numbers of a line that are not held, up to the last that is.
    #[must_use]
    pub fn missing(&self, key: &LineKey) -> Vec<RangeInclusive<u64>> {
        self.lines.get(key).map_or_else(Vec::new, |line| line.missing(line.last()))
    }

    /// What is true of a line, by what is known of it. Nothing is held of a line that nobody has a message of.
    #[must_use]
    pub fn find(&self, key: &LineKey, facts: &Facts) -> Finding {
        let nothing = Line::default();
        self.lines.get(key).unwrap_or(&nothing).find(key.clone(), facts)
    }
}

impl Line {
    fn last(&self) -> u64 {
        self.held.last_key_value().map_or(0, |(number, _)| *number)
    }

    fn missing(&self, through: u64) -> Vec<RangeInclusive<u64>> {
        let mut missing = Vec::new();
        let mut wanted = 1;
        for number in self.held.keys().copied().take_while(|number| *number <= through) {
            if number > wanted {
                missing.push(wanted..=number - 1);
            }
            wanted = number + 1;
        }
        if wanted <= through {
            missing.push(wanted..=through);
        }
        missing
    }

    fn find(&self, key: LineKey, facts: &Facts) -> Finding {
        let told = facts.told.last_key_value().map_or(0, |(number, _)| *number);
        let (first, last) = (self.held.keys().next().copied(), self.last().max(told));
        let ends = |name: &str| {
            matches!(
                name,
                "JOB_SUCCEED" | "JOB_FAILED" | "JOB_FAILED_INTERRUPTED" | "JOB_DELETED" | "COMPUTE_ENV_DELETED"
            )
        };
        let mut finding = Finding {
            key,
            held: self.held.len() as u64,
            last,
            repeats: self.repeats,
            end: self.held.values().rev().map(|(_, name)| name).find(|name| ends(name)).cloned(),
            gaps: Vec::new(),
            dead: Vec::new(),
            unprovable: Vec::new(),
            waiting: Vec::new(),
            conflicts: self.conflicts.clone(),
        };
        for range in self.missing(last) {
            let before_first = first.is_none_or(|first| *range.end() < first);
            finding.judge(range, before_first, facts);
        }
        finding
    }
}

impl Finding {
    /// The truth in one word.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if !(self.gaps.is_empty() && self.dead.is_empty() && self.conflicts.is_empty()) {
            Verdict::Gap
        } else if !self.unprovable.is_empty() {
            Verdict::Unprovable
        } else if !self.waiting.is_empty() {
            Verdict::Waiting
        } else {
            Verdict::Whole
        }
    }

    /// Sorts missing numbers by why they are missing. `first`: none before them is held.
    fn judge(&mut self, range: RangeInclusive<u64>, first: bool, facts: &Facts) {
        let mut from = *range.start();
        for (number, told) in facts.told.range(range.clone()) {
            if *number > from {
                self.guess(from..=number - 1, first, facts);
            }
            from = number + 1;
            let list = match told {
                Told::Delivered => &mut self.gaps,
                Told::Dead => &mut self.dead,
                Told::Waiting => &mut self.waiting,
                Told::Unwanted | Told::Before => continue,
            };
            join(list, *number..=*number);
        }
        if from <= *range.end() {
            self.guess(from..=*range.end(), first, facts);
        }
    }

    /// Of these numbers nobody tells anything.
    fn guess(&mut self, range: RangeInclusive<u64>, first: bool, facts: &Facts) {
        if facts.filtered {
            self.unprovable.push((range, Why::Filtered));
        } else if facts.late && first {
            self.unprovable.push((range, Why::Late));
        } else {
            join(&mut self.gaps, range);
        }
    }
}

/// Adds a range behind all others.
fn join(list: &mut Vec<RangeInclusive<u64>>, range: RangeInclusive<u64>) {
    match list.last_mut() {
        Some(last) if last.end() + 1 == *range.start() => *last = *last.start()..=*range.end(),
        _ => list.push(range),
    }
}

#[cfg(test)]
#[path = "proof_tests.rs"]
mod tests;
