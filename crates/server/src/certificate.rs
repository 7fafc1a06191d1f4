//! The certificate that a server shows: one that was given, or one of its own making, kept in the data folder.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agent::way::Pin;
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::Tls;
use crate::data::{self, DataFolder};

/// The files of the server's own certificate.
const CERTIFICATE: &str = "certificate.pem";
const KEY: &str = "key.pem";

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be used.
    #[error("failed to {what} {}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A certificate cannot be made.
    #[error("failed to make a certificate")]
    Make(#[from] rcgen::Error),
    /// Certificate and key do not belong together, or are of a kind that cannot be used.
    #[error("the certificate in {} cannot be used with its key", path.display())]
    Use {
        /// The certificate's file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

/// What a server shows, and the digest by which its agents know it.
#[derive(Clone)]
pub(crate) struct Certificate {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) pin: Pin,
}

impl Certificate {
    /// The certificate that the configuration names; `None`: it asks for no TLS.
    pub(crate) fn load(tls: &Tls, data: &DataFolder, address: SocketAddr) -> Result<Option<Self>, CertificateError> {
        match (&tls.cert_file, &tls.key_file) {
            (Some(certificate), Some(key)) => Self::read(certificate, key).map(Some),
            _ if tls.on => {
                let folder = data.tls();
                let (certificate, key) = (folder.join(CERTIFICATE), folder.join(KEY));
                if !certificate.exists() {
                    make(&folder, &names(tls, address))?;
                }
                Self::read(&certificate, &key).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn read(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        let chain: Result<Vec<_>, _> =
            CertificateDer::pem_file_iter(certificate).and_then(|certificates| certificates.collect());
        let chain = chain.map_err(|error| failed_to("read certificates from", certificate)(io::Error::other(error)))?;
        let none = || failed_to("read certificates from", certificate)(io::Error::other("there is none in it"));
        let pin = Pin::of(chain.first().ok_or_else(none)?);
        let key = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| failed_to("read a private key from", key)(io::Error::other(error)))?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|source| CertificateError::Use { path: certificate.to_owned(), source })?;
        Ok(Self { config: Arc::new(config), pin })
    }
}

/// What the server may be called.
fn names(tls: &Tls, address: SocketAddr) -> Vec<String> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    names.extend(nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()));
    if !address.ip().is_unspecified() {
        names.push(address.ip().to_string());
    }
    names.extend(tls.names.iter().cloned());
    names.sort();
    names.dedup();
    names
}

fn make(folder: &Path, names: &[String]) -> Result<(), CertificateError> {
    fs::create_dir_all(folder).map_err(failed_to("make", folder))?;
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "Herald");
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    // The certificate last: where it is, its key is.
    for (name, text, mode) in [(KEY, key.serialize_pem(), 0o600), (CERTIFICATE, certificate.pem(), 0o644)] {
        let path = folder.join(name);
        data::replace(&path, text.as_bytes(), mode).map_err(failed_to("write", &path))?;
    }
    Ok(())
}

fn failed_to(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CertificateError {
    let path = path.to_owned();
    move |source| CertificateError::File { what, path, source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn load(tls: &Tls, data: &DataFolder) -> Result<Option<Certificate>, CertificateError> {
        Certificate::load(tls, data, SocketAddr::from(([10, 0, 0, 1], 7400)))
    }

    #[test]
    fn a_server_makes_its_own_certificate_once() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::take(folder.path()).unwrap();
        assert!(load(&Tls::default(), &data).unwrap().is_none());
        let own = Tls { on: true, names: vec!["herald.example".into()], ..Tls::default() };
        let pin = load(&own, &data).unwrap().unwrap().pin;
        assert_eq!(load(&own, &data).unwrap().unwrap().pin, pin);
        let key = data.tls().join(KEY);
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        let files = Tls { cert_file: Some(data.tls().join(CERTIFICATE)), key_file: Some(key.clone()), ..own };
        assert_eq!(load(&files, &data).unwrap().unwrap().pin, pin);
        let swapped = Tls { cert_file: Some(key), ..files };
        assert!(matches!(load(&swapped, &data), Err(CertificateError::File { .. })));
    }
}
