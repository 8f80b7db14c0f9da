//! The lineage marker beside the database says how far its history has gone. A database that was deleted,
//! emptied or replaced by an older copy looks like a healthy one with fewer rows; the marker reveals the
//! difference.
//!
//! # Contract
//!
//! 1. It is written after each commit and never synced, so it costs one `pwrite`. The commit is synced
//!    before, so after a power cut the marker may be behind the database, but never ahead of it, unless the
//!    disk lost what it had acknowledged.
//! 2. Two copies on pages of their own are written in turn, each with a check sum, so a torn write leaves the
//!    other.
//! 3. If the marker cannot be written, the hub goes on. The log says so once.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::domain::Seq;
use crate::sqlite::files::beside;
use crate::sqlite::private;

/// Length of one copy of the marker.
const RECORD_BYTES: usize = 128;
/// Where the two copies begin. They are on different pages, so a torn write damages only one.
const RECORDS_AT: [u64; 2] = [0, 4_096];
/// Length of the file. All of it is written at once, so that later writes need no space on the disk.
const FILE_BYTES: usize = 8_192;
/// How a copy of the marker begins.
const HEAD: &str = "umbler-hub lineage 1";

/// How far a history has gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    pub epoch: String,
    pub seq: Seq,
}

/// What the marker file contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarkerState {
    /// There is no file: the database is new, or older than markers.
    Nothing,
    /// There is a file, but both check sums are wrong.
    Unreadable,
    Marker(Marker),
}

#[derive(Debug)]
pub struct Lineage {
    file: File,
    epoch: String,
    /// Index of the copy that is written next.
    next: usize,
    failed: bool,
}

/// Path of the marker of a database.
pub fn path_of(database: &Path) -> PathBuf {
    beside(database, ".lineage")
}

pub fn read(database: &Path) -> io::Result<MarkerState> {
    match fs::read(path_of(database)) {
        Ok(bytes) => {
            Ok(newest(&bytes).map_or(MarkerState::Unreadable, |(_, marker)| MarkerState::Marker(marker)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(MarkerState::Nothing),
        Err(error) => Err(error),
    }
}

/// Writes a marker durably: it is synced and moved into place.
pub fn replace(database: &Path, marker: &Marker) -> io::Result<()> {
    let path = path_of(database);
    let fresh = fresh_path(&path);
    let mut bytes = vec![b' '; FILE_BYTES];
    for at in RECORDS_AT {
        let at = usize::try_from(at).unwrap_or(FILE_BYTES);
        if let Some(place) = bytes.get_mut(at..at + RECORD_BYTES) {
            place.copy_from_slice(&record(marker));
        }
    }
    let mut file = File::create(&fresh)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, &path)?;
    sync_folder(&path)
}

/// Where a marker is written before it is renamed.
fn fresh_path(path: &Path) -> PathBuf {
    beside(path, ".new")
}

/// Syncs the folder of `path`, so that renames in it survive a power cut.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(private::folder_of(path))?.sync_all()
}

impl Lineage {
    /// Opens the marker of an open database. If there is none that can be read, it is made.
    pub fn take_up(database: &Path, remembered: &MarkerState, marker: &Marker) -> io::Result<Self> {
        if *remembered == MarkerState::Unreadable {
            log::warn!("the lineage marker could not be read and is written again from the database");
        }
        if !matches!(remembered, MarkerState::Marker(known) if known.epoch == marker.epoch) {
            replace(database, marker)?;
        }
        let path = path_of(database);
        private::tighten(&path);
        // Left by a process that was killed.
        match fs::remove_file(fresh_path(&path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        let written = newest(&fs::read(&path)?).map_or(1, |(at, _)| at);
        let mut lineage = Self { file, epoch: marker.epoch.clone(), next: 1 - written, failed: false };
        lineage.note(marker.seq);
        Ok(lineage)
    }

    pub fn note(&mut self, seq: Seq) {
        let record = record(&Marker { epoch: self.epoch.clone(), seq });
        match self.file.write_all_at(&record, RECORDS_AT[self.next]) {
            Ok(()) => {
                self.next = 1 - self.next;
                self.failed = false;
            }
            Err(error) => {
                if !std::mem::replace(&mut self.failed, true) {
                    log::warn!("the lineage marker cannot be written and falls behind: {error}");
                }
            }
        }
    }
}

/// One copy of the marker as text of fixed length.
fn record(marker: &Marker) -> [u8; RECORD_BYTES] {
    let said = format!("{HEAD} epoch={} seq={:020}", marker.epoch, marker.seq.0);
    let line = format!("{said} sum={:016x}", check_sum(said.as_bytes()));
    let mut bytes = [b' '; RECORD_BYTES];
    for (place, byte) in bytes.iter_mut().zip(line.bytes()) {
        *place = byte;
    }
    bytes[RECORD_BYTES - 1] = b'\n';
    bytes
}

/// The newer of the copies with a correct check sum, with its index.
fn newest(bytes: &[u8]) -> Option<(usize, Marker)> {
    let records = RECORDS_AT.iter().enumerate().filter_map(|(number, at)| {
        let at = usize::try_from(*at).ok()?;
        Some((number, parse(bytes.get(at..at + RECORD_BYTES)?)?))
    });
    records.max_by_key(|(_, marker)| marker.seq)
}

fn parse(record: &[u8]) -> Option<Marker> {
    let line = std::str::from_utf8(record).ok()?.trim_end();
    let (said, sum) = line.rsplit_once(" sum=")?;
    if u64::from_str_radix(sum, 16).ok()? != check_sum(said.as_bytes()) {
        return None;
    }
    let (epoch, seq) = said.strip_prefix(HEAD)?.strip_prefix(" epoch=")?.split_once(" seq=")?;
    Some(Marker { epoch: epoch.to_owned(), seq: Seq(seq.parse().ok()?) })
}

/// FNV-1a, which is enough to detect torn writes.
fn check_sum(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker(seq: i64) -> Marker {
        Marker { epoch: "00000000000000e1".to_owned(), seq: Seq(seq) }
    }

    fn taken_up() -> (tempfile::TempDir, PathBuf, Lineage) {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("hub.db");
        let lineage = Lineage::take_up(&database, &MarkerState::Nothing, &marker(0)).unwrap();
        (folder, database, lineage)
    }

    #[test]
    fn the_newest_position_is_remembered() {
        let (_folder, database, mut lineage) = taken_up();
        for seq in 1..=5 {
            lineage.note(Seq(seq));
            assert_eq!(read(&database).unwrap(), MarkerState::Marker(marker(seq)));
        }
        drop(lineage);
        let remembered = read(&database).unwrap();
        let mut again = Lineage::take_up(&database, &remembered, &marker(7)).unwrap();
        again.note(Seq(8));
        assert_eq!(read(&database).unwrap(), MarkerState::Marker(marker(8)));
    }

    #[test]
    fn a_torn_write_leaves_the_record_before_it() {
        let (_folder, database, mut lineage) = taken_up();
        (1..=4).for_each(|seq| lineage.note(Seq(seq)));
        let whole = fs::read(path_of(&database)).unwrap();
        let (newest, _) = newest(&whole).unwrap();
        let at = usize::try_from(RECORDS_AT[newest]).unwrap();
        for torn in at..at + RECORD_BYTES - 1 {
            let mut bytes = whole.clone();
            bytes[torn..at + RECORD_BYTES].fill(0);
            fs::write(path_of(&database), bytes).unwrap();
            let remembered = read(&database).unwrap();
            let padding = whole[torn..at + RECORD_BYTES - 1].iter().all(|byte| *byte == b' ');
            assert!(
                padding || remembered == MarkerState::Marker(marker(3)),
                "torn at {torn}: {remembered:?}"
            );
        }
    }

    #[test]
    fn what_is_no_marker_is_told_from_no_marker() {
        let (_folder, database, _lineage) = taken_up();
        fs::write(path_of(&database), vec![0; FILE_BYTES]).unwrap();
        assert_eq!(read(&database).unwrap(), MarkerState::Unreadable);
        fs::remove_file(path_of(&database)).unwrap();
        assert_eq!(read(&database).unwrap(), MarkerState::Nothing);
    }
}
