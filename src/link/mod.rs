//! The link to Umbler's API, on a thread of its own: who the agents are, whether webhooks are posted here, and what no webhook
//! brought.
//!
//! # Contract
//!
//! 1. Without a token nothing of it runs.
//! 2. It asks the hub and the readers like anybody else, and writes by the one door alone. Nothing waits for it.
//! 3. Never more requests on one route than its budget, whatever there is to do.
//! 4. No answer is trusted because of what was asked: the provider ignores parameters that it does not know.

pub mod budget;
pub mod retry;
pub mod client;
pub mod archive;
pub mod directory;
pub mod webhook;
pub mod schedule;
pub mod silence;
pub mod alarm;
pub mod sweep;
pub mod work;
pub mod probe;

use std::io;
use std::time::Duration;

use actix::Addr;

use crate::http::link::{LinkDesk, Stopping};
use crate::hub::UmblerHub;
use crate::reads::Readers;
use crate::telemetry::metrics::Metrics;
use crate::umbler::api::Dialect;
use client::{Access, LinkError};

/// How the link is set up.
#[derive(Debug, Clone)]
pub struct LinkSettings {
    /// Where the API is, and who asks.
    pub access: Access,
    /// The organization's id; `None`: the only one of the token's owner.
    pub organization: Option<String>,
    /// The words of the API.
    pub dialect: Dialect,
    /// How the provider reaches this hub's webhook, without the secret; `None`: not known.
    pub webhook_url: Option<String>,
    /// How often messages are compared.
    pub sweep_every: Duration,
}

impl From<Stopping> for LinkError {
    fn from(_: Stopping) -> Self {
        Self::Stopping
    }
}

/// Starts the thread. It ends when the desk is told to stop, or with the hub.
pub fn start(
    settings: LinkSettings,
    hub: Addr<UmblerHub>,
    readers: Readers,
    desk: LinkDesk,
    metrics: Metrics,
) -> io::Result<()> {
    let work = work::Work::new(settings, hub, readers, desk, metrics);
    std::thread::Builder::new().name("umbler-link".into()).spawn(move || work.run())?;
    Ok(())
}
