//! Reads the names and pictures of the agents, which no delivery carries.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, Transaction};

use super::archive::Archive;
use super::client::Client;
use super::fault::LinkError;
use crate::domain::Member;
use crate::reads::{Query, ReadError};
use crate::umbler::api::{Organization, RequestBuilder};

/// Most agents, and most other things, without a name that are read at once. No team has as many.
const NAMELESS_MAX: u32 = 1_000;

/// Reads the agents from the API and records the names that are new. Returns how many agents the API names.
pub fn refresh(
    client: &mut Client,
    requests: &RequestBuilder,
    archive: &Archive,
) -> Result<usize, LinkError> {
    let found =
        client.ask(&requests.organization(), |bytes, at| Organization::read(bytes, at, &requests.dialect))?;
    let members = found.said.members;
    let count = members.len();
    let news = archive.ask(FindNewNames { members })?;
    if !news.is_empty() {
        archive.name(news)?;
    }
    Ok(count)
}

/// Finds the agents whose name or picture is new. A name that an admin set stays; the journal checks that again when it records.
#[derive(Debug)]
struct FindNewNames {
    members: Vec<Member>,
}

impl Query for FindNewNames {
    type Answer = Vec<Member>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Vec<Member>, ReadError> {
        let mut select = tx.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM members WHERE id = ?1 AND name IS NOT NULL
                 AND (provided = 0 OR name = ?2 AND photo_url IS ?3 AND sector_id IS NULL))",
        )?;
        let mut news = Vec::new();
        for member in self.members {
            let known: bool =
                select.query_row((member.id.as_str(), &member.name, &member.photo_url), |row| row.get(0))?;
            if !known {
                news.push(member);
            }
        }
        Ok(news)
    }
}

/// Gives agents the names that the directory has for them; an admin's win over those of the API.
#[derive(Debug)]
pub struct NameAgents(pub Vec<(String, Option<String>)>);

impl Query for NameAgents {
    type Answer = Vec<(String, Option<String>)>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let mut select = tx.prepare_cached("SELECT name FROM members WHERE id = ?")?;
        let mut named = Vec::with_capacity(self.0.len());
        for (id, name) in self.0 {
            let known = select.query_row([&id], |row| row.get(0)).optional()?.flatten();
            named.push((id, known.or(name)));
        }
        Ok(named)
    }
}

/// Finds what occurs in chats or messages and has no name: agents, and sectors, lines and tags as `KIND:ID`.
#[derive(Debug)]
pub struct FindNameless;

impl Query for FindNameless {
    type Answer = BTreeSet<String>;

    fn answer(self, tx: &Transaction<'_>) -> Result<BTreeSet<String>, ReadError> {
        let mut select = tx.prepare_cached(
            "SELECT id FROM members WHERE name IS NULL AND name_key = '' ORDER BY name_key, id LIMIT ?",
        )?;
        let mut found: BTreeSet<String> =
            select.query_map([NAMELESS_MAX], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut select = tx.prepare_cached(
            "SELECT what || ':' || id FROM names WHERE name IS NULL AND given IS NULL ORDER BY what, id LIMIT ?",
        )?;
        for name in select.query_map([NAMELESS_MAX], |row| row.get(0))? {
            found.insert(name?);
        }
        Ok(found)
    }
}
