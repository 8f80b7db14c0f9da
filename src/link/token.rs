//! The API token that an admin entered on the dashboard: tested against the API, kept in a file beside the database, and never
//! shown again.
//!
//! # Contract
//!
//! 1. A token that Umbler refuses is not stored.
//! 2. The file can be read by its owner alone, and is no part of a backup.
//! 3. A token of the environment wins: then none can be entered.
//! 4. A token that replaces another one is used from the next request on.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use actix::Addr;

use super::client::Client;
use super::fault::LinkError;
use super::{LinkSettings, register, start_on_duty};
use crate::auth::Secret;
use crate::cluster::duties::Duties;
use crate::http::link::{AdoptError, LinkHandle, LinkKeeper, RegisterError, TokenSource};
use crate::hub::UmblerHub;
use crate::reads::Readers;
use crate::sqlite::private::{InMaking, tighten};
use crate::telemetry::metrics::Metrics;
use crate::umbler::api::Me;
use crate::umbler::api::routes::me;

/// What the name of the file adds to that of the database.
const SUFFIX: &str = ".umbler-token";
/// The longest token that is read from the file, in bytes.
const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// The path of the file for a database.
pub fn path_for(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(SUFFIX);
    PathBuf::from(name)
}

/// Reads the token that an admin entered; `None`: there is none.
pub fn read(path: &Path) -> io::Result<Option<Secret>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    tighten(path);
    let token = text.trim();
    let is_token = !token.is_empty() && token.len() <= TOKEN_BYTES_MAX;
    Ok(is_token.then(|| Secret::new(token)))
}

fn write(path: &Path, token: &Secret) -> io::Result<()> {
    let making = InMaking::begin(path)?;
    let mut file = File::options().write(true).open(making.path())?;
    file.write_all(token.expose().as_bytes())?;
    file.sync_all()?;
    making.move_to(path)
}

/// Starts the link, now or once an admin has entered a token.
pub struct TokenStore {
    /// All but the token, which is empty here.
    settings: LinkSettings,
    path: PathBuf,
    hub: Addr<UmblerHub>,
    readers: Readers,
    handle: LinkHandle,
    metrics: Metrics,
    duties: Duties,
    running: Mutex<Option<Running>>,
    /// Held while an admin's request is carried out, so that two admins do not create two webhooks. Nobody waits for it: whoever
    /// waits holds a thread that large deliveries need, and the API may take long to answer.
    acting: Mutex<()>,
}

/// The link that was started.
#[derive(Clone)]
struct Running {
    source: TokenSource,
    client: Client,
}

impl TokenStore {
    pub fn new(
        settings: LinkSettings,
        path: PathBuf,
        hub: Addr<UmblerHub>,
        readers: Readers,
        handle: LinkHandle,
        metrics: Metrics,
        duties: Duties,
    ) -> Self {
        let (running, acting) = (Mutex::default(), Mutex::default());
        Self { settings, path, hub, readers, handle, metrics, duties, running, acting }
    }

    /// Starts the link with a token of this source.
    pub fn start(&self, token: Secret, source: TokenSource) -> io::Result<()> {
        let settings = self.with(token);
        let client = Client::new(settings.access.clone(), self.handle.clone(), self.metrics.clone());
        let (hub, readers, handle) = (self.hub.clone(), self.readers.clone(), self.handle.clone());
        let (metrics, duties) = (self.metrics.clone(), self.duties.clone());
        start_on_duty(settings, &client, hub, readers, handle, metrics, duties)?;
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(Running { source, client });
        Ok(())
    }

    /// Begins to carry out an admin's request; an error says that another one is being carried out.
    fn begin_acting(&self) -> Result<MutexGuard<'_, ()>, String> {
        match self.acting.try_lock() {
            Ok(acting) => Ok(acting),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {
                Err("another request of an admin is being carried out".to_owned())
            }
        }
    }

    fn running(&self) -> Option<Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn with(&self, token: Secret) -> LinkSettings {
        let mut settings = self.settings.clone();
        settings.access.token = token;
        settings
    }
}

impl LinkKeeper for TokenStore {
    fn source(&self) -> Option<TokenSource> {
        self.running().map(|running| running.source)
    }

    fn adopt(&self, token: Secret) -> Result<bool, AdoptError> {
        let _acting = self.begin_acting().map_err(AdoptError::Unreachable)?;
        let running = self.running();
        if running.as_ref().is_some_and(|running| running.source == TokenSource::Environment) {
            return Err(AdoptError::Environment);
        }
        let access = self.with(token.clone()).access;
        let mut client = Client::new(access, self.handle.clone(), self.metrics.clone());
        client.ask_briefly(&me(), Me::read).map_err(|error| match error {
            LinkError::NotAllowed(_) => AdoptError::Refused,
            LinkError::Refused { .. }
            | LinkError::Unreachable { .. }
            | LinkError::Misled { .. }
            | LinkError::Undecided(_)
            | LinkError::Hub(_)
            | LinkError::Panicked(_)
            | LinkError::Stopping => AdoptError::Unreachable(error.to_string()),
        })?;
        let unwritable = |error: io::Error| AdoptError::Unwritable(error.to_string());
        write(&self.path, &token).map_err(unwritable)?;
        if let Some(running) = running {
            running.client.authorization().replace(&token);
            // What the old token was refused is asked with the new one.
            self.handle.request_recheck();
            return Ok(false);
        }
        self.start(token, TokenSource::Stored).map_err(unwritable)?;
        Ok(true)
    }

    fn register_webhook(&self, secret: Option<&Secret>) -> Result<Vec<String>, RegisterError> {
        let _acting = self.begin_acting().map_err(RegisterError::Unreachable)?;
        let Running { mut client, .. } = self.running().ok_or(RegisterError::NotLinked)?;
        let lines = register::register(&mut client, &self.settings, secret)?;
        self.handle.request_recheck();
        Ok(lines)
    }
}
