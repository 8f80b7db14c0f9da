//! A file of keys that is read again when it changes, so that keys can be replaced without a restart.
//!
//! # Contract
//!
//! 1. A change is noticed by [`KeyFile::look`], which the application calls every [`LOOK_INTERVAL`], and at
//!    once when a token names an unknown key.
//! 2. Tokens of strangers cause the file to be read at most once per [`UNKNOWN_NAME_INTERVAL`].
//! 3. A file that cannot be used changes nothing: the last good keys remain in force, and [`KeyFile::state`]
//!    says why.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError};
use std::time::{Duration, Instant};

use super::jwks::{self, JWKS_BYTES_MAX, JwksError};
use super::keys::{Expected, KeyRing};

/// How often the file is checked for changes; one `stat` each time.
pub const LOOK_INTERVAL: Duration = Duration::from_secs(2);
/// How long a request waits while somebody else looks at the file.
const LOOKING_MAX: Duration = Duration::from_millis(100);
/// How often unknown key names may cause the file to be read.
pub const UNKNOWN_NAME_INTERVAL: Duration = Duration::from_secs(1);

/// The state of the keys of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyState {
    /// The number of keys in force.
    pub keys: usize,
    /// Why the file as it is now cannot be used; `None` where it can. The keys in force are those of the last
    /// good file.
    pub problem: Option<String>,
}

/// The file and its last good keys.
pub(super) struct KeyFile {
    path: PathBuf,
    expected: Expected,
    ring: RwLock<Arc<KeyRing>>,
    watch: Mutex<Watch>,
    /// Held while the file is looked at, which takes as long as its disk takes. `watch` is locked only for a moment, because whoever
    /// asks for the state serves requests.
    looking: Mutex<()>,
}

#[derive(Default)]
struct Watch {
    /// The state of the file when it was last read; `None` where it could not be looked at.
    seen: Option<Fingerprint>,
    problem: Option<String>,
    read_for_unknown_name: Option<Instant>,
}

/// Changes whenever the file is rewritten or replaced, also where a mounted secret is replaced by moving a
/// link.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Fingerprint {
    modified: (i64, i64),
    bytes: u64,
    inode: u64,
}

impl From<&Metadata> for Fingerprint {
    fn from(metadata: &Metadata) -> Self {
        Self {
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            bytes: metadata.len(),
            inode: metadata.ino(),
        }
    }
}

impl KeyFile {
    /// Reads the file. At the start it must be usable.
    pub(super) fn open(path: &Path, expected: Expected) -> Result<Self, JwksError> {
        let (seen, ring) = read(path, &expected)?;
        let watch = Watch { seen: Some(seen), ..Watch::default() };
        let (ring, watch) = (RwLock::new(Arc::new(ring)), Mutex::new(watch));
        Ok(Self { path: path.into(), expected, ring, watch, looking: Mutex::default() })
    }

    pub(super) fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the file again if it changed, or could not be used the last time.
    pub(super) fn look(&self) {
        let _looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        let now = std::fs::metadata(&self.path).ok().map(|metadata| Fingerprint::from(&metadata));
        let is_as_read = {
            let watch = self.watch();
            now.is_some() && now == watch.seen && watch.problem.is_none()
        };
        if !is_as_read {
            self.read_again();
        }
    }

    /// To be called when a token names an unknown key. True where the file was read because of it.
    pub(super) fn look_for_unknown_name(&self, now: Instant) -> bool {
        {
            let mut watch = self.watch();
            let last = watch.read_for_unknown_name;
            if last.is_some_and(|last| now.saturating_duration_since(last) < UNKNOWN_NAME_INTERVAL) {
                return false;
            }
            watch.read_for_unknown_name = Some(now);
        }
        let Some(_looking) = self.look_soon(now) else { return false };
        // It is read whatever its times say: a file may change twice within the resolution of its timestamps.
        self.read_again();
        true
    }

    /// Waits until nobody else looks at the file. `None`: that takes too long, because its disk does not answer.
    fn look_soon(&self, now: Instant) -> Option<MutexGuard<'_, ()>> {
        loop {
            match self.looking.try_lock() {
                Ok(looking) => return Some(looking),
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if now.elapsed() < LOOKING_MAX => std::thread::yield_now(),
                Err(TryLockError::WouldBlock) => return None,
            }
        }
    }

    /// The state of the keys.
    pub(super) fn state(&self) -> KeyState {
        KeyState { keys: self.ring().len(), problem: self.watch().problem.clone() }
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_again(&self) {
        let read = read(&self.path, &self.expected);
        let mut watch = self.watch();
        match read {
            Ok((seen, ring)) => {
                if watch.problem.take().is_some() || watch.seen != Some(seen) {
                    log::info!("{} was read again: {} keys are in force", self.path.display(), ring.len());
                }
                watch.seen = Some(seen);
                *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
            }
            Err(error) => {
                let problem = error.to_string();
                if watch.problem.as_ref() != Some(&problem) {
                    let path = self.path.display();
                    log::error!("the keys of {path} stay as they were, because the file {problem}");
                }
                watch.seen = None;
                watch.problem = Some(problem);
            }
        }
    }
}

/// Reads the keys. The fingerprint is taken before the content, so that a change in between is noticed the next
/// time.
fn read(path: &Path, expected: &Expected) -> Result<(Fingerprint, KeyRing), JwksError> {
    // Checked before it is opened, because opening a pipe would wait for somebody to write into it.
    if !std::fs::metadata(path)?.is_file() {
        return Err(JwksError::NoFile);
    }
    let file = File::open(path)?;
    let fingerprint = Fingerprint::from(&file.metadata()?);
    let mut text = Vec::new();
    file.take(JWKS_BYTES_MAX + 1).read_to_end(&mut text)?;
    if text.len() as u64 > JWKS_BYTES_MAX {
        return Err(JwksError::TooLarge);
    }
    let found = jwks::parse(&text)?;
    for reason in &found.left_out {
        log::warn!("{}: {reason}", path.display());
    }
    Ok((fingerprint, KeyRing::named(found.keys, expected)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(kid: &str) -> String {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"{x}"}}]}}"#)
    }

    fn knows(file: &KeyFile, kid: &str) -> bool {
        use crate::auth::keys::KeyMatch;
        matches!(file.ring().find(Some(kid), jsonwebtoken::Algorithm::EdDSA), KeyMatch::Key(..))
    }

    #[test]
    fn a_broken_file_keeps_the_last_good_keys_and_says_why_until_it_is_mended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        std::fs::write(&path, set("a")).unwrap();
        let file = KeyFile::open(&path, Expected::default()).unwrap();
        let too_large = " ".repeat(usize::try_from(JWKS_BYTES_MAX).unwrap() + 1);
        for (broken, problem) in [
            ("{", "is not valid JSON"),
            (r#"{"keys":[]}"#, "has no key"),
            (too_large.as_str(), "has more than 262144 bytes"),
        ] {
            std::fs::write(&path, broken).unwrap();
            file.look();
            let state = file.state();
            assert!(state.problem.is_some_and(|said| said.contains(problem)), "{problem}");
            assert!(knows(&file, "a"));
        }
        std::fs::remove_file(&path).unwrap();
        file.look();
        assert!(file.state().problem.unwrap().contains("cannot be read"));
        std::fs::create_dir(&path).unwrap();
        file.look();
        assert_eq!(file.state().problem.unwrap(), "is not a regular file");
        std::fs::remove_dir(&path).unwrap();
        std::fs::write(&path, set("b")).unwrap();
        file.look();
        assert_eq!(file.state(), KeyState { keys: 1, problem: None });
        assert!(knows(&file, "b") && !knows(&file, "a"));
    }

    #[test]
    fn a_file_of_the_largest_size_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let padding = usize::try_from(JWKS_BYTES_MAX).unwrap() - set("a").len();
        std::fs::write(&path, set("a") + &" ".repeat(padding)).unwrap();
        assert!(KeyFile::open(&path, Expected::default()).is_ok());
    }

    #[test]
    fn unknown_names_make_the_file_be_read_once_per_interval() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        std::fs::write(&path, set("a")).unwrap();
        let file = KeyFile::open(&path, Expected::default()).unwrap();
        let now = Instant::now();
        std::fs::write(&path, set("b")).unwrap();
        assert!(file.look_for_unknown_name(now) && knows(&file, "b"));
        std::fs::write(&path, set("c")).unwrap();
        assert!(!file.look_for_unknown_name(now + UNKNOWN_NAME_INTERVAL / 2) && !knows(&file, "c"));
        assert!(file.look_for_unknown_name(now + UNKNOWN_NAME_INTERVAL) && knows(&file, "c"));
    }
}
