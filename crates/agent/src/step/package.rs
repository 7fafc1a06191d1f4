//! The package that a command comes in: fetched, and unpacked into the run's folder.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use url::Url;
use wire::setup::Package;

use super::StepOrder;
use super::failure::{Failure, chain};
use super::storage::Store;
use super::unpack::{Bounds, unpack};
use crate::limits::{CONNECT, FETCH, PACKAGE_BYTES, PACKAGE_ENTRIES, REDIRECTS, UNPACKED_BYTES};

const BOUNDS: Bounds = Bounds { bytes: UNPACKED_BYTES, entries: PACKAGE_ENTRIES };

/// Fetches and unpacks the package.
pub(super) async fn install(package: &Package, order: &StepOrder) -> Result<(), Failure> {
    let fetched = order.own.join("package");
    let archive = match package {
        Package::Web(url) => {
            let unavailable = |why| Failure::PackageUnavailable { from: shown(url), why };
            fetch(url, &fetched).await.map_err(unavailable)?;
            fetched
        }
        Package::File(path) => {
            let path = Path::new(path);
            check_size(path).map_err(|why| unavailable(&path.display().to_string(), why))?;
            path.to_owned()
        }
        Package::Remote(place) => {
            let fetching = async { Store::open(place)?.fetch_file(&fetched, PACKAGE_BYTES).await };
            fetching.await.map_err(|why| unavailable(&Store::name(place), why))?;
            fetched
        }
    };
    let folder = order.folder.clone();
    let unpacked = tokio::task::spawn_blocking(move || unpack(&archive, &folder, BOUNDS)).await;
    unpacked.map_err(|_| "it could not be unpacked".to_owned()).flatten().map_err(Failure::PackageInvalid)
}

fn unavailable(from: &str, why: String) -> Failure {
    Failure::PackageUnavailable { from: from.to_owned(), why }
}

fn check_size(path: &Path) -> Result<(), String> {
    let found = path.metadata().map_err(|error| error.to_string())?;
    if !found.is_file() {
        return Err("it is no file".to_owned());
    }
    if found.len() > PACKAGE_BYTES { Err(too_large()) } else { Ok(()) }
}

fn too_large() -> String {
    format!("it has more than {PACKAGE_BYTES} bytes")
}

/// Gets a file from a web server.
async fn fetch(url: &str, to: &Path) -> Result<(), String> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::limited(REDIRECTS))
        .no_proxy()
        .connect_timeout(CONNECT)
        .timeout(FETCH)
        .build()
        .map_err(|error| chain(&error))?;
    // A URL may carry a signature that nobody else should read.
    let told = |error: reqwest::Error| chain(&error.without_url());
    let mut reply = client.get(url).send().await.map_err(told)?;
    if !reply.status().is_success() {
        return Err(format!("the server answered {}", reply.status()));
    }
    let mut file = File::create(to).map_err(|error| error.to_string())?;
    let mut bytes = 0;
    while let Some(chunk) = reply.chunk().await.map_err(told)? {
        bytes += chunk.len() as u64;
        if bytes > PACKAGE_BYTES {
            return Err(too_large());
        }
        file.write_all(&chunk).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// A URL without what may be secret in it: user, password, query.
fn shown(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else { return "the package".to_owned() };
    url.set_query(None);
    url.set_fragment(None);
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_a_url_are_not_shown() {
        assert_eq!(shown("https://u:p@h.example/a/p.tgz?sign=s3cret#x"), "https://h.example/a/p.tgz");
    }
}
