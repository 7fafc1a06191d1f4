//! What surrounds a command, from what was asked for to what a node is told: the addresses of storage become the
//! folders and buckets that this installation keeps them in.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kernel::job::TaskSpec;
use kernel::setup::{self as asked, Input, Redirect, Remote, StorageKey};
use wire::setup::{Container, Copied, Package, Place, Sent, Setup, Target, TargetFolder};

/// Where runs find storage and containers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Surroundings {
    /// The folder of the buckets, each a folder in it, where no server of objects is configured.
    pub(crate) cos_root: PathBuf,
    /// The server of objects that has the buckets.
    pub(crate) server: Option<ObjectServer>,
    /// The key that it is asked with, where a task brings none.
    pub(crate) key: Option<StorageKey>,
    /// File systems that are mounted, by their addresses, which end with `/`.
    pub(crate) mounts: BTreeMap<String, PathBuf>,
    /// The program that runs containers, with its own arguments; empty: what the node has.
    pub(crate) docker: Vec<String>,
    /// Arguments of its `run`, for every container.
    pub(crate) docker_run: Vec<String>,
}

/// An S3-compatible server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectServer {
    /// Its address, `http://HOST:PORT` or `https://…`.
    pub(crate) endpoint: String,
    /// Its region.
    pub(crate) region: String,
    /// Whether buckets are part of the host's name.
    pub(crate) virtual_hosted: bool,
}

impl Surroundings {
    /// What a node is told of a task; `env_inputs` are those of the environment it runs on, with their key. `None`:
    /// there is nothing but the command.
    pub(super) fn order(&self, spec: &TaskSpec, env_inputs: (&[Input], Option<&StorageKey>)) -> Option<Box<Setup>> {
        let (env_inputs, env_key) = env_inputs;
        if spec.setup.is_empty() && env_inputs.is_empty() {
            return None;
        }
        let setup = &spec.setup;
        let key = setup.key.as_ref();
        let own = setup.inputs.iter().map(|input| self.input(input, key));
        Some(Box::new(Setup {
            package: setup.package.as_ref().map(|package| match package {
                asked::Package::Web(url) => Package::Web(url.clone()),
                asked::Package::File(path) => Package::File(path.clone()),
                asked::Package::Remote(remote) => Package::Remote(self.place(remote, key)),
            }),
            container: setup.container.as_ref().map(|container| self.container(container)),
            inputs: env_inputs.iter().map(|input| self.input(input, env_key)).chain(own).collect(),
            outputs: setup
                .outputs
                .iter()
                .map(|output| Sent {
                    from: output.source.clone(),
                    workspace: output.workspace,
                    url: output.destination.url.clone(),
                    to: self.place(&output.destination, key),
                })
                .collect(),
            workers: setup.upload.workers,
            part_mb: setup.upload.part_mb,
            stdout: self.targets(&setup.stdout, key),
            stderr: self.targets(&setup.stderr, key),
        }))
    }

    fn container(&self, container: &asked::Container) -> Container {
        Container {
            program: self.docker.clone(),
            run_options: self.docker_run.clone(),
            image: container.image.clone(),
            server: container.server.clone(),
            login: container.login.clone(),
            pull_retries: container.pull_retries,
            pull_pause_s: container.pull_pause_s,
            options: container.options.clone(),
        }
    }

    fn input(&self, input: &Input, key: Option<&StorageKey>) -> Copied {
        Copied {
            url: input.source.url.clone(),
            from: self.place(&input.source, key),
            to: input.destination.clone(),
            mounted: input.source.bucket.is_none(),
        }
    }

    fn targets(&self, redirect: &Redirect, key: Option<&StorageKey>) -> Vec<Target> {
        let remote = redirect.remote.as_ref().map(|remote| Target {
            folder: TargetFolder::Remote(remote.url.clone(), self.place(remote, key)),
            name: redirect.remote_name.clone(),
        });
        let local = redirect
            .local
            .as_ref()
            .map(|folder| Target { folder: TargetFolder::Local(folder.clone()), name: redirect.local_name.clone() });
        remote.into_iter().chain(local).collect()
    }

    fn place(&self, remote: &Remote, key: Option<&StorageKey>) -> Place {
        let text = |path: &PathBuf| path.display().to_string();
        match (&remote.bucket, &self.server) {
            (None, _) => {
                // Submission saw a mount for it; if that is gone from the configuration since, the node tells.
                let longest = self.mounts.iter().filter(|(mount, _)| remote.url.starts_with(mount.as_str()));
                match longest.max_by_key(|(mount, _)| mount.len()) {
                    Some((mount, folder)) => {
                        Place::Folder { root: text(folder), below: remote.url[mount.len()..].to_owned() }
                    }
                    None => Place::Folder { root: remote.url.clone(), below: String::new() },
                }
            }
            (Some((bucket, path)), None) => {
                Place::Folder { root: text(&self.cos_root), below: format!("{bucket}/{path}") }
            }
            (Some((bucket, path)), Some(server)) => Place::Bucket {
                endpoint: server.endpoint.clone(),
                region: server.region.clone(),
                bucket: bucket.clone(),
                key: path.clone(),
                virtual_hosted: server.virtual_hosted,
                credentials: key.or(self.key.as_ref()).map(|key| (key.id.clone(), key.secret.clone())),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::setup::Secret;

    use super::*;

    fn cos() -> Remote {
        Remote { url: "cos://b.cos.r.myqcloud.com/x/".into(), bucket: Some(("b".into(), "x/".into())) }
    }

    fn key(id: &str) -> StorageKey {
        StorageKey { id: id.into(), secret: Secret("s".into()) }
    }

    #[test]
    fn a_bucket_is_a_folder_unless_a_server_has_it() {
        let mut surroundings = Surroundings { cos_root: "/data/cos".into(), ..Surroundings::default() };
        let folder = Place::Folder { root: "/data/cos".into(), below: "b/x/".into() };
        assert_eq!(surroundings.place(&cos(), None), folder);
        surroundings.server =
            Some(ObjectServer { endpoint: "http://h".into(), region: "r".into(), virtual_hosted: false });
        let id = |surroundings: &Surroundings, own: Option<&StorageKey>| match surroundings.place(&cos(), own) {
            Place::Bucket { bucket, key, credentials, .. } => (bucket, key, credentials.map(|(id, _)| id)),
            other => panic!("{other:?}"),
        };
        assert_eq!(id(&surroundings, None), ("b".into(), "x/".into(), None));
        surroundings.key = Some(key("installation"));
        assert_eq!(id(&surroundings, None).2.as_deref(), Some("installation"));
        assert_eq!(id(&surroundings, Some(&key("task"))).2.as_deref(), Some("task"));
    }

    #[test]
    fn the_longest_mount_counts() {
        let mounts = [("cfs://h/", "/mnt/h"), ("cfs://h/deep/", "/mnt/deep")];
        let mounts = mounts.map(|(url, path)| (url.to_owned(), PathBuf::from(path))).into();
        let surroundings = Surroundings { mounts, ..Surroundings::default() };
        let place = |url: &str| match surroundings.place(&Remote { url: url.into(), bucket: None }, None) {
            Place::Folder { root, below } => (root, below),
            other => panic!("{other:?}"),
        };
        assert_eq!(place("cfs://h/a/"), ("/mnt/h".into(), "a/".into()));
        assert_eq!(place("cfs://h/deep/"), ("/mnt/deep".into(), String::new()));
        assert_eq!(place("nfs://h/"), ("nfs://h/".into(), String::new()), "no machine has that folder");
    }
}
