//! The sampler: looks at the runs that go on, now and then. It keeps their outputs within their bounds, and takes
//! samples of what they use.
//!
//! A run with a control group of its own is measured by that, as a part of its share. Another one is measured by its
//! processes, those of its process group and their descendants, as a part of the machine. What is in a container is
//! neither in the run's group nor a descendant of it: it is found by the container's first process, and counts beside.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use wire::node::{RunId, Sample};

use crate::containers;
use crate::disks;
use crate::engine::{Shared, unix_ms};
use crate::launch::{Launcher, RunFiles};
use crate::limits::{FIRST_SAMPLE, LOOK, LOOK_SOON, SAMPLES_THEN_RARER};
use crate::procfs::{self, Load};

/// A run that goes on.
#[derive(Debug, Clone)]
pub(crate) struct Going {
    pub(crate) run: RunId,
    pub(crate) leader: i32,
    pub(crate) since: Instant,
    pub(crate) files: RunFiles,
}

/// The body of the sampler's thread.
pub(crate) fn run(shared: &Shared) {
    let mut sampled: HashMap<RunId, Course> = HashMap::new();
    let mut pause = LOOK;
    while let Some(going) = shared.wait_to_look(pause) {
        let grows = going.iter().filter(|going| bound(going)).count() > 0;
        pause = if grows { LOOK_SOON } else { LOOK.min(shared.sample_period()) };
        let runs: HashSet<RunId> = going.iter().map(|going| going.run).collect();
        sampled.retain(|run, _| runs.contains(run));
        let samples = take(&going, &mut sampled, shared.sample_period(), &shared.launcher);
        if !samples.is_empty() {
            shared.offer_samples(samples);
        }
    }
}

/// Keeps the outputs of a run within their bounds. Whether one grows fast.
fn bound(going: &Going) -> bool {
    let outputs = [&going.files.stdout, &going.files.stderr];
    let mut grows = false;
    for output in outputs {
        match output.bound() {
            Ok(grew) => grows |= grew,
            Err(error) => tracing::warn!(run = %going.run, %error, "failed to keep an output within its bounds"),
        }
    }
    grows
}

/// How a run has been sampled so far.
#[derive(Debug)]
struct Course {
    next: Instant,
    number: u32,
    period: Duration,
    /// When it was last sampled, and the processor time it had used by then.
    last: (Instant, u64),
    /// The first process of its container, once it is known.
    container: Option<i32>,
    /// What had come in and gone out through its network when it was last sampled.
    traffic: (u64, u64),
}

impl Course {
    fn begin(since: Instant, period: Duration) -> Self {
        Self {
            next: since + FIRST_SAMPLE.min(period),
            number: 0,
            period,
            last: (since, 0),
            container: None,
            traffic: (0, 0),
        }
    }

    /// One sample more was taken, at `now`.
    fn advance(&mut self, now: Instant, cpu_us: u64) {
        self.number += 1;
        if self.number.is_multiple_of(SAMPLES_THEN_RARER) {
            self.period *= 2;
        }
        self.last = (now, cpu_us);
        self.next = now + self.period;
    }

    /// Looks for the first process of the run's container, if it has one.
    fn find_container(&mut self, run: RunId, folder: &Path) {
        let name = containers::name(run);
        if self.container.is_none() && containers::is_recorded(folder, &name) {
            match containers::first_process(folder, &name) {
                Ok(found) => self.container = found,
                Err(error) => tracing::warn!(%run, %error, "failed to look for what is in a container"),
            }
        }
    }

    /// What came in and went out each second since the run was last sampled, if it has a network of its own. As long as
    /// its container is about to be, that is nothing.
    fn traffic(&mut self, is_contained: bool, elapsed_us: u128) -> Option<(u64, u64)> {
        let Some(container) = self.container else { return is_contained.then_some((0, 0)) };
        // A container that has just ended has none any more.
        let now = procfs::own_traffic(container).ok().flatten()?;
        let before = std::mem::replace(&mut self.traffic, now);
        let rate = |now: u64, before: u64| {
            let grown = u128::from(now.saturating_sub(before)) * 1_000_000 / elapsed_us;
            u64::try_from(grown).unwrap_or(u64::MAX)
        };
        Some((rate(now.0, before.0), rate(now.1, before.1)))
    }
}

/// Samples the runs whose time has come.
fn take(going: &[Going], sampled: &mut HashMap<RunId, Course>, period: Duration, launcher: &Launcher) -> Vec<Sample> {
    let now = Instant::now();
    let mut due = Vec::new();
    for going in going {
        let course = sampled.entry(going.run).or_insert_with(|| Course::begin(going.since, period));
        if course.next <= now {
            if going.files.is_contained() {
                course.find_container(going.run, &launcher.containers());
            }
            due.push(going);
        }
    }
    if due.is_empty() {
        return Vec::new();
    }
    let machine = match Machine::look(launcher.folders.work()) {
        Ok(machine) => machine,
        Err(error) => {
            tracing::warn!(%error, "failed to measure runs");
            return Vec::new();
        }
    };
    let mut samples = Vec::new();
    for going in due {
        let course = sampled.get_mut(&going.run).expect("it was just put there");
        let used = machine.used(going, course.container);
        let (last, cpu_before) = course.last;
        let elapsed_us = now.saturating_duration_since(last).as_micros().max(1);
        let may_use = elapsed_us * u128::from(used.cpu_us_per_s) / 1_000_000;
        samples.push(Sample {
            run: going.run,
            number: course.number,
            at: unix_ms(),
            cpu: part(used.cpu_us.saturating_sub(cpu_before).into(), may_use),
            mem: part(used.mem_bytes.into(), used.mem_limit.into()),
            disks: machine.disks.clone(),
            net: course.traffic(going.files.is_contained(), elapsed_us),
        });
        // What a process used counts until nobody knows of it any more; the sum must not seem to fall.
        course.advance(now, used.cpu_us.max(cpu_before));
    }
    samples
}

/// What a run has used, and what it may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Used {
    cpu_us: u64,
    cpu_us_per_s: u64,
    mem_bytes: u64,
    mem_limit: u64,
}

/// The machine, as it is looked at once for all samples of a moment.
struct Machine {
    loads: Vec<Load>,
    disks: Vec<(String, u32)>,
    tick_us: u64,
    page_bytes: u64,
    mem_bytes: u64,
    cpu_us_per_s: u64,
}

impl Machine {
    fn look(home: &Path) -> std::io::Result<Self> {
        let cores = available_parallelism().map_or(1, |cores| cores.get() as u64);
        Ok(Self {
            loads: procfs::loads()?,
            disks: disks::used(home)?,
            tick_us: procfs::tick_us(),
            page_bytes: procfs::page_bytes(),
            mem_bytes: procfs::memory_mb()? * 1024 * 1024,
            cpu_us_per_s: cores * 1_000_000,
        })
    }

    fn used(&self, going: &Going, container: Option<i32>) -> Used {
        let sum = |loads: Vec<&Load>| {
            let (ticks, pages) = loads.iter().fold((0, 0), |sum, load| (sum.0 + load.cpu_ticks, sum.1 + load.pages));
            (ticks * self.tick_us, pages * self.page_bytes)
        };
        let (us, bytes) = sum(self.of_run(going.leader));
        let contained = container.map_or((0, 0), |first| sum(self.below(first)));
        let group = going.files.group.as_ref();
        let by_group = group.and_then(|group| Some((group.memory_bytes()?, group.memory_limit())));
        let (mem_bytes, mem_limit) = by_group.unwrap_or((bytes, self.mem_bytes));
        let cpu_us = group.and_then(|group| group.cpu_us()).unwrap_or(us);
        let (cpu_us, mem_bytes) = (cpu_us + contained.0, mem_bytes + contained.1);
        let share = group.and_then(|group| group.cpu_us_per_s()).map(|share| share.min(self.cpu_us_per_s));
        Used { cpu_us, cpu_us_per_s: share.unwrap_or(self.cpu_us_per_s), mem_bytes, mem_limit }
    }

    /// The processes of the group that a process leads, and their descendants.
    fn of_run(&self, leader: i32) -> Vec<&Load> {
        self.with_descendants(self.loads.iter().filter(|load| load.group == leader).collect())
    }

    /// A process and its descendants.
    fn below(&self, first: i32) -> Vec<&Load> {
        self.with_descendants(self.loads.iter().filter(|load| load.pid == first).collect())
    }

    fn with_descendants<'a>(&'a self, mut found: Vec<&'a Load>) -> Vec<&'a Load> {
        let mut children: HashMap<i32, Vec<&Load>> = HashMap::new();
        for load in &self.loads {
            children.entry(load.parent).or_default().push(load);
        }
        let mut seen: HashSet<i32> = found.iter().map(|load| load.pid).collect();
        let mut at = 0;
        while at < found.len() {
            for child in children.get(&found[at].pid).into_iter().flatten() {
                if seen.insert(child.pid) {
                    found.push(child);
                }
            }
            at += 1;
        }
        found
    }
}

/// A part of a whole in hundredths of a percent, at most all of it.
fn part(of: u128, whole: u128) -> u32 {
    let part = (of * 10_000).checked_div(whole).unwrap_or(0).min(10_000);
    u32::try_from(part).expect("at most 10,000")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_hundredths_of_a_percent() {
        for (of, whole, expected) in [(1, 3, 3_333), (0, 5, 0), (9, 4, 10_000), (1, 0, 0), (u64::MAX, u64::MAX, 10_000)]
        {
            assert_eq!(part(of.into(), whole.into()), expected);
        }
    }

    #[test]
    fn a_long_run_is_sampled_more_and_more_rarely() {
        let begin = Instant::now();
        let mut course = Course::begin(begin, Duration::from_secs(10));
        assert_eq!(course.next, begin + FIRST_SAMPLE);
        let month = Duration::from_secs(30 * 86_400);
        while course.next < begin + month {
            course.advance(course.next, 0);
        }
        assert!((1_000..4_096).contains(&course.number), "{}", course.number);
        assert_eq!(Course::begin(begin, Duration::from_millis(100)).next, begin + Duration::from_millis(100));
    }

    #[test]
    fn descendants_count_to_the_run() {
        let load = |pid, parent, group| Load { pid, parent, group, cpu_ticks: 1, pages: 1 };
        let machine = Machine {
            loads: vec![
                load(60, 50, 60),
                load(61, 60, 60),
                load(62, 61, 62),
                load(63, 62, 62),
                load(64, 1, 60),
                load(70, 50, 70),
                load(71, 70, 70),
            ],
            disks: Vec::new(),
            tick_us: 10_000,
            page_bytes: 4_096,
            mem_bytes: 1 << 30,
            cpu_us_per_s: 2_000_000,
        };
        let pids = |loads: Vec<&Load>| {
            let mut pids: Vec<i32> = loads.iter().map(|load| load.pid).collect();
            pids.sort_unstable();
            pids
        };
        assert_eq!(pids(machine.of_run(60)), [60, 61, 62, 63, 64]);
        assert_eq!(pids(machine.below(61)), [61, 62, 63]);
        assert!(machine.below(80).is_empty());
    }
}
