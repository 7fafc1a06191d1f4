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
    /// Looks through all pages for an item.
    pub(crate) async fn find(
        &self,
        cx: &Context,
        params: Value,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Option<Value>, Failure> {
        let client = cx.client()?;
        find(self.set, self.service.page(), params, wanted, async |params| {
            Ok(client.call(self.service, self.action, &params).await?)
        })
        .await
    }

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

async fn find(
    set: &str,
    page: usize,
    mut params: Value,
    wanted: impl Fn(&Value) -> bool,
    fetch: impl AsyncFn(Value) -> Result<Value, Failure>,
) -> Result<Option<Value>, Failure> {
    let mut seen = 0;
    loop {
        params["Offset"] = json!(seen);
        params["Limit"] = json!(page);
        let reply = fetch(params.clone()).await?;
        let there = items(&reply, set);
        if let Some(found) = there.iter().find(|item| wanted(item)) {
            return Ok(Some(found.clone()));
        }
        seen += there.len();
        if there.len() < page {
            return Ok(None);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_item_is_found_on_whichever_page_it_is() {
        let fetch = async |params: Value| {
            let (offset, limit) = (number(&params, "Offset"), number(&params, "Limit"));
            let page: Vec<u64> = (offset..(offset + limit).min(100)).collect();
            Ok(json!({"Set": page, "TotalCount": 100}))
        };
        for (wanted, found) in [(0, true), (49, true), (50, true), (99, true), (100, false)] {
            let item = find("Set", 50, json!({}), |item| *item == wanted, fetch).await.unwrap();
            assert_eq!(item.is_some(), found, "{wanted}");
        }
    }
}
