//! `DescribeAvailableCvmInstanceTypes`.

use serde_json::Value;
use wire::api3::ApiError;
use wire::batch::{self, reply};

use super::at_site;
use super::catalogue::{offers, wanted, zones};
use crate::App;
use crate::api::api3::Action;

pub(super) const ACTION: Action = Action {
    name: "DescribeAvailableCvmInstanceTypes",
    help: "Lists the instance types that can be had, zone by zone.",
    call: |app, params| Box::pin(async move { call(app, params) }),
};

fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let filter = at_site(app, |site| batch::describe_available_cvm_instance_types(params, site))?;
    let types = wanted(&app.settings.catalogue, &filter);
    Ok(reply::describe_available_cvm_instance_types(&offers(&types), &zones(app, &filter)))
}
