//! Which rules records are applied by. Releases may differ in what a record does, and all hubs of a cluster must do the same.
//!
//! # Contract
//!
//! 1. Rules have numbers. Those in force are known from the record on that raised the number; it is never lowered.
//! 2. A release applies records by the rules from [`RULES_OLDEST`] to [`RULES`]. So hubs of two releases do the same until the number
//!    is raised, which is done once all of them know the higher one.
//! 3. A record that raises it above what a release knows cannot be read by it: its hub halts there, and says so.
//! 4. A hub on its own applies by the newest rules that it knows.

use rusqlite::Connection;

use super::meta;

/// Number of the newest rules by which records can be applied. It must be raised with every change of what a
/// record does to the stored state or to its update, so that the results of different rules are not mistaken
/// for damage. A recorded stream in the tests detects changes without a new number.
pub const RULES: u32 = 7;
/// Number of the oldest rules by which this release can apply records. What they did stays in the code for one
/// release, so that the hubs of a cluster can be upgraded one after the other.
pub const RULES_OLDEST: u32 = 5;
/// Key in `meta` of the rules in force in the cluster of this database.
const IN_FORCE_KEY: &str = "cluster_rules";

/// The rules in force; `None` if the database belongs to no cluster.
pub fn in_force(connection: &Connection) -> rusqlite::Result<Option<u32>> {
    Ok(meta::get(connection, IN_FORCE_KEY)?.and_then(|number| number.parse().ok()))
}

/// Puts rules into force with which a cluster begins.
pub(super) fn begin(connection: &Connection, number: u32) -> rusqlite::Result<()> {
    meta::put(connection, IN_FORCE_KEY, &number.to_string())
}

/// The database belongs to no cluster any more.
pub(super) fn forget(connection: &Connection) -> rusqlite::Result<()> {
    meta::remove(connection, IN_FORCE_KEY)
}
