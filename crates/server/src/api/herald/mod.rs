//! Actions of Herald's own, API 3.0 `herald` 2026-11-01: what Tencent's products have no action for. Signatures,
//! parameters and replies follow the rules of the other products, so any client of API 3.0 can call them.
//!
//! An action is one file and one row of [`ACTIONS`].

mod describe_server;
mod submit_task_template;

use super::api3::Action;

/// All actions of Herald's own.
pub(super) const ACTIONS: &[Action] = &[describe_server::ACTION, submit_task_template::ACTION];
