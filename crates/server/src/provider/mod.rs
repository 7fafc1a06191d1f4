//! Where nodes come from.
//!
//! A provider makes nodes and ends them, and knows nothing of jobs; [`crate::nodes`] decides when. Every provider's
//! nodes run the same agent, which finds its own way to the server.

pub(crate) mod everywhere;
pub(crate) mod local;
mod process;

use kernel::id::NodeId;
use kernel::instance::RunId;

/// What makes and ends nodes. All calls may block, and may be repeated without harm.
pub(crate) trait Provider: Send + Sync + 'static {
    /// Makes a node and starts its agent; a node that is there already stays.
    fn create(&self, node: &NewNode) -> Result<(), CreateError>;

    /// Ends a node's agent and all that it runs, and returns when they are dead. Which of its runs had begun, as far
    /// as its journal tells.
    fn end(&self, node: NodeId) -> std::io::Result<Vec<RunId>>;

    /// [`end`](Self::end)s a node whose agent was told to end by itself, after it had time to.
    fn stop(&self, node: NodeId) -> std::io::Result<Vec<RunId>>;

    /// [`stop`](Self::stop)s a node and removes what there is of it.
    fn destroy(&self, node: NodeId) -> std::io::Result<Vec<RunId>>;

    /// The nodes that there are, in whatever state.
    fn list(&self) -> std::io::Result<Vec<NodeId>>;

    /// Whether a node's agent lives, as far as can be told here.
    fn lives(&self, node: NodeId) -> bool;

    /// Whether this is the secret of a node's agent; there may be no such node.
    fn is_credential(&self, node: NodeId, shown: &str) -> bool;
}

/// A node to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NewNode {
    pub(crate) id: NodeId,
    /// Instances at once.
    pub(crate) slots: u32,
    /// What its instances may use together; `None`: all that the machine has.
    pub(crate) size: Option<Size>,
}

/// How much of a machine a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// Cores.
    pub(crate) cpu: u32,
    /// Memory in GiB.
    pub(crate) mem_gb: u32,
}

/// Why a node was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CreateError {
    /// There are as many nodes as there may be.
    #[error("capacity: this machine takes {0} nodes")]
    Capacity(usize),
    /// Its type is larger than this machine.
    #[error(
        "type: {} cores and {} GiB are more than this machine has: {} cores and {} GiB",
        wanted.cpu, wanted.mem_gb, has.cpu, has.mem_gb
    )]
    TooLarge { wanted: Size, has: Size },
    /// The machine that is attached as that node is not connected.
    #[error("the attached machine is away")]
    Away(#[source] std::io::Error),
    /// Its folder or its process could not be made.
    #[error("failed to {what}")]
    Failed {
        what: &'static str,
        #[source]
        source: std::io::Error,
    },
}
