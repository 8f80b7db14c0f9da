//! Which hub of a cluster has the duties that only one has, as the records say.
//!
//! # Contract
//!
//! 1. Duties are taken by a record, whose position is the *fence* of all that the hub proposes until they are taken again.
//!    Positions grow for as long as the history lasts, whatever happens to the lease in NATS.
//! 2. A record with another fence than the one in force changes nothing. So what a hub proposes that stood still meanwhile, or what
//!    was on its way for long, is done by the hub that has the duties, or by nobody.
//! 3. Of several hubs that take them after the same one, the first in the order has them.

use rusqlite::Connection;

use super::Outcome;
use crate::domain::Seq;
use crate::journal::append::Ack;
use crate::journal::fault::StoreError;
use crate::journal::meta;
use crate::journal::payload::DutyTaking;

/// Key in `meta` of the position at which the duties were taken last, and by whom.
const TAKEN_KEY: &str = "duties_taken";

/// The position at which the duties were taken last; `None` if they never were.
pub fn in_force(connection: &Connection) -> rusqlite::Result<Option<Seq>> {
    Ok(load(connection)?.and_then(|taking| taking.taken_at))
}

/// How the duties were taken last, for a backup.
pub(in crate::journal) fn load(connection: &Connection) -> rusqlite::Result<Option<DutyTaking>> {
    let stored = meta::get(connection, TAKEN_KEY)?;
    Ok(stored.as_deref().and_then(|text| {
        let (position, by) = text.split_once(' ')?;
        let taken_at = Some(Seq(position.parse().ok()?));
        Some(DutyTaking { by: by.to_owned(), after: Seq(0), taken_at })
    }))
}

/// True for a proposal of a hub that no longer has the duties.
pub(in crate::journal) fn is_outdated(connection: &Connection, fence: Option<Seq>) -> rusqlite::Result<bool> {
    let Some(fence) = fence else { return Ok(false) };
    Ok(fence != in_force(connection)?.unwrap_or_default())
}

/// Takes the duties, unless another hub was faster.
pub(in crate::journal) fn apply(
    connection: &Connection,
    position: Seq,
    taking: &DutyTaking,
) -> Result<Outcome<'static>, StoreError> {
    let known = in_force(connection)?.unwrap_or_default();
    let is_taken = taking.taken_at.map_or(taking.after == known, |taken_at| taken_at > known);
    if !is_taken {
        return Ok(Outcome::NoEvent(Ack::duplicate(None, None)));
    }
    let position = taking.taken_at.unwrap_or(position);
    meta::put(connection, TAKEN_KEY, &format!("{position} {}", taking.by))?;
    Ok(Outcome::NoEvent(Ack::accepted(None, position)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::append::AckStatus;
    use crate::journal::steps::migrate_to_latest;

    fn taking(after: i64) -> DutyTaking {
        DutyTaking { by: "a-1".to_owned(), after: Seq(after), taken_at: None }
    }

    fn take(connection: &Connection, position: i64, taking: &DutyTaking) -> bool {
        match apply(connection, Seq(position), taking).unwrap() {
            Outcome::NoEvent(ack) => ack.status == AckStatus::Accepted,
            Outcome::Event(_) => panic!("it is no event"),
        }
    }

    #[test]
    fn of_hubs_that_take_the_duties_after_the_same_one_the_first_has_them() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_to_latest(&mut connection).unwrap();
        let outdated = |fence: i64| is_outdated(&connection, Some(Seq(fence))).unwrap();
        assert!(!outdated(0) && !is_outdated(&connection, None).unwrap());
        assert!(take(&connection, 5, &taking(0)));
        assert!(!take(&connection, 6, &taking(0)), "another one was faster");
        assert_eq!((outdated(0), outdated(5), outdated(6)), (true, false, true));
        assert!(take(&connection, 9, &taking(5)));
        assert_eq!((outdated(5), outdated(9)), (true, false));
        let of_backup = load(&connection).unwrap().unwrap();
        assert_eq!(of_backup.taken_at, Some(Seq(9)));
        let older = DutyTaking { taken_at: Some(Seq(5)), ..of_backup };
        assert!(!take(&connection, 0, &older), "a backup takes nothing back");
    }
}
