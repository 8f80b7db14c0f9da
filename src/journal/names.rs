//! What sectors, lines and tags are called: the name in the newest delivery that said one, by (`EventDate`, `EventId`).
//!
//! Kept beside the chats, because a chat remembers the names of where it stands now only: whoever asked the chats would
//! be told another name after the last one of a renamed sector was moved elsewhere.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::store::StoreError;
use crate::domain::register::to_nanos;
use crate::domain::{ChatFacts, EventKey, RefId, Seq};

/// What has a name, as `names.what` says it.
pub const SECTOR: &str = "sector";
/// A line.
pub const CHANNEL: &str = "channel";
/// A tag of chats.
pub const TAG: &str = "tag";

/// The names that the deliveries of one batch said: hundreds of them usually name the same few sectors and lines, and
/// each is written once. At most as many as the batch's deliveries name.
#[derive(Debug, Default)]
pub(super) struct SaidNames(BTreeMap<(&'static str, RefId), (EventKey, String)>);

impl SaidNames {
    /// Notes what a delivery calls its sector, line and tags. No name says nothing.
    pub(super) fn hear(&mut self, facts: &ChatFacts, key: &EventKey) {
        let channel = facts.channel.iter().map(|channel| (CHANNEL, &channel.id, &channel.name));
        let sector = facts.sector.iter().flatten().map(|sector| (SECTOR, &sector.id, &sector.name));
        let tags = facts.tags.iter().flatten().map(|tag| (TAG, &tag.id, &tag.name));
        for (what, id, name) in channel.chain(sector).chain(tags) {
            let Some(name) = name else { continue };
            let said = self.0.entry((what, id.clone())).or_insert_with(|| (key.clone(), name.clone()));
            if said.0 < *key {
                *said = (key.clone(), name.clone());
            }
        }
    }

    /// Writes those that are newer than what is stored. `seq` is a position of the batch: whoever follows the journal
    /// reads the names that changed after the position that it knows.
    pub(super) fn flush(&mut self, connection: &Connection, seq: Seq) -> Result<(), StoreError> {
        let mut put = connection.prepare_cached(
            "INSERT INTO names (what, id, name, at, event_id, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (what, id) DO UPDATE SET name = ?3, at = ?4, event_id = ?5,
                 seq = CASE WHEN name = ?3 THEN seq ELSE ?6 END
             WHERE (?4, ?5) > (at, event_id)",
        )?;
        for ((what, id), (key, name)) in std::mem::take(&mut self.0) {
            put.execute(params![what, id.as_str(), name, to_nanos(key.at), key.event.as_str(), seq.0])?;
        }
        Ok(())
    }

    /// Forgets what was not written: its batch was rolled back.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}
