//! Actions of Herald's own, API 3.0 `herald` 2026-11-01: what Tencent's products have no action for. Signatures,
//! parameters and replies follow the rules of the other products, so any client of API 3.0 can call them.
//!
//! An action is one file and one row of [`ACTIONS`].

mod access_key;
mod create_console_login;
mod delivery;
mod describe_events;
mod describe_nodes;
mod describe_server;
mod describe_subscription_progress;
mod drain;
mod explain_job;
mod fields;
mod machines;
mod replay;
mod submit_task_template;
mod subscription;

pub(crate) use describe_events::view as event_view;
use kernel::event::Outlets;
use wire::api3::ApiError;

use super::api3::{Action, of_store};
use crate::App;
use fields::Sender;

/// All actions of Herald's own.
pub(super) const ACTIONS: &[Action] = &[
    describe_server::ACTION,
    create_console_login::ACTION,
    access_key::CREATE,
    access_key::DESCRIBE,
    access_key::MODIFY,
    access_key::ROTATE,
    access_key::DELETE,
    describe_nodes::ACTION,
    drain::DRAIN,
    drain::UNDRAIN,
    machines::MACHINES,
    machines::TOKEN,
    submit_task_template::ACTION,
    explain_job::ACTION,
    delivery::describe_deliveries::ACTION,
    delivery::describe_delivery::ACTION,
    delivery::describe_attempts::ACTION,
    describe_events::ACTION,
    describe_subscription_progress::ACTION,
    subscription::PAUSE,
    subscription::RESUME,
    subscription::ROTATE,
    replay::redeliver_messages::ACTION,
    replay::rewind_subscription::ACTION,
    replay::stop_replay::ACTION,
];

/// What a job, finished or not, or an environment has sent to topics.
async fn outlets(app: &App, sender: Sender) -> Result<Outlets, ApiError> {
    let (found, code, missing) = match sender {
        Sender::Job(id) => {
            let found = app.read(move |reader| reader.job(id)).await.map_err(|error| of_store(&error))?;
            (
                found.map(|rows| rows.job.outlets.clone()),
                "ResourceNotFound.Job",
                format!("JobId: job {id} does not exist"),
            )
        }
        Sender::Env(id) => {
            let found = app.read(move |reader| reader.env(id)).await.map_err(|error| of_store(&error))?;
            let missing = format!("EnvId: compute environment {id} does not exist");
            (found.map(|env| env.outlets.clone()), "ResourceNotFound.ComputeEnv", missing)
        }
    };
    found.ok_or_else(|| ApiError::new(code, missing))
}

#[cfg(test)]
mod live_tests;
