//! How far a subscription is, and how its replays stand.

use jiff::tz::TimeZone;
use serde_json::Value;

use crate::client::Service;
use crate::context::Context;
use crate::failure::Failure;
use crate::named::named;
use crate::reply::{items, text, time};
use crate::table::Table;

/// Asks the server.
pub(super) async fn progress(cx: &Context, topic: &str, name: &str) -> Result<Value, Failure> {
    Ok(cx.client()?.call(Service::Herald, "DescribeSubscriptionProgress", &named(topic, name)).await?)
}

/// `3 of 7, begun after 0`.
pub(super) fn places(progress: &Value) -> String {
    let [done, last, start] = ["DonePlace", "LastPlace", "StartPlace"].map(|field| text(progress, field));
    format!("{done} of {last}, begun after {start}")
}

/// The replays, the newest first.
pub(super) fn replays(progress: &Value, zone: &TimeZone) -> Table {
    let mut table = Table::new(&[
        "REPLAY",
        "KIND",
        "STATE",
        "FROM",
        "TO",
        "NEXT",
        "RATE",
        "DELIVERED",
        "FAILED",
        "BEGUN",
        "REASON",
    ]);
    for replay in items(progress, "ReplaySet") {
        table.row([
            text(replay, "ReplayNo"),
            text(replay, "Kind"),
            text(replay, "State"),
            text(replay, "FromPlace"),
            text(replay, "ToPlace"),
            text(replay, "NextPlace"),
            text(replay, "Rate"),
            text(replay, "Delivered"),
            text(replay, "Failed"),
            time(replay, "CreateTime", zone),
            text(replay, "Reason"),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn replays_are_told_in_a_line_each() {
        let progress = json!({"StartPlace": 0, "DonePlace": 3, "LastPlace": 7, "ReplaySet": [{"ReplayNo": 2,
            "Kind": "REWIND", "State": "RUNNING", "FromPlace": 1, "ToPlace": 3, "NextPlace": 2, "Rate": 100,
            "Delivered": 1, "Failed": 0, "CreateTime": 1_520_509_720_000_u64, "Reason": null}]});
        let wanted = "\
REPLAY  KIND    STATE    FROM  TO  NEXT  RATE  DELIVERED  FAILED  BEGUN                REASON
2       REWIND  RUNNING  1     3   2     100   1          0       2018-03-08 11:48:40
";
        assert_eq!(replays(&progress, &TimeZone::UTC).render(None), wanted);
        assert_eq!(places(&progress), "3 of 7, begun after 0");
    }
}
