//! Remote storage in requests: addresses, mappings, keys, and where output is copied to.
//!
//! `cos://` names a bucket in Tencent's way, `cos://<bucket>.cos.<region>.myqcloud.com/<dir>/`; `cfs://` and `nfs://`
//! name a file system, and must be one of the mounts that the installation is configured with. (Tencent Batch:
//! "filling in COS and CFS paths": a folder ends with `/`, and a bucket is in the job's region.)

use std::collections::BTreeSet;

use kernel::limits::{MAPPINGS, PATH_BYTES, REDIRECT_NAME_BYTES, STORAGE_KEY_BYTES, UPLOAD_PART_MB, UPLOAD_WORKERS};
use kernel::setup::{Input, Output, Package, Redirect, Remote, Secret, StorageKey, Upload, Workspace};

use super::Site;
use super::check::{self, COMBINATION, VALUE};
use super::schema::{self, Field, Kind};
use crate::api3::ApiError;
use crate::fields::{Reader, shortened};

const SCHEME: &str = "InvalidParameterValue.RemoteStorageSchemeType";
const REMOTE: &str = "InvalidParameterValue.RemoteStoragePath";
const LOCAL: &str = "InvalidParameterValue.LocalPath";

/// What an address must name.
#[derive(Clone, Copy, PartialEq)]
enum What {
    Folder,
    File,
}

/// `InputMappings`.
pub(super) fn inputs(reader: &Reader<'_>, site: &Site<'_>) -> Result<Vec<Input>, ApiError> {
    let mut destinations = BTreeSet::new();
    let inputs = reader.objects("InputMappings", |mapping| {
        let url = mapping.required_string("SourcePath")?;
        let source = remote(mapping, "SourcePath", &url, What::Folder, &["cos", "cfs", "nfs"], site)?;
        let destination = mapping.required_string("DestinationPath")?;
        check_local(mapping, "DestinationPath", &destination)?;
        if !destinations.insert(destination.trim_end_matches('/').to_owned()) {
            let reason = format!("\"{}\" is given twice", shortened(&destination));
            return Err(mapping.refuse("DestinationPath", LOCAL, reason));
        }
        // How Tencent's machines mount a bucket. Here it is copied: checked, stored and echoed.
        check::one_of(mapping, "MountType", &[("COSFS", ()), ("GooseFS-Lite", ())])?;
        schema::check(mapping, &[Field::new("MountOptionParameter", Kind::Text)])?;
        Ok(Input { source, destination })
    })?;
    check::count(reader, "InputMappings", inputs.len(), MAPPINGS)?;
    Ok(inputs)
}

/// `OutputMappings`.
pub(super) fn outputs(reader: &Reader<'_>, site: &Site<'_>) -> Result<Vec<Output>, ApiError> {
    let outputs = reader.objects("OutputMappings", |mapping| {
        let source = mapping.required_string("SourcePath")?;
        check_local(mapping, "SourcePath", &source)?;
        let url = mapping.required_string("DestinationPath")?;
        let destination = remote(mapping, "DestinationPath", &url, What::Folder, &["cos"], site)?;
        let workspace = mapping.object("OutputMappingOption", |option| {
            let words = [("BATCH_WORKSPACE", Workspace::Batch), ("GLOBAL_WORKSPACE", Workspace::Global)];
            check::one_of(option, "Workspace", &words)
        })?;
        let workspace = workspace.flatten().unwrap_or_default();
        if workspace == Workspace::Global && !source.starts_with('/') {
            let reason = "must be absolute in the GLOBAL_WORKSPACE, the node's file system";
            return Err(mapping.refuse("SourcePath", LOCAL, reason));
        }
        Ok(Output { source, workspace, destination })
    })?;
    check::count(reader, "OutputMappings", outputs.len(), MAPPINGS)?;
    Ok(outputs)
}

/// `OutputMappingConfigs`: one for each kind of storage, of which there is one.
pub(super) fn upload(reader: &Reader<'_>) -> Result<Upload, ApiError> {
    let configs = reader.objects("OutputMappingConfigs", |config| {
        scene(config)?;
        let number = |key: &str, most: u64| {
            let number = config.required(key, check::within(config, key, 1, most, VALUE)?)?;
            Ok::<_, ApiError>(u32::try_from(number).expect("limited to less"))
        };
        Ok(Upload { workers: number("WorkerNum", UPLOAD_WORKERS)?, part_mb: number("WorkerPartSize", UPLOAD_PART_MB)? })
    })?;
    one_scene(reader, "OutputMappingConfigs", configs.len())?;
    Ok(configs.first().copied().unwrap_or_default())
}

/// `Authentications`: one for each kind of storage, of which there is one.
pub(super) fn key(reader: &Reader<'_>) -> Result<Option<StorageKey>, ApiError> {
    let keys = reader.objects("Authentications", |authentication| {
        scene(authentication)?;
        let half = |key: &str| {
            let half = authentication.required_string(key)?;
            if half.is_empty() || half.len() > STORAGE_KEY_BYTES || !half.bytes().all(|byte| byte.is_ascii_graphic()) {
                let reason = format!("must have 1 to {STORAGE_KEY_BYTES} visible ASCII characters");
                return Err(authentication.refuse(key, VALUE, reason));
            }
            Ok(half)
        };
        Ok(StorageKey { id: half("SecretId")?, secret: Secret(half("SecretKey")?) })
    })?;
    one_scene(reader, "Authentications", keys.len())?;
    Ok(keys.into_iter().next())
}

fn scene(reader: &Reader<'_>) -> Result<(), ApiError> {
    reader.required("Scene", check::one_of(reader, "Scene", &[("COS", ())])?)
}

fn one_scene(reader: &Reader<'_>, list: &str, given: usize) -> Result<(), ApiError> {
    if given > 1 {
        return Err(reader.refuse(&format!("{list}.1.Scene"), COMBINATION, "COS is given twice"));
    }
    Ok(())
}

/// `RedirectInfo` and `RedirectLocalInfo`: where standard output and standard error are copied to.
pub(super) fn redirects(task: &Reader<'_>, site: &Site<'_>) -> Result<(Redirect, Redirect), ApiError> {
    let mut both = [Redirect::default(), Redirect::default()];
    let streams = ["Stdout", "Stderr"];
    task.object("RedirectInfo", |info| {
        for (redirect, stream) in both.iter_mut().zip(streams) {
            let path = format!("{stream}RedirectPath");
            if let Some(url) = info.string(&path)?.filter(|url| !url.is_empty()) {
                redirect.remote = Some(remote(info, &path, &url, What::Folder, &["cos"], site)?);
            }
            redirect.remote_name = name(info, &format!("{stream}RedirectFileName"), &path)?;
        }
        Ok(())
    })?;
    task.object("RedirectLocalInfo", |info| {
        for (redirect, stream) in both.iter_mut().zip(streams) {
            let path = format!("{stream}LocalPath");
            if let Some(local) = info.string(&path)?.filter(|local| !local.is_empty()) {
                check_local(info, &path, &local)?;
                redirect.local = Some(local);
            }
            redirect.local_name = name(info, &format!("{stream}LocalFileName"), &path)?;
        }
        Ok(())
    })?;
    let [stdout, stderr] = both;
    Ok((stdout, stderr))
}

/// The name of a file in the folder that `path` gives, with placeholders.
fn name(info: &Reader<'_>, key: &str, path: &str) -> Result<String, ApiError> {
    let name = info.string(key)?.unwrap_or_default();
    if !name.is_empty() && !info.has(path) {
        return Err(info.refuse(key, COMBINATION, format!("has no effect without {path}")));
    }
    let is_plain = !name.contains('/') && !name.chars().any(char::is_control) && name != "." && name != "..";
    if name.len() > REDIRECT_NAME_BYTES || !is_plain {
        let reason = format!("must be a file's name of at most {REDIRECT_NAME_BYTES} bytes, without `/`");
        return Err(info.refuse(key, VALUE, reason));
    }
    Ok(name)
}

/// `PackagePath`.
pub(super) fn package(reader: &Reader<'_>, key: &str, path: &str, site: &Site<'_>) -> Result<Package, ApiError> {
    if path.len() > PATH_BYTES || path.chars().any(char::is_control) {
        let reason = format!("must have at most {PATH_BYTES} bytes, and no control characters");
        return Err(reader.refuse(key, REMOTE, reason));
    }
    if let Some(file) = path.strip_prefix("file://").or(path.starts_with('/').then_some(path)) {
        check_local(reader, key, file)?;
        if !file.starts_with('/') || file.ends_with('/') {
            return Err(reader.refuse(key, LOCAL, "must be the absolute path of a file"));
        }
        return Ok(Package::File(file.to_owned()));
    }
    match path.split_once("://") {
        // The path is shown in every reply, where a password has no place.
        Some(("http" | "https", rest)) if rest.split('/').next().is_some_and(|host| host.contains('@')) => {
            Err(reader.refuse(key, REMOTE, "must not have a user or password in it"))
        }
        Some(("http" | "https", rest)) if !rest.is_empty() && !rest.starts_with('/') => {
            Ok(Package::Web(path.to_owned()))
        }
        Some(("http" | "https", _)) => Err(reader.refuse(key, REMOTE, "names no host")),
        Some(("cos" | "cfs" | "nfs", _)) => {
            remote(reader, key, path, What::File, &["cos", "cfs", "nfs"], site).map(Package::Remote)
        }
        _ => {
            let reason = format!(
                "expected http://, https://, cos://, cfs://, nfs://, file:// or an absolute path, found \"{}\"",
                shortened(path)
            );
            Err(reader.refuse(key, SCHEME, reason))
        }
    }
}

/// An address of remote storage.
fn remote(
    reader: &Reader<'_>,
    key: &str,
    url: &str,
    what: What,
    schemes: &[&str],
    site: &Site<'_>,
) -> Result<Remote, ApiError> {
    let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| schemes.contains(scheme)) else {
        let reason = format!("expected {}://, found \"{}\"", schemes.join("://, "), shortened(url));
        return Err(reader.refuse(key, SCHEME, reason));
    };
    let refuse = |reason: String| Err(reader.refuse(key, REMOTE, reason));
    if url.len() > PATH_BYTES || url.chars().any(char::is_control) {
        return refuse(format!("must have at most {PATH_BYTES} bytes, and no control characters"));
    }
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if what == What::Folder && !rest.ends_with('/') {
        return refuse(format!("a folder's address ends with `/`, \"{}\" does not", shortened(url)));
    }
    if what == What::File && (path.is_empty() || path.ends_with('/')) {
        return refuse(format!("\"{}\" names no file", shortened(url)));
    }
    if path.trim_end_matches('/').split('/').any(|part| matches!(part, "." | ".."))
        || path.contains("//")
        || path.starts_with('/')
    {
        return refuse("must have neither `.`, `..` nor empty names in its path".to_owned());
    }
    if scheme != "cos" {
        if !site.mounts.iter().any(|mount| url.starts_with(mount.as_str())) {
            return refuse(format!("no mount is configured for \"{}\" here (storage.mounts)", shortened(url)));
        }
        return Ok(Remote { url: url.to_owned(), bucket: None });
    }
    match bucket(host, site.region) {
        Ok(bucket) => Ok(Remote { url: url.to_owned(), bucket: Some((bucket.to_owned(), path.to_owned())) }),
        Err(reason) => refuse(reason),
    }
}

/// The bucket in `<bucket>.cos.<region>.myqcloud.com`, also of the older `<bucket>.cosgz.myqcloud.com`.
fn bucket<'a>(host: &'a str, region: &str) -> Result<&'a str, String> {
    let expected = || format!("expected a host such as bucket-1250000000.cos.{region}.myqcloud.com, found \"{host}\"");
    let (bucket, domain) = host.split_once('.').ok_or_else(expected)?;
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if bucket.is_empty() || bucket.len() > 63 || !bucket.bytes().all(letters) || bucket.starts_with('-') {
        return Err(expected());
    }
    let service = domain.strip_suffix(".myqcloud.com").ok_or_else(expected)?;
    match service.split_once('.') {
        Some(("cos", named)) if named == region => Ok(bucket),
        Some(("cos", named)) => Err(format!("the bucket is in the region \"{named}\"; it should be in {region}")),
        None if service.starts_with("cos") && service.bytes().all(|byte| byte.is_ascii_lowercase()) => Ok(bucket),
        _ => Err(expected()),
    }
}

/// A path of a node: absolute, or relative to the run's folder, and not out of it.
fn check_local(reader: &Reader<'_>, key: &str, path: &str) -> Result<(), ApiError> {
    let problem = if path.is_empty() {
        "must not be empty"
    } else if path.len() > PATH_BYTES || path.chars().any(char::is_control) {
        "is too long, or has control characters"
    } else if path.split('/').any(|part| part == "..") {
        "must not have `..` in it"
    } else if path.trim_end_matches('/').is_empty() {
        "must not be the root of the file system"
    } else if path.contains('\\') || path.as_bytes().get(1) == Some(&b':') || path.contains("://") {
        "must be a path of Linux, such as /data/in/ or results/"
    } else if path.contains(':') {
        "must have no `:` in it, which a container's mounts cannot carry"
    } else {
        return Ok(());
    };
    Err(reader.refuse(key, LOCAL, problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_named_as_on_tencent() {
        for (host, expected) in [
            ("data-1250000000.cos.ap-guangzhou.myqcloud.com", Some("data-1250000000")),
            ("data-1250000000.cosgz.myqcloud.com", Some("data-1250000000")),
            ("data.cos.ap-beijing.myqcloud.com", None),
            ("data.cos.ap-guangzhou.example.com", None),
            ("Data.cos.ap-guangzhou.myqcloud.com", None),
            (".cos.ap-guangzhou.myqcloud.com", None),
            ("-x.cos.ap-guangzhou.myqcloud.com", None),
            ("data", None),
        ] {
            assert_eq!(bucket(host, "ap-guangzhou").ok(), expected, "{host}");
        }
    }
}
