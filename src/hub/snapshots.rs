//! Snapshots. Sessions that ask for the same one at the same position share it. It is encoded on a reader
//! thread.

use std::collections::HashMap;
use std::sync::Arc;

use actix::prelude::*;
use bytestring::ByteString;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::Transaction;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;

use super::UmblerHub;
use super::messages::{RequestId, SendSnapshot, SessionId};
use super::sessions::{Session, Sessions};
use crate::auth::Scope;
use crate::domain::Seq;
use crate::protocol::event::{ServerEvent, encode, encode_error};
use crate::protocol::{ChatShape, ContactShape, ErrorCode, MessageShape, SnapshotLimits, StatsShape};
use crate::reads::{Query, ReadError, Snapshot};
use crate::telemetry::causes::chain;
use crate::telemetry::clock;

/// Different snapshots that are kept for later askers. Screens ask for one or two kinds.
const KEPT_MAX: usize = 16;

/// Askers with equal keys share a snapshot: the limits, and the hash of the scope.
pub type SnapshotKey = (SnapshotLimits, String);

/// Snapshots that are being made, and those that are still current.
#[derive(Default)]
pub struct Snapshots {
    kept: HashMap<SnapshotKey, EncodedSnapshot>,
    waiting: HashMap<SnapshotKey, Vec<SnapshotRequest>>,
    /// Grows at midnight, when the counters of today begin again.
    day: u64,
}

#[derive(Debug)]
struct SnapshotRequest {
    session: SessionId,
    request_id: Option<RequestId>,
    /// The hub's newest position when the session asked. An older snapshot would miss updates that the
    /// session was not sent either.
    since: Seq,
    day: u64,
}

/// An encoded snapshot and its position.
#[derive(Debug)]
pub struct EncodedSnapshot {
    seq: Seq,
    data: Box<RawValue>,
}

impl Snapshots {
    /// Drops all snapshots, because another day has begun.
    pub fn forget(&mut self) {
        self.kept.clear();
        self.day += 1;
    }
}

/// Reads and encodes a snapshot.
pub struct EncodeSnapshot {
    limits: SnapshotLimits,
    scope: Arc<Scope>,
    now: Timestamp,
    zone: TimeZone,
}

/// The content of `umbler_data`: everything as it was at one position.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UmblerData<'a> {
    /// Position of the snapshot. Updates up to it are included.
    #[schema(value_type = i64)]
    seq: Seq,
    /// Epoch of the journal.
    epoch: &'a str,
    /// Hash of the token's scope.
    scope: &'a str,
    /// The counters that the token may see.
    stats: &'a StatsShape,
    /// The contacts with the latest interactions, newest first.
    contacts: &'a [ContactShape],
    /// Open chats of every kind.
    chats: &'a [ChatShape],
    /// The latest messages of all chats, newest first.
    recent_messages: &'a [MessageShape],
    /// Names of the lists that were cut at their limit.
    truncated: &'a [&'static str],
}

impl Query for EncodeSnapshot {
    type Answer = EncodedSnapshot;

    fn answer(self, tx: &Transaction<'_>) -> Result<EncodedSnapshot, ReadError> {
        let snapshot =
            Snapshot { limits: self.limits, now: self.now, zone: self.zone, scope: Arc::clone(&self.scope) }
                .answer(tx)?;
        // Translated to the names on the wire.
        let wire = |name: &'static str| if name == "messages" { "recentMessages" } else { name };
        let truncated: Vec<&'static str> = snapshot.truncated.iter().map(|name| wire(name)).collect();
        let data = to_raw_value(&UmblerData {
            seq: snapshot.seq,
            epoch: &snapshot.epoch,
            scope: self.scope.hash(),
            stats: &snapshot.stats,
            contacts: &snapshot.contacts,
            chats: &snapshot.chats,
            recent_messages: &snapshot.messages,
            truncated: &truncated,
        })?;
        Ok(EncodedSnapshot { seq: snapshot.seq, data })
    }
}

/// A snapshot that must be made.
pub struct SnapshotJob {
    pub key: SnapshotKey,
    pub scope: Arc<Scope>,
    /// `Snapshots::day` when it was asked for. If another day has begun meanwhile, the snapshot is not
    /// kept.
    pub day: u64,
}

impl SnapshotJob {
    /// The question for the readers.
    pub fn query(key: &SnapshotKey, scope: &Arc<Scope>, zone: TimeZone) -> EncodeSnapshot {
        EncodeSnapshot { limits: key.0, scope: Arc::clone(scope), now: clock::now(), zone }
    }
}

impl Handler<SendSnapshot> for UmblerHub {
    type Result = ();

    fn handle(&mut self, ask: SendSnapshot, ctx: &mut Self::Context) {
        let make = self.snapshots.ask(&mut self.sessions, ask, self.updates.newest());
        if let Some(make) = make {
            self.make_snapshot(make, ctx);
        }
    }
}

impl SnapshotRequest {
    fn frame(&self, data: &RawValue) -> ByteString {
        encode(ServerEvent::UmblerData, self.request_id.as_deref(), clock::now(), &data)
    }
}

impl Snapshots {
    /// Answers with a snapshot that is still current, or adds the session to those that wait. Returns the
    /// snapshot to make, if any.
    fn ask(&mut self, sessions: &mut Sessions, ask: SendSnapshot, newest: Seq) -> Option<SnapshotJob> {
        let (_, scope) = sessions.get(&ask.session).and_then(Session::scope)?;
        let scope = Arc::clone(scope);
        let key = (ask.limits, scope.hash().to_owned());
        let day = self.day;
        let asker = SnapshotRequest { session: ask.session, request_id: ask.request_id, since: newest, day };
        // A snapshot may be ahead of the hub, because readers see a commit before the hub has
        // published it.
        if let Some(kept) = self.kept.get(&key).filter(|kept| kept.seq >= newest) {
            sessions.answer(&asker.session, asker.frame(&kept.data));
            return None;
        }
        let waiting = self.waiting.entry(key.clone()).or_default();
        waiting.push(asker);
        (waiting.len() == 1).then_some(SnapshotJob { key, scope, day })
    }

    /// Sends a snapshot to those that waited for it. Returns one to make for those that asked too late
    /// for this one.
    pub fn take(
        &mut self,
        sessions: &mut Sessions,
        made: SnapshotJob,
        answer: Result<EncodedSnapshot, ReadError>,
    ) -> Option<SnapshotJob> {
        let SnapshotJob { key, scope, day } = made;
        let askers = self.waiting.remove(&key).unwrap_or_default();
        let encoded = match answer {
            Ok(encoded) => encoded,
            Err(error) => {
                log::error!("no snapshot: {}", chain(&error));
                for asker in &askers {
                    refuse(sessions, asker);
                }
                return None;
            }
        };
        let holds = |asker: &SnapshotRequest| asker.since <= encoded.seq && asker.day <= day;
        let (served, late): (Vec<_>, Vec<_>) = askers.into_iter().partition(holds);
        for asker in &served {
            sessions.answer(&asker.session, asker.frame(&encoded.data));
        }
        if self.kept.len() >= KEPT_MAX {
            self.kept.clear();
        }
        if day == self.day {
            self.kept.insert(key.clone(), encoded);
        }
        if late.is_empty() {
            return None;
        }
        self.waiting.insert(key.clone(), late);
        Some(SnapshotJob { key, scope, day: self.day })
    }
}

fn refuse(sessions: &mut Sessions, asker: &SnapshotRequest) {
    let message = "the stored state cannot be read now";
    let answered = asker.request_id.as_deref();
    sessions.answer(&asker.session, encode_error(answered, clock::now(), ErrorCode::Unavailable, message));
}
