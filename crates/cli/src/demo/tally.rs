//! Keeps count of the events that came, and knows what is missing.

use std::collections::BTreeMap;

use super::DemoError;
use super::event::{Arrival, Event, Way};
use crate::table::Table;

/// What came, by owner.
#[derive(Debug, Default)]
pub(super) struct Tally {
    owners: BTreeMap<String, Owner>,
    delays: [Vec<i64>; 2],
    repeated: usize,
}

/// The events of one job or environment.
#[derive(Debug, Default)]
struct Owner {
    /// The number of its last event, once that has come either way.
    last: Option<u64>,
    /// Events by number, for each way.
    came: [BTreeMap<u64, Event>; 2],
}

impl Owner {
    /// The numbers that have not come this way, as far as they are known to exist.
    fn missing(&self, way: Way) -> Vec<u64> {
        let seen = self.came.iter().filter_map(|events| events.keys().next_back().copied()).max();
        let known = self.last.or(seen).unwrap_or(0);
        (1..=known).filter(|sequence| !self.came[way as usize].contains_key(sequence)).collect()
    }

    fn is_whole(&self) -> bool {
        self.last.is_some() && Way::ALL.iter().all(|way| self.missing(*way).is_empty())
    }
}

impl Tally {
    /// Counts an arrival. Says whether it is the first of its event this way; a repeat must be the same event.
    pub(super) fn add(&mut self, arrival: &Arrival) -> Result<bool, DemoError> {
        let event = &arrival.event;
        let owner = self.owners.entry(event.owner.clone()).or_default();
        for known in owner.came.iter().filter_map(|events| events.get(&event.sequence)) {
            if known != event {
                return Err(DemoError::TwoFaced {
                    owner: event.owner.clone(),
                    sequence: event.sequence,
                    first: known.id.clone(),
                    second: event.id.clone(),
                });
            }
        }
        if event.is_last() {
            owner.last = Some(event.sequence);
        }
        let is_first = owner.came[arrival.way as usize].insert(event.sequence, event.clone()).is_none();
        if is_first {
            self.delays[arrival.way as usize].push(arrival.delay());
        } else {
            self.repeated += 1;
        }
        Ok(is_first)
    }

    /// How many events of this name have come, in either way.
    pub(super) fn count(&self, name: &str) -> usize {
        let of_owner = |owner: &Owner| {
            let [callback, queue] = &owner.came;
            let either: BTreeMap<_, _> = callback.iter().chain(queue).collect();
            either.values().filter(|event| event.name == name).count()
        };
        self.owners.values().map(of_owner).sum()
    }

    /// Whether all events of this job or environment up to its last have come both ways.
    pub(super) fn is_whole(&self, owner: &str) -> bool {
        self.owners.get(owner).is_some_and(Owner::is_whole)
    }

    /// What is missing, in words.
    pub(super) fn missing(&self) -> String {
        let mut told = Vec::new();
        for (id, owner) in &self.owners {
            for way in Way::ALL {
                let numbers = owner.missing(way);
                if !numbers.is_empty() {
                    told.push(format!("by {} {} of {id}", way.word(), listed(&numbers)));
                }
            }
            if owner.last.is_none() {
                told.push(format!("the last event of {id}"));
            }
        }
        if told.is_empty() { "the first event".to_owned() } else { told.join("; ") }
    }

    /// Expected and received, a row for each owner; none before anything came.
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new(&["OWNER", "EVENTS EXPECTED", "BY CALLBACK", "FROM THE QUEUE", "GAPS"]);
        for (id, owner) in &self.owners {
            let [callback, queue] = Way::ALL.map(|way| owner.came[way as usize].len().to_string());
            let expected = owner.last.map_or("unknown".to_owned(), |last| last.to_string());
            table.row([id.clone(), expected, callback, queue, gaps(owner)]);
        }
        if !table.is_empty() {
            let [callback, queue] = [0, 1].map(|way: usize| median(&self.delays[way]));
            table.row(["median delay".to_owned(), String::new(), callback, queue, String::new()]);
        }
        table
    }

    /// How many messages came more than once.
    pub(super) fn repeated(&self) -> usize {
        self.repeated
    }
}

fn gaps(owner: &Owner) -> String {
    let told = Way::ALL.iter().filter_map(|way| {
        let numbers = owner.missing(*way);
        (!numbers.is_empty()).then(|| format!("{}: {}", way.word(), listed(&numbers)))
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() { "none".to_owned() } else { told.join("; ") }
}

fn listed(numbers: &[u64]) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

fn median(delays: &[i64]) -> String {
    let mut delays = delays.to_vec();
    delays.sort_unstable();
    delays.get(delays.len() / 2).map_or(String::new(), |delay| format!("{delay} ms"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(way: Way, name: &str, sequence: u64) -> Arrival {
        let event = Event {
            name: name.into(),
            owner: "job-1".into(),
            part: String::new(),
            sequence,
            id: format!("evt-{sequence}"),
            changed: 1_000,
        };
        let at = 1_000 + i64::try_from(sequence).unwrap();
        Arrival { way, at, event }
    }

    #[test]
    fn an_owner_is_whole_when_all_came_both_ways() {
        let mut tally = Tally::default();
        assert_eq!(tally.missing(), "the first event");
        for way in Way::ALL {
            assert!(!tally.is_whole("job-1"));
            assert!(tally.add(&arrival(way, "JOB_SUCCEED", 3)).unwrap());
            assert!(tally.add(&arrival(way, "JOB_RUNNING", 1)).unwrap());
            assert!(tally.add(&arrival(way, "TASK_RUNNING", 2)).unwrap());
        }
        assert!(tally.is_whole("job-1") && !tally.is_whole("job-2"));
        assert_eq!((tally.count("TASK_RUNNING"), tally.repeated()), (1, 0));
        let wanted = "\
OWNER         EVENTS EXPECTED  BY CALLBACK  FROM THE QUEUE  GAPS
job-1         3                3            3               none
median delay                   2 ms         2 ms
";
        assert_eq!(tally.table().render(None), wanted);
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut tally = Tally::default();
        tally.add(&arrival(Way::Callback, "JOB_RUNNING", 2)).unwrap();
        assert_eq!(tally.missing(), "by callback 1 of job-1; by queue 1, 2 of job-1; the last event of job-1");
        tally.add(&arrival(Way::Queue, "JOB_SUCCEED", 4)).unwrap();
        assert_eq!(tally.missing(), "by callback 1, 3, 4 of job-1; by queue 1, 2, 3 of job-1");
        assert!(tally.table().render(None).contains("callback: 1, 3, 4; queue: 1, 2, 3"));
    }

    #[test]
    fn a_repeat_is_the_same_event() {
        let mut tally = Tally::default();
        tally.add(&arrival(Way::Callback, "JOB_RUNNING", 1)).unwrap();
        assert!(!tally.add(&arrival(Way::Callback, "JOB_RUNNING", 1)).unwrap());
        assert_eq!(tally.repeated(), 1);
        let other = tally.add(&arrival(Way::Queue, "JOB_FAILED", 1));
        assert!(matches!(other, Err(DemoError::TwoFaced { sequence: 1, .. })));
    }
}
