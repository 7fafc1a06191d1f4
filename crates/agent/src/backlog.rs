//! Reports on their way to the server: gathered, numbered by the frame, kept until acknowledged. No IO.
//!
//! Reports wait while enough frames are under way, and then go together in one. So an idle node reports at once, and
//! a busy one sends as many frames as the server commits.

use std::collections::VecDeque;

use wire::node::{REPORTS_PER_FRAME, Report, RunId};

use crate::limits::{BACKLOG_REPORTS, FRAMES_UNDER_WAY};

/// The reports that are not acknowledged yet.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    waiting: VecDeque<Report>,
    /// In the order of their numbers.
    frames: VecDeque<ReportFrame>,
    /// How many of `frames`, from the first on, have been sent on the present connection.
    sent: usize,
    last_number: u64,
}

/// A frame of reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReportFrame {
    pub(crate) number: u64,
    pub(crate) reports: Vec<Report>,
}

impl Backlog {
    /// Adds what happened last.
    pub(crate) fn push(&mut self, report: Report) {
        self.waiting.push_back(report);
    }

    /// Whether so much is unacknowledged that nothing should be begun that leads to more. Reports are still taken.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() + self.frames.iter().map(|frame| frame.reports.len()).sum::<usize>() >= BACKLOG_REPORTS
    }

    /// Whether [`Backlog::next_frame`] has something to give.
    pub(crate) fn has_next_frame(&self) -> bool {
        self.sent < self.frames.len() || (self.frames.len() < FRAMES_UNDER_WAY && !self.waiting.is_empty())
    }

    /// The next frame to be sent: one that the present connection has not seen yet, or else a new one.
    pub(crate) fn next_frame(&mut self) -> Option<ReportFrame> {
        if !self.has_next_frame() {
            return None;
        }
        if self.sent == self.frames.len() {
            let count = self.waiting.len().min(REPORTS_PER_FRAME);
            self.last_number += 1;
            self.frames
                .push_back(ReportFrame { number: self.last_number, reports: self.waiting.drain(..count).collect() });
        }
        self.sent += 1;
        self.frames.get(self.sent - 1).cloned()
    }

    /// The server has committed this frame and all before it.
    pub(crate) fn acknowledge(&mut self, number: u64) {
        while self.frames.front().is_some_and(|frame| frame.number <= number) {
            self.frames.pop_front();
            self.sent = self.sent.saturating_sub(1);
        }
    }

    /// A new connection has seen nothing yet.
    pub(crate) fn reconnect(&mut self) {
        self.sent = 0;
    }

    /// Whether an unacknowledged report is about this run.
    pub(crate) fn mentions(&self, run: RunId) -> bool {
        let framed = self.frames.iter().flat_map(|frame| &frame.reports);
        framed.chain(&self.waiting).any(|report| report.run() == run)
    }

    /// Whether everything is acknowledged.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.frames.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use kernel::id::JobId;

    use super::*;

    fn run(index: u32) -> RunId {
        RunId { job: JobId::from_number(1).unwrap(), task: 0, index, attempt: 1 }
    }

    fn push(backlog: &mut Backlog, indexes: std::ops::Range<u32>) {
        for index in indexes {
            backlog.push(Report::Revoked { run: run(index) });
        }
    }

    /// The frames that can be sent now, each as its number and the indexes of its runs.
    fn send(backlog: &mut Backlog) -> Vec<(u64, Vec<u32>)> {
        std::iter::from_fn(|| backlog.next_frame())
            .map(|frame| (frame.number, frame.reports.iter().map(|report| report.run().index).collect()))
            .collect()
    }

    #[test]
    fn reports_gather_while_frames_are_under_way() {
        let mut backlog = Backlog::default();
        assert_eq!(send(&mut backlog), []);
        push(&mut backlog, 0..1);
        assert_eq!(send(&mut backlog), [(1, vec![0])]);
        push(&mut backlog, 1..3);
        assert_eq!(send(&mut backlog), [(2, vec![1, 2])]);
        push(&mut backlog, 3..6);
        assert!(!backlog.has_next_frame());
        assert_eq!(send(&mut backlog), []);
        backlog.acknowledge(1);
        assert_eq!(send(&mut backlog), [(3, vec![3, 4, 5])]);
        backlog.acknowledge(3);
        assert!(backlog.is_empty());
    }

    #[test]
    fn a_new_connection_repeats_what_is_not_acknowledged() {
        let mut backlog = Backlog::default();
        push(&mut backlog, 0..1);
        send(&mut backlog);
        push(&mut backlog, 1..2);
        send(&mut backlog);
        push(&mut backlog, 2..3);
        backlog.reconnect();
        assert_eq!(send(&mut backlog), [(1, vec![0]), (2, vec![1])]);
        backlog.acknowledge(1);
        backlog.reconnect();
        assert_eq!(send(&mut backlog), [(2, vec![1]), (3, vec![2])]);
        backlog.acknowledge(1);
        assert!(!backlog.is_empty(), "an old acknowledgement changes nothing");
        backlog.acknowledge(9);
        assert!(backlog.is_empty());
        push(&mut backlog, 3..4);
        assert_eq!(send(&mut backlog), [(4, vec![3])]);
    }

    #[test]
    fn a_frame_has_a_limit() {
        let mut backlog = Backlog::default();
        let most = u32::try_from(REPORTS_PER_FRAME).unwrap();
        push(&mut backlog, 0..most + 1);
        let frames = send(&mut backlog);
        assert_eq!(frames[0].1.len(), REPORTS_PER_FRAME);
        assert_eq!(frames[1].1, [most]);
    }

    #[test]
    fn a_full_backlog_still_takes_reports() {
        let mut backlog = Backlog::default();
        push(&mut backlog, 0..u32::try_from(BACKLOG_REPORTS).unwrap() - 1);
        send(&mut backlog);
        assert!(!backlog.is_full());
        push(&mut backlog, 9_999..10_001);
        assert!(backlog.is_full());
        assert!([0, 2_000, 10_000].into_iter().all(|index| backlog.mentions(run(index))));
        assert!(!backlog.mentions(run(77_777)));
    }
}
