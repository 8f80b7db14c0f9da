//! `GET /api/umbler/stream`: the session as an event stream, for networks that let no WebSocket through.

use actix_web::http::header::{CACHE_CONTROL, HeaderMap, HeaderName};
use actix_web::{HttpRequest, HttpResponse, web};

use super::api::described::{header, id, number, of_form, parameters};
use super::api::params::Params;
use super::caller::Caller;
use super::error::{ApiError, CallRefusals, ErrorBody};
use super::origin;
use super::state::{EdgeState, stopping};
use crate::protocol::channel::CHANNEL_FORM;
use crate::protocol::request::{CHANNELS_PER_REQUEST_MAX, SNAPSHOT_ITEMS_MAX};
use crate::protocol::{Channel, SnapshotLimits, SubscribeRequest};
use crate::session::stream::{self, StreamRequest};

/// Where a client's event source tells what it had last: `EPOCH:SEQ`.
pub const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Tells nginx not to hold the stream back.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

parameters! {
    /// What is followed from where on, and how much of what there is comes first.
    Followed:
        of_form("channels", "What to follow, comma separated, at most 100; `updates`.", &list_of_channels()),
        number("since", "The last position that the client has. Not without `epoch`.", 0, i64::MAX),
        id("epoch", "The life of the journal that `since` belongs to."),
        id("scope", "The scope the client had then."),
        number("contacts", "Contacts in the snapshot; 50.", 0, SNAPSHOT_ITEMS_MAX),
        number("chats", "Chats in the snapshot; 200.", 0, SNAPSHOT_ITEMS_MAX),
        number("messages", "Messages in the snapshot; 50.", 0, SNAPSHOT_ITEMS_MAX),
        header("Last-Event-ID", "`EPOCH:SEQ`; wins over `since` and `epoch`.", "^[^:]+:[0-9]+$");
}

/// The form of a list of channels: an id in it has no comma.
fn list_of_channels() -> String {
    let name = CHANNEL_FORM.replace(r"[\s\S]", "[^,]");
    format!("^{name}(,{name})*$")
}

/// Opens an event stream. Its `data:` lines are the envelopes of the socket.
#[utoipa::path(
    get,
    path = "/api/umbler/stream",
    operation_id = "openStream",
    tag = "umbler",
    security(("bearer" = [])),
    params(Followed),
    responses(
        (status = 200, description = "The stream.", content_type = "text/event-stream", body = String),
        CallRefusals,
        (status = 403, description = "A channel that the token does not allow, or a foreign page.", body = ErrorBody),
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
