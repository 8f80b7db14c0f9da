//! Files that are made from the database and hold nothing that it does not hold: whoever keeps one makes it again where it
//! is damaged.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::follower::{Projection, Step};
use crate::protocol::FaultKind;
use crate::sqlite::files::beside;
use crate::sqlite::open::deep_check;
use crate::sqlite::{DbError, files};

/// A derived file, as the thread that keeps it and those who read it share it.
#[derive(Debug, Clone)]
pub struct OwnFile {
    path: PathBuf,
    generation: Arc<AtomicU64>,
    is_damaged: Arc<AtomicBool>,
}

impl OwnFile {
    /// Beside a database, with this ending.
    pub fn beside(database: &Path, ending: &str) -> Self {
        Self { path: beside(database, ending), generation: Arc::default(), is_damaged: Arc::default() }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Grows each time that it was opened to be kept: it may be another file than before, and readers open it again.
    pub fn generation(&self) -> &Arc<AtomicU64> {
        &self.generation
    }

    /// It holds what does not fit, and is made again with the next step.
    pub fn note_damage(&self) {
        self.is_damaged.store(true, Ordering::Release);
    }
}

/// What is kept in a file of its own.
pub trait Derivation: Send + 'static {
    /// See [`Projection::NAME`].
    const NAME: &'static str;
    /// How long it waits after a fault before it opens its files again.
    const FAULT_PAUSE: Duration;
    /// The files, open.
    type Open: Send + 'static;

    /// Opens the files; its own one is made where it is missing.
    fn open(&mut self, own: &Path) -> Result<Self::Open, DbError>;

    /// A bounded step further.
    fn advance(&mut self, open: &mut Self::Open) -> Result<Step, DbError>;

    /// A step failed; those who wait may have to know.
    fn failed(&mut self) {}
}

/// Keeps a derived file: opens it, makes it again where it is damaged, and opens it again after a fault.
pub struct Keeper<D: Derivation> {
    derivation: D,
    file: OwnFile,
    open: Option<D::Open>,
    /// Damage was looked for since the last step that went well.
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
            log::error!("{} is damaged and made again", self.file.path.display());
            self.open = None;
            files::remove(&self.file.path)?;
        }
        if let Some(open) = self.open.take() {
            return Ok(open);
        }
        let open = self.derivation.open(&self.file.path)?;
        self.file.generation.fetch_add(1, Ordering::AcqRel);
        if is_damaged {
            // What readers said meanwhile, they said of the file before.
            self.file.is_damaged.store(false, Ordering::Release);
        }
        Ok(open)
    }
}

impl<D: Derivation> Projection for Keeper<D> {
    const NAME: &'static str = D::NAME;

    fn step(&mut self) -> Result<Step, DbError> {
        let mut open = self.opened()?;
        // Not kept where it fails: a fault must not outlive its cause.
        let step = self.derivation.advance(&mut open)?;
        self.open = Some(open);
        self.is_examined = false;
        Ok(step)
    }

    fn fail(&mut self, error: &DbError) -> Step {
        self.open = None;
        // Once: it reads all of the file. Where that is sound it is the database, of which the journal tells.
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
