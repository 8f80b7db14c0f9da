//! `POST /api/umbler/webhook`: accepts deliveries, and answers once they are durable.
//!
//! # Contract
//!
//! 1. It answers 200 only for what would survive a power cut, or was stored before.
//! 2. It never limits requests: the provider pauses a webhook for good after about a hundred failures a day.
//! 3. Every wait has an end: `REQUEST_BODY_SECONDS` for the body, [`DURABLE_SECONDS_MAX`] for the disk.
//! 4. Memory is bounded: large bodies share [`LARGE_BODIES_BYTES_MAX`](super::bodies::LARGE_BODIES_BYTES_MAX).

use std::cell::RefCell;
use std::io;
use std::time::{Duration, Instant};

use actix_web::http::header::{HOST, ORIGIN};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;
use zstd::bulk::Compressor;

use super::bodies::{SHARE_SECONDS_MAX, SMALL_BODY_BYTES_MAX};
use super::body;
use super::caller::{Caller, bearer};
use super::error::{ApiError, BodyRefusals, ErrorBody};
use super::rebinding;
use super::route::Routes;
use super::state::{EdgeState, stopping};
use super::writes::Takes;
use crate::domain::EventId;
use crate::hub::{Ack, AckStatus, Ingest, IngestError, Record};
use crate::journal::entry::ZSTD_LEVEL;
use crate::journal::{Origin, Payload};
use crate::telemetry::clock;
use crate::umbler;

/// The paths that deliveries are posted to. The one with a slash at the end exists because people paste it: the
/// provider would pause a webhook that answers 404, and nobody would notice.
const PATHS: [&str; 2] = ["/api/umbler/webhook", "/api/umbler/webhook/"];
/// Largest body, in bytes, including base64 of media.
pub const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Seconds after the last byte of the body within which a delivery is durable, or refused.
pub const DURABLE_SECONDS_MAX: u64 = 4;
/// The header with the number of the provider's attempt; it repeats up to twice.
const ATTEMPT_HEADER: &str = "x-attempt";

/// The answer to a delivery.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookAnswer {
    /// What the hub did with it: `accepted`, `duplicate` or `ignored`.
    #[schema(example = "accepted")]
    status: &'static str,
    /// The `EventId` of the delivery.
    event_id: Option<String>,
    /// The position of the delivery; for a duplicate, the position of the first one. `null` where it has none, or where a
    /// hub of a cluster has stored it and its position is not known yet.
    seq: Option<i64>,
    /// Why the delivery was not understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// How a delivery may be refused.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "only described: refusals are made of `ApiError`")]
pub enum DeliveryRefusals {
    /// The body is not a JSON object.
    #[response(status = 400)]
    NoObject(ErrorBody),
    /// The secret is missing or wrong.
    #[response(status = 401, headers(("WWW-Authenticate" = String, description = "`Bearer`.")))]
    Unauthorized(ErrorBody),
    /// A page of another site posted it, where no secret is set.
    #[response(status = 403)]
    Forbidden(ErrorBody),
    /// It was not durable within 4 s, or too many are waiting. Try again.
    #[response(status = 503, headers(("Retry-After" = u64, description = "Seconds after which it is worth trying again.")))]
    Unavailable(ErrorBody),
}

pub fn routes() -> Routes {
    let mut routes = Routes::under("");
    let about = "A delivery of Umbler Talk, at most 10 MiB. `Content-Type` is ignored.";
    routes
        .tagged("webhook")
        .deliveries(
            PATHS,
            receive,
            "receiveDelivery",
            "Accepts a delivery. `/api/umbler/webhook/`, with a slash at the end, is the same address.",
        )
        .secured_by(&["webhookToken", "webhookBearer"])
        .answers::<WebhookAnswer>(200)
        .refusals::<BodyRefusals>()
        .refusals::<DeliveryRefusals>()
        .body(Takes::Json, Object::new().into(), about);
    routes
}

async fn receive(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<EdgeState>,
) -> Result<HttpResponse, ApiError> {
    let begun = Instant::now();
    let answer = take_in(&request, payload, &state).await;
    let outcome = answer.as_ref().map_or("refused", |answer| answer.status);
    state.metrics.webhook(outcome, begun.elapsed().as_secs_f64());
    state.by_minute.note(answer.is_ok(), clock::now());
    answer.map(|answer| HttpResponse::Ok().json(answer))
}

async fn take_in(
    request: &HttpRequest,
    payload: web::Payload,
    state: &EdgeState,
) -> Result<WebhookAnswer, ApiError> {
    authorize(request, state)?;
    let attempt = request.headers().get(ATTEMPT_HEADER).and_then(|value| value.to_str().ok()?.parse().ok());
    if state.is_draining() {
        return Err(stopping());
    }
    // Its share of memory is kept until the answer, because what is parsed from the body is as large as the
    // body.
    let body::Body { bytes: body, share: _share } =
        body::read(request, payload, BODY_BYTES_MAX, state).await?;
    // Parsing and compressing a large body takes milliseconds, so it gets a thread of its own.
    let record = if body.len() > SMALL_BODY_BYTES_MAX {
        let turn = state.bodies.turn(Duration::from_secs(SHARE_SECONDS_MAX)).await;
        let _turn = turn.ok_or_else(|| unavailable("too many large deliveries are being read"))?;
        web::block(move || submit(&body, attempt)).await.map_err(|_stopping| ApiError::Internal)??
    } else {
        submit(&body, attempt)?
    };
    Ok(store(state, record).await?.into())
}

/// Waits until a record is durable, at most [`DURABLE_SECONDS_MAX`].
pub async fn store(state: &EdgeState, record: Record) -> Result<Ack, ApiError> {
    store_within(state, record, Duration::from_secs(DURABLE_SECONDS_MAX)).await
}

/// Waits until a record is durable, at most as long as given.
pub async fn store_within(state: &EdgeState, record: Record, patience: Duration) -> Result<Ack, ApiError> {
    let ingest = state.hub.send(Ingest { record });
    match timeout(patience, ingest).await {
        Ok(Ok(Ok(ack))) => Ok(ack),
        Ok(Ok(Err(error))) => Err(refusal(error)),
        Ok(Err(_gone)) => Err(refusal(IngestError::Stopping)),
        Err(_elapsed) => Err(unavailable("the delivery did not become durable in time")),
    }
}

/// Compresses what is kept raw. It only fails where memory is short, which passes: the sender tries again.
fn compress(bytes: &[u8]) -> Result<Vec<u8>, ApiError> {
    // A compressor grows with its largest body and does not shrink, so those of large bodies are not kept.
    let is_small = bytes.len() <= SMALL_BODY_BYTES_MAX;
    let compressed = if is_small {
        compress_with_kept(bytes)
    } else {
        // The buffer is made for the worst case, as large as the body, and is kept until the record is durable.
        zstd::bulk::compress(bytes, ZSTD_LEVEL).map(|mut compressed| {
            compressed.shrink_to_fit();
            compressed
        })
    };
    compressed.map_err(|error| no_memory(&error))
}

/// A record of a change that a user asks for.
pub fn record_of(caller: &Caller, payload: Payload, id: Option<EventId>) -> Result<Record, ApiError> {
    let origin = Origin::User(caller.identity.sub.clone());
    Record::new(payload, id, origin, clock::now()).map_err(|error| no_memory(&error))
}

fn no_memory(error: &io::Error) -> ApiError {
    log::error!("a record could not be compressed: {error}");
    unavailable("there is not enough memory to store the delivery")
}

/// The secret comes as `?token=`, which is what Umbler Talk can send, or as a Bearer token.
fn authorize(request: &HttpRequest, state: &EdgeState) -> Result<(), ApiError> {
    let Some(secret) = &state.settings.webhook_secret else { return check_origin(request, state) };
    let mut sent = tokens_of_query(request.query_string());
    sent.extend(bearer(request.headers()).map(str::to_owned));
    if sent.is_empty() {
        return Err(ApiError::Unauthorized(
            "send the webhook secret as ?token= or as a Bearer token".to_owned(),
        ));
    }
    if sent.iter().any(|token| secret.matches(token)) {
        return Ok(());
    }
    Err(ApiError::Unauthorized("this is not the webhook secret".to_owned()))
}

/// Every `token` of a query string, with both meanings of `+`. In a form it means a space, but a secret that
/// was pasted into the address without escaping contains real ones, and the provider posts to the address as it
/// was pasted.
fn tokens_of_query(query: &str) -> Vec<String> {
    let literal_plus = query.replace('+', "%2B");
    let readings = [query, literal_plus.as_str()].map(|query| form_urlencoded::parse(query.as_bytes()));
    let tokens = readings.into_iter().flatten().filter(|(name, _)| name == "token");
    tokens.map(|(_, token)| token.into_owned()).collect()
}

/// Without a secret, a page of any site could post to a hub that its visitor's machine can reach. The provider
/// is not a page and sends no `Origin`.
fn check_origin(request: &HttpRequest, state: &EdgeState) -> Result<(), ApiError> {
    let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let Some(origin) = header(ORIGIN) else { return Ok(()) };
    let (origins, host) = (&state.settings.origins, header(HOST));
    if origins.allows_page(origin, host) && host.is_some_and(|host| rebinding::is_known(host, origins)) {
        return Ok(());
    }
    Err(ApiError::Forbidden("this page's origin is not allowed; FRONTEND_URL lists those that are"))
}

/// Translates a delivery, and compresses its raw form.
fn submit(body: &[u8], attempt: Option<u32>) -> Result<Record, ApiError> {
    let received_at = clock::now();
    let reading = umbler::read_posted(body, attempt, received_at)
        .map_err(|error| ApiError::BadRequest(format!("the body is not a JSON object: {}", error.reason)))?;
    Ok(Record::posted(reading, compress(body)?, body.len(), attempt, received_at))
}

thread_local! {
    /// Kept, because making a compressor costs more than compressing a delivery with it.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

fn compress_with_kept(body: &[u8]) -> io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            None => kept.insert(Compressor::new(ZSTD_LEVEL)?),
        };
        compressor.compress(body)
    })
}

fn refusal(error: IngestError) -> ApiError {
    match error {
        IngestError::Full => unavailable("too many deliveries are waiting"),
        IngestError::Unwritable => unavailable("the delivery could not be stored"),
        IngestError::Stopping => stopping(),
    }
}

fn unavailable(message: &'static str) -> ApiError {
    ApiError::Unavailable { message, retry_after_seconds: 1 }
}

impl From<Ack> for WebhookAnswer {
    fn from(ack: Ack) -> Self {
        let status = match ack.status {
            AckStatus::Accepted => "accepted",
            AckStatus::Duplicate => "duplicate",
            // No delivery of the provider is a proposal.
            AckStatus::Ignored | AckStatus::Outdated => "ignored",
        };
        Self {
            status,
            event_id: ack.event_id.map(|id| id.to_string()),
            seq: ack.seq.map(|seq| seq.0),
            reason: ack.reason,
        }
    }
}
