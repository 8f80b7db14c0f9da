//! Reads the stream in its order, from where the database ends.
//!
//! # Contract
//!
//! 1. Each position is handed on once, in order. A position that is missing in the stream was deleted there.
//! 2. At any doubt (a missed heartbeat, an error, a gap, nothing for [`SILENT_MAX`] although the stream has more) the consumer is made
//!    anew behind what was handed on last, which the stream must still have.
//! 3. It waits while the writer has enough to do.

use std::time::Duration;

use async_nats::HeaderValue;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::stream::Stream;
use async_nats::jetstream::{Context, Message};
use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout};

use super::parse::{Streamed, StreamedSender};
use super::publisher::{ExpectedRecords, NODE_HEADER, NONCE_HEADER};
use super::settings::ClusterSettings;
use super::state::ClusterState;
use super::{ClusterError, skips, stream};
use crate::domain::Seq;
use crate::journal::StreamPlace;
use crate::journal::entry::Entry;

/// Records that are asked for at a time.
const BATCH_RECORDS: usize = 256;
/// Bytes that are asked for at a time: more than any record has.
const BATCH_BYTES: usize = 32 * 1024 * 1024;
/// The server says at least so often that it is there. Two that are missed are a doubt.
const HEARTBEAT: Duration = Duration::from_millis(500);
const EXPIRES: Duration = Duration::from_secs(2);
/// After this time the server forgets a consumer that nobody asks.
const CONSUMER_IDLE_MAX: Duration = Duration::from_secs(30);
/// How long nothing may come although the stream has more. The consumer may be at a server whose part of the stream is stuck: it says
/// that it is there, and gives nothing.
pub const SILENT_MAX: Duration = Duration::from_secs(3);
/// Rest before a consumer is made anew.
const RETRY_AFTER: Duration = Duration::from_millis(200);
/// How often a tail looks whether the stream is open again.
const LOOK_AFTER: Duration = Duration::from_millis(50);

/// Reads the stream of a cluster.
pub struct Tail {
    pub context: Context,
    pub settings: ClusterSettings,
    pub state: ClusterState,
    pub expected: ExpectedRecords,
    /// Takes the records, in order.
    pub parser: StreamedSender,
    /// Epoch of the database.
    pub epoch: String,
    /// The last record that was handed on.
    pub handed: StreamPlace,
}

/// Why a consumer is given up.
enum Doubt {
    /// Nobody takes records any more.
    Ended,
    /// It is not known which records are skipped.
    Unknown(String),
    /// It can be made anew.
    Again(String),
}

fn not_open() -> Doubt {
    Doubt::Again("the stream is not open".to_owned())
}

impl Tail {
    /// Reads for ever, or until nobody takes records any more.
    pub async fn run(mut self) {
        let mut was_unknown = false;
        loop {
            if !self.state.is_open() {
                sleep(LOOK_AFTER).await;
                continue;
            }
            let doubt = self.follow().await;
            let is_unknown = matches!(doubt, Doubt::Unknown(_));
            match doubt {
                Doubt::Ended => return log::debug!("nobody takes records from the stream any more"),
                Doubt::Unknown(why) if !was_unknown => {
                    log::warn!(
                        "it is not known which records are skipped, so nothing is taken from the stream: {why}"
                    );
                }
                Doubt::Unknown(why) | Doubt::Again(why) => {
                    log::debug!("the consumer is made anew behind {}: {why}", self.handed());
                }
            }
            was_unknown = is_unknown;
            sleep(RETRY_AFTER).await;
        }
    }

    /// Hands records on until there is a doubt.
    async fn follow(&mut self) -> Doubt {
        match self.try_follow().await {
            Ok(()) => Doubt::Again("it ended".to_owned()),
            Err(doubt) => doubt,
        }
    }

    async fn try_follow(&mut self) -> Result<(), Doubt> {
        let again = |error: &dyn std::fmt::Display| Doubt::Again(error.to_string());
        let doubts = self.state.identity().doubts();
        let skips = skips::load(&self.context, &self.settings).await.map_err(Doubt::Unknown)?;
        self.state.trust().note_skips(skips);
        let stream = self.context.get_stream(&self.settings.name).await.map_err(|error| again(&error))?;
        self.identify(&stream).await?;
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence {
                start_sequence: self.handed().0.unsigned_abs() + 1,
            },
            ack_policy: AckPolicy::None,
            memory_storage: true,
            num_replicas: 1,
            inactive_threshold: CONSUMER_IDLE_MAX,
            ..pull::Config::default()
        };
        let consumer = stream.create_consumer(config).await.map_err(|error| again(&error))?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(BATCH_RECORDS)
            .max_bytes_per_batch(BATCH_BYTES)
            .heartbeat(HEARTBEAT)
            .expires(EXPIRES)
            .messages();
        let mut messages = messages.await.map_err(|error| again(&error))?;
        let mut heard = Instant::now();
        while doubts == self.state.identity().doubts() && self.state.is_open() {
            let Ok(message) = timeout(LOOK_AFTER, messages.next()).await else {
                if self.state.newest() <= self.handed().0 {
                    heard = Instant::now();
                } else if heard.elapsed() >= SILENT_MAX {
                    let (newest, handed) = (self.state.newest(), self.handed());
                    log::warn!(
                        "nothing comes behind {handed}, although the stream has {newest}: the stream is read anew"
                    );
                    return Err(Doubt::Again("nothing comes".to_owned()));
                }
                continue;
            };
            let Some(message) = message else { return Ok(()) };
            let message = message.map_err(|error| again(&error))?;
            self.hand_on(&stream, message, doubts).await?;
            heard = Instant::now();
        }
        Err(not_open())
    }

    async fn hand_on(&mut self, stream: &Stream, message: Message, doubts: u64) -> Result<(), Doubt> {
        let (position, pending, stamp) = {
            let info = message.info().map_err(|error| Doubt::Again(error.to_string()))?;
            let stamp = Timestamp::from_nanosecond(info.published.unix_timestamp_nanos());
            (i64::try_from(info.stream_sequence), i64::try_from(info.pending), stamp)
        };
        let (Ok(position), Ok(pending), Ok(stamp)) = (position, pending, stamp) else {
            return Err(Doubt::Again("a position or a time is out of range".to_owned()));
        };
        if position <= self.handed().0 {
            return Err(Doubt::Again(format!("position {position} came again")));
        }
        if position > self.handed().0 + 1 {
            self.check_gap(stream, position).await?;
        }
        self.state.note_newest(position.saturating_add(pending));
        let room = self.parser.room(message.message.payload.len()).await.ok_or(Doubt::Ended)?;
        // It may have waited for long, and the stream may have been put back meanwhile.
        if doubts != self.state.identity().doubts() {
            return Err(not_open());
        }
        let own = self.nonce(&message).and_then(|nonce| self.expected.borrow_mut().remove(nonce));
        let sum = Entry::sum_of(&message.message.payload);
        let place = StreamPlace { position: Seq(position), sum, at: None };
        let streamed = Streamed { position: place.position, stamp, bytes: message.message.payload, own };
        room.send(streamed);
        self.handed = place;
        self.state.identity().note_taken(place);
        Ok(())
    }

    fn handed(&self) -> Seq {
        self.handed.position
    }

    /// Finds the last record that was handed on in the stream again, before anything behind it is taken.
    async fn identify(&self, stream: &Stream) -> Result<(), Doubt> {
        let facts = stream::facts(stream.cached_info(), &self.settings);
        let identified = match facts {
            Ok(facts) => stream::identify(stream, &facts, &self.epoch, self.handed).await,
            Err(error) => Err(error),
        };
        let Err(error) = identified else { return Ok(()) };
        if matches!(error, ClusterError::Shorter { .. }) {
            // It may be waited for. Nothing is published until then.
            self.state.identity().note(false);
        } else if !error.is_temporary() {
            self.state.halt().begin(error.to_string());
        }
        Err(Doubt::Again(error.to_string()))
    }

    /// By what this hub finds its own record again; `None` for those of others.
    fn nonce<'a>(&self, message: &'a Message) -> Option<&'a str> {
        let headers = message.headers.as_ref()?;
        let node = headers.get(NODE_HEADER)?;
        (node.as_str() == self.settings.node)
            .then(|| headers.get(NONCE_HEADER))
            .flatten()
            .map(HeaderValue::as_str)
    }

    /// Positions were left out: either they were deleted in the stream, or this consumer lost them.
    async fn check_gap(&self, stream: &Stream, position: i64) -> Result<(), Doubt> {
        let next = self.handed().0.unsigned_abs() + 1;
        let first = stream.get_first_raw_message_by_subject(self.settings.subject(">"), next).await;
        let first = first.map_err(|error| Doubt::Again(error.to_string()))?;
        if first.sequence < position.unsigned_abs() {
            return Err(Doubt::Again(format!("position {} was left out", first.sequence)));
        }
        let info = stream.get_info().await.map_err(|error| Doubt::Again(error.to_string()))?;
        if info.state.first_sequence > next {
            self.state.halt().begin(format!(
                "the stream begins at position {}, and this hub needs {next}; start it without its database",
                info.state.first_sequence
            ));
            return Err(Doubt::Again("the stream begins later".to_owned()));
        }
        log::warn!("the positions from {next} to {} were deleted in the stream", position - 1);
        Ok(())
    }
}
