//! One connection of an agent, from its Hello to its end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use kernel::change::NodeFacts;
use kernel::command::Command;
use kernel::id::NodeId;
use kernel::node::NodeStage;
use tokio::sync::{mpsc, watch};
use wire::node::{FRAME_BYTES, FrameError, FromNode, PATH, REASON_BYTES, Sample, ToNode, VERSION, decode, encode};

use super::frames::{self, Terms};
use super::{Gateway, Order, Seat, SeatNumber};
use crate::App;
use crate::chain::Chain;
use crate::ledger::{Lane, Pending, SubmitError};
use crate::provider::Provider;

/// How long an agent may take for its Hello, and to take a frame.
const STEP: Duration = Duration::from_secs(10);
/// Frames of reports that may wait for their commit; beyond it the connection is not read.
const FRAMES_UNDER_WAY: usize = 4;

/// What the gateway's connections need.
#[derive(Clone)]
pub(crate) struct GatewayState {
    pub(crate) app: App,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) beat_ms: u64,
    pub(crate) sample_ms: u64,
    pub(crate) terms: Arc<Terms>,
    /// Becomes true when the server stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Closed {
    #[error("the agent closed the connection")]
    ByAgent,
    #[error("another connection of the same node took its place")]
    Replaced,
    #[error("the server is stopping")]
    Stopping,
    #[error("the agent did not {0} in time")]
    Slow(&'static str),
    #[error("the agent is refused: {0}")]
    Refused(String),
    #[error("the agent sent something that is no frame")]
    Frame(#[from] FrameError),
    #[error("the agent said something out of turn")]
    OutOfTurn,
    #[error("what it reported could not be committed")]
    Commit(#[from] SubmitError),
    #[error("failed to exchange frames")]
    Socket(#[from] axum::Error),
}

/// What an agent says of itself.
struct Hello {
    node: NodeId,
    facts: NodeFacts,
    held: Vec<kernel::instance::RunId>,
}

/// Leaves the seat when the connection ends, in whatever way.
struct Leaves<'a> {
    gateway: &'a Gateway,
    seat: SeatNumber,
}

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.gateway.leave(&self.seat);
        tracing::info!(node = %self.seat.node, "an agent's connection ended");
    }
}

type Sink = SplitSink<WebSocket, Message>;
type Source = SplitStream<WebSocket>;

/// The route of the node protocol.
pub(crate) fn router(state: GatewayState) -> Router {
    Router::new().route(PATH, any(upgrade)).with_state(state)
}

async fn upgrade(State(state): State<GatewayState>, upgrade: WebSocketUpgrade) -> Response {
    let upgrade = upgrade.max_message_size(FRAME_BYTES).max_frame_size(FRAME_BYTES);
    upgrade.on_upgrade(async move |socket| {
        let mut stopping = state.stopping.clone();
        let ended = tokio::select! {
            ended = state.serve(socket) => ended,
            _ = stopping.wait_for(|stopping| *stopping) => Err(Closed::Stopping),
        };
        if let Err(closed) = ended {
            tracing::debug!(error = %Chain(&closed), "an agent's connection ended");
        }
    })
}

impl GatewayState {
    async fn serve(&self, socket: WebSocket) -> Result<(), Closed> {
        let (mut sink, mut source) = socket.split();
        let hello = match in_time("say Hello", self.greeted(&mut source)).await? {
            Ok(hello) => hello,
            Err(Closed::Refused(reason)) => {
                tracing::warn!(reason, "refused an agent");
                send(&mut sink, ToNode::Refused { reason: reason.clone() }).await?;
                return Err(Closed::Refused(reason));
            }
            Err(closed) => return Err(closed),
        };
        // Seated before the state is looked at: what is ordered from now on comes through the seat.
        let mut seat = self.gateway.seat(hello.node);
        let _leaves = Leaves { gateway: &self.gateway, seat: seat.number };
        let connected = Command::NodeConnected(hello.node, hello.facts);
        self.app.ledger.submit_patiently(Lane::Node, connected).await?;
        self.welcomed(&mut seat, &hello.held, sink, source).await
    }

    /// The agent's Hello, if it is to be believed.
    async fn greeted(&self, source: &mut Source) -> Result<Hello, Closed> {
        let FromNode::Hello { version, node, token, agent_version, addresses, limits, held, .. } =
            receive(source).await?
        else {
            return Err(Closed::OutOfTurn);
        };
        if version != VERSION {
            let reason = format!("the agent speaks version {version} of the node protocol, the server {VERSION}");
            return Err(Closed::Refused(reason));
        }
        let stage = self.app.state().node(node).map(|node| node.stage);
        let provider = self.provider.clone();
        // The answer does not tell an unknown node from a wrong token.
        let shown = tokio::task::spawn_blocking(move || provider.is_credential(node, &token));
        let is_right = shown.await.unwrap_or(false);
        match stage {
            Some(stage) if is_right => match stage {
                NodeStage::Creating | NodeStage::Created | NodeStage::Running | NodeStage::Abnormal => {}
                _ => return Err(Closed::Refused(format!("node {node} is {}", stage.as_str()))),
            },
            _ => return Err(Closed::Refused("no such node, or not its token".into())),
        }
        Ok(Hello { node, facts: NodeFacts { agent_version, addresses, limits: shortened(limits) }, held })
    }

    async fn welcomed(
        &self,
        seat: &mut Seat,
        held: &[kernel::instance::RunId],
        mut sink: Sink,
        mut source: Source,
    ) -> Result<(), Closed> {
        let state = self.app.state();
        let node = seat.number.node;
        let outstanding = frames::outstanding(&state, node, held);
        tracing::info!(%node, believed = outstanding.believed.len(), "an agent is welcome");
        let (beat_ms, sample_ms) = (self.beat_ms, self.sample_ms);
        let welcome = ToNode::Welcome { version: VERSION, beat_ms, sample_ms, believed: outstanding.believed };
        send(&mut sink, welcome).await?;
        // Before its reports are read: see `frames::outstanding`.
        send_all(&mut sink, self.frames(&outstanding.orders)).await?;
        let (commits, committing) = mpsc::channel(FRAMES_UNDER_WAY);
        let (acks, acked) = mpsc::channel(FRAMES_UNDER_WAY);
        tokio::select! {
            // In this order, so that an acknowledgement that is due goes along with the orders.
            biased;
            closed = acknowledge(committing, acks) => closed,
            closed = self.write(&mut seat.orders, acked, &mut sink) => closed,
            closed = self.read(seat.number, &mut source, commits) => closed,
        }
    }

    /// Takes what the agent says into the ledger's lane, in order.
    async fn read(
        &self,
        seat: SeatNumber,
        source: &mut Source,
        commits: mpsc::Sender<(u64, Pending)>,
    ) -> Result<(), Closed> {
        loop {
            self.gateway.hold_up(&seat, false);
            let frame = receive(source).await?;
            self.gateway.see(seat.node);
            match frame {
                FromNode::Beat => {}
                FromNode::Reports { number, reports } => {
                    self.gateway.hold_up(&seat, true);
                    let reports = reports.into_iter().map(frames::report).collect();
                    let command = Command::NodeReports(seat.node, reports);
                    let pending = self.app.ledger.queue(Lane::Node, command).await?;
                    if commits.send((number, pending)).await.is_err() {
                        return Ok(());
                    }
                }
                FromNode::Samples { samples } => self.take_samples(seat.node, samples)?,
                FromNode::Hello { .. } => return Err(Closed::OutOfTurn),
            }
        }
    }

    /// Hands samples to the ledger, in the lane of what can wait. Nobody waits for their commit; a lane that is full
    /// passes them over, since the next ones come soon.
    fn take_samples(&self, node: NodeId, samples: Vec<Sample>) -> Result<(), Closed> {
        let samples = samples.into_iter().map(frames::sample).collect();
        match self.app.ledger.offer(Lane::Background, Command::TakeSamples(node, samples)) {
            Ok(()) | Err(SubmitError::Busy) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Sends orders and acknowledgements as they come.
    async fn write(
        &self,
        orders: &mut mpsc::UnboundedReceiver<Vec<Order>>,
        mut acked: mpsc::Receiver<u64>,
        sink: &mut Sink,
    ) -> Result<(), Closed> {
        loop {
            let (mut number, mut all) = (None, Vec::new());
            tokio::select! {
                acked = acked.recv() => match acked {
                    Some(acked) => number = Some(acked),
                    None => return Ok(()),
                },
                more = orders.recv() => match more {
                    Some(more) => all = more,
                    None => return Err(Closed::Replaced),
                },
            }
            // What has come beside it goes in the same write. An acknowledgement stands for those before it.
            while let Ok(acked) = acked.try_recv() {
                number = Some(acked);
            }
            while let Ok(more) = orders.try_recv() {
                all.extend(more);
            }
            let ack = number.map(|number| ToNode::Ack { number });
            send_all(sink, ack.into_iter().chain(self.frames(&all))).await?;
        }
    }

    fn frames(&self, orders: &[Order]) -> Vec<ToNode> {
        if orders.is_empty() { Vec::new() } else { frames::frames(orders, &self.app.state(), &self.terms) }
    }
}

/// Tells which frames are committed, in order.
async fn acknowledge(mut committing: mpsc::Receiver<(u64, Pending)>, acks: mpsc::Sender<u64>) -> Result<(), Closed> {
    while let Some((number, pending)) = committing.recv().await {
        pending.wait().await?;
        if acks.send(number).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// What an agent says for people to read, cut to what it may say.
fn shortened(text: String) -> String {
    let end = text.floor_char_boundary(REASON_BYTES);
    text[..end].to_owned()
}

async fn receive(source: &mut Source) -> Result<FromNode, Closed> {
    loop {
        match source.next().await {
            Some(Ok(Message::Text(text))) => return Ok(decode(&text)?),
            Some(Ok(Message::Close(_))) | None => return Err(Closed::ByAgent),
            // Pings are answered by the socket itself.
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.into()),
        }
    }
}

async fn send(sink: &mut Sink, frame: ToNode) -> Result<(), Closed> {
    send_all(sink, [frame]).await
}

/// Sends frames in as few writes as possible.
async fn send_all(sink: &mut Sink, frames: impl IntoIterator<Item = ToNode>) -> Result<(), Closed> {
    for frame in frames {
        let text = encode(&frame)?;
        in_time("take a frame", sink.feed(Message::text(text))).await??;
    }
    Ok(in_time("take a frame", sink.flush()).await??)
}

async fn in_time<T>(what: &'static str, step: impl Future<Output = T>) -> Result<T, Closed> {
    tokio::time::timeout(STEP, step).await.map_err(|_| Closed::Slow(what))
}
