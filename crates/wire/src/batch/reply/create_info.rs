//! What environments were asked to be.

use std::sync::Arc;

use kernel::environment::Env;
use kernel::event::Notification;
use serde_json::{Map, Value, json};

use super::tags;
use crate::batch::declared::CREATED_ENV;
use crate::batch::schema;
use crate::event::ENV_TYPE;

/// The reply of `DescribeComputeEnvCreateInfo`: the environment as it was asked for, whatever has changed since.
#[must_use]
pub fn describe_compute_env_create_info(env: &Env) -> Value {
    let document: Value = serde_json::from_str(&env.spec.document).unwrap_or_default();
    let mut info = Map::new();
    info.insert("EnvId".to_owned(), json!(env.id));
    if let Value::Object(asked) = schema::whole(&document["ComputeEnv"], CREATED_ENV) {
        info.extend(asked);
    }
    for (key, usual) in [("EnvDescription", json!("")), ("EnvType", json!(ENV_TYPE))] {
        if info[key].is_null() {
            info.insert(key.to_owned(), usual);
        }
    }
    info.insert("Notifications".to_owned(), notifications(&env.spec.notifications));
    info.insert("Tags".to_owned(), tags(&env.spec.tags));
    Value::Object(info)
}

/// The reply of `DescribeComputeEnvCreateInfos`: some of `total` environments.
#[must_use]
pub fn describe_compute_env_create_infos(total: u64, envs: &[Arc<Env>]) -> Value {
    let infos: Vec<Value> = envs.iter().map(|env| describe_compute_env_create_info(env)).collect();
    json!({"ComputeEnvCreateInfoSet": infos, "TotalCount": total})
}

/// Notifications as the API declares them; they may have been sent in other spellings.
pub(super) fn notifications(notifications: &[Notification]) -> Value {
    let pair = |(name, value): &(String, String)| json!({"Name": name, "Value": value});
    let one = |notification: &Notification| {
        let events = notification.events.iter().map(|config| {
            let vars: Vec<Value> = config.vars.iter().map(pair).collect();
            json!({"EventName": config.name.to_string(), "EventVars": vars})
        });
        json!({"TopicName": notification.topic_name, "EventConfigs": events.collect::<Vec<_>>()})
    };
    notifications.iter().map(one).collect()
}
