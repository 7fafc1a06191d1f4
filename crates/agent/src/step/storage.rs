//! Remote storage: a folder of this machine, or a bucket of an S3-compatible server. What goes in and out of it.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path as Key;
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt, RetryConfig, WriteMultipart};
use wire::setup::Place;

use super::failure::chain;
use super::tree;
use crate::limits::{
    CONNECT, COPIED_FILES, DOWNLOADS, PART_BYTES_LEAST, PARTS_MOST, STORAGE_REPLY, STORAGE_TRIES, UPLOAD_BYTES,
};

/// How files are sent: how many parts at once, and how large they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Upload {
    pub(super) workers: u32,
    pub(super) part_mb: u32,
}

/// A place of remote storage, ready to be used. What its functions refuse is a reason for the user.
#[derive(Debug)]
pub(super) enum Store {
    Folder { root: PathBuf, path: PathBuf, below: String },
    Bucket { store: Arc<AmazonS3>, key: String },
}

type Told<T> = Result<T, String>;

impl Store {
    /// The place, if this machine can reach it.
    pub(super) fn open(place: &Place) -> Told<Self> {
        match place {
            Place::Folder { root, below } => {
                let root = PathBuf::from(root);
                if !root.is_dir() {
                    return Err(format!("this machine has no folder {}", root.display()));
                }
                Ok(Self::Folder { path: root.join(below), root, below: below.clone() })
            }
            Place::Bucket { endpoint, region, bucket, key, virtual_hosted, credentials } => {
                let _ = rustls::crypto::ring::default_provider().install_default();
                let mut builder = AmazonS3Builder::new()
                    .with_endpoint(endpoint)
                    .with_region(region)
                    .with_bucket_name(bucket)
                    .with_virtual_hosted_style_request(*virtual_hosted)
                    .with_allow_http(true)
                    .with_retry(RetryConfig { max_retries: STORAGE_TRIES, ..RetryConfig::default() })
                    .with_client_options(
                        ClientOptions::new()
                            .with_allow_http(true)
                            .with_connect_timeout(CONNECT)
                            .with_timeout(STORAGE_REPLY),
                    );
                builder = match credentials {
                    Some((id, secret)) => builder.with_access_key_id(id).with_secret_access_key(&secret.0),
                    None => builder.with_skip_signature(true),
                };
                let store = builder.build().map_err(|error| chain(&error))?;
                Ok(Self::Bucket { store: Arc::new(store), key: key.clone() })
            }
        }
    }

    /// What a place is called where there is no address of a user's for it.
    pub(super) fn name(place: &Place) -> String {
        match place {
            Place::Folder { root, below } => Path::new(root).join(below).display().to_string(),
            Place::Bucket { bucket, key, .. } => format!("{key} of the bucket {bucket}"),
        }
    }

    /// The folder of this machine that the place is, if it is one; made if it is missing below its root.
    pub(super) fn local_folder(&self) -> Option<&Path> {
        match self {
            Self::Folder { path, .. } => Some(path),
            Self::Bucket { .. } => None,
        }
    }

    /// Copies all that is in the place into a folder of the node, which is made if missing.
    pub(super) async fn copy_in(&self, to: &Path) -> Told<()> {
        fs::create_dir_all(to).map_err(|error| format!("failed to make {}: {error}", to.display()))?;
        match self {
            Self::Folder { root, path, below } => {
                let bucket = root.join(below.split('/').next().unwrap_or_default());
                if !bucket.is_dir() {
                    return Err(format!("there is no folder {}", bucket.display()));
                }
                if !path.is_dir() {
                    // As in a bucket, where nothing begins with such a key.
                    return Ok(());
                }
                let (from, to) = (path.clone(), to.to_owned());
                blocking(move || tree::copy(&from, &to).map_err(|error| error.to_string())).await
            }
            Self::Bucket { store, key } => copy_bucket_in(store, key, to).await,
        }
    }

    /// Copies all that is in a folder of the node into the place.
    pub(super) async fn copy_out(&self, from: &Path, upload: Upload) -> Told<()> {
        if !from.is_dir() {
            return Err("there is no such folder".to_owned());
        }
        match self {
            Self::Folder { path, .. } => {
                let (from, to) = (from.to_owned(), path.clone());
                blocking(move || tree::copy(&from, &to).map_err(|error| error.to_string())).await
            }
            Self::Bucket { store, key } => {
                let listed = tree::list(from).map_err(|error| error.to_string())?;
                let send = Sending::new(store, upload);
                let (small, large): (Vec<_>, Vec<_>) =
                    listed.files.into_iter().partition(|(_, bytes)| *bytes <= send.part as u64);
                let key_of = |file: &Path| Ok::<_, String>(format!("{key}{}", text(file)?));
                let small = stream::iter(small).map(|(file, bytes)| {
                    let send = &send;
                    async move { send.file(&from.join(&file), &key_of(&file)?, bytes).await }
                });
                small.buffer_unordered(send.workers).try_collect::<()>().await?;
                // Each of these has parts enough for all workers.
                for (file, bytes) in large {
                    send.file(&from.join(&file), &key_of(&file)?, bytes).await?;
                }
                Ok(())
            }
        }
    }

    /// Copies one file into the place, which is a folder, under this name.
    pub(super) async fn put_file(&self, from: &Path, name: &str) -> Told<()> {
        match self {
            Self::Folder { path, .. } => {
                fs::create_dir_all(path).map_err(|error| format!("failed to make {}: {error}", path.display()))?;
                let (from, to) = (from.to_owned(), path.join(name));
                blocking(move || tree::copy_file(&from, &to).map_err(|error| error.to_string())).await
            }
            Self::Bucket { store, key } => {
                let bytes = fs::metadata(from).map_err(|error| error.to_string())?.len();
                let send = Sending::new(store, Upload { workers: 1, part_mb: 8 });
                send.file(from, &format!("{key}{name}"), bytes).await
            }
        }
    }

    /// Copies the place, which is one file, to a file of the node.
    pub(super) async fn fetch_file(&self, to: &Path, most_bytes: u64) -> Told<()> {
        match self {
            Self::Folder { path, .. } => {
                let found = fs::metadata(path).map_err(|error| error.to_string())?;
                if !found.is_file() || found.len() > most_bytes {
                    return Err(format!("it is no file of at most {most_bytes} bytes"));
                }
                let (from, to) = (path.clone(), to.to_owned());
                blocking(move || fs::copy(from, to).map(drop).map_err(|error| error.to_string())).await
            }
            Self::Bucket { store, key } => fetch(store, &parsed(key)?, to, most_bytes).await,
        }
    }
}

async fn blocking(work: impl FnOnce() -> Told<()> + Send + 'static) -> Told<()> {
    tokio::task::spawn_blocking(work).await.map_err(|_| "copying has panicked".to_owned()).flatten()
}

fn text(path: &Path) -> Told<&str> {
    path.to_str().ok_or_else(|| format!("the name {} is not UTF-8", path.display()))
}

fn parsed(key: &str) -> Told<Key> {
    Key::parse(key).map_err(|error| chain(&error))
}

async fn copy_bucket_in(store: &Arc<AmazonS3>, key: &str, to: &Path) -> Told<()> {
    let prefix = parsed(key.trim_end_matches('/'))?;
    let mut listing = store.list((!key.is_empty()).then_some(&prefix));
    let mut objects = Vec::new();
    while let Some(object) = listing.try_next().await.map_err(|error| chain(&error))? {
        // A key is a user's text; what it means below the folder is for `below` to say.
        let Some(path) = below(object.location.as_ref(), key) else { continue };
        objects.push((object.location, to.join(path)));
        if objects.len() > COPIED_FILES {
            return Err(format!("there are more than {COPIED_FILES} objects"));
        }
    }
    let fetched = stream::iter(objects).map(|(location, file)| async move {
        let folder = file.parent().unwrap_or(to);
        fs::create_dir_all(folder).map_err(|error| format!("failed to make {}: {error}", folder.display()))?;
        let beside = tree::beside(&file).map_err(|error| error.to_string())?;
        fetch(store, &location, &beside, u64::MAX).await.map_err(|why| format!("{location}: {why}"))?;
        fs::rename(&beside, &file).map_err(|error| format!("{}: {error}", file.display()))
    });
    fetched.buffer_unordered(DOWNLOADS).try_collect().await
}

/// The path of an object below a folder's key; `None` for what is not below it or marks the folder itself.
fn below(object: &str, folder: &str) -> Option<PathBuf> {
    let rest = object.strip_prefix(folder)?;
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    rest.split('/').all(plain).then(|| PathBuf::from(rest))
}

async fn fetch(store: &Arc<AmazonS3>, from: &Key, to: &Path, most_bytes: u64) -> Told<()> {
    let told = |error: object_store::Error| chain(&error);
    let mut file = File::create(to).map_err(|error| format!("{}: {error}", to.display()))?;
    let mut body = store.get(from).await.map_err(told)?.into_stream();
    let mut bytes = 0;
    while let Some(chunk) = body.try_next().await.map_err(told)? {
        bytes += chunk.len() as u64;
        if bytes > most_bytes {
            return Err(format!("it has more than {most_bytes} bytes"));
        }
        file.write_all(&chunk).map_err(|error| format!("{}: {error}", to.display()))?;
    }
    Ok(())
}

/// Sending files to a bucket.
struct Sending<'a> {
    store: &'a Arc<AmazonS3>,
    workers: usize,
    part: usize,
}

impl<'a> Sending<'a> {
    /// As asked for, within what the protocol and this machine's memory allow.
    fn new(store: &'a Arc<AmazonS3>, upload: Upload) -> Self {
        let part = (upload.part_mb as usize * 1024 * 1024).max(PART_BYTES_LEAST);
        let workers = (UPLOAD_BYTES / part).clamp(1, upload.workers.max(1) as usize);
        Self { store, workers, part }
    }

    async fn file(&self, from: &Path, key: &str, bytes: u64) -> Told<()> {
        let failed = |why: String| format!("{}: {why}", from.display());
        let told = |error: object_store::Error| failed(chain(&error));
        let key = parsed(key)?;
        let mut file = File::open(from).map_err(|error| failed(error.to_string()))?;
        if bytes <= self.part as u64 {
            let mut content = Vec::new();
            file.read_to_end(&mut content).map_err(|error| failed(error.to_string()))?;
            return self.store.put(&key, content.into()).await.map(drop).map_err(told);
        }
        let least = usize::try_from(bytes / PARTS_MOST + 1).unwrap_or(usize::MAX);
        let part = self.part.max(least);
        let upload = self.store.put_multipart(&key).await.map_err(told)?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, part);
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let read = file.read(&mut buffer).map_err(|error| failed(error.to_string()))?;
            if read == 0 {
                break;
            }
            upload.wait_for_capacity(self.workers).await.map_err(told)?;
            upload.write(&buffer[..read]);
        }
        upload.finish().await.map(drop).map_err(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_stay_below_their_folder() {
        let below = |object: &str, folder: &str| below(object, folder).map(|path| path.display().to_string());
        assert_eq!(below("in/a/b", "in/").as_deref(), Some("a/b"));
        assert_eq!(below("a", "").as_deref(), Some("a"));
        for (object, folder) in [("inner", "in/"), ("in/", "in/"), ("in/../x", "in/"), ("in//x", "in/"), ("x", "in/")] {
            assert_eq!(below(object, folder), None, "{object}");
        }
    }

    #[tokio::test]
    async fn a_folder_that_this_machine_lacks_is_told() {
        let place = Place::Folder { root: "/nowhere/at/all".into(), below: "b/x/".into() };
        assert_eq!(Store::open(&place).unwrap_err(), "this machine has no folder /nowhere/at/all");
        let root = tempfile::tempdir().unwrap();
        let place = |below: &str| Place::Folder { root: root.path().to_str().unwrap().into(), below: below.into() };
        let to = root.path().join("to");
        let copy = async |below: &str| Store::open(&place(below)).unwrap().copy_in(&to).await;
        assert!(copy("bucket/x/").await.unwrap_err().starts_with("there is no folder"));
        fs::create_dir(root.path().join("bucket")).unwrap();
        assert_eq!(copy("bucket/x/").await, Ok(()), "nothing has such a key");
        assert!(to.is_dir());
    }
}
