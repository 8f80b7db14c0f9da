//! The record that raises the number of the rules by which a cluster applies records.

use rusqlite::Connection;

use super::Outcome;
use crate::domain::Seq;
use crate::journal::append::Ack;
use crate::journal::fault::StoreError;
use crate::journal::payload::RulesRaise;
use crate::journal::rules::{begin, in_force};

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
    use crate::journal::rules::forget;
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
