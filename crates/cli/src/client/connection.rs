//! The flags that say which server, and with which key.

use std::path::PathBuf;

/// Where the server is and who calls, as far as flags say it.
#[derive(clap::Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct Connection {
    /// The server's address, such as http://127.0.0.1:7400, or https://HOST:PORT#sha256=DIGEST for a certificate of
    /// its own; else HERALD_ENDPOINT, else DATA/endpoint
    #[arg(long, global = true, value_name = "URL")]
    pub(super) endpoint: Option<String>,
    /// The key's public half; else HERALD_SECRET_ID, else DATA/credentials.json
    #[arg(long, global = true, value_name = "ID")]
    pub(super) secret_id: Option<String>,
    /// The key's secret half; else HERALD_SECRET_KEY, else DATA/credentials.json
    #[arg(long, global = true, value_name = "KEY")]
    pub(super) secret_key: Option<String>,
    /// The region that requests name
    #[arg(long, global = true, default_value = "ap-guangzhou")]
    pub(super) region: String,
    /// DATA, the data folder of a server on this machine
    #[arg(long, global = true, value_name = "DIR", default_value = "./herald-data")]
    pub(super) data: PathBuf,
    /// Show times in UTC, not in this machine's zone
    #[arg(long, global = true, help_heading = None)]
    pub(crate) utc: bool,
    /// Print the server's reply, as JSON
    #[arg(long, global = true, help_heading = None)]
    pub(crate) json: bool,
}

impl Connection {
    /// The server whose data folder this is, whatever flags and variables say.
    pub(crate) fn of_data(data: PathBuf, region: &str) -> Self {
        Self {
            endpoint: None,
            secret_id: None,
            secret_key: None,
            region: region.to_owned(),
            data,
            utc: false,
            json: false,
        }
    }

    /// The region that requests name.
    pub(crate) fn region(&self) -> &str {
        &self.region
    }
}
