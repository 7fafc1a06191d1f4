//! Between the kernel and the frames of the node protocol.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kernel::change::RunEnd;
use kernel::command::{ExitHow, Report, RunExit};
use kernel::id::{JobId, NodeId};
use kernel::instance::{Asked, RunId, Stage};
use kernel::sample::{Sample, Traffic};
use kernel::state::State;
use kernel::time::Timestamp;
use wire::node::{self, RUNS_PER_FRAME, TAIL_BYTES, TaskOrder, ToNode};

use super::{Order, Surroundings};

/// A frame's tasks are no longer than this together, unless one alone is: so the frame stays below the protocol's
/// limit, since the request that a task came in was not longer than that either.
const TASK_BYTES: usize = 4 * 1024 * 1024;

/// What a node that has just connected is to be told: in which of its runs the server believes, and what is
/// outstanding.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outstanding {
    pub(super) believed: Vec<RunId>,
    pub(super) orders: Vec<Order>,
}

/// What every order says alike.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    /// How long a run may take to end after SIGTERM, in milliseconds.
    pub(crate) grace_ms: u64,
    /// Where runs find storage and containers.
    pub(crate) surroundings: Surroundings,
}

/// What is outstanding for `node`, whose agent holds the runs `held`.
///
/// A run that the agent does not hold, and that has not started as far as is known, may never have reached it: it is
/// ordered again, and not among the believed, of which the agent reports as lost what it does not know. (If it has
/// ended there meanwhile, the agent still has to report that, and passes the order over.)
pub(super) fn outstanding(state: &State, node: NodeId, held: &[RunId]) -> Outstanding {
    let mut outstanding = Outstanding::default();
    let Some(node) = state.node(node) else { return outstanding };
    let mut later = Vec::new();
    for instance in node.held.iter().filter_map(|key| state.instance(*key)) {
        let Stage::Held { started, asked, .. } = instance.stage else { continue };
        let run = instance.run();
        if started || held.contains(&run) {
            outstanding.believed.push(run);
        } else {
            outstanding.orders.push(Order::Start(run));
        }
        match asked {
            Asked::Run => {}
            Asked::Return if started => {}
            Asked::Return => later.push(Order::Revoke(run)),
            Asked::Kill => later.push(Order::Kill(run)),
        }
    }
    outstanding.orders.append(&mut later);
    outstanding
}

/// The frames that carry `orders`, in their order but for this: what is to start goes first.
pub(super) fn frames(orders: &[Order], state: &State, terms: &Terms) -> Vec<ToNode> {
    let (mut start, mut kill, mut revoke, mut last) = (Vec::new(), Vec::new(), Vec::new(), None);
    for order in orders {
        match order {
            Order::Start(run) => start.push(*run),
            Order::Kill(run) => kill.push(*run),
            Order::Revoke(run) => revoke.push(*run),
            Order::Stop => last = Some(ToNode::Stop),
            Order::Restart => last = Some(ToNode::Restart),
        }
    }
    let mut frames = start_frames(&start, state, terms);
    frames.extend(revoke.chunks(RUNS_PER_FRAME).map(|runs| ToNode::Revoke { runs: runs.to_vec() }));
    frames.extend(kill.chunks(RUNS_PER_FRAME).map(|runs| ToNode::Kill { runs: runs.to_vec() }));
    frames.extend(last);
    frames
}

fn start_frames(runs: &[RunId], state: &State, terms: &Terms) -> Vec<ToNode> {
    let mut frames = Vec::new();
    let mut frame = StartFrame::default();
    for run in runs {
        if frame.runs.len() == RUNS_PER_FRAME {
            frames.extend(std::mem::take(&mut frame).finish());
        }
        if !frame.tasks.contains_key(&(run.job, run.task)) {
            // Gone meanwhile, and the run with it.
            let Some(task) = task_order(state, *run, terms) else { continue };
            let bytes = size(&task);
            if frame.bytes + bytes > TASK_BYTES {
                frames.extend(std::mem::take(&mut frame).finish());
            }
            frame.bytes += bytes;
            frame.tasks.insert((run.job, run.task), task);
        }
        frame.runs.push(*run);
    }
    frames.extend(frame.finish());
    frames
}

/// A Start in the making.
#[derive(Default)]
struct StartFrame {
    tasks: BTreeMap<(JobId, u32), TaskOrder>,
    bytes: usize,
    runs: Vec<RunId>,
}

impl StartFrame {
    fn finish(self) -> Option<ToNode> {
        let Self { tasks, runs, .. } = self;
        (!runs.is_empty()).then(|| ToNode::Start { tasks: tasks.into_values().collect(), runs })
    }
}

fn task_order(state: &State, run: RunId, terms: &Terms) -> Option<TaskOrder> {
    let job = state.job(run.job)?;
    let spec = job.spec.tasks.get(run.task as usize)?;
    let env = state.env(spec.env);
    let inputs = env.map_or((&[][..], None), |env| (env.spec.inputs.as_slice(), env.spec.key.as_ref()));
    Some(TaskOrder {
        job: run.job,
        task: run.task,
        task_name: spec.name.clone(),
        instance_num: spec.instances.into(),
        command: spec.command.clone(),
        env: spec.env_vars.clone(),
        timeout_ms: spec.timeout_s.saturating_mul(1_000),
        setup: terms.surroundings.order(spec, inputs),
        grace_ms: terms.grace_ms,
    })
}

/// How long a task is in a frame.
fn size(task: &TaskOrder) -> usize {
    serde_json::to_vec(task).map_or(0, |text| text.len())
}

/// What a node's report says to the kernel.
pub(super) fn report(report: node::Report) -> Report {
    match report {
        node::Report::Started { run, .. } => Report::Started(run),
        node::Report::Revoked { run } => Report::Returned(run),
        node::Report::Exited { run, at, exit, run_ms, stdout, stderr } => {
            let end = RunEnd {
                at: Timestamp(at),
                exit_code: None,
                reason: String::new(),
                stdout: tail(&stdout),
                stderr: tail(&stderr),
            };
            Report::Exited(run, RunExit { how: how(exit), run_ms, end })
        }
    }
}

/// What a node's sample says to the kernel.
pub(super) fn sample(sample: node::Sample) -> Sample {
    let node::Sample { run, number, at, cpu, mem, disks, net } = sample;
    let net = net.map(|(bytes_in, bytes_out)| Traffic { bytes_in, bytes_out });
    Sample { run, number, at: Timestamp(at), cpu, mem, disks, net }
}

fn how(exit: node::Exit) -> ExitHow {
    match exit {
        node::Exit::Code { code } => ExitHow::Code(code),
        node::Exit::Signal { signal } => ExitHow::Signal(signal),
        node::Exit::OutOfMemory { code, limit_mb } => ExitHow::OutOfMemory { code, limit_mb },
        node::Exit::TimedOut => ExitHow::TimedOut,
        node::Exit::Killed => ExitHow::Killed,
        node::Exit::Failed { reason } => ExitHow::Failed(reason),
        node::Exit::NotStarted { reason } => ExitHow::NotStarted(reason),
    }
}

/// The end of an output. An agent that sends what is no base64, or too much, has its output passed over, not its
/// report.
fn tail(text: &str) -> Arc<[u8]> {
    let mut bytes = STANDARD.decode(text).unwrap_or_default();
    let surplus = bytes.len().saturating_sub(TAIL_BYTES);
    bytes.drain(..surplus);
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{JOB, NODE, holding};

    fn run(index: u32) -> RunId {
        RunId { job: JOB, task: 0, index, attempt: 1 }
    }

    fn runs(indexes: &[u32]) -> Vec<RunId> {
        indexes.iter().map(|index| run(*index)).collect()
    }

    #[test]
    fn what_an_agent_does_not_have_is_ordered_again() {
        let state = holding(&[(true, Asked::Run), (false, Asked::Run), (false, Asked::Run)]);
        let outstanding = outstanding(&state, NODE, &runs(&[1, 7]));
        assert_eq!(outstanding.believed, runs(&[0, 1]));
        assert_eq!(outstanding.orders, [Order::Start(run(2))]);
    }

    #[test]
    fn what_was_asked_is_asked_again_after_the_starts() {
        let state = holding(&[
            (true, Asked::Kill),
            (false, Asked::Kill),
            (true, Asked::Return),
            (false, Asked::Return),
            (false, Asked::Run),
        ]);
        let outstanding = outstanding(&state, NODE, &[]);
        assert_eq!(outstanding.believed, runs(&[0, 2]));
        let starts = [1, 3, 4].map(|index| Order::Start(run(index)));
        assert_eq!(outstanding.orders[..3], starts);
        assert_eq!(outstanding.orders[3..], [Order::Kill(run(0)), Order::Kill(run(1)), Order::Revoke(run(3))]);
    }

    #[test]
    fn one_frame_carries_the_task_once() {
        let state = holding(&[(false, Asked::Run), (false, Asked::Run)]);
        let orders = [Order::Kill(run(0)), Order::Start(run(0)), Order::Start(run(1)), Order::Stop];
        let frames = frames(&orders, &state, &Terms { grace_ms: 10_000, ..Terms::default() });
        let [ToNode::Start { tasks, runs: started }, ToNode::Kill { runs: killed }, ToNode::Stop] = frames.as_slice()
        else {
            panic!("{frames:?}")
        };
        assert_eq!((started, killed), (&runs(&[0, 1]), &runs(&[0])));
        let [task] = tasks.as_slice() else { panic!("{tasks:?}") };
        assert_eq!((task.task_name.as_str(), task.command.as_str(), task.instance_num), ("count", "wc -l", 9));
        assert_eq!((task.timeout_ms, task.grace_ms), (60_000, 10_000));
    }

    #[test]
    fn many_runs_take_several_frames() {
        let state = holding(&[]);
        let many = RUNS_PER_FRAME + 1;
        let orders: Vec<Order> = (0..).take(many).map(|index| Order::Start(run(index))).collect();
        let counts: Vec<usize> = frames(&orders, &state, &Terms::default())
            .iter()
            .map(|frame| match frame {
                ToNode::Start { tasks, runs } if tasks.len() == 1 => runs.len(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(counts, [RUNS_PER_FRAME, 1]);
    }

    #[test]
    fn a_job_that_is_gone_starts_nothing() {
        let gone = RunId { job: JobId::LAST, ..run(0) };
        assert_eq!(frames(&[Order::Start(gone)], &holding(&[]), &Terms::default()), []);
    }

    #[test]
    fn outputs_are_read_and_nonsense_is_passed_over() {
        assert_eq!(*tail("aGVsbG8="), *b"hello");
        assert_eq!(*tail("%%%"), *b"");
        assert_eq!(tail(&STANDARD.encode(vec![7; TAIL_BYTES + 5])).len(), TAIL_BYTES);
    }
}
