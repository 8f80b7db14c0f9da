//! The thread that keeps the facts: when it steps, how long it rests, and how far it has come.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::file::{self, Progress};
use super::project::{POSITIONS_PER_STEP, Projector};
use crate::derived::follower::{self, Handle, Step, alarm};
use crate::derived::own_file::{Derivation, Keeper, OwnFile};
use crate::domain::Seq;
use crate::domain::calendar::Calendar;
use crate::sqlite::DbError;

/// How often the projector looks for deliveries when no question waits.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// Length of the rest after a step, as a multiple of the step, because deliveries come first. Without a rest
/// while a question waits.
const REST_FACTOR: u32 = 3;
const REST_MAX: Duration = Duration::from_secs(1);

/// The facts of a database, kept by a thread that ends when the last handle is dropped.
#[derive(Debug, Clone)]
pub struct FactStore {
    file: OwnFile,
    follower: Handle<Progress>,
    /// The newest position that a question waits for.
    wanted: Arc<AtomicI64>,
    calendar: watch::Receiver<Arc<Calendar>>,
}

impl FactStore {
    /// Starts the thread that keeps the metrics file beside `database` up to date with the journal. If something is wrong with that
    /// file, the hub starts anyway and the thread tries again. `default_hours` hold until an admin saves others.
    pub fn start(database: &Path, default_hours: Calendar) -> std::io::Result<Self> {
        let file = OwnFile::beside(database, file::ENDING);
        let (publish_hours, calendar) = watch::channel(Arc::new(default_hours.clone()));
        let (publish, progress) = watch::channel(Progress::NOWHERE);
        let wanted = Arc::new(AtomicI64::new(0));
        let database = database.to_path_buf();
        let maker =
            FactMaker { database, default_hours, wanted: Arc::clone(&wanted), publish, publish_hours };
        let (wake, woken) = alarm();
        follower::start(Keeper::new(maker, file.clone()), woken)?;
        Ok(Self { file, follower: Handle::new(wake, progress), wanted, calendar })
    }

    pub fn file(&self) -> &OwnFile {
        &self.file
    }

    /// Waits at most `patience` until the facts have followed the journal up to `newest`.
    pub async fn reach(&self, newest: Seq, patience: Duration) -> Progress {
        self.wanted.fetch_max(newest.0, Ordering::AcqRel);
        let progress = self.follower.reach(patience, |progress| progress.as_of >= newest).await;
        if progress.as_of < newest {
            log::debug!("the metrics are behind; the answer says how far they go");
        }
        progress
    }

    /// Follows the progress of the projector.
    pub fn follow(&self) -> watch::Receiver<Progress> {
        self.follower.position()
    }

    /// The calendar by which the facts are computed.
    pub fn calendar(&self) -> Arc<Calendar> {
        Arc::clone(&self.calendar.borrow())
    }

    /// Notes that readers found the file damaged, so that it is built again.
    pub fn note_damage(&self) {
        self.file.note_damage();
        self.follower.wake();
    }
}

struct FactMaker {
    database: PathBuf,
    default_hours: Calendar,
    wanted: Arc<AtomicI64>,
    publish: watch::Sender<Progress>,
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
        let progress = projector.standing().progress();
        self.publish.send_if_modified(|known| std::mem::replace(known, progress) != progress);
        if !moved {
            return Ok(Step::Rest(LOOK_INTERVAL));
        }
        if position < self.wanted.load(Ordering::Acquire) {
            return Ok(Step::More);
        }
        let leaves_more = progress.rebuilding.is_some() || position - before >= POSITIONS_PER_STEP;
        // Deliveries that come one by one are followed together, because a step costs more than what
        // it follows.
        let at_least = if leaves_more { Duration::ZERO } else { LOOK_INTERVAL };
        Ok(Step::Rest((begun.elapsed() * REST_FACTOR).clamp(at_least, REST_MAX)))
    }
}
