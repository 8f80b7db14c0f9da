//! What follows the journal behind, each on a thread of its own: the index of words and the facts behind the metrics, in files
//! that can be lost because they hold nothing that the journal does not hold, and alerts that are posted elsewhere.

pub mod follower;
pub mod own_file;
pub mod search;
pub mod analytics;
pub mod alert_posts;

use std::path::Path;

use crate::sqlite::DbError;
use crate::sqlite::files::{beside, remove};

/// Removes the files that are made from a database, because it holds something else now. The next start makes them again.
pub fn remove_files(database: &Path) -> Result<(), DbError> {
    [search::file::ENDING, analytics::file::ENDING]
        .iter()
        .try_for_each(|ending| remove(&beside(database, ending)))
}
