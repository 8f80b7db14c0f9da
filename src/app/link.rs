//! Sets up the link to Umbler's API from its settings.

use std::time::Duration;

use actix::Addr;

use super::{StartError, tls};
use crate::config::UmblerApi;
use crate::domain::calendar::Calendar;
use crate::http::link::LinkHandle;
use crate::hub::UmblerHub;
use crate::link::client::Access;
use crate::link::{self, LinkSettings, Sending};
use crate::reads::Readers;
use crate::telemetry::metrics::Metrics;

/// The settings of the link, for the hub and for `umbler-hub check --umbler`.
pub fn settings(api: &UmblerApi, default_hours: Calendar) -> Result<LinkSettings, String> {
    let access = Access {
        url: api.url.clone(),
        token: api.token.clone(),
        tls: tls::config(&api.url)?,
        per_5_seconds: api.per_5_seconds,
    };
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

/// Starts the link if there is a token.
pub(super) fn start(
    api: Option<&UmblerApi>,
    default_hours: Calendar,
    hub: &Addr<UmblerHub>,
    readers: &Readers,
    handle: &LinkHandle,
    metrics: &Metrics,
) -> Result<(), StartError> {
    let Some(api) = api else { return Ok(()) };
    let settings = settings(api, default_hours).map_err(StartError::Link)?;
    link::start(settings, hub.clone(), readers.clone(), handle.clone(), metrics.clone())?;
    Ok(())
}
