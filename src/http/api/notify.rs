//! `POST /api/umbler/notify`: the company's own backend reaches one user's screens.

use actix_web::{HttpRequest, web};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Answer;
use super::params::{ID_CHARS_MAX, Params, fits};
use crate::domain::EventId;
use crate::http::body;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, BodyRefusals, CallRefusals, ErrorBody};
use crate::http::state::EdgeState;
use crate::http::webhook::{record_of, store};
use crate::journal::{Notice, Payload};

/// Largest body, in bytes: a notice is kept like any update and sent in one frame.
pub const BODY_BYTES_MAX: usize = 32 * 1024;

/// A notice to one user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with user and data")]
pub struct NotifyRequest {
    /// The user, as tokens name them in `sub`.
    #[schema(value_type = String, min_length = 1, max_length = 256)]
    user: Option<String>,
    /// Anything, `null` too; handed on as it came.
    #[serde(default, deserialize_with = "as_it_came")]
    #[schema(value_type = Value, required)]
    data: Option<Box<RawValue>>,
    /// The caller's own id: the same one twice is one notice.
    #[schema(min_length = 1, max_length = 256)]
    id: Option<String>,
}

/// The answer to a notice.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NotifyAnswer {
    /// `accepted` or `duplicate`.
    #[schema(example = "accepted")]
    status: &'static str,
    /// The update's `eventId`.
    event_id: Option<String>,
    /// Its position; of a duplicate, the position of the first.
    seq: Option<i64>,
}

/// Sends a notice to the screens of one user that follow `user:SUB`. Kept and recovered like any update.
#[utoipa::path(
    post,
    path = "/api/umbler/notify",
    operation_id = "notifyUser",
    tag = "umbler",
    security(("bearer" = [])),
    request_body(content = NotifyRequest, content_type = "application/json", description = "At most 32 KiB."),
    responses(
        (status = 200, description = "Durable.", body = NotifyAnswer),
        CallRefusals,
        BodyRefusals,
        (status = 400, description = "A field is missing or wrong; the error names it.", body = ErrorBody),
        (status = 403, description = "The token is no admin's.", body = ErrorBody),
    ),
)]
pub async fn notify(
    caller: Caller,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<EdgeState>,
) -> Result<Answer<NotifyAnswer>, ApiError> {
    caller.require_admin("notices are sent by admins")?;
    Params::read(request.query_string())?.finish()?;
    let (id, notice) = read(&body::read(&request, payload, BODY_BYTES_MAX, &state).await?.bytes)?;
    let ack = store(&state, record_of(&caller, Payload::Notice(notice), Some(id))?).await?;
    Ok(Answer(NotifyAnswer {
        status: ack.status.as_str(),
        event_id: ack.event_id.map(|id| id.to_string()),
        seq: ack.seq.map(|seq| seq.0),
    }))
}

/// A `null` that was sent is data like any other; only what was not sent is missing.
fn as_it_came<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(Some)
}

fn read(body: &[u8]) -> Result<(EventId, Notice), ApiError> {
    let request: NotifyRequest = serde_json::from_slice(body)
        .map_err(|error| ApiError::BadRequest(format!("the body is no notice: {error}")))?;
    let name = |field: &str, value: String| {
        let is_name = fits(&value, ID_CHARS_MAX);
        is_name
            .then_some(value)
            .ok_or_else(|| ApiError::parameter(field, format!("must have 1 to {ID_CHARS_MAX} characters")))
    };
    let user = name("user", request.user.ok_or_else(|| ApiError::parameter("user", "is missing"))?)?;
    let data = request.data.ok_or_else(|| ApiError::parameter("data", "is missing"))?;
    // A namespace of their own: no notice may take the id of a delivery.
    let id = match request.id {
        Some(id) => name("id", id)?,
        None => format!("{:032x}", rand::random::<u128>()),
    };
    Ok((EventId::from(format!("notify:{id}")), Notice { user, data }))
}
