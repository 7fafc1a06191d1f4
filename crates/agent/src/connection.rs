//! One connection to the server, from Hello to its loss.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Bytes, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use wire::node::{FRAME_BYTES, FrameError, FromNode, PATH, ToNode, VERSION, decode, encode};

use crate::config::AgentConfig;
use crate::engine::Engine;
use crate::limits::{BEAT_LONGEST, BEAT_SHORTEST, GATHER, SAMPLE_LONGEST, SAMPLE_SHORTEST, SILENT_BEATS, STEP};
use crate::procfs;
use crate::way::{Endpoint, Way};

/// How a connection, or the try to get one, ended.
#[derive(Debug)]
pub(crate) enum Closed {
    /// The node is being deleted, or another agent is to take this one's place.
    Stop,
    /// This agent can never be welcome.
    Refused(String),
    /// It may be tried again.
    Lost {
        /// Whether the server had said Welcome.
        welcomed: bool,
        /// Why.
        error: ConnectionError,
    },
}

/// Why there is no connection, or no longer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectionError {
    #[error("failed to read the server's address from {}", .0.display())]
    EndpointFile(PathBuf, #[source] io::Error),
    #[error("`{0}` is not a server's address; it should be http://HOST:PORT or https://HOST:PORT#sha256=DIGEST")]
    Endpoint(String),
    #[error("failed to connect to {0}")]
    Connect(String, #[source] io::Error),
    #[error("failed to exchange frames with the server")]
    WebSocket(#[source] tungstenite::Error),
    #[error("the server sent something that is no frame")]
    Frame(#[source] FrameError),
    #[error("the server speaks version {0} of the node protocol, this agent {VERSION}")]
    Version(u32),
    #[error("the server said {0} before Welcome")]
    Unwelcome(&'static str),
    #[error("the server closed the connection")]
    Closed,
    #[error("the server did not {0} in time")]
    Slow(&'static str),
}

/// Connects and serves the connection until it ends. `contact` is set whenever something comes from the server.
pub(crate) async fn converse(
    config: &AgentConfig,
    engine: &Engine,
    changed: &mut watch::Receiver<()>,
    contact: &Cell<Instant>,
) -> Closed {
    let mut connection = match Connection::open(config).await {
        Ok(connection) => connection,
        Err(error) => return Closed::Lost { welcomed: false, error },
    };
    let beat = match connection.greet(config, engine).await {
        Ok(Greeting::Welcome(beat)) => beat,
        Ok(Greeting::Refused(reason)) => return Closed::Refused(reason),
        Err(error) => return Closed::Lost { welcomed: false, error },
    };
    contact.set(Instant::now());
    match connection.serve(engine, changed, contact, beat).await {
        Ok(()) => Closed::Stop,
        Err(error) => Closed::Lost { welcomed: true, error },
    }
}

struct Connection {
    socket: WebSocketStream<Way>,
    local: SocketAddr,
}

enum Greeting {
    Welcome(Duration),
    Refused(String),
}

impl Connection {
    async fn open(config: &AgentConfig) -> Result<Self, ConnectionError> {
        // A server that came back may listen elsewhere, so the file is read for each try.
        let text = std::fs::read_to_string(&config.endpoint_file)
            .map_err(|error| ConnectionError::EndpointFile(config.endpoint_file.clone(), error))?;
        let endpoint =
            Endpoint::parse(&text).ok_or_else(|| ConnectionError::Endpoint(text.trim().chars().take(160).collect()))?;
        let address = endpoint.address();
        let (stream, local) = in_time("take the connection", endpoint.connect())
            .await?
            .map_err(|error| ConnectionError::Connect(address.clone(), error))?;
        let limits = WebSocketConfig::default().max_message_size(Some(FRAME_BYTES)).max_frame_size(Some(FRAME_BYTES));
        let handshake = client_async_with_config(format!("ws://{address}{PATH}"), stream, Some(limits));
        let (socket, _) = in_time("answer", handshake).await?.map_err(ConnectionError::WebSocket)?;
        Ok(Self { socket, local })
    }

    /// Hello and its answer. After a Welcome the engine holds what the server believes in.
    async fn greet(&mut self, config: &AgentConfig, engine: &Engine) -> Result<Greeting, ConnectionError> {
        let hello = FromNode::Hello {
            version: VERSION,
            node: config.node,
            token: config.token.clone(),
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            cpu: available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX)),
            mem_mb: procfs::memory_mb().unwrap_or(0),
            addresses: vec![self.local.ip().to_string()],
            limits: engine.limits().to_owned(),
            held: engine.held(),
        };
        self.send(&hello).await?;
        match in_time("say Welcome", self.receive()).await?? {
            ToNode::Welcome { version: VERSION, beat_ms, sample_ms, believed } => {
                engine.welcome(&believed);
                engine.sample_every(Duration::from_millis(sample_ms).clamp(SAMPLE_SHORTEST, SAMPLE_LONGEST));
                Ok(Greeting::Welcome(Duration::from_millis(beat_ms).clamp(BEAT_SHORTEST, BEAT_LONGEST)))
            }
            ToNode::Welcome { version, .. } => Err(ConnectionError::Version(version)),
            ToNode::Refused { reason } => Ok(Greeting::Refused(reason)),
            ToNode::Stop | ToNode::Restart => Err(ConnectionError::Unwelcome("Stop")),
            ToNode::Start { .. } | ToNode::Kill { .. } | ToNode::Revoke { .. } | ToNode::Ack { .. } => {
                Err(ConnectionError::Unwelcome("an order"))
            }
        }
    }

    /// Takes orders and sends reports until told to stop.
    async fn serve(
        &mut self,
        engine: &Engine,
        changed: &mut watch::Receiver<()>,
        contact: &Cell<Instant>,
        beat: Duration,
    ) -> Result<(), ConnectionError> {
        let silence = STEP.max(beat * SILENT_BEATS);
        let mut beats = interval(beat);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // First noted as seen, then looked at: what changes in between is seen in the next round.
            changed.mark_unchanged();
            if engine.may_gather() {
                sleep(GATHER).await;
            }
            while let Some(reports) = engine.next_frame() {
                self.send(&reports).await?;
            }
            while let Some(samples) = engine.next_samples() {
                self.send(&samples).await?;
            }
            tokio::select! {
                message = self.socket.next() => {
                    contact.set(Instant::now());
                    if let Some(frame) = read(message)? && obey(engine, frame)? {
                        return Ok(());
                    }
                }
                result = changed.changed() => result.expect("the engine holds the sender as long as it lives"),
                _ = beats.tick() => {
                    if contact.get().elapsed() > silence {
                        return Err(ConnectionError::Slow("say anything"));
                    }
                    self.send(&FromNode::Beat).await?;
                    // Its answer shows that the server is there, even when it has nothing to say.
                    self.send_message(Message::Ping(Bytes::new())).await?;
                }
            }
        }
    }

    async fn receive(&mut self) -> Result<ToNode, ConnectionError> {
        loop {
            let message = self.socket.next().await;
            if let Some(frame) = read(message)? {
                return Ok(frame);
            }
        }
    }

    async fn send(&mut self, frame: &FromNode) -> Result<(), ConnectionError> {
        let text = encode(frame).map_err(ConnectionError::Frame)?;
        self.send_message(Message::text(text)).await
    }

    async fn send_message(&mut self, message: Message) -> Result<(), ConnectionError> {
        in_time("take a frame", self.socket.send(message)).await?.map_err(ConnectionError::WebSocket)
    }
}

/// Does what the frame says. Whether it says Stop.
fn obey(engine: &Engine, frame: ToNode) -> Result<bool, ConnectionError> {
    match frame {
        ToNode::Start { tasks, runs } => engine.give(tasks, &runs),
        ToNode::Kill { runs } => engine.kill(&runs),
        ToNode::Revoke { runs } => engine.revoke(&runs),
        ToNode::Ack { number } => engine.acknowledge(number),
        ToNode::Stop | ToNode::Restart => return Ok(true),
        ToNode::Welcome { .. } | ToNode::Refused { .. } => return Err(ConnectionError::Unwelcome("it a second time,")),
    }
    Ok(false)
}

/// The frame in what came, if it is one; pings and their answers are the socket's own affair.
fn read(message: Option<Result<Message, tungstenite::Error>>) -> Result<Option<ToNode>, ConnectionError> {
    match message {
        Some(Ok(Message::Text(text))) => decode(&text).map(Some).map_err(ConnectionError::Frame),
        Some(Ok(Message::Close(_))) | None => Err(ConnectionError::Closed),
        Some(Ok(_)) => Ok(None),
        Some(Err(error)) => Err(ConnectionError::WebSocket(error)),
    }
}

async fn in_time<T>(what: &'static str, step: impl Future<Output = T>) -> Result<T, ConnectionError> {
    timeout(STEP, step).await.map_err(|_| ConnectionError::Slow(what))
}
