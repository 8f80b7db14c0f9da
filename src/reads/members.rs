//! Agents: those in the directory, and those who occur in chats without being in it.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Transaction, params_from_iter};
use serde::Serialize;

use super::cursor::fingerprint;
use super::needle::Needle;
use super::page::{Conditions, Order, Page, PageAt, Walk};
use super::visible::placements_seen;
use super::{Query, ReadError};
use crate::auth::Scope;
use crate::domain::register::from_nanos;
use crate::protocol::shapes::NamedShape;
use crate::protocol::{Mask, MemberShape};

/// Lists agents: those without a name first, then by name. If names are masked, by id.
#[derive(Debug, Clone)]
pub struct ListMembers {
    pub filter: MemberFilter,
    /// 1 to 200.
    pub limit: u32,
    pub at: PageAt,
    pub scope: Arc<Scope>,
}

/// Which agents to list: those that meet every condition given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MemberFilter {
    /// A part of the name or the id. Case and accents do not matter.
    pub search: Option<String>,
    /// `true`: in the directory. `false`: not in it.
    pub known: Option<bool>,
}

/// An agent, with or without an entry in the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedMember {
    pub member: MemberShape,
    /// When the entry was last changed; `None` if there is no entry.
    pub updated_at: Option<Timestamp>,
    /// The entry came from the provider, and no admin changed it since.
    pub is_provided: bool,
}

impl Query for ListMembers {
    type Answer = Page<ListedMember>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let conditions = self.conditions(people_seen(tx, &self.scope)?);
        let total = conditions.count(tx, "members")?;
        let walk = Walk {
            table: "members",
            // The order by name would reveal something about masked names.
            key: if self.scope.is_masked() { "id" } else { "name_key" },
            tie: "id",
            order: Order::Asc,
            conditions,
            at: &self.at,
            limit: self.limit,
            fingerprint: fingerprint(&("members", &self.filter, self.scope.hash()))?,
        };
        Ok(walk.rows(tx, |tx, rowid| load(tx, rowid, &self.scope))?.into_page(total))
    }
}

impl ListMembers {
    /// `people` are the ids of agents in visible chats; `None` if all chats are visible.
    fn conditions(&self, people: Option<Value>) -> Conditions {
        let mut conditions = Conditions::default();
        match self.filter.known {
            Some(true) => conditions.require("name IS NOT NULL", []),
            Some(false) => conditions.require("name IS NULL", []),
            None => {}
        }
        if let Some(people) = people {
            // Everybody may see the directory. An agent who is not in it is visible through the
            // chats they take part in.
            conditions.require(
                "(members.name IS NOT NULL OR members.id IN (SELECT value FROM json_each(?)))",
                [people],
            );
        }
        if let Some(search) = &self.filter.search {
            conditions.require_unmasked(&self.scope);
            conditions.require("instr(search_key, ?) > 0", [Value::Text(Needle::new(search).folded)]);
        }
        conditions
    }
}

/// Ids of the agents who take part in chats that `scope` sees, as a JSON array for `json_each`; `None` if it
/// sees every chat. Looked up once, because the page and the total both need it.
fn people_seen(tx: &Transaction<'_>, scope: &Scope) -> Result<Option<Value>, ReadError> {
    if scope.is_unlimited() {
        return Ok(None);
    }
    let (seen, values) = placements_seen(scope);
    let sql = format!(
        "SELECT json_group_array(DISTINCT member_id) FROM placement_people WHERE placement_id IN ({seen})"
    );
    let ids: String = tx.prepare_cached(&sql)?.query_row(params_from_iter(values), |row| row.get(0))?;
    Ok(Some(Value::Text(ids)))
}

fn load(tx: &Transaction<'_>, rowid: i64, scope: &Scope) -> Result<ListedMember, ReadError> {
    let mut select = tx.prepare_cached(
        "SELECT id, name, photo_url, sector_id, updated_at, provided FROM members WHERE rowid = ?",
    )?;
    let mut listed = select.query_row([rowid], |row| {
        let member = MemberShape {
            id: row.get(0)?,
            name: row.get(1)?,
            photo_url: row.get(2)?,
            sector_id: row.get(3)?,
        };
        let updated_at = row.get::<_, Option<i64>>(4)?.map(from_nanos);
        Ok(ListedMember { member, updated_at, is_provided: row.get(5)? })
    })?;
    if scope.is_masked() {
        listed.member.mask();
    }
    Ok(listed)
}

/// Replaces agents' names by those in the directory, where it has one.
pub(super) fn name_people<'a>(
    tx: &Transaction<'_>,
    people: impl Iterator<Item = &'a mut NamedShape>,
) -> Result<(), ReadError> {
    let mut select = tx.prepare_cached("SELECT name FROM members WHERE id = ?")?;
    for agent in people {
        let name: Option<Option<String>> = select.query_row([&agent.id], |row| row.get(0)).optional()?;
        if let Some(name) = name.flatten() {
            agent.name = Some(name);
        }
    }
    Ok(())
}
