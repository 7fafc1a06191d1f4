//! `/events`: the events of a job, an environment or a topic as server-sent events, as they are committed.
//!
//! The stream reads the topics' logs, so that nothing is missed and a client that was away goes on where it was: the
//! id of each event says how far every topic of the stream has been read, and comes back as `Last-Event-ID`. What the
//! retention has removed meanwhile is an error, never a silent skip. The server reads on only as fast as the client
//! takes: a slow one costs a connection and no memory, and one that takes nothing at all is cut by the door.

use std::borrow::Cow;
use std::collections::{BTreeSet, VecDeque};
use std::convert::Infallible;
use std::str::FromStr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream::unfold;
use kernel::access::{Denied, Grant, Kind, Role, Target, env_names};
use kernel::event::{Notification, Owner};
use kernel::id::{EnvId, JobId};
use kernel::state::State as Kernel;
use kernel::time::Timestamp;
use kernel::topic::{StreamNo, TopicMessage};
use serde::Deserialize;
use serde_json::{Value, json};
use store::StoreError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api::event_view;
use crate::console::{self, Console};
use crate::keys::Keys;
use crate::topic_log::TopicLog;

/// Streams at once.
const STREAMS: usize = 256;
/// Messages that are read at once.
const PAGE: usize = 100;
/// Topics that one stream reads; a job or environment may name more, one of which can be asked for.
const TOPICS: usize = 32;
/// The header in which a client says what it has got.
const LAST_ID: &str = "last-event-id";

/// What streams need.
#[derive(Clone)]
struct Streams {
    console: Console,
    log: TopicLog,
    places: Arc<Semaphore>,
}

/// The route.
pub(crate) fn router(console: Console, log: TopicLog) -> Router {
    let places = Arc::new(Semaphore::new(STREAMS));
    Router::new().route("/events", get(stream)).with_state(Streams { console, log, places })
}

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    topic: Option<String>,
    job: Option<String>,
    env: Option<String>,
    /// Only events with this Sequence or a higher one, from the first that is kept.
    since: Option<u64>,
    /// `first`: all that is kept; else from now on.
    from: Option<String>,
    #[serde(rename = "last-event-id")]
    last_id: Option<String>,
}

/// Why there is no stream, or no more of it.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("log in to the console, or send `Authorization: Bearer SECRET_ID:SECRET_KEY`")]
    Stranger,
    #[error("{0}")]
    Foreign(&'static str),
    #[error("{0}")]
    Wrong(String),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("{0} does not exist")]
    Missing(String),
    #[error("the position has expired: topic `{topic}` keeps no message before place {oldest}, and {wanted} was next")]
    Expired { topic: String, oldest: u64, wanted: u64 },
    #[error(
        "since: topic `{topic}` no longer keeps the event with Sequence {since}; the first that it keeps is {first}"
    )]
    Gone { topic: String, since: u64, first: u64 },
    #[error("{STREAMS} streams are open already")]
    Full,
    #[error("the topic's messages cannot be read")]
    Store(#[from] StoreError),
}

impl Refused {
    fn status(&self) -> StatusCode {
        match self {
            Self::Stranger => StatusCode::UNAUTHORIZED,
            Self::Foreign(_) | Self::Denied(_) => StatusCode::FORBIDDEN,
            Self::Wrong(_) => StatusCode::BAD_REQUEST,
            Self::Missing(_) => StatusCode::NOT_FOUND,
            Self::Expired { .. } | Self::Gone { .. } => StatusCode::GONE,
            Self::Full => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What is the server's own failure is told in its log.
    fn log(&self) {
        if let Self::Store(error) = self {
            tracing::error!(%error, "a stream of events has failed");
        }
    }

    fn view(&self) -> Value {
        json!({"Code": self.status().as_u16(), "Message": self.to_string()})
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        self.log();
        let json = [(header::CONTENT_TYPE, "application/json")];
        (self.status(), json, self.view().to_string()).into_response()
    }
}

/// Whose events, from which topics, and how far they are read.
struct Reading {
    streams: Streams,
    viewer: Viewer,
    owner: Option<Owner>,
    since: u64,
    /// Topics in which `since` is still to be found: its event, or an earlier one, comes first there if it is kept.
    begins: BTreeSet<StreamNo>,
    /// Each topic, and the place up to which it is read.
    cursor: Vec<(StreamNo, u64)>,
    /// What was read and is not yet told.
    read: VecDeque<Arc<TopicMessage>>,
    commits: tokio::sync::watch::Receiver<u64>,
    stopping: tokio::sync::watch::Receiver<bool>,
    has_begun: bool,
    is_over: bool,
    _place: OwnedSemaphorePermit,
}

async fn stream(
    State(streams): State<Streams>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
    parts: Parts,
) -> Result<Response, Refused> {
    let viewer = let_in(&parts, &streams.console)?;
    let Query(asked) = asked.map_err(|error| Refused::Wrong(error.body_text()))?;
    let reading = Reading::begin(streams, asked, &parts.headers, viewer).await?;
    let told = unfold(reading, |mut reading| async {
        let event = reading.next().await?;
        Some((Ok::<Event, Infallible>(event), reading))
    });
    Ok(Sse::new(told).keep_alive(KeepAlive::default()).into_response())
}

/// Who looks: whoever has a key pair, or a session of the console's in a browser that the console itself has led here.
fn let_in(parts: &Parts, console: &Console) -> Result<Viewer, Refused> {
    let Some(given) = parts.headers.get(header::AUTHORIZATION) else {
        let secret_id =
            console::let_in(parts, console).map_err(|why| why.map_or(Refused::Stranger, Refused::Foreign))?;
        return Viewer { secret_id, keys: console.app.keys.clone() }.checked(console.app.clock());
    };
    let pair = given.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")?.split_once(':'));
    let (id, word) = pair.ok_or(Refused::Stranger)?;
    let known = console.app.keys.find(id, console.app.clock()).ok_or(Refused::Stranger)?;
    if !known.has(word) {
        return Err(Refused::Stranger);
    }
    Viewer { secret_id: id.to_owned(), keys: console.app.keys.clone() }.checked(console.app.clock())
}

/// Who looks at a stream.
struct Viewer {
    secret_id: String,
    keys: Arc<Keys>,
}

impl Viewer {
    /// What this viewer may do now.
    fn grant(&self, now: Timestamp) -> Result<Arc<Grant>, Refused> {
        let known = self.keys.find(&self.secret_id, now).filter(|known| !known.disabled);
        known.map(|known| known.grant).ok_or(Refused::Stranger)
    }

    fn checked(self, now: Timestamp) -> Result<Self, Refused> {
        self.grant(now)?.permit(Role::Read, &[], &[])?;
        Ok(self)
    }
}

impl Reading {
    async fn begin(streams: Streams, asked: Asked, headers: &HeaderMap, viewer: Viewer) -> Result<Self, Refused> {
        let place = streams.places.clone().try_acquire_owned().map_err(|_| Refused::Full)?;
        let mut commits = streams.console.commits.clone();
        commits.mark_changed();
        let (owner, topics, targets) = subject(&streams.console, &asked).await?;
        viewer.grant(streams.console.app.clock())?.permit(Role::Read, &[], &targets)?;
        let given = headers.get(LAST_ID).and_then(|value| value.to_str().ok()).map(str::to_owned).or(asked.last_id);
        let begins_first = match asked.from.as_deref() {
            None => asked.since.is_some(),
            Some("first") => true,
            Some("now") => false,
            Some(other) => return Err(Refused::Wrong(format!("from: expected first or now, found `{other}`"))),
        };
        if asked.since.is_some() && owner.is_none() {
            let why = "since: a Sequence counts the events of one job or environment; name it with job or env";
            return Err(Refused::Wrong(why.into()));
        }
        let stopping = streams.console.stopping.clone();
        let mut reading = Self {
            streams,
            viewer,
            owner,
            since: asked.since.unwrap_or(0),
            begins: BTreeSet::new(),
            cursor: Vec::new(),
            read: VecDeque::new(),
            commits,
            stopping,
            has_begun: false,
            is_over: false,
            _place: place,
        };
        match given {
            Some(id) => reading.resume(&topics, &id).await?,
            None => {
                if asked.since.is_some() {
                    reading.begins = topics.iter().copied().collect();
                }
                for topic in topics {
                    let after = if begins_first { reading.oldest(topic).await? - 1 } else { reading.end(topic)? };
                    reading.cursor.push((topic, after));
                }
            }
        }
        Ok(reading)
    }

    /// Goes on behind what an earlier stream has told. A topic that it did not know has had nothing to tell then.
    async fn resume(&mut self, topics: &[StreamNo], id: &str) -> Result<(), Refused> {
        let told = cursor(id).ok_or_else(|| {
            Refused::Wrong(format!("{LAST_ID}: `{}` is no id of an event", id.chars().take(64).collect::<String>()))
        })?;
        for topic in topics {
            let after = told.iter().find(|(no, _)| no == topic).map_or(0, |(_, after)| *after);
            if after > self.end(*topic)? {
                return Err(Refused::Wrong(format!("{LAST_ID}: the topic has no message {after} yet")));
            }
            let oldest = self.oldest(*topic).await?;
            if after > 0 && after + 1 < oldest {
                let topic = self.name(*topic)?;
                return Err(Refused::Expired { topic, oldest, wanted: after + 1 });
            }
            self.cursor.push((*topic, after.max(oldest - 1)));
        }
        Ok(())
    }

    /// The place of the oldest message that a topic keeps, or else of its next one.
    async fn oldest(&self, topic: StreamNo) -> Result<u64, Refused> {
        let next = self.end(topic)? + 1;
        let span = self.streams.console.app.read(move |reader| reader.topic_span(topic, Timestamp::NEVER)).await?;
        Ok(span.oldest.map_or(next, |(place, _)| place))
    }

    /// The place of a topic's last message.
    fn end(&self, topic: StreamNo) -> Result<u64, Refused> {
        let state = self.streams.console.app.state();
        let topic = state.topic(topic).ok_or_else(|| Refused::Missing("the topic".into()))?;
        Ok(topic.next_seq - 1)
    }

    fn name(&self, topic: StreamNo) -> Result<String, Refused> {
        let state = self.streams.console.app.state();
        state.topic(topic).map(|topic| topic.name.clone()).ok_or_else(|| Refused::Missing("the topic".into()))
    }

    /// The next event of the stream; `None` ends it. The first has an id and nothing else: who loses the stream before
    /// anything is told has a place to go on from, too.
    async fn next(&mut self) -> Option<Event> {
        if !std::mem::replace(&mut self.has_begun, true) {
            let place = |(topic, read): &(StreamNo, u64)| format!("{}:{read}", topic.0);
            return Some(Event::default().id(self.cursor.iter().map(place).collect::<Vec<_>>().join(",")));
        }
        loop {
            if self.is_over {
                return None;
            }
            while let Some(message) = self.read.pop_front() {
                match self.tell(&message) {
                    Ok(None) => {}
                    Ok(Some(event)) => return Some(event),
                    Err(refused) => return Some(self.end_with(&refused)),
                }
            }
            let mut stopping = self.stopping.clone();
            tokio::select! {
                changed = self.commits.changed() => changed.ok()?,
                _ = stopping.wait_for(|stopping| *stopping) => return None,
            }
            // Whose key pair was disabled or deleted since has seen the last.
            if let Err(refused) = self.viewer.grant(self.streams.console.app.clock()) {
                return Some(self.end_with(&refused));
            }
            if let Err(refused) = self.read_on().await {
                return Some(self.end_with(&refused));
            }
        }
    }

    /// The last event of a stream that cannot go on.
    fn end_with(&mut self, refused: &Refused) -> Event {
        self.is_over = true;
        refused.log();
        Event::default().event("error").data(refused.view().to_string())
    }

    /// Reads some messages more. Whatever is left after them is read without waiting for another commit.
    async fn read_on(&mut self) -> Result<(), Refused> {
        for at in 0..self.cursor.len() {
            let (topic, after) = self.cursor[at];
            let end = self.end(topic)?;
            let messages = self.streams.log.messages(topic, after, PAGE).await?;
            let first = messages.first().map_or(end + 1, |message| message.seq);
            if first > after + 1 {
                return Err(Refused::Expired { topic: self.name(topic)?, oldest: first, wanted: after + 1 });
            }
            let last = messages.last().map_or(after, |message| message.seq);
            if last < end {
                self.commits.mark_changed();
            }
            // So far it has been looked at; the ids of what is told say so only once it is.
            self.read.extend(messages);
            self.cursor[at].1 = last;
        }
        Ok(())
    }

    /// What is told of a message, if it is of the stream.
    fn tell(&mut self, message: &TopicMessage) -> Result<Option<Event>, Refused> {
        if self.owner.is_some_and(|owner| message.owner != Some(owner)) {
            return Ok(None);
        }
        let state = self.streams.console.app.state();
        let Some(topic) = state.topic(message.topic) else { return Ok(None) };
        let mut view = event_view(topic, message);
        if view["EventName"].is_null() {
            view["MsgBody"] = json!(&*message.body);
        }
        if let Some(sequence) = view["Sequence"].as_u64() {
            if self.begins.remove(&message.topic) && is_gone(self.since, sequence) {
                return Err(Refused::Gone { topic: topic.name.clone(), since: self.since, first: sequence });
            }
            if sequence < self.since {
                return Ok(None);
            }
        }
        let name = view["EventName"].as_str().unwrap_or("MESSAGE").to_owned();
        Ok(Some(Event::default().id(self.id(message)).event(name).data(view.to_string())))
    }

    /// How far all topics are told once this message is: it, and of the other topics what is not still to be told.
    fn id(&self, message: &TopicMessage) -> String {
        let place = |(topic, read): &(StreamNo, u64)| {
            let waiting = self.read.iter().filter(|waiting| waiting.topic == *topic).map(|waiting| waiting.seq).min();
            let told = if *topic == message.topic { message.seq } else { waiting.map_or(*read, |first| first - 1) };
            format!("{}:{told}", topic.0)
        };
        self.cursor.iter().map(place).collect::<Vec<_>>().join(",")
    }
}

/// Whose events are asked for, the topics that they go to, and what a grant has to be for.
async fn subject(console: &Console, asked: &Asked) -> Result<(Option<Owner>, Vec<StreamNo>, Vec<Target>), Refused> {
    let state = console.app.state();
    let named = match &asked.topic {
        Some(name) => {
            let topic = state.topic_named(name).ok_or_else(|| Refused::Missing(format!("topic: topic `{name}`")))?;
            Some(topic.no)
        }
        None => None,
    };
    let (owner, notifications, envs) = match (&asked.job, &asked.env) {
        (None, None) => {
            let topic = named.ok_or_else(|| Refused::Wrong("name a job, an env or a topic".into()))?;
            return Ok((None, vec![topic], vec![about(&state, topic)]));
        }
        (Some(_), Some(_)) => return Err(Refused::Wrong("name a job or an env, not both".into())),
        (Some(job), None) => {
            let id = JobId::from_str(job).map_err(|_| Refused::Wrong(format!("job: `{job}` is no id of a job")))?;
            let rows = console.app.read(move |reader| reader.job(id)).await?;
            let rows = rows.ok_or_else(|| Refused::Missing(format!("job: job {id}")))?;
            let envs = env_names(&state, &rows.job.spec).map(Cow::into_owned).collect();
            (Owner::Job(id), rows.job.spec.notifications.clone(), envs)
        }
        (None, Some(env)) => {
            let id =
                EnvId::from_str(env).map_err(|_| Refused::Wrong(format!("env: `{env}` is no environment's id")))?;
            let found = console.app.read(move |reader| reader.env(id)).await?;
            let found = found.ok_or_else(|| Refused::Missing(format!("env: environment {id}")))?;
            (Owner::Env(id), found.spec.notifications.clone(), vec![found.name.clone()])
        }
    };
    let known = |one: &Notification| state.topic(one.topic).map(|topic| topic.no);
    let mut topics: Vec<StreamNo> = notifications.iter().filter_map(known).collect();
    topics.sort_unstable();
    topics.dedup();
    if let Some(named) = named {
        if !topics.contains(&named) {
            return Err(Refused::Wrong("topic: it is none of those that are told of this".into()));
        }
        topics = vec![named];
    }
    match topics.len() {
        0 => Err(Refused::Wrong("it tells no topic of anything: name one in its Notifications".into())),
        1..=TOPICS => {
            let envs = envs.into_iter().map(|name| Target { kind: Kind::Environment, name });
            let targets = topics.iter().map(|topic| about(&state, *topic)).chain(envs).collect();
            Ok((Some(owner), topics, targets))
        }
        many => Err(Refused::Wrong(format!("it tells {many} topics, more than {TOPICS}: name one of them"))),
    }
}

/// A topic, as a grant is for it.
fn about(state: &Kernel, topic: StreamNo) -> Target {
    let name = state.topic(topic).map(|topic| topic.name.clone()).unwrap_or_default();
    Target { kind: Kind::Topic, name }
}

/// Whether an event with the Sequence `since` is no longer kept where the first that is kept has the Sequence `first`.
fn is_gone(since: u64, first: u64) -> bool {
    first > since.max(1)
}

/// Reads an event's id.
fn cursor(id: &str) -> Option<Vec<(StreamNo, u64)>> {
    let pair = |part: &str| {
        let (topic, place) = part.split_once(':')?;
        Some((StreamNo(topic.parse().ok()?), place.parse().ok()?))
    };
    id.split(',').take(TOPICS + 1).map(pair).collect()
}

#[cfg(test)]
#[path = "event_stream_tests.rs"]
mod tests;
