//! What every engine must do. The suite is the same for all; an engine is a way to open one database again and again.

#![expect(clippy::unwrap_used, reason = "the helpers are part of the tests")]

mod commits;
mod loads;
mod pages;
mod rows;
mod samples;
mod sweeps;

use std::sync::Arc;

use kernel::state::{Row, RowKey};
use kernel::time::Timestamp;
use store::sqlite::SqliteStore;
use store::{Batch, CommitError, RowChange, Store};

/// A database that can be opened more than once.
trait Database {
    fn open(&self) -> Box<dyn Store>;
}

struct File(tempfile::TempDir);

impl File {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("the temporary folder can be written"))
    }
}

impl Database for File {
    fn open(&self) -> Box<dyn Store> {
        Box::new(SqliteStore::open(&self.0.path().join("herald.db")).expect("opens"))
    }
}

struct Memory(SqliteStore);

impl Memory {
    fn new() -> Self {
        Self(SqliteStore::open_in_memory().expect("opens"))
    }
}

impl Database for Memory {
    fn open(&self) -> Box<dyn Store> {
        Box::new(self.0.another().expect("opens"))
    }
}

/// A store, and what the next batch says of itself.
struct Writer {
    store: Box<dyn Store>,
    version: u64,
}

impl Writer {
    fn new(database: &dyn Database) -> Self {
        let mut store = database.open();
        let version = store.stamp().expect("reads").version;
        Self { store, version }
    }

    fn batch(&self) -> Batch {
        Batch { expected: self.version, now: Timestamp(1_000 + self.version as i64), ..Batch::default() }
    }

    fn try_commit(&mut self, batch: Batch) -> Result<(), CommitError> {
        self.store.commit(&batch)?;
        self.version += 1;
        Ok(())
    }

    fn commit(&mut self, batch: Batch) {
        self.try_commit(batch).expect("commits");
    }

    /// Commits rows that begin.
    fn add(&mut self, rows: Vec<Row>) {
        let rows = rows.into_iter().map(fresh).collect();
        self.commit(Batch { rows, ..self.batch() });
    }

    /// Commits rows that change.
    fn change(&mut self, rows: Vec<Row>) {
        let rows = rows.into_iter().map(|row| RowChange { fresh: false, ..fresh(row) }).collect();
        self.commit(Batch { rows, ..self.batch() });
    }

    fn remove(&mut self, keys: Vec<RowKey>) {
        let rows = keys.into_iter().map(|key| RowChange { key, row: None, fresh: false }).collect();
        self.commit(Batch { rows, ..self.batch() });
    }
}

fn fresh(row: Row) -> RowChange {
    let key = match &row {
        Row::Job(row) => RowKey::Job(row.id),
        Row::Task(row) => RowKey::Task(row.key),
        Row::Instance(row) => RowKey::Instance(row.key),
        Row::Template(row) => RowKey::Template(row.id),
        Row::Env(row) => RowKey::Env(row.id),
        Row::AccessKey(row) => RowKey::AccessKey(row.secret_id.clone()),
        Row::JoinToken(row) => RowKey::JoinToken(row.digest.clone()),
        Row::Machine(row) => RowKey::Machine(row.id),
        Row::Node(row) => RowKey::Node(row.id),
        Row::Activity(row) => RowKey::Activity(row.key),
        Row::Topic(row) => RowKey::Topic(row.no),
        Row::Queue(row) => RowKey::Queue(row.no),
        Row::Subscription(row) => RowKey::Subscription(row.key),
        Row::Message(row) => RowKey::Message(row.key),
        Row::Kept(row) => RowKey::Kept(row.key),
        Row::Delivery(row) => RowKey::Delivery(row.key),
        Row::Token(row) => RowKey::Token(row.key.clone()),
    };
    RowChange { key, row: Some(row), fresh: true }
}

/// What the rows of one kind are.
fn only<T>(rows: Vec<Row>, pick: impl Fn(Row) -> Option<Arc<T>>) -> Vec<Arc<T>> {
    rows.into_iter().filter_map(pick).collect()
}

macro_rules! contract {
    ($($module:ident: $($test:ident)*;)*) => {
        contract! { @engine file File $($module: $($test)*;)* }
        contract! { @engine memory Memory $($module: $($test)*;)* }
    };
    (@engine $engine:ident $database:ident $($module:ident: $($test:ident)*;)*) => {
        mod $engine {$(
            mod $module {$(
                #[test]
                fn $test() {
                    crate::$module::$test(&crate::$database::new());
                }
            )*}
        )*}
    };
}

contract! {
    commits:
        a_new_database_is_at_version_zero
        a_commit_raises_the_version_and_is_seen_by_others
        a_batch_decided_on_another_version_changes_nothing
        a_taken_id_refuses_the_whole_batch
        a_row_that_must_be_there_and_is_not_refuses_the_batch
        rows_that_break_an_invariant_are_refused
        a_name_that_becomes_free_can_be_taken_in_the_same_batch
        an_id_of_a_deleted_job_is_free_once_its_rows_are_gone
        an_attempt_recorded_twice_stays_as_it_was
        output_is_kept_of_the_latest_attempt;
    loads:
        every_row_reads_back_as_it_was
        changed_rows_read_back_as_they_are_now
        what_has_finished_is_not_loaded_and_can_be_fetched
        failed_instances_are_found_from_an_index_on
        rows_come_in_the_order_the_kernel_takes_them
        the_head_of_a_queue_comes_in_order_and_from_a_place_on
        messages_are_found_by_their_places
        messages_over_their_retention_are_named
        the_oldest_messages_and_the_kept_ones_come_in_order;
    pages:
        jobs_are_listed_newest_first_and_filtered
        instances_with_and_without_rows_make_one_list
        task_templates_are_listed_newest_first_and_filtered
        instances_that_are_to_run_again_are_listed_as_they_will_stand
        environments_are_listed_with_their_nodes
        activities_of_an_environment_are_listed_newest_first
        topics_and_queues_are_found_by_name
        topics_and_queues_are_found_by_tag
        subscriptions_are_found_by_name_and_queue
        figures_say_what_is_there
        a_topic_is_read_from_a_place_on
        a_topic_is_read_backwards_and_along_one_jobs_messages
        a_time_is_found_in_a_topic
        deliveries_and_attempts_are_listed;
    samples:
        samples_are_found_by_their_time
        samples_of_early_attempts_are_dropped
        samples_go_with_their_time_and_their_job;
    sweeps:
        what_a_deleted_job_leaves_goes_in_chunks
        what_deleted_topics_queues_and_subscriptions_leave_goes
        jobs_that_ended_long_ago_go_with_all_they_have
        messages_over_their_time_go_and_leave_deliveries
        old_attempts_go
        old_activities_go_and_those_of_a_deleted_environment
        a_sweep_without_work_does_nothing;
}
