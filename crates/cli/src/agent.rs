//! `herald agent`.

use std::path::PathBuf;

use ::agent::AgentConfig;
use kernel::id::MachineId;
use server::machines::{self, Joining};
use url::{Host, Url};

use crate::failure::Failure;
use crate::output::Output;
use crate::{logging, signals};

/// Run a compute node, or with --join make this machine one that can be attached to an environment
#[derive(clap::Args)]
#[command(after_help = MORE)]
pub(crate) struct Agent {
    /// The folder of the node, or of the machine that joins
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// Join the server at this address
    #[arg(long, value_name = "URL")]
    join: Option<String>,
    /// A token that `herald node token` has made on the server; needed the first time only
    #[arg(long, requires = "join", env = "HERALD_JOIN_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// How many task instances run at once; as many as there are cores, unless given
    #[arg(long, requires = "join", value_parser = clap::value_parser!(u32).range(1..=1024))]
    slots: Option<u32>,
    /// The user that task instances run as, where this process is root; tasks in containers are refused then
    #[arg(long, requires = "join", value_name = "NAME")]
    user: Option<String>,
    /// Join over a network although nothing that is said there is encrypted
    #[arg(long, requires = "join")]
    insecure: bool,
}

const MORE: &str = "\
Without --join: the node's folder is made by the server, which starts one such process for each of its local nodes. \
It holds node.json (which node this is, its token, its slots, where the server's address stands), the journal of its \
runs and their working folders. The agent outlives a restart of the server. It ends at SIGTERM or when the server \
destroys the node, when its folder is gone, and after 24 hours without a server; its instances end with it.

With --join: the machine becomes known to the server as an instance ins-xxxxxxxx, which `herald node machines` lists \
and AttachInstances makes a node of an environment. The folder keeps who the machine is, so that it comes back as the \
same instance. SIGTERM ends it, with the node and its instances.";

impl Agent {
    /// Returns when the node's life is over.
    pub(crate) fn run(self) -> Result<(), Failure> {
        logging::start("info");
        match self.join {
            Some(ref address) => {
                let server = server_at(address, self.insecure)?;
                self.join(server)
            }
            None => Ok(::agent::run(AgentConfig::load(&self.home)?)?),
        }
    }

    fn join(self, server: Url) -> Result<(), Failure> {
        let program = std::env::current_exe().map_err(Failure::OwnProgram)?;
        let Self { home, token, slots, user, .. } = self;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::Runtime)?;
        runtime.block_on(async {
            let shutdown = signals::asked_to_stop().map_err(Failure::Runtime)?;
            Ok(machines::run(Joining { home, server, token, user, slots, program }, announce, shutdown).await?)
        })
    }
}

/// Prints who the machine is, each time that it has joined.
fn announce(machine: MachineId) {
    let mut out = Output::standard(false);
    // A machine whose starter does not read is a machine all the same.
    if let Err(failure) = out.line(format_args!("joined as {machine}")).and_then(|()| out.flush()) {
        tracing::warn!("{failure}");
    }
}

/// The server's address, if it may be joined.
fn server_at(address: &str, insecure: bool) -> Result<Url, Failure> {
    let wrong = |why| Failure::Join { address: address.to_owned(), why };
    let url = Url::parse(address).map_err(|_| wrong("it should be like http://127.0.0.1:7400"))?;
    if !matches!(url.scheme(), "http" | "https")
        || url.path() != "/"
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(wrong("it should be like https://10.0.0.1:7400 or http://127.0.0.1:7400"));
    }
    let is_plain = url.scheme() == "http";
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Err(wrong("it names no host")),
    };
    if is_plain && !is_here && !insecure {
        return Err(wrong(
            "credentials, commands and outputs would cross the network unencrypted; give https:// of a server that speaks \
             TLS, or --insecure if that network is trusted",
        ));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stays_on_this_machine_is_joined_without_a_word() {
        for address in ["http://127.0.0.1:7400", "http://[::1]:7400/", "http://localhost:1", "https://10.0.0.1:7400"] {
            assert!(server_at(address, false).is_ok(), "{address}");
        }
        for address in ["http://10.0.0.1:7400", "http://herald.example"] {
            let refused = server_at(address, false).unwrap_err().to_string();
            assert!(refused.contains("--insecure"), "{refused}");
            assert!(server_at(address, true).is_ok(), "{address}");
        }
        for address in ["https://127.0.0.1/#x", "127.0.0.1:7400", "http://127.0.0.1/x", "", "ftp://localhost"] {
            assert!(server_at(address, true).is_err(), "{address}");
        }
    }
}
