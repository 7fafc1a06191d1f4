//! `herald serve`.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;

use kernel::setup::{Secret, StorageKey};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use server::config::Sealed;
use server::keys::KeyPair;
use server::{Config, Ready};

use crate::client::PlaceError;
use crate::failure::Failure;
use crate::output::Output;
use crate::{logging, signals};

/// Run a server until SIGTERM or SIGINT; its nodes go on without it
#[derive(clap::Args)]
#[command(after_help = MORE)]
pub(crate) struct Serve {
    /// The data folder, made if it is missing [default: herald-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where to listen; port 0 picks one [default: 127.0.0.1:7400]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Listen beyond the loopback although keys, commands and outputs cross the network unencrypted
    #[arg(long)]
    insecure: bool,
    /// Speak TLS alone, with the certificate that the configuration names or one that the server makes for itself
    #[arg(long)]
    tls: bool,
    /// A file in TOML with further settings
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

const MORE: &str = "\
When it takes requests it prints one line, `listening on http://ADDR:PORT` (https:// with TLS). Flags go before variables, and those \
before the configuration file.

Variables:
  HERALD_SECRET_ID   The key pair that may call; without the two variables one is made at first
  HERALD_SECRET_KEY  start and kept in DATA/credentials.json
  HERALD_MASTER_KEY  What secrets in the database are sealed with, 64 hexadecimal digits; without it one
                     is made and kept in DATA/master.key
  HERALD_COS_SECRET_ID   The key that storage.s3 of the configuration is asked with, where a task
  HERALD_COS_SECRET_KEY  brings none in its Authentications
  HERALD_LOG         What is logged to standard error, such as debug or server=debug [default: info]";

impl Serve {
    /// Returns when the server has stopped in order.
    pub(crate) fn run(self) -> Result<(), Failure> {
        logging::start("info");
        let config = self.config(|name| std::env::var(name).ok())?;
        allow_many_files();
        let program = std::env::current_exe().map_err(Failure::OwnProgram)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::Runtime)?;
        runtime.block_on(async {
            let shutdown = signals::asked_to_stop().map_err(Failure::Runtime)?;
            server::run(config, program, announce, shutdown).await?;
            Ok(())
        })
    }

    /// The file's settings with variables and flags laid over them.
    fn config(self, variable: impl Fn(&str) -> Option<String>) -> Result<Config, Failure> {
        let mut config = match &self.config {
            Some(path) => Config::read_unchecked(path)?,
            None => Config::default(),
        };
        config.key = key(&variable)?;
        config.master_key = variable("HERALD_MASTER_KEY").filter(|text| !text.is_empty()).map(Sealed);
        config.storage.key = storage_key(&variable)?;
        if let Some(data) = self.data {
            config.data = data;
        }
        if let Some(listen) = self.listen {
            config.listen = listen;
        }
        config.insecure |= self.insecure;
        config.tls.on |= self.tls;
        config.check()?;
        Ok(config)
    }
}

/// Open files, connections among them, that a server asks for; agents and what they run inherit it.
const FILES: u64 = 65_536;

/// Lets this process have that many open files, or as many as the system allows it.
fn allow_many_files() {
    let allowed = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        let wanted = soft.max(hard.min(FILES));
        setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)
    });
    if let Err(error) = allowed {
        tracing::warn!(%error, "the number of open files stays bounded as it was");
    }
}

/// The one line of data that a server prints; and, for whoever started it by hand, the way into the console.
fn announce(ready: Ready) {
    let Ready { address, pin, console } = ready;
    let scheme = if pin.is_some() { "https" } else { "http" };
    let mut out = Output::standard(false);
    if std::io::stderr().is_terminal() {
        out.say(format_args!("console (leads in once, within 15 minutes): {console}"));
    }
    // A server whose starter does not read is a server all the same.
    if let Err(failure) = out.line(format_args!("listening on {scheme}://{address}")).and_then(|()| out.flush()) {
        tracing::warn!("{failure}");
    }
}

fn storage_key(variable: impl Fn(&str) -> Option<String>) -> Result<Option<StorageKey>, Failure> {
    let given = |name| variable(name).filter(|value| !value.is_empty());
    match (given("HERALD_COS_SECRET_ID"), given("HERALD_COS_SECRET_KEY")) {
        (Some(id), Some(secret)) => Ok(Some(StorageKey { id, secret: Secret(secret) })),
        (None, None) => Ok(None),
        _ => Err(Failure::HalfStorageKey),
    }
}

fn key(variable: impl Fn(&str) -> Option<String>) -> Result<Option<KeyPair>, Failure> {
    let given = |name| variable(name).filter(|value| !value.is_empty());
    match (given("HERALD_SECRET_ID"), given("HERALD_SECRET_KEY")) {
        (Some(secret_id), Some(secret_key)) => Ok(Some(KeyPair { secret_id, secret_key })),
        (None, None) => Ok(None),
        _ => Err(PlaceError::HalfKey.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serve() -> Serve {
        Serve { data: None, listen: None, insecure: false, tls: false, config: None }
    }

    #[test]
    fn flags_go_before_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("herald.toml");
        std::fs::write(&file, "data = \"there\"\nlisten = \"127.0.0.1:1\"\n").unwrap();
        let from_file = Serve { config: Some(file.clone()), ..serve() }.config(|_| None).unwrap();
        assert_eq!((from_file.data, from_file.listen.port()), (PathBuf::from("there"), 1));
        let listen = "127.0.0.1:2".parse().ok();
        let flags = Serve { data: Some("here".into()), listen, config: Some(file), ..serve() };
        let over = flags.config(|_| None).unwrap();
        assert_eq!((over.data, over.listen.port()), (PathBuf::from("here"), 2));
        assert_eq!(serve().config(|_| None).unwrap(), Config::default());
    }

    #[test]
    fn a_network_is_listened_on_only_where_that_is_said() {
        let listen = || "0.0.0.0:80".parse().ok();
        let refused = Serve { listen: listen(), ..serve() }.config(|_| None).unwrap_err();
        assert!(refused.to_string().contains("--insecure"), "{refused}");
        assert!(Serve { listen: listen(), insecure: true, ..serve() }.config(|_| None).is_ok());
    }

    #[test]
    fn the_key_pair_comes_whole_or_not_at_all() {
        let both = serve().config(|_| Some("x".to_owned())).unwrap();
        assert_eq!(both.key.map(|pair| pair.secret_key), Some("x".to_owned()));
        let half = serve().config(|name| (name == "HERALD_SECRET_ID").then(|| "x".to_owned()));
        assert_eq!(half.err().map(|failure| failure.exit_status()), Some(2));
    }
}
