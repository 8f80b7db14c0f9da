//! The settings of a hub in a cluster.

use std::path::PathBuf;

use crate::auth::Secret;

/// How the NATS servers are reached.
#[derive(Debug, Clone)]
pub struct NatsAccess {
    /// At least one address.
    pub servers: Vec<String>,
    pub user: Option<(String, Secret)>,
    pub token: Option<Secret>,
    /// Authorities of the servers' certificates; `None`: those that the machine trusts.
    pub ca_file: Option<PathBuf>,
    /// Certificate and key of this client.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// Address of a server's monitoring port.
    pub monitor_url: Option<String>,
}

/// Settings that must be the same on all hubs, because they decide what records do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedValues {
    pub zone: String,
    /// Working hours until an admin saves others, as JSON.
    pub hours: String,
    pub updates_retained: u32,
}

/// The settings of a hub in a cluster.
#[derive(Debug, Clone)]
pub struct ClusterSettings {
    pub access: NatsAccess,
    /// Name of the stream and first part of all subjects.
    pub name: String,
    /// Name of this hub, unique in the cluster.
    pub node: String,
    /// Address at which other hubs reach this one.
    pub node_url: Option<String>,
    /// Lets other hubs fetch a copy of the database.
    pub secret: Option<Secret>,
    /// Days that the stream keeps records.
    pub retain_days: u32,
    pub shared: SharedValues,
}

impl ClusterSettings {
    /// The subject of what a hub tells the others beside records. It is not one of the stream's, so it is not stored.
    pub fn told_subject(&self, topic: &str, node: &str) -> String {
        format!("told.{}.{topic}.{node}", self.name)
    }

    /// The subject on which hubs tell each other digests of what they stored. It is not one of the stream's either.
    pub fn compared_subject(&self) -> String {
        format!("compared.{}", self.name)
    }

    /// The subject of records of a kind.
    pub fn subject(&self, kind: &str) -> String {
        format!("hub.{}.{kind}", self.name)
    }
}
