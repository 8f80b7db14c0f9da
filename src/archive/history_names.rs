//! What sectors and tags are called today: the timeline keeps their ids only.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, Transaction};

use super::ArchiveError;
use crate::domain::{Chat, Named};
use crate::protocol::shapes::NamedShape;

/// Open chats that are looked at for the name of a sector.
const CHATS_LOOKED_AT: i64 = 2_000;

const CHAT_IN_SECTOR: &str =
    "SELECT state FROM (SELECT state, sector_id FROM chats INDEXED BY chats_open_by_activity
        WHERE open = 1 ORDER BY last_activity_at DESC, id DESC LIMIT ?2) WHERE sector_id = ?1 LIMIT 1";
const CHAT_WITH_TAG: &str = "SELECT chats.state FROM chat_tags JOIN chats ON chats.id = chat_tags.chat_id
        WHERE chat_tags.tag_id = ?1 AND ?2 > 0 LIMIT 1";

/// Names that were looked up already; `None` for those that nothing says.
#[derive(Default)]
pub(super) struct Names {
    sectors: HashMap<String, Option<String>>,
    tags: HashMap<String, Option<String>>,
}

impl Names {
    /// Takes over the names that a chat brings along.
    pub(super) fn learn(&mut self, chat: &Chat) {
        note(&mut self.sectors, chat.sector.flat());
        note(&mut self.tags, chat.tags.get().into_iter().flatten());
    }

    /// Names a sector, where some open chat knows it.
    pub(super) fn name_sector(
        &mut self,
        tx: &Transaction<'_>,
        sector: &mut NamedShape,
    ) -> Result<(), ArchiveError> {
        if !self.sectors.contains_key(&sector.id) {
            if let Some(chat) = chat_with(tx, CHAT_IN_SECTOR, &sector.id)? {
                self.learn(&chat);
            }
            self.sectors.entry(sector.id.clone()).or_default();
        }
        sector.name = self.sectors.get(&sector.id).cloned().flatten();
        Ok(())
    }

    /// Names a tag, where some chat has it.
    pub(super) fn name_tag(
        &mut self,
        tx: &Transaction<'_>,
        tag: &mut NamedShape,
    ) -> Result<(), ArchiveError> {
        if !self.tags.contains_key(&tag.id) {
            if let Some(chat) = chat_with(tx, CHAT_WITH_TAG, &tag.id)? {
                self.learn(&chat);
            }
            self.tags.entry(tag.id.clone()).or_default();
        }
        tag.name = self.tags.get(&tag.id).cloned().flatten();
        Ok(())
    }
}

fn note<'a>(names: &mut HashMap<String, Option<String>>, said: impl IntoIterator<Item = &'a Named>) {
    for named in said {
        names.insert(named.id.to_string(), named.name.clone());
    }
}

fn chat_with(tx: &Transaction<'_>, sql: &'static str, id: &str) -> Result<Option<Chat>, ArchiveError> {
    let mut select = tx.prepare_cached(sql)?;
    let state: Option<String> =
        select.query_row(rusqlite::params![id, CHATS_LOOKED_AT], |row| row.get(0)).optional()?;
    Ok(state.map(|state| serde_json::from_str(&state)).transpose()?)
}
