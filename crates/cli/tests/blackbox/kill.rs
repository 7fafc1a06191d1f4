//! A server killed at any moment goes on where it was: no event is lost, none is invented, and the instances that
//! were running never notice.
//!
//! Jobs of 200 instances run while the server is killed, again and again, at moments that a seed chooses. The queue is
//! read through the CMQ client; the callbacks arrive at a receiver that outlives the server. `Sequence` proves that
//! both got everything. `HERALD_KILL_ROUNDS` sets the number of kills, `HERALD_KILL_SEED` the seed.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::index::sample;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::support::events::{Log, drain, event, simplified};
use crate::support::official::Official;
use crate::support::receiver::{Callback, Receiver};
use crate::support::requests::{
    JOB_EVENTS, notifications, running_environment, submit, subscribe, task, topic_with_queue, wait_for_job,
    wait_for_nodes,
};
use crate::support::server::Server;

const INSTANCES: u64 = 200;
/// RUNNING and SUCCEED of the job, of its task, and of every instance.
const EVENTS: usize = 2 + 2 + 2 * INSTANCES as usize;
const NODES: u64 = 4;
/// Kills during one job; more rounds take more jobs.
const KILLS_A_JOB: usize = 10;
/// The kill comes up to so many microseconds after the event that it waits for: within the next commits.
const MOMENT_US: u64 = 40_000;

/// A server under trial, and who watches it.
struct Trial {
    server: Server,
    official: Official,
    receiver: Receiver,
    env: String,
    moments: StdRng,
}

/// One job of a trial, and the messages taken from its queue so far.
struct Job {
    id: String,
    /// The names of its topic, its queue and the path of its callbacks.
    name: String,
    taken: Vec<String>,
}

#[test]
#[expect(clippy::print_stderr, reason = "the seed is shown when the test fails")]
fn a_killed_server_goes_on_and_every_event_arrives() {
    let rounds = setting("HERALD_KILL_ROUNDS", 10);
    let seed = setting("HERALD_KILL_SEED", 20_250_301);
    eprintln!("{rounds} kills, HERALD_KILL_SEED={seed}");
    let mut trial = Trial::start(seed);
    let mut left = usize::try_from(rounds).expect("a number of rounds");
    let mut number = 0;
    while left > 0 {
        let kills = left.min(KILLS_A_JOB);
        trial.job_with_kills(&format!("job-{number}"), kills);
        left -= kills;
        number += 1;
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number: {text}")))
}

impl Trial {
    fn start(seed: u64) -> Self {
        let server = Server::start();
        let mut official = server.official();
        let env = running_environment(&mut official, NODES);
        Self { server, official, receiver: Receiver::start(), env, moments: StdRng::seed_from_u64(seed) }
    }

    /// Runs one job, killing the server so many times meanwhile, and checks everything at its end.
    fn job_with_kills(&mut self, name: &str, kills: usize) {
        let mut job = self.submit(name);
        // Never at the very end, so that there is always something left to go on with.
        let mut moments = sample(&mut self.moments, EVENTS - 10, kills).into_vec();
        moments.sort_unstable();
        for moment in moments {
            self.kill_after(&mut job, moment);
        }
        let view = wait_for_job(&mut self.official, &job.id, &["SUCCEED"]);
        assert_eq!(view["TaskInstanceMetrics"]["SucceedCount"], INSTANCES, "{view}");
        self.assert_all_arrived(job);
        self.assert_started_once(name);
        wait_for_nodes(&mut self.official, &self.env, NODES);
    }

    fn submit(&mut self, name: &str) -> Job {
        topic_with_queue(&mut self.official, name, name);
        let url = self.receiver.url(&format!("/{name}"));
        subscribe(&mut self.official, name, "by-post", "http", &url, "SIMPLIFIED");
        let notes = self.server.folder().join(name);
        let notes = notes.display();
        let command = format!(
            "echo start $BATCH_TASK_INSTANCE_INDEX >> {notes}; sleep 0.$((BATCH_TASK_INSTANCE_INDEX % 3)); \
             echo end $BATCH_TASK_INSTANCE_INDEX >> {notes}"
        );
        let tasks = [task("work", &self.env, &command, INSTANCES)];
        let job = json!({"JobName": name, "Tasks": tasks, "Notifications": notifications(name, &JOB_EVENTS)});
        let id = submit(&mut self.official, &job);
        Job { id, name: name.to_owned(), taken: Vec::new() }
    }

    /// Kills the server a moment after so many of the job's callbacks have come, starts it again, and checks that it
    /// knows what it had told.
    fn kill_after(&mut self, job: &mut Job, callbacks: usize) {
        let path = format!("/{}", job.name);
        self.receiver.wait_for(&format!("{callbacks} different callbacks"), |arrived| {
            (different(arrived, &path) >= callbacks).then_some(())
        });
        let held = self.official.cmq("batch_receive", json!({"queue": job.name, "number": 16, "wait": 0}));
        // Not waiting for anything: where in a commit the kill falls is what the seed is to vary.
        std::thread::sleep(Duration::from_micros(self.moments.random_range(0..MOMENT_US)));
        let told = self.callbacks(job);
        self.server.kill9();
        self.server.restart();
        self.official.turn_to(self.server.address());
        self.assert_known(job, &told);

        let Ok(messages) = held else { return };
        let messages = messages.as_array().expect("a list of messages").clone();
        let handles: Vec<&Value> = messages.iter().map(|message| &message["receiptHandle"]).collect();
        let request = json!({"queue": job.name, "handles": handles});
        self.official.cmq("batch_delete", request).expect("a handle outlives the server that gave it");
        job.taken.extend(messages.iter().map(|message| message["msgBody"].as_str().expect("a text").to_owned()));
    }

    fn callbacks(&self, job: &Job) -> Log {
        let path = format!("/{}", job.name);
        let arrived = self.receiver.arrived();
        Log::of(&job.id, arrived.iter().filter(|callback| callback.path == path).map(simplified))
    }

    /// The API shows every state that was told before the server was killed, or a later one.
    fn assert_known(&mut self, job: &Job, told: &Log) {
        let states = self.instance_states(job);
        for index in told.indexes("TASK_INSTANCE_SUCCEED") {
            assert_eq!(states[usize::try_from(index).expect("an index")], "SUCCEED", "instance {index} of {}", job.id);
        }
        for index in told.indexes("TASK_INSTANCE_RUNNING") {
            let state = &states[usize::try_from(index).expect("an index")];
            assert!(["RUNNING", "SUCCEED"].contains(&state.as_str()), "instance {index} of {}: {state}", job.id);
        }
    }

    /// The states of the job's instances, by index.
    fn instance_states(&mut self, job: &Job) -> Vec<String> {
        let request = json!({"JobId": job.id, "TaskName": "work", "Limit": 1000});
        let view = self.official.batch("DescribeTask", request).expect("the job exists");
        let instances = view["TaskInstanceSet"].as_array().expect("a list").clone();
        assert_eq!(instances.len() as u64, INSTANCES, "{view}");
        instances.iter().map(|instance| instance["TaskInstanceState"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Both subscribers got every event, the same ones, and the API agrees with them.
    fn assert_all_arrived(&mut self, job: Job) {
        let path = format!("/{}", job.name);
        self.receiver.wait_for("every callback", |arrived| (different(arrived, &path) >= EVENTS).then_some(()));
        let posted = self.callbacks(&job);
        posted.assert_whole(EVENTS);

        let mut texts = job.taken.clone();
        let missing = EVENTS - texts.iter().collect::<BTreeSet<_>>().len();
        texts.extend(drain(&mut self.official, &job.name, |texts| texts.len() >= missing));
        let queued = Log::of(&job.id, texts.iter().map(|text| event(text)));
        queued.assert_whole(EVENTS);
        assert!(queued.events().eq(posted.events()), "the queue and the callbacks hold the same events");

        let every: Vec<u64> = (0..INSTANCES).collect();
        assert_eq!(queued.indexes("TASK_INSTANCE_RUNNING"), every);
        assert_eq!(queued.indexes("TASK_INSTANCE_SUCCEED"), every);
        assert!(self.instance_states(&job).iter().all(|state| state == "SUCCEED"));
        assert_eq!(queued.names().last(), Some(&"JOB_SUCCEED"));
    }

    /// Every instance ran once, from its start to its end: none was killed with the server, none was run again.
    fn assert_started_once(&self, name: &str) {
        let notes = fs::read_to_string(self.server.folder().join(name)).expect("the instances wrote notes");
        let mut lines: Vec<&str> = notes.lines().collect();
        lines.sort_unstable();
        let both = (0..INSTANCES).flat_map(|index| [format!("end {index}"), format!("start {index}")]);
        let mut wanted: Vec<String> = both.collect();
        wanted.sort_unstable();
        assert_eq!(lines, wanted);
    }
}

/// How many different texts have come to `path`.
fn different(arrived: &[Callback], path: &str) -> usize {
    let texts: BTreeSet<&str> =
        arrived.iter().filter(|callback| callback.path == path).map(|callback| callback.body.as_str()).collect();
    texts.len()
}
