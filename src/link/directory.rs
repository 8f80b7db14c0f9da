//! Who the agents are: their names and pictures, which no delivery carries.

use std::collections::BTreeSet;

use rusqlite::Transaction;

use super::archive::Archive;
use super::client::{Client, LinkError};
use crate::domain::Member;
use crate::reads::{Query, ReadError};
use crate::umbler::api::{Asking, Organization};

/// Ids without a name that are looked at: more than a team has.
const NAMELESS_MAX: u32 = 1_000;

/// Asks who the agents are, and has those named whose names are news. Returns how many have one.
pub fn refresh(client: &mut Client, asking: &Asking, archive: &Archive) -> Result<usize, LinkError> {
    let found =
        client.ask(&asking.organization(), |bytes, at| Organization::read(bytes, at, &asking.dialect))?;
    let members = found.said.members;
    let count = members.len();
    let news = archive.ask(FindUnnamed { members })?;
    if !news.is_empty() {
        archive.name(news)?;
    }
    Ok(count)
}

/// Which of these names are news. What an admin set is none; the journal decides it once more.
#[derive(Debug)]
struct FindUnnamed {
    members: Vec<Member>,
}

impl Query for FindUnnamed {
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

/// Ids of agents that occur and have no name.
#[derive(Debug)]
pub struct Nameless;

impl Query for Nameless {
    type Answer = BTreeSet<String>;

    fn answer(self, tx: &Transaction<'_>) -> Result<BTreeSet<String>, ReadError> {
        let mut select = tx.prepare_cached(
            "SELECT id FROM members WHERE name IS NULL AND name_key = '' ORDER BY name_key, id LIMIT ?",
        )?;
        Ok(select.query_map([NAMELESS_MAX], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }
}
