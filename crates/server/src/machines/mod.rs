//! Machines that joined: which of them are connected, and what they are asked to do.
//!
//! A machine [connects](socket) and does what it is asked to, one deed after another. Its part is no more than a
//! provider's: it starts and ends the agent of the node that it is attached as. That agent connects to the gateway
//! itself, as every node's does.

mod here;
mod socket;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::mpsc as blocking;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kernel::id::{MachineId, NodeId};
use kernel::instance::RunId;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::mpsc;
use wire::machine::Deed;

pub use here::{Joining, MachineError, run};
pub(crate) use socket::{MachineState, router};

/// Characters of a machine's credential, which it draws for itself.
const CREDENTIAL_CHARS: usize = 40;

/// The machines that are connected.
#[derive(Debug, Default)]
pub(crate) struct Machines {
    links: Mutex<BTreeMap<MachineId, Link>>,
}

#[derive(Debug)]
struct Link {
    /// Tells connections of one machine apart.
    number: u64,
    since: Instant,
    asks: mpsc::UnboundedSender<Ask>,
}

/// A deed that a machine is asked for. Each node has at most one at a time, so they need no bound of their own.
#[derive(Debug)]
struct Ask {
    node: NodeId,
    deed: Deed,
    answer: blocking::SyncSender<Result<Done, String>>,
}

/// A deed that a machine has done.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// Which runs of the node had begun, where its agent was ended.
    pub(crate) begun: Vec<RunId>,
    /// Whether the node's agent lives.
    pub(crate) lives: bool,
}

impl Machines {
    /// The machines that are connected.
    pub(crate) fn connected(&self) -> BTreeSet<MachineId> {
        self.lock().keys().copied().collect()
    }

    /// For how long a machine has been connected; `None`: it is not.
    pub(crate) fn connected_for(&self, machine: MachineId) -> Option<Duration> {
        self.lock().get(&machine).map(|link| link.since.elapsed())
    }

    /// Has a machine do something, and waits for it.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotConnected`]: the machine is not there; others: it is, and could not do it.
    pub(crate) fn ask(&self, machine: MachineId, node: NodeId, deed: Deed, within: Duration) -> io::Result<Done> {
        let away = || io::Error::new(io::ErrorKind::NotConnected, format!("machine {machine} is not connected"));
        let (answer, answered) = blocking::sync_channel(1);
        let asks = self.lock().get(&machine).map(|link| link.asks.clone()).ok_or_else(away)?;
        asks.send(Ask { node, deed, answer }).map_err(|_| away())?;
        match answered.recv_timeout(within) {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(reason)) => Err(io::Error::other(reason)),
            Err(blocking::RecvTimeoutError::Disconnected) => Err(away()),
            Err(blocking::RecvTimeoutError::Timeout) => {
                Err(io::Error::new(io::ErrorKind::TimedOut, format!("machine {machine} did not answer in time")))
            }
        }
    }

    /// Takes a connection of a machine in, in place of an earlier one.
    fn enter(&self, machine: MachineId) -> (u64, mpsc::UnboundedReceiver<Ask>) {
        let (asks, asked) = mpsc::unbounded_channel();
        let mut links = self.lock();
        let number = links.get(&machine).map_or(1, |link| link.number + 1);
        links.insert(machine, Link { number, since: Instant::now(), asks });
        (number, asked)
    }

    fn leave(&self, machine: MachineId, number: u64) {
        let mut links = self.lock();
        if links.get(&machine).is_some_and(|link| link.number == number) {
            links.remove(&machine);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<MachineId, Link>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is kept of a credential, and of a token. It is a long word drawn at random, so that a plain digest does not give it away.
pub(crate) fn digest(credential: &str) -> String {
    Sha256::digest(credential).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a credential is the one with this digest.
pub(crate) fn has_digest(credential: &str, kept: &str) -> bool {
    digest(credential).as_bytes().ct_eq(kept.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHIN: Duration = Duration::from_secs(60);

    #[test]
    fn a_machine_that_is_not_there_is_asked_in_vain() {
        let machines = Machines::default();
        let ask = || machines.ask(MachineId::FIRST, NodeId::FIRST, Deed::Look, WITHIN).unwrap_err().kind();
        assert_eq!(ask(), io::ErrorKind::NotConnected);
        let (number, asked) = machines.enter(MachineId::FIRST);
        assert_eq!(machines.connected(), BTreeSet::from([MachineId::FIRST]));
        drop(asked);
        assert_eq!(ask(), io::ErrorKind::NotConnected);
        machines.leave(MachineId::FIRST, number + 1);
        assert!(machines.connected_for(MachineId::FIRST).is_some(), "another connection has ended");
        machines.leave(MachineId::FIRST, number);
        assert_eq!(machines.connected_for(MachineId::FIRST), None);
    }

    #[test]
    fn what_a_machine_answers_is_told() {
        let machines = Machines::default();
        let (_, mut asked) = machines.enter(MachineId::FIRST);
        let answers = std::thread::spawn(move || {
            asked.blocking_recv().unwrap().answer.send(Ok(Done { lives: true, ..Done::default() })).unwrap();
            asked.blocking_recv().unwrap().answer.send(Err("no room".into())).unwrap();
        });
        let ask = || machines.ask(MachineId::FIRST, NodeId::FIRST, Deed::Look, WITHIN);
        assert!(ask().unwrap().lives);
        assert_eq!(ask().unwrap_err().to_string(), "no room");
        answers.join().unwrap();
    }

    #[test]
    fn credentials_are_compared_whole() {
        assert!(has_digest("word", &digest("word")) && !has_digest("words", &digest("word")));
    }
}
