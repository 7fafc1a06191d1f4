//! The other side: what runs on a machine that joins, and makes and ends the node that it is attached as.
//!
//! It is a [`LocalProvider`] that a server elsewhere tells what to do. Its folder holds `machine.json` (who the machine
//! is, and the secret that shows it), `endpoint` (where the server is), and in `nodes` and `logs` what the server's own
//! data folder holds for the nodes on its machine. A node's agent outlives a kill of this process, and is found again.

use std::fs::{DirBuilder, File, OpenOptions};
use std::future::Future;
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agent::way::{Endpoint, Way};
use agent::{User, UserError};
use futures_util::{SinkExt, StreamExt};
use kernel::environment::NodeType;
use kernel::id::{MachineId, NodeId};
use kernel::machine::MachineFacts;
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::time::{interval, timeout};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use url::Url;
use wire::machine::{BEAT_MS, Deed, FromMachine, PATH, ToMachine, VERSION};
use wire::node::{FRAME_BYTES, FrameError, decode, encode};

use super::{CREDENTIAL_CHARS, Done};
use crate::chain::Chain;
use crate::config::this_machine;
use crate::data::{draw_word, replace};
use crate::provider::local::LocalProvider;
use crate::provider::{NewNode, Provider};

/// How long the server may take for each step.
const STEP: Duration = Duration::from_secs(10);
/// How long this waits before it tries to connect again.
const PAUSE: Duration = Duration::from_millis(500);
/// Nodes that there can be at once: the one that the machine is attached as, and one that is just going.
const NODES: usize = 2;
/// Processes and threads of a node for each core, where it has such a limit.
const PIDS_PER_CPU: u32 = 1_024;
/// The file that says who the machine is.
const IDENTITY_FILE: &str = "machine.json";

/// How a machine joins.
pub struct Joining {
    /// Its folder; made if it is missing.
    pub home: PathBuf,
    /// The server.
    pub server: Url,
    /// The server's token, for a machine that is new.
    pub token: Option<String>,
    /// The user that instances run as; `None`: who this process is.
    pub user: Option<String>,
    /// Instances at once; `None`: as many as there are cores.
    pub slots: Option<u32>,
    /// The program: `herald`.
    pub program: PathBuf,
}

/// Why a machine did not join, or does not go on.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// Its folder cannot be used.
    #[error("failed to {what} {}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process uses the folder.
    #[error("another agent of this machine uses {}", .0.display())]
    InUse(PathBuf),
    /// Instances cannot run as the user that was given.
    #[error("failed to have instances run as another user")]
    User(#[from] UserError),
    /// It is new, and has no token.
    #[error("this machine has not joined yet: give --token, which `herald node token` makes on the server")]
    NoToken,
    /// The server speaks TLS, and nothing says by which digest its certificate is known.
    #[error("{0} is to be spoken to with TLS, and the token does not tell its certificate: the server there has none")]
    NoPin(Url),
    /// The token is one of a server that speaks TLS, and the address says otherwise.
    #[error("{0} is not the address of the token's server, which speaks TLS: give https://")]
    Plain(Url),
    /// The token is none.
    #[error("the token is none that `herald node token` has made")]
    WrongToken,
    /// The server will not have it.
    #[error("the server refused this machine: {0}")]
    Refused(String),
}

/// Why there is no connection, or no longer.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("failed to connect to {0}")]
    Connect(String, #[source] io::Error),
    #[error("failed to exchange frames with the server")]
    Socket(#[from] tungstenite::Error),
    #[error("the server sent something that is no frame")]
    Frame(#[from] FrameError),
    #[error("the server closed the connection")]
    Closed,
    #[error("the server said something out of turn")]
    OutOfTurn,
    #[error("the server did not {0} in time")]
    Slow(&'static str),
    #[error(transparent)]
    Machine(#[from] MachineError),
}

/// `machine.json`
#[derive(Serialize, Deserialize)]
struct Identity {
    machine: MachineId,
    credential: String,
    /// The digest of the server's certificate, where that speaks TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pin: Option<String>,
}

/// Joins and serves until `shutdown`; then the node's agent is ended, and its runs with it.
///
/// `joined` is called each time that the server has welcomed the machine, with its id.
///
/// # Errors
/// [`MachineError`].
pub async fn run(
    joining: Joining,
    joined: impl Fn(MachineId),
    shutdown: impl Future<Output = ()>,
) -> Result<(), MachineError> {
    let user = joining.user.as_deref().map(User::find).transpose()?;
    let folder = Folder::take(&joining.home)?;
    if let Some(user) = &user {
        user.admit(&folder.path, &["nodes", "logs"].map(|name| folder.path.join(name)))?;
    }
    let facts = facts(joining.slots);
    let mut shutdown = std::pin::pin!(shutdown);
    let (identity, server) = tokio::select! {
        known = folder.identity(&joining, &facts) => known?,
        () = &mut shutdown => return Ok(()),
    };
    let here = Here { provider: Arc::new(folder.provider(&joining, user, &identity)), identity, facts };
    let result = tokio::select! {
        error = here.stay(&server, &joined) => Err(error),
        () = &mut shutdown => Ok(()),
    };
    let provider = here.provider.clone();
    let ended = tokio::task::spawn_blocking(move || provider.end_all()).await;
    if let Ok(Err(error)) = ended {
        tracing::error!(%error, "failed to end the node of this machine");
    }
    result
}

/// What the machine is.
fn facts(slots: Option<u32>) -> MachineFacts {
    let NodeType { cpu, mem_gb, slots: fitting, .. } = this_machine();
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
    MachineFacts { name, cpu, mem_gb, slots: slots.unwrap_or(fitting) }
}

/// The machine's folder, which this process alone uses.
struct Folder {
    path: PathBuf,
    _lock: Flock<File>,
}

impl Folder {
    fn take(path: &Path) -> Result<Self, MachineError> {
        let make = |path: &Path| DirBuilder::new().recursive(true).mode(0o700).create(path);
        make(path).map_err(failed_to("make", path))?;
        let path = path.canonicalize().map_err(failed_to("find", path))?;
        let file = path.join("lock");
        let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&file);
        let lock = Flock::lock(opened.map_err(failed_to("open", &file))?, FlockArg::LockExclusiveNonblock)
            .map_err(|_| MachineError::InUse(path.clone()))?;
        for name in ["nodes", "logs"] {
            make(&path.join(name)).map_err(failed_to("make", &path.join(name)))?;
        }
        Ok(Self { path, _lock: lock })
    }

    /// Who the machine is; one that is new joins first.
    async fn identity(&self, joining: &Joining, facts: &MachineFacts) -> Result<(Identity, Endpoint), MachineError> {
        let file = self.path.join(IDENTITY_FILE);
        match std::fs::read(&file) {
            Ok(text) => {
                let identity: Identity =
                    serde_json::from_slice(&text).map_err(|error| failed_to("understand", &file)(error.into()))?;
                let server = self.write_endpoint(&joining.server, identity.pin.as_deref())?;
                return Ok((identity, server));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed_to("read", &file)(error)),
        }
        let token = joining.token.clone().ok_or(MachineError::NoToken)?;
        // A token of a server that speaks TLS says by which digest its certificate is known.
        let (token, pin) = match token.split_once('.') {
            Some((token, pin)) => (token.to_owned(), Some(pin.to_owned())),
            None => (token, None),
        };
        let server = self.write_endpoint(&joining.server, pin.as_deref())?;
        // The same for each try: a server that has taken it, and whose answer was lost, knows this machine by it.
        let credential = draw_word(CREDENTIAL_CHARS).map_err(failed_to("draw a credential for", &file))?;
        let (facts, shown) = (facts.clone(), credential.clone());
        let join = FromMachine::Join { version: VERSION, token, credential: shown, facts };
        let identity = loop {
            match first_words(&server, &join).await {
                Ok((ToMachine::Joined { machine }, _)) => break Identity { machine, credential, pin },
                Ok(_) => tell(&Lost::OutOfTurn),
                Err(Lost::Machine(error)) => return Err(error),
                Err(error) => tell(&error),
            }
            tokio::time::sleep(PAUSE).await;
        };
        let text = serde_json::to_vec(&identity).map_err(|error| failed_to("write", &file)(error.into()))?;
        replace(&file, &text, 0o600).map_err(failed_to("write", &file))?;
        Ok((identity, server))
    }

    /// Writes down where the server is, for the node's agent.
    fn write_endpoint(&self, server: &Url, pin: Option<&str>) -> Result<Endpoint, MachineError> {
        let address = server.as_str().trim_end_matches('/');
        let text = match (server.scheme(), pin) {
            ("https", Some(pin)) => format!("{address}/#sha256={pin}"),
            ("https", None) => return Err(MachineError::NoPin(server.clone())),
            (_, Some(_)) => return Err(MachineError::Plain(server.clone())),
            (_, None) => address.to_owned(),
        };
        let endpoint = Endpoint::parse(&text).ok_or(MachineError::WrongToken)?;
        let file = self.path.join("endpoint");
        replace(&file, format!("{text}\n").as_bytes(), 0o644).map_err(failed_to("write", &file))?;
        Ok(endpoint)
    }

    fn provider(&self, joining: &Joining, user: Option<User>, identity: &Identity) -> LocalProvider {
        // Whether an agent has ended is asked for by the server.
        let (ended, _) = mpsc::unbounded_channel();
        LocalProvider {
            nodes: self.path.join("nodes"),
            logs: self.path.join("logs"),
            endpoint_file: self.path.join("endpoint"),
            program: joining.program.clone(),
            capacity: NODES,
            pids_per_cpu: PIDS_PER_CPU,
            largest: None,
            user,
            token: Some(identity.credential.clone()),
            making: Mutex::new(()),
            runtime: tokio::runtime::Handle::current(),
            ended,
        }
    }
}

/// The machine, at work.
struct Here {
    identity: Identity,
    facts: MachineFacts,
    provider: Arc<LocalProvider>,
}

impl Here {
    /// Connects again and again until the server will not have this machine.
    async fn stay(&self, server: &Endpoint, joined: &impl Fn(MachineId)) -> MachineError {
        loop {
            match self.converse(server, joined).await {
                Err(Lost::Machine(error)) => return error,
                Err(error) => tell(&error),
                Ok(()) => {}
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn converse(&self, server: &Endpoint, joined: &impl Fn(MachineId)) -> Result<(), Lost> {
        let Identity { machine, credential, .. } = &self.identity;
        let nodes = self.provider.list().unwrap_or_default();
        let (credential, facts) = (credential.clone(), self.facts.clone());
        let hello = FromMachine::Hello { version: VERSION, machine: *machine, credential, facts, nodes };
        let (ToMachine::Welcome, mut socket) = first_words(server, &hello).await? else {
            return Err(Lost::OutOfTurn);
        };
        tracing::info!(%machine, server = server.address(), "joined");
        joined(*machine);
        let (answers, mut answered) = mpsc::unbounded_channel();
        // In order, and beside the beats, which go on while a deed takes its time.
        let (deeds, doing) = mpsc::unbounded_channel();
        let worker = tokio::task::spawn_blocking({
            let provider = self.provider.clone();
            move || work(&provider, doing, &answers)
        });
        let mut beats = interval(Duration::from_millis(BEAT_MS));
        let ended = loop {
            let sent = tokio::select! {
                frame = receive(&mut socket) => match frame {
                    Ok(ToMachine::Do { number, node, deed }) => {
                        let _ = deeds.send((number, node, deed));
                        Ok(())
                    }
                    Ok(_) => Err(Lost::OutOfTurn),
                    Err(error) => Err(error),
                },
                Some(answer) = answered.recv() => send(&mut socket, &answer).await,
                _ = beats.tick() => send(&mut socket, &FromMachine::Beat).await,
            };
            if let Err(error) = sent {
                break error;
            }
        };
        // What was asked for on this connection is not done beside what the next one asks for.
        drop(deeds);
        let _ = worker.await;
        Err(ended)
    }
}

/// Does what the server asks for, one after another, until there is no more to come.
fn work(
    provider: &LocalProvider,
    mut doing: mpsc::UnboundedReceiver<(u64, NodeId, Deed)>,
    answers: &mpsc::UnboundedSender<FromMachine>,
) {
    while let Some((number, node, deed)) = doing.blocking_recv() {
        let answer = match do_it(provider, node, deed) {
            Ok(Done { begun, lives }) => FromMachine::Done { number, begun, lives },
            Err(error) => {
                tracing::warn!(%node, ?deed, error = %Chain(&error), "failed");
                FromMachine::Failed { number, reason: Chain(&error).to_string() }
            }
        };
        // Without a listener the connection has ended, and the server asks again.
        let _ = answers.send(answer);
    }
}

fn do_it(provider: &LocalProvider, node: NodeId, deed: Deed) -> io::Result<Done> {
    let dead = |begun| Done { begun, lives: false };
    match deed {
        Deed::Create { slots } => {
            provider.create(&NewNode { id: node, slots, size: None }).map_err(io::Error::other)?;
            Ok(Done { lives: true, ..Done::default() })
        }
        Deed::End => provider.end(node).map(dead),
        Deed::Stop => provider.stop(node).map(dead),
        Deed::Destroy => provider.destroy(node).map(dead),
        Deed::Look => Ok(Done { lives: provider.lives(node), ..Done::default() }),
    }
}

type Socket = WebSocketStream<Way>;

/// Connects, says one thing, and hears the answer.
async fn first_words(server: &Endpoint, say: &FromMachine) -> Result<(ToMachine, Socket), Lost> {
    let address = server.address();
    let steps = async {
        let (stream, _) = server.connect().await.map_err(|error| Lost::Connect(address.clone(), error))?;
        let limits = WebSocketConfig::default().max_message_size(Some(FRAME_BYTES)).max_frame_size(Some(FRAME_BYTES));
        let (mut socket, _) = client_async_with_config(format!("ws://{address}{PATH}"), stream, Some(limits)).await?;
        send(&mut socket, say).await?;
        match receive(&mut socket).await? {
            ToMachine::Refused { reason } => Err(MachineError::Refused(reason).into()),
            answer => Ok((answer, socket)),
        }
    };
    timeout(STEP, steps).await.map_err(|_| Lost::Slow("answer"))?
}

async fn receive(socket: &mut Socket) -> Result<ToMachine, Lost> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return Ok(decode(&text)?),
            Some(Ok(Message::Close(_))) | None => return Err(Lost::Closed),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.into()),
        }
    }
}

async fn send(socket: &mut Socket, frame: &FromMachine) -> Result<(), Lost> {
    let text = encode(frame)?;
    let sent = timeout(STEP, socket.send(Message::text(text))).await;
    Ok(sent.map_err(|_| Lost::Slow("take a frame"))??)
}

fn tell(error: &Lost) {
    tracing::warn!(error = %Chain(error), "there is no server; this tries again");
}

fn failed_to(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> MachineError {
    let path = path.to_owned();
    move |source| MachineError::File { what, path, source }
}
