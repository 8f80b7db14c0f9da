//! The counters of the whole hub, and how one delivery changes them.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::chat::Chat;
use super::ids::Seq;

/// Messages are counted in quarters of an hour of UTC, because every time zone's midnight falls on one.
pub const BUCKET_SECONDS: i64 = 15 * 60;

/// Most buckets kept in memory: four days, which contain the present day of any time zone.
pub const RECENT_BUCKETS_MAX: usize = 4 * 24 * 4;

/// The number of the bucket that a moment falls into.
pub fn bucket(at: Timestamp) -> i64 {
    at.as_second().div_euclid(BUCKET_SECONDS)
}

/// Counters over everything stored, at one position of the journal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Contacts of every kind, including groups and colleagues.
    pub total_contacts: i64,
    pub total_messages: i64,
    pub total_chats: i64,
    /// Open direct chats, including waiting ones.
    pub open_chats: i64,
    /// Direct chats in the waiting list.
    pub waiting_chats: i64,
    /// Messages of direct chats by [`bucket`]. The hub holds only the most recent ones.
    pub recent: BTreeMap<i64, i64>,
    /// The position up to which events are counted.
    pub as_of: Seq,
}

/// By how much a delivery, or a batch of them, changes the counters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatsDelta {
    pub contacts: i64,
    pub messages: i64,
    pub chats: i64,
    /// Direct chats that opened, minus those that closed.
    pub open: i64,
    /// Direct chats that began to wait, minus those that stopped.
    pub waiting: i64,
    /// Messages of direct chats by [`bucket`].
    pub buckets: BTreeMap<i64, i64>,
}

impl StatsDelta {
    /// Adds `by` to the count of messages of direct chats at this time: 1, or -1 to remove one.
    pub fn count_at(&mut self, at: Timestamp, by: i64) {
        *self.buckets.entry(bucket(at)).or_default() += by;
    }

    /// Adds `by` times what a chat contributes: 1, or -1 to remove it.
    pub fn count_chat(&mut self, chat: &Chat, by: i64) {
        if chat.is_direct() {
            self.open += by * i64::from(chat.is_open());
            self.waiting += by * i64::from(chat.is_waiting());
        }
    }

    pub fn add(&mut self, other: &Self) {
        self.contacts += other.contacts;
        self.messages += other.messages;
        self.chats += other.chats;
        self.open += other.open;
        self.waiting += other.waiting;
        for (bucket, count) in &other.buckets {
            *self.buckets.entry(*bucket).or_default() += count;
        }
    }
}

impl Stats {
    /// Applies a delta; `as_of` is the position that is then included.
    pub fn apply(&mut self, delta: &StatsDelta, as_of: Seq) {
        self.total_contacts += delta.contacts;
        self.total_messages += delta.messages;
        self.total_chats += delta.chats;
        self.open_chats += delta.open;
        self.waiting_chats += delta.waiting;
        for (bucket, count) in &delta.buckets {
            *self.recent.entry(*bucket).or_default() += count;
        }
        self.as_of = as_of;
    }

    /// Messages of direct chats between midnight in `zone` and the next midnight.
    pub fn messages_today(&self, now: Timestamp, zone: &TimeZone) -> i64 {
        let (from, until) = day_of(now, zone);
        self.recent.range(bucket(from)..bucket(until)).map(|(_, count)| count).sum()
    }

    /// Removes all but the newest buckets. Buckets are counted, not compared with the clock: a clock that jumps
    /// a year ahead and back again must not remove today's messages.
    pub fn forget_old(&mut self) {
        while self.recent.len() > RECENT_BUCKETS_MAX {
            self.recent.pop_first();
        }
    }
}

/// Midnight before and midnight after `now` in `zone`, also for days of 23 and 25 hours.
pub fn day_of(now: Timestamp, zone: &TimeZone) -> (Timestamp, Timestamp) {
    let local = now.to_zoned(zone.clone());
    let from = local.start_of_day().map_or(now, |start| start.timestamp());
    let until = local
        .tomorrow()
        .and_then(|tomorrow| tomorrow.start_of_day())
        .map(|start| start.timestamp())
        .or_else(|_at_the_end_of_time| now.checked_add(24.hours()))
        .unwrap_or(now);
    (from, until)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn today_turns_at_midnight_in_sao_paulo() {
        let zone = TimeZone::get("America/Sao_Paulo").unwrap();
        let mut stats = Stats::default();
        let mut delta = StatsDelta::default();
        delta.count_at("2026-03-02T02:59:59Z".parse().unwrap(), 1);
        delta.count_at("2026-03-02T03:00:00Z".parse().unwrap(), 1);
        delta.count_at("2026-03-03T02:59:59Z".parse().unwrap(), 1);
        stats.apply(&delta, Seq(3));
        let today = |now: &str| stats.messages_today(now.parse().unwrap(), &zone);
        assert_eq!(today("2026-03-02T02:59:59Z"), 1, "still the first of March in São Paulo");
        assert_eq!(today("2026-03-02T12:00:00Z"), 2);
        assert_eq!(today("2026-03-03T03:00:00Z"), 0);
    }

    #[test]
    fn a_clock_that_jumps_ahead_and_back_finds_the_messages_of_today_again() {
        let zone = TimeZone::get("America/Sao_Paulo").unwrap();
        let mut stats = Stats::default();
        let mut delta = StatsDelta::default();
        delta.count_at("2026-03-02T12:00:00Z".parse().unwrap(), 5);
        stats.apply(&delta, Seq(5));
        let today = |stats: &Stats, now: &str| stats.messages_today(now.parse().unwrap(), &zone);
        stats.forget_old();
        assert_eq!(today(&stats, "2027-03-02T12:00:00Z"), 0);
        stats.forget_old();
        assert_eq!(today(&stats, "2026-03-02T12:00:00Z"), 5);
        for quarter in 0..2 * RECENT_BUCKETS_MAX {
            *stats.recent.entry(i64::try_from(quarter).unwrap()).or_default() += 1;
        }
        stats.forget_old();
        assert_eq!(stats.recent.len(), RECENT_BUCKETS_MAX, "and memory has a bound");
        assert_eq!(today(&stats, "2026-03-02T12:00:00Z"), 5);
    }
}
