//! What is asked before data are deleted by their age.

use jiff::Timestamp;
use rusqlite::Transaction;

use super::{Query, ReadError};
use crate::domain::ContactId;
use crate::domain::register::to_nanos;
use crate::journal::{Retained, begun_with_retention};

/// Deliveries that an operator of an older release may want to keep as they came.
#[derive(Debug)]
pub struct CountOldDeliveries {
    pub before: Timestamp,
}

/// What is known of them.
#[derive(Debug)]
pub struct OldDeliveries {
    /// The database was begun by a release that reduces deliveries after a time.
    pub is_expected: bool,
    /// True where there are deliveries of that age.
    pub exist: bool,
}

impl Query for CountOldDeliveries {
    type Answer = OldDeliveries;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let mut oldest = tx.prepare_cached("SELECT received_at FROM journal ORDER BY seq LIMIT 1")?;
        let mut rows = oldest.query([])?;
        let oldest: Option<i64> = rows.next()?.map(|row| row.get(0)).transpose()?;
        let exist = oldest.is_some_and(|at| at < to_nanos(self.before));
        Ok(OldDeliveries { is_expected: begun_with_retention(tx)?, exist })
    }
}

/// Whether anything is old enough to be deleted. A hub without it asks nothing of the journal.
#[derive(Debug)]
pub struct FindDue {
    pub what: Retained,
    pub before: Timestamp,
}

impl Query for FindDue {
    type Answer = bool;

    fn answer(self, tx: &Transaction<'_>) -> Result<bool, ReadError> {
        let sql = match self.what {
            // An ignored object that was blanked has 9 bytes; no object is compressed to so few.
            Retained::Raw => {
                "SELECT EXISTS (SELECT 1 FROM (
                            SELECT received_at FROM journal
                            WHERE seq > coalesce((SELECT done FROM retention WHERE what = 'raw'), 0)
                            ORDER BY seq LIMIT 1) WHERE received_at < ?1)
                     OR EXISTS (SELECT 1 FROM ignored_deliveries WHERE received_at < ?1 AND length(body) > 9)"
            }
            Retained::Texts => {
                "SELECT EXISTS (SELECT 1 FROM messages
                            WHERE order_at > coalesce((SELECT done FROM retention WHERE what = 'texts'), -9223372036854775807)
                              AND order_at < ?1 + 1000000000 AND at < ?1)
                     OR EXISTS (SELECT 1 FROM (
                            SELECT received_at FROM journal
                            WHERE seq > coalesce((SELECT done FROM retention WHERE what = 'text_bodies'), 0)
                            ORDER BY seq LIMIT 1) WHERE received_at < ?1)"
            }
        };
        Ok(tx.prepare_cached(sql)?.query_row([to_nanos(self.before)], |row| row.get(0))?)
    }
}

/// Contacts that nobody has had to do with since a moment: all their chats are closed, and nothing happened in them.
#[derive(Debug)]
pub struct FindForgotten {
    pub before: Timestamp,
    pub limit: usize,
}

impl Query for FindForgotten {
    type Answer = Vec<ContactId>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let mut select = tx.prepare_cached(
            "SELECT id FROM contacts
             WHERE last_interaction_at < ?1
               AND NOT EXISTS (SELECT 1 FROM chats WHERE contact_id = contacts.id
                                   AND (open = 1 OR last_activity_at >= ?1 OR kind = 'internal'))
               AND NOT EXISTS (SELECT 1 FROM erasures WHERE contact_id = contacts.id
                                   AND at >= contacts.last_interaction_at)
             ORDER BY last_interaction_at LIMIT ?2",
        )?;
        let limit = i64::try_from(self.limit).unwrap_or(i64::MAX);
        let ids = select.query_map((to_nanos(self.before), limit), |row| row.get::<_, String>(0))?;
        Ok(ids.map(|id| id.map(ContactId::from)).collect::<Result<_, _>>()?)
    }
}
