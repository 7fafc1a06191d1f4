//! Those who ask things of the server: clients, machines, the provider of nodes, consumers, the copier of topics.

use std::collections::BTreeSet;
use std::sync::Arc;

use kernel::access::{AccessCommand, Grant};
use kernel::change::{EnvEdit, NodeFacts};
use kernel::command::{Command, NewReplay, Token};
use kernel::id::{EnvId, JobId, MachineId, NodeId, TemplateId};
use kernel::machine::MachineFacts;
use kernel::node::NodeStage;
use kernel::replay::Which;
use kernel::subscription::Subscription;
use kernel::template::{TemplateEdit, TemplateSpec};
use kernel::time::Timestamp;
use rand::RngExt;

use crate::aside::{ASIDE, OF_TOPIC};
use crate::copies::AGAIN;
use crate::draw;
use crate::promises::{Asked, There};
use crate::replays::{ReplayKey, Replays};
use crate::stage::{COPIED, LONG_S, QUEUES, SHORT_S, STRATEGIES, TOPICS, subscribe_queue};
use crate::world::{World, words};

impl World<'_> {
    /// Something that somebody does.
    pub(crate) fn drawn(&mut self, told: &mut BTreeSet<NodeId>) -> Result<Option<(Command, Asked)>, String> {
        Ok(match self.rng.random_range(0..100) {
            34 => Some(self.subscribe_or_not()),
            35..=38 => self.silence(),
            0..=33 | 39 => {
                let nodes = self.machines.all();
                match self.pick(&nodes) {
                    Some(node) => self.machine(node, told)?,
                    None => None,
                }
            }
            40..=51 => {
                let nodes: Vec<NodeId> = self.state().nodes().map(|node| node.id).collect();
                self.pick(&nodes).and_then(|node| self.provide(node))
            }
            52..=54 => Some(self.start_or_stop_replay()),
            55..=57 => {
                let running = Replays::running(self.state());
                match self.pick(&running) {
                    Some(which) => self.replay(which)?,
                    None => None,
                }
            }
            58 => self.lose_machine(),
            59..=64 => self.submit(),
            65..=66 => self.drawn_job().map(|id| (Command::TerminateJob(id), Asked::Nothing)),
            67 => self.of_job(),
            68..=69 => self.drawn_job().map(|id| (Command::DeleteJob(id), Asked::Deletion(id))),
            70 if self.rng.random_bool(0.5) => Some(self.pause_or_resume()),
            72 if self.rng.random_bool(0.5) => Some(self.of_templates()),
            71..=72 => self.of_machines(),
            73 if self.rng.random_bool(0.5) => Some(self.of_keys()),
            70 | 73 => Some(self.change_envs()),
            74..=75 => Some(self.change_streams()),
            76..=80 => Some(self.send()),
            81..=83 => Some(self.publish()),
            84..=88 => Some(self.receive()),
            89..=92 => self.delete_received(),
            93..=94 => {
                let place = self.rng.random_range(0..self.pushers.len());
                self.push(place)?
            }
            95..=97 => {
                let (topic, name) = COPIED[self.rng.random_range(0..COPIED.len())];
                self.fan_out(topic, name)?
            }
            _ => {
                let due = self.servers[self.at].ledger.due_in_queues(self.now, 20).unwrap_or_default();
                due.into_iter().next().map(|command| (command, Asked::Nothing))
            }
        })
    }

    /// A machine does something and tells of it.
    pub(crate) fn machine(
        &mut self,
        node: NodeId,
        told: &mut BTreeSet<NodeId>,
    ) -> Result<Option<(Command, Asked)>, String> {
        self.machines.act(node, self.calm, self.now, &mut self.rng)?;
        let heard = self.calm || self.rng.random_bool(0.1);
        let Some(machine) = self.machines.get(node) else { return Ok(None) };
        if machine.silent && !heard {
            return Ok(None);
        }
        machine.hear_again();
        if machine.stale {
            // A server welcomes it with what it believes once it has committed that it came, so with nothing old.
            if (!self.calm && self.rng.random_bool(0.5)) || !self.is_up_to_date()? {
                return Ok(None);
            }
            self.machines.welcome(self.servers[self.at].ledger.state(), node);
            return Ok(Some((Command::NodeConnected(node, NodeFacts::default()), Asked::Nothing)));
        }
        let reports = machine.reports();
        if reports.is_empty() || !told.insert(node) {
            return Ok(None);
        }
        let asked = Asked::Reports(node, reports.len());
        Ok(Some((Command::NodeReports(node, reports), asked)))
    }

    /// What the provider, and a fresh agent, do about a node as it stands.
    pub(crate) fn provide(&mut self, node: NodeId) -> Option<(Command, Asked)> {
        let row = self.state().node(node)?.clone();
        let alive = self.machines.is_alive(node);
        let command = match row.stage {
            NodeStage::Submitted { not_before } if not_before <= self.now => Command::NodeCreating(node),
            NodeStage::Creating if !self.calm && self.rng.random_bool(0.05) => {
                Command::NodeHasNoPlace(node, "drawn".into())
            }
            NodeStage::Creating if !self.calm && self.rng.random_bool(0.1) => {
                Command::NodeCreationFailed(node, "drawn".into())
            }
            NodeStage::Creating => Command::NodeCreated(node),
            // It is there, and comes back when it is heard again.
            NodeStage::Abnormal if self.machines.get(node).is_some_and(|machine| machine.silent) => return None,
            NodeStage::Created | NodeStage::Abnormal => {
                self.machines.start(node, row.slots);
                Command::NodeConnected(node, NodeFacts { agent_version: "1".into(), ..NodeFacts::default() })
            }
            NodeStage::Running if !alive => self.lost(node),
            NodeStage::Restarting => {
                self.machines.kill(node);
                Command::NodeEnded(node)
            }
            NodeStage::Deleting => Command::NodeDestroyed { node, begun: self.machines.kill(node) },
            _ => return None,
        };
        Some((command, Asked::Nothing))
    }

    fn lost(&mut self, node: NodeId) -> Command {
        Command::NodeLost { node, reason: "drawn".into(), begun: self.machines.kill(node) }
    }

    fn lose_machine(&mut self) -> Option<(Command, Asked)> {
        let nodes = self.machines.all();
        let node = self.pick(&nodes)?;
        Some((self.lost(node), Asked::Nothing))
    }

    /// Nothing is heard of somebody's machine, and what runs on it goes on.
    fn silence(&mut self) -> Option<(Command, Asked)> {
        let running = self.state().nodes().filter(|node| node.attached && node.stage == NodeStage::Running);
        let (busy, idle): (Vec<_>, Vec<_>) = running.partition(|node| !node.held.is_empty());
        let nodes: Vec<NodeId> = if busy.is_empty() { idle } else { busy }.iter().map(|node| node.id).collect();
        let node = self.pick(&nodes)?;
        self.machines.get(node)?.silent = true;
        Some((Command::NodeSilent { node, reason: "drawn".into() }, Asked::Nothing))
    }

    fn envs(&self) -> Vec<EnvId> {
        self.state().envs().filter(|env| !env.deleting && env.owner.is_none()).map(|env| env.id).collect()
    }

    fn submit(&mut self) -> Option<(Command, Asked)> {
        let envs = self.envs();
        if envs.is_empty() || self.state().jobs().count() > 12 {
            return None;
        }
        // Few tokens, so that requests are repeated; all of a token have one digest.
        let token = self.rng.random_bool(0.3).then(|| format!("token-{}", self.rng.random_range(0..6)));
        let spec = Box::new(draw::job(&envs, "events", &mut self.rng));
        let sent = token.clone().map(|token| Token { token, digest: "same".into() });
        Some((Command::SubmitJob { spec, token: sent }, Asked::Job { token }))
    }

    /// Ends an instance, or has a job tried again.
    fn of_job(&mut self) -> Option<(Command, Asked)> {
        let id = self.drawn_job()?;
        let command = match self.rng.random_range(0..3) {
            0 => Command::TerminateInstance { job: id, task: "t0".into(), index: self.rng.random_range(0..8) },
            _ => Command::RetryJobs(vec![id]),
        };
        Some((command, Asked::Nothing))
    }

    fn drawn_job(&mut self) -> Option<JobId> {
        let jobs: Vec<JobId> = self.promises.jobs.keys().copied().collect();
        self.pick(&jobs)
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> Option<T> {
        (!list.is_empty()).then(|| list[self.rng.random_range(0..list.len())])
    }

    pub(crate) fn create_env(&mut self) -> Command {
        let spec = Box::new(draw::env("events", &mut self.rng));
        let (name, description) = ("drawn".to_owned(), String::new());
        Command::CreateEnv { name, description, desired: self.rng.random_range(1..4), spec, token: None }
    }

    fn change_envs(&mut self) -> (Command, Asked) {
        let envs = self.envs();
        let Some(env) = self.pick(&envs) else {
            return (self.create_env(), Asked::Nothing);
        };
        let command = match self.rng.random_range(0..10) {
            0 if envs.len() < 4 => self.create_env(),
            1 if envs.len() > 1 => Command::DeleteEnv(env),
            2 => {
                let nodes: Vec<NodeId> = self.state().nodes_of(env).map(|node| node.id).take(1).collect();
                Command::DrainNodes(nodes, self.rng.random_bool(0.5))
            }
            3..=4 => {
                let nodes: Vec<NodeId> = self.state().nodes_of(env).map(|node| node.id).take(1).collect();
                Command::TerminateNodes(env, nodes)
            }
            _ => {
                let desired = Some(self.rng.random_range(0..4));
                Command::ModifyEnv(env, EnvEdit { desired, ..EnvEdit::default() })
            }
        };
        (command, Asked::Nothing)
    }

    /// Machines of others: tokens are made, machines join with them, are attached to environments and detached.
    fn of_machines(&mut self) -> Option<(Command, Asked)> {
        // Few of each, so that tokens are tried twice and machines ask again.
        let token = format!("token-{}", self.rng.random_range(0..2));
        let machines: Vec<MachineId> = self.promises.machines.values().copied().collect();
        let connected: BTreeSet<MachineId> = machines.iter().copied().filter(|_| self.rng.random_bool(0.8)).collect();
        let (env, machine) = (self.pick(&self.envs()), self.pick(&machines));
        Some(match (self.rng.random_range(0..10), env, machine) {
            (0..=1, ..) => {
                let valid_s = self.rng.random_range(1..60);
                let command = AccessCommand::CreateJoinToken { digest: token, valid_s };
                (Command::from(command), Asked::JoinToken)
            }
            (2..=5, ..) => {
                let credential = format!("machine-{}", self.rng.random_range(0..8));
                join(token, credential, connected)
            }
            (6..=8, Some(env), Some(machine)) => {
                (Command::AttachMachines { env, machines: vec![machine], connected }, Asked::Nothing)
            }
            (_, Some(env), Some(machine)) => (Command::DetachMachines(env, vec![machine]), Asked::Nothing),
            _ => return None,
        })
    }

    /// Key pairs that come and go.
    fn of_keys(&mut self) -> (Command, Asked) {
        let secret_id = format!("key-{}", self.rng.random_range(0..6));
        let (there, command) = match self.rng.random_bool(0.6) {
            true => {
                let (sealed, note, grant) = ("sealed".to_owned(), String::new(), Grant::default());
                (There::Yes, AccessCommand::CreateKey { secret_id: secret_id.clone(), sealed, note, grant })
            }
            false => (There::No, AccessCommand::DeleteKey(secret_id.clone())),
        };
        (Command::from(command), Asked::Key { secret_id, there })
    }

    /// Task templates that come, change and go.
    fn of_templates(&mut self) -> (Command, Asked) {
        let known: Vec<TemplateId> = self.promises.templates.ids();
        let name = self.text("template");
        match (self.rng.random_range(0..10), self.pick(&known)) {
            (0..=3, Some(id)) => {
                let edit = TemplateEdit { name: Some(name.clone()), ..TemplateEdit::default() };
                (Command::ModifyTemplate(id, edit), Asked::TemplateNamed(id, name))
            }
            (4..=5, Some(id)) => (Command::DeleteTemplates(vec![id]), Asked::TemplateGone(id)),
            _ => {
                let (description, task) = (String::new(), "{}".to_owned());
                let spec = TemplateSpec { name: name.clone(), description, task, tags: Vec::new() };
                (Command::CreateTemplate(Box::new(spec)), Asked::TemplateMade(name))
            }
        }
    }

    fn subscribe_or_not(&mut self) -> (Command, Asked) {
        if self.rng.random_bool(0.5) {
            return (subscribe_queue(OF_TOPIC, ASIDE, ASIDE), Asked::Subscribed);
        }
        (Command::Unsubscribe { topic: OF_TOPIC.into(), name: ASIDE.into() }, Asked::Unsubscribed)
    }

    fn pause_or_resume(&mut self) -> (Command, Asked) {
        let (topic, _) = TOPICS[self.rng.random_range(0..TOPICS.len())];
        let (name, ..) = STRATEGIES[self.rng.random_range(0..STRATEGIES.len())];
        let (topic, name) = (topic.to_owned(), name.to_owned());
        let command = match self.rng.random_bool(0.3) {
            true => Command::PauseSubscription { topic, name },
            false => Command::ResumeSubscription { topic, name },
        };
        (command, Asked::Nothing)
    }

    /// Topics and queues that come and go.
    fn change_streams(&mut self) -> (Command, Asked) {
        let passing: Vec<String> = (0..3).map(|number| format!("passing-{number}")).collect();
        let name = passing[self.rng.random_range(0..3)].clone();
        let command = match self.rng.random_range(0..9) {
            0 => draw::create_queue(&name, LONG_S),
            1 => Command::DeleteQueue { name },
            2 => draw::create_topic(name, SHORT_S),
            6.. => draw::change_queue(&passing, self.now, &mut self.rng),
            3 => Command::DeleteTopic { name, with_subscriptions: true },
            4 => Command::Send { queue: name, bodies: vec!["passing".into()], delay_s: 1 },
            _ => Command::Receive { queue: name, max: 3 },
        };
        (command, Asked::Nothing)
    }

    fn text(&mut self, of: &str) -> String {
        self.next_text += 1;
        format!("{of}-{}", self.next_text)
    }

    fn send(&mut self) -> (Command, Asked) {
        let (queue, _) = QUEUES[self.rng.random_range(0..2)];
        let text = self.text(queue);
        let delay_s = if self.rng.random_bool(0.3) { 3 } else { 0 };
        (Command::Send { queue: queue.into(), bodies: vec![text.as_str().into()], delay_s }, Asked::Text(text))
    }

    fn publish(&mut self) -> (Command, Asked) {
        let text = self.text("news");
        let bodies = vec![text.as_str().into()];
        let command = Command::Publish { topic: "news".into(), bodies, tags: Vec::new(), routing_key: String::new() };
        (command, Asked::Published(text))
    }

    fn receive(&mut self) -> (Command, Asked) {
        let (queue, retention_s) = QUEUES[self.rng.random_range(0..QUEUES.len())];
        let command = Command::Receive { queue: queue.into(), max: self.rng.random_range(1..17) };
        (command, Asked::Receipt { queue, retention_ms: retention_s * 1_000 })
    }

    fn delete_received(&mut self) -> Option<(Command, Asked)> {
        let (queue, _) = QUEUES[self.rng.random_range(0..QUEUES.len())];
        let of_queue = self.promises.received.iter().filter(|(_, (of, ..))| *of == queue);
        let texts: Vec<_> = of_queue.map(|(text, (_, handle, _))| (text.clone(), *handle)).take(16).collect();
        if texts.is_empty() {
            return None;
        }
        let handles = texts.iter().map(|(_, handle)| *handle).collect();
        Some((Command::DeleteMessages { queue: queue.into(), handles }, Asked::Deleted { texts }))
    }

    /// Messages of a topic are copied into the queue of the subscription of this name.
    pub(crate) fn fan_out(&mut self, topic: &str, name: &str) -> Result<Option<(Command, Asked)>, String> {
        let state = self.state();
        let Some(topic) = state.topic_named(topic).map(|topic| topic.no) else { return Ok(None) };
        let named = |row: &&Arc<Subscription>| row.name == name;
        let Some(subscription) = state.subscriptions_of(topic).find(named).cloned() else { return Ok(None) };
        let limit = self.rng.random_range(1..200);
        let messages = self.reader.topic_messages(topic, subscription.cursor, limit).map_err(words)?;
        Ok(messages
            .last()
            .map(|message| message.seq)
            .map(|through| (Command::FanOut { key: subscription.key, messages, through }, Asked::Nothing)))
    }

    fn start_or_stop_replay(&mut self) -> (Command, Asked) {
        let topics = TOPICS.iter().flat_map(|(topic, _)| STRATEGIES.iter().map(|(name, ..)| (*topic, *name)));
        let all: Vec<_> = topics.chain([("news", AGAIN); 2]).collect();
        let (topic, name) = all[self.rng.random_range(0..all.len())];
        let (topic, name) = (topic.to_owned(), name.to_owned());
        // Up to a little more than there is to replay.
        let state = self.state();
        let row = state
            .subscriptions()
            .find(|row| row.name == name && state.topic(row.key.topic).is_some_and(|it| it.name == topic));
        let end = row.map_or(0, |row| row.cursor) + 10;
        let from = self.rng.random_range(1..end);
        let to = from + self.rng.random_range(0..200);
        let (which, to) = match self.rng.random_range(0..6) {
            0 => return (Command::StopReplay { topic, name, no: None }, Asked::Nothing),
            1..=2 => (Which::Dead { since: Timestamp(0) }, u64::MAX),
            3 => (Which::These { seqs: (from..=to).step_by(3).collect() }, to),
            _ => (Which::All, to),
        };
        let rate_per_s = self.rng.random_range(1..12);
        (Command::StartReplay(Box::new(NewReplay { topic, name, which, from, to, rate_per_s })), Asked::Nothing)
    }

    /// A replay posts, and has its record committed.
    pub(crate) fn replay(&mut self, which: ReplayKey) -> Result<Option<(Command, Asked)>, String> {
        // A server that is behind may know one that has ended.
        if !self.is_up_to_date()? {
            return Ok(None);
        }
        let (state, reader) = (self.servers[self.at].ledger.state(), self.reader.as_mut());
        let record = self.replays.act(which, state, reader, self.now, self.calm, &mut self.rng)?;
        Ok(record.map(|record| (record, Asked::Replayed(which))))
    }

    /// A subscriber posts, and has its record committed.
    pub(crate) fn push(&mut self, place: usize) -> Result<Option<(Command, Asked)>, String> {
        let (state, reader) = (self.servers[self.at].ledger.state(), self.reader.as_mut());
        let record = self.pushers[place].act(state, reader, self.now, self.calm, &mut self.rng)?;
        Ok(record.map(|record| (record, Asked::Record(place))))
    }
}

/// A machine joins with a token, and shows this secret from then on.
pub(crate) fn join(token: String, credential: String, connected: BTreeSet<MachineId>) -> (Command, Asked) {
    let facts = MachineFacts { name: credential.clone(), cpu: 1, mem_gb: 1, slots: 2 };
    let asked = Asked::Join { credential: credential.clone() };
    (Command::JoinMachine { token, credential, facts, connected }, asked)
}
