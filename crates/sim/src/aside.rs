//! A subscription that comes and goes, of a queue that nobody receives from: what is published while it is not there is
//! never in its queue, and what is published while it is there is, once it has been copied.

use std::collections::BTreeMap;

use crate::audit;
use crate::promises::{Promises, There};

/// The queue, and the name of its subscription.
pub(crate) const ASIDE: &str = "aside";
/// The topic it is of.
pub(crate) const OF_TOPIC: &str = "news";

/// What was promised of it.
pub(crate) struct Aside {
    /// Whether it is there.
    subscribed: There,
    /// Of each text that was published, whether it is to be in the queue.
    wanted: BTreeMap<String, There>,
}

impl Default for Aside {
    fn default() -> Self {
        Self { subscribed: There::No, wanted: BTreeMap::new() }
    }
}

impl Aside {
    /// It was made; `done`: how certain that is.
    pub(crate) fn subscribed(&mut self, done: There) {
        match done {
            There::Yes => self.subscribed = There::Yes,
            There::Maybe if self.subscribed == There::No => self.subscribed = There::Maybe,
            There::Maybe | There::No => {}
        }
    }

    /// It was given up; `done`: how certain that is. What had not been copied yet never will be.
    pub(crate) fn unsubscribed(&mut self, done: There) {
        if done == There::No {
            return;
        }
        self.subscribed = if done == There::Yes { There::No } else { There::Maybe.min(self.subscribed) };
        for wanted in self.wanted.values_mut() {
            *wanted = There::Maybe.min(*wanted);
        }
    }

    /// A text was published; `done`: how certain that is.
    pub(crate) fn published(&mut self, text: &str, done: There) {
        self.wanted.insert(text.to_owned(), done.min(self.subscribed));
    }

    /// Whether the queue holds what was promised.
    pub(crate) fn hold(&self, texts: &[String]) -> Result<(), String> {
        let held = audit::queue_holds(texts, &Promises::default(), &self.wanted);
        held.map_err(|wrong| format!("of the subscription that comes and goes: {wrong}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(aside: &Aside, texts: &[&str]) -> bool {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        aside.hold(&texts).is_ok()
    }

    #[test]
    fn what_is_published_while_it_is_there_is_wanted_and_nothing_else() {
        let mut aside = Aside::default();
        aside.published("before", There::Yes);
        aside.subscribed(There::Yes);
        aside.published("with", There::Yes);
        assert!(held(&aside, &["with"]));
        assert!(!held(&aside, &[]) && !held(&aside, &["with", "before"]) && !held(&aside, &["with", "with"]));
        aside.unsubscribed(There::Yes);
        aside.published("after", There::Yes);
        assert!(held(&aside, &["with"]) && held(&aside, &[]) && !held(&aside, &["after"]));
    }

    #[test]
    fn what_nobody_knows_is_no_promise() {
        let mut aside = Aside::default();
        aside.subscribed(There::Maybe);
        aside.published("perhaps", There::Yes);
        assert!(held(&aside, &["perhaps"]) && held(&aside, &[]));
        aside.subscribed(There::Yes);
        aside.published("unanswered", There::Maybe);
        aside.published("with", There::Yes);
        aside.unsubscribed(There::Maybe);
        aside.published("later", There::Yes);
        assert!(held(&aside, &["with", "later"]) && held(&aside, &["unanswered"]) && held(&aside, &[]));
    }
}
