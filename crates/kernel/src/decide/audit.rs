//! The audit trail: what a caller has changed is told in the commit that changes it.

use std::sync::Arc;

use crate::audit::{Audited, Call};
use crate::command::Reply;
use crate::decide::Draft;
use crate::event::EventId;
use crate::topic::{FilterType, NewBody, NewMessage};

/// The first tag of what is told, and the first word of its routing key.
const KIND: &str = "AUDIT";

/// Tells the trail's topic of a call, if what was decided for it changes anything.
pub(super) fn record(draft: &mut Draft<'_>, call: &Call, reply: &Reply) {
    let Some(name) = &draft.settings.audit_topic else { return };
    let Some(topic) = draft.state.topic_named(name).cloned() else { return };
    if draft.is_empty() {
        return;
    }
    let (tags, routing_key) = match topic.filter {
        FilterType::Tags => (vec![KIND.to_owned(), call.action.to_owned()], String::new()),
        FilterType::Routing => (Vec::new(), format!("{KIND}.{}.{}", call.product, call.action).to_lowercase()),
    };
    let id = EventId::draw(draft.now, draft.rng);
    let audited = Audited { id, at: draft.now, call: call.clone(), made: made(reply) };
    let seq = draft.grow_topic(topic.no, 1);
    let body = NewBody::Audited(Arc::new(audited));
    let (topic, published) = (topic.no, draft.now);
    draft.publish(NewMessage { topic, seq, published, body, tags, routing_key, previous: 0, owner: None });
}

/// The id of what was made.
fn made(reply: &Reply) -> Option<String> {
    match reply {
        Reply::Job(id) => Some(id.to_string()),
        Reply::Template(id) => Some(id.to_string()),
        Reply::Env(id) => Some(id.to_string()),
        Reply::Machine(id) => Some(id.to_string()),
        Reply::Topic(id) => Some(id.to_string()),
        Reply::Queue(id) => Some(id.to_string()),
        Reply::Subscription(id) => Some(id.to_string()),
        Reply::Replay(no) => Some(no.to_string()),
        Reply::Done | Reply::Explained(_) | Reply::Messages(_) | Reply::Received(_) | Reply::Deleted(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Command, Decision, Refusal};
    use crate::decide::{Settings, decide};
    use crate::state::State;
    use crate::testing::{World, rng};
    use crate::time::Timestamp;

    fn called(command: Command) -> Command {
        let call = Call {
            secret_id: "AKIDme".into(),
            address: "127.0.0.1".into(),
            product: "cmq v2",
            action: "CreateTopic",
            targets: vec!["topic new".into()],
        };
        Command::Called(Arc::new(call), Box::new(command))
    }

    fn create(name: &str) -> Command {
        Command::CreateTopic {
            name: name.into(),
            filter: FilterType::Tags,
            max_msg_bytes: 1_024,
            retention_s: 60,
            trace: false,
            tags: Vec::new(),
        }
    }

    fn decided(state: &State, settings: &Settings, command: Command) -> Result<Decision, Refusal> {
        decide(state, settings, command, Timestamp(1_800_000_000_000), &mut rng(1))
    }

    #[test]
    fn what_a_call_changes_is_told_in_the_same_decision() {
        let mut world = World::new(1);
        world.topic("trail");
        let settings = Settings { audit_topic: Some("trail".into()), ..Settings::default() };
        let decision = decided(&world.state, &settings, called(create("new"))).unwrap();
        let [message] = &decision.messages[..] else { panic!("{:?}", decision.messages) };
        let NewBody::Audited(audited) = &message.body else { panic!("{message:?}") };
        assert_eq!((audited.call.secret_id.as_str(), audited.call.action), ("AKIDme", "CreateTopic"));
        assert!(audited.made.as_ref().is_some_and(|id| id.starts_with("topic-")), "{audited:?}");
        assert_eq!(message.tags, ["AUDIT", "CreateTopic"]);
        let unchanged = called(Command::ExplainJob(crate::id::JobId::FIRST));
        assert!(decided(&world.state, &settings, unchanged).is_err_and(|refusal| !refusal.to_string().is_empty()));
        let nobody = decided(&world.state, &settings, create("other")).unwrap();
        assert_eq!(nobody.messages, []);
        let untold = decided(&world.state, &Settings::default(), called(create("other"))).unwrap();
        assert_eq!(untold.messages, []);
    }

    #[test]
    fn the_topic_of_the_trail_cannot_be_deleted() {
        let mut world = World::new(1);
        world.topic("trail");
        world.settings = Settings { audit_topic: Some("Trail".into()), ..Settings::default() };
        let delete = Command::DeleteTopic { name: "trail".into(), with_subscriptions: true };
        assert_eq!(world.run(delete).unwrap_err(), Refusal::AuditTopic("trail".into()));
    }
}
