//! What the demo plays on: a temporary folder, a server in it, a topic and its two subscribers.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use server::{Config, Ready, ServeError};
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::input::Texts;
use super::show::Arrivals;
use super::{DemoError, graph, subscribers};
use crate::client::{Client, Connection};
use crate::failure::Failure;
use crate::reply::{items, text};

/// The topic that all events go to.
pub(super) const TOPIC: &str = "job-message";
const QUEUE: &str = "demo-inbox";
/// Arrivals that may wait to be printed.
const ARRIVALS: usize = 1_024;
/// How long nodes may take to go when the demo ends early.
const CLEARING: Duration = Duration::from_secs(20);

/// The server, the subscribers and their folder.
pub(super) struct Stage {
    folder: TempDir,
    ready: Ready,
    callback: String,
    client: Client,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), ServeError>>,
    listener: JoinHandle<io::Result<()>>,
    reader: JoinHandle<()>,
}

impl Stage {
    /// Sets everything up, and the texts in their place.
    pub(super) async fn set(texts: &Texts, port: u16) -> Result<(Self, Arrivals), Failure> {
        let folder = folder_with(texts).map_err(failed_to("make a temporary folder with the texts in it"))?;
        let data = folder.path().join("data");
        let (stop, server, ready) = serve(data.clone(), port).await?;
        // The server made the key; variables that name another server's have no say here.
        let region = Config::default().region;
        let connect = || -> Result<Client, Failure> {
            Ok(Client::new(Connection::of_data(data.clone(), &region).place(|_| None)?)?)
        };
        let client = connect()?;
        let (sink, arrivals) = mpsc::channel(ARRIVALS);
        let (heard_at, listener) =
            subscribers::listen(sink.clone()).await.map_err(failed_to("listen for callbacks"))?;
        let callback = format!("http://{heard_at}{}", subscribers::PATH);
        subscribe(&client, &callback).await?;
        let reader = tokio::spawn(subscribers::read(connect()?, QUEUE, sink));
        Ok((Self { folder, ready, callback, client, stop, server, listener, reader }, arrivals))
    }

    /// The demo's folder.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A client of the server.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// The server's address.
    pub(super) fn address(&self) -> String {
        format!("http://{}", self.ready.address)
    }

    /// The address that leads into the console, once.
    pub(super) fn console(&self) -> &str {
        &self.ready.console
    }

    /// The HTTP subscriber's address.
    pub(super) fn callback(&self) -> &str {
        &self.callback
    }

    /// Ends nodes, subscribers and server, and removes the folder unless it is to be kept. Returns its path.
    pub(super) async fn clear(self, keep: bool) -> Result<PathBuf, Failure> {
        // Nodes outlive their server, so they must go first.
        let nodes = timeout(CLEARING, no_environments(&self.client)).await;
        self.reader.abort();
        let _ = self.stop.send(());
        let served = self.server.await;
        self.listener.abort();
        let path = self.folder.path().to_owned();
        if keep {
            let _ = self.folder.keep();
        } else {
            self.folder.close().map_err(failed_to("remove the temporary folder"))?;
        }
        served.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        nodes.map_err(|late| failed_to("end the nodes")(late.into()))??;
        Ok(path)
    }
}

/// Starts a server in this process; its nodes are processes of this program.
async fn serve(
    data: PathBuf,
    port: u16,
) -> Result<(oneshot::Sender<()>, JoinHandle<Result<(), ServeError>>, Ready), Failure> {
    let program = std::env::current_exe().map_err(Failure::OwnProgram)?;
    let config = Config { data, listen: (Ipv4Addr::LOCALHOST, port).into(), ..Config::default() };
    let (stop, stopped) = oneshot::channel();
    let (tell, ready) = oneshot::channel();
    let announce = |ready: Ready| {
        let _ = tell.send(ready);
    };
    let shutdown = async {
        // A stage that was dropped wants its server to stop as well.
        let _ = stopped.await;
    };
    let server = tokio::spawn(server::run(config, program, announce, shutdown));
    match ready.await {
        Ok(ready) => Ok((stop, server, ready)),
        Err(_) => match server.await {
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok(())) => Err(DemoError::ServerEnded.into()),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        },
    }
}

async fn subscribe(client: &Client, callback: &str) -> Result<(), Failure> {
    client.tdmq("CreateCmqTopic", &json!({"TopicName": TOPIC})).await?;
    client.tdmq("CreateCmqQueue", &json!({"QueueName": QUEUE})).await?;
    for (name, protocol, endpoint) in [("to-queue", "queue", QUEUE), ("to-callback", "http", callback)] {
        let params = json!({"TopicName": TOPIC, "SubscriptionName": name, "Protocol": protocol, "Endpoint": endpoint});
        client.tdmq("CreateCmqSubscribe", &params).await?;
    }
    Ok(())
}

/// Deletes every environment and waits until there is none. Done at once when the story came to its end.
async fn no_environments(client: &Client) -> Result<(), Failure> {
    loop {
        let reply = client.batch("DescribeComputeEnvs", &json!({})).await?;
        let envs = items(&reply, "ComputeEnvSet");
        if envs.is_empty() {
            return Ok(());
        }
        for env in envs.iter().filter(|env| text(env, "NextAction").is_empty()) {
            client.batch("DeleteComputeEnv", &json!({"EnvId": env["EnvId"]})).await?;
        }
        // There is no call that waits for this, and the topic's subscribers may be what failed.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn folder_with(texts: &Texts) -> io::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("herald-demo-").tempdir()?;
    for name in graph::FOLDERS {
        fs::create_dir(folder.path().join(name))?;
    }
    for (position, content) in texts.contents.iter().enumerate() {
        fs::write(folder.path().join(format!("input/{position:04}.txt")), content)?;
    }
    Ok(folder)
}

fn failed_to(what: &'static str) -> impl Fn(io::Error) -> Failure {
    move |source| DemoError::Stage { what, source }.into()
}
