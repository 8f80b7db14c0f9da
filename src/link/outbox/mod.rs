//! Hands messages to the provider, looks for those of which it is not known whether they arrived, and follows how far the
//! others come.
//!
//! # Contract
//!
//! 1. Every step is durable before the next: an attempt is recorded before anything is sent, and what came of it before
//!    anything else is done with the message.
//! 2. Whatever may have arrived is never sent again by itself. It is looked for, and then a person decides.
//! 3. Messages of one chat go out one after the other, in the order in which they were queued.
//! 4. **Bounded.** [`WORKERS`] threads, [`board::TASKS_MAX`] messages at work.

pub mod board;
pub mod verdict;
pub mod find;
pub mod rows;
mod provider;
mod follow_times;
mod look;
mod follow;
mod work;

use std::io;
use std::sync::{Arc, Mutex};

use super::archive::Archive;
use super::client::Client;
use super::{LinkSettings, Sending};
use crate::http::link::LinkHandle;
use board::OutboxBoard;
use provider::Provider;
use work::Worker;

/// Messages that are handed over at the same time: a slow answer must not hold up the others.
const WORKERS: usize = 4;

/// Starts the threads. They end when the desk is told to stop, or with the hub.
pub fn start(
    settings: &LinkSettings,
    client: &Client,
    archive: &Archive,
    handle: &LinkHandle,
    sending: Sending,
) -> io::Result<()> {
    let board = Arc::new(Mutex::new(OutboxBoard::default()));
    let provider = Provider::new(settings, client, handle);
    for _ in 0..WORKERS {
        let worker = Worker {
            client: client.clone(),
            archive: archive.clone(),
            handle: handle.clone(),
            board: Arc::clone(&board),
            provider: provider.clone(),
            sending,
        };
        std::thread::Builder::new().name("umbler-outbox".into()).spawn(move || worker.run())?;
    }
    Ok(())
}
