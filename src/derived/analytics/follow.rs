//! The facts follow the journal: how often, at what pace, and how far they have come.

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

/// How often the projector looks where nobody asks.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// How long it rests after a step, as a multiple of what the step took: deliveries come first. Not while a question waits.
const REST_FACTOR: u32 = 3;
/// How long it rests at most.
const REST_MAX: Duration = Duration::from_secs(1);

/// The facts of a database, which a thread keeps. The thread ends when the last handle is gone.
#[derive(Debug, Clone)]
pub struct Facts {
    file: OwnFile,
    follower: Handle<Progress>,
    /// The newest position that a question waits for.
    wanted: Arc<AtomicI64>,
    calendar: watch::Receiver<Arc<Calendar>>,
}

impl Facts {
    /// Starts the thread that follows the journal. Whatever is wrong with the file, the hub starts and takes deliveries in:
    /// the thread tries again. `default_hours` hold while no admin saved others.
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

    /// The file that holds them.
    pub fn file(&self) -> &OwnFile {
        &self.file
    }

    /// Waits until everything up to `newest` is in the metrics, but no longer than `patience`.
    pub async fn reach(&self, newest: Seq, patience: Duration) -> Progress {
        self.wanted.fetch_max(newest.0, Ordering::AcqRel);
        let progress = self.follower.reach(patience, |progress| progress.as_of >= newest).await;
        if progress.as_of < newest {
            log::debug!("the metrics are behind; the answer says how far they go");
        }
        progress
    }

    /// Tells whenever the projector has come further.
    pub fn follow(&self) -> watch::Receiver<Progress> {
        self.follower.position()
    }

    /// Working hours, as the facts are counted in.
    pub fn calendar(&self) -> Arc<Calendar> {
        Arc::clone(&self.calendar.borrow())
    }

    /// Readers found the file damaged: it is made again.
    pub fn note_damage(&self) {
        self.file.note_damage();
        self.follower.wake();
    }
}

/// Puts facts into the file of the metrics.
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
        // Deliveries that come one by one are followed together: a step costs more than what it follows.
        let at_least = if leaves_more { Duration::ZERO } else { LOOK_INTERVAL };
        Ok(Step::Rest((begun.elapsed() * REST_FACTOR).clamp(at_least, REST_MAX)))
    }
}
