//! `DescribeCvmZoneInstanceConfigInfos`.

use serde_json::Value;
use wire::api3::ApiError;
use wire::batch::{self, reply};

use super::at_site;
use super::catalogue::{offers, wanted, zones};
use crate::App;
use crate::api::api3::Action;

pub(super) const ACTION: Action = Action {
    name: "DescribeCvmZoneInstanceConfigInfos",
    help: "Lists the instance types with what they offer, zone by zone.",
    call: |app, params| Box::pin(async move { call(app, params) }),
};

fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    let filter = at_site(app, |site| batch::describe_cvm_zone_instance_config_infos(params, site))?;
    let types = wanted(&app.settings.catalogue, &filter);
    Ok(reply::describe_cvm_zone_instance_config_infos(&offers(&types), &zones(app, &filter), &filter.charges))
}
