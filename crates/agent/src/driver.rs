//! The life of an agent: connected whenever it can be, until something ends it.

use std::cell::Cell;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::pin::pin;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{Instant, interval, sleep, sleep_until, timeout};

use crate::AgentError;
use crate::config::AgentConfig;
use crate::connection::{Closed, converse};
use crate::engine::Engine;
use crate::limits::{HOME_CHECK, LAST_REPORTS, LAST_RUNS, RECONNECT_FIRST, RECONNECT_LONGEST, WITHOUT_SERVER};
use crate::procfs;

/// What ends an agent.
#[derive(Debug)]
enum End {
    /// The server: the node is being deleted.
    Stop,
    /// The server: this agent can never be welcome.
    Refused(String),
    /// SIGTERM.
    Terminated,
    /// Its folder is gone.
    HomeGone,
    /// There was no server for too long.
    ServerGone,
}

impl End {
    /// Whether runs get the grace of their orders. Where the node is gone for the server already, they do not.
    fn has_grace(&self) -> bool {
        matches!(self, Self::Terminated | Self::ServerGone)
    }

    fn result(self, config: &AgentConfig) -> Result<(), AgentError> {
        match self {
            Self::Stop | Self::Terminated => Ok(()),
            Self::Refused(reason) => Err(AgentError::Refused { reason }),
            Self::HomeGone => Err(AgentError::HomeGone { home: config.home.clone() }),
            Self::ServerGone => Err(AgentError::ServerGone { hours: WITHOUT_SERVER.as_secs() / 3_600 }),
        }
    }
}

/// Serves the node until something ends it, and its runs with it.
pub(crate) async fn drive(
    config: &AgentConfig,
    engine: &Engine,
    changed: watch::Receiver<()>,
) -> Result<(), AgentError> {
    let mut signals = Signals::take().map_err(AgentError::Signals)?;
    let home = identity(&config.home).map_err(|source| AgentError::Start { home: config.home.clone(), source })?;
    let contact = Cell::new(Instant::now());
    let mut connected = pin!(stay_connected(config, engine, changed.clone(), &contact));
    let end = tokio::select! {
        end = &mut connected => end,
        () = signals.terminated() => End::Terminated,
        () = home_gone(&config.home, home) => End::HomeGone,
        () = server_gone(&contact) => End::ServerGone,
    };
    tracing::info!(node = %config.node, ?end, "the agent ends its runs and itself");
    let grace = engine.close(end.has_grace());
    let idle = async {
        if timeout(grace + LAST_RUNS, until(changed.clone(), || engine.is_idle())).await.is_err() {
            tracing::error!(runs = ?engine.held(), "some runs could not be ended");
        }
    };
    if matches!(end, End::Terminated) {
        // The server is to hear of these ends, if it is there.
        let reported = async {
            idle.await;
            let _ = timeout(LAST_REPORTS, until(changed.clone(), || engine.is_acknowledged())).await;
        };
        let mut reported = pin!(reported);
        tokio::select! {
            () = &mut reported => {}
            _ = connected => reported.await,
        }
    } else {
        idle.await;
    }
    end.result(config)
}

/// Connects again and again until the server ends the agent.
async fn stay_connected(
    config: &AgentConfig,
    engine: &Engine,
    mut changed: watch::Receiver<()>,
    contact: &Cell<Instant>,
) -> End {
    let mut pause = RECONNECT_FIRST;
    loop {
        let began = Instant::now();
        match converse(config, engine, &mut changed, contact).await {
            Closed::Stop => return End::Stop,
            Closed::Refused(reason) => return End::Refused(reason),
            Closed::Lost { welcomed, error } => {
                let error = &error as &dyn std::error::Error;
                if welcomed {
                    tracing::info!(error, "lost the server");
                    // A server that welcomes agents and drops them at once is in trouble of its own.
                    if began.elapsed() >= RECONNECT_LONGEST {
                        pause = RECONNECT_FIRST;
                    }
                } else if pause == RECONNECT_FIRST {
                    tracing::warn!(error, "the server cannot be reached");
                } else {
                    tracing::debug!(error, "the server can still not be reached");
                }
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(RECONNECT_LONGEST);
    }
}

/// Waits for a fact about the engine that a change may bring about.
async fn until(mut changed: watch::Receiver<()>, fact: impl Fn() -> bool) {
    loop {
        changed.mark_unchanged();
        if fact() {
            return;
        }
        changed.changed().await.expect("the engine holds the sender as long as it lives");
    }
}

async fn server_gone(contact: &Cell<Instant>) {
    loop {
        let deadline = contact.get() + WITHOUT_SERVER;
        if Instant::now() >= deadline {
            return;
        }
        sleep_until(deadline).await;
    }
}

/// Waits until the folder is not there any more, or another one is in its place.
async fn home_gone(home: &Path, known: (u64, u64)) {
    let mut checks = interval(HOME_CHECK);
    loop {
        checks.tick().await;
        match identity(home) {
            Ok(found) if found == known => {}
            Ok(_) => return,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return,
            Err(error) => tracing::warn!(%error, "failed to look at the node's folder"),
        }
    }
}

fn identity(folder: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::metadata(folder)?;
    Ok((metadata.dev(), metadata.ino()))
}

/// The signals that mean something to an agent. Those that a terminal or its loss sends are taken and ignored: taken,
/// unlike ignored ones, they are as usual again in the processes of runs. Rust ignores SIGPIPE by itself.
struct Signals {
    terminate: Signal,
    _ignored: Vec<Signal>,
}

impl Signals {
    fn take() -> io::Result<Self> {
        let mut ignored = vec![signal(SignalKind::hangup())?, signal(SignalKind::interrupt())?];
        if procfs::ignores_sigchld()? {
            // Whoever started this process ignored its children's ends; then none of ours could be waited for.
            ignored.push(signal(SignalKind::child())?);
        }
        Ok(Self { terminate: signal(SignalKind::terminate())?, _ignored: ignored })
    }

    async fn terminated(&mut self) {
        if self.terminate.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}
