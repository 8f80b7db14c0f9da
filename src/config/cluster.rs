//! The settings of a hub in a cluster.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::parse::{Reader, number, secret, web_address};
use super::table::Config;
use crate::auth::Secret;
use crate::cluster::{ClusterSettings, NatsAccess, SharedValues};

/// The secret opens everything that is stored, so it must not be guessed.
const SECRET_BYTES_MIN: usize = 32;
/// The longest name of a cluster or a hub, which is a part of subjects.
const NAME_CHARS_MAX: usize = 64;
const RETAIN_DAYS: RangeInclusive<u32> = 1..=365;

impl Reader<'_> {
    /// The cluster that this hub is part of; all of it is checked whether there is one or not.
    pub(super) fn cluster(&mut self) -> Option<ClusterSettings> {
        let servers = self.parse("NATS_URL", servers);
        let access = self.nats_access();
        let name = self.parse("CLUSTER_NAME", plain_name);
        let node = self.parse("NODE_NAME", plain_name);
        let node_url = self.parse("NODE_URL", web_address);
        let cluster_secret = self.cluster_secret();
        let retain_days = number(RETAIN_DAYS)(self, "CLUSTER_RETAIN_DAYS");
        let servers = servers?;
        if self.text("NODE_NAME").is_none() {
            self.problems.push("NATS_URL: needs NODE_NAME, the name of this hub in the cluster".to_owned());
        }
        Some(ClusterSettings {
            access: NatsAccess { servers, ..access },
            name: name?,
            node: node?,
            node_url,
            secret: cluster_secret,
            retain_days: retain_days?,
            // Filled in once all settings are read.
            shared: SharedValues { zone: String::new(), hours: String::new(), updates_retained: 0 },
        })
    }

    fn nats_access(&mut self) -> NatsAccess {
        let (user, password) = (self.text("NATS_USER"), secret(self, "NATS_PASSWORD"));
        let token = secret(self, "NATS_TOKEN");
        let files =
            ["NATS_CA_FILE", "NATS_CERT_FILE", "NATS_KEY_FILE"].map(|name| self.parse(name, readable));
        let [ca_file, certificate, key] = files;
        let monitor_url = self.parse("NATS_MONITOR_URL", web_address);
        for (one, other) in [("NATS_USER", "NATS_PASSWORD"), ("NATS_CERT_FILE", "NATS_KEY_FILE")] {
            match (self.text(one).is_some(), self.text(other).is_some()) {
                (true, false) => self.problems.push(format!("{one}: needs {other}")),
                (false, true) => self.problems.push(format!("{other}: needs {one}")),
                (true, true) | (false, false) => {}
            }
        }
        if user.is_some() && token.is_some() {
            self.problems.push("NATS_TOKEN: set either this, or NATS_USER and NATS_PASSWORD".to_owned());
        }
        NatsAccess {
            servers: Vec::new(),
            user: user.map(str::to_owned).zip(password),
            token,
            ca_file,
            certificate: certificate.zip(key),
            monitor_url,
        }
    }

    fn cluster_secret(&mut self) -> Option<Secret> {
        let secret = secret(self, "CLUSTER_SECRET")?;
        if secret.expose().len() < SECRET_BYTES_MIN {
            self.problems.push(format!("CLUSTER_SECRET: must have at least {SECRET_BYTES_MIN} bytes"));
        }
        Some(secret)
    }
}

impl Config {
    /// The settings of the cluster, with those that must be the same on all of its hubs.
    pub fn cluster_settings(&self) -> Option<ClusterSettings> {
        let hours = serde_json::to_string(&self.editable_defaults().business_hours).unwrap_or_default();
        let shared = SharedValues {
            zone: self.zone.iana_name().unwrap_or("UTC").to_owned(),
            hours,
            updates_retained: self.updates_retained,
        };
        self.cluster.clone().map(|cluster| ClusterSettings { shared, ..cluster })
    }
}

/// Addresses of NATS servers: `nats://host:4222`, `tls://host:4222` or `host:4222`.
fn servers(text: &str) -> Result<Vec<String>, String> {
    let servers: Vec<String> = text.split(',').map(|server| server.trim().to_owned()).collect();
    for server in &servers {
        let address =
            server.strip_prefix("nats://").or_else(|| server.strip_prefix("tls://")).unwrap_or(server);
        if address.is_empty() || address.contains('/') || address.contains('@') {
            return Err(format!("{server:?} is not an address like nats://host:4222"));
        }
    }
    Ok(servers)
}

/// A name that can be a part of a subject, and of a file.
fn plain_name(text: &str) -> Result<String, String> {
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !is_plain || text.is_empty() || text.len() > NAME_CHARS_MAX {
        return Err(format!("must have 1 to {NAME_CHARS_MAX} letters, digits, - and _"));
    }
    Ok(text.to_owned())
}

fn readable(path: &str) -> Result<PathBuf, String> {
    std::fs::File::open(path).map_err(|error| format!("{path} cannot be read: {error}"))?;
    Ok(PathBuf::from(path))
}
