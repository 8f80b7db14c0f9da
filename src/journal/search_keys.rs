//! Computes the search keys of an older database again, because folding has changed (migration 0009).
//!
//! Texts are folded again from their stored keys: folding twice changes nothing, and blanked texts stay
//! blank. Rows whose key does not change are not written.

use rusqlite::{Transaction, params};
use rusqlite_migration::HookResult;

use super::directory::member_search_key;
use super::fold::fold;
use super::tables::{contact_name_key, contact_search_key};
use super::words::{search_key, text_of_key};

/// The keys of messages, of contacts, of their chats, and of agents.
pub(super) fn make_anew(tx: &Transaction<'_>) -> HookResult {
    messages(tx)?;
    contacts(tx)?;
    members(tx)?;
    Ok(())
}

fn messages(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut select =
        tx.prepare("SELECT rowid, search_key FROM messages WHERE search_key IS NOT NULL ORDER BY rowid")?;
    let mut update = tx.prepare("UPDATE messages SET search_key = ?2 WHERE rowid = ?1")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (id, known): (i64, String) = (row.get(0)?, row.get(1)?);
        let key = search_key(text_of_key(&known));
        if key != known {
            update.execute(params![id, key])?;
        }
    }
    Ok(())
}

fn contacts(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut select =
        tx.prepare("SELECT rowid, id, name, phone, name_key, search_key FROM contacts ORDER BY rowid")?;
    let mut update = tx.prepare("UPDATE contacts SET name_key = ?2, search_key = ?3 WHERE rowid = ?1")?;
    let mut rename = tx.prepare("UPDATE chats SET name_key = ?2 WHERE contact_id = ?1")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (name, phone): (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
        let (name, phone) = (name.as_deref(), phone.as_deref());
        let known: (String, String) = (row.get(4)?, row.get(5)?);
        let keys = (contact_name_key(name, phone), contact_search_key(name, phone));
        if keys != known {
            update.execute(params![row.get::<_, i64>(0)?, keys.0, keys.1])?;
        }
        if keys.0 != known.0 {
            rename.execute(params![row.get::<_, String>(1)?, keys.0])?;
        }
    }
    Ok(())
}

fn members(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut select = tx.prepare("SELECT id, name FROM members ORDER BY rowid")?;
    let mut update = tx.prepare("UPDATE members SET name_key = ?2, search_key = ?3 WHERE id = ?1")?;
    let members = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let members: Vec<(String, Option<String>)> = members.collect::<Result<_, _>>()?;
    for (id, name) in members {
        let name = name.as_deref();
        update.execute(params![id, name.map(fold).unwrap_or_default(), member_search_key(name, &id)])?;
    }
    Ok(())
}
