//! What requests are read as, and what each wrong one is refused with.

mod attach;
mod env;
mod fuzz;
mod job;
mod monitor;
mod orders;
mod reply;
mod select;
mod setup;
mod submit_info;
mod template;

use kernel::environment::NodeType;
use serde_json::{Value, json};

use super::Site;
use crate::api3::ApiError;

const ENV: &str = "env-0000000z";

/// Calls `read` with an installation in ap-guangzhou that has the types `local` and `S5.LARGE8`.
fn at_site<T>(read: impl FnOnce(&Site<'_>) -> T) -> T {
    let zones = ["ap-guangzhou-2".to_owned(), "ap-guangzhou-3".to_owned()];
    let node_type = |name: &str| {
        let known = ["local", "S5.LARGE8"].contains(&name);
        known.then(|| NodeType { name: name.to_owned(), cpu: 4, mem_gb: 8, slots: 1 })
    };
    let types_of_size = |cpu: u32, mem_gb: u32, categories: &[String]| {
        let offered = categories.is_empty() || categories.iter().any(|category| category == "GENERAL");
        let kind = |name: String| NodeType { name, cpu, mem_gb, slots: 1 };
        if offered { vec![kind(format!("A.{cpu}")), kind(format!("B.{cpu}"))] } else { Vec::new() }
    };
    read(&Site {
        region: "ap-guangzhou",
        zones: &zones,
        mounts: &["cfs://10.0.0.1/".to_owned()],
        node_type: &node_type,
        types_of_size: &types_of_size,
    })
}

/// A refusal as `code path`: the part of the message before the colon.
fn told<T: std::fmt::Debug>(result: Result<T, ApiError>) -> String {
    let error = result.expect_err("a wrong request");
    format!("{} {}", error.code, error.message.split(": ").next().unwrap_or_default())
}

/// Sets a field deep in a request, `Job.Tasks.0.EnvId`, making objects on the way. `null` takes it away.
fn with(mut request: Value, path: &str, value: Value) -> Value {
    let mut place = &mut request;
    for key in path.split('.') {
        place = match key.parse::<usize>() {
            Ok(index) => &mut place[index],
            Err(_) => &mut place[key],
        };
    }
    *place = value;
    request
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn texts(count: usize) -> Value {
    json!((0..count).map(|number| number.to_string()).collect::<Vec<_>>())
}
