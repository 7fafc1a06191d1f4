//! The way to a server: its address, and TLS with a certificate that is known beforehand.
//!
//! Whoever made the server's certificate has told its digest: in the file that local agents read, or in the token that
//! a machine joins with. So no authority is asked, and nobody else's certificate will do.

use std::io;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;
use url::Url;

/// A connection to a server.
pub type Way = Either<TcpStream, TlsStream<TcpStream>>;

/// What stands before the digest in an address.
const KIND: &str = "sha256=";

/// The digest of a certificate, by which it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin([u8; 32]);

impl Pin {
    /// The digest of a certificate in DER form.
    #[must_use]
    pub fn of(certificate: &[u8]) -> Self {
        Self(Sha256::digest(certificate).into())
    }
}

impl std::fmt::Display for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Pin {
    type Err = ();

    /// Reads 64 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut pin = [0; 32];
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(());
        }
        for (at, byte) in pin.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).map_err(|_| ())?;
        }
        Ok(Self(pin))
    }
}

/// Where a server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    host: String,
    port: u16,
    /// The digest of its certificate; `None`: it is spoken to without TLS.
    pin: Option<Pin>,
}

impl Endpoint {
    /// Reads `http://HOST:PORT`, or `https://HOST:PORT#sha256=DIGEST` with the digest of the certificate.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text.trim()).ok()?;
        let pin = match (url.scheme(), url.fragment()) {
            ("http", None) => None,
            ("https", Some(fragment)) => Some(fragment.strip_prefix(KIND)?.parse().ok()?),
            _ => return None,
        };
        let plain = url.path() == "/" && url.query().is_none() && url.username().is_empty();
        let (host, port) = (url.host_str()?.to_owned(), url.port_or_known_default()?);
        plain.then_some(Self { host, port, pin })
    }

    /// `HOST:PORT`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Connects, and says from which address.
    ///
    /// # Errors
    /// There is nobody, or somebody else: a certificate with another digest.
    pub async fn connect(&self) -> io::Result<(Way, SocketAddr)> {
        let stream = TcpStream::connect(self.address()).await?;
        stream.set_nodelay(true)?;
        let local = stream.local_addr()?;
        let Some(pin) = self.pin else { return Ok((Either::Left(stream), local)) };
        let host = self.host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(io::Error::other)?;
        let stream = TlsConnector::from(Arc::new(pinned(pin))).connect(name, stream).await?;
        Ok((Either::Right(stream), local))
    }
}

/// TLS that takes one certificate, whatever names it bears and whoever signed it.
#[must_use]
pub fn pinned(pin: Pin) -> ClientConfig {
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(Pinned { pin, provider: provider.clone() });
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows these versions")
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth()
}

#[derive(Debug)]
struct Pinned {
    pin: Pin,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // That the other side has its key, the signature of the handshake shows.
        if Pin::of(certificate) == self.pin {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read() {
        let pin = Pin::of(b"a certificate");
        let secure = |host: &str| format!("https://{host}#sha256={pin}");
        for (text, expected) in [
            ("http://127.0.0.1:7400\n", Some(("127.0.0.1:7400", false))),
            ("http://[::1]:7400", Some(("[::1]:7400", false))),
            ("http://herald.example/", Some(("herald.example:80", false))),
            (&secure("herald.example:7400"), Some(("herald.example:7400", true))),
            (&secure("10.0.0.1/"), Some(("10.0.0.1:443", true))),
            (&secure("10.0.0.1/x"), None),
            ("https://127.0.0.1:7400", None),
            ("https://127.0.0.1:7400#sha256=00", None),
            ("http://127.0.0.1:7400#sha256=00", None),
            ("http://127.0.0.1:7400/x", None),
            ("127.0.0.1:7400", None),
            ("", None),
        ] {
            let parsed = Endpoint::parse(text).map(|endpoint| (endpoint.address(), endpoint.pin == Some(pin)));
            assert_eq!(parsed, expected.map(|(address, secure)| (address.to_owned(), secure)), "{text}");
        }
        assert_eq!(pin.to_string().parse(), Ok(pin));
        assert_eq!("0".repeat(63).parse::<Pin>(), Err(()));
        assert_eq!("x".repeat(64).parse::<Pin>(), Err(()));
    }
}
