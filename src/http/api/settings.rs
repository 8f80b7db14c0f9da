//! `/settings`: what an admin edits while the hub runs.

use actix_web::{HttpRequest, web};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Answer;
use super::params::Params;
use super::settings_fields::{self, SettingsRequest};
use crate::archive::GetSettings;
use crate::domain::EventId;
use crate::http::body;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::state::EdgeState;
use crate::http::webhook::{compress, store};
use crate::hub::{SettingsChange, Submission};
use crate::protocol::shapes::NamedShape;
use crate::protocol::{Mask, SettingsShape};
use crate::telemetry::clock;

/// Largest body, in bytes: a thousand sectors and as many holidays.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// The settings in force.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SettingsAnswer {
    settings: SettingsShape,
    /// The position at which they were saved; `null` while nobody saved any.
    seq: Option<i64>,
    /// When they were saved.
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Timestamp>,
    /// Who saved them.
    updated_by: Option<NamedShape>,
}

/// The settings in force: business hours, holidays and the thresholds of alerts.
#[utoipa::path(
    get,
    path = "/api/umbler/settings",
    tag = "umbler",
    security(("bearer" = [])),
    responses(
        (status = 200, body = SettingsAnswer),
        (status = 400, description = "A parameter is wrong; the error names it.", body = ErrorBody),
        (status = 401, description = "No valid token.", body = ErrorBody),
        (status = 429, description = "Too many requests.", body = ErrorBody),
    ),
)]
pub async fn get(
    caller: Caller,
    request: HttpRequest,
    state: web::Data<EdgeState>,
) -> Result<Answer<SettingsAnswer>, ApiError> {
    Params::read(request.query_string())?.finish()?;
    in_force(&state, &caller).await.map(Answer)
}

/// Replaces all of the settings. Every screen is told, and alerts follow the thresholds from then on.
#[utoipa::path(
    put,
    path = "/api/umbler/settings",
    tag = "umbler",
    security(("bearer" = [])),
    request_body(content = SettingsRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "Durable.", body = SettingsAnswer),
        (status = 400, description = "Nothing was saved; the error names every wrong field.", body = ErrorBody),
        (status = 401, description = "No valid token.", body = ErrorBody),
        (status = 403, description = "The token is no admin's.", body = ErrorBody),
        (status = 408, description = "The body came too slowly.", body = ErrorBody),
        (status = 413, description = "The body has more than 256 KiB.", body = ErrorBody),
        (status = 415, description = "The body is not declared as JSON, or encoded.", body = ErrorBody),
        (status = 429, description = "Too many requests.", body = ErrorBody),
        (status = 503, description = "Not durable: try again.", body = ErrorBody),
    ),
)]
pub async fn put(
    caller: Caller,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<EdgeState>,
) -> Result<Answer<SettingsAnswer>, ApiError> {
    caller.require_admin("settings are changed by admins")?;
    Params::read(request.query_string())?.finish()?;
    body::check_json(&request)?;
    let body = body::read(&request, payload, BODY_BYTES_MAX, &state).await?.bytes;
    let values = settings_fields::read(&body, &state.settings.time_zone)?;
    let settings = SettingsShape { time_zone: state.settings.time_zone.clone(), values };
    let text = serde_json::to_vec(&settings).map_err(|error| {
        log::error!("settings cannot be written down: {error}");
        ApiError::Internal
    })?;
    let change = SettingsChange {
        // A namespace of their own: no change may take the id of a delivery.
        id: EventId::from(format!("settings:{:032x}", rand::random::<u128>())),
        settings,
        by: caller.named(),
        raw: compress(&text)?,
        received_at: clock::now(),
    };
    store(&state, Submission::Settings(Box::new(change))).await?;
    in_force(&state, &caller).await.map(Answer)
}

async fn in_force(state: &EdgeState, caller: &Caller) -> Result<SettingsAnswer, ApiError> {
    let time_zone = state.settings.time_zone.clone();
    let Some(saved) = state.ask(GetSettings).await? else {
        let values = state.settings.default_settings.clone();
        let settings = SettingsShape { time_zone, values };
        return Ok(SettingsAnswer { settings, seq: None, updated_at: None, updated_by: None });
    };
    let mut updated_by = saved.updated_by;
    if caller.scope.is_masked() {
        updated_by.mask();
    }
    Ok(SettingsAnswer {
        settings: SettingsShape { time_zone, values: saved.settings },
        seq: Some(saved.seq.0),
        updated_at: Some(saved.updated_at),
        updated_by: Some(updated_by),
    })
}
