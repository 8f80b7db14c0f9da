//! The steps from each released schema to the present one.

#[cfg(test)]
use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use super::{blank, bodies, reorder, search_keys};

/// Each schema ever released, in order. A released step is never changed, only followed by another.
const STEPS: [&str; 17] = [
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_audience.sql"),
    include_str!("migrations/0003_revocations.sql"),
    include_str!("migrations/0004_directory.sql"),
    include_str!("migrations/0005_settings_alerts.sql"),
    MESSAGE_ORDER,
    PLACEMENTS,
    SAID_AND_SHOWN,
    SEARCH_KEYS,
    RECORDS,
    include_str!("migrations/0011_link.sql"),
    include_str!("migrations/0012_late_messages.sql"),
    include_str!("migrations/0013_outbox.sql"),
    include_str!("migrations/0014_erasures.sql"),
    include_str!("migrations/0015_given_names.sql"),
    include_str!("migrations/0016_notices.sql"),
    include_str!("migrations/0017_waits.sql"),
];
/// Rows are filled in by [`reorder::reorder`], because SQL cannot read deliveries.
const MESSAGE_ORDER: &str = include_str!("migrations/0006_message_order.sql");
const PLACEMENTS: &str = include_str!("migrations/0007_placements.sql");
/// The second half is [`blank::upgrade`].
const SAID_AND_SHOWN: &str = include_str!("migrations/0008_said_and_shown.sql");
/// All of the work is done by [`search_keys::make_anew`].
const SEARCH_KEYS: &str = include_str!("migrations/0009_search_keys.sql");
/// The second half is [`bodies::fill_in`].
const RECORDS: &str = include_str!("migrations/0010_records.sql");

pub(super) fn migrations() -> Migrations<'static> {
    let step = |sql: &&'static str| match *sql {
        MESSAGE_ORDER => M::up_with_hook(sql, reorder::reorder),
        SAID_AND_SHOWN => M::up_with_hook(sql, blank::upgrade),
        SEARCH_KEYS => M::up_with_hook(sql, search_keys::make_anew),
        RECORDS => M::up_with_hook(sql, bodies::fill_in),
        sql => M::up(sql),
    };
    Migrations::new(STEPS.iter().map(step).collect())
}

/// Gives a database the present schema, for tests of other rooms.
#[cfg(test)]
pub fn migrate_to_latest(connection: &mut Connection) -> Result<(), rusqlite_migration::Error> {
    migrations().to_latest(connection)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::Chat;

    #[test]
    fn an_upgrade_gives_open_chats_the_clocks_that_they_did_not_have() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrations().to_version(&mut connection, 4).unwrap();
        let write = |sql: &str| connection.execute_batch(sql).unwrap();
        let state = r#"{"id":"a","created_at":null,"active_at":null,"last_closed_at":null,"closed_since":null,"last_reply_at":null,"unanswered_since":null,"last_message":null}"#;
        for (id, open) in [("a", 1), ("b", 1), ("c", 0)] {
            write(&format!(
                "INSERT INTO chats (id, kind, open, waiting, private, name_key, created_at, last_activity_at, message_count,
                     state) VALUES ('{id}', 'direct', {open}, 0, 0, '', 0, 0, 0, '{state}')"
            ));
        }
        for (id, chat, at, role) in [
            ("1", "a", 1_772_456_400_000_000_000_i64, "customer"),
            ("2", "a", 1_772_456_401_123_456_700, "customer"),
            ("3", "a", 1_772_456_402_000_000_000, "reply"),
            ("4", "c", 1_772_456_402_000_000_000, "customer"),
        ] {
            write(&format!(
                "INSERT INTO messages (id, chat_id, at, role, state) VALUES ('{id}', '{chat}', {at}, '{role}', '')"
            ));
        }
        write(
            "INSERT INTO timeline (chat_id, at, event_id, seq, bot_running) VALUES
                 ('a', 1772456403000000000, 'x', 1, 1), ('a', 1772456404000000000, 'y', 2, 0)",
        );
        migrations().to_latest(&mut connection).unwrap();
        let chat = |id: &str| -> Chat {
            let sql = "SELECT state FROM chats WHERE id = ?1";
            let state: String = connection.query_row(sql, [id], |row| row.get(0)).unwrap();
            serde_json::from_str(&state).unwrap()
        };
        let moment = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        assert_eq!(chat("a").last_customer_at, moment("2026-03-02T13:00:01.1234567Z"));
        assert_eq!(chat("a").bot_seen_at, moment("2026-03-02T13:00:03Z"));
        for other in ["b", "c"] {
            assert_eq!((chat(other).last_customer_at, chat(other).bot_seen_at), (None, None), "{other}");
        }
    }

    #[test]
    fn an_upgrade_makes_search_keys_of_the_present_folding() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrations()
            .to_version(&mut connection, STEPS.iter().position(|sql| *sql == SEARCH_KEYS).unwrap())
            .unwrap();
        // As a hub of that time wrote them: accents folded, special letters and punctuation as they came.
        connection
            .execute_batch(
                "INSERT INTO messages (id, chat_id, at, role, search_key, state) VALUES
                     ('m1', 'a', 0, 'customer', '2ª via do cpf 123.456.789-09', ''), ('m2', 'a', 0, 'customer', NULL, ''),
                     ('m3', 'a', 0, 'customer', 'bom dia', '');
                 INSERT INTO contacts (id, name, phone, name_key, search_key, created_at, last_interaction_at, state) VALUES
                     ('c1', '𝓜𝓪𝓻𝓲𝓪', '+553190000123', '𝓜𝓪𝓻𝓲𝓪', '𝓜𝓪𝓻𝓲𝓪 553190000123', 0, 0, ''),
                     ('c2', NULL, '+1 305', '+1 305', ' 1305', 0, 0, '');
                 INSERT INTO chats (id, contact_id, kind, open, waiting, private, name_key, created_at, last_activity_at,
                     message_count, state) VALUES ('a', 'c1', 'direct', 1, 0, 0, '𝓜𝓪𝓻𝓲𝓪', 0, 0, 0, '{}');
                 INSERT INTO members (id, name, occurs, name_key, search_key) VALUES ('Aª', 'ﬁlipe', 0, 'ﬁlipe', 'ﬁlipe aª');",
            )
            .unwrap();
        migrations().to_latest(&mut connection).unwrap();
        let all = |sql: &str| -> Vec<Option<String>> {
            let mut select = connection.prepare(sql).unwrap();
            select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
        };
        let some = |texts: &[&str]| texts.iter().map(|text| Some((*text).to_owned())).collect::<Vec<_>>();
        let messages = all("SELECT search_key FROM messages ORDER BY id");
        assert_eq!(messages[0].as_deref(), Some("2a via do cpf 123.456.789-09\u{1f}12345678909\u{1f}"));
        assert_eq!(messages[1..], [None, Some("bom dia".to_owned())]);
        let keys = all("SELECT search_key FROM contacts ORDER BY id");
        assert_eq!(keys, some(&["maria 553190000123 5531990000123", " 1305"]));
        assert_eq!(all("SELECT name_key FROM contacts ORDER BY id"), some(&["maria", "+1 305"]));
        assert_eq!(all("SELECT name_key FROM chats"), some(&["maria"]));
        assert_eq!(all("SELECT name_key || '|' || search_key FROM members"), some(&["filipe|filipe aa"]));
    }

    #[test]
    fn an_upgrade_sums_up_where_chats_stand() {
        let mut connection = Connection::open_in_memory().unwrap();
        let step = STEPS.iter().position(|sql| *sql == PLACEMENTS).unwrap();
        migrations().to_version(&mut connection, step).unwrap();
        let write = |sql: &str| connection.execute_batch(sql).unwrap();
        for contact in ["ana", "bia", "nobody"] {
            write(&format!(
                "INSERT INTO contacts (id, name_key, search_key, created_at, last_interaction_at, state)
                 VALUES ('{contact}', '', '', 0, 0, '')"
            ));
        }
        for (id, contact, kind, sector, owner, open, private) in [
            ("a", "'ana'", "direct", "'sales'", "'zé \"1\"'", 1, 0),
            ("b", "'ana'", "direct", "NULL", "NULL", 0, 1),
            ("c", "'bia'", "group", "'sales'", "'zé \"1\"'", 1, 0),
            ("d", "NULL", "direct", "'sales'", "NULL", 1, 0),
        ] {
            write(&format!(
                r#"INSERT INTO chats (id, contact_id, kind, sector_id, owner_id, open, waiting, private, name_key,
                       created_at, last_activity_at, message_count, state)
                   VALUES ('{id}', {contact}, '{kind}', {sector}, {owner}, {open}, 0, {private}, '', 0,
                           1772456401000000000, 2, '{{"members":{{"v":[{{"id":"z"}},{{"id":"é"}}]}}}}');
                   INSERT INTO chat_members (member_id, chat_id)
                       SELECT value, '{id}' FROM json_each(json_array('z', 'é', {owner})) WHERE value IS NOT NULL"#
            ));
            for (number, at) in [1_772_456_400_000_000_000_i64, 1_772_456_401_900_000_000].iter().enumerate()
            {
                write(&format!(
                    "INSERT INTO messages (id, chat_id, at, order_at, role, state)
                         VALUES ('{id}{number}', '{id}', {at}, {at}, 'other', '');
                     INSERT INTO message_buckets VALUES ({at} / 900000000000, 1)
                         ON CONFLICT (bucket) DO UPDATE SET count = count + 1"
                ));
            }
        }
        migrations().to_version(&mut connection, step + 1).unwrap();
        let check = include_str!("../../tests/fixtures/databases/placements_do_not_hold.sql");
        let mut select = connection.prepare(check).unwrap();
        let differences: Vec<String> =
            select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(differences, Vec::<String>::new());
        let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM placements"), 3);
        assert_eq!(count("SELECT count(*) FROM placement_sets"), 2);
        assert_eq!(count("SELECT sum(count) FROM placement_messages"), 6);
    }
}
