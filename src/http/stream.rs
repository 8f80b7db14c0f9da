//! `GET /api/umbler/stream`: the session as an event stream, for networks that let no WebSocket through.

use actix_web::http::header::{CACHE_CONTROL, HeaderMap, HeaderName};
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::PartialSchema;
use utoipa::openapi::Required;
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::schema::ObjectBuilder;

use super::caller::Caller;
use super::error::ApiError;
use super::origin;
use super::question::{QueryString, Value, parameter, question};
use super::route::Routes;
use super::state::{EdgeState, stopping};
use super::values::{Id, string};
use crate::protocol::channel::CHANNEL_FORM;
use crate::protocol::request::{CHANNELS_PER_REQUEST_MAX, SNAPSHOT_ITEMS_MAX};
use crate::protocol::{Channel, SnapshotLimits, SubscribeRequest};
use crate::session::noting::Shown;
use crate::session::stream::{self, StreamRequest};

/// In this header a browser's `EventSource` names the last event that it got: `EPOCH:SEQ`.
pub const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const ROUTE: &str = "/api/umbler/stream";
/// The pattern of its value.
const LAST_EVENT_FORM: &str = "^[^:]+:[0-9]+$";
/// Tells nginx not to buffer the stream.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

question! {
    /// What to follow from which position on, and how large the snapshot is.
    struct StreamQuestion {
        /// The channels to follow, comma separated, at most 100. `updates` where it is left out.
        channels: ChannelNames = ChannelNames(vec![Channel::Updates]),
        /// The last position that the client has. Needs `epoch`.
        since: Option<i64> [0..=i64::MAX],
        /// The epoch of the journal that `since` belongs to.
        epoch: Option<Id>,
        /// The hash of the scope that the client had at `since`.
        scope: Option<Id>,
        /// Most contacts in the snapshot.
        contacts: u32 [0..=SNAPSHOT_ITEMS_MAX] = SnapshotLimits::default().contacts,
        /// Most chats in the snapshot.
        chats: u32 [0..=SNAPSHOT_ITEMS_MAX] = SnapshotLimits::default().chats,
        /// Most messages in the snapshot.
        messages: u32 [0..=SNAPSHOT_ITEMS_MAX] = SnapshotLimits::default().messages,
    }
}

/// The route of the event stream.
pub fn routes() -> Routes {
    let mut routes = Routes::under("");
    let last = string().pattern(Some(LAST_EVENT_FORM));
    let about = "`EPOCH:SEQ`. It is used instead of `since` and `epoch`.";
    routes
        .tagged("umbler")
        .get_only(
            ROUTE,
            open,
            "openStream",
            "Opens an event stream. Its `data:` lines are the same envelopes as on the socket.",
        )
        .parameters([parameter(ParameterIn::Header, "Last-Event-ID", about, last, Required::False)])
        .answers_with(200, "text/event-stream", String::schema())
        .refuses(403, "The token does not allow a channel, or the page is of another site.");
    routes
}

/// Names of channels, comma separated, each once.
#[derive(Debug)]
struct ChannelNames(Vec<Channel>);

impl Value for ChannelNames {
    fn read(text: &str) -> Result<Self, String> {
        channels(text).map(Self)
    }

    fn schema() -> ObjectBuilder {
        string().pattern(Some(list_of_channels()))
    }
}

/// The pattern of a list of channels, whose ids contain no comma.
fn list_of_channels() -> String {
    let name = CHANNEL_FORM.replace(r"[\s\S]", "[^,]");
    format!("^{name}(,{name})*$")
}

async fn open(
    caller: Caller,
    request: HttpRequest,
    asked: QueryString<StreamQuestion>,
    state: web::Data<EdgeState>,
) -> Result<HttpResponse, ApiError> {
    if state.is_draining() {
        return Err(stopping());
    }
    let address = state.client_address(&request);
    state.connect_limiter.check(address)?;
    origin::check(&request, &state.settings.origins)?;
    let asked = read(asked.0, request.headers())?;
    if let Some(channel) = caller.identity.forbidden_channel(&asked.subscribe.channels) {
        log::debug!("a stream asked for {channel}");
        return Err(ApiError::Forbidden("the token does not allow one of the channels"));
    }
    let shown = Shown { log: &state.reads.log, identity: &caller.identity, route: ROUTE };
    shown.channels(&asked.subscribe.channels);
    shown.snapshot(asked.limits);
    let body = stream::open(state.session_context(address), caller.identity, asked);
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((ACCEL_BUFFERING, "no"))
        .streaming(body))
}

fn read(question: StreamQuestion, headers: &HeaderMap) -> Result<StreamRequest, ApiError> {
    let StreamQuestion { channels, mut since, epoch, scope, contacts, chats, messages } = question;
    let mut epoch = epoch.map(String::from);
    if let Some((last_epoch, last_seq)) = last_event(headers)? {
        (since, epoch) = (Some(last_seq), Some(last_epoch));
    }
    if since.is_some() && epoch.is_none() {
        return Err(ApiError::parameter("epoch", "is missing: since is a position in one epoch"));
    }
    let scope = scope.map(Into::into);
    Ok(StreamRequest {
        subscribe: SubscribeRequest { channels: channels.0, since, epoch, scope, replay: None },
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
