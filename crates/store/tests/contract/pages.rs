//! Pages and single reads.

use std::sync::Arc;

use kernel::delivery::{DeliveryKey, DeliveryStage};
use kernel::instance::Stage;
use kernel::node::{Node, NodeStage};
use kernel::phase::Phase;
use kernel::ranges::Ranges;
use kernel::state::{Row, RowKey};
use kernel::task::{Redo, Task};
use kernel::template::Template;
use kernel::time::Timestamp;
use kernel::topic::{StreamNo, TopicMessage};
use store::{
    Batch, DeadFigures, DeliverySet, EnvFilter, InstanceListed, JobFilter, NameFilter, NodeCounts, QueueFigures,
    Reader, Span, SubscriptionFilter, Tagged, TemplateFilter, TopicFigures, TopicSpan,
};

use crate::rows::*;
use crate::{Database, Writer};

const ALL: Span = Span { offset: 0, limit: 100 };

pub(crate) fn jobs_are_listed_newest_first_and_filtered(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let mut rows: Vec<Row> = (1..=4).map(|number| Row::Job(Arc::new(job(number)))).collect();
    rows.push(Row::Job(Arc::new(finished(job(5), 9))));
    writer.add(rows);
    let mut reader = writer.store.reader().unwrap();
    let mut list = |filter: &JobFilter, span| {
        let page = reader.jobs(filter, span).unwrap();
        (page.total, page.items.iter().map(|job| job.id.number()).collect::<Vec<_>>())
    };
    let any = JobFilter::default;
    assert_eq!(list(&any(), ALL), (5, vec![5, 4, 3, 2, 1]));
    assert_eq!(list(&any(), Span { offset: 1, limit: 2 }), (5, vec![4, 3]));
    assert_eq!(list(&any(), Span { offset: 9, limit: 2 }), (5, vec![]));
    assert_eq!(list(&JobFilter { ids: vec![job_id(2), job_id(9)], ..any() }, ALL), (1, vec![2]));
    assert_eq!(list(&JobFilter { names: vec!["job 1".into(), "job 4".into()], ..any() }, ALL), (2, vec![4, 1]));
    assert_eq!(list(&JobFilter { phases: vec![Phase::Failed], ..any() }, ALL), (1, vec![5]));
    assert_eq!(list(&JobFilter { zones: vec!["elsewhere".into()], ..any() }, ALL), (0, vec![]));
    let tagged = |tags| JobFilter { tags, ..any() };
    let text = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(list(&tagged(Tagged { keys: text(&["team"]), ..Tagged::default() }), ALL).0, 5);
    assert_eq!(list(&tagged(Tagged { values: text(&["t2", "t3"]), ..Tagged::default() }), ALL).1, [3, 2]);
    // Key and value of one tag, not of two.
    let pairs = vec![("team".into(), text(&["t2", "sample"])), ("kind".into(), text(&["sample"]))];
    assert_eq!(list(&tagged(Tagged { pairs, ..Tagged::default() }), ALL).1, [2]);
}

pub(crate) fn instances_with_and_without_rows_make_one_list(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let mut rows = vec![Row::Job(Arc::new(job(1))), Row::Task(Arc::new(task(1)))];
    rows.extend(instances(1).into_iter().map(|row| Row::Instance(Arc::new(row))));
    writer.add(rows);
    let mut reader = writer.store.reader().unwrap();
    let key = task(1).key;
    let mut list = |phases: &[Phase], offset, limit| {
        let page = reader.instances(key, phases, Span { offset, limit }).unwrap().unwrap();
        let shown = page.items.iter().map(|item| match item {
            InstanceListed::Bulk { index, phase, created } => {
                assert_eq!((*phase, *created), (Phase::Runnable, Timestamp(1)));
                (*index, false)
            }
            InstanceListed::Row(row) => {
                assert_eq!(**row, instances(1)[row.key.index as usize]);
                (row.key.index, true)
            }
        });
        (page.total, shown.collect::<Vec<_>>())
    };
    assert_eq!(list(&[], 0, 5), (10, vec![(0, true), (1, true), (2, true), (3, false), (4, false)]));
    assert_eq!(list(&[], 8, 5), (10, vec![(8, false), (9, false)]));
    assert_eq!(list(&[Phase::Running, Phase::Succeed], 0, 5), (2, vec![(1, true), (2, true)]));
    assert_eq!(list(&[Phase::Runnable], 0, 3), (8, vec![(0, true), (3, false), (4, false)]));
    assert_eq!(list(&[Phase::Runnable], 7, 3), (8, vec![(9, false)]));
    assert_eq!(list(&[Phase::Failed], 0, 3), (0, vec![]));
    assert_eq!(list(&Phase::ALL, 1, 2), (10, vec![(1, true), (2, true)]));
    assert_eq!(reader.instances(kernel::task::TaskKey { task: 1, ..key }, &[], ALL).unwrap(), None);
}

pub(crate) fn task_templates_are_listed_newest_first_and_filtered(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let names = ["a", "b", "a"];
    writer.add((1..).zip(names).map(|(number, name)| Row::Template(Arc::new(template(number, name)))).collect());
    let renamed = Template { created: Timestamp(2), ..template(2, "c") };
    writer.change(vec![Row::Template(Arc::new(renamed.clone()))]);
    let mut reader = writer.store.reader().unwrap();
    let mut list = |filter: &TemplateFilter, span| {
        let page = reader.templates(filter, span).unwrap();
        (page.total, page.items.iter().map(|template| template.id.number()).collect::<Vec<_>>())
    };
    let any = TemplateFilter::default;
    assert_eq!(list(&any(), ALL), (3, vec![3, 2, 1]));
    assert_eq!(list(&any(), Span { offset: 1, limit: 1 }), (3, vec![2]));
    assert_eq!(list(&TemplateFilter { ids: vec![template_id(2), template_id(9)], ..any() }, ALL), (1, vec![2]));
    assert_eq!(list(&TemplateFilter { names: vec!["a".into()], ..any() }, ALL), (2, vec![3, 1]));
    assert_eq!(list(&TemplateFilter { names: vec!["b".into()], ..any() }, ALL), (0, vec![]));
    let tags = Tagged { values: vec!["t2".into()], ..Tagged::default() };
    assert_eq!(list(&TemplateFilter { tags, ..any() }, ALL), (1, vec![2]));
    writer.remove(vec![RowKey::Template(template_id(3))]);
    let page = writer.store.reader().unwrap().templates(&any(), ALL).unwrap();
    assert_eq!((page.total, &*page.items[0]), (2, &renamed));
}

/// Of ten instances 0 succeeded, 1 and 2 have had their turn, and 3 to 9 say FAILED until they have it.
pub(crate) fn instances_that_are_to_run_again_are_listed_as_they_will_stand(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let mut bulk = Ranges::default();
    assert!(bulk.insert(2));
    let counts = counts(&[(Phase::Succeed, 1), (Phase::Runnable, 8), (Phase::Failed, 1)]);
    let row = Task { redo: Some(Redo { from: 3, left: 7 }), instances: counts, intent: None, bulk, ..task(1) };
    let stage = |index| if index == 0 { Stage::Succeed } else { Stage::Failed };
    let mut rows = vec![Row::Job(Arc::new(job(1))), Row::Task(Arc::new(row))];
    let instances = (0..10).filter(|index| *index != 2).map(|index| instance(1, index, stage(index)));
    rows.extend(instances.map(|row| Row::Instance(Arc::new(row))));
    writer.add(rows);
    let mut reader = writer.store.reader().unwrap();
    let mut list = |phases: &[Phase], offset, limit| {
        let page = reader.instances(task(1).key, phases, Span { offset, limit }).unwrap().unwrap();
        let shown = page.items.iter().map(|item| match item {
            InstanceListed::Bulk { index, phase, .. } => (*index, *phase),
            InstanceListed::Row(row) => (row.key.index, row.phase()),
        });
        (page.total, shown.collect::<Vec<_>>())
    };
    use Phase::{Failed, Runnable, Succeed};
    assert_eq!(list(&[], 0, 4), (10, vec![(0, Succeed), (1, Failed), (2, Runnable), (3, Runnable)]));
    assert_eq!(list(&[Failed], 0, 9), (1, vec![(1, Failed)]));
    assert_eq!(list(&[Runnable], 0, 3), (8, vec![(2, Runnable), (3, Runnable), (4, Runnable)]));
    assert_eq!(list(&[Runnable, Succeed], 0, 2), (9, vec![(0, Succeed), (2, Runnable)]));
    assert_eq!(list(&[Failed, Runnable], 7, 9), (9, vec![(8, Runnable), (9, Runnable)]));
}

pub(crate) fn environments_are_listed_with_their_nodes(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let stages = [NodeStage::Running, NodeStage::Running, NodeStage::Submitted { not_before: Timestamp(1) }];
    let mut rows: Vec<Row> = (1..=3).map(|number| Row::Env(Arc::new(env(number)))).collect();
    rows.extend((1..).zip(stages).map(|(number, stage)| {
        let attached = number == 2;
        Row::Node(Arc::new(Node { attached, ..node(number, 2, stage) }))
    }));
    writer.add(rows);
    let mut reader = writer.store.reader().unwrap();
    let page = reader.envs(&EnvFilter::default(), Span { offset: 0, limit: 2 }).unwrap();
    assert_eq!((page.total, page.items.len()), (3, 2));
    assert_eq!((&*page.items[0].env, page.items[0].nodes), (&env(3), NodeCounts::default()));
    assert_eq!(page.items[1].nodes, NodeCounts { running: 2, submitted: 1, attached: 1, ..NodeCounts::default() });
    let filter = EnvFilter {
        zones: vec!["zone-1".into(), "zone-2".into()],
        tags: Tagged { keys: vec!["team".into()], values: vec!["t1".into()], pairs: vec![] },
        ..EnvFilter::default()
    };
    assert_eq!(*reader.envs(&filter, ALL).unwrap().items[0].env, env(1));
    let nodes: Vec<_> = reader.nodes(env_id(2)).unwrap().iter().map(|node| node.id.number()).collect();
    assert_eq!(nodes, [1, 2, 3]);
    assert!(reader.nodes(env_id(1)).unwrap().is_empty());
}

pub(crate) fn activities_of_an_environment_are_listed_newest_first(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let rows = [activity(1, 1, 1, Some(9)), activity(2, 1, 2, None), activity(3, 2, 3, None), activity(4, 1, 4, None)];
    writer.add(rows.iter().cloned().map(|row| Row::Activity(Arc::new(row))).collect());
    let mut reader = writer.store.reader().unwrap();
    let page = reader.activities(env_id(1), &[], Span { offset: 1, limit: 5 }).unwrap();
    assert_eq!((page.total, page.items), (3, vec![rows[1].clone(), rows[0].clone()]));
    let node = |number| kernel::id::NodeId::from_number(number).unwrap();
    let page = reader.activities(env_id(1), &[node(1), node(3)], ALL).unwrap();
    assert_eq!((page.total, page.items), (1, vec![rows[0].clone()]));
}

pub(crate) fn topics_and_queues_are_found_by_name(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let names = ["Alpha", "beta_1", "betaX1"];
    let mut rows: Vec<Row> = (1..).zip(names).map(|(no, name)| Row::Topic(Arc::new(topic(no, name)))).collect();
    rows.extend((11..).zip(names).map(|(no, name)| Row::Queue(Arc::new(queue(no, name)))));
    writer.add(rows);
    let mut reader = writer.store.reader().unwrap();
    let mut list = |contains: &str, names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let filter = NameFilter { contains: contains.into(), names, ..NameFilter::default() };
        let (topics, queues) = (reader.topics(&filter, ALL).unwrap(), reader.queues(&filter, ALL).unwrap());
        let found: Vec<String> = topics.items.iter().map(|topic| topic.name.clone()).collect();
        assert_eq!(queues.items.iter().map(|queue| queue.name.clone()).collect::<Vec<_>>(), found);
        assert_eq!((topics.total, queues.total), (found.len() as u64, found.len() as u64));
        found
    };
    assert_eq!(list("", &[]), ["betaX1", "beta_1", "Alpha"]);
    assert_eq!(list("A_1", &[]), ["beta_1"], "what a pattern means is taken as it stands");
    assert_eq!(list("ETA", &[]), ["betaX1", "beta_1"]);
    assert_eq!(list("", &["ALPHA", "gone"]), ["Alpha"]);
    assert_eq!(reader.topic("gone").unwrap(), None);
    assert_eq!(reader.queue("gone").unwrap(), None);
}

pub(crate) fn topics_and_queues_are_found_by_tag(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let mut rows: Vec<Row> = (1..).zip(["a", "b"]).map(|(no, name)| Row::Topic(Arc::new(topic(no, name)))).collect();
    rows.extend((11..).zip(["a", "b"]).map(|(no, name)| Row::Queue(Arc::new(queue(no, name)))));
    writer.add(rows);
    let list = |tags: Tagged| -> Vec<String> {
        let mut reader = writer.store.reader().unwrap();
        let filter = NameFilter { tags, ..NameFilter::default() };
        let (topics, queues) = (reader.topics(&filter, ALL).unwrap(), reader.queues(&filter, ALL).unwrap());
        let found: Vec<String> = topics.items.iter().map(|topic| topic.name.clone()).collect();
        assert_eq!(queues.items.iter().map(|queue| queue.name.clone()).collect::<Vec<_>>(), found);
        found
    };
    let pair = |value: &str| Tagged { pairs: vec![("team".into(), vec![value.into()])], ..Tagged::default() };
    assert_eq!(list(pair("b")), ["b"]);
    assert_eq!(list(pair("c")), [] as [&str; 0]);
    assert_eq!(list(Tagged { keys: vec!["team".into()], ..Tagged::default() }), ["b", "a"]);
    writer.remove(vec![RowKey::Topic(StreamNo(2)), RowKey::Queue(StreamNo(12))]);
    writer.add(vec![Row::Topic(Arc::new(topic(2, "c"))), Row::Queue(Arc::new(queue(12, "c")))]);
    let mut reader = writer.store.reader().unwrap();
    let filter = NameFilter { tags: pair("c"), ..NameFilter::default() };
    assert_eq!((reader.topics(&filter, ALL).unwrap().total, reader.queues(&filter, ALL).unwrap().total), (1, 1));
}

pub(crate) fn subscriptions_are_found_by_name_and_queue(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let endpoints = [(1, http()), (2, to_queue(9, "Kept")), (3, to_queue(8, "other"))];
    let rows = endpoints.into_iter().map(|(no, end)| Row::Subscription(Arc::new(subscription(1, no, end))));
    writer.add(rows.chain([Row::Subscription(Arc::new(subscription(2, 1, http())))]).collect());
    let mut reader = writer.store.reader().unwrap();
    let mut list = |contains: &str, queue: Option<&str>, span| {
        let filter = SubscriptionFilter { contains: contains.into(), queue: queue.map(Into::into) };
        let page = reader.subscriptions(StreamNo(1), &filter, span).unwrap();
        (page.total, page.items.iter().map(|subscription| subscription.key.no).collect::<Vec<_>>())
    };
    assert_eq!(list("", None, ALL), (3, vec![3, 2, 1]));
    assert_eq!(list("", None, Span { offset: 1, limit: 1 }), (3, vec![2]));
    assert_eq!(list("SUB-1", None, ALL), (1, vec![1]));
    assert_eq!(list("", Some("kept"), ALL), (1, vec![2]));
    let found = reader.subscription(StreamNo(1), "sub-2").unwrap().unwrap();
    assert_eq!(*found, subscription(1, 2, to_queue(9, "Kept")));
    assert_eq!(reader.subscription(StreamNo(2), "sub-2").unwrap(), None);
}

pub(crate) fn figures_say_what_is_there(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let messages = [queue_message(2, 1, 10), queue_message(2, 2, 20), queue_message(2, 3, 500), queue_message(2, 4, 0)];
    let mut rows: Vec<Row> = messages.into_iter().map(|message| Row::Message(Arc::new(message))).collect();
    rows.push(Row::Queue(Arc::new(queue(2, "q"))));
    rows.push(Row::Subscription(Arc::new(subscription(1, 1, http()))));
    writer.add(rows);
    writer.change(vec![Row::Message(Arc::new(received(queue_message(2, 4, 0), 400)))]);
    let messages = (3..=5).map(|seq| topic_message(1, seq)).collect();
    writer.commit(Batch { messages, ..writer.batch() });
    let mut reader = writer.store.reader().unwrap();
    let figures = reader.queue_figures(StreamNo(2), Timestamp(100)).unwrap();
    assert_eq!(figures, QueueFigures { active: 2, inactive: 1, delayed: 1, oldest: Some(Timestamp(10)) });
    assert_eq!(reader.next_visible(StreamNo(2), Timestamp(100)).unwrap(), Some(Timestamp(400)));
    let looked = |reader: &mut dyn Reader, queue, after, limit| {
        let found = reader.queue_messages(StreamNo(queue), after, limit).unwrap();
        found.iter().map(|message| message.key.seq).collect::<Vec<_>>()
    };
    assert_eq!(looked(&mut *reader, 2, 0, 3), [1, 2, 3]);
    assert_eq!(looked(&mut *reader, 2, 3, 3), [4]);
    assert!(looked(&mut *reader, 7, 0, 3).is_empty());
    assert_eq!(reader.next_visible(StreamNo(2), Timestamp(500)).unwrap(), None);
    let figures = reader.topic_figures(StreamNo(1)).unwrap();
    assert_eq!(figures, TopicFigures { messages: 3, oldest: Some(Timestamp(30)), subscriptions: 1 });
    assert_eq!(reader.topic_figures(StreamNo(7)).unwrap(), TopicFigures::default());
    assert_eq!(reader.queue_figures(StreamNo(7), Timestamp(0)).unwrap(), QueueFigures::default());
}

pub(crate) fn a_topic_is_read_from_a_place_on(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let messages: Vec<_> = (1..=4).map(|seq| topic_message(1, seq)).chain([topic_message(2, 1)]).collect();
    writer.commit(Batch { messages: messages.clone(), ..writer.batch() });
    let mut reader = writer.store.reader().unwrap();
    assert_eq!(reader.topic_messages(StreamNo(1), 0, 10).unwrap(), messages[..4]);
    assert_eq!(reader.topic_messages(StreamNo(1), 1, 2).unwrap(), messages[1..3]);
    assert!(reader.topic_messages(StreamNo(1), 4, 2).unwrap().is_empty());
}

pub(crate) fn a_topic_is_read_backwards_and_along_one_jobs_messages(database: &dyn Database) {
    let mut writer = Writer::new(database);
    // 1 and 3 are of one job, 2 and 4 of another; 5 is a client's. 6 points at what is no longer there.
    let linked = [(1, 1), (2, 1), (3, 1), (4, 2), (5, 0), (7, 6)];
    let messages: Vec<_> = linked
        .map(|(seq, previous)| {
            let previous = if seq < 3 { 0 } else { previous };
            Arc::new(TopicMessage { previous, ..(*topic_message(1, seq)).clone() })
        })
        .into();
    writer.commit(Batch { messages: messages.clone(), ..writer.batch() });
    let mut reader = writer.store.reader().unwrap();
    let mut back = |before, limit| {
        let found = reader.topic_messages_before(StreamNo(1), before, limit).unwrap();
        found.iter().map(|message| message.seq).collect::<Vec<_>>()
    };
    assert_eq!(back(u64::MAX, 3), [7, 5, 4]);
    assert_eq!(back(3, 9), [2, 1]);
    assert!(back(1, 9).is_empty());
    let mut reader = writer.store.reader().unwrap();
    assert_eq!(reader.topic_messages_from(StreamNo(1), 3, 9).unwrap(), [messages[2].clone(), messages[0].clone()]);
    assert_eq!(reader.topic_messages_from(StreamNo(1), 4, 1).unwrap(), messages[3..4]);
    assert_eq!(reader.topic_messages_from(StreamNo(1), 7, 9).unwrap(), messages[5..]);
    assert!(reader.topic_messages_from(StreamNo(1), 9, 9).unwrap().is_empty());
}

pub(crate) fn a_time_is_found_in_a_topic(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let mut reader = writer.store.reader().unwrap();
    assert_eq!(reader.topic_span(StreamNo(1), Timestamp(0)).unwrap(), TopicSpan::default());
    // Published at 40, 50 ... 1000; what was before has gone.
    let messages = (4..=100).map(|seq| topic_message(1, seq)).collect();
    writer.commit(Batch { messages, ..writer.batch() });
    let oldest = Some((4, Timestamp(40)));
    for (at, from) in [(0, Some(4)), (40, Some(4)), (41, Some(5)), (999, Some(100)), (1_000, Some(100)), (1_001, None)]
    {
        assert_eq!(reader.topic_span(StreamNo(1), Timestamp(at)).unwrap(), TopicSpan { oldest, from }, "{at}");
    }
}

pub(crate) fn deliveries_and_attempts_are_listed(database: &dyn Database) {
    let mut writer = Writer::new(database);
    let retrying = DeliveryStage::Retrying { next: Timestamp(5) };
    let stages = [(3, DeliveryStage::Dead), (4, retrying), (6, DeliveryStage::Delivered), (8, DeliveryStage::Dead)];
    let rows: Vec<_> = stages.iter().map(|(seq, stage)| Arc::new(delivery(1, 1, *seq, *stage))).collect();
    let other = Row::Delivery(Arc::new(delivery(1, 2, 1, retrying)));
    writer.add(rows.iter().cloned().map(Row::Delivery).chain([other]).collect());
    let attempts: Vec<_> = [(3, 1), (3, 2), (4, 1)].map(|(seq, number)| attempt(1, 1, seq, number)).into();
    writer.commit(Batch { attempts: attempts.clone(), ..writer.batch() });
    let mut reader = writer.store.reader().unwrap();
    let key = rows[0].key.subscription;
    let mut list = |set, after, limit| {
        let rows = reader.deliveries(key, set, after, limit).unwrap();
        rows.iter().map(|delivery| delivery.key.seq).collect::<Vec<_>>()
    };
    assert_eq!(list(DeliverySet::Open, 0, 10), [4, 6]);
    assert_eq!(list(DeliverySet::Dead, 0, 10), [3, 8]);
    assert_eq!(list(DeliverySet::All, 3, 2), [4, 6]);
    assert_eq!(reader.deliveries(key, DeliverySet::All, 0, 10).unwrap(), rows);
    let newest: Vec<_> = attempts.iter().rev().cloned().collect();
    assert_eq!(reader.attempts(key, None, 10).unwrap(), newest);
    let last = |seq| DeliveryKey { subscription: key, seq };
    assert_eq!(reader.last_attempt(last(3)).unwrap().as_ref(), Some(&attempts[1]));
    assert_eq!(reader.last_attempt(last(5)).unwrap(), None);
    assert_eq!(reader.delivery(last(4)).unwrap().as_ref(), Some(&rows[1]));
    assert_eq!(reader.delivery(last(5)).unwrap(), None);
    // Both were given up in one commit.
    let since = Timestamp(1_000);
    assert_eq!(reader.dead_deliveries(key, since, 0, 9).unwrap(), [rows[0].clone(), rows[3].clone()]);
    assert_eq!(reader.dead_deliveries(key, since, 3, 1).unwrap(), rows[3..]);
    assert!(reader.dead_deliveries(key, since.plus_ms(1), 0, 9).unwrap().is_empty());
    assert_eq!(reader.dead_figures(key, since, 9).unwrap(), DeadFigures { count: 2, first: 3, last: 8 });
    assert_eq!(reader.dead_figures(key, since, 1).unwrap(), DeadFigures { count: 1, first: 3, last: 3 });
    assert_eq!(reader.dead_figures(key, since.plus_ms(1), 9).unwrap(), DeadFigures::default());
    assert_eq!(reader.deliveries_before(key, DeliverySet::Dead, u64::MAX, 1).unwrap(), rows[3..]);
    assert_eq!(reader.deliveries_before(key, DeliverySet::All, 6, 9).unwrap(), [rows[1].clone(), rows[0].clone()]);
    assert_eq!(reader.attempts(key, Some((4, 1)), 1).unwrap(), newest[1..2]);
    assert_eq!(reader.attempts_of(key, 3, 10).unwrap(), attempts[..2]);
}
