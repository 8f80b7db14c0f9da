//! The counters as they were at a moment in the past. Two questions answer this: one to the database, for the
//! messages of that day, and one to the metrics file, which knows whole days.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::types::Value;
use rusqlite::{Transaction, params};

use super::filter::Filter;
use super::stab::{Stab, sum_seen};
use crate::auth::Scope;
use crate::derived::analytics::Progress;
use crate::derived::analytics::spans::DAY;
use crate::domain::Seq;
use crate::domain::order::FINER_NANOS;
use crate::domain::register::to_nanos;
use crate::domain::stats::{bucket, day_of};
use crate::journal::head::last_seq;
use crate::protocol::StatsShape;
use crate::reads::{Query, ReadError};

/// Asks the database for the number of messages from the beginning of a day up to a moment of it.
#[derive(Debug, Clone)]
pub struct CountDayMessages {
    pub then: Timestamp,
    /// Time zone in which the day began.
    pub zone: TimeZone,
    pub scope: Arc<Scope>,
}

/// Numbers of messages of a day, up to a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayMessages {
    /// Journal position at which they were counted.
    as_of: Seq,
    counts: MessageCounts,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum MessageCounts {
    /// In all chats since midnight UTC, and in direct chats since midnight of the zone.
    All(i64, i64),
    /// The same for each chat, as a JSON array of `[chat, since midnight UTC, since midnight of the
    /// zone]`. Which of the chats the scope saw then, the metrics file knows.
    ByChat(String),
}

impl Query for CountDayMessages {
    type Answer = DayMessages;

    fn answer(self, tx: &Transaction<'_>) -> Result<DayMessages, ReadError> {
        let as_of = last_seq(tx)?;
        let then = to_nanos(self.then);
        let (midnight, _) = day_of(self.then, &self.zone);
        let day = then.div_euclid(DAY).saturating_mul(DAY);
        if self.scope.is_unlimited() {
            let mut count = tx.prepare_cached(
                "SELECT count(*) FROM messages INDEXED BY messages_by_time
                 WHERE order_at >= ?1 AND at <= ?2 AND order_at <= ?2 + ?3",
            )?;
            let all = count.query_row([day, then, FINER_NANOS], |row| row.get(0))?;
            let counts = MessageCounts::All(all, direct(tx, midnight, self.then)?);
            return Ok(DayMessages { as_of, counts });
        }
        let midnight = to_nanos(midnight);
        let mut select = tx.prepare_cached(
            "SELECT json_group_array(json_array(chat_id, of_day, of_today)) FROM (
                 SELECT chat_id, sum(at >= ?1) AS of_day, sum(at >= ?2) AS of_today
                 FROM messages INDEXED BY messages_by_time
                 WHERE order_at >= min(?1, ?2) AND at <= ?3 AND order_at <= ?3 + ?4 GROUP BY chat_id)",
        )?;
        let by_chat = select.query_row([day, midnight, then, FINER_NANOS], |row| row.get(0))?;
        let counts = MessageCounts::ByChat(by_chat);
        Ok(DayMessages { as_of, counts })
    }
}

/// Messages of direct chats from midnight up to a moment. Whole quarters of an hour are already counted in
/// `message_buckets`.
fn direct(tx: &Transaction<'_>, midnight: Timestamp, then: Timestamp) -> Result<i64, ReadError> {
    let quarter = bucket(then);
    let mut whole = tx.prepare_cached(
        "SELECT coalesce(sum(count), 0) FROM message_buckets WHERE bucket >= ? AND bucket < ?",
    )?;
    let whole: i64 = whole.query_row([bucket(midnight), quarter], |row| row.get(0))?;
    let begin = quarter.saturating_mul(crate::domain::stats::BUCKET_SECONDS).saturating_mul(1_000_000_000);
    let mut rest = tx.prepare_cached(
        "SELECT count(*) FROM messages INDEXED BY messages_by_time CROSS JOIN chats ON chats.id = messages.chat_id
         WHERE messages.order_at >= ?1 AND messages.at <= ?2 AND messages.order_at <= ?2 + ?3
           AND chats.kind = 'direct'",
    )?;
    let rest: i64 = rest.query_row([begin, to_nanos(then), FINER_NANOS], |row| row.get(0))?;
    Ok(whole + rest)
}

/// Asks the metrics file for the counters as they were at a moment.
#[derive(Debug, Clone)]
pub struct CountStatsAt {
    pub then: Timestamp,
    /// Messages of the day of `then`.
    pub day_messages: DayMessages,
    pub scope: Arc<Scope>,
}

/// The counters as they were at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct StatsAt {
    /// How far the facts have followed the journal.
    pub progress: Progress,
    pub stats: StatsShape,
}

impl Query for CountStatsAt {
    type Answer = StatsAt;

    fn answer(self, tx: &Transaction<'_>) -> Result<StatsAt, ReadError> {
        let mut progress = Progress::read(tx)?;
        progress.as_of = progress.as_of.min(self.day_messages.as_of);
        let filter = Filter::direct(&self.scope, TimeZone::UTC);
        let open = Stab { at: self.then, not_at: None, filter: &filter }.count(tx)?;
        let [chats, contacts, messages, today] = match &self.day_messages.counts {
            MessageCounts::All(of_day, today) => self.all(tx, *of_day, *today)?,
            MessageCounts::ByChat(by_chat) => self.seen(tx, by_chat)?,
        };
        let stats = StatsShape {
            total_contacts: contacts,
            total_messages: messages,
            total_chats: chats,
            open_chats: open.open,
            waiting_chats: open.waiting,
            messages_today: today,
            as_of_seq: progress.as_of.0,
        };
        Ok(StatsAt { progress, stats })
    }
}

impl CountStatsAt {
    fn day(&self) -> i64 {
        to_nanos(self.then).div_euclid(DAY)
    }

    fn all(&self, tx: &Transaction<'_>, of_day: i64, today: i64) -> Result<[i64; 4], ReadError> {
        let then = to_nanos(self.then);
        let mut known = tx.prepare_cached(
            "SELECT coalesce(sum(chats), 0), coalesce(sum(named AND chats > 0), 0)
             FROM (SELECT contact_id IS NOT NULL AS named, sum(at <= ?) AS chats
                   FROM known INDEXED BY known_by_contact GROUP BY contact_id)",
        )?;
        let (chats, contacts) = known.query_row([then], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut earlier = tx.prepare_cached("SELECT coalesce(sum(n), 0) FROM said_by_day WHERE day < ?")?;
        let before: i64 = earlier.query_row(params![self.day()], |row| row.get(0))?;
        Ok([chats, contacts, before + of_day, today])
    }

    /// The same numbers, restricted to the chats that a limited scope saw then.
    fn seen(&self, tx: &Transaction<'_>, by_chat: &str) -> Result<[i64; 4], ReadError> {
        let view = (self.then, &*self.scope);
        let columns = "count(*), count(DISTINCT known.contact_id),
             sum((SELECT sum(n) FROM said WHERE said.chat = known.chat AND day < ?))";
        let day = vec![Value::Integer(self.day())];
        let [chats, contacts, before] = sum_seen(tx, columns, "known", day, view)?;
        let columns = "sum(part.value ->> 1), sum(CASE WHEN known.kind = 0 THEN part.value ->> 2 END)";
        let first = "json_each(?) AS part CROSS JOIN main.chats AS today ON today.id = part.value ->> 0
             CROSS JOIN known ON known.chat = today.key";
        let [of_day, today] = sum_seen(tx, columns, first, vec![Value::Text(by_chat.to_owned())], view)?;
        Ok([chats, contacts, before + of_day, today])
    }
}
