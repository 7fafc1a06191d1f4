//! `herald demo`: the whole of Herald in one command, on real input.
//!
//! The cast: [`input`] finds the texts to count words in. [`stage`] is a temporary folder with a server in it and two
//! subscribers of a topic: an HTTP listener of the demo's own and a reader of a queue. [`graph`] says what is asked of
//! the server: an environment of two nodes and a job of three tasks. [`show`] prints what arrives and keeps a
//! [`tally`] of it, by which the demo knows when it has seen everything, or what is missing. Nothing here waits for a
//! while: each step waits for the events that tell of its end.

mod error;
mod event;
mod graph;
mod input;
mod show;
mod stage;
mod subscribers;
mod tally;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

pub(crate) use error::DemoError;
use input::Texts;
use show::Show;
use stage::Stage;

use crate::failure::Failure;
use crate::output::Output;
use crate::reply::{decoded, items, text};
use crate::{logging, signals};

/// How long nothing may arrive before the demo gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Run the main job with everything embedded, and show its events as they arrive
#[derive(clap::Args)]
#[command(after_help = MORE)]
pub(crate) struct Demo {
    /// A folder with text files; else the project's own documents
    #[arg(long, value_name = "DIR")]
    input: Option<PathBuf>,
    /// The port of 127.0.0.1 that the server listens on; 0 picks one
    #[arg(long, value_name = "N", default_value_t = 0)]
    port: u16,
    /// Keep the temporary folder, with the server's data, the parts and the counts
    #[arg(long)]
    keep: bool,
}

const MORE: &str = "\
Starts a server, two nodes and two subscribers in a temporary folder, counts the words of text files with a job \
of three tasks, prints each callback and each message of the queue with the milliseconds since its change, and \
ends with the words and with the count of events: expected, received, missing. Fails if one is missing.";

impl Demo {
    /// Returns when everything was seen and cleared away.
    pub(crate) fn run(self) -> Result<(), Failure> {
        // A server that is stopped early has much to warn of; what matters ends the demo.
        logging::start("error");
        let texts = input::gather(self.input.as_deref())?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::Runtime)?;
        runtime.block_on(self.play(&texts))
    }

    async fn play(self, texts: &Texts) -> Result<(), Failure> {
        let stop = signals::asked_to_stop().map_err(Failure::Runtime)?;
        let (stage, arrivals) = Stage::set(texts, self.port).await?;
        let mut show = Show::new(Output::standard(false), arrivals, PATIENCE);
        let outcome = tokio::select! {
            outcome = story(&stage, &mut show, texts) => outcome,
            () = stop => Err(DemoError::Interrupted.into()),
        };
        let told = show.summary();
        let cleared = stage.clear(self.keep).await;
        let kept = if self.keep { show.line(format_args!("kept: {}", cleared?.display())) } else { cleared.map(drop) };
        outcome.and(told).and(kept)
    }
}

/// What happens on the stage.
async fn story(stage: &Stage, show: &mut Show, texts: &Texts) -> Result<(), Failure> {
    show.line(format_args!("server  {}", stage.address()))?;
    show.line(format_args!("console {}", stage.console()))?;
    show.line(format_args!("topic   {}, to a queue and to {}", stage::TOPIC, stage.callback()))?;
    let client = stage.client();

    let reply = client.batch("CreateComputeEnv", &graph::environment()).await?;
    let env = text(&reply, "EnvId");
    show.line(format_args!("env     {env}, {} nodes", graph::NODES))?;
    show.until("the nodes to run", |tally| tally.count("COMPUTE_NODE_RUNNING") >= graph::NODES).await?;

    let reply = client.batch("SubmitJob", &graph::job(&env, stage.folder())).await?;
    let job = text(&reply, "JobId");
    show.line(format_args!("job     {job}, words of {}, in {} parts", texts.told(), graph::PARTS))?;
    show.until("the job's events", |tally| tally.is_whole(&job)).await?;

    let params = json!({"JobId": job, "TaskName": graph::MERGE, "TaskInstanceIndexes": [0]});
    let logs = client.batch("DescribeTaskLogs", &params).await?;
    let printed = items(&logs, "TaskInstanceLogSet").first().map(|log| decoded(log, "StdoutLog"));

    client.batch("DeleteComputeEnv", &json!({"EnvId": env})).await?;
    show.until("the environment's events", |tally| tally.is_whole(&env)).await?;

    let view = client.batch("DescribeJob", &json!({"JobId": job})).await?;
    crate::follow::must_have_succeeded(&view)?;
    show.result(&graph::result(&printed.unwrap_or_default()))
}
