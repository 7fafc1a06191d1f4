//! `[storage]`: where runs find what `cos://`, `cfs://` and `nfs://` name.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kernel::setup::StorageKey;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Config, ConfigError, ensure};
use crate::gateway::{ObjectServer, Surroundings};

/// `[storage]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Storage {
    /// The folder of the buckets of `cos://`, each a folder in it. Default: `cos` in the data folder. Without effect
    /// where `storage.s3` names a server.
    pub cos_root: Option<PathBuf>,
    /// File systems that are mounted on every machine with nodes: `"cfs://10.0.0.1/" = "/mnt/x"`. Default: none.
    pub mounts: BTreeMap<String, PathBuf>,
    /// The S3-compatible server that has the buckets. Default: none.
    pub s3: Option<S3>,
    /// The key that it is asked with where a task brings none, from the environment. Not in the file, which others may
    /// read.
    #[serde(skip)]
    pub key: Option<StorageKey>,
}

/// `[storage.s3]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3 {
    /// Its address, `http://HOST:PORT` or `https://HOST`.
    pub endpoint: String,
    /// Its region, which signatures name. Default: `us-east-1`.
    #[serde(default = "region")]
    pub region: String,
    /// Whether a bucket is part of the host's name, not of the path. Default: false.
    #[serde(default)]
    pub virtual_hosted: bool,
}

fn region() -> String {
    "us-east-1".to_owned()
}

impl Storage {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if let Some(root) = &self.cos_root {
            ensure(root.is_absolute(), "storage.cos_root", root.display(), "an absolute path")?;
        }
        for (mount, folder) in &self.mounts {
            let rest = mount.strip_prefix("cfs://").or(mount.strip_prefix("nfs://"));
            let right = rest.is_some_and(|rest| rest.len() > 1 && rest.ends_with('/') && !rest.starts_with('/'));
            ensure(right, "storage.mounts", mount, "addresses such as \"cfs://10.0.0.1/\", which end with `/`")?;
            let key = format!("storage.mounts.\"{mount}\"");
            ensure(folder.is_absolute(), &key, folder.display(), "an absolute path")?;
        }
        if let Some(s3) = &self.s3 {
            let plain = |url: Url| {
                matches!(url.scheme(), "http" | "https")
                    && url.has_host()
                    && url.query().is_none()
                    && url.username() == ""
                    && url.password().is_none()
            };
            let right = Url::parse(&s3.endpoint).is_ok_and(plain);
            ensure(right, "storage.s3.endpoint", &s3.endpoint, "an address such as http://127.0.0.1:9000")?;
            ensure(!s3.region.is_empty(), "storage.s3.region", &s3.region, "a region's name")?;
        }
        Ok(())
    }
}

impl Config {
    /// Where runs find storage and containers; `cos_root` is where buckets are unless something else is configured.
    pub(crate) fn surroundings(&self, cos_root: PathBuf) -> Surroundings {
        let storage = &self.storage;
        Surroundings {
            cos_root: storage.cos_root.clone().unwrap_or(cos_root),
            server: storage.s3.as_ref().map(|s3| ObjectServer {
                endpoint: s3.endpoint.trim_end_matches('/').to_owned(),
                region: s3.region.clone(),
                virtual_hosted: s3.virtual_hosted,
            }),
            key: storage.key.clone(),
            mounts: storage.mounts.clone(),
            docker: self.nodes.docker.clone(),
            docker_run: self.nodes.docker_run.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Config::parse(text).expect_err(text).to_string()
    }

    #[test]
    fn storage_is_read() {
        let text = r#"
            [nodes]
            docker = ["podman", "--root", "/x"]
            docker_run = ["--network", "none"]
            [storage.mounts]
            "cfs://10.0.0.1/" = "/mnt/x"
            [storage.s3]
            endpoint = "http://127.0.0.1:9000/"
        "#;
        let config = Config::parse(text).unwrap();
        assert_eq!(config.settings().mounts, ["cfs://10.0.0.1/"]);
        let surroundings = config.surroundings("/data/cos".into());
        assert_eq!(surroundings.cos_root, PathBuf::from("/data/cos"));
        let server = surroundings.server.unwrap();
        assert_eq!((server.endpoint.as_str(), server.region.as_str()), ("http://127.0.0.1:9000", "us-east-1"));
        assert_eq!((surroundings.docker.len(), surroundings.docker_run.len()), (3, 2));
    }

    #[test]
    fn wrong_storage_is_refused_with_its_path() {
        assert!(error("[storage]\ncos_root = \"cos\"").starts_with("storage.cos_root is cos"));
        assert!(
            error("[storage.mounts]\n\"cfs://10.0.0.1\" = \"/x\"").starts_with("storage.mounts is cfs://10.0.0.1;")
        );
        assert!(error("[storage.mounts]\n\"cos://b/\" = \"/x\"").starts_with("storage.mounts is cos://b/;"));
        assert!(error("[storage.mounts]\n\"nfs://h/\" = \"x\"").starts_with("storage.mounts.\"nfs://h/\" is x;"));
        assert!(error("[storage.s3]\nendpoint = \"127.0.0.1\"").starts_with("storage.s3.endpoint is 127.0.0.1;"));
        assert!(error("[storage.s3]\nendpoint = \"http://h\"\nsecret_key = \"x\"").contains("`storage.s3.secret_key`"));
    }
}
