//! `/settings`: what an admin edits while the hub runs.

use actix_web::http::header::{ETAG, HeaderMap, IF_MATCH};
use actix_web::{CustomizeResponder, HttpRequest, Responder};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{RefOr, Required, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::Answer;
use super::settings_fields;
use crate::domain::{Seq, TeamSettings};
use crate::http::caller::{Admin, Caller, UserState};
use crate::http::error::ApiError;
use crate::http::extract::{Content, RequestBody};
use crate::http::question::{Nothing, QueryString, parameter};
use crate::http::route::{Call, routes};
use crate::http::state::EdgeState;
use crate::http::values::string;
use crate::http::webhook::{record_of, store};
use crate::hub::AckStatus;
use crate::journal::{Payload, SettingsChange, own_id};
use crate::protocol::shapes::NamedShape;
use crate::protocol::{Mask, SettingsShape};
use crate::reads::GetSettings;

/// The suffixes that compressing proxies add to an entity tag, after a hyphen.
const ENCODINGS: [&str; 4] = ["gzip", "br", "zstd", "deflate"];
/// What the header `ETag` contains, for the description.
const ETAG_ABOUT: &str = "The position at which they were saved, in quotation marks.";

routes! {
    /// The settings in force: business hours, holidays, the thresholds of alerts, and when a chat is idle.
    /// `ETag` is `"SEQ"`, or `"0"` while nobody has saved any.
    get "/settings" => get, "getSettings", header(200, "ETag", String::schema(), ETAG_ABOUT);
    /// Replaces all settings. Every screen is told, and alerts follow the new thresholds. With `If-Match`, this
    /// only happens where nobody has saved others meanwhile.
    write(PUT) "/settings" => put, "putSettings",
        parameters([if_match()]),
        header(200, "ETag", String::schema(), ETAG_ABOUT),
        refuses(400, "Nothing was saved; the error names every wrong field."),
        refuses(412, "Other settings were saved meanwhile; nothing was saved.");
}

/// The header that names the settings from which the new ones were made.
fn if_match() -> Parameter {
    let about = "The `ETag` of the settings that these are made from, as a proxy may have weakened it; several, or `*`. \
        Left out: whatever was saved is replaced.";
    let tags = string().schema_type(SchemaType::from_iter([Type::String, Type::Null]));
    parameter(ParameterIn::Header, "If-Match", about, tags, Required::False)
}

impl Content for TeamSettings {
    /// Largest body, in bytes: enough for a thousand sectors and as many holidays.
    const BYTES_MAX: usize = 256 * 1024;

    fn read(bytes: &[u8], state: &EdgeState) -> Result<Self, ApiError> {
        settings_fields::read(bytes, &state.settings.time_zone)
    }

    fn schema(call: &mut Call) -> RefOr<Schema> {
        // Its parts are described together with it.
        call.schema::<Self>();
        call.named("SettingsRequest", settings_fields::described())
    }
}

/// The settings that are in force.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SettingsAnswer {
    settings: SettingsShape,
    /// The position at which they were saved; `null` while nobody has saved any.
    seq: Option<i64>,
    /// When they were saved; `null` while nobody has saved any.
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Timestamp>,
    /// Who saved them; `null` while nobody has saved any.
    updated_by: Option<NamedShape>,
}

/// The answer, with its position as the entity tag.
type Tagged = CustomizeResponder<Answer<SettingsAnswer>>;

async fn get(caller: Caller, _: QueryString<Nothing>, state: UserState) -> Result<Tagged, ApiError> {
    in_force(&state, &caller).await.map(tagged)
}

async fn put(
    Admin(caller): Admin,
    _: QueryString<Nothing>,
    request: HttpRequest,
    RequestBody(values): RequestBody<TeamSettings>,
    state: UserState,
) -> Result<Tagged, ApiError> {
    let settings = SettingsShape { time_zone: state.settings.time_zone.clone(), values };
    let change = SettingsChange { settings, only_after: only_after(request.headers()), by: caller.named() };
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

/// The positions that `If-Match` names (RFC 9110, section 13.1.1): a list of entity tags, or `*` for whatever
/// is saved, which is `None`. A tag that is not a position matches nothing. Where no tag matches, the answer is
/// 412.
///
/// Tags are compared weakly, although RFC 9110 asks for a strong comparison. A proxy that compresses answers
/// makes `W/"12"` or `"12-gzip"` of `"12"`, and a form that sends that back has still read position 12. The
/// position stands for what was saved, and not for the bytes of an answer.
fn only_after(headers: &HeaderMap) -> Option<Vec<Seq>> {
    let mut values = headers.get_all(IF_MATCH).map(|value| value.to_str().unwrap_or_default()).peekable();
    values.peek()?;
    let list = values.collect::<Vec<_>>().join(",");
    (list.trim() != "*").then(|| opaque_tags(&list).filter_map(position_of).collect())
}

/// The text between the quotation marks of each tag.
fn opaque_tags(list: &str) -> impl Iterator<Item = &str> {
    // Every second piece is quoted. A last one that is not closed is dropped.
    let pieces: Vec<&str> = list.split('"').collect();
    let closed = pieces.len().saturating_sub(1);
    pieces.into_iter().take(closed).skip(1).step_by(2)
}

/// `12`, with or without the name of an encoding after it.
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
