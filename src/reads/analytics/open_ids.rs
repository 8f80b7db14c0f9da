//! Which chats were open at a moment in the past. Lists of the past are narrowed to these.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::Transaction;

use super::filter::Filter;
use super::stab::Stab;
use crate::auth::Scope;
use crate::derived::analytics::Progress;
use crate::derived::analytics::spans::Marks;
use crate::domain::ChatKind;
use crate::reads::{ChatFilter, Query, ReadError, StatusFilter};

/// The most open chats that a list is narrowed to. If more were open, the list looks at all chats instead.
pub const NARROWED_TO_MAX: usize = 10_000;

/// Finds the chats that were open, or waiting, at a moment in the past.
#[derive(Debug, Clone)]
pub struct FindOpenIds {
    pub then: Timestamp,
    /// `search` and `contact` are ignored.
    pub filter: ChatFilter,
    pub scope: Arc<Scope>,
}

/// Chats that were open at a moment in the past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenIdsAt {
    /// How far the facts have followed the journal.
    pub progress: Progress,
    /// Ids of the chats; `None` if there are more than [`NARROWED_TO_MAX`].
    pub ids: Option<Vec<String>>,
}

impl Query for FindOpenIds {
    type Answer = OpenIdsAt;

    fn answer(self, tx: &Transaction<'_>) -> Result<OpenIdsAt, ReadError> {
        let progress = Progress::read(tx)?;
        let ChatFilter { status, sector, owner, channel, tag, kind, search: _, contact: _ } = self.filter;
        let waiting = status == Some(StatusFilter::Waiting);
        let mut filter = Filter {
            kind: ChatKind::Direct,
            sector,
            agent: owner,
            channel,
            tag,
            weekday: None,
            hour: None,
            zone: TimeZone::UTC,
            scope: self.scope,
        };
        let mut ids = Vec::new();
        for of in [ChatKind::Direct, ChatKind::Group, ChatKind::Internal] {
            if kind.is_some_and(|asked| asked != of) {
                continue;
            }
            filter.kind = of;
            let stab = Stab { at: self.then, not_at: None, filter: &filter };
            let joins = "CROSS JOIN main.chats AS today ON today.key = spans.chat";
            stab.each(tx, "today.id, spans.marks", joins, |row| {
                if ids.len() <= NARROWED_TO_MAX && (!waiting || Marks::is_waiting(row.get(1)?)) {
                    ids.push(row.get(0)?);
                }
                Ok(())
            })?;
        }
        let ids = Some(ids).filter(|ids| ids.len() <= NARROWED_TO_MAX);
        Ok(OpenIdsAt { progress, ids })
    }
}
