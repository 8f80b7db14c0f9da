//! Sets up the link to Umbler's API from its settings.

use std::sync::Arc;
use std::time::Duration;

use actix::Addr;

use super::{StartError, tls};
use crate::auth::Secret;
use crate::cluster::duties::Duties;
use crate::config::{Config, UmblerApi};
use crate::domain::calendar::Calendar;
use crate::http::link::{LinkHandle, TokenSource};
use crate::hub::UmblerHub;
use crate::link::client::Access;
use crate::link::token::{self, TokenStore};
use crate::link::{LinkSettings, Sending};
use crate::reads::Readers;
use crate::telemetry::metrics::Metrics;

/// The settings of the link, for the hub and for `umbler-hub check --umbler`.
pub fn settings(api: &UmblerApi, token: Secret, default_hours: Calendar) -> Result<LinkSettings, String> {
    let access =
        Access { url: api.url.clone(), token, tls: tls::config(&api.url)?, per_5_seconds: api.per_5_seconds };
    Ok(LinkSettings {
        access,
        organization: api.organization.clone(),
        dialect: api.dialect.clone(),
        webhook_url: api.webhook_url.clone(),
        sweep_every: Duration::from_secs(api.reconcile_seconds),
        sending: api
            .sending
            .as_ref()
            .map(|rules| Sending { look_for: Duration::from_secs(rules.look_seconds) }),
        backfill_days: api.backfill_days,
        silence: Duration::from_secs(api.silence_seconds),
        default_hours,
    })
}

/// Starts the link if there is a token, or once an admin has entered one.
pub(super) fn start(
    config: &Config,
    default_hours: Calendar,
    hub: &Addr<UmblerHub>,
    readers: &Readers,
    handle: &LinkHandle,
    metrics: &Metrics,
    duties: &Duties,
) -> Result<(), StartError> {
    let Some(api) = &config.link else { return Ok(()) };
    let settings = match settings(api, Secret::new(""), default_hours) {
        Ok(settings) => settings,
        // Without a token nobody needs the API, so that a machine without certificates can run a hub.
        Err(error) if api.token.is_none() => {
            log::warn!("Umbler's API cannot be asked: {error}");
            return Ok(());
        }
        Err(error) => return Err(StartError::Link(error)),
    };
    let path = token::path_for(&config.database_path);
    let stored = match (&api.token, token::read(&path)) {
        (Some(_), _) => None,
        (None, Ok(stored)) => stored,
        (None, Err(error)) => {
            log::error!("{} cannot be read, so the link to Umbler's API is off: {error}", path.display());
            None
        }
    };
    let (readers, metrics) = (readers.clone(), metrics.clone());
    let store =
        TokenStore::new(settings, path, hub.clone(), readers, handle.clone(), metrics, duties.clone());
    if let Some(token) = &api.token {
        store.start(token.clone(), TokenSource::Environment)?;
    } else if let Some(token) = stored {
        store.start(token, TokenSource::Stored)?;
    }
    handle.kept_by(Arc::new(store));
    Ok(())
}
