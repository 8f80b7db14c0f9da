//! Opens the database: lock, settings, versioned migrations, and a check that does not grow with history.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rand::RngExt;
use rusqlite::{Connection, OptionalExtension};
use rusqlite_migration::{M, Migrations, SchemaVersion};

use super::blank;
use super::fault::kind_of;
use super::lineage::{self, Lineage, Marker};
use super::lock::{DatabaseLock, LockError};
use super::{loss, private, reorder, search_keys};
use crate::domain::Seq;
use crate::protocol::FaultKind;

/// Pages that the writer keeps, in KiB. Not more: after a commit that moved pages of an index, SQLite goes through all that
/// are kept, which with 64 MiB was an eighth of the writer's work.
const CACHE_KIB: i64 = 16 * 1_024;
/// How long a write waits for whoever else holds the file. Less than a delivery waits for the disk, so that the
/// fault is known before the provider gives up.
const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(2);
/// Newest journal rows that a start looks at.
const ROWS_CHECKED: i64 = 100;

/// A step whose work the program does.
const SEARCH_KEYS: &str = include_str!("migrations/0009_search_keys.sql");

/// Each schema ever released, in order. A released step is never changed, only followed by another.
const STEPS: [&str; 9] = [
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_audience.sql"),
    include_str!("migrations/0003_revocations.sql"),
    include_str!("migrations/0004_directory.sql"),
    include_str!("migrations/0005_settings_alerts.sql"),
    MESSAGE_ORDER,
    PLACEMENTS,
    SAID_AND_SHOWN,
    SEARCH_KEYS,
];
/// The step whose rows are filled in by [`reorder::reorder`]: SQL alone cannot read deliveries.
const MESSAGE_ORDER: &str = include_str!("migrations/0006_message_order.sql");
const PLACEMENTS: &str = include_str!("migrations/0007_placements.sql");
/// The step whose second half is a program: [`blank::upgrade`].
const SAID_AND_SHOWN: &str = include_str!("migrations/0008_said_and_shown.sql");

/// Why the database was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another hub has it.
    #[error("cannot take the database {path}")]
    Lock {
        /// The database.
        path: PathBuf,
        /// What stands against it.
        source: LockError,
    },
    /// Its folder cannot be made.
    #[error("cannot make the folder of the database {path}")]
    Folder {
        /// The database.
        path: PathBuf,
        /// What stands against it.
        source: io::Error,
    },
    /// SQLite refuses it.
    #[error("cannot open the database {path}")]
    Database {
        /// The database.
        path: PathBuf,
        /// What stands against it.
        source: rusqlite::Error,
    },
    /// Its schema cannot be brought up to date.
    #[error("cannot upgrade the database {path}")]
    Migration {
        /// The database.
        path: PathBuf,
        /// What stands against it.
        source: rusqlite_migration::Error,
    },
    /// It was written by a newer hub.
    #[error("the database {path} was written by a newer umbler-hub; run that version")]
    Newer {
        /// The database.
        path: PathBuf,
    },
    /// Its newest rows do not fit together.
    #[error(
        "the database {path} is damaged: {what}; restore a backup (umbler-hub restore FILE), or begin anew \
         (umbler-hub accept-data-loss keeps the damaged file aside)"
    )]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// It holds less than was committed to it.
    #[error(
        "the database {path} has lost deliveries: {what}; put the file back, restore a backup (umbler-hub restore \
         FILE), or go on without them (umbler-hub accept-data-loss)"
    )]
    Lost {
        /// The database.
        path: PathBuf,
        /// What is missing.
        what: String,
    },
    /// The marker of its history cannot be used.
    #[error("cannot use the lineage marker of the database {path}")]
    Lineage {
        /// The database.
        path: PathBuf,
        /// What stands against it.
        source: io::Error,
    },
}

/// An open database, ready for the writer.
pub struct Opened {
    pub(super) connection: Connection,
    pub(super) lock: DatabaseLock,
    pub(super) lineage: Lineage,
    /// The life of this journal.
    pub epoch: String,
    /// The newest position.
    pub newest: Seq,
    /// When the last delivery came.
    pub last_webhook_at: Option<Timestamp>,
}

/// Opens the database at `path`, making or upgrading it where needed.
pub fn open(path: &Path) -> Result<Opened, OpenError> {
    make_folder(path)?;
    let lock = DatabaseLock::take(path).map_err(|source| OpenError::Lock { path: path.into(), source })?;
    let unusable = |source| OpenError::Lineage { path: path.into(), source };
    let remembered = lineage::read(path).map_err(unusable)?;
    let lost = |what| OpenError::Lost { path: path.into(), what };
    loss::of_files(path, &remembered).map_or(Ok(()), |what| Err(lost(what)))?;
    let database = |source| refused(path, source);
    private::tighten(path);
    private::sweep(path);
    let mut connection = Connection::open(path).map_err(database)?;
    loss::of_rows(&connection, &remembered).map_err(database)?.map_or(Ok(()), |what| Err(lost(what)))?;
    configure(&connection).map_err(database)?;
    migrate(&mut connection, path)?;
    check_newest(&connection, path)?;
    let epoch = epoch(&connection).map_err(database)?;
    let newest = newest(&connection).map_err(database)?;
    let last_webhook_at = last_webhook_at(&connection).map_err(database)?;
    let marker = Marker { epoch: epoch.clone(), seq: newest };
    let lineage = Lineage::take_up(path, &remembered, &marker).map_err(unusable)?;
    Ok(Opened { connection, lock, lineage, epoch, newest, last_webhook_at })
}

/// Makes the folder that a database lies in.
pub(super) fn make_folder(path: &Path) -> Result<(), OpenError> {
    private::make_folder_of(path).map_err(|source| OpenError::Folder { path: path.into(), source })
}

/// Damage has other ways out than a fault of the surroundings.
fn refused(path: &Path, source: rusqlite::Error) -> OpenError {
    if kind_of(&source) == FaultKind::Damaged {
        return OpenError::Damaged { path: path.into(), what: source.to_string() };
    }
    OpenError::Database { path: path.into(), source }
}

pub(super) fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL, because NORMAL lost acknowledged deliveries at a simulated power cut.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(())
}

fn migrations() -> Migrations<'static> {
    let step = |sql: &&'static str| match *sql {
        MESSAGE_ORDER => M::up_with_hook(sql, reorder::reorder),
        SAID_AND_SHOWN => M::up_with_hook(sql, blank::upgrade),
        SEARCH_KEYS => M::up_with_hook(sql, search_keys::make_anew),
        sql => M::up(sql),
    };
    Migrations::new(STEPS.iter().map(step).collect())
}

/// The present schema, for tests of other rooms.
#[cfg(test)]
pub fn migrate_to_latest(connection: &mut Connection) -> Result<(), rusqlite_migration::Error> {
    migrations().to_latest(connection)
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    check_version(connection, path)?;
    migrations().to_latest(connection).map_err(|source| not_upgraded(path, source))
}

fn not_upgraded(path: &Path, source: rusqlite_migration::Error) -> OpenError {
    if let rusqlite_migration::Error::RusqliteError { err, .. } = &source
        && kind_of(err) == FaultKind::Damaged
    {
        return OpenError::Damaged { path: path.into(), what: err.to_string() };
    }
    OpenError::Migration { path: path.into(), source }
}

/// A database of a newer hub is left alone.
pub(super) fn check_version(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let version = migrations().current_version(connection).map_err(|source| not_upgraded(path, source))?;
    if matches!(version, SchemaVersion::Outside(_)) {
        return Err(OpenError::Newer { path: path.into() });
    }
    Ok(())
}

/// Looks at the newest rows only, so that a start takes as long after a year as on the first day.
pub(super) fn check_newest(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let database = |source| refused(path, source);
    let (count, newest, oldest, kept): (i64, i64, i64, i64) = connection
        .query_row(
            "SELECT count(*), coalesce(max(j.seq), 0), coalesce(min(j.seq), 1), count(r.seq)
             FROM (SELECT seq FROM journal ORDER BY seq DESC LIMIT ?1) j
             LEFT JOIN raw_deliveries r ON r.seq = j.seq",
            [ROWS_CHECKED],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .map_err(database)?;
    let damaged = |what: String| Err(OpenError::Damaged { path: path.into(), what });
    if count > 0 && newest - oldest + 1 != count {
        return damaged(format!("positions are missing between {oldest} and {newest}"));
    }
    if kept != count {
        return damaged(format!("{} of the newest {count} deliveries have lost their bytes", count - kept));
    }
    Ok(())
}

fn epoch(connection: &Connection) -> rusqlite::Result<String> {
    let known = connection
        .query_row("SELECT value FROM meta WHERE key = 'epoch'", [], |row| row.get(0))
        .optional()?;
    if let Some(epoch) = known {
        return Ok(epoch);
    }
    new_epoch(connection)
}

/// Begins another life of the journal: positions of the one before mean nothing any more.
pub(super) fn new_epoch(connection: &Connection) -> rusqlite::Result<String> {
    let epoch = format!("{:016x}", rand::rng().random::<u64>());
    connection.execute(
        "INSERT INTO meta (key, value) VALUES ('epoch', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1",
        [&epoch],
    )?;
    Ok(epoch)
}

fn newest(connection: &Connection) -> rusqlite::Result<Seq> {
    Ok(Seq(connection.query_row("SELECT coalesce(max(seq), 0) FROM journal", [], |row| row.get(0))?))
}

fn last_webhook_at(connection: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let nanos: Option<i64> =
        connection.query_row("SELECT max(last_at) FROM delivery_counts", [], |row| row.get(0))?;
    Ok(nanos.map(crate::domain::register::from_nanos))
}

/// The full check: every page, index and row. Takes about four seconds per million messages.
pub fn deep_check(path: &Path) -> Result<Vec<String>, rusqlite::Error> {
    let connection = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    quick_check(&connection)
}

/// What SQLite finds wrong; nothing in a sound database.
pub(super) fn quick_check(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut check = connection.prepare("PRAGMA quick_check(20)")?;
    let findings: Vec<String> = check.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(findings.into_iter().filter(|finding| finding != "ok").collect())
}

#[cfg(test)]
mod tests {
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
        assert_eq!(messages[0].as_deref(), Some("2a via do cpf 123.456.789-09\u{1f}12345678909"));
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
