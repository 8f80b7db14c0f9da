//! Files that are derived from the database. They hold nothing else, so a damaged one is built again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::follower::{Projection, Step};
use crate::protocol::FaultKind;
use crate::sqlite::files::beside;
use crate::sqlite::open::deep_check;
use crate::sqlite::{DbError, files};

/// A derived file, shared by the thread that keeps it and its readers.
#[derive(Debug, Clone)]
pub struct OwnFile {
    path: PathBuf,
    generation: Arc<AtomicU64>,
    is_damaged: Arc<AtomicBool>,
}

impl OwnFile {
    /// The file beside a database, with this ending.
    pub fn beside(database: &Path, ending: &str) -> Self {
        Self { path: beside(database, ending), generation: Arc::default(), is_damaged: Arc::default() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Grows whenever the keeper has opened the file. It may then be another file, so readers must open
    /// it again.
    pub fn generation(&self) -> &Arc<AtomicU64> {
        &self.generation
    }

    /// Notes that the file is damaged, so that the next step builds it again.
    pub fn note_damage(&self) {
        self.is_damaged.store(true, Ordering::Release);
    }
}

/// How the contents of a derived file are kept.
pub trait Derivation: Send + 'static {
    /// See [`Projection::NAME`].
    const NAME: &'static str;
    /// How long to wait after a fault before the files are opened again.
    const FAULT_PAUSE: Duration;
    type Open: Send + 'static;

    /// Opens the files. The derived one is made if it is missing.
    fn open(&mut self, own: &Path) -> Result<Self::Open, DbError>;

    /// Does a bounded amount of work.
    fn advance(&mut self, open: &mut Self::Open) -> Result<Step, DbError>;

    /// Called after a failed step, for those that wait for the file.
    fn failed(&mut self) {}
}

/// Keeps a derived file: opens it, builds it again if it is damaged, and opens it again after a fault.
pub struct Keeper<D: Derivation> {
    derivation: D,
    file: OwnFile,
    open: Option<D::Open>,
    /// The file was checked for damage since the last successful step.
    is_examined: bool,
}

impl<D: Derivation> Keeper<D> {
    /// Opens nothing before its first step.
    pub fn new(derivation: D, file: OwnFile) -> Self {
        Self { derivation, file, open: None, is_examined: false }
    }

    fn opened(&mut self) -> Result<D::Open, DbError> {
        let is_damaged = self.file.is_damaged.load(Ordering::Acquire);
        if is_damaged {
            log::error!("{} is damaged and is built again", self.file.path.display());
            self.open = None;
            files::remove(&self.file.path)?;
        }
        if let Some(open) = self.open.take() {
            return Ok(open);
        }
        let open = self.derivation.open(&self.file.path)?;
        self.file.generation.fetch_add(1, Ordering::AcqRel);
        if is_damaged {
            // What readers reported meanwhile was about the old file.
            self.file.is_damaged.store(false, Ordering::Release);
        }
        Ok(open)
    }
}

impl<D: Derivation> Projection for Keeper<D> {
    const NAME: &'static str = D::NAME;

    fn step(&mut self) -> Result<Step, DbError> {
        let mut open = self.opened()?;
        // Dropped if the step fails, so that a fault does not outlive its cause.
        let step = self.derivation.advance(&mut open)?;
        self.open = Some(open);
        self.is_examined = false;
        Ok(step)
    }

    fn fail(&mut self, error: &DbError) -> Step {
        self.open = None;
        // Only once, because the check reads the whole file. If the file is sound, the database is
        // damaged, which the journal reports.
        if error.kind() == FaultKind::Damaged && !std::mem::replace(&mut self.is_examined, true) {
            let is_sound = deep_check(&self.file.path).is_ok_and(|findings| findings.is_empty());
            if !is_sound {
                self.file.note_damage();
            }
        }
        self.derivation.failed();
        Step::Rest(D::FAULT_PAUSE)
    }
}
