//! Reads the records that come from the stream, and feeds the writer with them. On a thread of its own, so that the
//! connection is served meanwhile.
//!
//! # Contract
//!
//! 1. A record's time of receipt is at most [`AHEAD_MAX`] after the time at which the stream took it, so the clock of one hub cannot
//!    file it in the future. Within that bound it is not before the one of the record before. Both follow from the stream
//!    and from the database, so every hub gives a record the same time.
//! 2. A record that cannot be read halts this hub until an operator has it skipped ([`skips`](super::skips)). Nothing behind it is
//!    applied before.
//! 3. At most [`STREAMED_MAX`] records or [`STREAMED_KIB_MAX`] KiB of them wait for the parser.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::mpsc::{self, Permit, Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::publisher::ExpectedRecord;
use super::state::ClusterState;
use super::trust::AHEAD_MAX;
use crate::domain::{EventId, Seq};
use crate::journal::entry::{Entry, Kind, ZSTD_LEVEL};
use crate::journal::queue::WriterFeed;
use crate::journal::{Append, Origin, Record, StreamPlace};
use crate::telemetry::causes::chain;

/// Records between stream and parser.
pub const STREAMED_MAX: usize = 256;
/// KiB of records between stream and parser. One record has at most a third of it.
pub const STREAMED_KIB_MAX: u32 = 32 * 1_024;
/// How often it is looked whether a record that cannot be read is to be skipped.
const LOOK_AFTER: Duration = Duration::from_millis(200);
/// The type under which a skipped record is kept.
const SKIPPED_TYPE: &str = "SkippedRecord";

/// A record as it came from the stream.
pub struct Streamed {
    pub position: Seq,
    /// When the stream took it, by the clock of its leader.
    pub stamp: Timestamp,
    pub bytes: Bytes,
    /// The same record, if this hub published it and still waits for it. It need not be parsed again.
    pub own: Option<ExpectedRecord>,
}

/// A record on its way to the parser, and the room that it takes.
pub type Weighed = (Streamed, OwnedSemaphorePermit);

/// Takes records for the parser.
pub struct StreamedSender {
    sender: Sender<Weighed>,
    kib: Arc<Semaphore>,
}

/// Room for one record.
pub struct StreamedRoom<'a> {
    permit: Permit<'a, Weighed>,
    weight: OwnedSemaphorePermit,
}

/// The two ends between the stream and the parser.
pub fn channel() -> (StreamedSender, Receiver<Weighed>) {
    let (sender, receiver) = mpsc::channel(STREAMED_MAX);
    let kib = usize::try_from(STREAMED_KIB_MAX).unwrap_or(Semaphore::MAX_PERMITS);
    (StreamedSender { sender, kib: Arc::new(Semaphore::new(kib)) }, receiver)
}

impl StreamedSender {
    /// Waits until there is room for a record of so many bytes; `None` once nobody takes records any more.
    pub async fn room(&self, bytes: usize) -> Option<StreamedRoom<'_>> {
        let kib = u32::try_from(bytes / 1_024 + 1).unwrap_or(STREAMED_KIB_MAX).min(STREAMED_KIB_MAX);
        let weight = Arc::clone(&self.kib).acquire_many_owned(kib).await.ok()?;
        let permit = self.sender.reserve().await.ok()?;
        Some(StreamedRoom { permit, weight })
    }
}

impl StreamedRoom<'_> {
    pub fn send(self, streamed: Streamed) {
        self.permit.send((streamed, self.weight));
    }
}

/// Hands records to the writer until there are no more. `newest_at`: the time of receipt of the last record that is applied.
pub fn run(
    mut streamed: Receiver<Weighed>,
    feed: &WriterFeed,
    state: &ClusterState,
    mut newest_at: Option<Timestamp>,
) {
    // Its room is free again once the writer has it.
    while let Some((one, _weight)) = streamed.blocking_recv() {
        let (position, stamp, bytes) = (one.position, one.stamp, one.bytes.clone());
        let append = match read(one, newest_at) {
            _ if state.trust().is_to_skip(position) => skipped(position, stamp, &bytes, newest_at),
            Err(why) => {
                state.halt().begin_at(position, &why);
                while !state.trust().is_to_skip(position) {
                    if streamed.is_closed() {
                        return log::debug!("the hub ends at a record that cannot be read");
                    }
                    std::thread::sleep(LOOK_AFTER);
                }
                state.halt().resume_behind(position);
                skipped(position, stamp, &bytes, newest_at)
            }
            read => read,
        };
        match append {
            Ok(append) => {
                newest_at = append.place.and_then(|place| place.at).or(newest_at);
                if !feed.put(append) {
                    return log::debug!("the writer has ended");
                }
            }
            Err(why) => return state.halt().begin(format!("the record at position {position} {why}")),
        }
    }
}

fn read(streamed: Streamed, newest_at: Option<Timestamp>) -> Result<Append, String> {
    let Streamed { position, stamp, bytes, own } = streamed;
    let posted = Entry::decode(&bytes).map_err(|error| format!("cannot be read: {error}"))?;
    let at = bounded(posted.at, newest_at, stamp);
    let place = Some(StreamPlace { position, sum: Entry::sum_of(&bytes), at: Some(at) });
    let (known, reply) = match own {
        Some(ExpectedRecord { record, reply }) => (Some(record), reply),
        // Nobody waits for it here.
        None => (None, oneshot::channel().0),
    };
    if let Some(record) = known.filter(|record| record.entry == posted && at == posted.at) {
        return Ok(Append { record, reply, place });
    }
    let record = Record::read(Entry { at, ..posted });
    let record = record.map_err(|error| format!("cannot be read: {}", chain(&error)))?;
    Ok(Append { record, reply, place })
}

/// The time of receipt of a record that a hub received at `at`.
fn bounded(at: Timestamp, newest: Option<Timestamp>, stamp: Timestamp) -> Timestamp {
    let latest = stamp.checked_add(AHEAD_MAX).unwrap_or(stamp);
    newest.map_or(at, |newest| at.max(newest)).min(latest)
}

/// A record that every hub passes over: a delivery of an unknown type, in which its bytes are kept.
fn skipped(
    position: Seq,
    stamp: Timestamp,
    bytes: &Bytes,
    newest_at: Option<Timestamp>,
) -> Result<Append, String> {
    let failed = |error: &dyn std::error::Error| format!("cannot be kept: {error}");
    let id = format!("skipped:{position}");
    let body = json!({ "EventId": id, "Type": SKIPPED_TYPE, "Record": STANDARD.encode(bytes) }).to_string();
    let body = zstd::bulk::compress(body.as_bytes(), ZSTD_LEVEL).map_err(|error| failed(&error))?;
    let at = bounded(stamp, newest_at, stamp);
    let id = Some(EventId::from(id));
    let entry = Entry { kind: Kind::Delivery, id, at, origin: Origin::Hub, attempt: None, fence: None, body };
    let record = Record::read(entry).map_err(|error| failed(&error))?;
    let place = Some(StreamPlace { position, sum: Entry::sum_of(bytes), at: Some(at) });
    Ok(Append { record, reply: oneshot::channel().0, place })
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn moment(second: i64) -> Timestamp {
        Timestamp::from_second(1_772_456_400 + second).unwrap()
    }

    #[test]
    fn times_of_receipt_grow_and_are_at_most_two_seconds_after_the_streams() {
        let at = |at, newest: Option<i64>, stamp| {
            bounded(moment(at), newest.map(moment), moment(stamp)).as_second() - moment(0).as_second()
        };
        assert_eq!(at(10, None, 10), 10);
        assert_eq!(at(10, Some(9), 10), 10);
        assert_eq!(at(10, Some(11), 11), 11, "not before the one before it");
        assert_eq!(at(12, None, 10), 12);
        assert_eq!(at(13, None, 10), 12, "a clock that is ahead");
        assert_eq!(at(31_536_000, Some(11), 10), 12, "by a year");
        assert_eq!(at(-31_536_000, Some(9), 10), 9, "or behind by a year");
        assert_eq!(at(10, Some(50), 11), 13, "a stream whose clock was set back");
    }

    #[tokio::test]
    async fn large_records_wait_for_the_parser_by_their_bytes() {
        let (sender, mut receiver) = channel();
        let bytes = 8 * 1_024 * 1_024 - 1;
        let streamed = || Streamed { position: Seq(1), stamp: moment(0), bytes: Bytes::new(), own: None };
        for _ in 0..4 {
            sender.room(bytes).await.unwrap().send(streamed());
        }
        assert!(sender.room(0).now_or_never().is_none(), "it is full");
        drop(receiver.recv().await);
        sender.room(bytes).now_or_never().flatten().unwrap().send(streamed());
        drop(receiver);
        assert!(sender.room(0).await.is_none(), "nobody takes any more");
    }

    #[test]
    fn a_record_that_is_skipped_is_kept_with_its_bytes() {
        let bytes = Bytes::from_static(b"\x07 no record");
        let append = skipped(Seq(7), moment(0), &bytes, None).unwrap();
        let Entry { id, body, .. } = append.record.entry;
        assert_eq!(id.unwrap().as_str(), "skipped:7");
        let body: serde_json::Value = serde_json::from_slice(&zstd::decode_all(&body[..]).unwrap()).unwrap();
        assert_eq!(STANDARD.decode(body["Record"].as_str().unwrap()).unwrap(), bytes);
    }
}
