//! What is asked before a person's data are erased or exported.

use rusqlite::{OptionalExtension, Transaction};

use super::{Query, ReadError};
use crate::domain::ChatId;
use crate::journal::fold::{digits, fold};
use crate::journal::{Erasure, erasures_of};

/// Shorter parts of a name are not looked for: they would forbid ordinary words.
const TELLING_CHARS_MIN: usize = 3;
/// Digits at the end of a phone that tell whose it is.
const TELLING_DIGITS: usize = 8;

/// Looks a person up; `None` if there is no such contact.
#[derive(Debug)]
pub struct FindPerson {
    /// Id of the contact, case-sensitive.
    pub contact: String,
}

/// A person, as far as an erasure needs it.
#[derive(Debug)]
pub struct Person {
    pub name: Option<String>,
    pub phone: Option<String>,
    /// Chats that were held with the contact once and no longer are.
    pub former_chats: Vec<ChatId>,
}

impl Person {
    /// True if a text contains a part of the name, or the end of the phone.
    pub fn is_told_by(&self, text: &str) -> bool {
        let said = fold(text);
        let name = self.name.as_deref().map(fold).unwrap_or_default();
        let parts = name.split_whitespace().filter(|part| part.chars().count() >= TELLING_CHARS_MIN);
        let mut words = parts.map(|part| said.split(|c: char| !c.is_alphanumeric()).any(|word| word == part));
        let phone = self.phone.as_deref().map(digits).unwrap_or_default();
        let ending = phone.get(phone.len().saturating_sub(TELLING_DIGITS)..).unwrap_or_default();
        words.any(|is_told| is_told) || ending.len() == TELLING_DIGITS && digits(text).contains(ending)
    }
}

impl Query for FindPerson {
    type Answer = Option<Person>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let mut select = tx.prepare_cached("SELECT name, phone FROM contacts WHERE id = ?1")?;
        let found = select.query_row([&self.contact], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some((name, phone)) = found else { return Ok(None) };
        // It reads the whole journal, which the writer must not do.
        let mut former = tx.prepare_cached(
            "SELECT DISTINCT chat_id FROM journal
             WHERE contact_id = ?1 AND chat_id NOT IN (SELECT id FROM chats WHERE contact_id = ?1) ORDER BY chat_id",
        )?;
        let former = former.query_map([&self.contact], |row| row.get::<_, String>(0))?;
        let former_chats = former.map(|id| id.map(ChatId::from)).collect::<Result<_, _>>()?;
        Ok(Some(Person { name, phone, former_chats }))
    }
}

/// The erasures of a contact, in the order of their times.
#[derive(Debug)]
pub struct ListErasures {
    pub contact: String,
}

impl Query for ListErasures {
    type Answer = Vec<Erasure>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        Ok(erasures_of(tx, Some(&self.contact))?)
    }
}
