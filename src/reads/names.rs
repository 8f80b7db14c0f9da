//! Names for ids: what a table of numbers is read with.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{OptionalExtension, Transaction};

use super::visible;
use super::{Query, ReadError};
use crate::auth::Scope;
use crate::protocol::mask::mask_name;

/// Names of agents, and of the contacts of chats that are seen; masked for whom they are masked.
#[derive(Debug, Clone)]
pub struct LookUpNames {
    /// Agents.
    pub members: Vec<String>,
    /// Chats.
    pub chats: Vec<String>,
    /// Whose eyes.
    pub scope: Arc<Scope>,
}

/// Names by id; an id without a name is not in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundNames {
    /// Of agents.
    pub members: BTreeMap<String, String>,
    /// Of contacts, by their chat.
    pub chats: BTreeMap<String, String>,
}

impl Query for LookUpNames {
    type Answer = FoundNames;

    fn answer(self, tx: &Transaction<'_>) -> Result<FoundNames, ReadError> {
        let shown = |name: String| if self.scope.is_masked() { mask_name(&name) } else { name };
        let mut found = FoundNames::default();
        for id in &self.members {
            let name = name(tx, "SELECT name FROM members WHERE id = ?", id)?;
            found.members.extend(name.map(|name| (id.clone(), shown(name))));
        }
        for id in &self.chats {
            if visible::sees_chat(tx, &self.scope, id)? {
                let sql = "SELECT contacts.name FROM chats JOIN contacts ON contacts.id = chats.contact_id \
                           WHERE chats.id = ?";
                found.chats.extend(name(tx, sql, id)?.map(|name| (id.clone(), shown(name))));
            }
        }
        Ok(found)
    }
}

/// The names of all agents that have one.
#[derive(Debug, Clone, Copy)]
pub struct AllAgentNames;

/// Names of agents, by id.
pub type AgentNames = BTreeMap<String, String>;

impl Query for AllAgentNames {
    type Answer = AgentNames;

    fn answer(self, tx: &Transaction<'_>) -> Result<AgentNames, ReadError> {
        let mut select = tx.prepare_cached("SELECT id, name FROM members WHERE name IS NOT NULL")?;
        let names = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(names.collect::<Result<_, _>>()?)
    }
}

fn name(tx: &Transaction<'_>, sql: &'static str, id: &str) -> Result<Option<String>, ReadError> {
    let name: Option<Option<String>> =
        tx.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()?;
    Ok(name.flatten())
}
