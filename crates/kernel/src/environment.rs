//! A compute environment: a set of nodes of one kind.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event::{Notification, Outlets};
use crate::id::EnvId;
use crate::setup::{Input, StorageKey};
use crate::task::TaskKey;
use crate::time::Timestamp;

/// What was asked for, checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnvSpec {
    /// Instance types, in the order they are tried.
    pub instance_types: Vec<NodeType>,
    /// Which events go to which topics.
    pub notifications: Vec<Notification>,
    /// Tags, as pairs of key and value.
    pub tags: Vec<(String, String)>,
    /// The zone.
    pub zone: String,
    /// Whether lost nodes are made anew.
    pub recreate: bool,
    /// How often a node is made anew before that is given up.
    pub max_recreations: u64,
    /// Remote folders that every run on its nodes finds there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Input>,
    /// The key that they are read with, where it is not the installation's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<StorageKey>,
    /// The request as it was sent, as JSON text, for those who ask for it again.
    pub document: String,
}

/// What a node of an instance type has to offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeType {
    /// The type's name, such as `S5.LARGE8` or `local`.
    pub name: String,
    /// Cores.
    pub cpu: u32,
    /// Memory in GiB.
    pub mem_gb: u32,
    /// Instances at once.
    pub slots: u32,
}

/// An environment as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Env {
    /// Its id.
    pub id: EnvId,
    /// The task that it was made for, of which its nodes are; `None`: somebody made it. One that has an owner is in no
    /// list and has no events of its own; its nodes' events are its owner's.
    pub owner: Option<TaskKey>,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// What was asked for.
    pub spec: Arc<EnvSpec>,
    /// How many nodes it is to have.
    pub desired: u64,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// When it was made.
    pub created: Timestamp,
    /// How many events each topic has had of it.
    pub outlets: Outlets,
}
