//! The projector's thread, and the way to ask what it made.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::file;
use super::project::{POSITIONS_PER_STEP, Projection};
use crate::domain::Seq;
use crate::domain::calendar::Calendar;
use crate::protocol::FaultKind;
use crate::reads::{Asker, Query, ReadError, Readers};
use crate::sqlite::open::deep_check;
use crate::sqlite::{DbError, files};
use crate::telemetry::causes::chain;
use crate::telemetry::integrity::Integrity;
use crate::telemetry::priority::give_way;

/// How long a question waits for the newest position.
pub const CATCH_UP_MAX: Duration = Duration::from_secs(2);
/// How often the projector looks where nobody asks.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// How long it rests after a step, as a multiple of what the step took: deliveries come first. Not while a question waits.
const REST_FACTOR: u32 = 3;
/// How long it rests at most.
const REST_MAX: Duration = Duration::from_secs(1);
/// How long it waits after a fault before it opens its files again.
const FAULT_PAUSE: Duration = Duration::from_secs(2);

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
    wake: SyncSender<()>,
    wanted: Arc<AtomicI64>,
    damaged: Arc<AtomicBool>,
    place: watch::Receiver<Place>,
    reads: Readers,
    calendar: watch::Receiver<Arc<Calendar>>,
}

impl MetricsHandle {
    /// Starts the thread that follows the journal, and the readers. Whatever is wrong with the file of the metrics, the hub
    /// starts and takes deliveries in: the thread tries again. `default_hours` hold while no admin saved others.
    pub fn start(database: &Path, default_hours: Calendar) -> std::io::Result<Self> {
        let (publish_hours, calendar) = watch::channel(Arc::new(default_hours.clone()));
        let (wake, woken) = sync_channel(1);
        let (publish, place) = watch::channel(NOWHERE);
        let wanted = Arc::new(AtomicI64::new(0));
        let generation = Arc::new(AtomicU64::new(0));
        let damaged = Arc::new(AtomicBool::new(false));
        let follower = Follower {
            database: database.to_path_buf(),
            default_hours,
            woken,
            wanted: Arc::clone(&wanted),
            damaged: Arc::clone(&damaged),
            generation: Arc::clone(&generation),
            publish,
            publish_hours,
        };
        std::thread::Builder::new().name("metrics".into()).spawn(move || follower.run())?;
        // Their own account: damage of this file is no damage of the database.
        let reads = Readers::start_on_replaced(&file::path_of(database), &Integrity::default(), &generation)?;
        Ok(Self { wake, wanted, damaged, place, reads, calendar })
    }

    /// Waits until everything up to `newest` is in the metrics, at most [`CATCH_UP_MAX`].
    pub async fn catch_up(&self, newest: Seq) {
        self.catch_up_within(newest, CATCH_UP_MAX).await;
    }

    /// The same for whoever waits no longer than this.
    pub async fn catch_up_within(&self, newest: Seq, wait: Duration) {
        self.wanted.fetch_max(newest.0, Ordering::AcqRel);
        self.wake_projector();
        let mut place = self.place.clone();
        let reached = place.wait_for(|place| place.position >= newest.0);
        if tokio::time::timeout(wait, reached).await.is_err() {
            log::debug!("the metrics are behind; the answer says how far they go");
        }
    }

    /// Tells whenever the projector has come further.
    pub fn follow(&self) -> watch::Receiver<Place> {
        self.place.clone()
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
            self.damaged.store(true, Ordering::Release);
            self.wake_projector();
        }
        answer
    }

    fn wake_projector(&self) {
        if self.wake.try_send(()).is_err() {
            log::trace!("the projector is awake");
        }
    }
}

struct Follower {
    database: std::path::PathBuf,
    default_hours: Calendar,
    woken: Receiver<()>,
    wanted: Arc<AtomicI64>,
    /// The file holds what does not fit.
    damaged: Arc<AtomicBool>,
    /// Files that were opened so far: each may be another one than before.
    generation: Arc<AtomicU64>,
    publish: watch::Sender<Place>,
    publish_hours: watch::Sender<Arc<Calendar>>,
}

impl Follower {
    fn run(self) {
        give_way("the projector of the metrics");
        let (mut projection, mut faulted) = (None, false);
        loop {
            let pause = match self.step(&mut projection) {
                Ok(pause) => {
                    faulted = false;
                    pause
                }
                Err(error) => {
                    // Told once, however long a full disk stays full.
                    let level = if faulted { log::Level::Debug } else { log::Level::Error };
                    log::log!(level, "the metrics do not follow: {}", chain(&error));
                    // Else it is the database, of which the journal tells.
                    let is_ours =
                        || deep_check(&file::path_of(&self.database)).map_or(true, |found| !found.is_empty());
                    if !faulted && error.kind() == FaultKind::Damaged && is_ours() {
                        self.damaged.store(true, Ordering::Release);
                    }
                    (projection, faulted) = (None, true);
                    FAULT_PAUSE
                }
            };
            if pause.is_zero() {
                continue;
            }
            match self.woken.recv_timeout(pause) {
                Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// One step; how long to rest after it.
    fn step(&self, projection: &mut Option<Projection>) -> Result<Duration, DbError> {
        let anew = self.damaged.load(Ordering::Acquire);
        if anew {
            log::error!("the file of the metrics is damaged and made anew");
            *projection = None;
            files::remove(&file::path_of(&self.database))?;
        }
        let opened = if let Some(opened) = projection.take() {
            opened
        } else {
            let opened = Projection::open(&self.database, &self.default_hours)?;
            self.generation.fetch_add(1, Ordering::AcqRel);
            if anew {
                // What readers said meanwhile, they said of the file before.
                self.damaged.store(false, Ordering::Release);
            }
            opened
        };
        let projection = projection.insert(opened);
        let (begun, before) = (Instant::now(), projection.standing().position);
        let moved = projection.advance()?;
        let position = projection.standing().position;
        if !Arc::ptr_eq(&self.publish_hours.borrow(), projection.calendar()) {
            self.publish_hours.send_replace(Arc::clone(projection.calendar()));
        }
        let place = Place { position, rebuilding: projection.standing().rebuilding() };
        self.publish.send_if_modified(|known| std::mem::replace(known, place) != place);
        if !moved {
            return Ok(LOOK_INTERVAL);
        }
        if position < self.wanted.load(Ordering::Acquire) {
            return Ok(Duration::ZERO);
        }
        let leaves_more = place.rebuilding.is_some() || position - before >= POSITIONS_PER_STEP;
        // Deliveries that come one by one are followed together: a step costs more than what it follows.
        let at_least = if leaves_more { Duration::ZERO } else { LOOK_INTERVAL };
        Ok((begun.elapsed() * REST_FACTOR).clamp(at_least, REST_MAX))
    }
}
