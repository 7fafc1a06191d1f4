//! The machines that joined, and the nodes that they are.

use std::sync::Arc;

use super::State;
use crate::id::MachineId;
use crate::machine::Machine;
use crate::node::Node;

impl State {
    /// A machine that joined.
    #[must_use]
    pub fn machine(&self, id: MachineId) -> Option<&Arc<Machine>> {
        self.machines.get(&id)
    }

    /// All machines that joined.
    pub fn machines(&self) -> impl Iterator<Item = &Arc<Machine>> {
        self.machines.iter().map(|(_, machine)| machine)
    }

    /// The node that a machine is attached as.
    #[must_use]
    pub fn node_on(&self, machine: MachineId) -> Option<&Arc<Node>> {
        self.nodes().find(|node| node.attached && node.machine == machine)
    }
}
