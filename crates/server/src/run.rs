//! Starting a server, and stopping it in order.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use agent::way::Pin;
use agent::{User, UserError};
use axum::Router;
use kernel::command::Command;
use kernel::topic::FilterType;
use store::ledger::{Ledger, Render, Untold};
use store::sqlite::{Checkpointer, SqliteStore};
use store::{OpenError, Store, StoreError};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::app::{App, StateCell};
use crate::certificate::{Certificate, CertificateError};
use crate::config::{Config, ConfigError};
use crate::console::{Console, Logins};
use crate::data::{DataError, DataFolder};
use crate::door::{Door, Peer};
use crate::effects::{Router as Effects, Signals};
use crate::expiry::Expiry;
use crate::fan_out::FanOut;
use crate::gateway::{self, Gateway, GatewayState, Terms};
use crate::health::{self, Health};
use crate::keys::{self, Keys};
use crate::ledger::{self, LANE_LIMITS, Lane, Lanes, LedgerHandle, SubmitError};
use crate::machines::{self, MachineState, Machines};
use crate::metrics::Metrics;
use crate::nodes::Nodes;
use crate::outbound::{Guard, Outbound, OutboundError};
use crate::provider::Provider;
use crate::provider::everywhere::Everywhere;
use crate::provider::local::LocalProvider;
use crate::pulse::Pulse;
use crate::push::{Push, Seats};
use crate::readers::Readers;
use crate::replays::Replays;
use crate::seal::MasterKey;
use crate::settings::Settings;
use crate::space::{self, Space};
use crate::topic_log::{Tail, TopicLog};
use crate::wakes::QueueWakes;
use crate::{api, checkpoints, clock, console, event_stream, metrics};

/// Connections for the API's reads.
const API_READERS: usize = 4;
/// Connections for the loops' reads, so that neither waits for the other.
const LOOP_READERS: usize = 2;
/// Bytes of a message that clients may publish to the topic of the audit trail, whose own entries are not bounded.
const AUDIT_BYTES: u64 = 65_536;
/// How long that topic keeps them, in seconds, unless it was made by somebody: as long as a topic can.
const AUDIT_KEPT_S: u64 = 1_296_000;
/// How long requests that are under way have when the server stops.
const LAST_REQUESTS: Duration = Duration::from_secs(3);

/// Why a server did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data folder cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Instances cannot run as the user that is configured.
    #[error("failed to have instances run as another user (nodes.user)")]
    User(#[from] UserError),
    /// The database cannot be opened.
    #[error("failed to open the database in {}", data.display())]
    Open {
        /// The data folder.
        data: PathBuf,
        /// Why.
        source: OpenError,
    },
    /// The database cannot be read.
    #[error("failed to read the database in {}", data.display())]
    Store {
        /// The data folder.
        data: PathBuf,
        /// Why.
        source: StoreError,
    },
    /// The certificate cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The address cannot be listened on.
    #[error("failed to listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The HTTP client of pushes cannot be made.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// No address of the console can be made.
    #[error("failed to draw the console's one-time address")]
    Console {
        /// Why.
        source: std::io::Error,
    },
    /// The topic of the audit trail cannot be made.
    #[error("failed to make the topic of the audit trail")]
    Audit(#[source] SubmitError),
    /// A thread cannot be started.
    #[error("failed to start a thread")]
    Thread(#[source] std::io::Error),
    /// One of the loops that forward messages and keep nodes has ended. The next start begins them anew.
    #[error("a loop of the server has ended, so it can only start again")]
    Loop(#[source] Option<tokio::task::JoinError>),
}

/// Where a server is reached that takes requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// The address that is listened on.
    pub address: SocketAddr,
    /// The digest of the certificate, where TLS is spoken.
    pub pin: Option<Pin>,
    /// The URL that leads into the console, once and soon: a secret.
    pub console: String,
}

/// Runs a server until `shutdown` completes, then stops it in order: no more work is taken, what was taken is
/// committed, nodes are left running.
///
/// `agent_program` is the program that nodes are started with, as `PROGRAM agent --home DIR`: the `herald` binary.
/// `ready` is called once, when requests are taken. Needs a multi-threaded runtime of tokio's with all its drivers.
///
/// # Errors
/// [`ServeError`]: the server did not start, or cannot go on.
pub async fn run(
    config: Config,
    agent_program: PathBuf,
    ready: impl FnOnce(Ready),
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    config.check()?;
    let data = DataFolder::take(&config.data)?;
    let listen = |source| ServeError::Listen { address: config.listen, source };
    let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let certificate = Certificate::load(&config.tls, &data, address)?;
    let pin = certificate.as_ref().map(|certificate| certificate.pin);
    let door = Door::open(listener, config.connections, certificate.as_ref()).map_err(listen)?;
    let (stop, stopping) = watch::channel(false);
    let place = Place { address, pin };
    let (mut server, router) = Server::start(&config, &data, agent_program, place, &stopping)?;
    if let Some(topic) = &config.audit.topic {
        server.begin_audit(topic).await?;
    }
    let login = server.logins.address(&server.own, clock::now()).map_err(|source| ServeError::Console { source })?;
    let serving = tokio::spawn(serve(door, router, stopping));
    // Only now, when the listener takes connections, agents are told of it.
    data.write_endpoint(reachable(address), pin)?;
    tracing::info!(%address, data = %config.data.display(), "the server is ready");
    let scheme = if pin.is_some() { "https" } else { "http" };
    ready(Ready { address, pin, console: format!("{scheme}://{}{login}", reachable(address)) });
    let end = tokio::select! {
        () = shutdown => Ok(()),
        ended = server.loops.join_next() => Err(ServeError::Loop(ended.and_then(Result::err))),
    };
    tracing::info!("the server stops");
    stop.send_replace(true);
    server.stop(serving).await;
    end
}

/// Where a server listens, and the digest of the certificate that it shows there.
#[derive(Clone, Copy)]
struct Place {
    address: SocketAddr,
    pin: Option<Pin>,
}

/// What runs beside the listener.
struct Server {
    /// The public half of the installation's own key pair.
    own: String,
    app: App,
    logins: Arc<Logins>,
    lanes: Arc<Lanes>,
    queue_wakes: Arc<QueueWakes>,
    ledger: JoinHandle<()>,
    checkpoints: checkpoints::Running,
    loops: JoinSet<()>,
}

impl Server {
    fn start(
        config: &Config,
        data: &DataFolder,
        agent_program: PathBuf,
        place: Place,
        stopping: &watch::Receiver<bool>,
    ) -> Result<(Self, Router), ServeError> {
        let user = config.nodes.user.as_deref().map(User::find).transpose()?;
        if let Some(user) = &user {
            data.admit(user)?;
        }
        let key = config.key.clone().map_or_else(|| data.credentials(), Ok)?;
        let opened = Opened::open(config, data)?;
        let outbound = Outbound::new(&config.push, Guard::new(config.push.allow.clone(), place.address.ip()))?;
        let lanes = Arc::new(Lanes::new(LANE_LIMITS));
        let (watch, space) = space::watch(&config.data, config.keep_free_mb);
        let state = Arc::new(StateCell::new(opened.ledger.state().clone()));
        let master = master_key(config, data, &state.get())?;
        let own = key.secret_id.clone();
        let keys = Arc::new(Keys::new(key, state.clone(), master));
        let app = App {
            ledger: LedgerHandle::new(lanes.clone(), space.clone()),
            settings: Arc::new(Settings { pin: place.pin, ..config.settings() }),
            logins: Arc::new(Logins::new(keys.clone(), place.pin.is_some())),
            keys,
            queue_wakes: Arc::default(),
            machines: Arc::new(Machines::default()),
            signatures: Arc::default(),
            logs: data.logs().into(),
            state,
            tally: Arc::default(),
            readers: opened.api_readers,
        };
        let (queue_wakes, logins, its) = (app.queue_wakes.clone(), app.logins.clone(), app.clone());
        let parts = Parts::new(app, config, data, user, agent_program);
        let pulse = Arc::new(Pulse::default());
        let effects = parts.effects();
        let (commits, committed) = watch::channel(0);
        let after = move |done: ledger::Committed<'_>| {
            effects.committed(&done);
            commits.send_modify(|count| *count += 1);
        };
        let ledger = ledger::spawn(opened.ledger, lanes.clone(), pulse.clone(), after).map_err(ServeError::Thread)?;
        let checkpoints = checkpoints::start(opened.checkpointer, data.database()).map_err(ServeError::Thread)?;
        let (gateway, tally) = (parts.gateway.clone(), parts.app.tally.clone());
        let figures = Metrics { pulse: pulse.clone(), lanes: lanes.clone(), gateway, tally };
        let console = Console {
            app: parts.app.clone(),
            logins: logins.clone(),
            gateway: parts.gateway.clone(),
            commits: committed,
            stopping: stopping.clone(),
            hosts: config.console.hosts.clone().into(),
        };
        let router = parts.router(config, pulse, space, stopping).merge(metrics::router(figures));
        let log = TopicLog::new(parts.app.readers.clone(), parts.tail.clone());
        let router = router.merge(event_stream::router(console.clone(), log)).merge(console::router(console));
        let mut loops = parts.start(config, opened.loop_readers, outbound);
        loops.spawn(watch.run());
        Ok((Self { own, app: its, logins, lanes, queue_wakes, ledger, checkpoints, loops }, router))
    }

    /// Makes the topic of the audit trail, if there is none of its name.
    async fn begin_audit(&self, topic: &str) -> Result<(), ServeError> {
        if self.app.state().topic_named(topic).is_some() {
            return Ok(());
        }
        let made = Command::CreateTopic {
            name: topic.to_owned(),
            filter: FilterType::Tags,
            max_msg_bytes: AUDIT_BYTES,
            retention_s: AUDIT_KEPT_S,
            trace: false,
            tags: Vec::new(),
        };
        self.app.ledger.submit_patiently(Lane::Api, made).await.map(drop).map_err(ServeError::Audit)
    }

    async fn stop(mut self, serving: tokio::task::JoinHandle<()>) {
        // What waits for a commit gets it, and long polls find that there is no more to come.
        self.lanes.stop();
        self.queue_wakes.ring_all();
        if tokio::time::timeout(LAST_REQUESTS, serving).await.is_err() {
            tracing::warn!("some requests did not end in time");
        }
        let ended = tokio::task::spawn_blocking(move || {
            let ended = self.ledger.join();
            self.checkpoints.stop();
            ended
        });
        if !matches!(ended.await, Ok(Ok(()))) {
            tracing::error!("the ledger's thread has failed");
        }
        self.loops.shutdown().await;
    }
}

/// The master key, if it opens what is sealed in the database.
fn master_key(config: &Config, data: &DataFolder, state: &kernel::state::State) -> Result<MasterKey, DataError> {
    let is_used = state.access_keys().next().is_some();
    let master = data.master_key(config.master_key.as_ref().map(|key| key.0.as_str()), is_used)?;
    match keys::first_shut(state, &master) {
        Some(key) => Err(DataError::MasterKeyWrong { secret_id: key.secret_id.clone() }),
        None => Ok(master),
    }
}

/// The database, opened.
struct Opened {
    ledger: Ledger,
    checkpointer: Checkpointer,
    api_readers: Readers,
    loop_readers: Readers,
}

impl Opened {
    fn open(config: &Config, data: &DataFolder) -> Result<Self, ServeError> {
        let failed = |source| ServeError::Store { data: config.data.clone(), source };
        let store = SqliteStore::open(&data.database())
            .map_err(|source| ServeError::Open { data: config.data.clone(), source })?;
        let checkpointer = store.checkpointer().map_err(failed)?;
        let readers = |count| (0..count).map(|_| store.reader()).collect::<Result<Vec<_>, _>>().map(Readers::new);
        let api_readers = readers(API_READERS).map_err(failed)?;
        let loop_readers = readers(LOOP_READERS).map_err(failed)?;
        let region = config.region.clone();
        let render: Render = Box::new(move |untold| match untold {
            Untold::Event(event) => wire::event::body(event, &region),
            Untold::Audited(audited, place) => wire::audit::body(audited, place, &region),
        });
        let ledger = Ledger::open(Box::new(store), config.kernel_settings(), render).map_err(failed)?;
        Ok(Self { ledger, checkpointer, api_readers, loop_readers })
    }
}

/// What the loops and the routes share.
struct Parts {
    app: App,
    gateway: Arc<Gateway>,
    signals: Arc<Signals>,
    tail: Arc<Tail>,
    provider: Arc<dyn Provider>,
    terms: Arc<Terms>,
    ended: mpsc::UnboundedReceiver<kernel::id::NodeId>,
}

impl Parts {
    fn new(app: App, config: &Config, data: &DataFolder, user: Option<User>, program: PathBuf) -> Self {
        let (sender, ended) = mpsc::unbounded_channel();
        let surroundings = config.surroundings(data.cos());
        let terms = Arc::new(Terms { grace_ms: config.nodes.grace_ms, surroundings });
        let local = LocalProvider {
            nodes: data.nodes(),
            logs: data.logs(),
            endpoint_file: data.endpoint_file(),
            program,
            capacity: config.nodes.local_capacity,
            pids_per_cpu: config.nodes.pids_per_cpu,
            largest: config.largest_node(),
            user,
            token: None,
            making: Mutex::new(()),
            runtime: tokio::runtime::Handle::current(),
            ended: sender,
        };
        let (machines, state) = (app.machines.clone(), app.state.clone());
        let provider = Arc::new(Everywhere { local, machines, state });
        Self { app, gateway: Arc::default(), signals: Arc::default(), tail: Arc::default(), provider, terms, ended }
    }

    fn effects(&self) -> Effects {
        Effects {
            state: self.app.state.clone(),
            tail: self.tail.clone(),
            gateway: self.gateway.clone(),
            queue_wakes: self.app.queue_wakes.clone(),
            signals: self.signals.clone(),
            tally: self.app.tally.clone(),
        }
    }

    fn router(&self, config: &Config, pulse: Arc<Pulse>, space: Space, stopping: &watch::Receiver<bool>) -> Router {
        let gateway = GatewayState {
            app: self.app.clone(),
            gateway: self.gateway.clone(),
            provider: self.provider.clone(),
            beat_ms: config.nodes.beat_ms,
            sample_ms: config.nodes.sample_ms,
            terms: self.terms.clone(),
            stopping: stopping.clone(),
        };
        health::router(Health { pulse, space, stopping: stopping.clone() })
            .merge(gateway::router(gateway))
            .merge(machines::router(MachineState { app: self.app.clone(), stopping: stopping.clone() }))
            .merge(api::router(self.app.clone()))
    }

    fn start(self, config: &Config, readers: Readers, outbound: Outbound) -> JoinSet<()> {
        let Self { app, gateway, signals, tail, provider, terms: _, ended } = self;
        let log = TopicLog::new(readers, tail);
        let silence = Duration::from_millis(config.nodes.silent_ms);
        let keep_jobs = Duration::from_secs(config.jobs.keep_days * 86_400);
        let mut loops = JoinSet::new();
        loops.spawn(FanOut { app: app.clone(), log: log.clone(), signals: signals.clone() }.run());
        let seats = Seats::new(config.push.posts);
        let push = Push { app: app.clone(), log, signals: signals.clone(), outbound, seats };
        loops.spawn(Replays { push: push.clone() }.run());
        loops.spawn(push.run());
        loops.spawn(Expiry { app: app.clone(), signals: signals.clone(), keep_jobs }.run());
        loops.spawn(Nodes { app, signals, gateway, provider, silence, ended }.run());
        loops
    }
}

/// Takes requests until the server stops, then waits for those under way.
async fn serve(door: Door, router: Router, mut stopping: watch::Receiver<bool>) {
    let stopped = async move {
        // A sender that is gone means the same.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    };
    let router = router.into_make_service_with_connect_info::<Peer>();
    if let Err(error) = axum::serve(door, router).with_graceful_shutdown(stopped).await {
        tracing::error!(%error, "the listener has failed");
    }
}

/// Where processes of this machine reach a server that listens on `address`.
fn reachable(address: SocketAddr) -> SocketAddr {
    if !address.ip().is_unspecified() {
        return address;
    }
    let loopback = match address {
        SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(loopback, address.port())
}
