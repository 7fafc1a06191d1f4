//! `/metrics`: figures in Prometheus' text format, for callers on this machine.

use std::fmt::Write;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::door::Peer;
use crate::gateway::Gateway;
use crate::ledger::{Lane, Lanes};
use crate::pulse::Pulse;
use crate::tally::Tally;

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Where the figures come from.
#[derive(Clone)]
pub(crate) struct Metrics {
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) lanes: Arc<Lanes>,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) tally: Arc<Tally>,
}

/// The route.
pub(crate) fn router(metrics: Metrics) -> Router {
    Router::new().route("/metrics", get(figures)).with_state(metrics)
}

async fn figures(State(metrics): State<Metrics>, ConnectInfo(caller): ConnectInfo<Peer>) -> Response {
    if !caller.ip().is_loopback() {
        return (StatusCode::FORBIDDEN, "figures are for callers on this machine\n").into_response();
    }
    ([(header::CONTENT_TYPE, TEXT)], metrics.text()).into_response()
}

impl Metrics {
    fn text(&self) -> String {
        let mut text = String::new();
        figure(&mut text, "herald_commits_total", "counter", "Batches committed since the database began.");
        let _ = writeln!(text, "herald_commits_total {}", self.pulse.commits());
        figure(&mut text, "herald_connected_nodes", "gauge", "Nodes whose agents are connected.");
        let _ = writeln!(text, "herald_connected_nodes {}", self.gateway.connected());
        figure(&mut text, "herald_waiting_commands", "gauge", "Commands that wait for their commit.");
        let lanes =
            [(Lane::Node, "node"), (Lane::Api, "api"), (Lane::Messages, "messages"), (Lane::Background, "background")];
        for (lane, name) in lanes {
            let _ = writeln!(text, "herald_waiting_commands{{lane=\"{name}\"}} {}", self.lanes.waiting(lane));
        }
        let counts = self.tally.counts();
        figure(&mut text, "herald_events_total", "counter", "Events sent to topics since the server started.");
        let _ = writeln!(text, "herald_events_total {}", counts.events);
        figure(&mut text, "herald_posts_total", "counter", "Posts to subscribers, by what came of them.");
        for (outcome, count) in [("delivered", counts.delivered), ("failed", counts.failed)] {
            let _ = writeln!(text, "herald_posts_total{{outcome=\"{outcome}\"}} {count}");
        }
        figure(&mut text, "herald_dead_deliveries_total", "counter", "Messages given up since the server started.");
        let _ = writeln!(text, "herald_dead_deliveries_total {}", counts.dead);
        figure(&mut text, "herald_queue_messages_total", "counter", "Messages that came into queues.");
        let _ = writeln!(text, "herald_queue_messages_total {}", counts.stored);
        text
    }
}

fn figure(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::LANE_LIMITS;

    #[test]
    fn the_text_is_prometheus() {
        let (lanes, tally) = (Arc::new(Lanes::new(LANE_LIMITS)), Arc::default());
        let metrics = Metrics { pulse: Arc::default(), lanes, gateway: Arc::default(), tally };
        metrics.pulse.committed(7);
        let text = metrics.text();
        let right = "# HELP herald_commits_total Batches committed since the database began.\n\
                     # TYPE herald_commits_total counter\nherald_commits_total 7\n";
        assert!(text.starts_with(right), "{text}");
        assert!(text.contains("\nherald_posts_total{outcome=\"failed\"} 0\n"), "{text}");
        assert!(text.contains("\nherald_waiting_commands{lane=\"messages\"} 0\n"), "{text}");
    }
}
