//! Revocations of tokens: stored by user, and loaded once when the hub starts. They are not events, so
//! screens are not told.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Outcome;
use crate::auth::Revocation;
use crate::domain::register::{from_nanos, to_nanos};
use crate::journal::append::Ack;
use crate::journal::fault::StoreError;

/// The most users that may be revoked at the same time. All of them are held in memory.
pub const REVOCATIONS_MAX: i64 = 100_000;
/// Days after which a revocation may be dropped to make room when there are [`REVOCATIONS_MAX`]. No
/// reasonable token lives longer, so it would cover no valid one.
pub const RETAINED_DAYS: i64 = 400;

/// Puts a revocation in force, unless a later one is.
pub(in crate::journal) fn apply(
    connection: &Connection,
    revocation: &Revocation,
) -> Result<Outcome<'static>, StoreError> {
    let in_force = put(connection, revocation, REVOCATIONS_MAX)?;
    let ack = in_force.as_ref().map_or(Ack::ignored(None), |_| Ack::duplicate(None, None));
    Ok(Outcome::NoEvent(Ack { in_force, ..ack }))
}

/// Stores a revocation. Returns the one that is now in force; `None` if there is no room.
fn put(connection: &Connection, revocation: &Revocation, most: i64) -> rusqlite::Result<Option<Revocation>> {
    let Revocation { user, issued_before, revoked_at, revoked_by } = revocation;
    let known = get(connection, user)?;
    if known.is_none() && count(connection)? >= most {
        forget_old(connection, *revoked_at)?;
        if count(connection)? >= most {
            return Ok(None);
        }
    }
    let mut upsert = connection.prepare_cached(
        "INSERT INTO revocations (user, issued_before, revoked_at, revoked_by) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (user) DO UPDATE SET issued_before = ?2, revoked_at = ?3, revoked_by = ?4
         WHERE issued_before < ?2",
    )?;
    upsert.execute(params![user, to_nanos(*issued_before), to_nanos(*revoked_at), revoked_by])?;
    get(connection, user)
}

fn forget_old(connection: &Connection, now: Timestamp) -> rusqlite::Result<usize> {
    const NANOS_PER_DAY: i64 = 86_400 * 1_000_000_000;
    let oldest = to_nanos(now).saturating_sub(RETAINED_DAYS * NANOS_PER_DAY);
    connection.prepare_cached("DELETE FROM revocations WHERE issued_before < ?1")?.execute([oldest])
}

fn count(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("SELECT count(*) FROM revocations")?.query_row([], |row| row.get(0))
}

const COLUMNS: &str = "SELECT user, issued_before, revoked_at, revoked_by FROM revocations";

fn get(connection: &Connection, user: &str) -> rusqlite::Result<Option<Revocation>> {
    let mut select = connection.prepare_cached(&format!("{COLUMNS} WHERE user = ?1"))?;
    select.query_row([user], read).optional()
}

pub fn load(connection: &Connection) -> rusqlite::Result<Vec<Revocation>> {
    connection.prepare(COLUMNS)?.query_map([], read)?.collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Revocation> {
    Ok(Revocation {
        user: row.get(0)?,
        issued_before: from_nanos(row.get(1)?),
        revoked_at: from_nanos(row.get(2)?),
        revoked_by: row.get(3)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("../migrations/0003_revocations.sql")).unwrap();
        connection
    }

    fn revocation(user: &str, moment: &str) -> Revocation {
        let moment = moment.parse().unwrap();
        Revocation { user: user.into(), issued_before: moment, revoked_at: moment, revoked_by: "root".into() }
    }

    #[test]
    fn what_was_written_is_read_back_and_never_reaches_less_far() {
        let database = database();
        let (later, earlier) =
            (revocation("ana", "2026-03-02T13:00:00.5Z"), revocation("ana", "2026-03-01T00:00:00Z"));
        assert_eq!(put(&database, &later, 9).unwrap(), Some(later.clone()));
        assert_eq!(put(&database, &earlier, 9).unwrap(), Some(later.clone()));
        assert_eq!(load(&database).unwrap(), [later]);
    }

    #[test]
    fn past_the_bound_only_old_ones_make_room() {
        let database = database();
        for user in ["a", "b"] {
            assert!(put(&database, &revocation(user, "2026-03-02T13:00:00Z"), 2).unwrap().is_some());
        }
        assert_eq!(put(&database, &revocation("c", "2026-03-02T13:00:01Z"), 2).unwrap(), None);
        assert!(put(&database, &revocation("a", "2026-03-02T14:00:00Z"), 2).unwrap().is_some(), "known");
        // 400 days after the one of b, which is now old; that of a is an hour younger.
        let c = revocation("c", "2027-04-06T13:00:01Z");
        assert_eq!(put(&database, &c, 2).unwrap(), Some(c));
        let users: Vec<String> =
            load(&database).unwrap().into_iter().map(|revocation| revocation.user).collect();
        assert_eq!(users, ["a", "c"]);
    }
}
