//! The topic's two subscribers: a listener for callbacks and a reader of a queue.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc::Sender;
use tokio::task::JoinHandle;
use wire::limits::V2_BATCH;

use super::event::{Arrival, Way};
use crate::client::{Client, ClientError};
use crate::failure::Failure;
use crate::reply::text;

/// Where subscribers put what they receive.
pub(super) type Sink = Sender<Result<Arrival, Failure>>;

/// The path that callbacks are posted to.
pub(super) const PATH: &str = "/events";
/// How long the reader lets the server wait for a message.
const POLL: Duration = Duration::from_secs(20);

/// Listens for callbacks on a port of its own.
pub(super) async fn listen(sink: Sink) -> io::Result<(SocketAddr, JoinHandle<io::Result<()>>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let app = Router::new().route(PATH, post(take)).with_state(sink);
    Ok((address, tokio::spawn(async { axum::serve(listener, app).await })))
}

/// Takes one post: CMQ's JSON envelope with the message in `msgBody`.
async fn take(State(sink): State<Sink>, body: String) -> StatusCode {
    let envelope: Value = serde_json::from_str(&body).unwrap_or_default();
    let arrival = Arrival::now(Way::Callback, &text(&envelope, "msgBody"));
    // Nobody listens any more when the demo is over.
    match sink.send(arrival.map_err(Failure::from)).await {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::GONE,
    }
}

/// Reads the queue and acknowledges what it read, until it fails or nobody listens any more.
pub(super) async fn read(client: Client, queue: &'static str, sink: Sink) {
    loop {
        match batch(&client, queue, &sink).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                let _ = sink.send(Err(error.into())).await;
                return;
            }
        }
    }
}

/// Receives and acknowledges what is there, waiting for the first message. Says whether somebody still listens.
async fn batch(client: &Client, queue: &str, sink: &Sink) -> Result<bool, ClientError> {
    let messages = client.receive(queue, V2_BATCH, POLL).await?;
    let mut handles = Vec::new();
    for message in &messages {
        let arrival = Arrival::now(Way::Queue, &text(message, "msgBody"));
        if sink.send(arrival.map_err(Failure::from)).await.is_err() {
            return Ok(false);
        }
        handles.push(text(message, "receiptHandle"));
    }
    if !handles.is_empty() {
        client.acknowledge(queue, &handles).await?;
    }
    Ok(true)
}
