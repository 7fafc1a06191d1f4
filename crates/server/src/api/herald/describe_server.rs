//! `DescribeServer`.

use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::fields;

use crate::App;
use crate::api::api3::Action;

pub(super) const ACTION: Action = Action {
    name: "DescribeServer",
    help: "Tells the server's version, its region and its zones.",
    call: |app, params| Box::pin(async move { call(app, params) }),
};

fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    fields::read(params, "", |_| Ok(()))?;
    let settings = &app.settings;
    Ok(json!({"Version": env!("CARGO_PKG_VERSION"), "Region": settings.region, "Zones": settings.zones}))
}
