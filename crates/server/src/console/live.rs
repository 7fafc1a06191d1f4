//! Tells a page that something was committed, at most twice a second. What it was, the page finds out by itself: it
//! fetches itself again, from the same templates.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;

use super::Console;
use super::frame::Visitor;

/// The pause between two events.
const PAUSE: Duration = Duration::from_millis(500);

/// The stream of events of one page.
pub(super) async fn stream(
    State(console): State<Console>,
    _: Visitor,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let (mut commits, stopping) = (console.commits, console.stopping);
    commits.mark_unchanged();
    let events = unfold((commits, false), move |(mut commits, told)| {
        let mut stopping = stopping.clone();
        async move {
            if told {
                tokio::time::sleep(PAUSE).await;
            }
            tokio::select! {
                changed = commits.changed() => changed.ok()?,
                _ = stopping.wait_for(|stopping| *stopping) => return None,
            }
            // A browser drops an event without data.
            let commit = commits.borrow_and_update().to_string();
            Some((Ok(Event::default().event("change").data(commit)), (commits, true)))
        }
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}
