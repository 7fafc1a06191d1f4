//! Lists that come in pages.

use serde_json::{Value, json};

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;
use crate::reply::{items, number};

/// How many a list shows.
#[derive(clap::Args)]
pub(crate) struct Limit {
    /// Show at most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
}

/// An action that lists, and how its reply is built.
pub(crate) struct Source {
    /// Whose action it is.
    pub(crate) service: Service,
    /// Its name.
    pub(crate) action: &'static str,
    /// The field of the reply that holds the items.
    pub(crate) set: &'static str,
    /// What the items are, for the reader.
    pub(crate) things: &'static str,
}

impl Source {
    /// Fetches up to `limit` items, and says so when there are more. The reply has the form of a single page's.
    pub(crate) async fn fetch(&self, cx: &Context, params: Value, limit: &Limit) -> Result<Value, Failure> {
        let client = cx.client()?;
        let mut found = Vec::new();
        let mut total;
        loop {
            let page = self.service.page().min(limit.limit - found.len());
            let mut params = params.clone();
            params["Offset"] = json!(found.len());
            params["Limit"] = json!(page);
            let reply = client.call(self.service, self.action, &params).await?;
            total = number(&reply, "TotalCount");
            found.extend_from_slice(items(&reply, self.set));
            if found.len() >= limit.limit || items(&reply, self.set).len() < page {
                break;
            }
        }
        if total > found.len() as u64 {
            cx.out.say(format_args!("{} of {total} {}; --limit {total} shows all", found.len(), self.things));
        } else if found.is_empty() && !cx.out.is_json() {
            cx.out.say(format_args!("no {}", self.things));
        }
        let mut reply = json!({"TotalCount": total});
        reply[self.set] = Value::Array(found);
        Ok(reply)
    }
}

/// Fetches up to `limit` items of a list of Herald's own, whose pages say where the next one goes on. The reply has the
/// form of the first page's, with all items and the last page's `Context`.
pub(crate) async fn follow(
    cx: &Context,
    action: &'static str,
    mut params: Value,
    set: &str,
    things: &str,
    limit: usize,
) -> Result<Value, Failure> {
    let client = cx.client()?;
    let mut found: Vec<Value> = Vec::new();
    let mut whole = Value::Null;
    while found.len() < limit {
        params["Limit"] = json!(Service::Herald.page().min(limit - found.len()));
        let reply = client.call(Service::Herald, action, &params).await?;
        found.extend_from_slice(items(&reply, set));
        params["Context"] = reply["Context"].clone();
        if whole.is_null() {
            whole = reply;
        }
        if params["Context"].as_str().is_none_or(str::is_empty) {
            break;
        }
    }
    if params["Context"].as_str().is_some_and(|next| !next.is_empty()) {
        cx.out.say(format_args!("the first {} {things}; --limit shows more", found.len()));
    } else if found.is_empty() && !cx.out.is_json() {
        cx.out.say(format_args!("no {things}"));
    }
    whole["Context"] = params["Context"].clone();
    whole[set] = Value::Array(found);
    Ok(whole)
}
