//! Decisions: from a state and a command to what happens.
//!
//! The cast: a [`Draft`] is the state as it would be after the changes recorded so far; `record` adds one, lets it
//! take effect on the draft, and sends it to the topics that asked for it. What `decide` returns is what was
//! recorded, so a decision of many steps sees its own earlier ones, and the caller's state is left as it was.

mod access;
mod activity;
mod audit;
mod blocked;
mod dead_letter;
mod delivery;
mod elastic;
mod end;
mod environment;
mod graph;
mod job;
mod machine;
mod message;
mod node;
mod place;
mod queue;
mod quota;
mod replay;
mod report;
mod retry;
mod rewind;
mod run;
mod sample;
mod subscription;
mod sweep;
mod template;
mod terminate;
mod topic;

pub use sweep::{follow_ups, redo_needs};

use rand::Rng;

use crate::activity::Cause;
use crate::change::{Change, Notice, What};
use crate::command::{Command, Decision, Refusal, Reply};
use crate::environment::Env;
use crate::event::{Event, EventId, EventName, Notification, Outlets, Subject};
use crate::evolve::evolve;
use crate::job::Job;
use crate::mistake::{Mistake, Mistakes};
use crate::state::State;
use crate::subscription::SubscriptionKey;
use crate::time::Timestamp;
use crate::topic::{FilterType, NewBody, NewMessage, StreamNo};

/// What is decided without being in the state: settings of the installation.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether a client may publish what nobody takes; else it is refused.
    pub keep_untaken: bool,
    /// How long attempts of deliveries are kept, in seconds.
    pub attempts_kept_s: u64,
    /// Of how many of a subscription's latest messages attempts are kept.
    pub attempts_kept: u64,
    /// Most unfinished jobs; 0: no bound.
    pub job_quota: u64,
    /// Most task templates.
    pub template_quota: u64,
    /// Most environments; 0: no bound but that of the installation.
    pub env_quota: u64,
    /// Most cores that the nodes of all environments may have together; 0: no bound.
    pub cpu_quota: u64,
    /// How long nothing of a job runs before those who asked are told why, in seconds; 0: nobody is told.
    pub blocked_after_s: u64,
    /// How many nodes the provider can have at once; `None`: no bound.
    pub node_places: Option<u64>,
    /// Longest pause after a failed attempt, in seconds; 0: none.
    pub retry_pause_s: u64,
    /// Attempts an instance gets, beyond its own, for those lost with their nodes.
    pub lost_retries: u32,
    /// The topic that the audit trail goes to; `None`: there is none.
    pub audit_topic: Option<String>,
    /// What decisions do wrong on purpose.
    pub mistakes: Mistakes,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            keep_untaken: false,
            attempts_kept_s: crate::limits::ATTEMPTS_KEPT_S,
            attempts_kept: crate::limits::ATTEMPTS_KEPT_MESSAGES,
            job_quota: 0,
            template_quota: crate::limits::TEMPLATES_DEFAULT,
            env_quota: 0,
            cpu_quota: 0,
            blocked_after_s: crate::limits::BLOCKED_AFTER_S,
            node_places: None,
            retry_pause_s: crate::limits::RETRY_PAUSE_DEFAULT_S,
            lost_retries: 0,
            audit_topic: None,
            mistakes: Mistakes::NONE,
        }
    }
}

/// Decides what `command` leads to at `now`. Time never goes back: `now` is raised to that of the last decision.
///
/// # Errors
/// A [`Refusal`]: nothing happens, and whoever asked is told why.
pub fn decide(
    state: &State,
    settings: &Settings,
    command: Command,
    now: Timestamp,
    rng: &mut dyn Rng,
) -> Result<Decision, Refusal> {
    let (call, command) = match command {
        Command::Called(call, command) => (Some(call), *command),
        command => (None, command),
    };
    let mut draft = Draft::new(state, settings, now, rng);
    draft.cause = activity::cause(state, &command);
    let reply = match command {
        // A call is made by one caller.
        Command::Called(_, command) => return decide(state, settings, *command, now, rng),
        Command::Access(command) => access::decide(&mut draft, *command)?,
        Command::SubmitJob { spec, token } => job::submit(&mut draft, *spec, token)?,
        Command::RetryJobs(ids) => retry::retry(&mut draft, &ids)?,
        Command::TerminateJob(id) => job::terminate(&mut draft, id)?,
        Command::TerminateInstance { job, task, index } => terminate::instance(&mut draft, job, &task, index)?,
        Command::ExplainJob(id) => job::explain(&draft, id)?,
        Command::DeleteJob(id) => job::delete(&mut draft, id)?,
        Command::CreateTemplate(spec) => template::create(&mut draft, *spec)?,
        Command::ModifyTemplate(id, edit) => template::modify(&mut draft, id, edit)?,
        Command::DeleteTemplates(ids) => template::delete(&mut draft, &ids)?,
        Command::CreateEnv { name, description, desired, spec, token } => {
            environment::create(&mut draft, environment::NewEnv { name, description, desired, spec: *spec }, token)?
        }
        Command::ModifyEnv(id, edit) => environment::modify(&mut draft, id, edit)?,
        Command::DeleteEnv(id) => environment::delete(&mut draft, id)?,
        Command::DrainNodes(nodes, drained) => node::drain(&mut draft, &nodes, drained)?,
        Command::TerminateNodes(env, nodes) => node::terminate(&mut draft, env, &nodes)?,
        Command::JoinMachine { token, credential, facts, connected } => {
            machine::join(&mut draft, &token, credential, facts, &connected)?
        }
        Command::MachineConnected(id, facts) => machine::connected(&mut draft, id, facts),
        Command::AttachMachines { env, machines, connected } => {
            machine::attach(&mut draft, env, &machines, &connected)?
        }
        Command::DetachMachines(env, machines) => machine::detach(&mut draft, env, &machines)?,
        Command::NodeCreating(id) => node::creating(&mut draft, id),
        Command::NodeCreated(id) => node::created(&mut draft, id),
        Command::NodeCreationFailed(id, reason) => node::creation_failed(&mut draft, id, reason),
        Command::NodeHasNoPlace(id, reason) => node::has_no_place(&mut draft, id, reason),
        Command::NodeEnded(id) => node::ended(&mut draft, id),
        Command::NodeConnected(id, facts) => node::connected(&mut draft, id, facts)?,
        Command::NodeReports(id, reports) => report::reports(&mut draft, id, reports),
        Command::TakeSamples(id, samples) => sample::samples(&mut draft, id, samples),
        Command::NodeLost { node, reason, begun } => node::lost(&mut draft, node, &reason, &begun),
        Command::NodeSilent { node, reason } => node::silent(&mut draft, node, reason),
        Command::NodeDestroyed { node, begun } => node::destroyed(&mut draft, node, &begun),
        Command::Place(env) => place::place(&mut draft, env),
        Command::Steer => elastic::steer(&mut draft),
        Command::Sweep => sweep::sweep(&mut draft),
        Command::Tick => sweep::tick(&mut draft),
        Command::CreateTopic { name, filter, max_msg_bytes, retention_s, trace, tags } => {
            topic::create(&mut draft, topic::NewTopic { name, filter, max_msg_bytes, retention_s, trace, tags })?
        }
        Command::ModifyTopic { name, edit } => topic::modify(&mut draft, &name, edit)?,
        Command::DeleteTopic { name, with_subscriptions } => topic::delete(&mut draft, &name, with_subscriptions)?,
        Command::Publish { topic, bodies, tags, routing_key } => {
            topic::publish(&mut draft, &topic, bodies, tags, routing_key)?
        }
        Command::Subscribe(new) => subscription::subscribe(&mut draft, *new)?,
        Command::StartReplay(new) => replay::start(&mut draft, *new)?,
        Command::StopReplay { topic, name, no } => replay::stop(&mut draft, &topic, &name, no)?,
        Command::RecordReplay(record) => replay::record(&mut draft, *record)?,
        Command::CopyReplay { key, no, messages, lost, through } => {
            replay::copy(&mut draft, (key, no), replay::Page { messages: &messages, lost: &lost, through })?
        }
        Command::Unsubscribe { topic, name } => subscription::unsubscribe(&mut draft, &topic, &name)?,
        Command::ModifySubscription { topic, name, edit } => subscription::modify(&mut draft, &topic, &name, *edit)?,
        Command::PauseSubscription { topic, name } => subscription::pause(&mut draft, &topic, &name)?,
        Command::ResumeSubscription { topic, name } => subscription::resume(&mut draft, &topic, &name)?,
        Command::RotateSecret { topic, name, secret, keep_s } => {
            subscription::rotate_secret(&mut draft, &topic, &name, secret, keep_s)?
        }
        Command::FanOut { key, messages, through } => delivery::fan_out(&mut draft, key, &messages, through)?,
        Command::RecordDeliveries(record) => delivery::record(&mut draft, *record)?,
        Command::CreateQueue { name, settings, dead_letter, tags } => {
            queue::create(&mut draft, queue::NewQueue { name, settings, dead_letter, tags })?
        }
        Command::ModifyQueue { name, edit } => queue::modify(&mut draft, &name, *edit)?,
        Command::UnbindDeadLetter { name } => queue::unbind(&mut draft, &name)?,
        Command::ClearQueue { name } => queue::clear(&mut draft, &name)?,
        Command::RewindQueue { name, to } => rewind::rewind(&mut draft, &name, to)?,
        Command::GoOnRewinding(queue) => rewind::go_on(&mut draft, queue),
        Command::DropKept(queue) => rewind::drop_kept(&mut draft, queue),
        Command::DeleteQueue { name } => queue::delete(&mut draft, &name)?,
        Command::Send { queue, bodies, delay_s } => message::send(&mut draft, &queue, bodies, delay_s)?,
        Command::Receive { queue, max } => message::receive(&mut draft, &queue, max)?,
        Command::DeleteMessages { queue, handles } => message::delete(&mut draft, &queue, &handles)?,
        Command::ExpireMessages { queue, seqs } => message::expire(&mut draft, queue, &seqs),
    };
    if let Some(call) = call {
        quota::check(&draft, &call)?;
        audit::record(&mut draft, &call, &reply);
    }
    Ok(draft.finish(reply))
}

/// The state as it would be after what has been recorded, and the record.
pub(crate) struct Draft<'a> {
    pub(crate) state: State,
    pub(crate) settings: &'a Settings,
    pub(crate) now: Timestamp,
    pub(crate) rng: &'a mut dyn Rng,
    /// What makes nodes come and go.
    cause: Cause,
    changes: Vec<Change>,
    messages: Vec<NewMessage>,
}

impl<'a> Draft<'a> {
    fn new(state: &State, settings: &'a Settings, now: Timestamp, rng: &'a mut dyn Rng) -> Self {
        let now = now.max(state.now());
        Self {
            state: state.clone(),
            settings,
            now,
            rng,
            cause: Cause::default(),
            changes: Vec::new(),
            messages: Vec::new(),
        }
    }

    fn finish(self, reply: Reply) -> Decision {
        Decision { changes: self.changes, messages: self.messages, reply }
    }

    /// Records a change of which no event is sent.
    pub(crate) fn record(&mut self, what: What) {
        self.apply(Change { at: self.now, what, notices: Vec::new() });
    }

    /// Records a change that is the event `name` of `owner`. `subject` says, after the change, to what it happened.
    pub(crate) fn record_event(
        &mut self,
        what: What,
        name: EventName,
        owner: Owner,
        subject: impl FnOnce(&State) -> Option<Subject>,
    ) {
        let wanted = self.wanted(name, owner, &what);
        let mut notices = Vec::with_capacity(wanted.len());
        for want in &wanted {
            let id = EventId::draw(self.now, self.rng);
            notices.push(Notice { topic: want.topic, sequence: want.sequence, id, name });
        }
        self.apply(Change { at: self.now, what, notices: notices.clone() });
        let Some(subject) = (!wanted.is_empty()).then(|| subject(&self.state)).flatten() else { return };
        for (want, notice) in wanted.into_iter().zip(notices) {
            self.announce(want, &notice, subject.clone());
        }
    }

    /// Whether this mistake is to be made.
    pub(crate) fn errs(&self, mistake: Mistake) -> bool {
        self.settings.mistakes.include(mistake)
    }

    /// Whether nothing has been recorded.
    fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Adds client messages to a topic; gives back the place of the first.
    pub(crate) fn grow_topic(&mut self, topic: StreamNo, count: u64) -> u64 {
        let first = self.state.topic(topic).map_or(0, |topic| topic.next_seq);
        self.record(What::TopicGrew(topic, count));
        first
    }

    /// Adds a message to what the decision publishes.
    pub(crate) fn publish(&mut self, message: NewMessage) {
        self.messages.push(message);
    }

    fn apply(&mut self, change: Change) {
        evolve(&mut self.state, &change);
        let what = change.what.is_of_node().then(|| change.what.clone());
        self.changes.push(change);
        if let Some(what) = what {
            activity::follow(self, &what);
        }
    }

    /// Which topics want an event of this name, with the number it has there.
    fn wanted(&self, name: EventName, owner: Owner, what: &What) -> Vec<Wanted> {
        let Some((notifications, outlets)) = self.notifications(owner, what) else { return Vec::new() };
        let mut wanted: Vec<Wanted> = Vec::new();
        for notification in notifications {
            let Some(config) = notification.events.iter().find(|config| config.name == name) else { continue };
            if self.state.topic(notification.topic).is_none() {
                continue; // Deleted by force since; its events have nowhere to go.
            }
            if wanted.iter().all(|earlier| earlier.topic != notification.topic) {
                let sent = outlets.of(notification.topic);
                wanted.push(Wanted {
                    topic: notification.topic,
                    sequence: sent.map_or(0, |outlet| outlet.sent) + 1 + u64::from(self.errs(Mistake::SkipSequence)),
                    previous: sent.map_or(0, |outlet| outlet.last),
                    vars: config.vars.clone(),
                });
            }
        }
        wanted
    }

    /// What a job or environment asked for. One that begins is not in the state yet, but in the change.
    fn notifications<'s>(&'s self, owner: Owner, what: &'s What) -> Option<(&'s [Notification], &'s Outlets)> {
        let of_job = |job: &'s Job| (job.spec.notifications.as_slice(), &job.outlets);
        let of_env = |env: &'s Env| (env.spec.notifications.as_slice(), &env.outlets);
        match (what, owner) {
            (What::JobSubmitted(job, _), _) => Some(of_job(job)),
            (What::EnvCreated(env), _) => Some(of_env(env)),
            (_, Owner::Job(id)) => self.state.job(id).map(|job| of_job(job)),
            (_, Owner::Env(id)) => self.state.env(id).map(|env| of_env(env)),
            (_, Owner::Subscription(key)) => {
                let row = self.state.subscription(key)?;
                Some((row.manner.notifications.as_slice(), &row.outlets))
            }
        }
    }

    /// Puts an event into a topic's log.
    fn announce(&mut self, want: Wanted, notice: &Notice, subject: Subject) {
        let Some(topic) = self.state.topic(want.topic) else { return };
        // evolve has counted the message already.
        let seq = topic.next_seq - 1;
        let (kind, word) = (notice.name.kind(), notice.name.word());
        let (tags, routing_key) = match topic.filter {
            FilterType::Tags => (vec![kind.to_owned(), word.to_owned()], String::new()),
            FilterType::Routing => (Vec::new(), format!("{kind}.{word}.{}", subject.owner()).to_lowercase()),
        };
        let owner = Some(subject.owner());
        let event =
            Event { name: notice.name, at: self.now, id: notice.id, sequence: want.sequence, vars: want.vars, subject };
        let body = NewBody::Event(Box::new(event));
        let (topic, previous, published) = (want.topic, want.previous, self.now);
        self.messages.push(NewMessage { topic, seq, published, body, tags, routing_key, previous, owner });
    }
}

/// Whose event it is: who configured the notification and counts the sequence.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Owner {
    Job(crate::id::JobId),
    Env(crate::id::EnvId),
    Subscription(SubscriptionKey),
}

struct Wanted {
    topic: StreamNo,
    sequence: u64,
    /// The place of the event before it; 0: it is the first.
    previous: u64,
    vars: Vec<(String, String)>,
}

/// Looks up the topics that notifications name.
pub(crate) fn resolve_topics(draft: &Draft<'_>, notifications: &mut [Notification], path: &str) -> Result<(), Refusal> {
    for (position, notification) in notifications.iter_mut().enumerate() {
        let name = &notification.topic_name;
        let topic = draft.state.topic_named(name).ok_or_else(|| Refusal::NoTopic {
            topic: name.clone(),
            path: format!("{path}.Notifications.{position}.TopicName"),
        })?;
        notification.topic = topic.no;
    }
    Ok(())
}

/// Cuts a reason to what is kept of it.
pub(crate) fn cut(mut reason: String) -> String {
    if reason.len() > crate::limits::REASON_BYTES {
        let mut end = crate::limits::REASON_BYTES;
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        reason.truncate(end);
    }
    reason
}

/// The answer that a token was given before, if it was used and is remembered.
pub(crate) fn remembered(
    draft: &Draft<'_>,
    action: &str,
    token: Option<&crate::command::Token>,
) -> Result<Option<String>, Refusal> {
    let Some(token) = token else { return Ok(None) };
    match draft.state.tokens.get(&format!("{action} {}", token.token)) {
        Some(used) if draft.now.since_ms(used.used) >= crate::limits::CLIENT_TOKEN_MS => Ok(None),
        Some(_) if draft.errs(Mistake::IgnoreToken) => Ok(None),
        Some(used) if used.digest == token.digest => Ok(Some(used.answer.clone())),
        Some(_) => Err(Refusal::TokenReused(token.token.clone())),
        None => Ok(None),
    }
}

/// Remembers the answer given to a token.
pub(crate) fn remember(draft: &mut Draft<'_>, action: &str, token: Option<crate::command::Token>, answer: String) {
    if let Some(token) = token {
        let key = format!("{action} {}", token.token);
        let used = draft.now;
        draft.record(What::TokenUsed(crate::token::ClientToken { key, digest: token.digest, answer, used }));
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod blocked_tests;

#[cfg(test)]
mod graph_tests;

#[cfg(test)]
mod retry_tests;

#[cfg(test)]
mod terminate_tests;

#[cfg(test)]
mod elastic_tests;

#[cfg(test)]
mod machine_tests;

#[cfg(test)]
mod interrupt_tests;

#[cfg(test)]
mod properties;

#[cfg(test)]
mod restart_tests;
