//! Opens the database: lock, settings, migrations, and a check whose cost does not grow with history.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rand::RngExt;
use rusqlite::Connection;
use rusqlite_migration::SchemaVersion;

use super::blocks;
use super::erasure_list::{self, ListError};
use super::head::{EPOCH_KEY, last_seq};
use super::kinds::duties;
use super::lineage::{self, Lineage, Marker};
use super::loss;
use super::meta;
use super::place::StreamPlace;
use super::retention_progress;
use super::rules::{self, RULES, RULES_OLDEST};
use super::steps::migrations;
use crate::domain::Seq;
use crate::protocol::FaultKind;
use crate::sqlite::kind_of;
use crate::sqlite::lock::{DatabaseLock, LockError};
use crate::sqlite::open::Writing;
use crate::sqlite::private;
use crate::umbler::reconcile;

/// Page cache of the writer, in KiB. Not larger: after a commit that moved pages of an index SQLite goes
/// through the whole cache, which with 64 MiB was an eighth of the writer's work.
const CACHE_KIB: i64 = 16 * 1_024;
/// Names, phones and texts that are erased must not stay in unused parts of the file.
///
/// Durable, because without it acknowledged deliveries were lost in simulated power cuts.
const WRITING: Writing = Writing { cache_kib: CACHE_KIB, statements: 128, durable: true, erases: true };
/// In a cluster the stream is what is durable. What a power cut takes from the file is taken from there again.
const FOLLOWING: Writing = Writing { durable: false, ..WRITING };
/// The newest rows of the journal that are checked at the start.
const ROWS_CHECKED: i64 = 100;

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("cannot lock the database {path}")]
    Lock { path: PathBuf, source: LockError },
    #[error("cannot make the folder of the database {path}")]
    Folder { path: PathBuf, source: io::Error },
    #[error("cannot open the database {path}")]
    Database { path: PathBuf, source: rusqlite::Error },
    /// Its schema cannot be upgraded.
    #[error("cannot upgrade the database {path}")]
    Migration { path: PathBuf, source: rusqlite_migration::Error },
    #[error("the database {path} was written by a newer umbler-hub; run that version")]
    Newer { path: PathBuf },
    /// Its pages or its newest rows are not consistent.
    #[error(
        "the database {path} is damaged: {what}; restore a backup (umbler-hub restore FILE), or start over \
         (umbler-hub accept-data-loss keeps the damaged file aside)"
    )]
    Damaged { path: PathBuf, what: String },
    /// It contains less than was committed.
    #[error(
        "the database {path} has lost deliveries: {what}; put the file back, restore a backup (umbler-hub restore \
         FILE), or go on without them (umbler-hub accept-data-loss)"
    )]
    Lost { path: PathBuf, what: String },
    /// The list of erasures cannot be used, so the database may hold what was erased.
    #[error(transparent)]
    Erasures(#[from] ListError),
    /// It is applied up to a place in a stream, and would get positions of its own.
    #[error(
        "the database {path} belongs to a cluster; set NATS_URL, or take it out of the cluster (umbler-hub cluster leave)"
    )]
    InCluster { path: PathBuf },
    /// It belongs to no cluster.
    #[error(
        "the database {path} belongs to no cluster; begin one with it (umbler-hub cluster begin), or unset NATS_URL"
    )]
    NotInCluster { path: PathBuf },
    /// The lineage marker cannot be read or written.
    #[error("cannot use the lineage marker of the database {path}")]
    Lineage { path: PathBuf, source: io::Error },
}

/// An open database, ready for the writer.
pub struct Opened {
    pub(super) connection: Connection,
    pub(super) lock: DatabaseLock,
    path: PathBuf,
    pub(super) lineage: Lineage,
    /// The place up to which the stream of its cluster is applied; `None` if it belongs to no cluster.
    pub(crate) place: Option<StreamPlace>,
    /// Where the duties of its cluster were taken last; `None` if they never were.
    pub(crate) duties_taken: Option<Seq>,
    /// The rules in force in its cluster; `None` if it belongs to none.
    pub(crate) rules: Option<u32>,
    pub epoch: String,
    pub newest: Seq,
    /// When the last delivery was received.
    pub last_webhook_at: Option<Timestamp>,
}

/// Opens the database at `path`, which must belong to no cluster. It is created or upgraded if needed.
pub fn open(path: &Path) -> Result<Opened, OpenError> {
    let opened = open_as(path, WRITING)?;
    if opened.place.is_some() {
        return Err(OpenError::InCluster { path: path.into() });
    }
    Ok(opened)
}

/// Opens the database of a hub in a cluster.
pub fn open_member(path: &Path) -> Result<Opened, OpenError> {
    let opened = open_as(path, FOLLOWING)?;
    if opened.place.is_none() {
        return Err(OpenError::NotInCluster { path: path.into() });
    }
    Ok(opened)
}

/// Opens a database whether it belongs to a cluster or not, for tools that append nothing.
pub fn open_any(path: &Path) -> Result<Opened, OpenError> {
    open_as(path, WRITING)
}

fn open_as(path: &Path, writing: Writing) -> Result<Opened, OpenError> {
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
    let place = place_of(&connection).map_err(database)?;
    // What the newest commits held may be gone after a power cut, and comes from the stream again.
    if place.is_none() {
        loss::of_rows(&connection, &remembered).map_err(database)?.map_or(Ok(()), |what| Err(lost(what)))?;
    }
    writing.configure(&connection).map_err(database)?;
    connection.pragma_update(None, "temp_store", "MEMORY").map_err(database)?;
    migrate(&mut connection, path)?;
    check_newest(&connection, path)?;
    if place.is_none() {
        connection = erasure_list::settle(connection, &erasure_list::path_of(path))?;
    }
    let epoch = epoch(&connection).map_err(database)?;
    let newest = last_seq(&connection).map_err(database)?;
    if newest == Seq(0) {
        blocks::note_rules(&connection).map_err(database)?;
        retention_progress::note_begun(&connection).map_err(database)?;
    }
    let last_webhook_at = last_webhook_at(&connection).map_err(database)?;
    let marker = Marker { epoch: epoch.clone(), seq: newest };
    let lineage = Lineage::take_up(path, &remembered, &marker).map_err(unusable)?;
    let duties_taken = duties::in_force(&connection).map_err(database)?;
    let mut rules = rules::in_force(&connection).map_err(database)?;
    if place.is_some() && rules.is_none() {
        // It was applied before there was a second number.
        rules::begin(&connection, RULES_OLDEST).map_err(database)?;
        rules = Some(RULES_OLDEST);
    }
    let path = path.into();
    Ok(Opened { connection, lock, path, lineage, place, duties_taken, rules, epoch, newest, last_webhook_at })
}

/// Makes the folder of a database.
pub(super) fn make_folder(path: &Path) -> Result<(), OpenError> {
    private::make_folder_of(path).map_err(|source| OpenError::Folder { path: path.into(), source })
}

/// Damage gets an error of its own, because it needs another remedy than other faults.
fn refused(path: &Path, source: rusqlite::Error) -> OpenError {
    if kind_of(&source) == FaultKind::Damaged {
        return OpenError::Damaged { path: path.into(), what: source.to_string() };
    }
    OpenError::Database { path: path.into(), source }
}

pub(super) fn configure(connection: &Connection) -> rusqlite::Result<()> {
    WRITING.configure(connection)?;
    connection.pragma_update(None, "temp_store", "MEMORY")
}

pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    check_version(connection, path)?;
    migrations().to_latest(connection).map_err(|source| not_upgraded(path, source))
}

pub(super) fn not_upgraded(path: &Path, source: rusqlite_migration::Error) -> OpenError {
    if let rusqlite_migration::Error::RusqliteError { err, .. } = &source
        && kind_of(err) == FaultKind::Damaged
    {
        return OpenError::Damaged { path: path.into(), what: err.to_string() };
    }
    OpenError::Migration { path: path.into(), source }
}

/// Refuses a database of a newer hub.
pub(super) fn check_version(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let version = migrations().current_version(connection).map_err(|source| not_upgraded(path, source))?;
    if matches!(version, SchemaVersion::Outside(_)) {
        return Err(OpenError::Newer { path: path.into() });
    }
    Ok(())
}

/// Checks only the newest rows, so that a start takes as long after a year as on the first day. A position
/// without an event and without bytes is normal.
pub(super) fn check_newest(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let database = |source| refused(path, source);
    let (count, oldest, newest): (i64, i64, i64) = connection
        .query_row(
            "SELECT count(*), coalesce(min(seq), 1), coalesce(max(seq), 0)
             FROM (SELECT seq FROM journal ORDER BY seq DESC LIMIT ?1)",
            [ROWS_CHECKED],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .map_err(database)?;
    let (bytes, of_events): (i64, i64) = connection
        .query_row(
            "SELECT count(*), count(j.seq) FROM raw_deliveries r LEFT JOIN journal j ON j.seq = r.seq WHERE r.seq >= ?1",
            [oldest],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .map_err(database)?;
    let damaged = |what: String| Err(OpenError::Damaged { path: path.into(), what });
    if bytes > of_events {
        return damaged(format!("positions are missing between {oldest} and {newest}"));
    }
    if of_events < count {
        let lost = count - of_events;
        return damaged(format!("{lost} of the newest {count} deliveries have lost their bytes"));
    }
    Ok(())
}

/// The place in the stream of its cluster. A file without tables has none.
fn place_of(connection: &Connection) -> rusqlite::Result<Option<StreamPlace>> {
    if loss::history(connection)?.is_none() { Ok(None) } else { StreamPlace::load(connection) }
}

impl Opened {
    /// The database now belongs to a cluster whose stream begins behind this position.
    pub fn enter_cluster(&self, newest: Seq) -> rusqlite::Result<()> {
        rules::begin(&self.connection, RULES)?;
        StreamPlace { position: newest, sum: None, at: None }.store(&self.connection)
    }

    /// Begins another epoch: what others know of this history no longer holds. Leaves the cluster, too.
    pub fn begin_epoch(&mut self) -> Result<(), OpenError> {
        let path = || self.path.clone();
        self.epoch =
            new_epoch(&self.connection).map_err(|source| OpenError::Database { path: path(), source })?;
        let marker = Marker { epoch: self.epoch.clone(), seq: self.newest };
        lineage::replace(&self.path, &marker).map_err(|source| OpenError::Lineage { path: path(), source })
    }

    /// The database no longer belongs to a cluster.
    pub fn leave_cluster(&self) -> rusqlite::Result<()> {
        forget_cluster(&self.connection)
    }
}

fn forget_cluster(connection: &Connection) -> rusqlite::Result<()> {
    StreamPlace::forget(connection)?;
    rules::forget(connection)
}

fn epoch(connection: &Connection) -> rusqlite::Result<String> {
    meta::get(connection, EPOCH_KEY)?.map_or_else(|| new_epoch(connection), Ok)
}

/// Begins another epoch. Positions of the old one no longer mean anything.
pub(super) fn new_epoch(connection: &Connection) -> rusqlite::Result<String> {
    let epoch = format!("{:016x}", rand::rng().random::<u64>());
    meta::put(connection, EPOCH_KEY, &epoch)?;
    // A place in the stream of a cluster means nothing in another history.
    forget_cluster(connection)?;
    Ok(epoch)
}

fn last_webhook_at(connection: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    // What the hub asked for itself does not show that webhooks come.
    let sql = "SELECT max(last_at) FROM delivery_counts WHERE event_type <> ?1";
    let nanos: Option<i64> = connection.query_row(sql, [reconcile::TYPE], |row| row.get(0))?;
    Ok(nanos.map(crate::domain::register::from_nanos))
}
