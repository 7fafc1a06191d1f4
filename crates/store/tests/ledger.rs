//! The ledger when its store fails, each way of failing on its own. Chance has its turn in the simulation.

#![expect(clippy::unwrap_used, reason = "the helpers are part of the tests")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use kernel::access::{AccessCommand, Grant};
use kernel::command::{Command, QueueEdit, Refusal, Reply};
use kernel::decide::Settings;
use kernel::id::JobId;
use kernel::instance::InstanceKey;
use kernel::queue::{DeadLetterRule, MessageKey, QueueSettings};
use kernel::state::Row;
use kernel::task::TaskKey;
use kernel::time::Timestamp;
use kernel::topic::{FilterType, StreamNo};
use rand::SeedableRng;
use rand::rngs::StdRng;
use store::ledger::{Fatal, Ledger, LedgerError, Outcome};
use store::sqlite::SqliteStore;
use store::{
    Batch, CommitError, Cutoffs, JobRows, KeptAfter, Loaded, Reader, Stamp, Store, StoreError, Swept, VisibleAfter,
};

/// What becomes of the next commits; when none is left they just work.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// Another server commits first.
    Overtaken,
    /// Says that the outcome is unknown, having written.
    UnknownWritten,
    /// Says that the outcome is unknown, having written nothing.
    UnknownLost,
    /// Another server commits first, and the outcome is said to be unknown, nothing having been written.
    UnknownBehind,
    /// As `UnknownWritten`, and another server commits before the version is read.
    UnknownOvertaken,
    Unavailable,
    SyncFailed,
}

#[derive(Clone, Default)]
struct Script(Arc<Mutex<VecDeque<Fault>>>);

struct Scripted {
    inner: SqliteStore,
    script: Script,
    /// A topic whose creation the database refuses.
    cursed: &'static str,
}

impl Scripted {
    fn overtake(&mut self) {
        let mut other = self.inner.another().unwrap();
        let expected = other.stamp().unwrap().version;
        let next_stream = other.load().unwrap().next_stream;
        other.commit(&Batch { expected, next_stream, ..Batch::default() }).unwrap();
    }
}

fn broken() -> StoreError {
    StoreError::new("commit", "by order of the test")
}

impl Store for Scripted {
    fn load(&mut self) -> Result<Loaded, StoreError> {
        self.inner.load()
    }
    fn commit(&mut self, batch: &Batch) -> Result<(), CommitError> {
        let fault = self.script.0.lock().unwrap().pop_front().unwrap_or(Fault::None);
        let is_cursed = |row: &Option<Row>| matches!(row, Some(Row::Topic(topic)) if topic.name == self.cursed);
        if batch.rows.iter().any(|change| is_cursed(&change.row)) {
            return Err(CommitError::Refused { source: broken() });
        }
        match fault {
            Fault::None => self.inner.commit(batch),
            Fault::Overtaken => {
                self.overtake();
                self.inner.commit(batch)
            }
            Fault::UnknownBehind => {
                self.overtake();
                Err(CommitError::Unknown { source: broken() })
            }
            Fault::UnknownLost => Err(CommitError::Unknown { source: broken() }),
            Fault::UnknownWritten | Fault::UnknownOvertaken => {
                self.inner.commit(batch)?;
                if fault == Fault::UnknownOvertaken {
                    self.overtake();
                }
                Err(CommitError::Unknown { source: broken() })
            }
            Fault::Unavailable => Err(CommitError::Unavailable { source: broken() }),
            Fault::SyncFailed => Err(CommitError::SyncFailed { source: broken() }),
        }
    }
    fn stamp(&mut self) -> Result<Stamp, StoreError> {
        self.inner.stamp()
    }
    fn job(&mut self, id: JobId) -> Result<Option<JobRows>, StoreError> {
        self.inner.job(id)
    }
    fn failed_instances(&mut self, task: TaskKey, from: u32, limit: usize) -> Result<Vec<Row>, StoreError> {
        self.inner.failed_instances(task, from, limit)
    }
    fn instance(&mut self, key: InstanceKey) -> Result<Option<Row>, StoreError> {
        self.inner.instance(key)
    }
    fn visible_messages(&mut self, after: VisibleAfter, limit: usize) -> Result<Vec<Row>, StoreError> {
        self.inner.visible_messages(after, limit)
    }
    fn messages(&mut self, queue: StreamNo, seqs: &[u64]) -> Result<Vec<Row>, StoreError> {
        self.inner.messages(queue, seqs)
    }
    fn oldest_messages(&mut self, heap: StreamNo, kept: Timestamp, limit: usize) -> Result<Vec<Row>, StoreError> {
        self.inner.oldest_messages(heap, kept, limit)
    }
    fn kept_messages(&mut self, after: KeptAfter, limit: usize) -> Result<Vec<Row>, StoreError> {
        self.inner.kept_messages(after, limit)
    }
    fn expired_messages(&mut self, queue: StreamNo, kept: Timestamp, limit: usize) -> Result<Vec<u64>, StoreError> {
        self.inner.expired_messages(queue, kept, limit)
    }
    fn sweep(&mut self, cutoffs: &Cutoffs, limit: usize) -> Result<Swept, CommitError> {
        self.inner.sweep(cutoffs, limit)
    }
    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        self.inner.reader()
    }
}

fn ledger(store: impl Store + 'static) -> Ledger {
    Ledger::open(Box::new(store), Settings::default(), Box::new(|_| String::new())).unwrap()
}

struct World {
    ledger: Ledger,
    anchor: SqliteStore,
    script: Script,
    rng: StdRng,
}

impl World {
    fn new() -> Self {
        let (anchor, script) = (SqliteStore::open_in_memory().unwrap(), Script::default());
        let store = Scripted { inner: anchor.another().unwrap(), script: script.clone(), cursed: "cursed" };
        let ledger = ledger(store);
        Self { ledger, anchor, script, rng: StdRng::seed_from_u64(1) }
    }

    fn try_commit(&mut self, faults: &[Fault], commands: Vec<Command>) -> Result<Outcome, Fatal> {
        self.script.0.lock().unwrap().extend(faults);
        let outcome = self.ledger.commit(&commands, Timestamp(1_000), &mut self.rng);
        assert!(self.script.0.lock().unwrap().is_empty(), "every fault was met");
        outcome
    }

    fn commit(&mut self, faults: &[Fault], commands: Vec<Command>) -> Outcome {
        self.try_commit(faults, commands).unwrap()
    }

    /// Names of the topics that are stored; they must be those of the state.
    fn topics(&mut self) -> Vec<String> {
        let loaded = self.anchor.load().unwrap();
        let stored = loaded.rows.into_iter().filter_map(|row| match row {
            Row::Topic(topic) => Some(topic.name.clone()),
            _ => None,
        });
        let stored: Vec<String> = stored.collect();
        let known: Vec<String> = self.ledger.state().topics().map(|topic| topic.name.clone()).collect();
        assert_eq!(stored, known);
        assert_eq!(loaded.version, self.ledger.version());
        stored
    }
}

fn topic(name: &str) -> Command {
    Command::CreateTopic {
        name: name.into(),
        filter: FilterType::Tags,
        max_msg_bytes: 1_024,
        retention_s: 60,
        trace: false,
        tags: Vec::new(),
    }
}

fn queue(name: &str) -> Command {
    let settings = QueueSettings {
        max_messages: 1_000,
        polling_wait_s: 0,
        visibility_s: 30,
        max_msg_bytes: 1_024,
        retention_s: 60,
        rewind_s: 60,
        kept_max_bytes: 0,
        trace: false,
    };
    Command::CreateQueue { name: name.into(), settings, dead_letter: None, tags: Vec::new() }
}

fn send(queue: &str, texts: &[&str]) -> Command {
    Command::Send { queue: queue.into(), bodies: texts.iter().map(|text| Arc::from(*text)).collect(), delay_s: 0 }
}

fn receive(queue: &str, max: usize) -> Command {
    Command::Receive { queue: queue.into(), max }
}

fn texts(reply: &Result<Reply, LedgerError>) -> Vec<String> {
    match reply {
        Ok(Reply::Received(messages)) => messages.iter().map(|message| message.body.to_string()).collect(),
        other => panic!("{other:?} is no receipt"),
    }
}

#[test]
fn a_batch_is_one_commit_and_each_command_sees_those_before_it() {
    let mut world = World::new();
    let outcome = world.commit(&[Fault::None], vec![topic("a"), topic("A"), topic("b")]);
    assert!(matches!(outcome.replies[0], Ok(Reply::Topic(_))));
    assert!(matches!(&outcome.replies[1], Err(LedgerError::Refused(Refusal::TopicExists(name))) if name == "a"));
    assert!(matches!(outcome.replies[2], Ok(Reply::Topic(_))));
    assert_eq!(outcome.changes.len(), 2);
    assert_eq!((world.topics(), world.ledger.version()), (vec!["a".into(), "b".into()], 1));
}

#[test]
fn what_changes_nothing_is_not_committed() {
    let mut world = World::new();
    world.commit(&[], vec![queue("q")]);
    let outcome = world.commit(&[], vec![receive("q", 16), Command::Tick, Command::Sweep]);
    assert_eq!(texts(&outcome.replies[0]), [] as [&str; 0]);
    assert_eq!(world.ledger.version(), 1);
    assert_eq!(outcome.wake, Timestamp::NEVER);
}

#[test]
fn another_servers_commit_leads_to_a_new_decision() {
    let mut world = World::new();
    let outcome = world.commit(&[Fault::Overtaken, Fault::Overtaken, Fault::None], vec![topic("a")]);
    assert!(outcome.reloaded && matches!(outcome.replies[..], [Ok(Reply::Topic(_))]));
    assert_eq!((world.topics(), world.ledger.version()), (vec!["a".into()], 3));
}

#[test]
fn a_commit_of_unknown_outcome_that_was_written_counts_once() {
    let mut world = World::new();
    let outcome = world.commit(&[Fault::UnknownWritten], vec![topic("a")]);
    assert!(matches!(outcome.replies[..], [Ok(Reply::Topic(_))]));
    assert_eq!(outcome.changes.len(), 1);
    assert_eq!((world.topics(), world.ledger.version()), (vec!["a".into()], 1));
}

#[test]
fn a_commit_of_unknown_outcome_that_was_lost_is_made_again() {
    let mut world = World::new();
    let outcome = world.commit(&[Fault::UnknownLost, Fault::UnknownLost], vec![topic("a")]);
    assert!(matches!(outcome.replies[..], [Ok(Reply::Topic(_))]));
    assert_eq!((world.topics(), world.ledger.version()), (vec!["a".into()], 1));
}

#[test]
fn another_servers_commit_is_not_taken_for_ones_own() {
    let mut world = World::new();
    let outcome = world.commit(&[Fault::UnknownBehind, Fault::None], vec![topic("a")]);
    assert!(outcome.reloaded && matches!(outcome.replies[..], [Ok(Reply::Topic(_))]));
    assert_eq!((world.topics(), world.ledger.version()), (vec!["a".into()], 2));
}

#[test]
fn an_answer_without_a_commit_knows_of_all_that_others_have_committed() {
    let mut world = World::new();
    let mut other = ledger(world.anchor.another().unwrap());
    other.commit(&[topic("a"), queue("q"), send("q", &["text"])], Timestamp(1_000), &mut world.rng).unwrap();
    // What is refused on what was known before is decided on what is so now.
    let gone = Command::DeleteTopic { name: "a".into(), with_subscriptions: false };
    let outcome = world.commit(&[], vec![gone]);
    assert!(outcome.reloaded && matches!(outcome.replies[..], [Ok(Reply::Done)]), "{outcome:?}");
    let outcome = other.commit(&[receive("q", 1), topic("b")], Timestamp(1_000), &mut world.rng).unwrap();
    assert_eq!(texts(&outcome.replies[0]), ["text"]);
    assert_eq!(texts(&world.commit(&[], vec![receive("q", 1)]).replies[0]), [""; 0]);
    assert_eq!(world.topics(), ["b"]);
}

#[test]
fn a_name_can_be_given_up_and_taken_again_within_a_batch() {
    let key = |sealed: &str| {
        let (secret_id, sealed) = ("key".to_owned(), sealed.to_owned());
        let (note, grant) = (String::new(), Grant::default());
        Command::from(AccessCommand::CreateKey { secret_id, sealed, note, grant })
    };
    let gone = || Command::from(AccessCommand::DeleteKey("key".into()));
    let stored = |world: &mut World| {
        let rows = world.anchor.load().unwrap().rows.into_iter().filter_map(|row| match row {
            Row::AccessKey(key) => Some(key.sealed.clone()),
            _ => None,
        });
        rows.collect::<Vec<_>>()
    };
    let mut world = World::new();
    world.commit(&[], vec![key("first")]);
    let outcome = world.commit(&[], vec![gone(), key("second")]);
    assert!(outcome.replies.iter().all(Result::is_ok), "{outcome:?}");
    assert_eq!(stored(&mut world), ["second"]);
    world.commit(&[], vec![gone(), key("third"), gone()]);
    assert_eq!(stored(&mut world), [""; 0], "what was there before the batch is gone too");
    world.commit(&[], vec![key("fourth"), gone(), key("fifth")]);
    assert_eq!(stored(&mut world), ["fifth"]);
}

#[test]
fn a_commit_nobody_can_tell_of_is_not_said_to_have_failed_or_not() {
    let mut world = World::new();
    let outcome = world.commit(&[Fault::UnknownOvertaken], vec![topic("a")]);
    assert!(outcome.reloaded && matches!(outcome.replies[..], [Err(LedgerError::Unknown)]));
    assert!(outcome.changes.is_empty());
    assert_eq!(world.topics(), ["a"], "the state is what is stored");
}

#[test]
fn the_guilty_command_fails_alone() {
    let mut world = World::new();
    let outcome = world.commit(&[], vec![topic("a"), topic("cursed"), topic("b"), topic("B")]);
    assert!(matches!(outcome.replies[0], Ok(Reply::Topic(_))));
    assert!(matches!(outcome.replies[1], Err(LedgerError::Internal(_))));
    assert!(matches!(outcome.replies[2], Ok(Reply::Topic(_))));
    assert!(matches!(outcome.replies[3], Err(LedgerError::Refused(Refusal::TopicExists(_)))));
    assert_eq!(outcome.changes.len(), 2);
    assert_eq!((world.topics(), world.ledger.version()), (vec!["a".into(), "b".into()], 2));
}

#[test]
fn a_database_that_cannot_be_written_fails_all_and_keeps_the_state() {
    let mut world = World::new();
    let outcome = world.commit(&[Fault::Unavailable], vec![topic("a"), topic("a")]);
    // The second was refused because of the first, which was not carried out: that is no answer.
    assert!(matches!(outcome.replies[..], [Err(LedgerError::Unavailable(_)), Err(LedgerError::Unavailable(_))]));
    assert!(outcome.changes.is_empty() && outcome.trouble.is_some());
    assert!(world.topics().is_empty());
}

#[test]
fn a_disk_that_does_not_confirm_ends_it() {
    let mut world = World::new();
    assert!(matches!(world.try_commit(&[Fault::SyncFailed], vec![topic("a")]), Err(Fatal::SyncFailed(_))));
}

#[test]
fn a_queue_is_received_in_order_within_and_across_batches() {
    let mut world = World::new();
    world.commit(&[], vec![queue("q"), send("q", &["1", "2", "3"])]);
    let outcome = world.commit(&[], vec![receive("q", 1), send("q", &["4", "5"]), receive("q", 3), receive("q", 9)]);
    assert_eq!(texts(&outcome.replies[0]), ["1"]);
    assert_eq!(texts(&outcome.replies[2]), ["2", "3", "4"]);
    assert_eq!(texts(&outcome.replies[3]), ["5"]);
    let loaded: Vec<_> = (1..=5).filter(|seq| world.ledger.state().message(key(*seq)).is_some()).collect();
    assert!(loaded.is_empty(), "no message stays in the state: {loaded:?}");
    let outcome = world.commit(&[], vec![receive("q", 9)]);
    assert_eq!(texts(&outcome.replies[0]), [] as [&str; 0]);
}

fn key(seq: u64) -> MessageKey {
    MessageKey { heap: StreamNo(1), seq }
}

#[test]
fn a_deleted_message_does_not_come_back_within_its_batch() {
    let mut world = World::new();
    world.commit(&[], vec![queue("q"), send("q", &["1", "2"])]);
    let received = world.commit(&[], vec![receive("q", 1)]);
    let handles = match &received.replies[0] {
        Ok(Reply::Received(messages)) => messages.iter().map(|message| message.handle()).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let delete = || Command::DeleteMessages { queue: "q".into(), handles: handles.clone() };
    let outcome = world.commit(&[], vec![delete(), receive("q", 9), delete()]);
    assert!(matches!(&outcome.replies[0], Ok(Reply::Deleted(done)) if *done == [true]));
    assert_eq!(texts(&outcome.replies[1]), ["2"]);
    assert!(matches!(&outcome.replies[2], Ok(Reply::Deleted(done)) if *done == [false]));
    assert_eq!(world.anchor.messages(StreamNo(1), &[1, 2]).unwrap().len(), 1);
}

#[test]
fn messages_over_their_retention_are_removed_by_commands() {
    let mut world = World::new();
    world.commit(&[], vec![queue("q"), send("q", &["1", "2", "3"])]);
    assert!(world.ledger.due_in_queues(Timestamp(2_000), 10).unwrap().is_empty());
    let late = Timestamp(1_000 + 61_000);
    let mut removed = 0;
    loop {
        let commands = world.ledger.due_in_queues(late, 2).unwrap();
        if commands.is_empty() {
            break;
        }
        removed += world.ledger.commit(&commands, late, &mut world.rng).unwrap().changes.len();
    }
    assert_eq!(removed, 3);
    assert_eq!(world.ledger.state().queue_named("q").unwrap().stored, 0);
}

#[test]
fn a_queue_that_is_not_done_with_what_is_due_does_not_hold_back_the_others() {
    let mut world = World::new();
    world.commit(&[], vec![queue("p"), queue("q"), send("p", &["1", "2", "3"]), send("q", &["1"])]);
    let late = Timestamp(1_000 + 61_000);
    let mut named = || {
        let commands = world.ledger.due_in_queues(late, 2).unwrap();
        let queue = |command: &Command| match command {
            Command::ExpireMessages { queue, seqs } => (*queue, seqs.len()),
            other => panic!("{other:?}"),
        };
        commands.iter().map(queue).collect::<Vec<_>>()
    };
    let (first, second, third) = (named(), named(), named());
    assert_eq!((first[0].1, second[0].1), (2, 1), "{first:?}, {second:?}");
    assert!(first[0].0 != second[0].0, "{first:?}, {second:?}");
    assert_eq!(third, first, "nothing was done, so it is due again");
}

fn deleted(world: &mut World, texts: usize) {
    let outcome = world.commit(&[], vec![receive("q", texts)]);
    let Ok(Reply::Received(messages)) = &outcome.replies[0] else { panic!("{outcome:?}") };
    assert_eq!(messages.len(), texts);
    let handles = messages.iter().map(|message| message.handle()).collect();
    world.commit(&[], vec![Command::DeleteMessages { queue: "q".into(), handles }]);
}

fn rewind(to: i64) -> Command {
    Command::RewindQueue { name: "q".into(), to: Timestamp(to) }
}

#[test]
fn a_queue_is_set_back_whatever_else_is_in_the_batch() {
    let mut world = World::new();
    world.commit(&[], vec![queue("q"), send("q", &["1", "2", "3"])]);
    deleted(&mut world, 2);
    let kept = |world: &World| world.ledger.state().queue_named("q").unwrap().kept.unwrap().count;
    assert_eq!((kept(&world), world.anchor.messages(StreamNo(2), &[1, 2, 3]).unwrap().len()), (2, 0));
    let received = world.commit(&[], vec![receive("q", 1)]);
    let Ok(Reply::Received(last)) = &received.replies[0] else { panic!("{received:?}") };
    let last = last[0].handle();
    // The message that waits is deleted, comes back with the others, and is set back to twice.
    let delete = Command::DeleteMessages { queue: "q".into(), handles: vec![last] };
    let outcome = world.commit(&[], vec![delete, rewind(1_000), rewind(1_000), receive("q", 2), send("q", &["4"])]);
    assert_eq!(texts(&outcome.replies[3]), ["1", "2"]);
    assert_eq!(kept(&world), 0);
    let found = world.commit(&[], vec![receive("q", 9)]);
    assert_eq!(texts(&found.replies[0]), ["3", "4"]);
}

#[test]
fn clearing_leaves_nothing_to_receive_and_rows_that_go_later() {
    let mut world = World::new();
    world.commit(&[], vec![queue("q"), send("q", &["1", "2", "3"])]);
    deleted(&mut world, 1);
    let clear = Command::ClearQueue { name: "q".into() };
    let outcome = world.commit(&[], vec![receive("q", 1), clear, send("q", &["4"]), rewind(1_000), receive("q", 9)]);
    assert_eq!(texts(&outcome.replies[4]), ["4"]);
    assert_eq!(world.anchor.messages(StreamNo(1), &[2, 3]).unwrap().len(), 1);
    let swept = world.ledger.sweep(Timestamp(1_000), Timestamp(i64::MIN), 100).unwrap();
    // A message, one that was kept, and two notes.
    assert_eq!((swept.rows, world.anchor.messages(StreamNo(1), &[2, 3]).unwrap().len()), (4, 0));
    let again = world.anchor.another().unwrap();
    let ledger = Ledger::open(Box::new(again), Settings::default(), Box::new(|_| String::new())).unwrap();
    let row = ledger.state().queue_named("q").unwrap();
    assert_eq!((row.stored, row.kept.map(|kept| kept.count)), (1, Some(0)));
}

#[test]
fn dead_letters_are_passed_over_to_those_that_can_be_received() {
    let mut world = World::new();
    world.commit(&[], vec![queue("dead"), queue("q"), send("q", &["1", "2", "3"])]);
    let rule = DeadLetterRule::Receives { most: 1 };
    let edit =
        QueueEdit { dead_letter_queue: Some("dead".into()), dead_letter_rule: Some(rule), ..QueueEdit::default() };
    world.commit(&[], vec![Command::ModifyQueue { name: "q".into(), edit: Box::new(edit) }, receive("q", 3)]);
    let later = Timestamp(31_000);
    world.ledger.commit(&[send("q", &["4"])], later, &mut world.rng).unwrap();
    let outcome = world.ledger.commit(&[receive("q", 1)], later, &mut world.rng).unwrap();
    assert_eq!(texts(&outcome.replies[0]), ["4"]);
    assert!(world.ledger.due_in_queues(later, 10).unwrap().is_empty(), "all have moved");
    let outcome = world.ledger.commit(&[receive("dead", 9)], later, &mut world.rng).unwrap();
    assert_eq!(texts(&outcome.replies[0]), ["1", "2", "3"]);
}

#[test]
fn what_is_due_in_queues_is_found_and_done() {
    let mut world = World::new();
    world.commit(&[], vec![queue("dead"), queue("q"), send("q", &["1", "2"])]);
    deleted(&mut world, 1);
    let rule = DeadLetterRule::Receives { most: 1 };
    let edit =
        QueueEdit { dead_letter_queue: Some("dead".into()), dead_letter_rule: Some(rule), ..QueueEdit::default() };
    world.commit(&[], vec![Command::ModifyQueue { name: "q".into(), edit: Box::new(edit) }, receive("q", 1)]);
    let mut due = |at: i64| {
        let commands = world.ledger.due_in_queues(Timestamp(at), 10).unwrap();
        world.ledger.commit(&commands, Timestamp(at), &mut world.rng).unwrap().changes.len()
    };
    assert_eq!((due(30_999), due(31_000), due(31_000)), (0, 2, 0), "it moves when nobody holds it any more");
    assert_eq!((due(60_999), due(61_000), due(61_000)), (0, 1, 0), "what was deleted is kept for a minute");
    assert_eq!((due(90_999), due(91_000)), (0, 1), "a dead letter has a retention of its own");
}

#[test]
fn numbers_of_deleted_streams_are_not_given_again() {
    let mut world = World::new();
    world.commit(&[], vec![topic("a"), queue("q")]);
    let delete = Command::DeleteQueue { name: "q".into() };
    world.commit(&[], vec![delete]);
    let again = world.anchor.another().unwrap();
    let mut ledger = Ledger::open(Box::new(again), Settings::default(), Box::new(|_| String::new())).unwrap();
    ledger.commit(&[queue("q")], Timestamp(2_000), &mut world.rng).unwrap();
    assert_eq!(
        ledger.state().queue_named("q").unwrap().no,
        StreamNo(4),
        "the first was 2, and kept what was deleted as 3"
    );
}
