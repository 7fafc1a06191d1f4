//! A ledger on a database of its own, and an app over it, for what calls actions with anything: tests and fuzzing. No
//! loops run and nothing listens: nothing fills queues from topics, and no post goes anywhere.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use kernel::change::What;
use kernel::state::State;
use serde_json::Value;
use store::Store;
use store::ledger::Ledger;
use store::sqlite::SqliteStore;
use tempfile::TempDir;
use wire::call::{Call, ReadError};
use wire::request::HttpRequest;

use crate::App;
use crate::api::answer_unverified;
use crate::app::StateCell;
use crate::config::Config;
use crate::keys::{KeyPair, Keys};
use crate::ledger::{LANE_LIMITS, Lanes, LedgerHandle, spawn};
use crate::outbound::Guard;
use crate::readers::Readers;
use crate::seal::MasterKey;
use crate::wakes::QueueWakes;

/// A running ledger. It stops when this is dropped.
#[derive(Debug)]
pub struct Running {
    /// The app over it.
    pub app: App,
    commits: Arc<AtomicUsize>,
    lanes: Arc<Lanes>,
    thread: Option<JoinHandle<()>>,
    _folder: TempDir,
}

impl Running {
    /// Starts a ledger with nothing in it.
    ///
    /// # Panics
    /// Where no database can be made: whoever asks for one has no use for less.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = Config::default();
        let store = SqliteStore::open(&folder.path().join("herald.db")).expect("a database");
        let readers = Readers::new((0..2).map(|_| store.reader().expect("a reader")).collect());
        let render: store::ledger::Render = Box::new(|untold| match untold {
            store::ledger::Untold::Event(event) => wire::event::body(event, "here"),
            store::ledger::Untold::Audited(audited, place) => wire::audit::body(audited, place, "here"),
        });
        let ledger = Ledger::open(Box::new(store), config.kernel_settings(), render).expect("a ledger");
        let lanes = Arc::new(Lanes::new(LANE_LIMITS));
        let state = Arc::new(StateCell::new(ledger.state().clone()));
        let master = MasterKey::draw().ok().and_then(|text| MasterKey::parse(&text)).expect("a key");
        let own = KeyPair { secret_id: "own".into(), secret_key: "word".into() };
        let keys = Arc::new(Keys::new(own, state.clone(), master));
        let app = App {
            machines: Arc::default(),
            signatures: Arc::default(),
            ledger: LedgerHandle::new(lanes.clone(), crate::space::Space::endless()),
            settings: Arc::new(config.settings()),
            keys: keys.clone(),
            logins: Arc::new(crate::console::Logins::new(keys, false)),
            queue_wakes: Arc::default(),
            logs: Path::new("").into(),
            state: state.clone(),
            tally: Arc::default(),
            readers,
        };
        let commits = Arc::new(AtomicUsize::new(0));
        let (wakes, counted) = (app.queue_wakes.clone(), commits.clone());
        let thread = spawn(ledger, lanes.clone(), Arc::default(), move |committed| {
            counted.fetch_add(1, Ordering::SeqCst);
            state.set(committed.state.clone());
            ring(&wakes, committed.state, committed.changes.iter().map(|change| &change.what));
        });
        Self { app, commits, lanes, thread: Some(thread.expect("a thread")), _folder: folder }
    }

    /// Answers a request as the server would whose caller may do everything and signed it well; a code and a message
    /// for what is refused, `None` for what calls nothing.
    pub async fn answer(&self, request: HttpRequest) -> Option<Result<Value, (String, String)>> {
        match Call::read(request) {
            Ok(call) => answer_unverified(&self.app, &call).await,
            Err(ReadError::Api3(error)) => Some(Err((error.code.to_owned(), error.message))),
            Err(ReadError::V2 { error, .. }) => Some(Err((error.code.to_string(), error.to_string()))),
        }
    }

    /// How many commits have changed something.
    #[must_use]
    pub fn commits(&self) -> usize {
        self.commits.load(Ordering::SeqCst)
    }
}

/// Whether a server that is for the whole network, and allows no addresses of its own, may post to a URL, as far as that
/// tells by itself.
///
/// # Errors
/// Why not.
pub fn may_post_to(url: &str) -> Result<(), String> {
    Guard::new(Vec::new(), IpAddr::V4(Ipv4Addr::UNSPECIFIED)).checked(url).map(drop)
}

fn ring<'a>(wakes: &QueueWakes, state: &State, changes: impl Iterator<Item = &'a What>) {
    let mut stored = BTreeMap::new();
    for what in changes {
        if let Some(queue) = crate::effects::came_to(what).and_then(|heap| state.queue_of(heap)) {
            *stored.entry(queue.no).or_insert(0) += 1;
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
            thread.join().expect("the ledger ended well");
        }
    }
}
