//! Which rules a cluster applies records by. Releases may differ in what a record does, and all hubs must do the same.
//!
//! # Contract
//!
//! 1. Rules have numbers. Those in force are known from the record on that raised the number; it is never lowered.
//! 2. A release applies records by the rules from [`RULES_OLDEST`](crate::journal::blocks::RULES_OLDEST) to
//!    [`RULES`](crate::journal::blocks::RULES). So hubs of two releases do the same until the number is raised, which is done once
//!    all of them know the higher one.
//! 3. A record that raises it above what a release knows cannot be read by it: its hub halts there, and says so.
//! 4. A hub on its own applies by the newest rules that it knows.

use rusqlite::Connection;

use super::Outcome;
use crate::domain::Seq;
use crate::journal::append::Ack;
use crate::journal::fault::StoreError;
use crate::journal::meta;
use crate::journal::payload::RulesRaise;

/// Key in `meta` of the rules in force in the cluster of this database.
const IN_FORCE_KEY: &str = "cluster_rules";

/// The rules in force; `None` if the database belongs to no cluster.
pub fn in_force(connection: &Connection) -> rusqlite::Result<Option<u32>> {
    Ok(meta::get(connection, IN_FORCE_KEY)?.and_then(|number| number.parse().ok()))
}

/// Puts rules into force with which a cluster begins.
pub(in crate::journal) fn begin(connection: &Connection, number: u32) -> rusqlite::Result<()> {
    meta::put(connection, IN_FORCE_KEY, &number.to_string())
}

/// The database belongs to no cluster any more.
pub(in crate::journal) fn forget(connection: &Connection) -> rusqlite::Result<()> {
    meta::remove(connection, IN_FORCE_KEY)
}

/// Raises the number, unless it is as high already.
pub(in crate::journal) fn apply(
    connection: &Connection,
    position: Seq,
    raise: RulesRaise,
) -> Result<Outcome<'static>, StoreError> {
    if in_force(connection)?.is_none_or(|known| known >= raise.number) {
        return Ok(Outcome::NoEvent(Ack::duplicate(None, None)));
    }
    begin(connection, raise.number)?;
    Ok(Outcome::NoEvent(Ack::accepted(None, position)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::append::AckStatus;
    use crate::journal::steps::migrate_to_latest;

    #[test]
    fn rules_are_raised_in_a_cluster_only_and_never_lowered() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_to_latest(&mut connection).unwrap();
        let raise = |number| match apply(&connection, Seq(7), RulesRaise { number }).unwrap() {
            Outcome::NoEvent(ack) => ack.status == AckStatus::Accepted,
            Outcome::Event(_) => panic!("it is no event"),
        };
        assert!(!raise(3) && in_force(&connection).unwrap().is_none(), "a hub on its own");
        begin(&connection, 2).unwrap();
        assert!(raise(3) && !raise(3) && !raise(2));
        assert_eq!(in_force(&connection).unwrap(), Some(3));
        forget(&connection).unwrap();
        assert!(in_force(&connection).unwrap().is_none());
    }
}
