//! A ledger on a database of its own, and an app over it, for tests of actions. No loops run: nothing fills queues
//! from topics.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use kernel::change::What;
use kernel::state::State;
use store::Store;
use store::ledger::Ledger;
use store::sqlite::SqliteStore;
use tempfile::TempDir;

use crate::App;
use crate::app::StateCell;
use crate::config::Config;
use crate::keys::Keys;
use crate::ledger::{LANE_LIMITS, Lanes, LedgerHandle, spawn};
use crate::readers::Readers;
use crate::wakes::QueueWakes;

/// A running ledger. It stops when this is dropped.
pub(crate) struct Running {
    /// The app over it.
    pub(crate) app: App,
    commits: Arc<AtomicUsize>,
    lanes: Arc<Lanes>,
    thread: Option<JoinHandle<()>>,
    _folder: TempDir,
}

impl Running {
    /// Starts a ledger with nothing in it.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::default();
        let store = SqliteStore::open(&folder.path().join("herald.db")).unwrap();
        let readers = Readers::new((0..2).map(|_| store.reader().unwrap()).collect());
        let render: store::ledger::Render = Box::new(|untold| match untold {
            store::ledger::Untold::Event(event) => wire::event::body(event, "here"),
            store::ledger::Untold::Audited(audited, place) => wire::audit::body(audited, place, "here"),
        });
        let ledger = Ledger::open(Box::new(store), config.kernel_settings(), render).unwrap();
        let lanes = Arc::new(Lanes::new(LANE_LIMITS));
        let app = App {
            machines: Arc::default(),
            signatures: Arc::default(),
            ledger: LedgerHandle::new(lanes.clone(), crate::space::Space::endless()),
            settings: Arc::new(config.settings()),
            keys: Arc::new(Keys::of("own", "word")),
            logins: Arc::new(crate::console::Logins::new(Arc::new(Keys::of("own", "word")), false)),
            queue_wakes: Arc::default(),
            logs: Path::new("").into(),
            state: Arc::new(StateCell::new(ledger.state().clone())),
            tally: Arc::default(),
            readers,
        };
        let commits = Arc::new(AtomicUsize::new(0));
        let (state, wakes, counted) = (app.state.clone(), app.queue_wakes.clone(), commits.clone());
        let thread = spawn(ledger, lanes.clone(), Arc::default(), move |committed| {
            counted.fetch_add(1, Ordering::SeqCst);
            state.set(committed.state.clone());
            ring(&wakes, committed.state, committed.changes.iter().map(|change| &change.what));
        });
        Self { app, commits, lanes, thread: Some(thread.unwrap()), _folder: folder }
    }

    /// How many commits have changed something.
    pub(crate) fn commits(&self) -> usize {
        self.commits.load(Ordering::SeqCst)
    }
}

fn ring<'a>(wakes: &QueueWakes, state: &State, changes: impl Iterator<Item = &'a What>) {
    let mut stored = BTreeMap::new();
    for what in changes {
        if let Some(heap) = crate::effects::came_to(what) {
            *stored.entry(state.queue_of(heap).unwrap().no).or_insert(0) += 1;
        }
    }
    for (queue, count) in stored {
        wakes.ring(queue, count);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.lanes.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}
