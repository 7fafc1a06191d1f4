//! Samples of what runs use: kept of runs that go on, as many as there is room for, and told to nobody.

use std::sync::Arc;

use crate::change::What;
use crate::command::Reply;
use crate::decide::Draft;
use crate::id::NodeId;
use crate::instance::Stage;
use crate::limits::{RUN_SAMPLES, SAMPLE_DISKS, SAMPLED_ATTEMPTS};
use crate::sample::{Sample, WHOLE};

pub(super) fn samples(draft: &mut Draft<'_>, node: NodeId, samples: Vec<Sample>) -> Reply {
    for sample in samples {
        if goes_on(draft, node, &sample) && sample.number < RUN_SAMPLES {
            keep(draft, sample);
        }
    }
    Reply::Done
}

/// Whether the sample is of a run that goes on there. What comes later than a run's end is passed over.
fn goes_on(draft: &Draft<'_>, node: NodeId, sample: &Sample) -> bool {
    draft.state.instance(sample.run.instance()).is_some_and(|instance| {
        let started = matches!(instance.stage, Stage::Held { node: holder, started: true, .. } if holder == node);
        started && instance.attempt == sample.run.attempt
    })
}

fn keep(draft: &mut Draft<'_>, sample: Sample) {
    let run = sample.run;
    if sample.number == 0 && run.attempt > SAMPLED_ATTEMPTS {
        draft.record(What::SamplesDropped(run.instance(), run.attempt - SAMPLED_ATTEMPTS));
    }
    let mut disks = sample.disks;
    disks.truncate(SAMPLE_DISKS);
    disks.iter_mut().for_each(|(_, used)| *used = (*used).min(WHOLE));
    let (cpu, mem) = (sample.cpu.min(WHOLE), sample.mem.min(WHOLE));
    let at = sample.at.min(draft.now);
    draft.record(What::SampleTaken(Arc::new(Sample { at, cpu, mem, disks, ..sample })));
}

#[cfg(test)]
mod tests {
    use crate::command::{Command, ExitHow};
    use crate::instance::RunId;
    use crate::testing::{World, job};
    use crate::time::Timestamp;

    use super::*;

    fn sample(run: RunId, number: u32) -> Sample {
        let disks = vec![("vda".to_owned(), 20_000); SAMPLE_DISKS + 1];
        Sample { run, number, at: Timestamp::NEVER, cpu: 20_000, mem: 7, disks, net: None }
    }

    /// What became of samples: those taken, and the attempts up to which others were dropped.
    fn given(world: &mut World, node: NodeId, samples: Vec<Sample>) -> (Vec<Arc<Sample>>, Vec<u32>) {
        let before = world.changes.len();
        world.run(Command::TakeSamples(node, samples)).unwrap();
        let (mut taken, mut dropped) = (Vec::new(), Vec::new());
        for change in &world.changes[before..] {
            match &change.what {
                What::SampleTaken(sample) => taken.push(sample.clone()),
                What::SamplesDropped(_, attempt) => dropped.push(*attempt),
                other => panic!("{other:?}"),
            }
        }
        (taken, dropped)
    }

    #[test]
    fn only_a_run_that_goes_on_there_is_sampled() {
        let mut world = World::new(1);
        let env = world.env(2, vec![]);
        world.submit(job(env, &[("a", 1)]));
        let (node, run) = world.held()[0];
        let other = world.nodes(env).into_iter().find(|other| *other != node).unwrap();
        assert_eq!(given(&mut world, node, vec![sample(run, 0)]).0, [], "it has not begun");
        world.start(node, run);
        assert_eq!(given(&mut world, other, vec![sample(run, 0)]).0, [], "another node's");
        let wrong = RunId { attempt: run.attempt + 1, ..run };
        assert_eq!(given(&mut world, node, vec![sample(wrong, 0)]).0, [], "another attempt's");
        let gone = RunId { index: 9, ..run };
        assert_eq!(given(&mut world, node, vec![sample(gone, 0), sample(run, RUN_SAMPLES)]).0, [], "too many");
        let taken = given(&mut world, node, vec![sample(run, 0), sample(run, RUN_SAMPLES - 1)]).0;
        assert_eq!(taken.len(), 2);
        let first = &taken[0];
        assert_eq!((first.cpu, first.mem, first.disks.len(), first.disks[0].1), (WHOLE, 7, SAMPLE_DISKS, WHOLE));
        assert_eq!(first.at, world.now, "never later than it is");
        world.exit(node, run, ExitHow::Code(0));
        assert_eq!(given(&mut world, node, vec![sample(run, 2)]).0, [], "it has ended");
    }

    #[test]
    fn samples_of_the_last_attempts_are_kept() {
        let mut world = World::new(1);
        let env = world.env(1, vec![]);
        let mut spec = job(env, &[("a", 1)]);
        spec.tasks[0].retries = 100;
        world.submit(spec);
        for attempt in 1..=SAMPLED_ATTEMPTS + 2 {
            let (node, run) = world.held()[0];
            world.start(node, run);
            let (taken, dropped) = given(&mut world, node, vec![sample(run, 0), sample(run, 1)]);
            assert_eq!(taken.len(), 2);
            let expected: Vec<u32> = attempt.checked_sub(SAMPLED_ATTEMPTS).filter(|n| *n > 0).into_iter().collect();
            assert_eq!(dropped, expected, "attempt {attempt}");
            world.exit(node, run, ExitHow::Code(1));
        }
    }
}
