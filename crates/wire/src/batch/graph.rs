//! `Dependences`: the edges of a job's graph, from task names to task numbers.

use std::collections::{BTreeMap, BTreeSet};

use kernel::limits::JOB_DEPENDENCES;

use super::check;
use crate::api3::ApiError;
use crate::fields::{Reader, shortened};

/// Tasks of a cycle that a message names.
const SHOWN_TASKS: usize = 12;

/// The edges, each once, as (first, then) numbers of the tasks with these names.
pub(super) fn dependences(job: &Reader<'_>, names: &[&str]) -> Result<Vec<(u32, u32)>, ApiError> {
    let numbers: BTreeMap<&str, u32> = names.iter().copied().zip(0u32..).collect();
    let mut edges = job.objects("Dependences", |edge| {
        let task = |key: &str| {
            let name = edge.required_string(key)?;
            numbers.get(name.as_str()).copied().ok_or_else(|| {
                let reason = format!("no task of this job is called \"{}\"", shortened(&name));
                edge.refuse(key, "InvalidParameterValue.DependenceNotFoundTaskName", reason)
            })
        };
        Ok((task("StartTask")?, task("EndTask")?))
    })?;
    check::count(job, "Dependences", edges.len(), JOB_DEPENDENCES)?;
    let mut seen = BTreeSet::new();
    edges.retain(|edge| seen.insert(*edge));
    match cycle(names.len(), &edges) {
        None => Ok(edges),
        Some(cycle) => {
            let mut shown: Vec<&str> = cycle.iter().take(SHOWN_TASKS).map(|task| names[*task]).collect();
            if cycle.len() > SHOWN_TASKS {
                shown.push("…");
            }
            let reason = format!("tasks wait for one another: {}", shown.join(" -> "));
            Err(job.refuse("Dependences", "InvalidParameterValue.DependenceUnfeasible", reason))
        }
    }
}

/// A cycle, from a task to itself; `None` when there is none.
fn cycle(tasks: usize, edges: &[(u32, u32)]) -> Option<Vec<usize>> {
    let mut waits_for = vec![Vec::new(); tasks];
    let mut followers = vec![Vec::new(); tasks];
    for (first, then) in edges.iter().map(|(first, then)| (*first as usize, *then as usize)) {
        waits_for[then].push(first);
        followers[first].push(then);
    }
    let mut waiting: Vec<usize> = waits_for.iter().map(Vec::len).collect();
    let mut free: Vec<usize> = (0..tasks).filter(|task| waiting[*task] == 0).collect();
    while let Some(task) = free.pop() {
        for then in &followers[task] {
            waiting[*then] -= 1;
            if waiting[*then] == 0 {
                free.push(*then);
            }
        }
    }
    // Whoever still waits, waits for one that still waits; going from one to the next comes round some time.
    let mut path = vec![(0..tasks).find(|task| waiting[*task] > 0)?];
    loop {
        let last = path[path.len() - 1];
        let before = waits_for[last].iter().copied().find(|task| waiting[*task] > 0);
        let before = before.expect("a task that still waits has one before it that does");
        let turn = path.iter().position(|task| *task == before);
        path.push(before);
        if let Some(turn) = turn {
            path.reverse();
            path.truncate(path.len() - turn);
            return Some(path);
        }
    }
}
