//! The push loop with what a subscription may ask for beyond CMQ: order by job, rate, concurrency, pauses, circuit.

use std::sync::Arc;

use super::tests::{DAY_S, START, Stand, attempt, message, row, subscription, topic};
use super::{Posted, PushInput};
use crate::delivery::{Delivery, DeliveryStage};
use crate::event::Owner;
use crate::id::{EnvId, JobId};
use crate::subscription::{CircuitRule, Manner, Order, PauseReason, Stage, Strategy, Subscription};
use crate::topic::TopicMessage;

const JOB: Option<Owner> = Some(Owner::Job(JobId::FIRST));
const ENV: Option<Owner> = Some(Owner::Env(EnvId::FIRST));

/// Events of a job, an environment, and a client's text, one after the other.
fn log(owners: &[Option<Owner>]) -> Vec<Arc<TopicMessage>> {
    let numbered = (1..).zip(owners);
    numbered
        .map(|(seq, owner)| Arc::new(TopicMessage { owner: *owner, ..(*message(seq, START, "wanted")).clone() }))
        .collect()
}

fn asks(manner: Manner) -> Subscription {
    Subscription { manner, ..subscription(Strategy::ExponentialDecayRetry, &["wanted"]) }
}

fn by_job() -> Subscription {
    asks(Manner { order: Order::Job, ..Manner::default() })
}

fn start(subscription: Subscription, log: Vec<Arc<TopicMessage>>, rows: Vec<Delivery>) -> Stand {
    Stand::of(subscription, DAY_S, log, rows)
}

impl Stand {
    fn change(&mut self, subscription: Subscription) {
        let topic = crate::topic::Topic { next_seq: self.log.len() as u64 + 1, ..topic(DAY_S) };
        self.tell(PushInput::Changed(Arc::new(topic), Arc::new(subscription)));
    }

    /// Answers with a `Retry-After` of so many milliseconds.
    fn hold(&mut self, seq: u64, status: u16, retry_after_ms: u64) {
        let number = self.posts.remove(&seq).expect("it is in flight");
        let attempt = attempt(seq, number, self.now, status);
        self.tell(PushInput::Posted(Posted { attempt, retry_after_ms: Some(retry_after_ms), owner: None }));
    }
}

#[test]
fn by_job_a_failing_event_holds_back_only_those_of_its_job() {
    let mut stand = start(by_job(), log(&[JOB, ENV, JOB, None, JOB, ENV, None]), Vec::new());
    assert_eq!(stand.in_flight(), [1, 2, 4, 7]);
    for (seq, status, in_flight) in
        [(1, 500, &[2, 4, 7][..]), (4, 500, &[2, 7]), (2, 200, &[6, 7]), (7, 200, &[6]), (6, 200, &[])]
    {
        stand.answer(seq, status);
        stand.commit();
        assert_eq!(stand.in_flight(), in_flight, "after {status} to {seq}");
    }
    while stand.in_flight().is_empty() {
        stand.wake();
        stand.commit();
    }
    assert_eq!((stand.now, stand.in_flight()), (START.plus_ms(1_000), vec![1, 4]), "what is no event has no order");
    stand.answer(1, 200);
    assert_eq!(stand.in_flight(), [3, 4]);
    stand.answer(3, 200);
    assert_eq!(stand.in_flight(), [4, 5], "one after the other");
}

#[test]
fn by_job_a_given_up_event_lets_the_next_through() {
    let mut stand = start(by_job(), log(&[JOB, JOB]), Vec::new());
    assert_eq!(stand.in_flight(), [1]);
    stand.posts.clear();
    stand.tell(PushInput::Gone(1));
    assert_eq!(stand.in_flight(), [2]);
}

#[test]
fn by_job_a_new_loop_restores_the_order() {
    let next = START.plus_ms(700);
    let rows = vec![row(1, 1, DeliveryStage::Retrying { next }), row(2, 1, DeliveryStage::Delivered)];
    let mut stand = start(by_job(), log(&[JOB, ENV, JOB, ENV, JOB]), rows);
    assert_eq!(stand.in_flight(), [4], "3 and 5 wait for 1");
    stand.wake();
    assert_eq!((stand.now, stand.in_flight()), (next, vec![1, 4]));
    stand.answer(1, 200);
    assert_eq!(stand.in_flight(), [3, 4]);
}

#[test]
fn by_job_can_begin_and_end_while_messages_wait() {
    let mut stand = start(asks(Manner::default()), log(&[JOB, JOB]), Vec::new());
    assert_eq!(stand.in_flight(), [1, 2]);
    stand.change(by_job());
    stand.log = log(&[JOB, JOB, JOB, JOB]);
    stand.tell(PushInput::Grown(4));
    assert_eq!(stand.in_flight(), [1, 2], "behind what was begun before");
    stand.answer(1, 200);
    stand.answer(2, 200);
    assert_eq!(stand.in_flight(), [3]);
    stand.change(asks(Manner::default()));
    assert_eq!(stand.in_flight(), [3, 4]);
}

#[test]
fn backoff_by_job_keeps_its_gaps_and_blocks_only_the_job() {
    let subscription = Subscription { strategy: Strategy::BackoffRetry, ..by_job() };
    let mut stand = start(subscription, log(&[JOB, ENV, JOB]), Vec::new());
    assert_eq!(stand.in_flight(), [1, 2]);
    stand.answer(1, 500);
    stand.answer(2, 200);
    stand.commit();
    while stand.in_flight().is_empty() {
        stand.wake();
        stand.commit();
    }
    let gap = stand.now.since_ms(START);
    assert!((10_000..=20_000).contains(&gap) && stand.in_flight() == [1], "{gap}");
}

#[test]
fn posts_keep_to_rate_and_concurrency() {
    let mut stand = start(asks(Manner { posts_per_s: 2, ..Manner::default() }), log(&[None; 3]), Vec::new());
    for (at_ms, in_flight) in [(0, &[1][..]), (500, &[1, 2]), (1_000, &[1, 2, 3])] {
        assert_eq!((stand.now.since_ms(START), stand.in_flight().as_slice()), (at_ms, in_flight));
        if in_flight.len() < 3 {
            stand.wake();
        }
    }
    let mut stand = start(asks(Manner { concurrency: 2, ..Manner::default() }), log(&[None; 3]), Vec::new());
    assert_eq!(stand.in_flight(), [1, 2]);
    stand.answer(1, 200);
    assert_eq!(stand.in_flight(), [2, 3]);
}

#[test]
fn a_paused_subscription_gives_up_what_the_topic_keeps_no_longer() {
    let stage = Stage::Paused { why: PauseReason::Asked, since: START };
    let paused = Subscription { stage, ..asks(Manner::default()) };
    let rows = vec![row(1, 3, DeliveryStage::Retrying { next: START })];
    let mut stand = start(paused.clone(), log(&[None; 3]), rows);
    assert!(stand.in_flight().is_empty());
    stand.wake();
    let record = stand.commit().remove(0);
    assert_eq!((stand.now, record.cursor), (START.plus_s(DAY_S), 3));
    let dead = [row(1, 3, DeliveryStage::Dead), row(2, 0, DeliveryStage::Dead), row(3, 0, DeliveryStage::Dead)];
    assert_eq!(record.put, dead);
    let mut stand = start(paused, log(&[None; 2]), Vec::new());
    stand.change(asks(Manner::default()));
    assert_eq!(stand.in_flight(), [1, 2], "resumed");
}

#[test]
fn gone_pauses_and_its_message_is_the_first_when_it_is_resumed() {
    let mut stand = start(asks(Manner { concurrency: 1, ..Manner::default() }), log(&[None; 2]), Vec::new());
    stand.answer(1, 410);
    let record = stand.commit().remove(0);
    assert_eq!(record.stage, Some(Stage::Paused { why: PauseReason::Gone, since: START }));
    assert_eq!(record.put, [row(1, 1, DeliveryStage::Retrying { next: START })]);
    assert!(stand.in_flight().is_empty());
    stand.now = stand.now.plus_s(3_600);
    stand.change(asks(Manner { concurrency: 1, ..Manner::default() }));
    assert_eq!(stand.in_flight(), [1]);
}

#[test]
fn retry_after_holds_the_whole_subscription() {
    let mut stand = start(asks(Manner::default()), log(&[None; 2]), Vec::new());
    stand.hold(1, 429, 30_000);
    let record = stand.commit().remove(0);
    assert_eq!(record.stage, Some(Stage::Held { until: START.plus_s(30) }));
    stand.answer(2, 500);
    stand.commit();
    while stand.in_flight().is_empty() {
        stand.wake();
        stand.commit();
    }
    assert_eq!((stand.now, stand.in_flight()), (START.plus_s(30), vec![1, 2]));
}

#[test]
fn an_open_circuit_lets_one_probe_through() {
    let circuit = Some(CircuitRule { failures: 3, pause_s: 60 });
    let mut stand = start(asks(Manner { circuit, ..Manner::default() }), log(&[None; 4]), Vec::new());
    for seq in 1..=4 {
        stand.answer(seq, 500);
    }
    let stages: Vec<_> = stand.commit().into_iter().filter_map(|record| record.stage).collect();
    let until = START.plus_s(60);
    assert_eq!(stages, [Stage::Broken { since: START, until, probes: 0 }]);
    while stand.in_flight().is_empty() {
        stand.wake();
        stand.commit();
    }
    assert_eq!((stand.now, stand.in_flight()), (until, vec![1]));
    stand.answer(1, 200);
    assert_eq!(stand.in_flight(), [2, 3, 4], "closed");
}
