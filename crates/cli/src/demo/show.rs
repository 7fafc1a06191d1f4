//! Prints what arrives, and waits for what must.

use std::fmt::Display;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

use super::DemoError;
use super::event::Arrival;
use super::tally::Tally;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::Table;

/// What subscribers send: messages, or why there will be no more.
pub(super) type Arrivals = Receiver<Result<Arrival, Failure>>;

/// The demo as its audience sees it.
pub(super) struct Show {
    out: Output,
    arrivals: Arrivals,
    patience: Duration,
    tally: Tally,
}

impl Show {
    /// Nothing has arrived yet. `patience` is how long nothing may arrive while something is waited for.
    pub(super) fn new(out: Output, arrivals: Arrivals, patience: Duration) -> Self {
        Self { out, arrivals, patience, tally: Tally::default() }
    }

    /// Prints what arrives until it is enough.
    ///
    /// # Errors
    /// [`DemoError::Silence`] when nothing came for too long; what a subscriber failed with.
    pub(super) async fn until(&mut self, what: &'static str, enough: impl Fn(&Tally) -> bool) -> Result<(), Failure> {
        while !enough(&self.tally) {
            match timeout(self.patience, self.arrivals.recv()).await {
                Ok(Some(arrival)) => self.take(&arrival?)?,
                Ok(None) => return Err(DemoError::ServerEnded.into()),
                Err(_) => {
                    let (seconds, missing) = (self.patience.as_secs(), self.tally.missing());
                    return Err(DemoError::Silence { seconds, what, missing }.into());
                }
            }
        }
        Ok(())
    }

    /// Prints a line.
    pub(super) fn line(&mut self, text: impl Display) -> Result<(), Failure> {
        self.out.line(text)?;
        self.out.flush()
    }

    /// Prints the most frequent words.
    pub(super) fn result(&mut self, words: &[(String, String)]) -> Result<(), Failure> {
        let mut table = Table::new(&["WORD (4 LETTERS OR MORE)", "TIMES"]);
        for (word, times) in words {
            table.row([word.clone(), times.clone()]);
        }
        self.out.line("")?;
        self.out.table(&table)
    }

    /// Prints what was expected and what came.
    pub(super) fn summary(&mut self) -> Result<(), Failure> {
        self.out.line("")?;
        self.out.table(&self.tally.table())?;
        if self.tally.repeated() > 0 {
            self.out.line(format_args!("{} messages came again, with the same EventId", self.tally.repeated()))?;
        }
        self.out.flush()
    }

    fn take(&mut self, arrival: &Arrival) -> Result<(), Failure> {
        let is_first = self.tally.add(arrival)?;
        let Arrival { way, event, .. } = arrival;
        let again = if is_first { "" } else { "  (again)" };
        let subject = format!("{} {}", event.owner, event.part);
        self.line(format_args!(
            "{:<8} {:>5} ms  #{:<3} {:<28} {}{again}",
            way.word(),
            arrival.delay(),
            event.sequence,
            event.name,
            subject.trim_end()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::{Event, Way};
    use super::*;
    use crate::output::testing::Paper;

    fn arrival(way: Way, name: &str, sequence: u64) -> Arrival {
        let (owner, part) = ("job-0000abcd".to_owned(), "count.3".to_owned());
        let id = format!("evt-{sequence}");
        Arrival { way, at: 1_012, event: Event { name: name.into(), owner, part, sequence, id, changed: 1_000 } }
    }

    #[tokio::test]
    async fn each_arrival_is_a_line() {
        let (sender, arrivals) = tokio::sync::mpsc::channel(8);
        let paper = Paper::default();
        let mut show = Show::new(paper.output(), arrivals, Duration::MAX);
        for way in [Way::Callback, Way::Queue, Way::Queue] {
            sender.send(Ok(arrival(way, "TASK_INSTANCE_RUNNING", 1))).await.unwrap();
        }
        sender.send(Ok(arrival(Way::Queue, "JOB_SUCCEED", 2))).await.unwrap();
        show.until("its end", |tally| tally.count("JOB_SUCCEED") == 1).await.unwrap();
        let wanted = "\
callback    12 ms  #1   TASK_INSTANCE_RUNNING        job-0000abcd count.3
queue       12 ms  #1   TASK_INSTANCE_RUNNING        job-0000abcd count.3
queue       12 ms  #1   TASK_INSTANCE_RUNNING        job-0000abcd count.3  (again)
queue       12 ms  #2   JOB_SUCCEED                  job-0000abcd count.3
";
        assert_eq!(paper.text(), wanted);
        drop(sender);
        let ended = show.until("more", |_| false).await;
        assert!(matches!(ended, Err(Failure::Demo(DemoError::ServerEnded))));
    }

    #[tokio::test]
    async fn silence_names_what_is_missing() {
        let (sender, arrivals) = tokio::sync::mpsc::channel(8);
        let mut show = Show::new(Paper::default().output(), arrivals, Duration::ZERO);
        sender.send(Ok(arrival(Way::Callback, "JOB_SUCCEED", 2))).await.unwrap();
        let error = show.until("the job's events", |tally| tally.is_whole("job-0000abcd")).await.unwrap_err();
        let wanted = "waited 0 s for the job's events and nothing came; missing: \
                      by callback 1 of job-0000abcd; by queue 1, 2 of job-0000abcd";
        assert_eq!(error.to_string(), wanted);
    }
}
