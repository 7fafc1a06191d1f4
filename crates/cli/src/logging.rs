//! Logs of server and agent: to standard error, as `HERALD_LOG` asks for.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

/// Starts logging. `usual` is what is logged when `HERALD_LOG` does not say.
pub(crate) fn start(usual: &str) {
    let asked = std::env::var("HERALD_LOG").unwrap_or_default();
    let filter = EnvFilter::builder().parse_lossy(if asked.is_empty() { usual } else { &asked });
    let colour = io::stderr().is_terminal();
    // Fails when logging was started before, which is as good.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colour).try_init();
}
