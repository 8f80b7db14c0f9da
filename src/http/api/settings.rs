//! `/settings`: what an admin edits while the hub runs.

use actix_web::http::header::{ETAG, HeaderMap, IF_MATCH};
use actix_web::{CustomizeResponder, HttpRequest, Responder, web};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Answer;
use super::params::Params;
use super::settings_fields::{self, SettingsRequest};
use crate::domain::Seq;
use crate::http::body;
use crate::http::caller::Caller;
use crate::http::caller::UserState;
use crate::http::error::{ApiError, BodyRefusals, CallRefusals, ErrorBody};
use crate::http::webhook::{record_of, store};
use crate::hub::AckStatus;
use crate::journal::{Payload, SettingsChange, own_id};
use crate::protocol::shapes::NamedShape;
use crate::protocol::{Mask, SettingsShape};
use crate::reads::GetSettings;

/// Largest body, in bytes: a thousand sectors and as many holidays.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// What proxies that compress append to an entity tag, after a hyphen.
const ENCODINGS: [&str; 4] = ["gzip", "br", "zstd", "deflate"];

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

/// The answer, with its position as the entity tag.
type Tagged = CustomizeResponder<Answer<SettingsAnswer>>;

/// The settings in force: business hours, holidays, the thresholds of alerts, and what is idle.
///
/// `ETag` is `"SEQ"`, and `"0"` while nobody saved any.
#[utoipa::path(
    get,
    path = "/api/umbler/settings",
    operation_id = "getSettings",
    tag = "umbler",
    security(("bearer" = [])),
    responses(
        (
            status = 200,
            body = SettingsAnswer,
            headers(("ETag" = String, description = "The position at which they were saved, quoted.")),
        ),
        CallRefusals,
    ),
)]
pub async fn get(caller: Caller, request: HttpRequest, state: UserState) -> Result<Tagged, ApiError> {
    Params::read(request.query_string())?.finish()?;
    in_force(&state, &caller).await.map(tagged)
}

/// Replaces all of the settings. Every screen is told, and alerts follow the thresholds from then on. With `If-Match`, only
/// where nobody saved others meanwhile.
#[utoipa::path(
    put,
    path = "/api/umbler/settings",
    operation_id = "putSettings",
    tag = "umbler",
    security(("bearer" = [])),
    params(("If-Match" = Option<String>, Header, description = "The `ETag` of the settings that these are made from, as a \
        proxy may have weakened it; several, or `*`. Left out: whatever was saved is replaced.")),
    request_body(content = SettingsRequest, content_type = "application/json", description = "At most 256 KiB."),
    responses(
        (
            status = 200,
            description = "Durable.",
            body = SettingsAnswer,
            headers(("ETag" = String, description = "The position at which they were saved, quoted.")),
        ),
        CallRefusals,
        BodyRefusals,
        (status = 400, description = "Nothing was saved; the error names every wrong field.", body = ErrorBody),
        (status = 403, description = "The token is no admin's.", body = ErrorBody),
        (status = 412, description = "Others were saved meanwhile; nothing was saved.", body = ErrorBody),
    ),
)]
pub async fn put(
    caller: Caller,
    request: HttpRequest,
    payload: web::Payload,
    state: UserState,
) -> Result<Tagged, ApiError> {
    caller.require_admin("settings are changed by admins")?;
    Params::read(request.query_string())?.finish()?;
    let only_after = only_after(request.headers());
    let body = body::read(&request, payload, BODY_BYTES_MAX, &state).await?.bytes;
    let values = settings_fields::read(&body, &state.settings.time_zone)?;
    let settings = SettingsShape { time_zone: state.settings.time_zone.clone(), values };
    let change = SettingsChange { settings, only_after, by: caller.named() };
    let record = record_of(&caller, Payload::Settings(Box::new(change)), Some(own_id("settings")))?;
    let ack = store(&state, record).await?;
    if ack.status == AckStatus::Ignored {
        return Err(ApiError::SettingsChanged);
    }
    in_force(&state, &caller).await.map(tagged)
}

fn tagged(answer: SettingsAnswer) -> Tagged {
    let tag = format!("\"{}\"", answer.seq.unwrap_or(0));
    Answer(answer).customize().insert_header((ETAG, tag))
}

/// The positions that `If-Match` names (RFC 9110, 13.1.1): a list of entity tags, or `*` for whatever is saved, which is
/// `None`. A tag that names no position matches nothing, and where none matches the answer is 412.
///
/// Tags are compared weakly, although RFC 9110 asks for a strong comparison. A proxy that compresses answers makes
/// `W/"12"` or `"12-gzip"` of `"12"`, and a form that sends that back has still read position 12: the position stands for
/// what was saved, not for the bytes of an answer.
fn only_after(headers: &HeaderMap) -> Option<Vec<Seq>> {
    let mut values = headers.get_all(IF_MATCH).map(|value| value.to_str().unwrap_or_default()).peekable();
    values.peek()?;
    let list = values.collect::<Vec<_>>().join(",");
    (list.trim() != "*").then(|| opaque_tags(&list).filter_map(position_of).collect())
}

/// What stands between the quotation marks of each tag.
fn opaque_tags(list: &str) -> impl Iterator<Item = &str> {
    // Every second piece is quoted; a last one that is not closed is none.
    let pieces: Vec<&str> = list.split('"').collect();
    let closed = pieces.len().saturating_sub(1);
    pieces.into_iter().take(closed).skip(1).step_by(2)
}

/// `12`, with or without the name of an encoding behind it.
fn position_of(tag: &str) -> Option<Seq> {
    let without = |encoding: &&str| tag.strip_suffix(*encoding)?.strip_suffix('-');
    let position = ENCODINGS.iter().find_map(without).unwrap_or(tag);
    let is_plain = position.bytes().all(|byte| byte.is_ascii_digit());
    position.parse().ok().filter(|_| is_plain).map(Seq)
}

async fn in_force(state: &UserState, caller: &Caller) -> Result<SettingsAnswer, ApiError> {
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
