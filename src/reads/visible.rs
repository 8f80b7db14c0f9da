//! What a scope sees, as SQL conditions on the rows of a list. Must agree with [`Scope::sees`], which a test
//! checks.
//!
//! A scope sees placements, and all chats at these placements (see `journal::placements`). The conditions
//! test only the placement of a row, so a row costs the same whatever the scope is limited to.

use rusqlite::Transaction;
use rusqlite::types::Value;

use super::ReadError;
use super::page::Conditions;
use crate::auth::Scope;
use crate::domain::{Placement, RefId};

/// What kind of rows a list has, which decides how they are joined to placements.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RowKind {
    Chats,
    Messages,
    /// Visible through any of their chats.
    Contacts,
    Alerts,
}

/// One limit of a scope, as SQL on a row of `chats`, with the JSON array of ids that its `?` is bound to.
struct Clause {
    sql: &'static str,
    ids: Option<Value>,
}

const IN_MEMBERS: &str =
    "chats.id IN (SELECT chat_id FROM chat_members WHERE member_id IN (SELECT value FROM json_each(?)))";

fn clauses(scope: &Scope) -> Vec<Clause> {
    let ids =
        |limit: &[String]| Value::Text(serde_json::to_string(limit).unwrap_or_else(|_error| "[]".into()));
    let mut clauses = Vec::new();
    let mut limit = |sql: &'static str, limit: &Option<Vec<String>>| {
        if let Some(limit) = limit {
            clauses.push(Clause { sql, ids: Some(ids(limit)) });
        }
    };
    limit("chats.organization IN (SELECT value FROM json_each(?))", &scope.orgs);
    limit("chats.sector_id IN (SELECT value FROM json_each(?))", &scope.sectors);
    limit("chats.channel_id IN (SELECT value FROM json_each(?))", &scope.channels);
    limit(IN_MEMBERS, &scope.members);
    // Members see their private chats, and the limit to members already asks for these.
    if !scope.sees_private() && scope.members.is_none() {
        clauses.push(Clause { sql: "chats.private = 0", ids: None });
    }
    clauses
}

/// The limits of a scope as a condition on rows of `chats`, with its values. `chat_members` must tell the
/// members of a chat. The metrics file has tables of its own under these names.
pub fn chats_seen(scope: &Scope) -> (String, Vec<Value>) {
    let clauses = clauses(scope);
    if clauses.is_empty() {
        return ("TRUE".to_owned(), Vec::new());
    }
    let sql = clauses.iter().map(|clause| clause.sql).collect::<Vec<_>>().join(" AND ");
    (sql, clauses.into_iter().filter_map(|clause| clause.ids).collect())
}

/// A `SELECT` of the ids of the placements that `scope` sees.
pub(crate) fn placements_seen(scope: &Scope) -> (String, Vec<Value>) {
    placements_seen_with(scope, "chats.id")
}

/// A `SELECT` of columns of the placements that `scope` sees. The table has the alias `chats`.
pub(crate) fn placements_seen_with(scope: &Scope, columns: &'static str) -> (String, Vec<Value>) {
    let (seen, values) = chats_seen(scope);
    let sql = format!(
        "WITH chat_members (member_id, chat_id) AS NOT MATERIALIZED (SELECT member_id, placement_id FROM placement_people)
         SELECT {columns} FROM placements AS chats WHERE {seen}"
    );
    (sql, values)
}

/// Restricts a list to what `scope` sees. The unary `+` keeps SQLite from using the index of placements and
/// sorting, because the list has already chosen the index to walk.
pub(crate) fn limit(conditions: &mut Conditions, scope: &Scope, rows: RowKind) {
    if scope.is_unlimited() {
        return;
    }
    let (seen, values) = placements_seen(scope);
    let sql = match rows {
        RowKind::Chats => format!("+chats.placement_id IN ({seen})"),
        RowKind::Messages => format!(
            "EXISTS (SELECT 1 FROM chats WHERE chats.id = messages.chat_id AND +chats.placement_id IN ({seen}))"
        ),
        RowKind::Alerts => format!(
            "EXISTS (SELECT 1 FROM chats WHERE chats.id = alerts.chat_id AND +chats.placement_id IN ({seen}))"
        ),
        RowKind::Contacts => {
            let without_chats = if scope.is_whole() { "contacts.placement_set_id IS NULL OR " } else { "" };
            format!("({without_chats}+contacts.placement_set_id IN ({}))", sets_with(&seen))
        }
    };
    conditions.require_dynamic(sql, values);
}

/// Like [`limit`], for a list of chats or contacts that is read by way of the visible placements and then
/// sorted.
pub(crate) fn limit_along(conditions: &mut Conditions, scope: &Scope, rows: RowKind) {
    let (seen, values) = placements_seen(scope);
    let sql = match rows {
        RowKind::Contacts => format!("contacts.placement_set_id IN ({})", sets_with(&seen)),
        RowKind::Chats | RowKind::Messages | RowKind::Alerts => format!("chats.placement_id IN ({seen})"),
    };
    conditions.require_dynamic(sql, values);
}

/// A `SELECT` of the sets that contain one of the placements of another `SELECT`.
pub(crate) fn sets_with(placements: &str) -> String {
    format!("SELECT set_id FROM placement_set_parts WHERE placement_id IN ({placements})")
}

pub(crate) fn sees_chat(tx: &Transaction<'_>, scope: &Scope, id: &str) -> Result<bool, ReadError> {
    let sql = "SELECT placements.key FROM chats JOIN placements ON placements.id = chats.placement_id
               WHERE chats.id = ?";
    sees_any(tx, scope, sql, id)
}

pub(crate) fn sees_contact(tx: &Transaction<'_>, scope: &Scope, id: &str) -> Result<bool, ReadError> {
    if scope.is_whole() {
        let sql = "SELECT placement_set_id IS NULL FROM contacts WHERE id = ?";
        let mut statement = tx.prepare_cached(sql)?;
        let mut rows = statement.query([id])?;
        if rows.next()?.map(|row| row.get(0)).transpose()?.unwrap_or(false) {
            return Ok(true);
        }
    }
    let sql = "SELECT placements.key FROM contacts
               JOIN placement_set_parts INDEXED BY placement_set_parts_of
                   ON placement_set_parts.set_id = contacts.placement_set_id
               JOIN placements ON placements.id = placement_set_parts.placement_id
               WHERE contacts.id = ?";
    sees_any(tx, scope, sql, id)
}

pub(crate) fn sees_alert(tx: &Transaction<'_>, scope: &Scope, id: &str) -> Result<bool, ReadError> {
    let sql = "SELECT placements.key FROM alerts JOIN chats ON chats.id = alerts.chat_id
               JOIN placements ON placements.id = chats.placement_id WHERE alerts.id = ?";
    sees_any(tx, scope, sql, id)
}

/// True if `scope` sees one of the placements whose keys `sql` selects.
fn sees_any(tx: &Transaction<'_>, scope: &Scope, sql: &'static str, id: &str) -> Result<bool, ReadError> {
    if scope.is_unlimited() {
        return Ok(true);
    }
    let mut statement = tx.prepare_cached(sql)?;
    let mut keys = statement.query([id])?;
    while let Some(row) = keys.next()? {
        let key = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        if scope.sees(&placement(key)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Parses the key of a placement.
fn placement(key: &str) -> Result<Placement, ReadError> {
    type Key = (Option<RefId>, Option<RefId>, Option<RefId>, u8, Vec<RefId>);
    let (organization, sector, channel, private, members): Key = serde_json::from_str(key)?;
    let private = private != 0;
    Ok(Placement { organization, sector, channel, owner: None, members, private })
}
