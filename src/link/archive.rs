//! Blocking access to what is stored, for the link's thread: it reads through the readers' pool and writes records through the hub.

use actix::Addr;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::Transaction;

use super::fault::LinkError;
use crate::domain::calendar::Calendar;
use crate::domain::{EventId, GivenName, Member};
use crate::hub::{Ack, AckStatus, GetHealth, Health, Ingest, IngestError, UmblerHub};
use crate::journal::{LinkProgress, Origin, Payload, Record, own_id, settings};
use crate::protocol::link::LinkAlert;
use crate::reads::{Asker, Query, ReadError, Readers};
use crate::telemetry::causes::chain;
use crate::telemetry::clock;
use crate::telemetry::metrics::Metrics;
use crate::umbler::reconcile::Composed;

#[derive(Clone)]
pub struct Archive {
    hub: Addr<UmblerHub>,
    readers: Readers,
    metrics: Metrics,
}

impl Archive {
    pub fn new(hub: Addr<UmblerHub>, readers: Readers, metrics: Metrics) -> Self {
        Self { hub, readers, metrics }
    }

    pub fn ask<Q: Query>(&self, query: Q) -> Result<Q::Answer, LinkError> {
        futures_executor::block_on(self.readers.ask(Asker::Hub, query))
            .map_err(|error| LinkError::Hub(chain(&error)))
    }

    /// When the last webhook came. `None`: none came yet, or the hub is stopping.
    pub fn last_webhook_at(&self) -> Option<Timestamp> {
        self.health()?.last_webhook_at
    }

    /// When the first webhook came after a pause. `None`: there was none since the hub started, or it is stopping.
    pub fn resumed_at(&self) -> Option<Timestamp> {
        self.health()?.resumed_at
    }

    /// `None`: the hub is stopping.
    fn health(&self) -> Option<Health> {
        futures_executor::block_on(self.hub.send(GetHealth)).ok()
    }

    /// The business hours in force: those that an admin saved, or these.
    pub fn hours(&self, default_hours: &Calendar) -> Calendar {
        let saved = self.ask(LoadHours { zone: default_hours.zone().clone() });
        saved.ok().flatten().unwrap_or_else(|| default_hours.clone())
    }

    /// Records a composed delivery that holds `count` messages, states or transfers. Returns `count`, or 0 if the delivery was
    /// recorded before. `what` is the metric's label.
    pub fn reconcile(&self, composed: &Composed, what: &str, count: usize) -> Result<usize, LinkError> {
        let record = Record::reconciled(composed.body.as_bytes(), clock::now())
            .map_err(|error| LinkError::Hub(chain(&error)))?;
        let news = if self.ingest(record)?.status == AckStatus::Accepted { count } else { 0 };
        self.metrics.reconciled(what, news);
        Ok(news)
    }

    /// Records names and pictures of agents.
    pub fn name(&self, members: Vec<Member>) -> Result<Ack, LinkError> {
        self.record(Payload::Members(members), Some(own_id("directory")))
    }

    /// Records names of sectors, lines and tags.
    pub fn name_places(&self, names: Vec<GivenName>) -> Result<Ack, LinkError> {
        self.record(Payload::Names(names), Some(own_id("directory")))
    }

    /// Records up to when everything is known.
    pub fn note(&self, progress: LinkProgress) -> Result<Ack, LinkError> {
        self.record(Payload::Link(progress), None)
    }

    /// Notes how far everything is known, and tells everybody how far a backfill has come.
    pub fn tell_progress(&self, progress: LinkProgress) -> Result<Ack, LinkError> {
        self.record(Payload::Link(progress), Some(own_id("link")))
    }

    /// Records the link's alerts, which sends them to every screen.
    pub fn tell(&self, alerts: Vec<LinkAlert>) -> Result<Ack, LinkError> {
        self.record(Payload::LinkAlerts(alerts), Some(own_id("link")))
    }

    pub(super) fn record(&self, payload: Payload, id: Option<EventId>) -> Result<Ack, LinkError> {
        let record = Record::new(payload, id, Origin::Hub, clock::now())
            .map_err(|error| LinkError::Hub(error.to_string()))?;
        self.ingest(record)
    }

    fn ingest(&self, record: Record) -> Result<Ack, LinkError> {
        match futures_executor::block_on(self.hub.send(Ingest { record })) {
            Ok(Ok(ack)) => Ok(ack),
            Ok(Err(IngestError::Stopping)) | Err(_) => Err(LinkError::Stopping),
            Ok(Err(error @ (IngestError::Full | IngestError::Unwritable))) => {
                Err(LinkError::Hub(error.to_string()))
            }
        }
    }
}

/// The business hours that an admin saved; `None` where nobody saved any.
#[derive(Debug)]
struct LoadHours {
    zone: TimeZone,
}

impl Query for LoadHours {
    type Answer = Option<Calendar>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Option<Calendar>, ReadError> {
        Ok(settings::load(tx)?.map(|saved| Calendar::of(&saved.settings, self.zone)))
    }
}
