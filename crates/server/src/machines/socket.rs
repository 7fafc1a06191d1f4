//! One connection of a machine, from its first word to its end.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::mpsc as blocking;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;
use kernel::command::{Command, Reply};
use kernel::id::{MachineId, NodeId};
use kernel::limits::NODE_SLOTS;
use kernel::machine::MachineFacts;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};
use wire::machine::{BEAT_MS, Deed, FromMachine, PATH, ToMachine, VERSION};
use wire::node::{FRAME_BYTES, FrameError, decode, encode};

use super::{Ask, CREDENTIAL_CHARS, Done, Machines, digest, has_digest};
use crate::App;
use crate::chain::Chain;
use crate::ledger::{Lane, SubmitError};

/// How long a machine may take for its first word, and to take a frame.
const STEP: Duration = Duration::from_secs(10);
/// A machine that says nothing for so long is gone.
const SILENCE: Duration = Duration::from_millis(BEAT_MS * 6);
/// Bytes of a machine's name that are kept.
const NAME_BYTES: usize = 64;

/// What the machines' connections need.
#[derive(Clone)]
pub(crate) struct MachineState {
    pub(crate) app: App,
    /// Becomes true when the server stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Closed {
    #[error("the machine closed the connection")]
    ByMachine,
    #[error("another connection of the same machine took its place")]
    Replaced,
    #[error("the server is stopping")]
    Stopping,
    #[error("the machine did not {0} in time")]
    Slow(&'static str),
    #[error("the machine is refused: {0}")]
    Refused(String),
    #[error("the machine sent something that is no frame")]
    Frame(#[from] FrameError),
    #[error("the machine said something out of turn")]
    OutOfTurn,
    #[error("what it said could not be committed")]
    Commit(#[from] SubmitError),
    #[error("failed to exchange frames")]
    Socket(#[from] axum::Error),
}

/// Leaves when the connection ends, in whatever way.
struct Leaves<'a> {
    machines: &'a Machines,
    machine: MachineId,
    number: u64,
}

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.machines.leave(self.machine, self.number);
        tracing::info!(machine = %self.machine, "a machine's connection ended");
    }
}

/// The route of the machines' protocol.
pub(crate) fn router(state: MachineState) -> Router {
    Router::new().route(PATH, any(upgrade)).with_state(state)
}

async fn upgrade(State(state): State<MachineState>, upgrade: WebSocketUpgrade) -> Response {
    let upgrade = upgrade.max_message_size(FRAME_BYTES).max_frame_size(FRAME_BYTES);
    upgrade.on_upgrade(async move |mut socket| {
        let mut stopping = state.stopping.clone();
        let ended = tokio::select! {
            ended = state.serve(&mut socket) => ended,
            _ = stopping.wait_for(|stopping| *stopping) => Err(Closed::Stopping),
        };
        if let Err(closed) = ended {
            tracing::debug!(error = %Chain(&closed), "a machine's connection ended");
            if let Closed::Refused(reason) = closed {
                tracing::warn!(reason, "refused a machine");
                // Whoever has gone already need not be told.
                let _ = send(&mut socket, ToMachine::Refused { reason }).await;
            }
        }
    })
}

impl MachineState {
    async fn serve(&self, socket: &mut WebSocket) -> Result<(), Closed> {
        match in_time("say who it is", receive(socket)).await?? {
            FromMachine::Join { version, token, credential, facts } => {
                check_version(version)?;
                if credential.len() < CREDENTIAL_CHARS {
                    let reason = format!("its credential is shorter than {CREDENTIAL_CHARS} characters");
                    return Err(Closed::Refused(reason));
                }
                self.join(socket, &token, &credential, checked(facts)?).await
            }
            FromMachine::Hello { version, machine, credential, facts, nodes } => {
                check_version(version)?;
                let known = self.app.state().machine(machine).cloned();
                // The answer does not tell an unknown machine from a wrong credential.
                if !known.is_some_and(|known| has_digest(&credential, &known.credential)) {
                    return Err(Closed::Refused("no such machine, or not its credential".into()));
                }
                let connected = Command::MachineConnected(machine, checked(facts)?);
                self.app.ledger.submit_patiently(Lane::Node, connected).await?;
                let (number, asked) = self.app.machines.enter(machine);
                let _leaves = Leaves { machines: &self.app.machines, machine, number };
                tracing::info!(%machine, "a machine is welcome");
                self.welcomed(socket, machine, &nodes, asked).await
            }
            _ => Err(Closed::OutOfTurn),
        }
    }

    async fn join(
        &self,
        socket: &mut WebSocket,
        token: &str,
        credential: &str,
        facts: MachineFacts,
    ) -> Result<(), Closed> {
        let connected = self.app.machines.connected();
        // A machine that shows the same credential again has not heard the answer.
        let (token, credential) = (digest(token), digest(credential));
        let join = Command::JoinMachine { token, credential, facts, connected };
        let machine = match self.app.ledger.submit_patiently(Lane::Node, join).await {
            Ok(Reply::Machine(machine)) => machine,
            Ok(_) => return Err(Closed::OutOfTurn),
            Err(SubmitError::Refused(refusal)) => return Err(Closed::Refused(refusal.to_string())),
            Err(error) => return Err(error.into()),
        };
        tracing::info!(%machine, "a machine joined");
        send(socket, ToMachine::Joined { machine }).await
    }

    async fn welcomed(
        &self,
        socket: &mut WebSocket,
        machine: MachineId,
        nodes: &[NodeId],
        mut asked: mpsc::UnboundedReceiver<Ask>,
    ) -> Result<(), Closed> {
        send(socket, ToMachine::Welcome).await?;
        let state = self.app.state();
        let is_its = |node: &NodeId| state.node(*node).is_some_and(|node| node.attached && node.machine == machine);
        for node in nodes.iter().filter(|node| !is_its(node)) {
            tracing::warn!(%machine, %node, "has a node destroyed that nobody knows");
            // Nobody waits for the answer, so that it needs no number of its own.
            send(socket, ToMachine::Do { number: 0, node: *node, deed: Deed::Destroy }).await?;
        }
        let mut waiting: BTreeMap<u64, blocking::SyncSender<Result<Done, String>>> = BTreeMap::new();
        let mut number = 0;
        let mut heard = Instant::now();
        loop {
            tokio::select! {
                ask = asked.recv() => {
                    let Some(Ask { node, deed, answer }) = ask else { return Err(Closed::Replaced) };
                    number += 1;
                    waiting.insert(number, answer);
                    send(socket, ToMachine::Do { number, node, deed }).await?;
                }
                frame = timeout_at(heard + SILENCE, receive(socket)) => {
                    heard = Instant::now();
                    let (number, answer) = match frame.map_err(|_| Closed::Slow("say anything"))?? {
                        FromMachine::Beat => continue,
                        FromMachine::Done { number, begun, lives } => (number, Ok(Done { begun, lives })),
                        FromMachine::Failed { number, reason } => (number, Err(reason)),
                        FromMachine::Join { .. } | FromMachine::Hello { .. } => return Err(Closed::OutOfTurn),
                    };
                    if let Some(waits) = waiting.remove(&number) {
                        // Whoever has given up waiting asks again.
                        let _ = waits.try_send(answer);
                    }
                }
            }
        }
    }
}

fn check_version(version: u32) -> Result<(), Closed> {
    if version == VERSION {
        return Ok(());
    }
    Err(Closed::Refused(format!("the machine speaks version {version} of its protocol, the server {VERSION}")))
}

/// What a machine says of itself, if it can be.
fn checked(mut facts: MachineFacts) -> Result<MachineFacts, Closed> {
    if !(1..=NODE_SLOTS).contains(&facts.slots) {
        return Err(Closed::Refused(format!("slots is {}; it should be 1 to {NODE_SLOTS}", facts.slots)));
    }
    facts.name.truncate(facts.name.floor_char_boundary(NAME_BYTES));
    Ok(facts)
}

async fn receive(socket: &mut WebSocket) -> Result<FromMachine, Closed> {
    loop {
        match socket.recv().await {
            Some(Ok(Message::Text(text))) => return Ok(decode(&text)?),
            Some(Ok(Message::Close(_))) | None => return Err(Closed::ByMachine),
            // Pings are answered by the socket itself.
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.into()),
        }
    }
}

async fn send(socket: &mut WebSocket, frame: ToMachine) -> Result<(), Closed> {
    let text = encode(&frame)?;
    Ok(in_time("take a frame", socket.send(Message::text(text))).await??)
}

async fn in_time<T>(what: &'static str, step: impl Future<Output = T>) -> Result<T, Closed> {
    tokio::time::timeout(STEP, step).await.map_err(|_| Closed::Slow(what))
}
