//! The projector's thread, and the way to ask what it made.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::file;
use super::project::{POSITIONS_PER_STEP, Projector};
use crate::derived::follower::{self, Handle, Step, alarm};
use crate::derived::own_file::{Derivation, Keeper, OwnFile};
use crate::domain::Seq;
use crate::domain::calendar::Calendar;
use crate::protocol::FaultKind;
use crate::reads::{Asker, Query, ReadError, Readers};
use crate::sqlite::DbError;
use crate::telemetry::integrity::Integrity;

/// How long a question waits for the newest position.
pub const CATCH_UP_MAX: Duration = Duration::from_secs(2);
/// How often the projector looks where nobody asks.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// How long it rests after a step, as a multiple of what the step took: deliveries come first. Not while a question waits.
const REST_FACTOR: u32 = 3;
/// How long it rests at most.
const REST_MAX: Duration = Duration::from_secs(1);

/// How far the projector has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Every delivery up to here is in the metrics; -1 before the file was opened.
    pub position: i64,
    /// Chats that are done and all chats, while history is computed anew.
    pub rebuilding: Option<(i64, i64)>,
}

/// Before the file was opened.
const NOWHERE: Place = Place { position: -1, rebuilding: None };

/// The way to the metrics of one hub. The thread ends when the last handle is gone.
#[derive(Clone)]
pub struct MetricsHandle {
    file: OwnFile,
    follower: Handle<Place>,
    /// The newest position that a question waits for.
    wanted: Arc<AtomicI64>,
    reads: Readers,
    calendar: watch::Receiver<Arc<Calendar>>,
}

impl MetricsHandle {
    /// Starts the thread that follows the journal, and the readers. Whatever is wrong with the file of the metrics, the hub
    /// starts and takes deliveries in: the thread tries again. `default_hours` hold while no admin saved others.
    pub fn start(database: &Path, default_hours: Calendar) -> std::io::Result<Self> {
        let file = OwnFile::beside(database, file::ENDING);
        let (publish_hours, calendar) = watch::channel(Arc::new(default_hours.clone()));
        let (publish, place) = watch::channel(NOWHERE);
        let wanted = Arc::new(AtomicI64::new(0));
        let database = database.to_path_buf();
        let maker =
            FactMaker { database, default_hours, wanted: Arc::clone(&wanted), publish, publish_hours };
        let (wake, woken) = alarm();
        follower::start(Keeper::new(maker, file.clone()), woken)?;
        // Their own account: damage of this file is no damage of the database.
        let reads = Readers::start_on_replaced(file.path(), &Integrity::default(), file.generation())?;
        Ok(Self { file, follower: Handle::new(wake, place), wanted, reads, calendar })
    }

    /// Waits until everything up to `newest` is in the metrics, at most [`CATCH_UP_MAX`].
    pub async fn catch_up(&self, newest: Seq) {
        self.catch_up_within(newest, CATCH_UP_MAX).await;
    }

    /// The same for whoever waits no longer than this.
    pub async fn catch_up_within(&self, newest: Seq, wait: Duration) {
        self.wanted.fetch_max(newest.0, Ordering::AcqRel);
        let place = self.follower.reach(wait, |place| place.position >= newest.0).await;
        if place.position < newest.0 {
            log::debug!("the metrics are behind; the answer says how far they go");
        }
    }

    /// Tells whenever the projector has come further.
    pub fn follow(&self) -> watch::Receiver<Place> {
        self.follower.position()
    }

    /// Working hours, as the facts are counted in.
    pub fn calendar(&self) -> Arc<Calendar> {
        Arc::clone(&self.calendar.borrow())
    }

    /// Asks. Where the file holds what does not fit, it is made anew.
    pub async fn ask<Q: Query>(&self, asker: Asker, query: Q) -> Result<Q::Answer, ReadError> {
        let answer = self.reads.ask(asker, query).await;
        if let Err(ReadError::Database(error)) = &answer
            && error.kind() == FaultKind::Damaged
        {
            self.file.note_damage();
            self.follower.wake();
        }
        answer
    }
}

/// Puts facts into the file of the metrics.
struct FactMaker {
    database: PathBuf,
    default_hours: Calendar,
    wanted: Arc<AtomicI64>,
    publish: watch::Sender<Place>,
    publish_hours: watch::Sender<Arc<Calendar>>,
}

impl Derivation for FactMaker {
    const NAME: &'static str = "metrics";
    const FAULT_PAUSE: Duration = Duration::from_secs(2);
    type Open = Projector;

    fn open(&mut self, own: &Path) -> Result<Projector, DbError> {
        Projector::open(&self.database, own, &self.default_hours)
    }

    fn advance(&mut self, projector: &mut Projector) -> Result<Step, DbError> {
        let (begun, before) = (Instant::now(), projector.standing().position);
        let moved = projector.advance()?;
        let position = projector.standing().position;
        if !Arc::ptr_eq(&self.publish_hours.borrow(), projector.calendar()) {
            self.publish_hours.send_replace(Arc::clone(projector.calendar()));
        }
        let place = Place { position, rebuilding: projector.standing().rebuilding() };
        self.publish.send_if_modified(|known| std::mem::replace(known, place) != place);
        if !moved {
            return Ok(Step::Rest(LOOK_INTERVAL));
        }
        if position < self.wanted.load(Ordering::Acquire) {
            return Ok(Step::More);
        }
        let leaves_more = place.rebuilding.is_some() || position - before >= POSITIONS_PER_STEP;
        // Deliveries that come one by one are followed together: a step costs more than what it follows.
        let at_least = if leaves_more { Duration::ZERO } else { LOOK_INTERVAL };
        Ok(Step::Rest((begun.elapsed() * REST_FACTOR).clamp(at_least, REST_MAX)))
    }
}
