//! Alerts: a list of them, one by its id, and the deadlines that a starting hub takes up.

use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Transaction};
use serde::Serialize;

use super::cursor::fingerprint;
use super::members::name_people;
use super::page::{Conditions, Order, Page, PageAt, Walk};
use super::query::parse_state;
use super::visible::{RowKind, limit, sees_alert};
use super::{Query, ReadError};
use crate::auth::Scope;
use crate::domain::{Chat, Clocks, Contact, Seq};
use crate::journal::AlertKey;
use crate::journal::alerts::{AlertRow, COLUMNS, load_standing};
use crate::journal::head::last_seq;
use crate::journal::settings::{self, SavedSettings};
use crate::protocol::shapes::NamedShape;
use crate::protocol::{AlertShape, Mask};

/// Lists alerts, the latest raised first.
#[derive(Debug, Clone)]
pub struct ListAlerts {
    pub filter: AlertFilter,
    /// 1 to 200.
    pub limit: u32,
    pub at: PageAt,
    pub scope: Arc<Scope>,
}

/// Which alerts to list: those that meet every condition given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AlertFilter {
    /// `true`: not yet cleared. `false`: cleared.
    pub active: Option<bool>,
    /// One of the words in [`crate::domain::deadlines`].
    pub kind: Option<&'static str>,
    /// Id of the sector in which the alert's chat is now.
    pub sector: Option<String>,
    /// Id of the alert's chat.
    pub chat: Option<String>,
}

impl Query for ListAlerts {
    /// A page of alerts, and the journal position of the answer.
    type Answer = (Page<AlertShape>, Seq);

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let conditions = self.conditions();
        let total = conditions.count(tx, "alerts")?;
        let walk = Walk {
            table: self.table(),
            key: "raised_at",
            tie: "id",
            order: Order::Desc,
            conditions,
            at: &self.at,
            limit: self.limit,
            fingerprint: fingerprint(&("alerts", &self.filter, self.scope.hash()))?,
        };
        let rows = walk.rows(tx, |tx, rowid| {
            let alert = load(tx, "alerts.rowid = ?", Value::Integer(rowid), &self.scope)?;
            alert.ok_or(rusqlite::Error::QueryReturnedNoRows.into())
        })?;
        Ok((rows.into_page(total), last_seq(tx)?))
    }
}

impl ListAlerts {
    /// Chooses the index by hand: a chat has few alerts, and few alerts are active, so either condition
    /// leaves little to filter.
    fn table(&self) -> &'static str {
        match (&self.filter.chat, self.filter.active) {
            (Some(_), _) => "alerts INDEXED BY alerts_of_chat",
            (None, Some(true)) => "alerts INDEXED BY alerts_standing",
            (None, Some(false) | None) => "alerts INDEXED BY alerts_by_moment",
        }
    }

    fn conditions(&self) -> Conditions {
        let mut conditions = Conditions::default();
        let filter = &self.filter;
        match filter.active {
            Some(true) => conditions.require("alerts.cleared_at IS NULL", []),
            Some(false) => conditions.require("alerts.cleared_at IS NOT NULL", []),
            None => {}
        }
        let kind = filter.kind.map(str::to_owned);
        conditions.require_some("alerts.kind = ?", kind.as_ref());
        conditions.require_some("alerts.chat_id = ?", filter.chat.as_ref());
        conditions.require_some(
            "EXISTS (SELECT 1 FROM chats WHERE chats.id = alerts.chat_id AND chats.sector_id = ?)",
            filter.sector.as_ref(),
        );
        limit(&mut conditions, &self.scope, RowKind::Alerts);
        conditions
    }
}

/// One alert; `None` if it does not exist or the caller may not see its chat.
#[derive(Debug, Clone)]
pub struct GetAlert {
    pub id: String,
    pub scope: Arc<Scope>,
}

impl Query for GetAlert {
    type Answer = Option<AlertShape>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        if !sees_alert(tx, &self.scope, &self.id)? {
            return Ok(None);
        }
        load(tx, "alerts.id = ?", Value::Text(self.id), &self.scope)
    }
}

/// Loads an alert with its chat's contact, sector and owner as they are now.
fn load(
    tx: &Transaction<'_>,
    which: &'static str,
    value: Value,
    scope: &Scope,
) -> Result<Option<AlertShape>, ReadError> {
    let sql = format!("SELECT {COLUMNS} FROM alerts WHERE {which}");
    let row = tx.prepare_cached(&sql)?.query_row([value], AlertRow::read).optional()?;
    let Some(AlertRow { mut shape, .. }) = row else { return Ok(None) };
    let mut select = tx.prepare_cached(
        "SELECT chats.state, contacts.state FROM chats LEFT JOIN contacts ON contacts.id = chats.contact_id
         WHERE chats.id = ?",
    )?;
    let mut rows = select.query([&shape.chat_id])?;
    if let Some(row) = rows.next()? {
        let chat: Chat = parse_state(row, 0)?;
        let known = row.get_ref(1)?.as_str_or_null().map_err(rusqlite::Error::from)?;
        let contact = known.map(serde_json::from_str::<Contact>).transpose()?;
        shape.contact_name = contact.and_then(|contact| contact.name.get().cloned());
        shape.sector = chat.sector.flat().map(NamedShape::from);
        shape.owner = chat.owner.flat().map(NamedShape::from);
    }
    name_people(tx, shape.owner.iter_mut())?;
    if scope.is_masked() {
        shape.mask();
    }
    Ok(Some(shape))
}

/// The settings that were saved last, with every kind of alert that this release knows. `None` until somebody saves some.
#[derive(Debug, Clone, Copy)]
pub struct GetSettings;

impl Query for GetSettings {
    type Answer = Option<SavedSettings>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let mut saved = settings::load(tx)?;
        if let Some(saved) = &mut saved {
            saved.settings.thresholds = std::mem::take(&mut saved.settings.thresholds).completed();
        }
        Ok(saved)
    }
}

/// What a starting hub needs for its deadlines: the clocks of open direct chats, and the active alerts. Reads
/// each open chat once, and no history.
#[derive(Debug, Clone, Copy)]
pub struct LoadDeadlines;

impl Query for LoadDeadlines {
    type Answer = (Vec<Clocks>, Vec<AlertKey>);

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let mut select =
            tx.prepare("SELECT state FROM chats INDEXED BY chats_open_by_activity WHERE open = 1")?;
        let (mut rows, mut clocks) = (select.query([])?, Vec::new());
        while let Some(row) = rows.next()? {
            match parse_state::<Chat>(row, 0) {
                Ok(chat) => clocks.push(Clocks::of(&chat)),
                // Deliveries of this chat are refused one by one. The other chats' deadlines
                // must not wait for it.
                Err(error) => log::error!("a chat has no deadlines, because it cannot be read: {error}"),
            }
        }
        clocks.retain(|clocks| clocks.runs);
        Ok((clocks, load_standing(tx)?))
    }
}
