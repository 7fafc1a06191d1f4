//! The audit: what is stored, against itself and against what was promised.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kernel::event::Subject;
use kernel::id::JobId;
use kernel::node::Node;
use kernel::phase::{Counts, Phase};
use kernel::state::{Row, State};
use kernel::time::Timestamp;
use kernel::topic::{StreamNo, TopicMessage};
use store::ledger::Untold;
use store::{InstanceListed, JobFilter, Reader, Span, Store, VisibleAfter};

use crate::promises::{Promises, There, ensure};

const PAGE: usize = 500;

/// An event's text in the simulation: owner, sequence, name, id, and which task or instance.
pub(crate) fn text(untold: Untold<'_>) -> String {
    // No caller has a name here, so nothing is audited.
    let Untold::Event(event) = untold else { return String::new() };
    let which = match &event.subject {
        Subject::Task(_, task) => task.key.task.to_string(),
        Subject::Instance(_, row) => format!("{}/{}", row.key.task, row.key.index),
        _ => String::new(),
    };
    format!("{} {} {} {} {which}", event.subject.owner(), event.sequence, event.name, event.id)
}

/// A state's rows as text, for comparison. What is not stored is left out.
pub(crate) fn image(state: &State) -> Vec<String> {
    let mut rows: Vec<String> = state.topics().map(|row| format!("{row:?}")).collect();
    rows.extend(state.queues().map(|row| format!("{row:?}")));
    rows.extend(state.subscriptions().map(|row| format!("{row:?}")));
    rows.extend(state.envs().map(|row| format!("{row:?}")));
    rows.extend(state.nodes().map(|row| format!("{:?}", Node { run_ms: None, ..(**row).clone() })));
    rows.extend(state.machines().map(|row| format!("{row:?}")));
    rows.extend(state.templates().map(|row| format!("{row:?}")));
    rows.extend(state.access_keys().map(|row| format!("{row:?}")));
    rows.extend(state.join_tokens().map(|row| format!("{row:?}")));
    for job in state.jobs() {
        rows.push(format!("{job:?}"));
        for task in state.tasks_of(job.id) {
            rows.push(format!("{task:?}"));
            rows.extend(state.instances_of(task.key).map(|row| format!("{row:?}")));
        }
    }
    rows
}

/// A topic's log.
pub(crate) fn log(reader: &mut dyn Reader, topic: StreamNo) -> Result<Vec<Arc<TopicMessage>>, String> {
    let mut log: Vec<Arc<TopicMessage>> = Vec::new();
    loop {
        let after = log.last().map_or(0, |message| message.seq);
        let page = reader.topic_messages(topic, after, PAGE).map_err(|error| error.to_string())?;
        if page.is_empty() {
            return Ok(log);
        }
        log.extend(page);
    }
}

/// Every message of a log follows the one before it, and every event that of its owner before it; none is double.
pub(crate) fn log_is_gapless(log: &[Arc<TopicMessage>]) -> Result<(), String> {
    let mut sequences: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for (place, message) in (1..).zip(log) {
        ensure(message.seq == place, || format!("message {place} has number {}", message.seq))?;
        let words: Vec<&str> = message.body.split(' ').collect();
        let [owner, sequence, _, id, ..] = words[..] else { continue };
        let (last, before) = sequences.entry(owner).or_default();
        ensure(message.previous == *before, || format!("`{}` should point at {before}", message.body))?;
        (*last, *before) = (*last + 1, place);
        ensure(sequence == last.to_string(), || format!("`{}` should be event {last}", message.body))?;
        ensure(ids.insert(id), || format!("`{}` has the id of another", message.body))?;
    }
    Ok(())
}

/// What is left in a queue.
pub(crate) fn texts_in(store: &mut dyn Store, queue: StreamNo) -> Result<Vec<String>, String> {
    let (mut after, mut texts) = (None, Vec::new());
    loop {
        let from = VisibleAfter { heap: queue, now: Timestamp::NEVER, kept: Timestamp(i64::MIN), after };
        let page = store.visible_messages(from, PAGE).map_err(|error| error.to_string())?;
        if page.is_empty() {
            return Ok(texts);
        }
        for row in page {
            if let Row::Message(message) = row {
                after = Some((message.visible, message.key.seq));
                texts.push(message.body.to_string());
            }
        }
    }
}

/// Every job that was promised is there and has ended, each of its parts once, and once more for each retry; nothing is there that nobody asked
/// for; and what rows count is what there is.
pub(crate) fn jobs(
    reader: &mut dyn Reader,
    promises: &Promises,
    events: &[Arc<TopicMessage>],
) -> Result<usize, String> {
    let all = Span { offset: 0, limit: 1_000_000 };
    let stored = reader.jobs(&JobFilter::default(), all).map_err(|error| error.to_string())?.items;
    let ids: BTreeSet<JobId> = stored.iter().map(|job| job.id).collect();
    for (id, there) in &promises.jobs {
        let right = match there {
            There::Yes => ids.contains(id),
            There::No => !ids.contains(id),
            There::Maybe => true,
        };
        ensure(right, || format!("{id} should be there: {there:?}"))?;
    }
    let unasked = ids.iter().filter(|id| !promises.jobs.contains_key(id)).count();
    ensure(unasked <= promises.maybe_jobs, || format!("{unasked} jobs are there that nobody submitted"))?;
    let ends = ends(events);
    for job in &stored {
        ensure(job.phase.is_finished(), || format!("{} is {}", job.id, job.phase))?;
        let found = reader.job(job.id).map_err(|error| error.to_string())?.ok_or("a listed job is not found")?;
        let mut parts = vec![String::from("JOB ")];
        for task in &found.tasks {
            let number = task.key.task;
            parts.push(format!("TASK {number}"));
            let page = reader.instances(task.key, &[], all).map_err(|error| error.to_string())?;
            let mut counts = Counts::default();
            for item in page.ok_or("a task has no instances")?.items {
                let InstanceListed::Row(row) = item else { return Err(format!("{:?} has bulk", task.key)) };
                counts.add(&Counts::all_in(row.phase(), 1));
                parts.push(format!("INSTANCE {number}/{}", row.key.index));
            }
            ensure(counts == task.instances, || format!("{:?} counts {:?}: {counts:?}", task.key, task.instances))?;
            ensure(counts.of(Phase::Succeed) + counts.of(Phase::Failed) == counts.total(), || {
                format!("{:?} has unfinished instances: {counts:?}", task.key)
            })?;
        }
        let of = |part: &str| ends.get(&(job.id.to_string(), part.to_owned())).map_or(&[][..], Vec::as_slice);
        let retries = of("RETRY ").len();
        for part in parts {
            let (count, whole) = (of(&part).len(), part.starts_with("JOB"));
            let right = if whole { count == 1 + retries } else { (1..=1 + retries).contains(&count) };
            ensure(right, || format!("{} {part} has ended {count} times, and was retried {retries} times", job.id))?;
            let again = of(&part).iter().rev().skip(1).any(|succeeded| *succeeded);
            ensure(!again, || format!("{} {part} ended again after it had succeeded", job.id))?;
        }
    }
    Ok(stored.len())
}

/// For each end of a job, task and instance, as its events tell, whether it was a success; and a job's retries.
fn ends(events: &[Arc<TopicMessage>]) -> BTreeMap<(String, String), Vec<bool>> {
    let mut ends: BTreeMap<(String, String), Vec<bool>> = BTreeMap::new();
    for message in events {
        let words: Vec<&str> = message.body.split(' ').collect();
        let [owner, _, name, _, which] = words[..] else { continue };
        let kind = match name {
            "JOB_RETRIED" => "RETRY",
            "JOB_SUCCEED" | "JOB_FAILED" => "JOB",
            "TASK_SUCCEED" | "TASK_FAILED" => "TASK",
            "TASK_INSTANCE_SUCCEED" | "TASK_INSTANCE_FAILED" => "INSTANCE",
            _ => continue,
        };
        let succeeded = name.ends_with("SUCCEED");
        ends.entry((owner.to_owned(), format!("{kind} {which}"))).or_default().push(succeeded);
    }
    ends
}

/// Texts that were acknowledged are in the queue unless they were deleted; those that were refused are not; none is
/// double.
pub(crate) fn queue_holds(texts: &[String], promises: &Promises, sent: &BTreeMap<String, There>) -> Result<(), String> {
    let there: BTreeSet<&String> = texts.iter().collect();
    ensure(there.len() == texts.len(), || "a message is in the queue twice".to_owned())?;
    for (text, promised) in sent {
        let gone = promises.deleted.contains(text);
        let wrong = match (there.contains(text), promised) {
            (true, There::No) => "is there though it was refused",
            (true, _) if gone => "is there though it was deleted",
            (false, There::Yes) if !gone && !promises.maybe_deleted.contains(text) => "was acknowledged and is lost",
            _ => continue,
        };
        return Err(format!("`{text}` {wrong}"));
    }
    Ok(())
}
