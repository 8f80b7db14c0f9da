//! Digests of the stored tables. Databases with the same content have the same digests, however their rows
//! are laid out in the file.
//!
//! Ids that only the database uses are replaced by what they refer to, and rows with a count of 0 are left
//! out. Both depend on where batches ended, and no answer depends on them.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{Context, SHA256};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::protocol::FaultKind;
use crate::sqlite::kind_of;

/// Each table, with the query for what is compared.
const TABLES: [(&str, &str); 27] = [
    ("journal", "SELECT * FROM journal ORDER BY seq"),
    ("raw_deliveries", "SELECT seq, body FROM raw_deliveries ORDER BY seq"),
    ("ignored_deliveries", "SELECT received_at, reason, body FROM ignored_deliveries ORDER BY id"),
    ("frames", "SELECT seq, frame, elsewhere FROM frames ORDER BY seq"),
    ("blocks", "SELECT * FROM blocks ORDER BY first"),
    ("timeline", "SELECT * FROM timeline ORDER BY chat_id, at, event_id"),
    (
        "contacts",
        "SELECT contacts.id, organization, name, phone, name_key, search_key, created_at, last_interaction_at,
             last_message_id, state,
             (SELECT json_group_array(key) FROM (
                 SELECT placements.key FROM placement_set_parts JOIN placements ON placements.id = placement_id
                 WHERE set_id = placement_set_id ORDER BY placements.key))
         FROM contacts ORDER BY contacts.id",
    ),
    ("contact_tags", "SELECT * FROM contact_tags ORDER BY tag_id, contact_id"),
    (
        "chats",
        "SELECT chats.id, chats.organization, contact_id, kind, chats.channel_id, chats.sector_id, owner_id, open, waiting,
             chats.private, name_key, created_at, last_activity_at, last_message_at, last_message_id, message_count, state,
             late_message_at, placements.key
         FROM chats LEFT JOIN placements ON placements.id = placement_id ORDER BY chats.id",
    ),
    ("chat_tags", "SELECT * FROM chat_tags ORDER BY tag_id, chat_id"),
    (
        "messages",
        "SELECT id, chat_id, at, source, role, search_key, state, order_at, order_tie FROM messages ORDER BY id",
    ),
    ("parked_reactions", "SELECT * FROM parked_reactions ORDER BY message_id, reaction"),
    ("members", "SELECT * FROM members ORDER BY id"),
    ("names", "SELECT * FROM names ORDER BY what, id"),
    ("settings", "SELECT * FROM settings ORDER BY id"),
    ("alerts", "SELECT * FROM alerts ORDER BY id"),
    ("link_alerts", "SELECT * FROM link_alerts ORDER BY id"),
    ("outbox", "SELECT * FROM outbox ORDER BY id"),
    ("revocations", "SELECT * FROM revocations ORDER BY user"),
    ("erasures", "SELECT * FROM erasures ORDER BY contact_id, at"),
    ("retention", "SELECT * FROM retention ORDER BY what"),
    ("counters", "SELECT * FROM counters"),
    ("message_buckets", "SELECT bucket, count FROM message_buckets WHERE count <> 0 ORDER BY bucket"),
    ("delivery_counts", "SELECT * FROM delivery_counts ORDER BY event_type, outcome"),
    (
        "placements",
        "SELECT key, organization, sector_id, channel_id, private, chats, open_chats, messages, open_direct, waiting_direct,
             (SELECT json_group_array(member_id) FROM (
                 SELECT member_id FROM placement_people WHERE placement_id = placements.id ORDER BY member_id))
         FROM placements ORDER BY key",
    ),
    (
        "placement_messages",
        "SELECT bucket, key, count FROM placement_messages JOIN placements ON placements.id = placement_id
         WHERE count <> 0 ORDER BY bucket, key",
    ),
    (
        "placement_sets",
        "SELECT (SELECT json_group_array(key) FROM (
                     SELECT placements.key FROM placement_set_parts JOIN placements ON placements.id = placement_id
                     WHERE set_id = placement_sets.id ORDER BY placements.key)) AS placed, contacts
         FROM placement_sets ORDER BY placed",
    ),
];

/// Tables that are not compared: they belong to one file, or follow from placements.
#[cfg(test)]
const NOT_COMPARED: [&str; 3] = ["meta", "placement_people", "placement_set_parts"];

/// The digest of each table, in hexadecimal.
pub fn tables(connection: &Connection) -> rusqlite::Result<BTreeMap<&'static str, String>> {
    TABLES.iter().map(|(name, sql)| Ok((*name, of(connection, sql)?))).collect()
}

/// The digest of each table all of whose pages can be read.
pub fn readable_tables(connection: &Connection) -> rusqlite::Result<BTreeMap<&'static str, String>> {
    let mut digests = BTreeMap::new();
    for (name, sql) in TABLES {
        match of(connection, sql) {
            Err(error) if kind_of(&error) == FaultKind::Damaged => {}
            digest => {
                digests.insert(name, digest?);
            }
        }
    }
    Ok(digests)
}

fn of(connection: &Connection, sql: &str) -> rusqlite::Result<String> {
    let mut select = connection.prepare(sql)?;
    let columns = select.column_count();
    let mut rows = select.query([])?;
    let mut context = Context::new(&SHA256);
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            add(&mut context, row.get_ref(column)?);
        }
    }
    Ok(hex(context.finish().as_ref()))
}

/// Lower-case hexadecimal digits, two for each byte.
pub fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

/// Adds a value with its type and length, so that different rows cannot have the same bytes.
fn add(context: &mut Context, value: ValueRef<'_>) {
    let (kind, bytes): (u8, &[u8]) = match value {
        ValueRef::Null => (0, &[]),
        ValueRef::Integer(number) => return number_of(context, 1, number.to_le_bytes()),
        ValueRef::Real(number) => return number_of(context, 2, number.to_le_bytes()),
        ValueRef::Text(text) => (3, text),
        ValueRef::Blob(bytes) => (4, bytes),
    };
    number_of(context, kind, (bytes.len() as u64).to_le_bytes());
    context.update(bytes);
}

fn number_of(context: &mut Context, kind: u8, number: [u8; 8]) {
    context.update(&[kind]);
    context.update(&number);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::steps::migrate_to_latest;

    #[test]
    fn every_table_of_the_schema_is_compared() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_to_latest(&mut connection).unwrap();
        let mut select = connection
            .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            .unwrap();
        let names: Vec<String> =
            select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        let digests = tables(&connection).unwrap();
        for name in &names {
            let is_known = digests.contains_key(&**name) || NOT_COMPARED.contains(&&**name);
            assert!(is_known, "{name} is in no digest");
        }
        assert_eq!(names.len(), TABLES.len() + NOT_COMPARED.len());
    }
}
