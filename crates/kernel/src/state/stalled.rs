//! Since when nothing of a job runs although something could: for those who want to be told.

use crate::event::EventName;
use crate::id::JobId;
use crate::state::State;

impl State {
    /// Notes since when nothing of a job runs although something could.
    pub(crate) fn index_stalled(&mut self, id: JobId) {
        let known = self.index.stalled_since.get(&id).copied();
        let stalls = self.jobs.get(&id).is_some_and(|job| {
            job.instances.active() == 0
                && !job.phase.is_finished()
                && job.spec.asks_for(EventName::JobBlocked)
                && self.tasks_of(id).any(|task| self.is_ready(task.key))
        });
        match known {
            None if stalls => {
                self.index.stalled.insert((self.now, id));
                self.index.stalled_since.insert(id, self.now);
            }
            Some(since) if !stalls => {
                self.index.stalled.remove(&(since, id));
                self.index.stalled_since.remove(&id);
            }
            _ => {}
        }
    }

    /// Has the time begin anew after which is looked why nothing of a job runs.
    pub(crate) fn stall_anew(&mut self, id: JobId) {
        if let Some(since) = self.index.stalled_since.get(&id).copied() {
            self.index.stalled.remove(&(since, id));
            self.index.stalled.insert((self.now, id));
            self.index.stalled_since.insert(id, self.now);
        }
    }
}
