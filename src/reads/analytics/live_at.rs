//! The live metrics as they were at a moment in the past.
//!
//! The intervals say which chats were open then, and where. A chat that has not changed since counts with its
//! present values. For any other, the same rules read its history up to that moment.

use jiff::Timestamp;
use rusqlite::Transaction;

use super::explain::{ExplainNow, Explained};
use super::live::{LiveNow, OpenChat};
use super::live_table::LiveTable;
use super::stab::Stab;
use crate::derived::analytics::Progress;
use crate::derived::analytics::load::load;
use crate::domain::Seq;
use crate::domain::metrics::{Live, live};
use crate::domain::register::to_nanos;
use crate::journal::head::last_seq;
use crate::reads::{Query, ReadError};

/// The most chats whose history is read for one answer. If more have changed since, the question is refused
/// as going too far back.
pub const LIVE_REBUILT_MAX: usize = 5_000;
/// Chats whose history is read in one question to the database, so that questions of others get their turn in
/// between.
pub const LIVE_REBUILT_AT_ONCE: usize = 250;

/// Asks the metrics file which chats were open at a moment.
#[derive(Debug, Clone)]
pub struct FindOpenAt {
    /// Its `now` is the moment in the past.
    pub live: LiveNow,
}

/// Chats that were open at a moment. Those in `moved` have changed since, and must be rebuilt.
#[derive(Debug, Clone)]
pub struct OpenChatsAt {
    progress: Progress,
    chats: Vec<OpenChat>,
    moved: Vec<OpenChat>,
}

impl Query for FindOpenAt {
    type Answer = OpenChatsAt;

    fn answer(self, tx: &Transaction<'_>) -> Result<OpenChatsAt, ReadError> {
        let mut stood = OpenChatsAt { progress: Progress::read(tx)?, chats: Vec::new(), moved: Vec::new() };
        let (then, idle_after) = (to_nanos(self.live.now), self.live.calendar.idle_after());
        // Columns in the order of [`OpenChat::read`]. Those that say where the chat stood come from
        // the place.
        let columns = "today.id, known.contact_id, chats.owner_id, chats.sector_id, chats.channel_id, spans.tags,
             today.since, (spans.marks & 2) <> 0, coalesce(lines.whatsapp, 0), today.attended, today.with_bot,
             today.ours_last, today.unanswered_since, today.quiet_since, today.last_customer_at, known.last_at";
        let joins = "CROSS JOIN main.chats AS today ON today.key = spans.chat
             LEFT JOIN lines ON lines.id = chats.channel_id";
        let stab = Stab { at: self.live.now, not_at: None, filter: &self.live.filter };
        stab.each(tx, columns, joins, |row| {
            let open = OpenChat::read(row, idle_after)?;
            if row.get::<_, i64>(15)? <= then {
                stood.chats.push(open);
            } else if stood.moved.len() == LIVE_REBUILT_MAX {
                return Err(ReadError::TooFarBack);
            } else {
                stood.moved.push(open);
            }
            Ok(())
        })?;
        Ok(stood)
    }
}

impl OpenChatsAt {
    /// Questions to the database for the chats that have changed since.
    pub fn moved(&self, then: Timestamp) -> Vec<RebuildLive> {
        let parts = self.moved.chunks(LIVE_REBUILT_AT_ONCE);
        let ids = |part: &[OpenChat]| part.iter().map(|open| open.chat_id.clone()).collect();
        parts.map(|part| RebuildLive { chats: ids(part), then }).collect()
    }

    /// Takes over the answers to the questions of [`Self::moved`], in the same order.
    pub fn rebuild(&mut self, parts: Vec<RebuiltLive>) {
        for part in &parts {
            self.progress.as_of = self.progress.as_of.min(part.as_of);
        }
        let lives = parts.into_iter().flat_map(|part| part.lives);
        // A delivery that came between the two questions may say that a chat was closed at that
        // moment.
        let rebuilt =
            self.moved.drain(..).zip(lives).filter_map(|(open, live)| Some(open.contributing(&live?)));
        self.chats.extend(rebuilt);
    }
}

/// Asks the database what chats counted as at a moment.
#[derive(Debug, Clone)]
pub struct RebuildLive {
    chats: Vec<String>,
    then: Timestamp,
}

/// What chats counted as at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebuiltLive {
    as_of: Seq,
    /// In the order of the question; `None` for a chat that was not open.
    lives: Vec<Option<Live>>,
}

impl Query for RebuildLive {
    type Answer = RebuiltLive;

    fn answer(self, tx: &Transaction<'_>) -> Result<RebuiltLive, ReadError> {
        let as_of = last_seq(tx)?;
        let lives = self.chats.iter().map(|chat| {
            let loaded = load(tx, chat, Some(self.then))?;
            Ok(loaded.and_then(|loaded| live(&loaded.history)))
        });
        Ok(RebuiltLive { as_of, lives: lives.collect::<Result<_, ReadError>>()? })
    }
}

/// Computes the live metrics of chats that were open at a moment.
#[derive(Debug, Clone)]
pub struct LiveAt {
    /// Its `now` is the moment in the past.
    pub live: LiveNow,
    pub stood: OpenChatsAt,
}

impl Query for LiveAt {
    type Answer = LiveTable;

    fn answer(self, tx: &Transaction<'_>) -> Result<LiveTable, ReadError> {
        let OpenChatsAt { progress, chats, .. } = self.stood;
        self.live.table_of(tx, progress, |take| {
            chats.into_iter().for_each(take);
            Ok(())
        })
    }
}

/// Lists the chats behind such a number.
#[derive(Debug, Clone)]
pub struct ExplainAt {
    /// The `now` of its `live` is the moment in the past.
    pub asked: ExplainNow,
    pub stood: OpenChatsAt,
}

impl ExplainAt {
    /// Answers the question without reading a file.
    pub fn explained(self) -> Explained {
        let OpenChatsAt { progress, chats, .. } = self.stood;
        let counted = chats.into_iter().filter_map(|open| self.asked.live.counted(self.asked.field, open));
        self.asked.page_of(progress, counted.collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::tz::TimeZone;

    use super::*;
    use crate::auth::{Identity, Scope};
    use crate::derived::analytics::file;
    use crate::domain::calendar::Calendar;
    use crate::reads::analytics::Filter;

    fn moment(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Chats that were open from 100 to 200 s, and open again at 300.
    fn ask(chats: usize, second: i64) -> Result<OpenChatsAt, ReadError> {
        let folder = tempfile::tempdir().unwrap();
        let mut file = file::open(&folder.path().join("metrics")).unwrap();
        let step = file.transaction().unwrap();
        let numbers =
            format!("WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {chats})");
        for insert in [
            "INSERT INTO chats (key, id, kind, private, open, waiting, whatsapp, since, attended, with_bot, ours_last)
             SELECT n, 'c' || n, 0, 0, 1, 0, 0, 0, 0, 0, 0 FROM n",
            "INSERT INTO known SELECT n, 0, NULL, 100000000000, 300000000000 FROM n",
            "INSERT INTO places (id, name, private) SELECT n, n, 0 FROM n",
            "INSERT INTO spans SELECT n, n, n, 100000000000, 200000000000, 1, NULL FROM n",
            "INSERT INTO span_times SELECT n, 1, 3, 1, 1 FROM n",
        ] {
            step.execute_batch(&format!("{numbers} {insert}")).unwrap();
        }
        let scope = Arc::new(Scope::of(&Identity::anonymous()));
        let calendar = Arc::new(Calendar::new(TimeZone::UTC, Default::default(), []));
        let live = LiveNow {
            filter: Filter::direct(&scope, TimeZone::UTC),
            now: moment(second),
            calendar,
            by: None,
        };
        FindOpenAt { live }.answer(&step)
    }

    #[test]
    fn a_moment_that_too_much_happened_since_is_refused() {
        assert_eq!(ask(LIVE_REBUILT_MAX, 150).unwrap().moved.len(), LIVE_REBUILT_MAX);
        assert!(matches!(ask(LIVE_REBUILT_MAX + 1, 150), Err(ReadError::TooFarBack)));
        // The tree, which is exact to a minute, finds these moments; the intervals themselves do not
        // contain them.
        for second in [99, 200] {
            assert!(ask(LIVE_REBUILT_MAX + 1, second).unwrap().moved.is_empty());
        }
    }

    #[test]
    fn more_chats_than_one_question_puts_together_are_put_together_in_parts() {
        let mut stood = ask(LIVE_REBUILT_AT_ONCE + 2, 150).unwrap();
        let parts = stood.moved(moment(150));
        let sizes: Vec<usize> = parts.iter().map(|part| part.chats.len()).collect();
        assert_eq!(sizes, [LIVE_REBUILT_AT_ONCE, 2]);
        let live = Live {
            since: moment(100),
            attended: false,
            with_bot: false,
            ours_last: false,
            unanswered_since: None,
            quiet_since: None,
            last_customer_at: None,
        };
        // A late delivery says that one of them was closed.
        let then = |part: &RebuildLive| RebuiltLive {
            as_of: Seq(7),
            lives: part.chats.iter().map(|chat| (chat != "c5").then(|| live.clone())).collect(),
        };
        stood.rebuild(parts.iter().map(then).collect());
        assert_eq!(stood.chats.len(), LIVE_REBUILT_AT_ONCE + 1);
        assert!(stood.chats.iter().all(|open| open.chat_id != "c5" && open.since == moment(100)));
    }
}
