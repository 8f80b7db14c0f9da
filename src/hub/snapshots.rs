//! Snapshots: asked of the archive once for everybody who wants the same one at the same position, and encoded on
//! the archive's thread.

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
use super::sessions::Session;
use crate::archive::{ArchiveError, Ask, Query, Snapshot};
use crate::auth::Scope;
use crate::domain::Seq;
use crate::protocol::event::{ServerEvent, encode, encode_error};
use crate::protocol::{ChatShape, ContactShape, ErrorCode, MessageShape, SnapshotLimits, StatsShape};
use crate::telemetry::clock;

/// Different snapshots that are kept for whoever asks next; a page of screens asks for one or two kinds.
const KEPT_MAX: usize = 16;

/// Equal keys get equal snapshots.
type Key = (SnapshotLimits, String);

/// Snapshots that are being made, and those that are still true.
#[derive(Default)]
pub struct Snapshots {
    kept: HashMap<Key, Encoded>,
    waiting: HashMap<Key, Vec<Asker>>,
    /// Grows each time that what was counted as today is not any more.
    day: u64,
}

#[derive(Debug)]
struct Asker {
    session: SessionId,
    request_id: Option<RequestId>,
    /// Where the hub stood: a snapshot from before would miss updates that this session was not sent either.
    since: Seq,
    /// On which day.
    day: u64,
}

/// An encoded snapshot and the position that it stands at.
#[derive(Debug)]
struct Encoded {
    seq: Seq,
    data: Box<RawValue>,
}

impl Snapshots {
    /// What was counted as today is not any more.
    pub fn forget(&mut self) {
        self.kept.clear();
        self.day += 1;
    }
}

/// Asks for a snapshot, encoded.
struct EncodeSnapshot {
    limits: SnapshotLimits,
    scope: Arc<Scope>,
    now: Timestamp,
    zone: TimeZone,
}

/// The content of `umbler_data`: everything as it was at one position.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UmblerData<'a> {
    /// The position; updates up to it are in here.
    #[schema(value_type = i64)]
    seq: Seq,
    /// The life of the journal.
    epoch: &'a str,
    /// A hash of what the token allows.
    scope: &'a str,
    /// The counters, as far as the token sees.
    stats: &'a StatsShape,
    /// The latest contacts.
    contacts: &'a [ContactShape],
    /// Open chats.
    chats: &'a [ChatShape],
    /// The latest messages.
    recent_messages: &'a [MessageShape],
    /// The lists that hold less than there is.
    truncated: &'a [&'static str],
}

impl Query for EncodeSnapshot {
    type Answer = Encoded;

    fn answer(self, tx: &Transaction<'_>) -> Result<Encoded, ArchiveError> {
        let snapshot =
            Snapshot { limits: self.limits, now: self.now, zone: self.zone, scope: Arc::clone(&self.scope) }
                .answer(tx)?;
        // The lists go by the names they have on the wire.
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
        Ok(Encoded { seq: snapshot.seq, data })
    }
}

impl Handler<SendSnapshot> for UmblerHub {
    type Result = ();

    fn handle(&mut self, ask: SendSnapshot, ctx: &mut Self::Context) {
        let Some((_, scope)) = self.sessions.get(&ask.session).and_then(Session::scope) else { return };
        let scope = Arc::clone(scope);
        let key = (ask.limits, scope.hash().to_owned());
        let (since, day) = (self.stats.as_of, self.snapshots.day);
        let asker = Asker { session: ask.session, request_id: ask.request_id, since, day };
        // It may stand ahead of the hub: the archive sees a commit before the hub has handed it out.
        if let Some(kept) = self.snapshots.kept.get(&key).filter(|kept| kept.seq >= self.stats.as_of) {
            let frame = asker.frame(&kept.data);
            return self.answer(&asker.session, frame);
        }
        let waiting = self.snapshots.waiting.entry(key.clone()).or_default();
        waiting.push(asker);
        if waiting.len() == 1 {
            self.make_snapshot(key, scope, ctx);
        }
    }
}

impl Asker {
    fn frame(&self, data: &RawValue) -> ByteString {
        encode(ServerEvent::UmblerData, self.request_id.as_deref(), clock::now(), &data)
    }
}

impl UmblerHub {
    fn make_snapshot(&self, key: Key, scope: Arc<Scope>, ctx: &mut Context<Self>) {
        let ask = EncodeSnapshot {
            limits: key.0,
            scope: Arc::clone(&scope),
            now: clock::now(),
            zone: self.settings.zone.clone(),
        };
        let answer = self.archive.send(Ask(ask)).into_actor(self);
        let day = self.snapshots.day;
        ctx.spawn(answer.map(move |answer, hub, ctx| {
            hub.take_snapshot(key, scope, day, answer.unwrap_or(Err(ArchiveError::Busy)), ctx);
        }));
    }

    fn take_snapshot(
        &mut self,
        key: Key,
        scope: Arc<Scope>,
        day: u64,
        answer: Result<Encoded, ArchiveError>,
        ctx: &mut Context<Self>,
    ) {
        let askers = self.snapshots.waiting.remove(&key).unwrap_or_default();
        match answer {
            Ok(encoded) => {
                let holds = |asker: &Asker| asker.since <= encoded.seq && asker.day <= day;
                let (served, late): (Vec<_>, Vec<_>) = askers.into_iter().partition(holds);
                for asker in &served {
                    self.answer(&asker.session, asker.frame(&encoded.data));
                }
                if !late.is_empty() {
                    self.snapshots.waiting.insert(key.clone(), late);
                    self.make_snapshot(key.clone(), scope, ctx);
                }
                if self.snapshots.kept.len() >= KEPT_MAX {
                    self.snapshots.kept.clear();
                }
                if day == self.snapshots.day {
                    self.snapshots.kept.insert(key, encoded);
                }
            }
            Err(error) => {
                log::error!("no snapshot: {}", crate::journal::writer::chain(&error));
                for asker in &askers {
                    self.refuse_snapshot(asker);
                }
            }
        }
    }

    fn refuse_snapshot(&mut self, asker: &Asker) {
        let message = "the stored state cannot be read now";
        let id = asker.request_id.as_deref();
        self.answer(&asker.session, encode_error(id, clock::now(), ErrorCode::Unavailable, message));
    }
}
