//! What follows the journal with a delay, on threads of its own: the search index and the facts behind the
//! metrics, in files that can be lost because the journal holds everything in them, the posting of alerts to
//! another system, and the mailing of daily reports.

pub mod follower;
pub mod own_file;
pub mod search;
pub mod analytics;
pub mod forwarder;
pub mod alert_posts;
pub mod report_mail;

use std::path::Path;

use crate::sqlite::DbError;
use crate::sqlite::files::{beside, remove};

/// Removes the index of words, because words must be gone. The next start builds it again.
pub fn remove_search(database: &Path) -> Result<(), DbError> {
    remove(&beside(database, search::file::ENDING))
}

/// Removes the files that are derived from a database, because the database was replaced. The next start
/// builds them again.
pub fn remove_files(database: &Path) -> Result<(), DbError> {
    [search::file::ENDING, analytics::file::ENDING]
        .iter()
        .try_for_each(|ending| remove(&beside(database, ending)))
}
