//! Posts what happens to alerts to another system: signed, in order, and again until it is taken.
//!
//! # Contract
//!
//! 1. It reads what is durable and waits for nobody but the receiver: the hub never waits for it.
//! 2. At least once: the position is stored after each, so that a restart goes on where it was; a receiver knows a
//!    repeated one by its `eventId`.
//! 3. Bounded: [`TRIES_MAX`] tries with pauses of up to [`PAUSE_MAX`], then the next one, and the log says so.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use actix::Addr;
use aws_lc_rs::hmac;
use rusqlite::{Connection, OptionalExtension};
use ureq::Agent;

use super::{StartError, tls};
use crate::config::AlertWebhook;
use crate::domain::Seq;
use crate::hub::{Ingest, IngestError, UmblerHub};
use crate::journal::alerts::SENT_KEY;
use crate::journal::{Origin, Payload, Record};
use crate::telemetry::clock;

/// Tries of one post at most.
const TRIES_MAX: u32 = 16;
/// Longest pause before another try; the first is up to [`PAUSE_MIN`], and each may be twice as long as the one before.
const PAUSE_MAX: Duration = Duration::from_mins(5);
/// Longest pause before the second try.
const PAUSE_MIN: Duration = Duration::from_millis(500);
/// How long one answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How often it looks without being told.
const LOOK_INTERVAL: Duration = Duration::from_secs(30);
/// How long it waits where the database or the hub does not answer.
const FAULT_PAUSE: Duration = Duration::from_secs(1);

/// The next one to be posted.
const NEXT: &str = "SELECT journal.seq, frames.frame FROM journal JOIN frames ON frames.seq = journal.seq
     WHERE journal.seq > ?1 AND journal.update_type IN ('alert_raised', 'alert_cleared', 'alert_acknowledged')
     ORDER BY journal.seq LIMIT 1";

struct Sender {
    path: PathBuf,
    connection: Option<Connection>,
    agent: Agent,
    url: String,
    key: hmac::Key,
    hub: Addr<UmblerHub>,
    wake: Receiver<()>,
}

/// The hub goes down, or is gone.
struct Over;

/// Starts the thread that posts; `wake` says that there may be something.
pub fn start(
    webhook: &AlertWebhook,
    path: PathBuf,
    hub: Addr<UmblerHub>,
    wake: Receiver<()>,
) -> Result<(), StartError> {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(ANSWER_TIMEOUT))
        .max_idle_connections_per_host(1)
        .tls_config(tls::config(&webhook.url).map_err(StartError::AlertWebhook)?)
        .build();
    let key = hmac::Key::new(hmac::HMAC_SHA256, webhook.secret.expose().as_bytes());
    let (url, agent) = (webhook.url.clone(), config.new_agent());
    let sender = Sender { path, connection: None, agent, url, key, hub, wake };
    std::thread::Builder::new().name("alert-webhook".into()).spawn(move || sender.run())?;
    Ok(())
}

impl Sender {
    fn run(mut self) {
        let ended = self.post_all();
        log::debug!("no more alerts are posted: {}", if ended.is_err() { "the hub ends" } else { "done" });
    }

    fn post_all(&mut self) -> Result<(), Over> {
        let mut position = self.position()?;
        loop {
            match self.next(position) {
                Ok((Some((seq, frame)), _)) => {
                    self.post(seq, &frame)?;
                    self.store(seq)?;
                    position = seq;
                }
                Ok((None, newest)) => {
                    position = newest;
                    self.pause(LOOK_INTERVAL, true)?;
                }
                Err(error) => {
                    log::error!("alerts cannot be read for the alert webhook: {error}");
                    self.connection = None;
                    self.pause(FAULT_PAUSE, false)?;
                }
            }
        }
    }

    /// Where it was when the hub ended; the newest position at its first start: what was before is no news.
    fn position(&mut self) -> Result<Seq, Over> {
        loop {
            match self.stored_position() {
                Ok((seq, true)) => return Ok(seq),
                Ok((seq, false)) => return self.store(seq).map(|()| seq),
                Err(error) => {
                    log::error!("the position of the alert webhook cannot be read: {error}");
                    self.connection = None;
                    self.pause(FAULT_PAUSE, false)?;
                }
            }
        }
    }

    fn connection(&mut self) -> rusqlite::Result<&Connection> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => crate::reads::open(&self.path)?,
        };
        Ok(self.connection.insert(connection))
    }

    fn stored_position(&mut self) -> rusqlite::Result<(Seq, bool)> {
        let connection = self.connection()?;
        let stored: Option<String> = connection
            .query_row("SELECT value FROM meta WHERE key = ?1", [SENT_KEY], |row| row.get(0))
            .optional()?;
        if let Some(seq) = stored.and_then(|text| text.parse().ok()) {
            return Ok((Seq(seq), true));
        }
        Ok((newest(connection)?, false))
    }

    /// The next one, and a position up to which there is no other.
    fn next(&mut self, after: Seq) -> rusqlite::Result<(Option<(Seq, String)>, Seq)> {
        let connection = self.connection()?;
        // Read first: what is committed between the two questions is found the next time.
        let newest = newest(connection)?;
        let mut select = connection.prepare_cached(NEXT)?;
        let next = select.query_row([after.0], |row| Ok((Seq(row.get(0)?), row.get(1)?))).optional()?;
        Ok((next, newest))
    }

    /// Posts until it is taken, or tried often enough.
    fn post(&mut self, seq: Seq, frame: &str) -> Result<(), Over> {
        for number in 0..TRIES_MAX {
            let Err(reason) = self.try_once(seq, frame) else { return Ok(()) };
            if number == 0 {
                log::warn!("the alert webhook did not take update {seq} ({reason}); trying again");
            }
            if number + 1 < TRIES_MAX {
                self.pause(pause(number, rand::random()), false)?;
            }
        }
        log::error!("the alert webhook did not take update {seq} in {TRIES_MAX} tries; going on without it");
        Ok(())
    }

    fn try_once(&self, seq: Seq, frame: &str) -> Result<(), String> {
        let timestamp = clock::now().as_second();
        let answer = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json")
            .header("x-umbler-hub-seq", seq.to_string())
            .header("x-umbler-hub-timestamp", timestamp.to_string())
            .header("x-umbler-hub-signature", signature(&self.key, timestamp, frame))
            .send(frame);
        match answer.map(|answer| answer.status()) {
            Ok(status) if status.is_success() => Ok(()),
            Ok(status) => Err(format!("status {}", status.as_u16())),
            // An error's text may hold the address, and that a secret.
            Err(_away) => Err("no answer".to_owned()),
        }
    }

    fn store(&self, seq: Seq) -> Result<(), Over> {
        loop {
            let posted = Record::new(Payload::AlertsPosted(seq), None, Origin::Hub, clock::now());
            let Ok(record) = posted else {
                self.pause(FAULT_PAUSE, false)?;
                continue;
            };
            let asked = self.hub.send(Ingest { record });
            match futures_executor::block_on(asked) {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(IngestError::Stopping)) | Err(_) => return Err(Over),
                Ok(Err(IngestError::Full | IngestError::Unwritable)) => self.pause(FAULT_PAUSE, false)?,
            }
        }
    }

    /// Waits so long, or until there may be something where that ends it.
    fn pause(&self, pause: Duration, until_woken: bool) -> Result<(), Over> {
        let until = Instant::now() + pause;
        loop {
            match self.wake.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(()) if until_woken => return Ok(()),
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Err(Over),
            }
        }
    }
}

fn newest(connection: &Connection) -> rusqlite::Result<Seq> {
    connection.query_row("SELECT coalesce(max(seq), 0) FROM journal", [], |row| row.get(0)).map(Seq)
}

/// `v1=` and the HMAC-SHA256 over `TIMESTAMP.BODY` in hexadecimal digits.
fn signature(key: &hmac::Key, timestamp: i64, body: &str) -> String {
    let tag = hmac::sign(key, format!("{timestamp}.{body}").as_bytes());
    let digits: Vec<String> = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v1={}", digits.concat())
}

/// Full jitter: anything from nothing to the bound, so that many hubs do not come back together.
fn pause(number: u32, share: f64) -> Duration {
    PAUSE_MIN.saturating_mul(2_u32.saturating_pow(number)).min(PAUSE_MAX).mul_f64(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_bound_and_no_further() {
        assert_eq!(pause(0, 1.0), PAUSE_MIN);
        assert_eq!(pause(3, 0.5), PAUSE_MIN * 4);
        assert_eq!(pause(TRIES_MAX, 1.0), PAUSE_MAX);
        assert_eq!(pause(u32::MAX, 0.0), Duration::ZERO);
    }

    #[test]
    fn a_signature_is_what_others_compute() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        // printf '1.{}' | openssl dgst -sha256 -hmac secret
        let known = "1122767b193110cfec322b6f199b599edbf608ed087f2d27afb0b97d99523908";
        assert_eq!(signature(&key, 1, "{}"), format!("v1={known}"));
    }
}
