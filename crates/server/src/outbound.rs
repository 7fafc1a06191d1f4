//! Posts to addresses that users gave: the only module that opens such connections (ARCHITECTURE.md, invariant 7).
//!
//! A subscriber's address may name anything, also what only this machine can reach. So each address is checked
//! before it is connected to, whether it stands in the URL or comes from a name, and the addresses that were checked
//! are the ones connected to: the resolver below hands out no others. Redirects are not followed, and the
//! environment's proxy is not used, since either would lead elsewhere. A proxy that the configuration names is used for
//! everything; then only addresses that stand in URLs are checked here, for it is the proxy that looks up names.
//!
//! What a receiver sends is read within bounds: its head by hyper's (100 headers, some 400 KB), of its body
//! [`KEPT_BYTES`] are kept, and no more than [`READ_BYTES`] or [`DRAIN`] are spent on it, so that a connection can be
//! used again where that is cheap. The whole has to be done within the timeout.

mod guard;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use bytes::Bytes;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::chain::Chain;
use crate::config;
pub(crate) use guard::Guard;

/// How much of an answer's body is kept.
const KEPT_BYTES: usize = 1_024;
/// How much of an answer's body is read, so that its connection can be used again.
const READ_BYTES: usize = 64 * 1_024;
/// How long the body of an answer is read.
const DRAIN: Duration = Duration::from_secs(1);
/// Idle connections kept for each host.
const IDLE_CONNECTIONS: usize = 64;
/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(20);
/// Characters of an error that are kept.
const ERROR_CHARS: usize = 300;

/// Posts, within the guard's bounds. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Outbound {
    client: reqwest::Client,
    guard: Arc<Guard>,
    timeout: Duration,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The beginning of the body, as text.
    pub(crate) body: String,
    /// What its `Retry-After` says, if it has one.
    pub(crate) retry_after: Option<String>,
}

/// The client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// As it is set up.
    #[error("failed to make the HTTP client of pushes")]
    Client(#[source] reqwest::Error),
    /// The file of certificates cannot be read.
    #[error("failed to read the certificates in {} (push.ca_file)", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file of certificates holds something else.
    #[error("{} (push.ca_file) holds no certificates in PEM form", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why.
        source: reqwest::Error,
    },
}

impl Outbound {
    /// A client that stays within `guard`.
    pub(crate) fn new(config: &config::Push, guard: Guard) -> Result<Self, OutboundError> {
        // Whoever came first in this process has chosen the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let guard = Arc::new(guard);
        let timeout = Duration::from_millis(config.timeout_ms);
        let client = reqwest::Client::builder();
        let client = match &config.proxy {
            // The one name that is looked up is the proxy's, which the configuration vouches for.
            Some(proxy) => client.proxy(reqwest::Proxy::all(proxy.clone()).map_err(OutboundError::Client)?),
            None => client.no_proxy().dns_resolver(Resolver { guard: guard.clone() }),
        };
        let client = client
            .tls_certs_merge(certificates(config.ca_file.as_deref())?)
            .redirect(reqwest::redirect::Policy::none())
            .http1_only()
            .tcp_nodelay(true)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .pool_idle_timeout(IDLE)
            .timeout(timeout)
            .build()
            .map_err(OutboundError::Client)?;
        Ok(Self { client, guard, timeout })
    }

    /// Posts `body`. The error says what went wrong, for whoever looks at the attempt.
    pub(crate) async fn post(&self, url: &str, headers: HeaderMap, body: Bytes) -> Result<Answer, String> {
        let url = self.guard.checked(url)?;
        let sent = self.client.post(url).headers(headers).body(body).send().await;
        let mut response = sent.map_err(|error| self.explain(error))?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (mut kept, mut read) = (Vec::new(), 0);
        let drain = async {
            while let Ok(Some(chunk)) = response.chunk().await {
                let room = KEPT_BYTES.saturating_sub(kept.len()).min(chunk.len());
                kept.extend_from_slice(&chunk[..room]);
                read += chunk.len();
                if read >= READ_BYTES {
                    break;
                }
            }
        };
        // The status has decided; what can't be read of the body is not missed.
        let _ = tokio::time::timeout(DRAIN, drain).await;
        Ok(Answer { status, body: String::from_utf8_lossy(&kept).into_owned(), retry_after })
    }

    fn explain(&self, error: reqwest::Error) -> String {
        if error.is_timeout() {
            return format!("no answer within {} ms", self.timeout.as_millis());
        }
        // The URL is known to whoever reads this; the causes are not.
        Chain(&error.without_url()).to_string().chars().take(ERROR_CHARS).collect()
    }
}

/// The certificates in a file, beside those that this machine trusts.
fn certificates(path: Option<&Path>) -> Result<Vec<reqwest::Certificate>, OutboundError> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let pem = std::fs::read(path).map_err(|source| OutboundError::Read { path: path.into(), source })?;
    reqwest::Certificate::from_pem_bundle(&pem).map_err(|source| OutboundError::Pem { path: path.into(), source })
}

/// Looks names up, and hands out only addresses that the guard lets pass.
struct Resolver {
    guard: Arc<Guard>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.guard.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let mut refused = None;
            let mut good = Vec::new();
            for address in found {
                match guard.check(address.ip()) {
                    Ok(()) => good.push(address),
                    Err(error) => refused = Some(error),
                }
            }
            match refused {
                Some(error) if good.is_empty() => Err(error.into()),
                _ => Ok(Box::new(good.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Mutex;

    use axum::extract::State;
    use axum::routing::post;
    use ipnet::IpNet;

    use super::*;

    /// What came to the receiver.
    type Seen = Arc<Mutex<Vec<String>>>;

    async fn receiver(seen: Seen) -> SocketAddr {
        let take = |State(seen): State<Seen>, body: String| async move { seen.lock().unwrap().push(body) };
        let long = || async { "x".repeat(3_000) };
        let away = || async { axum::response::Redirect::temporary("/take") };
        let silent = || std::future::pending::<()>();
        let router = axum::Router::new()
            .route("/take", post(take))
            .route("/long", post(long))
            .route("/away", post(away))
            .route("/silent", post(silent))
            .with_state(seen);
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    fn outbound(allow: &[&str], timeout_ms: u64) -> Outbound {
        let allow: Vec<IpNet> = allow.iter().map(|net| net.parse().unwrap()).collect();
        let config = config::Push { timeout_ms, ..config::Push::default() };
        Outbound::new(&config, Guard::new(allow, IpAddr::from([0, 0, 0, 0]))).unwrap()
    }

    async fn go(outbound: &Outbound, url: String) -> Result<Answer, String> {
        outbound.post(&url, HeaderMap::new(), Bytes::from_static(b"hello")).await
    }

    #[tokio::test]
    async fn a_post_arrives_and_its_answer_is_cut() {
        let seen = Seen::default();
        let at = receiver(seen.clone()).await;
        let outbound = outbound(&["127.0.0.0/8"], 15_000);
        assert_eq!(go(&outbound, format!("http://{at}/take")).await.unwrap().status, 200);
        assert_eq!(*seen.lock().unwrap(), ["hello"]);
        assert_eq!(go(&outbound, format!("http://{at}/long")).await.unwrap().body.len(), KEPT_BYTES);
        assert_eq!(go(&outbound, format!("http://{at}/away")).await.unwrap().status, 307);
        assert_eq!(seen.lock().unwrap().len(), 1, "a redirect is not followed");
    }

    #[tokio::test]
    async fn who_is_silent_is_given_up() {
        let at = receiver(Seen::default()).await;
        let outbound = outbound(&["127.0.0.0/8"], 20);
        assert_eq!(go(&outbound, format!("http://{at}/silent")).await.unwrap_err(), "no answer within 20 ms");
    }

    #[tokio::test]
    async fn forbidden_addresses_are_refused_in_every_spelling() {
        let seen = Seen::default();
        let at = receiver(seen.clone()).await;
        let outbound = outbound(&[], 15_000);
        for host in
            ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]"]
        {
            let error = go(&outbound, format!("http://{host}:{}/take", at.port())).await.unwrap_err();
            assert!(error.contains("may not be posted to"), "{host}: {error}");
        }
        assert_eq!(seen.lock().unwrap().len(), 0);
        assert!(go(&outbound, "nonsense".into()).await.unwrap_err().contains("is no URL"));
    }

    #[tokio::test]
    async fn an_address_with_a_user_in_it_is_not_posted_to() {
        let at = receiver(Seen::default()).await;
        for user in ["user@", "user:password@", ":password@"] {
            let error = go(&outbound(&["127.0.0.0/8"], 15_000), format!("http://{user}{at}/take")).await.unwrap_err();
            assert!(error.contains("user name or a password"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_proxy_gets_names_as_they_are_and_no_forbidden_address() {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let proxy = listener.local_addr().unwrap();
        let asked = tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 64];
            tokio::io::AsyncReadExt::read_exact(&mut connection, &mut head).await.unwrap();
            let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
            tokio::io::AsyncWriteExt::write_all(&mut connection, answer).await.unwrap();
            String::from_utf8(head).unwrap()
        });
        let proxy = Some(format!("http://{proxy}").parse().unwrap());
        let config = config::Push { proxy, ..config::Push::default() };
        let outbound = Outbound::new(&config, Guard::new(Vec::new(), IpAddr::from([0, 0, 0, 0]))).unwrap();
        let error = go(&outbound, "http://10.0.0.1/hook".into()).await.unwrap_err();
        assert!(error.contains("may not be posted to"), "{error}");
        assert_eq!(go(&outbound, "http://receiver.invalid/hook".into()).await.unwrap().status, 204);
        assert!(asked.await.unwrap().starts_with("POST http://receiver.invalid/hook HTTP/1.1\r\n"));
    }

    #[test]
    fn a_file_of_certificates_has_to_hold_some() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let error = certificates(Some(&path)).unwrap_err();
        assert!(matches!(error, OutboundError::Read { .. }), "{error}");
        assert!(certificates(None).unwrap().is_empty());
    }

    #[tokio::test]
    async fn the_cause_of_a_failure_is_told() {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        drop(listener);
        let error = go(&outbound(&["127.0.0.0/8"], 15_000), format!("http://{at}/")).await.unwrap_err();
        assert!(error.contains("refused"), "{error}");
    }
}
