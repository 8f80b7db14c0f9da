//! Posts changes of alerts to another system: signed, in order, and repeated until they are accepted.
//!
//! # Contract
//!
//! That of [`forwarder`](super::forwarder). A receiver recognizes a repeated post by its `eventId`. After [`TRIES_MAX`] tries with
//! pauses of up to [`PAUSE_MAX`] a post is skipped.

use std::time::Duration;

use aws_lc_rs::hmac;
use rusqlite::Connection;
use ureq::Agent;
use ureq::tls::TlsConfig;

use super::forwarder::{Receiver, Refusal};
use crate::auth::Secret;
use crate::domain::Seq;
use crate::journal::alerts::SENT_KEY;
use crate::journal::digest::hex;
use crate::telemetry::clock;

/// How often one post is tried.
const TRIES_MAX: u32 = 16;
/// Longest pause between two tries. The first pause is up to [`PAUSE_MIN`], and the limit doubles each time.
const PAUSE_MAX: Duration = Duration::from_mins(5);
/// Longest pause before the second try.
const PAUSE_MIN: Duration = Duration::from_millis(500);
/// How long the receiver may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// The next change of an alert after a position.
const NEXT: &str = "SELECT journal.seq, frames.frame FROM journal JOIN frames ON frames.seq = journal.seq
     WHERE journal.seq > ?1 AND journal.update_type IN ('alert_raised', 'alert_cleared', 'alert_acknowledged', 'link_updated',
         'daily_report')
     ORDER BY journal.seq LIMIT 1";

/// The system to which alerts are posted.
pub struct AlertReceiver {
    pub url: String,
    pub secret: Secret,
    /// Certificates to trust for https.
    pub tls: TlsConfig,
}

/// Posts the changes of alerts in the journal.
pub struct AlertPosts {
    agent: Agent,
    url: String,
    key: hmac::Key,
}

impl AlertPosts {
    pub fn new(receiver: AlertReceiver) -> Self {
        let AlertReceiver { url, secret, tls } = receiver;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(ANSWER_TIMEOUT))
            .max_idle_connections_per_host(1)
            .tls_config(tls)
            .build();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
        Self { agent: config.new_agent(), url, key }
    }
}

impl Receiver for AlertPosts {
    const NAME: &'static str = "alert-webhook";
    // Somebody waits to be alarmed, and this thread mostly waits for the network.
    const GIVES_WAY: bool = false;
    const POSITION_KEY: &'static str = SENT_KEY;
    const NEXT: &'static str = NEXT;
    const TRIES_MAX: u32 = TRIES_MAX;
    type Item = String;

    fn prepare(&self, _: &Connection, _: Seq, update: String) -> rusqlite::Result<Option<String>> {
        Ok(Some(update))
    }

    fn send(&self, seq: Seq, update: &String) -> Result<(), Refusal> {
        let timestamp = clock::now().as_second();
        let answer = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json")
            .header("x-umbler-hub-seq", seq.to_string())
            .header("x-umbler-hub-timestamp", timestamp.to_string())
            .header("x-umbler-hub-signature", signature(&self.key, timestamp, update))
            .send(update);
        match answer.map(|answer| answer.status()) {
            Ok(status) if status.is_success() => Ok(()),
            Ok(status) => Err(Refusal::ForNow(format!("status {}", status.as_u16()))),
            // The text of the error may contain the address, and that a secret.
            Err(_away) => Err(Refusal::ForNow("no answer".to_owned())),
        }
    }

    fn note_retry(&self, seq: Seq, reason: &str) {
        log::warn!("the alert webhook did not take update {seq} ({reason}); trying again");
    }

    fn note_skipped(&self, seq: Seq, _: &str) {
        log::error!("the alert webhook did not take update {seq} in {TRIES_MAX} tries; going on without it");
    }

    fn pause(tries: u32) -> Duration {
        pause(tries, rand::random())
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
    use crate::cluster::ClusterState;
    use crate::cluster::duties::Duties;
    use crate::derived::follower::{Projection, Step};
    use crate::derived::forwarder::{FAULT_PAUSE, Forwarder, LOOK_INTERVAL, StoreOutcome};

    fn insert(database: &Connection, seq: i64) {
        let sql = "INSERT INTO journal (seq, event_id, event_type, update_type, received_at)
                   VALUES (?1, ?1, '', 'alert_raised', 0)";
        database.execute(sql, [seq]).unwrap();
    }

    /// Posts of a journal with `rows` alerts. Stores are answered with `answers`, and sent to the
    /// receiver.
    fn posts(
        home: &Path,
        rows: i64,
        answers: Vec<StoreOutcome>,
        duties: Duties,
    ) -> (Forwarder<AlertPosts>, std::sync::mpsc::Receiver<Seq>) {
        let path = home.join("hub.db");
        let mut database = Connection::open(&path).unwrap();
        crate::journal::steps::migrate_to_latest(&mut database).unwrap();
        (1..=rows).for_each(|seq| insert(&database, seq));
        let (asked, stores) = channel();
        let mut answers = answers.into_iter();
        let store = move |seq| {
            asked.send(seq).unwrap();
            answers.next().unwrap()
        };
        let (url, secret) = ("http://localhost/".to_owned(), Secret::new("secret"));
        let receiver = AlertReceiver { url, secret, tls: TlsConfig::builder().build() };
        (Forwarder::new(AlertPosts::new(receiver), path, Box::new(store), duties), stores)
    }

    #[test]
    fn what_was_before_the_first_start_is_not_posted() {
        let home = tempfile::tempdir().unwrap();
        let answers = vec![StoreOutcome::NotNow, StoreOutcome::Durable];
        let (mut posts, stores) = posts(home.path(), 3, answers, Duties::default());
        let mut step = || posts.step().unwrap();
        assert_eq!(step(), Step::More);
        assert_eq!(step(), Step::Pause(FAULT_PAUSE), "the journal does not take it now");
        assert_eq!(step(), Step::More);
        assert_eq!(step(), Step::Rest(LOOK_INTERVAL));
        assert_eq!(stores.try_iter().collect::<Vec<_>>(), [Seq(3), Seq(3)]);
    }

    #[test]
    fn what_comes_while_a_hub_has_no_duties_yet_is_posted_once_it_has() {
        let home = tempfile::tempdir().unwrap();
        let state = ClusterState::new("a", "hub");
        let duties = Duties::of(Some(state.clone()));
        let (mut posts, stores) = posts(home.path(), 1, vec![StoreOutcome::Durable], duties);
        assert!(matches!(posts.step(), Ok(Step::Pause(_))), "they are not its duty");
        insert(&Connection::open(home.path().join("hub.db")).unwrap(), 2);
        state.note_owner_until(tokio::time::Instant::now() + Duration::from_hours(1));
        state.trust().note_fence(Seq(3));
        state.trust().note_duties_taken(Seq(3));
        (0..2).for_each(|_| assert_eq!(posts.step().unwrap(), Step::More));
        assert_eq!(stores.try_iter().collect::<Vec<_>>(), [Seq(1)], "and not 2, which is posted next");
    }

    #[test]
    fn it_goes_on_where_a_fault_met_it_and_ends_with_the_hub() {
        let home = tempfile::tempdir().unwrap();
        let (mut posts, stores) = posts(home.path(), 1, vec![StoreOutcome::Ending], Duties::default());
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
