//! `POST /api/umbler/notify`: the company's own backend sends a notice to one user's screens.

use actix_web::web;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::Answer;
use crate::domain::EventId;
use crate::http::caller::Admin;
use crate::http::error::ApiError;
use crate::http::extract::{Content, RequestBody};
use crate::http::question::{Nothing, QueryString, Value as _};
use crate::http::route::{Call, routes};
use crate::http::state::EdgeState;
use crate::http::values::Id;
use crate::http::webhook::{record_of, store};
use crate::journal::{Notice, Payload};

/// Largest body, in bytes. A notice is kept like any update, and sent in one frame.
pub const BODY_BYTES_MAX: usize = 32 * 1024;

routes! {
    /// Sends a notice to the screens of one user that follow `user:SUB`. It is kept and recovered like any
    /// update.
    write(POST) "/notify" => notify, "notifyUser";
}

/// A notice to one user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with user and data")]
pub struct NotifyRequest {
    /// The user, as in the `sub` of tokens.
    #[schema(value_type = String)]
    user: Option<String>,
    /// Any JSON, also `null`; passed on unchanged.
    #[serde(default, deserialize_with = "as_it_came")]
    #[schema(value_type = Value, required)]
    data: Option<Box<RawValue>>,
    /// An id of the caller. The same id twice is one notice.
    id: Option<String>,
}

/// A notice and its id.
struct Sent {
    id: EventId,
    notice: Notice,
}

impl Content for Sent {
    const BYTES_MAX: usize = BODY_BYTES_MAX;

    fn read(bytes: &[u8], _: &EdgeState) -> Result<Self, ApiError> {
        read(bytes)
    }

    fn schema(call: &mut Call) -> RefOr<Schema> {
        call.bounded::<NotifyRequest>([("user", Id::schema()), ("id", Id::schema())])
    }
}

/// The answer to a notice.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NotifyAnswer {
    /// What the hub did with it: `accepted` or `duplicate`.
    #[schema(example = "accepted")]
    status: &'static str,
    /// The `eventId` of the update.
    event_id: Option<String>,
    /// The position of the update; for a duplicate, the position of the first one.
    seq: Option<i64>,
}

async fn notify(
    Admin(caller): Admin,
    _: QueryString<Nothing>,
    RequestBody(Sent { id, notice }): RequestBody<Sent>,
    state: web::Data<EdgeState>,
) -> Result<Answer<NotifyAnswer>, ApiError> {
    let ack = store(&state, record_of(&caller, Payload::Notice(notice), Some(id))?).await?;
    Ok(Answer(NotifyAnswer {
        status: ack.status.as_str(),
        event_id: ack.event_id.map(|id| id.to_string()),
        seq: ack.seq.map(|seq| seq.0),
    }))
}

/// Tells `null` from a missing field: `null` is data like any other.
fn as_it_came<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(Some)
}

fn read(body: &[u8]) -> Result<Sent, ApiError> {
    let request: NotifyRequest = serde_json::from_slice(body)
        .map_err(|error| ApiError::BadRequest(format!("the body is not a notice: {error}")))?;
    let name = |field: &str, value: String| {
        Id::read(&value).map(String::from).map_err(|what| ApiError::parameter(field, what))
    };
    let user = name("user", request.user.ok_or_else(|| ApiError::parameter("user", "is missing"))?)?;
    let data = request.data.ok_or_else(|| ApiError::parameter("data", "is missing"))?;
    // A namespace of their own, so that no notice can take the id of a delivery.
    let id = match request.id {
        Some(id) => name("id", id)?,
        None => format!("{:032x}", rand::random::<u128>()),
    };
    Ok(Sent { id: EventId::from(format!("notify:{id}")), notice: Notice { user, data } })
}
