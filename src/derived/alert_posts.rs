//! Posts changes of alerts to another system: signed, in order, and repeated until they are accepted.
//!
//! # Contract
//!
//! 1. It reads what is durable, and only the receiver can delay it. The hub never waits for it.
//! 2. At least once: the position is stored after each post, so that a restart continues from there. A
//!    receiver recognizes a repeated post by its `eventId`.
//! 3. **Bounded.** After [`TRIES_MAX`] tries with pauses of up to [`PAUSE_MAX`] a post is skipped, and the
//!    log says so.

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
use crate::journal::digest::hex;
use crate::journal::head::last_seq;
use crate::journal::meta;
use crate::sqlite::DbError;
use crate::sqlite::open::read_only;
use crate::telemetry::clock;

/// How often one post is tried.
const TRIES_MAX: u32 = 16;
/// Longest pause between two tries. The first pause is up to [`PAUSE_MIN`], and the limit doubles each time.
const PAUSE_MAX: Duration = Duration::from_mins(5);
/// Longest pause before the second try.
const PAUSE_MIN: Duration = Duration::from_millis(500);
/// How long the receiver may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the journal is read without a wake.
const LOOK_INTERVAL: Duration = Duration::from_secs(30);
/// How long to wait after the database or the journal did not answer.
const FAULT_PAUSE: Duration = Duration::from_secs(1);
/// Page cache in KiB. One row is read now and then.
const CACHE_KIB: i64 = 1_024;

/// The next change of an alert after a position.
const NEXT: &str = "SELECT journal.seq, frames.frame FROM journal JOIN frames ON frames.seq = journal.seq
     WHERE journal.seq > ?1 AND journal.update_type IN ('alert_raised', 'alert_cleared', 'alert_acknowledged', 'link_updated',
         'daily_report')
     ORDER BY journal.seq LIMIT 1";

/// The outcome of storing a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreOutcome {
    Durable,
    /// The journal accepts nothing at the moment.
    NotNow,
    /// The hub is shutting down.
    Ending,
}

/// Stores the position up to which alerts were posted.
pub type StorePosition = Box<dyn FnMut(Seq) -> StoreOutcome + Send>;

/// The system to which alerts are posted.
pub struct AlertReceiver {
    pub url: String,
    pub secret: Secret,
    /// Certificates to trust for https.
    pub tls: TlsConfig,
}

/// Posts the changes of alerts in the journal.
pub struct AlertPosts {
    database: PathBuf,
    connection: Option<Connection>,
    agent: Agent,
    url: String,
    key: hmac::Key,
    store: StorePosition,
    next_action: NextAction,
}

/// What the next step does.
enum NextAction {
    /// Read the position that was stored last.
    Beginning,
    /// Look for the next change after this position.
    Looking(Seq),
    /// Post this update, which has failed `tries` times.
    Posting {
        seq: Seq,
        frame: String,
        tries: u32,
    },
    Storing(Seq),
}

impl AlertPosts {
    /// `store` is called on the follower's thread, and may block.
    pub fn new(receiver: AlertReceiver, database: PathBuf, store: StorePosition) -> Self {
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
        Self { database, connection: None, agent, url, key, store, next_action: NextAction::Beginning }
    }

    fn connection(&mut self) -> rusqlite::Result<&Connection> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => read_only(&self.database, CACHE_KIB)?,
        };
        Ok(self.connection.insert(connection))
    }

    /// Continues from the stored position. At the very first start this is the newest one: earlier alerts
    /// are not posted.
    fn begin(&mut self) -> rusqlite::Result<NextAction> {
        let connection = self.connection()?;
        match meta::get(connection, SENT_KEY)?.and_then(|text| text.parse().ok()) {
            Some(seq) => Ok(NextAction::Looking(Seq(seq))),
            None => Ok(NextAction::Storing(last_seq(connection)?)),
        }
    }

    /// The next change to post, or the position up to which there is none.
    fn next(&mut self, after: Seq) -> rusqlite::Result<NextAction> {
        let connection = self.connection()?;
        // Read first. What is committed between the two queries is found the next time.
        let newest = last_seq(connection)?;
        let mut select = connection.prepare_cached(NEXT)?;
        let next = select.query_row([after.0], |row| {
            Ok(NextAction::Posting { seq: Seq(row.get(0)?), frame: row.get(1)?, tries: 0 })
        });
        Ok(next.optional()?.unwrap_or(NextAction::Looking(newest)))
    }

    /// Tries to post an update. After the last try it is skipped.
    fn post(&mut self, seq: Seq, frame: String, tries: u32) -> Step {
        let Err(reason) = self.try_once(seq, &frame) else {
            self.next_action = NextAction::Storing(seq);
            return Step::More;
        };
        if tries == 0 {
            log::warn!("the alert webhook did not take update {seq} ({reason}); trying again");
        }
        if tries + 1 == TRIES_MAX {
            log::error!(
                "the alert webhook did not take update {seq} in {TRIES_MAX} tries; going on without it"
            );
            self.next_action = NextAction::Storing(seq);
            return Step::More;
        }
        self.next_action = NextAction::Posting { seq, frame, tries: tries + 1 };
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
            // The text of the error may contain the address, and that a secret.
            Err(_away) => Err("no answer".to_owned()),
        }
    }

    fn store(&mut self, seq: Seq) -> Step {
        match (self.store)(seq) {
            StoreOutcome::Durable => {
                self.next_action = NextAction::Looking(seq);
                Step::More
            }
            StoreOutcome::NotNow => Step::Pause(FAULT_PAUSE),
            StoreOutcome::Ending => Step::End,
        }
    }
}

impl Projection for AlertPosts {
    const NAME: &'static str = "alert-webhook";
    // Somebody waits to be alarmed, and this thread mostly waits for the network.
    const GIVES_WAY: bool = false;

    fn step(&mut self) -> Result<Step, DbError> {
        match &mut self.next_action {
            NextAction::Beginning => self.next_action = self.begin()?,
            NextAction::Looking(after) => {
                let after = *after;
                self.next_action = self.next(after)?;
                if matches!(self.next_action, NextAction::Looking(_)) {
                    return Ok(Step::Rest(LOOK_INTERVAL));
                }
            }
            NextAction::Posting { seq, frame, tries } => {
                let (seq, frame, tries) = (*seq, std::mem::take(frame), *tries);
                return Ok(self.post(seq, frame, tries));
            }
            NextAction::Storing(seq) => {
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

/// `v1=`, followed by the HMAC-SHA256 of `TIMESTAMP.BODY` in hexadecimal.
fn signature(key: &hmac::Key, timestamp: i64, body: &str) -> String {
    let tag = hmac::sign(key, format!("{timestamp}.{body}").as_bytes());
    format!("v1={}", hex(tag.as_ref()))
}

/// Full jitter: a random part of the longest pause, so that many hubs do not try again at the same time.
fn pause(number: u32, share: f64) -> Duration {
    PAUSE_MIN.saturating_mul(2_u32.saturating_pow(number)).min(PAUSE_MAX).mul_f64(share)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::mpsc::channel;

    use super::*;

    /// Posts of a journal with `rows` alerts. Stores are answered with `answers`, and sent to the
    /// receiver.
    fn posts(
        home: &Path,
        rows: i64,
        answers: Vec<StoreOutcome>,
    ) -> (AlertPosts, std::sync::mpsc::Receiver<Seq>) {
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
        let answers = vec![StoreOutcome::NotNow, StoreOutcome::Durable];
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
        let (mut posts, stores) = posts(home.path(), 1, vec![StoreOutcome::Ending]);
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
