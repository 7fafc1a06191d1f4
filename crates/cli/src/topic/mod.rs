//! `herald topic`.

mod create;
mod delete;
mod list;
mod publish;
mod settings;
mod show;
mod update;

use create::Create;
use delete::Delete;
use list::List;
use publish::Publish;
use show::Show;
use update::Update;

crate::noun::noun! {
    /// Topics: what is published to one goes to all its subscribers
    Topic: Create, List, Show, Update, Publish, Delete
}

/// The topic's kind in words.
fn filter(topic: &serde_json::Value) -> String {
    match topic["FilterType"].as_u64() {
        Some(1) => "tags".to_owned(),
        Some(2) => "routing keys".to_owned(),
        _ => crate::reply::text(topic, "FilterType"),
    }
}
