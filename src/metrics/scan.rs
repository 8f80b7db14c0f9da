//! Reads the facts of one metric in one period: the only way to them, for sums and for what is behind them alike.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Row, Transaction, params_from_iter};

use super::ask::{Clock, Columns, Filter, Period, Where};
use crate::archive::ArchiveError;
use crate::domain::metrics::Metric;
use crate::domain::register::{from_nanos, to_nanos};

const COLUMNS: Columns = Columns {
    kind: "facts.kind",
    sector: "facts.sector",
    agent: "facts.agent",
    channel: "facts.channel",
    tags: "facts.tags",
};

/// One fact, as far as sums need it.
pub(super) struct Seen<'a> {
    pub(super) at: Timestamp,
    /// Milliseconds on the asked clock.
    pub(super) duration: i64,
    pub(super) chat: i64,
    pub(super) ordinal: i64,
    /// The asked column.
    pub(super) id: Option<&'a str>,
}

/// Which column a scan brings along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Brings {
    Nothing,
    Agent,
    Sector,
    Channel,
    Tags,
}

impl Brings {
    fn column(self) -> &'static str {
        match self {
            Self::Nothing => "NULL",
            Self::Agent => "facts.agent",
            Self::Sector => "facts.sector",
            Self::Channel => "facts.channel",
            Self::Tags => "facts.tags",
        }
    }
}

/// A scan of one metric.
pub(super) struct Scan<'a> {
    pub(super) metric: Metric,
    pub(super) period: Period,
    pub(super) filter: &'a Filter,
    pub(super) clock: Clock,
    pub(super) brings: Brings,
}

impl Scan<'_> {
    /// Hands every fact over, by time.
    pub(super) fn each(
        &self,
        tx: &Transaction<'_>,
        mut take: impl FnMut(Seen<'_>),
    ) -> Result<(), ArchiveError> {
        let duration = match self.clock {
            Clock::Wall => "facts.wall",
            Clock::Business => "facts.business",
        };
        let columns = format!("facts.at, {duration}, facts.chat, facts.ordinal, {}", self.brings.column());
        let (sql, values) = self.select(&columns);
        let mut select = tx.prepare_cached(&sql)?;
        let mut rows = select.query(params_from_iter(&values))?;
        while let Some(row) = rows.next()? {
            let seen = seen(row)?;
            if self.filter.takes(seen.at) {
                take(seen);
            }
        }
        Ok(())
    }

    /// How many there are, counted where they lie.
    pub(super) fn count(&self, tx: &Transaction<'_>) -> Result<usize, ArchiveError> {
        if self.filter.weekday.is_some() || self.filter.hour.is_some() {
            let mut count = 0;
            self.each(tx, |_seen| count += 1)?;
            return Ok(count);
        }
        let (sql, values) = self.select("count(*)");
        let count: i64 = tx.prepare_cached(&sql)?.query_row(params_from_iter(&values), |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    fn select(&self, columns: &str) -> (String, Vec<Value>) {
        let mut found = Where::default();
        self.filter.conditions(&COLUMNS, &mut found);
        found.and("facts.metric = ?", [Value::Integer(self.metric.number())]);
        let bounds = [to_nanos(self.period.from), to_nanos(self.period.until)];
        found.and("facts.at >= ? AND facts.at < ?", bounds.map(Value::Integer));
        // The period first, whatever the planner thinks: it knows no sizes.
        let chats =
            if self.filter.scope.is_unlimited() { "" } else { "CROSS JOIN chats ON chats.key = facts.chat" };
        (format!("SELECT {columns} FROM facts {chats} WHERE {}", found.sql), found.values)
    }
}

fn seen<'a>(row: &'a Row<'_>) -> Result<Seen<'a>, ArchiveError> {
    let id = row.get_ref(4)?.as_str_or_null().map_err(rusqlite::Error::from)?;
    Ok(Seen {
        at: from_nanos(row.get(0)?),
        duration: row.get(1)?,
        chat: row.get(2)?,
        ordinal: row.get(3)?,
        id,
    })
}
