//! What becomes of runs, step by step, with an invented clock.

use kernel::id::JobId;

use super::*;

/// Longer than the looks at a group are apart.
const GRACE: Duration = Duration::from_millis(30);
const TERM: Signal = Signal::SIGTERM;
const KILL: Signal = Signal::SIGKILL;

fn run(index: u32) -> RunId {
    RunId { job: JobId::from_number(1).unwrap(), task: 0, index, attempt: 1 }
}

fn order(timeout_ms: u64) -> Arc<TaskOrder> {
    Arc::new(TaskOrder {
        job: run(0).job,
        task: 0,
        task_name: "t".to_owned(),
        instance_num: 9,
        command: "true".to_owned(),
        env: vec![],
        setup: None,
        timeout_ms,
        grace_ms: 30,
    })
}

/// Runs of a node with that many slots and runs 0 to `given`, each with a time of 100 ms, as many started as fit.
/// The leader of run n is process 100 + n.
fn node(slots: usize, given: u32, now: Instant) -> Runs<()> {
    let mut runs = Runs::new(slots);
    for index in 0..given {
        assert_eq!(runs.give(run(index), &order(100)), Given::Queued);
    }
    start_all(&mut runs, now);
    runs
}

fn start_all(runs: &mut Runs<()>, now: Instant) -> Vec<u32> {
    let mut started = Vec::new();
    while let Some((run, _)) = runs.next() {
        assert_eq!(runs.started(run, leader(run.index), now, (), None), (None, true));
        started.push(run.index);
    }
    started
}

fn leader(index: u32) -> i32 {
    100 + i32::try_from(index).unwrap()
}

fn signal(index: u32, signal: Signal) -> GroupSignal {
    GroupSignal { group: leader(index), signal }
}

fn due(index: u32, kind: Signal) -> Overdue {
    Overdue::Signal(signal(index, kind))
}

fn look(index: u32) -> Overdue {
    Overdue::Look(run(index), leader(index))
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Ends a run's process with code 7; what is reported of it.
fn exit(runs: &mut Runs<()>, index: u32) -> Option<Exit> {
    assert_eq!(runs.led_by(leader(index)).map(|(run, _)| run), Some(run(index)));
    assert_eq!(runs.ended(run(index)).run, run(index));
    assert_eq!(runs.led_by(leader(index)), None);
    runs.finished(run(index), Exit::Code { code: 7 })
}

#[test]
fn a_freed_slot_goes_to_the_next_in_order() {
    let now = Instant::now();
    let mut runs = node(2, 5, now);
    assert_eq!(runs.held().len(), 5);
    assert!(!runs.has_next());
    runs.ended(run(1));
    assert_eq!(start_all(&mut runs, now), [2], "the slot is free before the run is finished");
    assert_eq!(runs.finished(run(1), Exit::Code { code: 0 }), Some(Exit::Code { code: 0 }));
    for index in [0, 2] {
        assert_eq!(exit(&mut runs, index), Some(Exit::Code { code: 7 }));
    }
    assert_eq!(start_all(&mut runs, now), [3, 4]);
    for index in [3, 4] {
        exit(&mut runs, index).unwrap();
    }
    assert!(runs.is_idle() && runs.held().is_empty() && !runs.has_leaders());
    assert_eq!(runs.next_deadline(), None);
}

#[test]
fn a_run_that_is_held_is_not_taken_twice() {
    let now = Instant::now();
    let mut runs = node(1, 2, now);
    for index in [0, 1] {
        assert_eq!(runs.give(run(index), &order(0)), Given::Ignored);
    }
    runs.ended(run(0));
    assert_eq!(runs.give(run(0), &order(0)), Given::Ignored, "finishing");
}

#[test]
fn a_full_queue_takes_no_more() {
    let mut runs: Runs<()> = Runs::new(1);
    for index in 0..u32::try_from(QUEUED_RUNS).unwrap() {
        assert_eq!(runs.give(run(index), &order(0)), Given::Queued);
    }
    assert_eq!(runs.give(run(u32::MAX), &order(0)), Given::Full);
}

#[test]
fn a_run_that_does_not_start_gives_its_slot_back() {
    let now = Instant::now();
    let mut runs = node(1, 0, now);
    runs.give(run(0), &order(0));
    runs.give(run(1), &order(0));
    runs.next().unwrap();
    assert!(!runs.has_next());
    assert!(runs.not_started(run(0)), "to be reported");
    assert_eq!(start_all(&mut runs, now), [1]);
}

#[test]
fn a_timeout_is_terminated_then_killed_and_says_so() {
    let now = Instant::now();
    let mut runs = node(2, 2, now);
    assert_eq!(runs.next_deadline(), Some(now + ms(100)));
    assert_eq!(runs.overdue(now + ms(99)), []);
    let late = now + ms(100);
    assert_eq!(runs.overdue(late), [due(0, TERM), due(1, TERM)]);
    assert_eq!(runs.overdue(late), []);
    assert_eq!(exit(&mut runs, 1), Some(Exit::TimedOut));
    assert_eq!(runs.next_deadline(), Some(late + GRACE));
    assert_eq!(runs.overdue(late + GRACE), [due(0, KILL)]);
    assert_eq!(runs.next_deadline(), None);
    assert_eq!(exit(&mut runs, 0), Some(Exit::TimedOut));
}

#[test]
fn without_a_time_there_is_no_timeout() {
    let now = Instant::now();
    let mut runs = node(1, 0, now);
    for (index, timeout) in [(0, 0), (1, u64::MAX)] {
        runs.give(run(index), &order(timeout));
        start_all(&mut runs, now);
        assert!(runs.next_deadline().is_none_or(|deadline| deadline > now + ms(1 << 40)));
        exit(&mut runs, index).unwrap();
    }
}

#[test]
fn a_kill_drops_what_waits_and_ends_what_runs() {
    let now = Instant::now();
    let mut runs = node(1, 2, now);
    assert_eq!(runs.kill(run(1), now), KillOutcome::Dropped);
    assert_eq!(runs.kill(run(1), now), KillOutcome::Nothing);
    assert_eq!(runs.kill(run(0), now), KillOutcome::Ending(Some(signal(0, TERM))));
    assert_eq!(runs.kill(run(0), now), KillOutcome::Ending(None), "asked twice");
    assert_eq!(runs.overdue(now + GRACE), [due(0, KILL)]);
    runs.ended(run(0));
    assert_eq!(runs.kill(run(0), now), KillOutcome::Nothing, "its process id is not its own any more");
    assert_eq!(runs.finished(run(0), Exit::Signal { signal: 9 }), Some(Exit::Killed));
}

#[test]
fn a_group_without_its_leader_keeps_its_grace() {
    let now = Instant::now();
    let mut runs = node(1, 2, now);
    assert_eq!(runs.led_by(leader(0)), Some((run(0), false)));
    runs.kill(run(0), now);
    assert_eq!(runs.led_by(leader(0)), Some((run(0), true)));
    runs.leader_gone(run(0), now);
    assert_eq!(runs.led_by(leader(0)), None, "the id may be another's");
    assert!(!runs.has_leaders() && !runs.has_next() && !runs.is_idle(), "it goes on and holds its slot");
    assert_eq!(runs.kill(run(0), now), KillOutcome::Ending(None));
    assert_eq!(runs.overdue(now + GROUP_LOOK), [look(0)]);
    assert_eq!(runs.overdue(now + GRACE), []);
    assert_eq!(runs.overdue(now + 2 * GROUP_LOOK), [due(0, KILL), look(0)]);
    assert_eq!(runs.overdue(now + 3 * GROUP_LOOK), [look(0)]);
    runs.ended(run(0));
    assert_eq!(runs.next_deadline(), None);
    assert_eq!(runs.finished(run(0), Exit::Code { code: 0 }), Some(Exit::Killed));
    assert_eq!(start_all(&mut runs, now), [1]);
}

#[test]
fn haste_reaches_a_group_without_its_leader() {
    let now = Instant::now();
    let mut runs = node(1, 1, now);
    runs.kill(run(0), now);
    runs.leader_gone(run(0), now);
    assert_eq!(runs.keep(&HashSet::new(), now).signals, [signal(0, KILL)]);
    assert_eq!(runs.overdue(now), [look(0)]);
    runs.ended(run(0));
    assert_eq!(runs.finished(run(0), Exit::Killed), None);
}

#[test]
fn a_kill_after_a_timeout_leaves_the_cause() {
    let now = Instant::now();
    let mut runs = node(1, 1, now);
    runs.overdue(now + ms(100));
    assert_eq!(runs.kill(run(0), now + ms(101)), KillOutcome::Ending(None));
    assert_eq!(runs.close(false, now + ms(102)).0, [signal(0, KILL)], "haste grows");
    assert_eq!(exit(&mut runs, 0), Some(Exit::TimedOut));
}

#[test]
fn what_is_wanted_of_a_starting_run_waits_for_its_process() {
    let now = Instant::now();
    let mut runs = node(3, 0, now);
    for index in 0..3 {
        runs.give(run(index), &order(100));
        runs.next().unwrap();
    }
    assert_eq!(runs.kill(run(0), now), KillOutcome::Ending(None));
    let kept = HashSet::from([run(0), run(2)]);
    assert_eq!(runs.keep(&kept, now), Reconciled { signals: vec![], missing: vec![] });
    assert_eq!(runs.started(run(0), leader(0), now, (), None), (Some(signal(0, TERM)), true));
    assert_eq!(runs.started(run(1), leader(1), now, (), None), (Some(signal(1, KILL)), false));
    let aborted = runs.started(run(2), leader(2), now, (), Some("disk full".to_owned()));
    assert_eq!(aborted, (Some(signal(2, KILL)), false));
    assert_eq!(exit(&mut runs, 0), Some(Exit::Killed));
    assert_eq!(exit(&mut runs, 1), None);
    assert_eq!(exit(&mut runs, 2), Some(Exit::NotStarted { reason: "disk full".to_owned() }));
}

#[test]
fn only_what_waits_can_be_revoked() {
    let now = Instant::now();
    let mut runs = node(1, 2, now);
    assert!(!runs.revoke(run(0)));
    assert!(runs.revoke(run(1)));
    assert!(!runs.revoke(run(1)));
    assert_eq!(runs.held(), [run(0)]);
}

#[test]
fn what_nobody_believes_in_is_ended_and_forgotten() {
    let now = Instant::now();
    let mut runs = node(2, 5, now);
    let believed = HashSet::from([run(0), run(3), run(8), run(9)]);
    let reconciled = runs.keep(&believed, now);
    assert_eq!(reconciled.signals, [signal(1, KILL)]);
    assert_eq!(reconciled.missing, [run(8), run(9)]);
    assert_eq!(runs.held(), [run(0), run(3)]);
    assert!(!runs.has_next(), "the forgotten one holds its slot until it is dead");
    assert_eq!(exit(&mut runs, 1), None);
    assert_eq!(start_all(&mut runs, now), [3]);
}

#[test]
fn a_forgotten_run_that_is_believed_again_stays_forgotten() {
    let now = Instant::now();
    let mut runs = node(1, 1, now);
    runs.keep(&HashSet::new(), now);
    assert_eq!(runs.keep(&HashSet::from([run(0)]), now).missing, [run(0)]);
    assert_eq!(exit(&mut runs, 0), None);
}

#[test]
fn closing_ends_all_and_takes_no_more() {
    let now = Instant::now();
    for (grace, expected) in [(true, TERM), (false, KILL)] {
        let mut runs = node(1, 3, now);
        assert_eq!(runs.longest_grace(), GRACE);
        let (signals, queued) = runs.close(grace, now);
        assert_eq!(signals, [signal(0, expected)]);
        assert_eq!(queued, [run(1), run(2)]);
        assert_eq!(runs.give(run(4), &order(0)), Given::Ignored);
        assert_eq!(exit(&mut runs, 0), Some(Exit::Killed));
        assert!(runs.is_idle() && !runs.has_next());
    }
}
