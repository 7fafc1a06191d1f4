//! `DescribeInstanceCategories`.

use std::collections::BTreeMap;

use serde_json::Value;
use wire::api3::ApiError;
use wire::batch::{self, reply};

use crate::App;
use crate::api::api3::Action;

pub(super) const ACTION: Action = Action {
    name: "DescribeInstanceCategories",
    help: "Lists the families of instance types by category.",
    call: |app, params| Box::pin(async move { call(app, params) }),
};

fn call(app: &App, params: &Value) -> Result<Value, ApiError> {
    batch::describe_instance_categories(params)?;
    let offered: Vec<_> = app.settings.catalogue.offered().collect();
    let mut categories: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for offered in &offered {
        let families = categories.entry(&offered.category).or_default();
        if !families.contains(&offered.family.as_str()) {
            families.push(&offered.family);
        }
    }
    Ok(reply::describe_instance_categories(&categories.into_iter().collect::<Vec<_>>()))
}
