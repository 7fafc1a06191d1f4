//! What is true of every state that decisions lead to. Tests and the simulator check it after every step.

use crate::event::EventName;
use crate::instance::Stage;
use crate::job::Job;
use crate::limits;
use crate::node::{Node, NodeStage};
use crate::phase::{Counts, Phase};
use crate::queue::Queue;
use crate::state::State;
use crate::subscription::{Endpoint, Subscription};
use crate::task::Task;
use crate::topic::StreamNo;

/// Checks a state.
///
/// # Errors
/// What is wrong with it, in words.
pub fn check(state: &State) -> Result<(), String> {
    for job in state.jobs() {
        check_job(state, job).map_err(|wrong| format!("{}: {wrong}", job.id))?;
    }
    for node in state.nodes() {
        check_node(state, node).map_err(|wrong| format!("{}: {wrong}", node.id))?;
    }
    check_owned(state)?;
    for (key, activity) in state.activities.iter().filter(|(_, activity)| !activity.state.is_finished()) {
        ensure(state.node(key.node).is_some(), || format!("{}: its node {} is gone", activity.id, key.node))?;
    }
    check_names(state)?;
    for subscription in state.subscriptions() {
        check_subscription(state, subscription).map_err(|wrong| format!("{:?}: {wrong}", subscription.key))?;
    }
    check_messages(state)?;
    for (key, row) in state.instances.iter() {
        if let Some(node) = row.holder()
            && !state.node(node).is_some_and(|node| node.held.contains(key))
        {
            return Err(format!("{key:?} is held by {node}, which does not know"));
        }
    }
    Ok(())
}

fn check_job(state: &State, job: &Job) -> Result<(), String> {
    let (mut tasks, mut instances) = (Counts::default(), Counts::default());
    for task in state.tasks_of(job.id) {
        check_task(state, job, task).map_err(|wrong| format!("task {}: {wrong}", task.key.task))?;
        tasks.add(&Counts::all_in(task.phase, 1));
        instances.add(&task.instances);
    }
    ensure(tasks == job.tasks, || format!("counts tasks as {:?}, they are {tasks:?}", job.tasks))?;
    ensure(instances == job.instances, || format!("counts instances as {:?}, they are {instances:?}", job.instances))?;
    ensure(job.phase == job.tasks.whole(job.has_run), || format!("is {} with tasks {tasks:?}", job.phase))?;
    let ready = state.index.ready.iter().any(|(_, _, of, _)| *of == job.id);
    let stalls = ready && job.instances.active() == 0 && job.spec.asks_for(EventName::JobBlocked);
    let known = state.index.stalled_since.get(&job.id);
    ensure(known.is_some() == stalls, || format!("nothing of it runs: {stalls}, known: {known:?}"))?;
    let listed = known.is_none_or(|since| state.index.stalled.contains(&(*since, job.id)));
    ensure(listed, || "is not found by the time since when nothing of it runs".into())?;
    ensure(job.blocked.is_empty() || job.instances.active() == 0, || format!("is blocked by {:?}", job.blocked))?;
    ensure(job.ended.is_some() == job.phase.is_finished(), || format!("is {} and ended {:?}", job.phase, job.ended))
}

fn check_task(state: &State, job: &Job, task: &Task) -> Result<(), String> {
    let spec = &job.spec.tasks[task.key.task as usize];
    let mut rows = Counts::default();
    for row in state.instances_of(task.key) {
        rows.add(&Counts::all_in(row.phase(), 1));
        ensure(!task.bulk.contains(row.key.index), || format!("instance {} is in bulk and has a row", row.key.index))?;
    }
    rows.add(&Counts::all_in(task.bulk_phase(), task.bulk.len()));
    let waits = rows.of(Phase::Runnable);
    // Instances that are to run again count by the state they go to; their rows still say that they failed.
    rows.add(&Counts::all_in(task.bulk_phase(), task.redo.map_or(0, |redo| redo.left)));
    ensure(task.redo.is_none_or(|redo| redo.left > 0), || "is to redo nothing".into())?;
    for phase in [Phase::Pending, Phase::Runnable, Phase::Starting, Phase::Running, Phase::FailedInterrupted] {
        let (counted, there) = (task.instances.of(phase), rows.of(phase));
        ensure(counted == there, || format!("counts {counted} {phase}, there are {there}"))?;
    }
    ensure(task.instances.total() == u64::from(spec.instances), || format!("has {:?}", task.instances))?;
    let whole = task.instances.whole(task.has_run);
    ensure(task.phase == whole, || format!("is {} with instances {:?}", task.phase, task.instances))?;
    let most = spec.max_concurrent.unwrap_or(u64::MAX);
    ensure(task.instances.active() <= most, || format!("has {} active", task.instances.active()))?;
    // What has ended may have: a failed task before it may have been retried since.
    let began = !matches!(task.phase, Phase::Pending) && !task.phase.is_finished() && task.intent.is_none();
    for before in job.predecessors(task.key.task).filter(|_| began) {
        let ended = state.tasks_of(job.id).nth(before as usize).is_some_and(|task| task.phase.is_finished());
        ensure(ended, || format!("has begun before task {before} ended"))?;
    }
    let ready = state.index.ready.iter().any(|(.., of, number)| (*of, *number) == (job.id, task.key.task));
    let could = task.intent.is_none() && task.instances.active() < most && waits > 0;
    let pausing = state.index.pausing.iter().filter(|(_, key)| key.task_key() == task.key).count() as u64;
    let could = could && waits > pausing && !task.phase.is_finished();
    ensure(ready == could, || format!("is ready: {ready}, could run: {could}"))
}

fn check_node(state: &State, node: &Node) -> Result<(), String> {
    let room = node.slots as usize + limits::NODE_AHEAD;
    ensure(node.held.len() <= room, || format!("holds {} with {} slots", node.held.len(), node.slots))?;
    for key in &node.held {
        let stage = state.instance(*key).map(|row| row.stage);
        let held = matches!(stage, Some(Stage::Held { node: holder, .. }) if holder == node.id);
        ensure(held, || format!("holds {key:?}, which is {stage:?}"))?;
    }
    for key in &node.kept {
        let stage = state.instance(*key).map(|row| row.stage);
        ensure(stage == Some(Stage::FailedInterrupted), || format!("is kept for {key:?}, which is {stage:?}"))?;
    }
    if node.attached {
        let of_machine = state.nodes().filter(|other| other.attached && other.machine == node.machine).count();
        ensure(state.machine(node.machine).is_some(), || format!("{} never joined", node.machine))?;
        ensure(of_machine == 1, || format!("{} is {of_machine} nodes", node.machine))?;
    } else {
        let is_lost = node.stage == NodeStage::Abnormal;
        ensure(!is_lost || node.held.is_empty(), || format!("is lost, and holds {:?}", node.held))?;
    }
    let is_empty = node.held.is_empty() && node.kept.is_empty();
    let waits = node.stage == NodeStage::Running && node.then.is_some();
    ensure(!(waits && is_empty), || format!("holds nothing, and is to {:?}", node.then))?;
    let restarts = node.stage == NodeStage::Restarting;
    ensure(is_empty || !restarts, || format!("restarts with {:?}", node.held))
}

/// Environments of tasks' own belong to tasks that want them; their nodes hold nothing else, and are held by what was
/// interrupted on them.
fn check_owned(state: &State) -> Result<(), String> {
    let owned = state.envs().filter_map(|env| Some((env.owner?, env.id))).collect();
    ensure(state.index.owned == owned, || format!("owned are {owned:?}, found {:?}", state.index.owned))?;
    for (owner, env) in &owned {
        let Some(job) = state.job(owner.job) else { continue };
        let spec = &job.spec.tasks[owner.task as usize];
        ensure(spec.env == *env && spec.own.is_some(), || format!("{env} is not {owner:?}'s"))?;
        for key in state.nodes_of(*env).flat_map(|node| node.held.iter().chain(&node.kept)) {
            ensure(key.task_key() == *owner, || format!("a node of {owner:?}'s own has {key:?}"))?;
        }
    }
    for (key, row) in state.instances.iter().filter(|(_, row)| row.stage == Stage::FailedInterrupted) {
        let node = row.node.and_then(|node| state.node(node));
        ensure(node.is_some_and(|node| node.kept.contains(key)), || format!("the node of {key:?} was not kept"))?;
    }
    Ok(())
}

/// Every topic and queue is found by its name and has a number that is not given again.
fn check_names(state: &State) -> Result<(), String> {
    let topics = state.topics().map(|topic| (topic.name.to_lowercase(), topic.no)).collect();
    ensure(state.index.topic_names == topics, || {
        format!("topics are {topics:?}, found {:?}", state.index.topic_names)
    })?;
    let queues = state.queues().map(|queue| (queue.name.to_lowercase(), queue.no)).collect();
    ensure(state.index.queue_names == queues, || {
        format!("queues are {queues:?}, found {:?}", state.index.queue_names)
    })?;
    let heaps: Vec<(StreamNo, StreamNo)> = state
        .queues()
        .flat_map(|queue| [Some(queue.heap), queue.kept.map(|kept| kept.heap)].map(|heap| (heap, queue.no)))
        .filter_map(|(heap, no)| Some((heap?, no)))
        .collect();
    ensure(state.index.heaps == heaps.iter().copied().collect(), || {
        format!("messages are stored under {heaps:?}, found {:?}", state.index.heaps)
    })?;
    ensure(state.index.heaps.len() == heaps.len(), || format!("a number is used twice: {heaps:?}"))?;
    let last = state.topics().map(|topic| topic.no).chain(heaps.into_iter().map(|(heap, _)| heap)).max();
    let last = last.max(state.queues().map(|queue| queue.no).max());
    ensure(last < Some(state.next_stream()), || format!("{last:?} would be given again"))
}

fn check_subscription(state: &State, subscription: &Subscription) -> Result<(), String> {
    let key = subscription.key;
    let topic = state.topic(key.topic).ok_or("its topic does not exist")?;
    ensure(key.no < topic.next_subscription, || "its number would be given again".into())?;
    let (start, cursor, end) = (subscription.start, subscription.cursor, topic.end());
    ensure(start <= cursor, || format!("its cursor {cursor} is before its beginning {start}"))?;
    ensure(cursor <= end, || format!("its cursor {cursor} is beyond the topic's end {end}"))?;
    match subscription.endpoint {
        Endpoint::Queue { queue, .. } => ensure(state.queue(queue).is_some(), || "its queue does not exist".into()),
        Endpoint::Http { .. } => Ok(()),
    }
}

/// Loaded messages are found by the time they can be received, and are counted by their queues.
fn check_messages(state: &State) -> Result<(), String> {
    let visible = state.messages.iter().map(|(key, message)| (key.heap, message.visible, key.seq)).collect();
    ensure(state.index.visible == visible, || format!("messages are {visible:?}, found {:?}", state.index.visible))?;
    for queue in state.queues() {
        check_queue(state, queue).map_err(|wrong| format!("queue {}: {wrong}", queue.id))?;
    }
    Ok(())
}

fn check_queue(state: &State, queue: &Queue) -> Result<(), String> {
    let (loaded, stored) = (state.messages_of(queue.heap).count() as u64, queue.stored);
    ensure(loaded <= stored, || format!("counts {stored} messages, {loaded} are loaded"))?;
    let kept = queue.kept.map_or(0, |kept| kept.count);
    let loaded = queue.kept.map_or(0, |kept| state.kept_after(kept.heap, 0).count() as u64);
    ensure(loaded <= kept, || format!("counts {kept} deleted messages, {loaded} are loaded"))?;
    ensure(stored + kept < queue.next_seq, || format!("has {stored} and {kept} of {} messages", queue.next_seq - 1))?;
    let settings = &queue.settings;
    ensure((settings.rewind_s > 0) == queue.kept.is_some(), || format!("keeps {:?}", queue.kept))?;
    ensure(queue.rewinding.is_none() || queue.kept.is_some(), || "is set back to nothing".into())?;
    let Some(bound) = queue.dead_letter else { return Ok(()) };
    let target = state.queue(bound.queue).ok_or("its dead-letter queue does not exist")?;
    ensure(target.dead_letter.is_none(), || "its dead-letter queue has one itself".into())?;
    let sources = state.dead_letter_sources(bound.queue).count();
    ensure(sources <= limits::DEAD_LETTER_SOURCES, || format!("its dead-letter queue has {sources} sources"))
}

fn ensure(holds: bool, wrong: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(wrong()) }
}
