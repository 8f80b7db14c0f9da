//! `/revocations`: an admin puts a user's older tokens out of force.

use actix_web::{HttpRequest, web};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::time::timeout;
use utoipa::ToSchema;

use super::Answer;
use super::described::{id, number, parameters};
use super::params::{ID_CHARS_MAX, Params, fits};
use crate::auth::{LEEWAY_SECONDS, Revocation};
use crate::http::body;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, BodyRefusals, CallRefusals, ErrorBody};
use crate::http::state::EdgeState;
use crate::http::webhook::{DURABLE_SECONDS_MAX, record_of};
use crate::hub::{IngestError, ListRevocations, Revoke, RevokeError};
use crate::journal::Payload;
use crate::telemetry::clock;

/// Largest body, in bytes: two short fields.
const BODY_BYTES_MAX: usize = 4 * 1024;
/// Revocations in one answer at most.
const LIMIT_MAX: usize = 1_000;
/// Revocations in one answer where nothing is asked for.
const LIMIT_DEFAULT: usize = 100;

/// One user's tokens from before a moment do not count.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevocationShape {
    /// The `sub` of the tokens.
    user: String,
    /// Tokens whose `iat` is before this, or absent, are refused.
    #[schema(value_type = String, format = DateTime)]
    issued_before: Timestamp,
    /// When it was said.
    #[schema(value_type = String, format = DateTime)]
    revoked_at: Timestamp,
    /// Who said it.
    revoked_by: String,
}

impl From<Revocation> for RevocationShape {
    fn from(revocation: Revocation) -> Self {
        let Revocation { user, issued_before, revoked_at, revoked_by } = revocation;
        Self { user, issued_before, revoked_at, revoked_by }
    }
}

/// What is asked for.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "only described here; the fields are read one by one, so that a wrong one is named"
)]
struct RevocationRequest {
    /// The `sub` of the tokens.
    #[schema(min_length = 1, max_length = 256)]
    user: String,
    /// Tokens whose `iat` is before this, or absent, are refused; now, where it is left out.
    /// Not in the future.
    #[schema(value_type = Option<String>, format = DateTime)]
    issued_before: Option<Timestamp>,
}

/// What is in force for the user now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevokedAnswer {
    /// What is in force.
    revocation: RevocationShape,
    /// Sessions that were ended with 4500.
    sessions_closed: usize,
}

/// What is in force.
#[derive(Debug, Serialize, ToSchema)]
pub struct RevocationsAnswer {
    /// The newest first.
    revocations: Vec<RevocationShape>,
    /// How many there are.
    total: usize,
}

/// Puts a user's older tokens out of force, on REST and on sockets, and ends the sessions that were opened with them.
/// An earlier moment than the one in force changes nothing.
#[utoipa::path(
    post,
    path = "/api/umbler/revocations",
    operation_id = "revokeTokens",
    tag = "umbler",
    security(("bearer" = [])),
    request_body(content = RevocationRequest, content_type = "application/json", description = "At most 4 KiB."),
    responses(
        (status = 200, description = "Durable and in force.", body = RevokedAnswer),
        CallRefusals,
        BodyRefusals,
        (status = 400, description = "A field is wrong; the error names it.", body = ErrorBody),
        (status = 403, description = "The token is no admin's.", body = ErrorBody),
    ),
)]
pub async fn revoke(
    caller: Caller,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<EdgeState>,
) -> Result<Answer<RevokedAnswer>, ApiError> {
    caller.require_admin("revocations are for admins")?;
    Params::read(request.query_string())?.finish()?;
    let body = body::read(&request, payload, BODY_BYTES_MAX, &state).await?.bytes;
    let now = clock::now();
    let (user, issued_before) = parse(&body, now)?;
    let revoked_by = caller.identity.sub.clone();
    let revocation = Revocation { user, issued_before, revoked_at: now, revoked_by };
    let record = record_of(&caller, Payload::Revocation(revocation), None)?;
    let revoke = state.hub.send(Revoke { record });
    match timeout(std::time::Duration::from_secs(DURABLE_SECONDS_MAX), revoke).await {
        Ok(Ok(Ok(revoked))) => Ok(Answer(RevokedAnswer {
            revocation: revoked.in_force.into(),
            sessions_closed: revoked.sessions_closed,
        })),
        Ok(Ok(Err(error))) => Err(refusal(error)),
        Ok(Err(_gone)) => Err(refusal(IngestError::Stopping.into())),
        Err(_elapsed) => Err(refusal(IngestError::Unwritable.into())),
    }
}

parameters! {
    /// Which revocations.
    RevocationFilters:
        id("user", "Of this user only."),
        number("limit", "At most so many; 100.", 1, LIMIT_MAX);
}

/// What is in force, the newest first.
#[utoipa::path(
    get,
    path = "/api/umbler/revocations",
    operation_id = "listRevocations",
    tag = "umbler",
    security(("bearer" = [])),
    params(RevocationFilters),
    responses(
        (status = 200, body = RevocationsAnswer),
        CallRefusals,
        (status = 403, description = "The token is no admin's.", body = ErrorBody),
    ),
)]
pub async fn list(
    caller: Caller,
    request: HttpRequest,
    state: web::Data<EdgeState>,
) -> Result<Answer<RevocationsAnswer>, ApiError> {
    caller.require_admin("revocations are for admins")?;
    let mut params = Params::read(request.query_string())?;
    let limit = params.number("limit", 1, LIMIT_MAX)?.unwrap_or(LIMIT_DEFAULT);
    let user = params.id("user")?;
    params.finish()?;
    let listed = state.hub.send(ListRevocations { user, limit }).await;
    let (revocations, total) = listed.map_err(|_gone| refusal(IngestError::Stopping.into()))?;
    let revocations = revocations.into_iter().map(RevocationShape::from).collect();
    Ok(Answer(RevocationsAnswer { revocations, total }))
}

/// The fields of the body, each refused by its name.
fn parse(body: &[u8], now: Timestamp) -> Result<(String, Timestamp), ApiError> {
    let mut fields: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|error| ApiError::BadRequest(format!("the body is no JSON object: {error}")))?;
    let user = match fields.remove("user") {
        Some(Value::String(user)) if fits(&user, ID_CHARS_MAX) => user,
        _ => {
            return Err(ApiError::parameter(
                "user",
                format!("must be a text of 1 to {ID_CHARS_MAX} characters"),
            ));
        }
    };
    let issued_before = match fields.remove("issuedBefore") {
        None | Some(Value::Null) => now,
        Some(Value::String(text)) => moment(&text, now)?,
        Some(_) => return Err(wrong_moment()),
    };
    match fields.into_iter().next() {
        None => Ok((user, issued_before)),
        Some((name, _)) => Err(ApiError::parameter(name, "is not known here")),
    }
}

/// A moment further ahead than clocks differ would lock out tokens that do not exist yet, and nothing takes it back.
fn moment(text: &str, now: Timestamp) -> Result<Timestamp, ApiError> {
    let moment: Timestamp = text.parse().map_err(|_no_moment| wrong_moment())?;
    let latest = now.saturating_add(SignedDuration::from_secs(LEEWAY_SECONDS)).unwrap_or(now);
    if moment > latest {
        let message = format!("must not be more than {LEEWAY_SECONDS} s ahead");
        return Err(ApiError::parameter("issuedBefore", message));
    }
    Ok(moment)
}

fn wrong_moment() -> ApiError {
    ApiError::parameter("issuedBefore", "must be a moment like 2026-03-02T13:00:00Z (RFC 3339)")
}

fn refusal(error: RevokeError) -> ApiError {
    let message = match error {
        RevokeError::Full => "no more revocations can be kept",
        RevokeError::Ingest(IngestError::Full) => "too much is waiting to be stored",
        RevokeError::Ingest(IngestError::Unwritable) => "the revocation could not be stored in time",
        RevokeError::Ingest(IngestError::Stopping) => "the hub is stopping",
    };
    ApiError::Unavailable { message, retry_after_seconds: 1 }
}
