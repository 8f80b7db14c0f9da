//! Alerts in the journal: raised, cleared and acknowledged as events of their own, durable before anybody is told.
//!
//! The hub knows when a deadline passes; here it is looked at once more, because a delivery that ends it may have been
//! stored meanwhile.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::append::{Ack, AckStatus};
use super::batch::{BatchWriter, Written};
use super::recorded::{News, Recorded};
use super::rows::{self, NO_BYTES};
use super::store::StoreError;
use crate::domain::register::{from_nanos, to_nanos};
use crate::domain::{AlertKind, Audience, Chat, ChatId, Clocks, EventId, Placement, Seq, Store};
use crate::protocol::alerts::{AlertChange, AlertData, AlertShape, SideUpdate};
use crate::protocol::shapes::NamedShape;

/// The key in `meta` of the position up to which alerts were posted to the alert webhook.
pub const SENT_KEY: &str = "alert_webhook_seq";

/// Alerts to be raised and cleared, or one that a user takes note of.
#[derive(Debug, Clone)]
pub struct AlertChanges {
    /// What the ids of their updates begin with; no other's do.
    pub id: String,
    /// In order.
    pub changes: Vec<AlertRequest>,
    /// The present.
    pub at: Timestamp,
}

/// What is to happen to an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertRequest {
    /// A deadline passed.
    Raise {
        /// Whose.
        alert: AlertKey,
        /// When.
        due_at: Timestamp,
    },
    /// Its reason is gone.
    Clear(AlertKey),
    /// Somebody takes note of it.
    Acknowledge {
        /// The alert's id.
        id: String,
        /// Who.
        by: NamedShape,
    },
}

/// What makes an alert this one and no other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AlertKey {
    /// Which deadline.
    pub kind: AlertKind,
    /// Of which chat.
    pub chat: ChatId,
    /// What it is counted from.
    pub since: Timestamp,
}

impl AlertKey {
    /// The same for the same wait, however often the hub is started.
    pub fn id(&self) -> String {
        format!("{}:{}:{}", self.kind.as_str(), self.chat, to_nanos(self.since))
    }
}

/// A row of `alerts`, in the order of [`COLUMNS`].
#[derive(Debug, Clone)]
pub struct AlertRow {
    /// The alert without what is read off its chat.
    pub shape: AlertShape,
    /// The same, as the hub holds it; `None` where a newer hub wrote a kind that is not known here.
    pub key: Option<AlertKey>,
}

/// What [`AlertRow::read`] reads.
pub const COLUMNS: &str = "alerts.id, alerts.kind, alerts.chat_id, alerts.since, alerts.due_at, alerts.raised_at, \
                           alerts.cleared_at, alerts.acknowledged_at, alerts.acknowledged_by, \
                           alerts.acknowledged_by_name";

impl AlertRow {
    /// Reads a row.
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

fn load(connection: &Connection, id: &str) -> Result<Option<AlertRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM alerts WHERE id = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([id], AlertRow::read).optional()?)
}

/// Alerts that stand.
pub fn load_standing(connection: &Connection) -> rusqlite::Result<Vec<AlertKey>> {
    let sql = format!("SELECT {COLUMNS} FROM alerts WHERE cleared_at IS NULL");
    let mut select = connection.prepare(&sql)?;
    let rows: Vec<AlertRow> = select.query_map([], AlertRow::read)?.collect::<Result<_, _>>()?;
    Ok(rows.into_iter().filter_map(|row| row.key).collect())
}

impl BatchWriter {
    /// Notes up to where alerts were posted to the alert webhook.
    pub(super) fn take_sent(&self, seq: Seq, written: &mut Written) -> Result<(), StoreError> {
        let mut upsert = self.store.connection().prepare_cached(
            "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
        )?;
        upsert.execute([SENT_KEY, &seq.to_string()])?;
        written.acks.push(Ack { status: AckStatus::Ignored, event_id: None, seq: None, reason: None });
        Ok(())
    }

    /// Writes what happened to alerts, each as an event of its own.
    pub(super) fn take_alerts(
        &mut self,
        asked: &AlertChanges,
        written: &mut Written,
    ) -> Result<(), StoreError> {
        let mut first = None;
        for (place, request) in asked.changes.iter().enumerate() {
            let event_id = EventId::from(format!("alert:{}:{place}", asked.id));
            match self.take_alert(request, &event_id, asked.at, written) {
                Ok(seq) => first = first.or(seq),
                // One chat that cannot be read must not hold up the alerts of all others.
                Err(StoreError::Corrupt(error)) => log::error!("an alert cannot be told: {error}"),
                Err(error) => return Err(error),
            }
        }
        let status = if first.is_some() { AckStatus::Accepted } else { AckStatus::Duplicate };
        written.acks.push(Ack { status, event_id: None, seq: first, reason: None });
        Ok(())
    }

    fn take_alert(
        &mut self,
        request: &AlertRequest,
        event_id: &EventId,
        at: Timestamp,
        written: &mut Written,
    ) -> Result<Option<Seq>, StoreError> {
        let changed = match request {
            AlertRequest::Raise { alert, due_at } => self.raise(alert, *due_at, at)?,
            AlertRequest::Clear(alert) => self.set_moment(
                "UPDATE alerts SET cleared_at = ?2 WHERE id = ?1 AND cleared_at IS NULL",
                &alert.id(),
                at,
            )?,
            AlertRequest::Acknowledge { id, by } => self.acknowledge(id, by, at)?,
        };
        let Some(row) = changed else { return Ok(None) };
        let change = match request {
            AlertRequest::Raise { .. } => AlertChange::Raised,
            AlertRequest::Clear(_) => AlertChange::Cleared,
            AlertRequest::Acknowledge { .. } => AlertChange::Acknowledged,
        };
        self.tell_alert(change, row, event_id, at, written).map(Some)
    }

    /// Where the chat's clocks still say so, and it does not stand yet.
    fn raise(
        &mut self,
        alert: &AlertKey,
        due_at: Timestamp,
        at: Timestamp,
    ) -> Result<Option<AlertRow>, StoreError> {
        let chat = self.store.chat(&alert.chat)?;
        if chat.and_then(|chat| Clocks::of(&chat).since(alert.kind)) != Some(alert.since) {
            return Ok(None);
        }
        let connection = self.store.connection();
        let mut upsert = connection.prepare_cached(
            "INSERT INTO alerts (id, kind, chat_id, since, due_at, raised_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO UPDATE SET due_at = ?5, raised_at = ?6, cleared_at = NULL, acknowledged_at = NULL,
                 acknowledged_by = NULL, acknowledged_by_name = NULL WHERE cleared_at IS NOT NULL",
        )?;
        let (id, since) = (alert.id(), to_nanos(alert.since));
        let times = (to_nanos(due_at), to_nanos(at));
        let rows =
            upsert.execute(params![id, alert.kind.as_str(), alert.chat.as_str(), since, times.0, times.1])?;
        if rows == 0 { Ok(None) } else { load(connection, &id) }
    }

    /// The alert as it is after the statement; `None` where that changed nothing.
    fn set_moment(&self, sql: &str, id: &str, at: Timestamp) -> Result<Option<AlertRow>, StoreError> {
        let connection = self.store.connection();
        let rows = connection.prepare_cached(sql)?.execute(params![id, to_nanos(at)])?;
        if rows == 0 { Ok(None) } else { load(connection, id) }
    }

    fn acknowledge(&self, id: &str, by: &NamedShape, at: Timestamp) -> Result<Option<AlertRow>, StoreError> {
        let connection = self.store.connection();
        let mut update = connection.prepare_cached(
            "UPDATE alerts SET acknowledged_at = ?2, acknowledged_by = ?3, acknowledged_by_name = ?4
             WHERE id = ?1 AND cleared_at IS NULL AND acknowledged_at IS NULL",
        )?;
        let rows = update.execute(params![id, to_nanos(at), by.id, by.name])?;
        if rows == 0 { Ok(None) } else { load(connection, id) }
    }

    fn tell_alert(
        &mut self,
        change: AlertChange,
        row: AlertRow,
        event_id: &EventId,
        at: Timestamp,
        written: &mut Written,
    ) -> Result<Seq, StoreError> {
        let AlertRow { mut shape, key } = row;
        let chat = self.store.chat(&ChatId::from(shape.chat_id.as_str()))?;
        let audience = chat.as_ref().map(audience_of).unwrap_or_default();
        if let Some(chat) = &chat {
            self.describe(&mut shape, chat)?;
        }
        let seq = Seq(self.newest.0 + 1);
        let update = SideUpdate::new(seq, at, AlertData::new(event_id, change, &shape));
        let frame: bytestring::ByteString = serde_json::to_string(&update)?.into();
        let connection = self.store.connection();
        rows::put_journal_row(
            connection,
            &rows::JournalRow {
                seq,
                event_id,
                event_type: change.as_str(),
                update_type: change.as_str(),
                event_at: None,
                received_at: at,
                attempt: None,
                reason: None,
                audience: &audience,
            },
        )?;
        rows::put_bytes(connection, seq, NO_BYTES, &frame, &[])?;
        self.newest = seq;
        let news = match (change, key) {
            (AlertChange::Raised, Some(key)) => News::Raised(key),
            (AlertChange::Cleared, Some(key)) => News::Cleared(key),
            (AlertChange::Acknowledged, _) | (_, None) => News::Noted,
        };
        let recorded = Recorded::new(seq, frame, Some(audience), Vec::new()).with(news);
        written.events.push(std::sync::Arc::new(recorded));
        Ok(seq)
    }

    /// Adds what is read off the chat.
    fn describe(&mut self, shape: &mut AlertShape, chat: &Chat) -> Result<(), StoreError> {
        let contact = chat.contact_id.get().map(|id| self.store.contact(id)).transpose()?.flatten();
        shape.contact_name = contact.and_then(|contact| contact.name.get().cloned());
        shape.sector = chat.sector.flat().map(NamedShape::from);
        shape.owner = chat.owner.flat().map(NamedShape::from);
        let (directory, _) = self.store.directory()?;
        if let Some(owner) = &mut shape.owner
            && let Some(name) = directory.name_of(&owner.id)
        {
            owner.name = Some(name.to_owned());
        }
        Ok(())
    }
}

/// Whoever sees the chat, and whoever follows it in any way.
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
