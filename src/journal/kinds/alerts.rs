//! Alerts in the journal. They are raised, cleared and acknowledged by events of their own, which are durable
//! before anybody is told.
//!
//! The hub knows when a deadline passes. It is checked again here, because a delivery that ends it may have
//! been stored meanwhile.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{NewEvent, Outcome};
use crate::domain::register::{from_nanos, to_nanos};
use crate::domain::{AlertKind, Audience, Chat, ChatId, Clocks, EventId, Placement, Seq, Store};
use crate::journal::append::Ack;
use crate::journal::entry::Entry;
use crate::journal::fault::StoreError;
use crate::journal::meta;
use crate::journal::payload::{AlertKey, AlertRequest};
use crate::journal::recorded::HubEffect;
use crate::journal::store::SqliteStore;
use crate::protocol::alerts::{AlertChange, AlertData, AlertShape, SideUpdate};
use crate::protocol::shapes::NamedShape;

/// Key in `meta` of the position up to which alerts were posted to the alert webhook.
pub const SENT_KEY: &str = "alert_webhook_seq";

/// A row of `alerts`.
#[derive(Debug, Clone)]
pub struct AlertRow {
    /// The alert, without what comes from its chat.
    pub shape: AlertShape,
    /// Identifies the alert; `None` if a newer hub wrote a kind that is not known here.
    pub key: Option<AlertKey>,
}

/// The columns that [`AlertRow::read`] reads, in this order.
pub const COLUMNS: &str = "alerts.id, alerts.kind, alerts.chat_id, alerts.since, alerts.due_at, alerts.raised_at, \
                           alerts.cleared_at, alerts.acknowledged_at, alerts.acknowledged_by, \
                           alerts.acknowledged_by_name";

impl AlertRow {
    /// Reads the columns of [`COLUMNS`].
    pub fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let moment = |column| row.get::<_, i64>(column).map(from_nanos);
        let maybe = |column| row.get::<_, Option<i64>>(column).map(|nanos| nanos.map(from_nanos));
        let (kind, chat_id): (String, String) = (row.get(1)?, row.get(2)?);
        let since = moment(3)?;
        let by: Option<String> = row.get(8)?;
        let name: Option<String> = row.get(9)?;
        let chat = ChatId::from(chat_id.as_str());
        let key = AlertKind::from_word(&kind).map(|kind| AlertKey { kind, chat, since });
        let shape = AlertShape {
            id: row.get(0)?,
            kind,
            chat_id,
            contact_name: None,
            sector: None,
            owner: None,
            since,
            due_at: moment(4)?,
            raised_at: moment(5)?,
            cleared_at: maybe(6)?,
            acknowledged_at: maybe(7)?,
            acknowledged_by: by.map(|id| NamedShape { id, name }),
        };
        Ok(Self { shape, key })
    }
}

/// Loads the alerts that are not cleared.
pub fn load_standing(connection: &Connection) -> rusqlite::Result<Vec<AlertKey>> {
    let sql = format!("SELECT {COLUMNS} FROM alerts WHERE cleared_at IS NULL");
    let mut select = connection.prepare(&sql)?;
    let rows: Vec<AlertRow> = select.query_map([], AlertRow::read)?.collect::<Result<_, _>>()?;
    Ok(rows.into_iter().filter_map(|row| row.key).collect())
}

/// Stores the position up to which alerts were posted to the alert webhook.
pub(in crate::journal) fn note_posted(
    connection: &Connection,
    seq: Seq,
) -> Result<Outcome<'static>, StoreError> {
    meta::put_position(connection, SENT_KEY, seq)?;
    Ok(Outcome::NoEvent(Ack::ignored(None)))
}

/// Makes the requested change to an alert, if that changes anything.
pub(in crate::journal) fn apply<'a>(
    store: &mut SqliteStore,
    seq: Seq,
    entry: &Entry,
    id: &EventId,
    request: &AlertRequest,
) -> Result<Outcome<'a>, StoreError> {
    let connection = store.connection();
    let (change, changed) = match request {
        AlertRequest::Raise { alert, due_at } => {
            (AlertChange::Raised, raise(store, alert, *due_at, entry.at)?)
        }
        AlertRequest::Clear(alert) => (AlertChange::Cleared, clear(connection, &alert.id(), entry.at)?),
        AlertRequest::Acknowledge { id, by } => {
            (AlertChange::Acknowledged, acknowledge(connection, id, by, entry.at)?)
        }
    };
    let Some(AlertRow { mut shape, key }) = changed else {
        return Ok(Outcome::NoEvent(Ack::duplicate(Some(id.clone()), None)));
    };
    let chat = store.chat(&ChatId::from(shape.chat_id.as_str()))?;
    let audience = chat.as_ref().map(audience_of).unwrap_or_default();
    if let Some(chat) = &chat {
        describe(store, &mut shape, chat)?;
    }
    let frame = serde_json::to_string(&SideUpdate::new(seq, entry.at, AlertData::new(id, change, &shape)))?;
    let effect = match (change, key) {
        (AlertChange::Raised, Some(key)) => HubEffect::Raised(key),
        (AlertChange::Cleared, Some(key)) => HubEffect::Cleared(key),
        (AlertChange::Acknowledged, _) | (_, None) => HubEffect::Noted,
    };
    Ok(NewEvent::new(change.as_str(), audience, frame.into()).with(effect).into())
}

/// Raises an alert, if the chat's clocks still call for it and it is not active yet.
fn raise(
    store: &mut SqliteStore,
    alert: &AlertKey,
    due_at: Timestamp,
    at: Timestamp,
) -> Result<Option<AlertRow>, StoreError> {
    let chat = store.chat(&alert.chat)?;
    if chat.and_then(|chat| Clocks::of(&chat).since(alert.kind)) != Some(alert.since) {
        return Ok(None);
    }
    let sql = "INSERT INTO alerts (id, kind, chat_id, since, due_at, raised_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT (id) DO UPDATE SET due_at = ?5, raised_at = ?6, cleared_at = NULL, acknowledged_at = NULL,
                   acknowledged_by = NULL, acknowledged_by_name = NULL WHERE cleared_at IS NOT NULL";
    let (id, kind, since) = (alert.id(), alert.kind.as_str(), to_nanos(alert.since));
    let values = params![id, kind, alert.chat.as_str(), since, to_nanos(due_at), to_nanos(at)];
    change_row(store.connection(), &id, sql, values)
}

fn clear(connection: &Connection, id: &str, at: Timestamp) -> Result<Option<AlertRow>, StoreError> {
    let sql = "UPDATE alerts SET cleared_at = ?2 WHERE id = ?1 AND cleared_at IS NULL";
    change_row(connection, id, sql, params![id, to_nanos(at)])
}

fn acknowledge(
    connection: &Connection,
    id: &str,
    by: &NamedShape,
    at: Timestamp,
) -> Result<Option<AlertRow>, StoreError> {
    let sql = "UPDATE alerts SET acknowledged_at = ?2, acknowledged_by = ?3, acknowledged_by_name = ?4
               WHERE id = ?1 AND cleared_at IS NULL AND acknowledged_at IS NULL";
    change_row(connection, id, sql, params![id, to_nanos(at), by.id, by.name])
}

/// Runs a statement that changes an alert, and returns the alert; `None` if nothing was changed.
fn change_row(
    connection: &Connection,
    id: &str,
    sql: &str,
    values: impl rusqlite::Params,
) -> Result<Option<AlertRow>, StoreError> {
    if connection.prepare_cached(sql)?.execute(values)? == 0 {
        return Ok(None);
    }
    let sql = format!("SELECT {COLUMNS} FROM alerts WHERE id = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([id], AlertRow::read).optional()?)
}

/// Adds contact, sector and owner of the chat.
fn describe(store: &mut SqliteStore, shape: &mut AlertShape, chat: &Chat) -> Result<(), StoreError> {
    let contact = chat.contact_id.get().map(|id| store.contact(id)).transpose()?.flatten();
    shape.contact_name = contact.and_then(|contact| contact.name.get().cloned());
    shape.sector = chat.sector.flat().map(NamedShape::from);
    shape.owner = chat.owner.flat().map(NamedShape::from);
    let (directory, _) = store.directory()?;
    if let Some(owner) = &mut shape.owner
        && let Some(name) = directory.name_of(&owner.id)
    {
        owner.name = Some(name.to_owned());
    }
    Ok(())
}

/// Those who see the chat, or follow it in any way.
fn audience_of(chat: &Chat) -> Audience {
    let place = Placement::of(chat);
    Audience {
        chat: Some(chat.id.clone()),
        contacts: chat.contact_id.get().cloned().into_iter().collect(),
        tags: chat.tags.get().into_iter().flatten().map(|tag| tag.id.clone()).collect(),
        before: Some(place.clone()),
        after: Some(place),
        ..Audience::default()
    }
}
