//! What a run begins with: queues, topics and their subscribers, an environment, a machine of somebody's.

use std::collections::BTreeSet;

use kernel::access::AccessCommand;
use kernel::command::{Command, NewSubscription};
use kernel::subscription::{Endpoint, Format, MannerEdit, Order, Strategy};
use kernel::topic::StreamNo;

use crate::aside::{ASIDE, OF_TOPIC};
use crate::copies::AGAIN;
use crate::promises::Asked;
use crate::pushes::Pusher;
use crate::world::World;
use crate::{actors, draw};

pub(crate) const LONG_S: u64 = 10 * 86_400;
pub(crate) const SHORT_S: u64 = 30;
/// Queues and how long they keep their messages, in seconds.
pub(crate) const QUEUES: [(&str, u64); 4] = [("work", LONG_S), ("short", SHORT_S), ("sink", LONG_S), ("inbox", LONG_S)];
/// Topics and the queues that subscribe to them.
pub(crate) const TOPICS: [(&str, &str); 2] = [("events", "sink"), ("news", "inbox")];

/// Subscriptions of queues, by topic and name.
pub(crate) const COPIED: [(&str, &str); 4] =
    [("events", "queue"), ("news", "queue"), (OF_TOPIC, ASIDE), ("news", AGAIN)];

/// Each topic has an HTTP subscriber of each.
pub(crate) const STRATEGIES: [(&str, Strategy, Order); 3] = [
    ("decay", Strategy::ExponentialDecayRetry, Order::Strategy),
    ("backoff", Strategy::BackoffRetry, Order::Strategy),
    ("by-job", Strategy::ExponentialDecayRetry, Order::Job),
];

/// What a subscriber of this order asks for: the one by job everything there is.
fn manner(order: Order) -> MannerEdit {
    match order {
        Order::Strategy => MannerEdit::default(),
        Order::Job => MannerEdit {
            order: Some(order),
            posts_per_s: Some(500),
            circuit_failures: Some(4),
            circuit_pause_s: Some(1),
            dead_letters: Some("inbox".into()),
            notify: Some("news".into()),
            ..MannerEdit::default()
        },
    }
}

fn subscribe(topic: &str, name: &str, endpoint: Endpoint, strategy: Strategy, manner: MannerEdit) -> Command {
    let format = if matches!(endpoint, Endpoint::Queue { .. }) { Format::Simplified } else { Format::Json };
    Command::Subscribe(Box::new(NewSubscription {
        topic: topic.into(),
        name: name.into(),
        endpoint,
        strategy,
        format,
        filter_tags: Vec::new(),
        binding_keys: Vec::new(),
        manner,
    }))
}

/// The queue gets what is published to the topic.
pub(crate) fn subscribe_queue(topic: &str, name: &str, queue: &str) -> Command {
    let endpoint = Endpoint::Queue { queue: StreamNo::default(), name: queue.into() };
    subscribe(topic, name, endpoint, Strategy::default(), MannerEdit::default())
}

impl World<'_> {
    /// Makes all of it.
    pub(crate) fn set_up(&mut self) -> Result<(), String> {
        let mut commands: Vec<Command> = QUEUES.iter().map(|(name, keeps)| draw::create_queue(name, *keeps)).collect();
        commands.extend([ASIDE, AGAIN].map(|name| draw::create_queue(name, LONG_S)));
        for (topic, queue) in TOPICS {
            let name = topic.to_owned();
            commands.push(draw::create_topic(name, LONG_S));
            commands.push(subscribe_queue(topic, "queue", queue));
        }
        for (topic, _) in TOPICS {
            for (name, strategy, order) in STRATEGIES {
                let url = "http://127.0.0.1:9/".to_owned();
                commands.push(subscribe(topic, name, Endpoint::Http { url }, strategy, manner(order)));
            }
        }
        commands.push(subscribe_queue("news", AGAIN, AGAIN));
        commands.push(self.create_env());
        self.commit(commands.into_iter().map(|command| (command, Asked::Nothing)).collect())?;
        let subscriptions = self.state().subscriptions();
        let http = subscriptions.filter(|row| matches!(row.endpoint, Endpoint::Http { .. }));
        self.pushers = http.map(|row| Pusher::new(row.key.topic, row.key.no)).collect();
        self.attach_one()
    }

    /// A machine of somebody's joins, and is attached to the environment.
    fn attach_one(&mut self) -> Result<(), String> {
        let token = || "the first token".to_owned();
        let made = AccessCommand::CreateJoinToken { digest: token(), valid_s: 60 };
        let joins = actors::join(token(), "the first machine".into(), BTreeSet::new());
        self.commit(vec![(Command::from(made), Asked::JoinToken), joins])?;
        let machines: Vec<_> = self.state().machines().map(|machine| machine.id).collect();
        let connected = machines.iter().copied().collect();
        let env = self.state().envs().next().ok_or("no environment was made")?.id;
        self.commit(vec![(Command::AttachMachines { env, machines, connected }, Asked::Nothing)])
    }
}
