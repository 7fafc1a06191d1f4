//! `herald agent`.

use std::path::PathBuf;

use ::agent::AgentConfig;

use crate::failure::Failure;
use crate::logging;

/// Run a compute node; the server starts one process of it for each of its local nodes
#[derive(clap::Args)]
#[command(after_help = MORE)]
pub(crate) struct Agent {
    /// The node's folder
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
}

const MORE: &str = "\
The node's folder is made by the server. It holds node.json (which node this is, its token, its slots, where the \
server's address stands), the journal of its runs and their working folders. The agent outlives a restart of the \
server. It ends at SIGTERM or when the server destroys the node, when its folder is gone, and after 24 hours \
without a server; its instances end with it.";

impl Agent {
    /// Returns when the node's life is over.
    pub(crate) fn run(self) -> Result<(), Failure> {
        logging::start("info");
        let config = AgentConfig::load(&self.home)?;
        Ok(::agent::run(config)?)
    }
}
