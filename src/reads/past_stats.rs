//! The counters as they were at a moment in the past.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::Transaction;
use rusqlite::types::Value;

use super::chats::{ChatFilter, ListChats};
use super::messages::require_time;
use super::page::{Conditions, Sort};
use super::past::walk;
use super::{Query, ReadError};
use crate::auth::Scope;
use crate::domain::history::Standing;
use crate::domain::register::to_nanos;
use crate::domain::stats::day_of;
use crate::journal::head::last_seq;
use crate::journal::timeline::entries;
use crate::protocol::StatsShape;

/// The most chats that are rebuilt for one answer. Beyond that the question is refused as going too far back.
pub const STATS_REBUILT_MAX: usize = 50_000;

/// Computes the counters as they were at a moment, as the scope would have seen them.
#[derive(Debug, Clone)]
pub struct PastStats {
    pub then: Timestamp,
    /// Time zone in which the day began.
    pub zone: TimeZone,
    pub scope: Arc<Scope>,
}

/// Sums over the chats that were visible then.
#[derive(Default)]
struct PastSums {
    chats: Vec<String>,
    direct: Vec<String>,
    contacts: HashSet<String>,
    open: i64,
    waiting: i64,
}

impl Query for PastStats {
    type Answer = StatsShape;

    fn answer(self, tx: &Transaction<'_>) -> Result<StatsShape, ReadError> {
        let sums = self.sums(tx)?;
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let (midnight, _) = day_of(self.then, &self.zone);
        let mut today = Conditions::default();
        require_time(&mut today, Some(to_nanos(midnight)), Some(to_nanos(self.then)));
        today.require("chat_id IN (SELECT value FROM json_each(?))", [list(&sums.direct)?]);
        Ok(StatsShape {
            total_contacts: count(sums.contacts.len()),
            total_messages: self.messages(tx, &sums.chats)?,
            total_chats: count(sums.chats.len()),
            open_chats: sums.open,
            waiting_chats: sums.waiting,
            messages_today: today.count(tx, "messages INDEXED BY messages_by_time")?,
            as_of_seq: last_seq(tx)?.0,
        })
    }
}

impl PastStats {
    fn sums(&self, tx: &Transaction<'_>) -> Result<PastSums, ReadError> {
        let today = ListChats::first_page(ChatFilter::default(), Sort::CreatedAt, 1, &self.scope);
        let (mut sums, mut rebuilt) = (PastSums::default(), 0);
        walk(tx, &today, self.then, Conditions::default(), usize::MAX, |spot| {
            if !spot.known {
                return Ok(true);
            }
            let (is_seen, open, waiting) = if spot.moved {
                rebuilt += 1;
                if rebuilt > STATS_REBUILT_MAX {
                    return Err(ReadError::TooFarBack);
                }
                let standing = Standing::after(&entries(tx, &spot.id, Some(self.then))?).unwrap_or_default();
                (self.scope.sees(&standing.place), standing.open, standing.is_waiting())
            } else {
                (spot.fits, spot.open, spot.waiting)
            };
            if is_seen {
                sums.open += i64::from(open && spot.direct);
                sums.waiting += i64::from(waiting && spot.direct);
                sums.contacts.extend(spot.contact);
                if spot.direct {
                    sums.direct.push(spot.id.clone());
                }
                sums.chats.push(spot.id);
            }
            Ok(true)
        })?;
        Ok(sums)
    }

    /// If the scope sees everything, all messages minus the later ones; otherwise the messages of the
    /// chats that were visible.
    fn messages(&self, tx: &Transaction<'_>, chats: &[String]) -> Result<i64, ReadError> {
        let then = to_nanos(self.then);
        let mut conditions = Conditions::default();
        if self.scope.is_unlimited() {
            let mut all = tx.prepare_cached("SELECT total_messages FROM counters")?;
            let all: i64 = all.query_row([], |row| row.get(0))?;
            require_time(&mut conditions, Some(then.saturating_add(1)), None);
            return Ok(all - conditions.count(tx, "messages INDEXED BY messages_by_time")?);
        }
        conditions.require("chat_id IN (SELECT value FROM json_each(?))", [list(chats)?]);
        require_time(&mut conditions, None, Some(then));
        conditions.count(tx, "messages INDEXED BY messages_of_chat")
    }
}

fn list(ids: &[String]) -> Result<Value, ReadError> {
    Ok(Value::Text(serde_json::to_string(ids)?))
}
