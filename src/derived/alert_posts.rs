//! Posts what happens to alerts to another system: signed, in order, and again until it is taken.
//!
//! # Contract
//!
//! 1. It reads what is durable and waits for nobody but the receiver: the hub never waits for it.
//! 2. At least once: the position is stored after each, so that a restart goes on where it was; a receiver knows a
//!    repeated one by its `eventId`.
//! 3. Bounded: [`TRIES_MAX`] tries with pauses of up to [`PAUSE_MAX`], then the next one, and the log says so.

use std::path::PathBuf;
use std::time::Duration;

use aws_lc_rs::hmac;
use rusqlite::{Connection, OptionalExtension};
use ureq::Agent;
use ureq::tls::TlsConfig;

use super::follower::{Projection, Step};
use crate::auth::Secret;
use crate::domain::Seq;
use crate::journal::alerts::SENT_KEY;
use crate::journal::head::last_seq;
use crate::journal::meta;
use crate::sqlite::DbError;
use crate::sqlite::open::read_only;
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
/// How long it waits where the database or the journal does not answer.
const FAULT_PAUSE: Duration = Duration::from_secs(1);
/// Pages of the database that it keeps, in KiB: it reads a row now and then.
const CACHE_KIB: i64 = 1_024;

/// The next one to be posted.
const NEXT: &str = "SELECT journal.seq, frames.frame FROM journal JOIN frames ON frames.seq = journal.seq
     WHERE journal.seq > ?1 AND journal.update_type IN ('alert_raised', 'alert_cleared', 'alert_acknowledged', 'link_updated')
     ORDER BY journal.seq LIMIT 1";

/// What became of a position that was to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It is durable.
    Durable,
    /// The journal takes nothing at the moment.
    NotNow,
    /// The hub ends.
    Ending,
}

/// Stores a position up to which alerts were posted.
pub type Store = Box<dyn FnMut(Seq) -> Stored + Send>;

/// Where alerts are posted.
pub struct AlertReceiver {
    /// The address.
    pub url: String,
    /// What the posts are signed with.
    pub secret: Secret,
    /// Whom to trust where the address is of https.
    pub tls: TlsConfig,
}

/// Posts what the journal says of alerts.
pub struct AlertPosts {
    database: PathBuf,
    connection: Option<Connection>,
    agent: Agent,
    url: String,
    key: hmac::Key,
    store: Store,
    at_work: AtWork,
}

/// What it is about to do.
enum AtWork {
    /// To read where it was when the hub ended.
    Beginning,
    /// To look for the next one after a position.
    Looking(Seq),
    /// To post an update, which was tried so often.
    Posting { seq: Seq, frame: String, tries: u32 },
    /// To store a position.
    Storing(Seq),
}

impl AlertPosts {
    /// Of the database at a path; `store` is asked on the follower's thread, and may wait.
    pub fn new(receiver: AlertReceiver, database: PathBuf, store: Store) -> Self {
        let AlertReceiver { url, secret, tls } = receiver;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(ANSWER_TIMEOUT))
            .max_idle_connections_per_host(1)
            .tls_config(tls)
            .build();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
        let agent = config.new_agent();
        Self { database, connection: None, agent, url, key, store, at_work: AtWork::Beginning }
    }

    fn connection(&mut self) -> rusqlite::Result<&Connection> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => read_only(&self.database, CACHE_KIB)?,
        };
        Ok(self.connection.insert(connection))
    }

    /// Where it was when the hub ended; the newest position at its first start, to be stored: what was before is no news.
    fn begin(&mut self) -> rusqlite::Result<AtWork> {
        let connection = self.connection()?;
        match meta::get(connection, SENT_KEY)?.and_then(|text| text.parse().ok()) {
            Some(seq) => Ok(AtWork::Looking(Seq(seq))),
            None => Ok(AtWork::Storing(last_seq(connection)?)),
        }
    }

    /// The next one, or a position up to which there is no other.
    fn next(&mut self, after: Seq) -> rusqlite::Result<AtWork> {
        let connection = self.connection()?;
        // Read first: what is committed between the two questions is found the next time.
        let newest = last_seq(connection)?;
        let mut select = connection.prepare_cached(NEXT)?;
        let next = select.query_row([after.0], |row| {
            Ok(AtWork::Posting { seq: Seq(row.get(0)?), frame: row.get(1)?, tries: 0 })
        });
        Ok(next.optional()?.unwrap_or(AtWork::Looking(newest)))
    }

    /// Tries once more; an update that was tried often enough is left out.
    fn post(&mut self, seq: Seq, frame: String, tries: u32) -> Step {
        let Err(reason) = self.try_once(seq, &frame) else {
            self.at_work = AtWork::Storing(seq);
            return Step::More;
        };
        if tries == 0 {
            log::warn!("the alert webhook did not take update {seq} ({reason}); trying again");
        }
        if tries + 1 == TRIES_MAX {
            log::error!(
                "the alert webhook did not take update {seq} in {TRIES_MAX} tries; going on without it"
            );
            self.at_work = AtWork::Storing(seq);
            return Step::More;
        }
        self.at_work = AtWork::Posting { seq, frame, tries: tries + 1 };
        Step::Pause(pause(tries, rand::random()))
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

    fn store(&mut self, seq: Seq) -> Step {
        match (self.store)(seq) {
            Stored::Durable => {
                self.at_work = AtWork::Looking(seq);
                Step::More
            }
            Stored::NotNow => Step::Pause(FAULT_PAUSE),
            Stored::Ending => Step::End,
        }
    }
}

impl Projection for AlertPosts {
    const NAME: &'static str = "alert-webhook";
    // Somebody is alarmed by it, and it mostly waits for the network.
    const GIVES_WAY: bool = false;

    fn step(&mut self) -> Result<Step, DbError> {
        match &mut self.at_work {
            AtWork::Beginning => self.at_work = self.begin()?,
            AtWork::Looking(after) => {
                let after = *after;
                self.at_work = self.next(after)?;
                if matches!(self.at_work, AtWork::Looking(_)) {
                    return Ok(Step::Rest(LOOK_INTERVAL));
                }
            }
            AtWork::Posting { seq, frame, tries } => {
                let (seq, frame, tries) = (*seq, std::mem::take(frame), *tries);
                return Ok(self.post(seq, frame, tries));
            }
            AtWork::Storing(seq) => {
                let seq = *seq;
                return Ok(self.store(seq));
            }
        }
        Ok(Step::More)
    }

    fn fail(&mut self, _told: &DbError) -> Step {
        self.connection = None;
        Step::Pause(FAULT_PAUSE)
    }
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
    use std::path::Path;
    use std::sync::mpsc::channel;

    use super::*;

    /// Posts of a journal with so many rows; what it stores is answered as it is written down.
    fn posts(home: &Path, rows: i64, answers: Vec<Stored>) -> (AlertPosts, std::sync::mpsc::Receiver<Seq>) {
        let path = home.join("hub.db");
        let mut database = Connection::open(&path).unwrap();
        crate::journal::steps::migrate_to_latest(&mut database).unwrap();
        for seq in 1..=rows {
            let sql = "INSERT INTO journal (seq, event_id, event_type, update_type, received_at)
                       VALUES (?1, ?1, '', 'alert_raised', 0)";
            database.execute(sql, [seq]).unwrap();
        }
        let (asked, stores) = channel();
        let mut answers = answers.into_iter();
        let store = move |seq| {
            asked.send(seq).unwrap();
            answers.next().unwrap()
        };
        let (url, secret) = ("http://localhost/".to_owned(), Secret::new("secret"));
        let receiver = AlertReceiver { url, secret, tls: TlsConfig::builder().build() };
        (AlertPosts::new(receiver, path, Box::new(store)), stores)
    }

    #[test]
    fn what_was_before_the_first_start_is_not_posted() {
        let home = tempfile::tempdir().unwrap();
        let answers = vec![Stored::NotNow, Stored::Durable];
        let (mut posts, stores) = posts(home.path(), 3, answers);
        let mut step = || posts.step().unwrap();
        assert_eq!(step(), Step::More);
        assert_eq!(step(), Step::Pause(FAULT_PAUSE), "the journal does not take it now");
        assert_eq!(step(), Step::More);
        assert_eq!(step(), Step::Rest(LOOK_INTERVAL));
        assert_eq!(stores.try_iter().collect::<Vec<_>>(), [Seq(3), Seq(3)]);
    }

    #[test]
    fn it_goes_on_where_a_fault_met_it_and_ends_with_the_hub() {
        let home = tempfile::tempdir().unwrap();
        let (mut posts, stores) = posts(home.path(), 1, vec![Stored::Ending]);
        let away = home.path().join("away.db");
        std::fs::rename(home.path().join("hub.db"), &away).unwrap();
        let error = posts.step().unwrap_err();
        assert_eq!(posts.fail(&error), Step::Pause(FAULT_PAUSE));
        std::fs::rename(&away, home.path().join("hub.db")).unwrap();
        assert_eq!(posts.step().unwrap(), Step::More);
        assert_eq!(posts.step().unwrap(), Step::End);
        assert_eq!(stores.try_iter().collect::<Vec<_>>(), [Seq(1)]);
    }

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
