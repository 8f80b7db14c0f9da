//! What questions to the metrics have in common: period, filters and clock.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::types::Value;

use crate::auth::Scope;
use crate::derived::analytics::rows::kind_number;
use crate::domain::ChatKind;
use crate::reads::chats_seen;

/// Which time counts towards a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    Wall,
    /// Only the time within business hours.
    Business,
}

/// A period of time; `until` is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    pub from: Timestamp,
    pub until: Timestamp,
}

/// Which chats and moments count. `None` means no restriction.
#[derive(Debug, Clone)]
pub struct Filter {
    pub kind: ChatKind,
    pub sector: Option<String>,
    /// Id of the agent who owned the chat.
    pub agent: Option<String>,
    pub channel: Option<String>,
    pub tag: Option<String>,
    /// 1 to 7, Monday being 1.
    pub weekday: Option<i8>,
    /// 0 to 23.
    pub hour: Option<i8>,
    /// Time zone in which weekdays, hours and days begin.
    pub zone: TimeZone,
    pub scope: Arc<Scope>,
}

/// An SQL condition under construction, with the values of its placeholders.
#[derive(Debug, Default)]
pub(super) struct Where {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

impl Where {
    pub(super) fn and(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) {
        if !self.sql.is_empty() {
            self.sql.push_str(" AND ");
        }
        self.sql.push_str(sql);
        self.values.extend(values);
    }
}

/// Names of the SQL columns that a filter compares.
pub(super) struct FilterColumns {
    pub(super) kind: &'static str,
    pub(super) sector: &'static str,
    pub(super) agent: &'static str,
    pub(super) channel: &'static str,
    pub(super) tags: &'static str,
}

impl Filter {
    /// All direct chats that a scope sees.
    pub fn direct(scope: &Arc<Scope>, zone: TimeZone) -> Self {
        Self {
            kind: ChatKind::Direct,
            sector: None,
            agent: None,
            channel: None,
            tag: None,
            weekday: None,
            hour: None,
            zone,
            scope: Arc::clone(scope),
        }
    }

    /// True if the filter asks for all chats of its kind. Weekday and hour are not considered.
    pub(super) fn is_plain(&self) -> bool {
        let Self { kind: _, sector, agent, channel, tag, weekday: _, hour: _, zone: _, scope } = self;
        scope.is_unlimited() && [sector, agent, channel, tag].into_iter().all(Option::is_none)
    }

    pub(super) fn asks_for_hours(&self) -> bool {
        self.weekday.is_some() || self.hour.is_some()
    }

    /// Adds what SQL can decide: everything but weekday and hour. For a limited scope the query must also
    /// join `chats`.
    pub(super) fn conditions(&self, columns: &FilterColumns, found: &mut Where) {
        found.and(&format!("{} = ?", columns.kind), [Value::Integer(kind_number(self.kind))]);
        let ids =
            [(columns.sector, &self.sector), (columns.agent, &self.agent), (columns.channel, &self.channel)];
        for (column, id) in ids {
            if let Some(id) = id {
                found.and(&format!("{column} = ?"), [Value::Text(id.clone())]);
            }
        }
        if let Some(tag) = &self.tag {
            found.and(&format!("instr({}, ?) > 0", columns.tags), [Value::Text(format!("\n{tag}\n"))]);
        }
        if !self.scope.is_unlimited() {
            let (sql, values) = chats_seen(&self.scope);
            found.and(&sql, values);
        }
    }

    /// Decides what SQL cannot: weekday and hour in the filter's zone.
    pub(super) fn takes(&self, at: Timestamp) -> bool {
        if !self.asks_for_hours() {
            return true;
        }
        let (weekday, hour) = weekday_and_hour(at, &self.zone);
        self.weekday.is_none_or(|asked| asked == weekday) && self.hour.is_none_or(|asked| asked == hour)
    }
}

/// The weekday, Monday being 1, and the hour of a moment.
pub(super) fn weekday_and_hour(at: Timestamp, zone: &TimeZone) -> (i8, i8) {
    let local = zone.to_datetime(at);
    (local.weekday().to_monday_one_offset(), local.hour())
}
