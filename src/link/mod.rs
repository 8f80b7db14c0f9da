//! The link to Umbler's API, on a thread of its own. It reads the names of agents, checks that webhooks are posted to this hub, and
//! fetches what no webhook brought.
//!
//! # Contract
//!
//! 1. Without a token the thread is not started.
//! 2. It reads through the readers' pool, and writes only by sending records to the journal. No other part of the hub waits for it.
//! 3. It never sends more requests to one route than the route's budget allows.
//! 4. A mistake in one step ends no thread: it is logged, and the thread goes on ([`panics`]).
//! 5. It checks every answer against the question, because the provider silently ignores parameters that it does not know.

pub mod budget;
pub mod retry;
pub mod authorization;
pub mod client;
pub mod fault;
mod organization;
pub mod archive;
pub mod directory;
pub mod dictionaries;
pub mod online;
pub mod webhook;
pub mod schedule;
pub mod silence;
pub mod alarm;
mod pace;
pub mod sweep;
pub mod backfill;
pub mod files;
pub mod register;
pub mod token;
pub mod work;
pub mod outbox;
pub mod probe;
mod panics;

use std::io;
use std::time::Duration;

use actix::Addr;
use jiff::{SignedDuration, Timestamp};

use crate::cluster::duties::{DUTY_WAIT, Duties};
use crate::domain::calendar::Calendar;
use crate::http::link::LinkHandle;
use crate::hub::UmblerHub;
use crate::reads::Readers;
use crate::telemetry::metrics::Metrics;
use crate::umbler::api::Dialect;
use archive::Archive;
use client::{Access, Client};

/// The settings of the link.
#[derive(Debug, Clone)]
pub struct LinkSettings {
    /// The API's address and the token.
    pub access: Access,
    /// The organization's id. `None`: the token's owner belongs to one organization, which is used.
    pub organization: Option<String>,
    /// The names of parameters and fields of the API.
    pub dialect: Dialect,
    /// The address of this hub's webhook as the provider reaches it, without the secret. `None`: not configured.
    pub webhook_url: Option<String>,
    /// How often the hub compares its messages with the provider's.
    pub sweep_every: Duration,
    /// Days before the first start whose chats and messages are read; 0: none.
    pub backfill_days: u32,
    /// How long no webhook may come in business hours before everything is looked at.
    pub silence: Duration,
    /// Business hours until an admin saves others.
    pub default_hours: Calendar,
    /// How messages are sent. `None`: the hub sends none.
    pub sending: Option<Sending>,
}

/// How people send messages through the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sending {
    /// How long the hub looks for a message after a request without an answer.
    pub look_for: Duration,
}

/// `at` shifted by a duration. Stays as it is if the result is out of range.
fn shifted(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(at)
}

/// Starts the threads; in a cluster, whenever the link becomes the duty of this hub. They end when it no longer is.
pub fn start_on_duty(
    settings: LinkSettings,
    client: &Client,
    hub: Addr<UmblerHub>,
    readers: Readers,
    handle: LinkHandle,
    metrics: Metrics,
    duties: Duties,
) -> io::Result<()> {
    if !duties.are_shared() {
        return start(settings, client.clone(), hub, readers, handle, metrics);
    }
    let client = client.clone();
    let mut term: Option<LinkHandle> = None;
    let watched = handle.clone();
    let watch = move || {
        watched.pause(DUTY_WAIT)?;
        match (duties.are_mine(), &term) {
            (true, None) => {
                let own = watched.for_a_term(duties.clone());
                let (settings, client) = (settings.clone(), client.for_term(own.clone()));
                let (hub, readers, metrics) = (hub.clone(), readers.clone(), metrics.clone());
                match start(settings, client, hub, readers, own.clone(), metrics) {
                    Ok(()) => term = Some(own),
                    Err(error) => {
                        // Those of its threads that did start.
                        own.end_term();
                        log::error!("the link to Umbler's API does not start: {error}");
                    }
                }
            }
            (false, Some(own)) => {
                own.end_term();
                watched.give_up();
                term = None;
            }
            // It was interrupted: other threads begin where the records are now.
            (true, Some(own)) if own.is_term_over() => term = None,
            (true, Some(_)) | (false, None) => {}
        }
        Ok(())
    };
    std::thread::Builder::new()
        .name("link-duty".into())
        .spawn(move || panics::repeat("link-duty", &handle, watch))?;
    Ok(())
}

/// Starts the threads. They end when [`LinkHandle::stop`] is called, or when the hub's actor is gone.
pub fn start(
    settings: LinkSettings,
    client: Client,
    hub: Addr<UmblerHub>,
    readers: Readers,
    handle: LinkHandle,
    metrics: Metrics,
) -> io::Result<()> {
    let archive = Archive::new(hub, readers, metrics);
    if let Some(sending) = settings.sending {
        outbox::start(&settings, &client, &archive, &handle, sending)?;
    }
    let files = files::FileWork::new(&settings, client.clone(), archive.clone(), handle.clone());
    std::thread::Builder::new().name("umbler-files".into()).spawn(move || files.run())?;
    let work = work::Work::new(settings, client, archive, handle);
    std::thread::Builder::new().name("umbler-link".into()).spawn(move || work.run())?;
    Ok(())
}
