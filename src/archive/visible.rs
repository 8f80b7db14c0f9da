//! What a scope sees, as conditions on the rows of a list. The SQL twin of [`Scope::sees`]; a test compares the two.

use rusqlite::Transaction;
use rusqlite::types::Value;

use super::ArchiveError;
use super::page::Conditions;
use crate::auth::Scope;

/// Whose rows a list holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rows {
    /// Chats themselves.
    Chats,
    /// Messages, by their chat.
    Messages,
    /// Contacts, by any of their chats.
    Contacts,
    /// Alerts, by their chat.
    Alerts,
    /// Agents: those of the directory, and others by any chat that they take part in.
    Members,
}

/// One limit: its SQL on a row of `chats`, and how often the list of ids is bound.
struct Clause {
    sql: &'static str,
    ids: Option<Value>,
}

const IN_MEMBERS: &str =
    "chats.id IN (SELECT chat_id FROM chat_members WHERE member_id IN (SELECT value FROM json_each(?)))";
const PUBLIC_OR_IN_MEMBERS: &str = "(chats.private = 0 OR chats.id IN (SELECT chat_id FROM chat_members WHERE \
                                    member_id IN (SELECT value FROM json_each(?))))";

const WHOLE_CONTACTS: &str = "(NOT EXISTS (SELECT 1 FROM chats INDEXED BY chats_private \
                              WHERE chats.contact_id = contacts.id AND chats.private = 1) \
                              OR EXISTS (SELECT 1 FROM chats INDEXED BY chats_of_contact \
                              WHERE chats.contact_id = contacts.id AND chats.private = 0))";

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
    if !scope.sees_private() {
        let member = scope.members.as_deref().map(ids);
        let sql = if member.is_some() { PUBLIC_OR_IN_MEMBERS } else { "chats.private = 0" };
        clauses.push(Clause { sql, ids: member });
    }
    clauses
}

/// Adds what `scope` limits to the conditions of a list.
pub(super) fn limit(conditions: &mut Conditions, scope: &Scope, rows: Rows) {
    if scope.is_unlimited() {
        return;
    }
    let (sql, values) = chats_seen(scope);
    let sql = match rows {
        Rows::Chats => sql,
        Rows::Messages => format!("EXISTS (SELECT 1 FROM chats WHERE chats.id = messages.chat_id AND {sql})"),
        Rows::Alerts => format!("EXISTS (SELECT 1 FROM chats WHERE chats.id = alerts.chat_id AND {sql})"),
        // Only private chats are hidden, and they are few: whoever has none is seen.
        Rows::Contacts if scope.is_whole() => WHOLE_CONTACTS.to_owned(),
        Rows::Members => format!(
            "(members.name IS NOT NULL OR EXISTS (SELECT 1 FROM chat_members JOIN chats ON chats.id = \
             chat_members.chat_id WHERE chat_members.member_id = members.id AND {sql}))"
        ),
        Rows::Contacts => format!(
            "EXISTS (SELECT 1 FROM chats INDEXED BY chats_of_contact WHERE chats.contact_id = contacts.id AND {sql})"
        ),
    };
    conditions.require_dynamic(sql, values);
}

/// Leaves of each contact's visible chats the one with the latest activity: a walk along these is a walk along
/// contacts in an order that tells nothing of chats which are not seen.
pub(super) fn limit_to_latest_of_contact(conditions: &mut Conditions, scope: &Scope) {
    limit(conditions, scope, Rows::Chats);
    conditions.require("EXISTS (SELECT 1 FROM contacts WHERE contacts.id = chats.contact_id)", []);
    let (visible, values) = chats_seen(scope);
    let sql = format!(
        "NOT EXISTS (SELECT 1 FROM chats other INDEXED BY chats_of_contact
             WHERE other.contact_id = chats.contact_id
               AND (other.last_activity_at, other.id) > (chats.last_activity_at, chats.id) AND {})",
        visible.replace("chats.", "other.")
    );
    conditions.require_dynamic(sql, values);
}

/// True where `scope` sees the row with this id.
pub(super) fn sees(tx: &Transaction<'_>, scope: &Scope, rows: Rows, id: &str) -> Result<bool, ArchiveError> {
    if scope.is_unlimited() {
        return Ok(true);
    }
    let mut conditions = Conditions::default();
    let table = match rows {
        Rows::Chats => {
            conditions.require("chats.id = ?", [Value::Text(id.to_owned())]);
            "chats"
        }
        Rows::Messages => {
            conditions.require("messages.id = ?", [Value::Text(id.to_owned())]);
            "messages"
        }
        Rows::Alerts => {
            conditions.require("alerts.id = ?", [Value::Text(id.to_owned())]);
            "alerts"
        }
        Rows::Contacts => {
            conditions.require("contacts.id = ?", [Value::Text(id.to_owned())]);
            "contacts"
        }
        Rows::Members => {
            conditions.require("members.id = ?", [Value::Text(id.to_owned())]);
            "members"
        }
    };
    limit(&mut conditions, scope, rows);
    Ok(conditions.count(tx, table)? > 0)
}

/// What `scope` limits, as conditions on rows of `chats` with their values; the metrics keep such rows of their own.
pub fn chats_seen(scope: &Scope) -> (String, Vec<Value>) {
    let clauses = clauses(scope);
    if clauses.is_empty() {
        return ("TRUE".to_owned(), Vec::new());
    }
    let sql = clauses.iter().map(|clause| clause.sql).collect::<Vec<_>>().join(" AND ");
    (sql, clauses.into_iter().filter_map(|clause| clause.ids).collect())
}
