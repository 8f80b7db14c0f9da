//! `GET /api/umbler/stream`: the session as an event stream, for networks that let no WebSocket through.

use actix_web::http::header::{CACHE_CONTROL, HeaderMap, HeaderName};
use actix_web::{HttpRequest, HttpResponse, web};

use super::api::params::Params;
use super::caller::Caller;
use super::error::{ApiError, ErrorBody};
use super::origin;
use super::state::{EdgeState, stopping};
use crate::protocol::request::{CHANNELS_PER_REQUEST_MAX, SNAPSHOT_ITEMS_MAX};
use crate::protocol::{Channel, SnapshotLimits, SubscribeRequest};
use crate::session::stream::{self, StreamRequest};

/// Where a client's event source tells what it had last: `EPOCH:SEQ`.
pub const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Tells nginx not to hold the stream back.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Opens an event stream. Its `data:` lines are the envelopes of the socket.
#[utoipa::path(
    get,
    path = "/api/umbler/stream",
    tag = "umbler",
    security(("bearer" = [])),
    params(
        ("channels" = Option<String>, Query, description = "What to follow, comma separated; `updates`."),
        ("since" = Option<i64>, Query, minimum = 0, description = "The last position that the client has."),
        ("epoch" = Option<String>, Query, description = "The life of the journal that `since` belongs to."),
        ("scope" = Option<String>, Query, description = "The scope the client had then."),
        ("contacts" = Option<u32>, Query, maximum = 200, description = "Contacts in the snapshot; 50."),
        ("chats" = Option<u32>, Query, maximum = 200, description = "Chats in the snapshot; 200."),
        ("messages" = Option<u32>, Query, maximum = 200, description = "Messages in the snapshot; 50."),
        ("Last-Event-ID" = Option<String>, Header, description = "`EPOCH:SEQ`; wins over `since` and `epoch`."),
    ),
    responses(
        (status = 200, description = "The stream.", content_type = "text/event-stream", body = String),
        (status = 400, description = "A parameter is wrong; the error names it.", body = ErrorBody),
        (status = 401, description = "No valid token.", body = ErrorBody),
        (status = 403, description = "A channel that the token does not allow, or a foreign page.", body = ErrorBody),
        (status = 429, description = "Too many connects.", body = ErrorBody),
    ),
)]
pub async fn open(
    caller: Caller,
    request: HttpRequest,
    state: web::Data<EdgeState>,
) -> Result<HttpResponse, ApiError> {
    if state.is_draining() {
        return Err(stopping());
    }
    let address = state.client_address(&request);
    state.connect_limiter.check(address)?;
    origin::check(&request, &state.settings.origins)?;
    let asked = read(&request)?;
    if let Some(channel) = caller.identity.forbidden_channel(&asked.subscribe.channels) {
        log::debug!("a stream asked for {channel}");
        return Err(ApiError::Forbidden("the token does not allow one of the channels"));
    }
    let body = stream::open(state.seat(address), caller.identity, asked);
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((ACCEL_BUFFERING, "no"))
        .streaming(body))
}

fn read(request: &HttpRequest) -> Result<StreamRequest, ApiError> {
    let mut params = Params::read(request.query_string())?;
    let channels = params.take("channels", channels)?.unwrap_or_else(|| vec![Channel::Updates]);
    let mut since: Option<i64> = params.number("since", 0, i64::MAX)?;
    let mut epoch = params.id("epoch")?;
    if let Some((last_epoch, last_seq)) = last_event(request.headers())? {
        (since, epoch) = (Some(last_seq), Some(last_epoch));
    }
    if since.is_some() && epoch.is_none() {
        return Err(ApiError::parameter("epoch", "is missing: since is a position in one epoch"));
    }
    let scope = params.id("scope")?;
    let default = SnapshotLimits::default();
    let mut limit = |name, default| -> Result<u32, ApiError> {
        Ok(params.number(name, 0, SNAPSHOT_ITEMS_MAX)?.unwrap_or(default))
    };
    let (contacts, chats) = (limit("contacts", default.contacts)?, limit("chats", default.chats)?);
    let messages = limit("messages", default.messages)?;
    params.finish()?;
    Ok(StreamRequest {
        subscribe: SubscribeRequest { channels, since, epoch, scope, replay: None },
        limits: SnapshotLimits { contacts, chats, messages },
    })
}

fn channels(names: &str) -> Result<Vec<Channel>, String> {
    let mut channels = Vec::new();
    for name in names.split(',') {
        let channel = Channel::parse(name).map_err(|error| error.to_string())?;
        if !channels.contains(&channel) {
            channels.push(channel);
        }
    }
    if channels.len() > CHANNELS_PER_REQUEST_MAX {
        return Err(format!("must name 1 to {CHANNELS_PER_REQUEST_MAX} channels"));
    }
    Ok(channels)
}

fn last_event(headers: &HeaderMap) -> Result<Option<(String, i64)>, ApiError> {
    let Some(value) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    let parsed = value.to_str().ok().and_then(|text| {
        let (epoch, seq) = text.split_once(':')?;
        let seq = seq.parse().ok().filter(|seq| *seq >= 0)?;
        Some((epoch.to_owned(), seq))
    });
    parsed.map(Some).ok_or_else(|| ApiError::parameter("Last-Event-ID", "must be EPOCH:SEQ"))
}
