//! Finds out which server to call, and with which key: from flags, then variables, then the data folder.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ::agent::way::Pin;
use reqwest::Url;
use serde::Deserialize;
use url::Host;

use super::Connection;

/// A server and the key for it. Has no `Debug`, since it holds a secret.
pub(crate) struct Place {
    endpoint: Url,
    /// The digest of the server's certificate, where the address says it.
    pin: Option<Pin>,
    host: String,
    secret_id: String,
    secret_key: String,
    region: String,
}

/// Why no server can be called.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    /// Nothing says where the server is.
    #[error("no server is known: there is neither --endpoint nor HERALD_ENDPOINT nor {}", path.display())]
    NoEndpoint {
        /// The file that a server would have written.
        path: PathBuf,
    },
    /// The address is not that of an HTTP server.
    #[error("`{given}` is no server's address; it should be like http://127.0.0.1:7400")]
    Endpoint {
        /// What was given.
        given: String,
    },
    /// There is no key.
    #[error(
        "no key is known: there are neither --secret-id and --secret-key nor HERALD_SECRET_ID and HERALD_SECRET_KEY \
         nor {}", path.display()
    )]
    NoKey {
        /// The file that a server would have written.
        path: PathBuf,
    },
    /// Half a key.
    #[error("a key has two halves: give --secret-id and --secret-key, or HERALD_SECRET_ID and HERALD_SECRET_KEY")]
    HalfKey,
    /// A file of the data folder cannot be read.
    #[error("failed to read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl PlaceError {
    /// Whether the user wrote something wrong.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(self, Self::Endpoint { .. } | Self::HalfKey)
    }

    /// What to type next.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::NoEndpoint { .. } => Some("start a server here with `herald serve`".to_owned()),
            Self::NoKey { .. } => Some("use the key pair that the server was started with".to_owned()),
            _ => None,
        }
    }
}

impl Place {
    /// The server's address.
    pub(crate) fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    /// The digest by which the server's certificate is known; `None`: the system's authorities vouch for it.
    pub(crate) fn pin(&self) -> Option<Pin> {
        self.pin
    }

    /// The `Host` header of requests.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The region that requests name.
    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// The key.
    pub(crate) fn key(&self) -> wire::sign::Key<'_> {
        wire::sign::Key { secret_id: &self.secret_id, secret_key: &self.secret_key }
    }

    /// Whether the server is on this machine, where no proxy has a say.
    pub(crate) fn is_loopback(&self) -> bool {
        match self.endpoint.host() {
            Some(Host::Ipv4(ip)) => is_here(ip.into()),
            Some(Host::Ipv6(ip)) => is_here(ip.into()),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        }
    }
}

impl Connection {
    /// Looks in flags, then in variables, then in the data folder.
    ///
    /// # Errors
    /// [`PlaceError`]
    pub(crate) fn place(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Place, PlaceError> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let given = self.endpoint.clone().or_else(|| variable("HERALD_ENDPOINT"));
        let endpoint = match given {
            Some(given) => given,
            None => {
                let path = self.data.join("endpoint");
                read(&path)?.ok_or(PlaceError::NoEndpoint { path })?
            }
        };
        let secret_id = self.secret_id.clone().or_else(|| variable("HERALD_SECRET_ID"));
        let secret_key = self.secret_key.clone().or_else(|| variable("HERALD_SECRET_KEY"));
        let (secret_id, secret_key) = match (secret_id, secret_key) {
            (Some(id), Some(key)) => (id, key),
            (None, None) => stored_key(&self.data)?,
            _ => return Err(PlaceError::HalfKey),
        };
        let (endpoint, pin) = address(endpoint.trim())?;
        let host = host_header(&endpoint);
        Ok(Place { endpoint, pin, host, secret_id, secret_key, region: self.region.clone() })
    }
}

/// The address, and the digest that it may bear; `http://` may be left out.
fn address(given: &str) -> Result<(Url, Option<Pin>), PlaceError> {
    let wrong = || PlaceError::Endpoint { given: given.to_owned() };
    let full = if given.contains("://") { given.to_owned() } else { format!("http://{given}") };
    let mut url = Url::parse(&full).map_err(|_| wrong())?;
    let pin = match (url.scheme(), url.fragment()) {
        (_, None) => None,
        ("https", Some(fragment)) => {
            let digest = fragment.strip_prefix("sha256=").and_then(|digest| digest.parse().ok());
            Some(digest.ok_or_else(wrong)?)
        }
        _ => return Err(wrong()),
    };
    url.set_fragment(None);
    let plain = url.path() == "/" && url.query().is_none() && url.username().is_empty();
    if plain && url.has_host() && matches!(url.scheme(), "http" | "https") { Ok((url, pin)) } else { Err(wrong()) }
}

/// The header as it will be sent: with the port, unless that is the scheme's own.
fn host_header(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// `DATA/credentials.json`
#[derive(Deserialize)]
struct Credentials {
    secret_id: String,
    secret_key: String,
}

fn stored_key(data: &Path) -> Result<(String, String), PlaceError> {
    let path = data.join("credentials.json");
    let Some(text) = read(&path)? else { return Err(PlaceError::NoKey { path }) };
    match serde_json::from_str::<Credentials>(&text) {
        Ok(file) => Ok((file.secret_id, file.secret_key)),
        Err(error) => Err(PlaceError::Read { path, source: error.into() }),
    }
}

/// The file's text, `None` when there is no such file.
fn read(path: &Path) -> Result<Option<String>, PlaceError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(PlaceError::Read { path: path.to_owned(), source }),
    }
}

fn is_here(ip: IpAddr) -> bool {
    ip.is_loopback() || ip.is_unspecified()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(data: &Path) -> Connection {
        Connection::of_data(data.to_owned(), "ap-guangzhou")
    }

    fn nothing(_: &str) -> Option<String> {
        None
    }

    /// The error, since a place cannot be shown.
    fn refused(connection: &Connection, variable: impl Fn(&str) -> Option<String>) -> PlaceError {
        connection.place(variable).err().expect("a refusal")
    }

    #[test]
    fn flags_go_before_variables_and_those_before_the_data_folder() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("endpoint"), "http://127.0.0.1:3\n").unwrap();
        fs::write(folder.path().join("credentials.json"), r#"{"secret_id": "I3", "secret_key": "K3"}"#).unwrap();
        let told = |place: Place| (place.host.clone(), place.secret_id.clone(), place.secret_key.clone());
        let mut connection = connection(folder.path());
        let stored = told(connection.place(nothing).ok().unwrap());
        assert_eq!(stored, ("127.0.0.1:3".into(), "I3".into(), "K3".into()));

        let variables = |name: &str| match name {
            "HERALD_ENDPOINT" => Some("http://127.0.0.1:2".to_owned()),
            "HERALD_SECRET_ID" => Some("I2".to_owned()),
            "HERALD_SECRET_KEY" => Some("K2".to_owned()),
            _ => None,
        };
        let from_variables = told(connection.place(variables).ok().unwrap());
        assert_eq!(from_variables, ("127.0.0.1:2".into(), "I2".into(), "K2".into()));
        let emptied = told(connection.place(|_| Some(String::new())).ok().unwrap());
        assert_eq!(emptied, stored, "an empty variable says nothing");

        connection.endpoint = Some("localhost:1/".into());
        connection.secret_id = Some("I1".into());
        let mixed = told(connection.place(variables).ok().unwrap());
        assert_eq!(mixed, ("localhost:1".into(), "I1".into(), "K2".into()));
        assert!(matches!(refused(&connection, nothing), PlaceError::HalfKey));
    }

    #[test]
    fn what_is_missing_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = connection(folder.path());
        let error = refused(&connection, nothing);
        assert!(error.to_string().ends_with("/endpoint") && error.hint().unwrap().contains("herald serve"), "{error}");
        connection.endpoint = Some("127.0.0.1:1".into());
        let error = refused(&connection, nothing);
        assert!(matches!(error, PlaceError::NoKey { .. }) && !error.is_usage(), "{error}");
        fs::write(folder.path().join("credentials.json"), "{").unwrap();
        assert!(matches!(refused(&connection, nothing), PlaceError::Read { .. }));
    }

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for (given, host) in [
            ("http://127.0.0.1:7400", "127.0.0.1:7400"),
            ("127.0.0.1:7400", "127.0.0.1:7400"),
            ("https://herald.example/", "herald.example"),
            ("http://[::1]:80", "[::1]"),
        ] {
            assert_eq!(host_header(&address(given).unwrap().0), host, "{given}");
        }
        let pin = Pin::of(b"x");
        let (url, known) = address(&format!("https://a:1/#sha256={pin}")).unwrap();
        assert_eq!((url.as_str(), known), ("https://a:1/", Some(pin)));
        for given in [
            "",
            "http://",
            "ftp://a",
            "https://a#x",
            "http://a#sha256=00",
            "http://a/b",
            "http://a?b",
            "http://me@a",
            "a b",
            "http://a:99999",
        ] {
            assert!(matches!(address(given), Err(PlaceError::Endpoint { .. })), "{given}");
        }
    }

    #[test]
    fn no_proxy_stands_before_this_machine() {
        for (given, here) in [
            ("127.9.9.9:1", true),
            ("[::1]:1", true),
            ("localhost", true),
            ("0.0.0.0:1", true),
            ("10.0.0.1", false),
            ("localhost.example", false),
        ] {
            let (endpoint, pin) = address(given).unwrap();
            let host = host_header(&endpoint);
            let empty = String::new;
            let place = Place { endpoint, pin, host, secret_id: empty(), secret_key: empty(), region: empty() };
            assert_eq!(place.is_loopback(), here, "{given}");
        }
    }
}
