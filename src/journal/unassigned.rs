//! Deliveries and objects of which nobody knows whose they are, because they were not understood. Where one contains a
//! person's id, name or phone, it goes with the person.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};

use super::fault::StoreError;
use super::rows::NO_BYTES;
use crate::domain::{Contact, ContactId};

/// Shorter names are not searched for in deliveries that were not understood.
const NAME_BYTES_MIN: usize = 4;
/// Phones with fewer digits are not searched for either.
const PHONE_DIGITS_MIN: usize = 8;

/// The positions of deliveries that were not understood, so that nobody knows whose they are.
pub(super) fn positions(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    let mut select = connection.prepare_cached("SELECT seq FROM journal WHERE reason IS NOT NULL")?;
    select.query_map([], |row| row.get(0))?.collect()
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
