//! Deliveries and objects of which nobody knows whose they are, because they were not understood, and notices, which may be of
//! anything. Where one contains a person's id, name or phone, it goes with the person.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};
use serde_json::value::RawValue;

use super::fault::StoreError;
use super::kinds::notices::encode_notice;
use super::payload::Payload;
use super::record::Record;
use super::recorded::Recorded;
use super::records::{self, StoredRecord};
use super::rows::{NO_BYTES, put_body, put_frames};
use crate::domain::{Audience, Contact, ContactId, Seq};

/// Shorter names are not searched for in deliveries that were not understood.
const NAME_BYTES_MIN: usize = 4;
/// Phones with fewer digits are not searched for either.
const PHONE_DIGITS_MIN: usize = 8;

/// The positions of deliveries that were not understood, so that nobody knows whose they are.
pub(super) fn positions(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    let mut select = connection.prepare_cached("SELECT seq FROM journal WHERE reason IS NOT NULL")?;
    select.query_map([], |row| row.get(0))?.collect()
}

/// Takes what they say out of the notices that contain words of the person. Returns their updates as they are now.
pub(super) fn blank_notices(
    connection: &Connection,
    words: &PersonWords,
) -> Result<Vec<Recorded>, StoreError> {
    let mut select = connection.prepare_cached("SELECT seq FROM journal WHERE kind = 1 ORDER BY seq")?;
    let positions: Vec<i64> = select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut blanked = Vec::new();
    for seq in positions {
        if words.occur_in(connection, seq)?
            && let Some(stored) = records::one(connection, Seq(seq))?
        {
            blanked.extend(blank_notice(connection, stored)?);
        }
    }
    put_frames(connection, &blanked)?;
    Ok(blanked)
}

/// The notice that is left says nothing to the same user.
fn blank_notice(connection: &Connection, stored: StoredRecord) -> Result<Option<Recorded>, StoreError> {
    let StoredRecord { seq, entry, .. } = stored;
    let (Some(id), origin, at) = (entry.id.clone(), entry.origin.clone(), entry.at) else { return Ok(None) };
    let Ok(Record { payload: Payload::Notice(mut notice), .. }) = Record::read(entry) else {
        return Ok(None);
    };
    notice.data = RawValue::NULL.to_owned();
    let (user, frame) = (notice.user.clone(), encode_notice(seq, at, &id, &notice)?);
    let left = Record::new(Payload::Notice(notice), Some(id), origin, at).map_err(StoreError::compress)?;
    put_body(connection, seq, &left.entry.body)?;
    let audience = Audience { user: Some(user), ..Audience::default() };
    Ok(Some(Recorded::new(seq, frame, Some(audience), Vec::new())))
}

/// What a delivery that nobody can assign is searched for.
#[derive(Default)]
pub(super) struct PersonWords(BTreeSet<Vec<u8>>);

impl PersonWords {
    /// The contact's id, name and phone.
    pub(super) fn of(contact: &ContactId, known: Option<&Contact>) -> Self {
        let mut words = Self::default();
        if !contact.as_str().is_empty() {
            words.0.insert(contact.as_str().into());
        }
        if let Some(known) = known {
            words.add(known.name.get().map(String::as_str), known.phone.get().map(String::as_str));
        }
        words
    }

    /// Adds a name and a phone that the contact had at some time. Short ones would be found everywhere.
    pub(super) fn add(&mut self, name: Option<&str>, phone: Option<&str>) {
        self.0.extend(name.filter(|name| name.len() >= NAME_BYTES_MIN).map(Into::into));
        let digits = phone.map(super::fold::digits).filter(|digits| digits.len() >= PHONE_DIGITS_MIN);
        self.0.extend(digits.map(String::into_bytes));
    }

    fn are_in(&self, compressed: &[u8]) -> bool {
        // Bytes that cannot be read say nothing to anybody; they are blanked to be safe.
        let Ok(text) = zstd::stream::decode_all(compressed) else { return true };
        self.0.iter().any(|word| text.windows(word.len()).any(|part| part == word.as_slice()))
    }

    pub(super) fn occur_in(&self, connection: &Connection, seq: i64) -> Result<bool, StoreError> {
        let mut select = connection.prepare_cached("SELECT body FROM raw_deliveries WHERE seq = ?1")?;
        let body: Vec<u8> = select.query_row([seq], |row| row.get(0))?;
        Ok(self.are_in(&body))
    }
}

pub(super) fn blank_ignored(connection: &Connection, words: &PersonWords) -> Result<usize, StoreError> {
    let mut select = connection.prepare_cached("SELECT id, body FROM ignored_deliveries")?;
    let mut rows = select.query([])?;
    let mut found: Vec<i64> = Vec::new();
    while let Some(row) = rows.next()? {
        let body = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        if words.are_in(body) {
            found.push(row.get(0)?);
        }
    }
    let mut update = connection.prepare_cached("UPDATE ignored_deliveries SET body = ?2 WHERE id = ?1")?;
    for id in &found {
        update.execute(params![id, NO_BYTES])?;
    }
    Ok(found.len())
}
