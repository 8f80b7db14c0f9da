//! `/revocations`: an admin revokes the older tokens of a user.

use actix_web::web;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;
use utoipa::openapi::schema::ObjectBuilder;
use utoipa::openapi::{RefOr, Schema};

use super::Answer;
use crate::auth::{LEEWAY_SECONDS, Revocation};
use crate::http::caller::Admin;
use crate::http::error::ApiError;
use crate::http::extract::{Content, RequestBody};
use crate::http::question::{Mandatory, Nothing, QueryString, Value, object_schema, question, read_object};
use crate::http::route::{Call, routes};
use crate::http::state::EdgeState;
use crate::http::values::Id;
use crate::http::webhook::{DURABLE_SECONDS_MAX, record_of};
use crate::hub::{IngestError, ListRevocations, Revoke, RevokeError};
use crate::journal::Payload;
use crate::telemetry::clock;

/// Most revocations in one answer.
const LIMIT_MAX: usize = 1_000;
/// Revocations in one answer where no limit is given.
const LIMIT_DEFAULT: usize = 100;

routes! {
    /// The revocations in force, the newest first.
    get "/revocations" => list, "listRevocations";
    /// Revokes the older tokens of a user, on REST and on sockets, and closes the sessions that were opened
    /// with them. A moment before the one in force changes nothing.
    write(POST) "/revocations" => revoke, "revokeTokens";
}

question! {
    struct RevocationsQuestion {
        /// Only revocations of this user.
        user: Option<Id>,
        /// Most revocations in the answer.
        limit: usize [1..=LIMIT_MAX] = LIMIT_DEFAULT,
    }
}

question! {
    struct RevocationRequest {
        /// The `sub` of the tokens.
        user: Mandatory<Id>,
        /// Tokens whose `iat` is before this moment, or missing, are refused. Now, where it is left out. Not in
        /// the future.
        issued_before: Option<IssuedBefore>,
    }
}

impl Content for RevocationRequest {
    /// Largest body, in bytes: two short fields.
    const BYTES_MAX: usize = 4 * 1024;

    fn read(bytes: &[u8], _: &EdgeState) -> Result<Self, ApiError> {
        read_object(bytes)
    }

    fn schema(call: &mut Call) -> RefOr<Schema> {
        call.named("RevocationRequest", object_schema::<Self>())
    }
}

/// The moment before which tokens are refused. If it were further in the future than clocks may differ, it
/// would refuse tokens that do not exist yet, and could not be taken back.
#[derive(Debug, Clone, Copy)]
struct IssuedBefore(Timestamp);

impl Value for IssuedBefore {
    fn read(text: &str) -> Result<Self, String> {
        let (moment, now) = (Timestamp::read(text)?, clock::now());
        let latest = now.saturating_add(SignedDuration::from_secs(LEEWAY_SECONDS)).unwrap_or(now);
        let is_known = moment <= latest;
        is_known
            .then_some(Self(moment))
            .ok_or_else(|| format!("must not be more than {LEEWAY_SECONDS} s in the future"))
    }

    fn schema() -> ObjectBuilder {
        Timestamp::schema()
    }
}

/// Tokens of one user that were issued before a moment are refused.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevocationShape {
    /// The `sub` of the tokens.
    user: String,
    /// Tokens whose `iat` is before this moment, or missing, are refused.
    #[schema(value_type = String, format = DateTime)]
    issued_before: Timestamp,
    /// When the user was revoked.
    #[schema(value_type = String, format = DateTime)]
    revoked_at: Timestamp,
    /// The admin who revoked the user.
    revoked_by: String,
}

impl From<Revocation> for RevocationShape {
    fn from(revocation: Revocation) -> Self {
        let Revocation { user, issued_before, revoked_at, revoked_by } = revocation;
        Self { user, issued_before, revoked_at, revoked_by }
    }
}

/// The revocation that is in force for the user now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevokedAnswer {
    /// The revocation that is in force.
    revocation: RevocationShape,
    /// Number of sessions that were closed with 4500.
    sessions_closed: usize,
}

/// The revocations in force, one for each user.
#[derive(Debug, Serialize, ToSchema)]
pub struct RevocationsAnswer {
    /// The revocations, the newest first.
    revocations: Vec<RevocationShape>,
    /// Number of revocations in total.
    total: usize,
}

async fn revoke(
    Admin(caller): Admin,
    _: QueryString<Nothing>,
    RequestBody(body): RequestBody<RevocationRequest>,
    state: web::Data<EdgeState>,
) -> Result<Answer<RevokedAnswer>, ApiError> {
    let now = clock::now();
    let revocation = Revocation {
        user: body.user.0.into(),
        issued_before: body.issued_before.map_or(now, |IssuedBefore(moment)| moment),
        revoked_at: now,
        revoked_by: caller.identity.sub.clone(),
    };
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

async fn list(
    _: Admin,
    QueryString(question): QueryString<RevocationsQuestion>,
    state: web::Data<EdgeState>,
) -> Result<Answer<RevocationsAnswer>, ApiError> {
    let RevocationsQuestion { user, limit } = question;
    let listed = state.hub.send(ListRevocations { user: user.map(Into::into), limit }).await;
    let (revocations, total) = listed.map_err(|_gone| refusal(IngestError::Stopping.into()))?;
    let revocations = revocations.into_iter().map(RevocationShape::from).collect();
    Ok(Answer(RevocationsAnswer { revocations, total }))
}

fn refusal(error: RevokeError) -> ApiError {
    let message = match error {
        RevokeError::Full => "there are as many revocations as can be kept",
        RevokeError::Ingest(IngestError::Full) => "too many records are waiting to be stored",
        RevokeError::Ingest(IngestError::Unwritable) => "the revocation could not be stored in time",
        RevokeError::Ingest(IngestError::Stopping) => "the hub is stopping",
    };
    ApiError::Unavailable { message, retry_after_seconds: 1 }
}
