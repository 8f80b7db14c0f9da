//! What questions have in common: period, filters, clock, and how far the answer goes.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::types::Value;

use crate::auth::Scope;
use crate::derived::analytics::rows::kind_number;
use crate::domain::ChatKind;
use crate::reads::chats_seen;

/// Which time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// All of it.
    Wall,
    /// That within business hours.
    Business,
}

/// From a moment up to, and without, another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
}

/// Which chats and moments count.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Of this kind.
    pub kind: ChatKind,
    /// In this sector.
    pub sector: Option<String>,
    /// This agent's.
    pub agent: Option<String>,
    /// On this line.
    pub channel: Option<String>,
    /// With this tag.
    pub tag: Option<String>,
    /// On this weekday, Monday being 1.
    pub weekday: Option<i8>,
    /// In this hour of the day.
    pub hour: Option<i8>,
    /// Where weekdays, hours and days turn.
    pub zone: TimeZone,
    /// Whose eyes.
    pub scope: Arc<Scope>,
}

/// Conditions with their values.
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

/// The columns that a filter looks at.
pub(super) struct Columns {
    pub(super) kind: &'static str,
    pub(super) sector: &'static str,
    pub(super) agent: &'static str,
    pub(super) channel: &'static str,
    pub(super) tags: &'static str,
}

impl Filter {
    /// Every direct chat of a scope.
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

    /// True where every chat of the kind is asked for, at whatever hour.
    pub(super) fn is_plain(&self) -> bool {
        let Self { kind: _, sector, agent, channel, tag, weekday: _, hour: _, zone: _, scope } = self;
        scope.is_unlimited() && [sector, agent, channel, tag].into_iter().all(Option::is_none)
    }

    /// True where only some weekdays or hours are asked for.
    pub(super) fn asks_for_hours(&self) -> bool {
        self.weekday.is_some() || self.hour.is_some()
    }

    /// What of the filter SQL decides. The rows of `chats` must be there where the scope is limited.
    pub(super) fn conditions(&self, columns: &Columns, found: &mut Where) {
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

    /// What of the filter the clock on the wall decides.
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
