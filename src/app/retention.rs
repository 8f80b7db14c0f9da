//! Deletes what is older than the operator wants to keep: once at the start, then once a day, and soon again after a fault. It asks the journal for
//! small steps, and gives way to deliveries between them.

use std::time::{Duration, Instant};

use actix::Addr;
use jiff::{SignedDuration, Timestamp};

use crate::cluster::duties::{DUTY_WAIT, Duties};
use crate::config::DaysKept;
use crate::domain::{ContactId, EventId, Seq};
use crate::hub::{Ack, AckStatus, GetHealth, Ingest, IngestError, UmblerHub};
use crate::journal::retain::ROWS_MAX;
use crate::journal::{ErasureRequest, Origin, Payload, Record, Retained, RetentionStep, erasure_list};
use crate::reads::{Asker, CountOldDeliveries, FindDue, FindForgotten, FindPerson, ReadError, Readers};
use crate::telemetry::causes::chain;
use crate::telemetry::clock;
use crate::telemetry::metrics::Metrics;

/// Days after which deliveries are reduced where the operator set nothing.
const RAW_DAYS_DEFAULT: u32 = 90;
/// How often what is too old is looked for.
const EVERY: Duration = Duration::from_hours(24);
/// How soon a run is begun again that could not come to its end; each further time it takes twice as long.
const AGAIN_AFTER: Duration = Duration::from_secs(10);
const AGAIN_AFTER_MAX: Duration = Duration::from_hours(1);
/// Rest between two steps, so that deliveries come first.
const REST: Duration = Duration::from_millis(20);
/// While deliveries come in, the rest after a step is so many times as long as the step took: so steps hold up one delivery in two
/// hundred, and the slowest in a hundred are no slower for them.
const REST_TIMES: u32 = 200;
/// The longest rest after a step, however long the step took.
const REST_MAX: Duration = Duration::from_secs(5);
/// The longest rest after an erasure, which takes many times as long as a step: a person with long chats some 400 ms.
const ERASURE_REST_MAX: Duration = Duration::from_mins(2);
/// Deliveries come in until none came for so long.
const QUIET_AFTER: Duration = Duration::from_secs(5);
/// Rest while deliveries wait, or nothing can be written.
const GIVE_WAY: Duration = Duration::from_secs(1);
/// Contacts that are looked up at a time.
const CONTACTS_AT_ONCE: usize = 100;
/// What an erasure by age has as its reason. It stays for good.
const REASON: &str = "RETAIN_CLOSED_CHATS";

/// How fast steps may follow each other.
#[derive(Debug, Default)]
struct Pace {
    newest: Option<Seq>,
    /// When the newest position was last seen to be another one.
    moved_at: Option<Instant>,
}

impl Pace {
    /// Learns the newest position, as it is now.
    fn sees(&mut self, newest: Seq, now: Instant) {
        let known = self.newest.replace(newest);
        if known.is_some_and(|known| known != newest) {
            self.moved_at = Some(now);
        }
    }

    /// The rest after a step that took so long; `rest_max` is the longest.
    fn rest(&self, took: Duration, now: Instant, rest_max: Duration) -> Duration {
        match self.moved_at {
            Some(moved_at) if now.duration_since(moved_at) < QUIET_AFTER => {
                took.saturating_mul(REST_TIMES).clamp(REST, rest_max)
            }
            Some(_) | None => REST,
        }
    }
}

struct Retention {
    days: DaysKept,
    hub: Addr<UmblerHub>,
    readers: Readers,
}

/// Why a run ended early. The next one continues.
enum Ended {
    Stopping,
    Failed(String),
}

impl From<ReadError> for Ended {
    fn from(error: ReadError) -> Self {
        Self::Failed(chain(&error))
    }
}

/// Starts it in the background.
pub(super) fn start(
    days: &DaysKept,
    hub: &Addr<UmblerHub>,
    readers: &Readers,
    duties: Duties,
    metrics: Metrics,
) {
    let retention = Retention { days: *days, hub: hub.clone(), readers: readers.clone() };
    actix_rt::spawn(async move {
        let mut interval = actix_rt::time::interval(EVERY);
        loop {
            interval.tick().await;
            let mut pause = AGAIN_AFTER;
            loop {
                while !duties.are_mine() {
                    actix_rt::time::sleep(DUTY_WAIT).await;
                }
                let Err(Ended::Failed(reason)) = retention.run(clock::now()).await else { break };
                metrics.retention_failed();
                log::warn!("what is too old could not be deleted; trying again in {pause:?}: {reason}");
                actix_rt::time::sleep(pause).await;
                pause = (pause * 2).min(AGAIN_AFTER_MAX);
            }
        }
    });
}

impl Retention {
    async fn run(&self, now: Timestamp) -> Result<(), Ended> {
        if let Some(before) = self.raw_before(now).await? {
            self.steps(Retained::Raw, before).await?;
        }
        if let Some(before) = days_before(now, self.days.texts) {
            self.steps(Retained::Texts, before).await?;
        }
        if let Some(before) = days_before(now, self.days.closed_chats) {
            self.erase_forgotten(before).await?;
        }
        Ok(())
    }

    /// Deliveries before this moment are reduced. A database of an older release keeps them until its operator
    /// says otherwise.
    async fn raw_before(&self, now: Timestamp) -> Result<Option<Timestamp>, Ended> {
        if let Some(days) = self.days.raw {
            return Ok(days_before(now, days));
        }
        let Some(before) = days_before(now, RAW_DAYS_DEFAULT) else { return Ok(None) };
        let old = self.readers.ask(Asker::Hub, CountOldDeliveries { before }).await?;
        if !old.is_expected && old.exist {
            log::warn!(
                "deliveries older than {RAW_DAYS_DEFAULT} days are kept as they came, because an older release stored \
                 them; set RETAIN_RAW={RAW_DAYS_DEFAULT} to keep only what was read of them, or RETAIN_RAW=0 to keep all"
            );
        }
        Ok(old.is_expected.then_some(before))
    }

    async fn steps(&self, what: Retained, before: Timestamp) -> Result<(), Ended> {
        // A step is a commit. Where nothing is due, none is made.
        let due = self.readers.ask(Asker::Hub, FindDue { what, before }).await?;
        if !due {
            return Ok(());
        }
        let (mut count, mut pace) = (0, Pace::default());
        loop {
            let step = Payload::Retention(RetentionStep { what, before });
            let (ack, rest) = self.append(step, None, &mut pace).await?;
            let rows = ack.rows.unwrap_or_default();
            count += rows;
            if rows < ROWS_MAX {
                break;
            }
            actix_rt::time::sleep(rest).await;
        }
        if count > 0 {
            log::info!("{count} rows of {} before {before} were looked at for their age", what.as_str());
        }
        Ok(())
    }

    async fn erase_forgotten(&self, before: Timestamp) -> Result<(), Ended> {
        let mut pace = Pace::default();
        loop {
            let find = FindForgotten { before, limit: CONTACTS_AT_ONCE };
            let found = self.readers.ask(Asker::Hub, find).await?;
            let count = found.len();
            for contact in found {
                let rest = self.erase(contact, &mut pace).await?;
                actix_rt::time::sleep(rest).await;
            }
            if count < CONTACTS_AT_ONCE {
                return Ok(());
            }
        }
    }

    /// Erases a contact, and tells the rest after it.
    async fn erase(&self, contact: ContactId, pace: &mut Pace) -> Result<Duration, Ended> {
        let find = FindPerson { contact: contact.to_string() };
        let person = self.readers.ask(Asker::Hub, find).await?;
        let Some(person) = person else { return Ok(REST) };
        let id = erasure_list::event_id(&contact, clock::now());
        let request = ErasureRequest {
            contact,
            former_chats: person.former_chats,
            reason: REASON.to_owned(),
            block: false,
        };
        let (ack, rest) = self.append(Payload::Erasure(request), Some(id), pace).await?;
        // Its own position is no sign that deliveries come in.
        pace.newest = ack.seq.or(pace.newest);
        Ok(rest)
    }

    /// Appends a record once no delivery waits. Returns the rest after it, too.
    async fn append(
        &self,
        payload: Payload,
        id: Option<EventId>,
        pace: &mut Pace,
    ) -> Result<(Ack, Duration), Ended> {
        loop {
            let health = self.hub.send(GetHealth).await.map_err(|_gone| Ended::Stopping)?;
            if health.draining {
                return Err(Ended::Stopping);
            }
            pace.sees(health.seq, Instant::now());
            if health.queued == 0 && health.writable {
                break;
            }
            actix_rt::time::sleep(GIVE_WAY).await;
        }
        let record = Record::new(payload, id, Origin::Hub, clock::now())
            .map_err(|no_memory| Ended::Failed(no_memory.to_string()))?;
        let rest_max =
            if matches!(record.payload, Payload::Erasure(_)) { ERASURE_REST_MAX } else { REST_MAX };
        let begun = Instant::now();
        match self.hub.send(Ingest { record }).await {
            Ok(Ok(ack)) if ack.status == AckStatus::Outdated => {
                Err(Ended::Failed("another hub of the cluster has the duties by now".to_owned()))
            }
            Ok(Ok(ack)) => Ok((ack, pace.rest(begun.elapsed(), Instant::now(), rest_max))),
            Ok(Err(IngestError::Stopping)) | Err(_) => Err(Ended::Stopping),
            Ok(Err(error @ (IngestError::Full | IngestError::Unwritable))) => {
                Err(Ended::Failed(error.to_string()))
            }
        }
    }
}

/// The moment so many days ago; `None` for 0, which stands for ever.
fn days_before(now: Timestamp, days: u32) -> Option<Timestamp> {
    let hours = i64::from(days) * 24;
    (days > 0).then(|| now.checked_sub(SignedDuration::from_hours(hours)).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_take_a_two_hundredth_of_the_time_while_deliveries_come_in_and_most_of_it_at_night() {
        let (mut pace, begun) = (Pace::default(), Instant::now());
        let after = |seconds| begun + Duration::from_secs(seconds);
        let took = Duration::from_millis(12);
        pace.sees(Seq(7), begun);
        assert_eq!(pace.rest(took, begun, REST_MAX), REST, "nothing came in yet");
        pace.sees(Seq(8), after(1));
        assert_eq!(pace.rest(took, after(1), REST_MAX), Duration::from_millis(2_400));
        assert_eq!(pace.rest(Duration::from_secs(2), after(1), REST_MAX), REST_MAX);
        let erased_in = Duration::from_millis(400);
        assert_eq!(pace.rest(erased_in, after(1), ERASURE_REST_MAX), Duration::from_secs(80));
        pace.sees(Seq(8), after(5));
        assert_eq!(
            pace.rest(took, after(5), REST_MAX),
            Duration::from_millis(2_400),
            "one came four seconds ago"
        );
        pace.sees(Seq(8), after(6));
        assert_eq!(pace.rest(took, after(6), REST_MAX), REST, "none came for five seconds");
    }
}
