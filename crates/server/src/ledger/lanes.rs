//! The lanes: where work waits for the ledger's thread, and how much of each a batch takes.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use kernel::command::{Command, Reply};
use kernel::time::Timestamp;
use store::Swept;
use tokio::sync::oneshot::Sender;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use super::{Lane, SubmitError};

/// What waits.
#[derive(Debug)]
pub(crate) enum Work {
    /// A command, and whom to answer.
    Command(Command, Sender<Result<Reply, SubmitError>>),
    /// The removal of old rows, among them jobs that ended at this moment or before, and whom to tell.
    Sweep(Timestamp, Sender<Result<Swept, SubmitError>>),
}

/// A lane's bounds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LaneLimits {
    /// How much may wait.
    pub(crate) room: usize,
    /// How much of a batch it may fill; see [`Work::weight`]. At least one is taken.
    pub(crate) share: usize,
}

/// The bounds of each lane, in the order of [`Lane`].
pub(crate) const LANE_LIMITS: [LaneLimits; 4] = [
    LaneLimits { room: 4_096, share: 1_024 },
    LaneLimits { room: 1_024, share: 128 },
    LaneLimits { room: 4_096, share: 512 },
    LaneLimits { room: 1_024, share: 1_024 },
];

/// The lanes of one ledger.
#[derive(Debug)]
pub(crate) struct Lanes {
    waiting: Mutex<Waiting>,
    bell: Condvar,
    rooms: [Arc<Semaphore>; 4],
    limits: [LaneLimits; 4],
}

#[derive(Debug, Default)]
struct Waiting {
    lanes: [VecDeque<Placed>; 4],
    stopping: bool,
}

/// Work in its place; the place is free again when this is dropped.
#[derive(Debug)]
struct Placed {
    work: Work,
    _room: OwnedSemaphorePermit,
}

impl Work {
    /// How much it adds to a batch: about the number of rows that it touches.
    fn weight(&self) -> usize {
        match self {
            Self::Command(Command::NodeReports(_, reports), _) => reports.len().max(1),
            Self::Command(Command::TakeSamples(_, samples), _) => samples.len().max(1),
            Self::Command(Command::FanOut { messages, .. }, _) => messages.len().max(1),
            Self::Command(Command::RecordDeliveries(record), _) => (record.put.len() + record.attempts.len()).max(1),
            Self::Command(..) => 1,
            // A transaction of its own.
            Self::Sweep(..) => 512,
        }
    }
}

impl Lanes {
    pub(crate) fn new(limits: [LaneLimits; 4]) -> Self {
        let rooms = limits.map(|limit| Arc::new(Semaphore::new(limit.room)));
        Self { waiting: Mutex::default(), bell: Condvar::new(), rooms, limits }
    }

    /// Puts work into a lane, if there is room.
    pub(super) fn push(&self, lane: Lane, work: Work) -> Result<(), SubmitError> {
        match self.rooms[lane as usize].clone().try_acquire_owned() {
            Ok(room) => self.place(lane, Placed { work, _room: room }),
            Err(TryAcquireError::NoPermits) => Err(SubmitError::Busy),
            Err(TryAcquireError::Closed) => Err(SubmitError::Stopping),
        }
    }

    /// Puts work into a lane once there is room. Who came first is first.
    pub(super) async fn push_patiently(&self, lane: Lane, work: Work) -> Result<(), SubmitError> {
        let room = self.rooms[lane as usize].clone().acquire_owned().await.map_err(|_| SubmitError::Stopping)?;
        self.place(lane, Placed { work, _room: room })
    }

    fn place(&self, lane: Lane, placed: Placed) -> Result<(), SubmitError> {
        let mut waiting = self.lock();
        if waiting.stopping {
            return Err(SubmitError::Stopping);
        }
        waiting.lanes[lane as usize].push_back(placed);
        drop(waiting);
        self.bell.notify_one();
        Ok(())
    }

    /// How much waits in a lane.
    pub(crate) fn waiting(&self, lane: Lane) -> usize {
        self.lock().lanes[lane as usize].len()
    }

    /// Whether nothing more is taken.
    pub(crate) fn is_stopping(&self) -> bool {
        self.lock().stopping
    }

    /// Takes nothing more. What waits is still to be done.
    pub(crate) fn stop(&self) {
        self.lock().stopping = true;
        self.rooms.iter().for_each(|room| room.close());
        self.bell.notify_one();
    }

    /// The next batch: what waits, up to each lane's share. Waits for work until `wake`, then gives an empty batch;
    /// `None` when there is no more to come.
    pub(super) fn next(&self, wake: Instant) -> Option<Vec<Work>> {
        let mut waiting = self.lock();
        loop {
            if waiting.lanes.iter().any(|lane| !lane.is_empty()) {
                return Some(self.take(&mut waiting));
            }
            if waiting.stopping {
                return None;
            }
            let left = wake.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Some(Vec::new());
            }
            waiting = self.bell.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn take(&self, waiting: &mut Waiting) -> Vec<Work> {
        let mut batch = Vec::new();
        for (lane, limits) in waiting.lanes.iter_mut().zip(self.limits) {
            let mut taken = 0;
            while let Some(next) = lane.front() {
                let weight = next.work.weight();
                if taken > 0 && taken + weight > limits.share {
                    break;
                }
                taken += weight;
                batch.extend(lane.pop_front().map(|placed| placed.work));
            }
        }
        batch
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc as StdArc;

    use kernel::id::NodeId;
    use tokio::sync::oneshot;

    use super::*;
    use crate::testing::poll;

    const SMALL: LaneLimits = LaneLimits { room: 3, share: 2 };

    fn lanes() -> StdArc<Lanes> {
        StdArc::new(Lanes::new([SMALL; 4]))
    }

    fn work() -> Work {
        Work::Command(Command::Tick, oneshot::channel().0)
    }

    fn reports(count: usize) -> Work {
        let node = NodeId::from_number(1).unwrap();
        let run = kernel::instance::RunId { job: kernel::id::JobId::FIRST, task: 0, index: 0, attempt: 1 };
        let reports = vec![kernel::command::Report::Started(run); count];
        Work::Command(Command::NodeReports(node, reports), oneshot::channel().0)
    }

    fn now() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_batch_takes_a_share_of_each_lane_in_order() {
        let lanes = lanes();
        for lane in [Lane::Background, Lane::Node] {
            for _ in 0..3 {
                lanes.push(lane, work()).unwrap();
            }
        }
        assert_eq!(lanes.next(now()).unwrap().len(), 4);
        assert_eq!(lanes.next(now()).unwrap().len(), 2);
        assert_eq!(lanes.next(now()).unwrap().len(), 0, "the time to wake has come");
    }

    #[test]
    fn work_counts_by_its_weight_and_too_heavy_work_goes_alone() {
        let lanes = lanes();
        for count in [1, 5, 1] {
            lanes.push(Lane::Node, reports(count)).unwrap();
        }
        let sizes: Vec<usize> = (0..4).map(|_| lanes.next(now()).unwrap().len()).collect();
        assert_eq!(sizes, [1, 1, 1, 0]);
    }

    #[test]
    fn a_full_lane_refuses_until_a_batch_has_been_taken() {
        let lanes = lanes();
        for _ in 0..3 {
            lanes.push(Lane::Api, work()).unwrap();
        }
        assert_eq!(lanes.push(Lane::Api, work()), Err(SubmitError::Busy));
        assert_eq!(lanes.push(Lane::Messages, work()), Ok(()), "the other lanes have room");
        lanes.next(now()).unwrap();
        assert_eq!(lanes.push(Lane::Api, work()), Ok(()));
    }

    #[tokio::test]
    async fn the_patient_wait_for_room() {
        let lanes = lanes();
        for _ in 0..3 {
            lanes.push(Lane::Node, work()).unwrap();
        }
        let mut waiting = Box::pin(lanes.push_patiently(Lane::Node, work()));
        assert!(poll(waiting.as_mut()).is_pending());
        lanes.next(now()).unwrap();
        waiting.await.unwrap();
    }

    #[tokio::test]
    async fn what_waits_is_done_before_the_end_and_nothing_more_is_taken() {
        let lanes = lanes();
        lanes.push(Lane::Api, work()).unwrap();
        lanes.stop();
        assert_eq!(lanes.push(Lane::Api, work()), Err(SubmitError::Stopping));
        assert_eq!(lanes.push_patiently(Lane::Node, work()).await, Err(SubmitError::Stopping));
        assert_eq!(lanes.next(now()).unwrap().len(), 1);
        assert!(lanes.next(now()).is_none());
    }

    #[test]
    fn work_wakes_the_thread() {
        let lanes = lanes();
        let far = now() + std::time::Duration::from_secs(3_600);
        let waiting = {
            let lanes = lanes.clone();
            std::thread::spawn(move || lanes.next(far).unwrap().len())
        };
        lanes.push(Lane::Api, work()).unwrap();
        assert_eq!(waiting.join().unwrap(), 1);
    }
}
