//! Looks up names for ids, for tables of numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{OptionalExtension, Transaction};

use super::visible;
use super::{Query, ReadError};
use crate::auth::Scope;
use crate::protocol::mask::{mask_name, mask_phone};

/// Looks up the names of agents, and names and phones of the contacts of chats that the scope sees. They are
/// masked if the scope says so.
#[derive(Debug, Clone)]
pub struct LookUpNames {
    pub members: Vec<String>,
    pub chats: Vec<String>,
    pub scope: Arc<Scope>,
}

/// Names by id. Ids without a name are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundNames {
    pub members: BTreeMap<String, String>,
    /// Contacts, by the id of their chat.
    pub chats: BTreeMap<String, ContactNames>,
}

/// What a contact is called by; a contact without a name is called by the phone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactNames {
    pub name: Option<String>,
    pub phone: Option<String>,
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
                let contact = contact_of(tx, id)?;
                let phone = if self.scope.is_masked() {
                    contact.phone.as_deref().map(mask_phone)
                } else {
                    contact.phone
                };
                found.chats.insert(id.clone(), ContactNames { name: contact.name.map(shown), phone });
            }
        }
        Ok(found)
    }
}

/// Looks up the names of all agents that have one.
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

fn contact_of(tx: &Transaction<'_>, chat: &str) -> Result<ContactNames, ReadError> {
    let sql = "SELECT contacts.name, contacts.phone FROM chats JOIN contacts ON contacts.id = chats.contact_id \
               WHERE chats.id = ?";
    let found = tx
        .prepare_cached(sql)?
        .query_row([chat], |row| Ok(ContactNames { name: row.get(0)?, phone: row.get(1)? }))
        .optional()?;
    Ok(found.unwrap_or_default())
}
