//! The live metrics: counts of the chats that are open now, and their waits.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Row, Transaction, params_from_iter};

use super::dimension::Dimension;
use super::filter::{Filter, FilterColumns, Where};
use crate::domain::calendar::Calendar;
use crate::domain::deadlines::WINDOW;
use crate::domain::metrics::Live;
use crate::domain::register::from_nanos;
use crate::reads::ReadError;

const COLUMNS: FilterColumns = FilterColumns {
    kind: "chats.kind",
    sector: "chats.sector_id",
    agent: "chats.owner_id",
    channel: "chats.channel_id",
    tags: "chats.tags",
};

/// A count of open chats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveField {
    Open,
    /// In the provider's waiting list.
    Waiting,
    /// Without a reply in this cycle (unless all messages in it are ours), or with an unanswered customer
    /// message.
    Unattended,
    /// Chats that no agent owns.
    Unassigned,
    /// A bot is running, and no human has replied since it began.
    WithBot,
    /// The last public message is ours.
    WaitingForCustomer,
    /// Without a public message, either way, for as long as the settings say.
    Idle,
    /// The customer's last message is younger than [`WINDOW`].
    WindowOpen,
    /// The customer's last message is as old as [`WINDOW`] or older.
    WindowClosed,
    /// With an unanswered customer message.
    Unanswered,
}

impl LiveField {
    /// Every count, in the order in which answers list them.
    pub const ALL: [Self; 10] = [
        Self::Open,
        Self::Waiting,
        Self::Unattended,
        Self::Unassigned,
        Self::WithBot,
        Self::WaitingForCustomer,
        Self::Idle,
        Self::WindowOpen,
        Self::WindowClosed,
        Self::Unanswered,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Waiting => "waiting",
            Self::Unattended => "unattended",
            Self::Unassigned => "unassigned",
            Self::WithBot => "withBot",
            Self::WaitingForCustomer => "waitingForCustomer",
            Self::Idle => "idle",
            Self::WindowOpen => "windowOpen",
            Self::WindowClosed => "windowClosed",
            Self::Unanswered => "unanswered",
        }
    }

    /// The rule of the count in one sentence, for people. `idle_minutes` comes from the settings.
    pub fn rule(self, idle_minutes: u16) -> Cow<'static, str> {
        let rule = match self {
            Self::Open => "open chats",
            Self::Waiting => "open chats in the waiting list",
            Self::Unattended => {
                "open chats without a human, public reply in this cycle (unless all that was said in it was ours), or with \
                 an unanswered customer message"
            }
            Self::Unassigned => "open chats without an owner",
            Self::WithBot => "open chats in which a bot runs and no human has replied since it began",
            Self::WaitingForCustomer => "open chats whose last public message is ours",
            Self::Idle => {
                return Cow::Owned(format!(
                    "open chats without a public message either way for {idle_minutes} minutes"
                ));
            }
            Self::WindowOpen => "open WhatsApp chats whose last customer message is less than 24 hours old",
            Self::WindowClosed => "open WhatsApp chats whose last customer message is 24 hours old or older",
            Self::Unanswered => "open chats with an unanswered customer message",
        };
        Cow::Borrowed(rule)
    }
}

/// Asks for the live metrics of the chats that are open now.
#[derive(Debug, Clone)]
pub struct LiveNow {
    pub filter: Filter,
    pub now: Timestamp,
    /// Gives the business hours, and the time after which a chat is idle.
    pub calendar: Arc<Calendar>,
    /// One row for each of these; `None` for a single row of all chats.
    pub by: Option<Dimension>,
}

/// The live metrics of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveNumbers {
    /// In the order of [`LiveField::ALL`].
    pub counts: [i64; 10],
    /// The longest wait: since when, in which chat, and how many milliseconds of it are within business
    /// hours.
    pub longest: Option<(Timestamp, String, i64)>,
    /// Mean of the moments at which waits began, and mean of their milliseconds within business hours.
    pub average: Option<(Timestamp, i64)>,
    /// When the next WhatsApp window of 24 hours closes.
    pub next_window_closes_at: Option<Timestamp>,
}

/// What the live metrics read of an open chat.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column of its own")]
pub(super) struct OpenChat {
    pub(super) chat_id: String,
    pub(super) contact_id: Option<String>,
    pub(super) agent: Option<String>,
    pub(super) sector: Option<String>,
    pub(super) channel: Option<String>,
    pub(super) tags: Option<String>,
    pub(super) since: Timestamp,
    waiting: bool,
    whatsapp: bool,
    attended: bool,
    with_bot: bool,
    ours_last: bool,
    pub(super) unanswered_since: Option<Timestamp>,
    quiet_since: Option<Timestamp>,
    last_customer_at: Option<Timestamp>,
    idle_after: SignedDuration,
}

impl OpenChat {
    pub(super) fn read(row: &Row<'_>, idle_after: SignedDuration) -> rusqlite::Result<Self> {
        let time = |column: usize| row.get::<_, Option<i64>>(column).map(|nanos| nanos.map(from_nanos));
        Ok(Self {
            chat_id: row.get(0)?,
            contact_id: row.get(1)?,
            agent: row.get(2)?,
            sector: row.get(3)?,
            channel: row.get(4)?,
            tags: row.get(5)?,
            since: from_nanos(row.get(6)?),
            waiting: row.get(7)?,
            whatsapp: row.get(8)?,
            attended: row.get(9)?,
            with_bot: row.get(10)?,
            ours_last: row.get(11)?,
            unanswered_since: time(12)?,
            quiet_since: time(13)?,
            last_customer_at: time(14)?,
            idle_after,
        })
    }

    /// The same chat with the values that the rules give for another moment.
    pub(super) fn contributing(self, live: &Live) -> Self {
        Self {
            since: live.since,
            attended: live.attended,
            with_bot: live.with_bot,
            ours_last: live.ours_last,
            unanswered_since: live.unanswered_since,
            quiet_since: live.quiet_since,
            last_customer_at: live.last_customer_at,
            ..self
        }
    }

    /// When the window of 24 hours closes, or closed; `None` if it is no WhatsApp chat or the customer
    /// never wrote.
    pub(super) fn window_closes_at(&self) -> Option<Timestamp> {
        let last = self.last_customer_at.filter(|_| self.whatsapp)?;
        last.checked_add(WINDOW).ok()
    }

    /// When the chat becomes idle, or became idle.
    pub(super) fn idle_at(&self) -> Option<Timestamp> {
        self.quiet_since?.checked_add(self.idle_after).ok()
    }

    /// True if `field` counts this chat.
    pub(super) fn is(&self, field: LiveField, now: Timestamp) -> bool {
        match field {
            LiveField::Open => true,
            LiveField::Waiting => self.waiting,
            LiveField::Unattended => !self.attended || self.unanswered_since.is_some(),
            LiveField::Unassigned => self.agent.is_none(),
            LiveField::WithBot => self.with_bot,
            LiveField::WaitingForCustomer => self.ours_last,
            LiveField::Idle => self.idle_at().is_some_and(|at| at <= now),
            LiveField::WindowOpen => self.window_closes_at().is_some_and(|at| at > now),
            LiveField::WindowClosed => self.window_closes_at().is_some_and(|at| at <= now),
            LiveField::Unanswered => self.unanswered_since.is_some(),
        }
    }

    /// Since when `field` counts this chat. Fields without a moment of their own give the chat's `since`.
    fn since(&self, field: LiveField) -> Timestamp {
        let moment = match field {
            LiveField::Waiting | LiveField::Unattended | LiveField::Unanswered => self.unanswered_since,
            LiveField::WaitingForCustomer | LiveField::Idle => self.quiet_since,
            LiveField::WindowOpen | LiveField::WindowClosed => self.last_customer_at,
            LiveField::Open | LiveField::Unassigned | LiveField::WithBot => None,
        };
        moment.unwrap_or(self.since)
    }
}

/// Whole milliseconds; 0 for negative durations.
pub(super) fn millis(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX).max(0)
}

impl LiveNow {
    /// The chats that `field` counts. The `since` of each says how long it has been counted.
    pub(super) fn chats(&self, tx: &Transaction<'_>, field: LiveField) -> Result<Vec<OpenChat>, ReadError> {
        let mut chats = Vec::new();
        self.each(tx, |open| chats.extend(self.counted(field, open)))?;
        Ok(chats)
    }

    /// Sets `since` to the moment from which `field` counts the chat; `None` if it does not count it.
    pub(super) fn counted(&self, field: LiveField, mut open: OpenChat) -> Option<OpenChat> {
        if !open.is(field, self.now) {
            return None;
        }
        open.since = open.since(field);
        Some(open)
    }

    /// Passes every open chat of the filter to `take`.
    pub(super) fn each(&self, tx: &Transaction<'_>, mut take: impl FnMut(OpenChat)) -> Result<(), ReadError> {
        let mut found = Where::default();
        found.and("chats.open = 1", []);
        self.filter.conditions(&COLUMNS, &mut found);
        let sql = format!(
            "SELECT id, contact_id, owner_id, sector_id, channel_id, tags, since, waiting, whatsapp, attended, with_bot,
                 ours_last, unanswered_since, quiet_since, last_customer_at
             FROM chats INDEXED BY chats_open WHERE {}",
            found.sql
        );
        let mut select = tx.prepare_cached(&sql)?;
        let mut rows = select.query(params_from_iter(&found.values))?;
        let idle_after = self.calendar.idle_after();
        while let Some(row) = rows.next()? {
            take(OpenChat::read(row, idle_after)?);
        }
        Ok(())
    }
}
