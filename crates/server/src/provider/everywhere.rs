//! Nodes on this machine and on those that are attached: whose it is, the state says.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use kernel::id::{MachineId, NodeId};
use kernel::instance::RunId;
use wire::machine::Deed;

use super::local::LocalProvider;
use super::{CreateError, NewNode, Provider};
use crate::app::StateCell;
use crate::machines::{Done, Machines, has_digest};

/// How long a machine may take for a deed.
const DEED: Duration = Duration::from_secs(30);
/// How long it may take to say whether an agent lives.
const LOOK: Duration = Duration::from_secs(2);

/// Asks the machine that a node is on.
pub(crate) struct Everywhere {
    pub(crate) local: LocalProvider,
    pub(crate) machines: Arc<Machines>,
    pub(crate) state: Arc<StateCell>,
}

impl Provider for Everywhere {
    fn create(&self, node: &NewNode) -> Result<(), CreateError> {
        let Some(machine) = self.machine(node.id) else { return self.local.create(node) };
        match self.machines.ask(machine, node.id, Deed::Create { slots: node.slots }, DEED) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Err(CreateError::Away(error)),
            Err(source) => Err(CreateError::Failed { what: "start the agent on the attached machine", source }),
        }
    }

    fn end(&self, node: NodeId) -> io::Result<Vec<RunId>> {
        self.elsewhere(node, Deed::End, |local| local.end(node))
    }

    fn stop(&self, node: NodeId) -> io::Result<Vec<RunId>> {
        self.elsewhere(node, Deed::Stop, |local| local.stop(node))
    }

    fn destroy(&self, node: NodeId) -> io::Result<Vec<RunId>> {
        self.elsewhere(node, Deed::Destroy, |local| local.destroy(node))
    }

    /// Those on this machine. Others say at their connection which they have.
    fn list(&self) -> io::Result<Vec<NodeId>> {
        self.local.list()
    }

    fn lives(&self, node: NodeId) -> bool {
        match self.machine(node) {
            // Where nobody can look, nobody can say that it does not.
            Some(machine) => self.machines.ask(machine, node, Deed::Look, LOOK).map_or(true, |done| done.lives),
            None => self.local.lives(node),
        }
    }

    fn is_credential(&self, node: NodeId, shown: &str) -> bool {
        let Some(machine) = self.machine(node) else { return self.local.is_credential(node, shown) };
        self.state.get().machine(machine).is_some_and(|machine| has_digest(shown, &machine.credential))
    }
}

impl Everywhere {
    /// The machine that a node is, if it was attached.
    fn machine(&self, node: NodeId) -> Option<MachineId> {
        self.state.get().node(node).filter(|node| node.attached).map(|node| node.machine)
    }

    fn elsewhere(
        &self,
        node: NodeId,
        deed: Deed,
        here: impl FnOnce(&LocalProvider) -> io::Result<Vec<RunId>>,
    ) -> io::Result<Vec<RunId>> {
        match self.machine(node) {
            Some(machine) => self.machines.ask(machine, node, deed, DEED).map(|Done { begun, .. }| begun),
            None => here(&self.local),
        }
    }
}
