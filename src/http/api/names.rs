//! `/names`: what sectors, lines and tags are called. Deliveries and the link to Umbler's API name them, and an admin may name them
//! otherwise.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::ObjectBuilder;
use utoipa::openapi::{RefOr, Schema};

use super::Answer;
use super::member_fields::MemberName;
use crate::domain::{GivenName, NamedKind};
use crate::http::caller::{Admin, Caller, UserState};
use crate::http::error::ApiError;
use crate::http::extract::{Content, RequestBody};
use crate::http::question::{Nothing, QueryString, Value, question};
use crate::http::route::{Call, routes};
use crate::http::state::EdgeState;
use crate::http::values::{of_length, string};
use crate::http::webhook::{record_of, store};
use crate::journal::{Payload, own_id};
use crate::protocol::names::NameShape;
use crate::reads::given_names::{FindName, ListNames};

/// Longest id of what is named, in characters.
const NAMED_ID_CHARS_MAX: usize = 128;

routes! {
    /// What sectors, lines and tags are called: all that occur, by kind and id, also those
    /// without a name. At most 5,000. A token that does not see all chats is told of the sectors and lines of its chats.
    get "/names" => list, "listNames";
    /// Names a sector, a line or a tag, for all screens and reports; or takes that name back, so that the provider's counts again.
    write(PUT) "/names" => put, "putName",
        refuses(400, "A field is wrong; the error names it."),
        refuses(404, "Nothing of this kind has this id.");
}

question! {
    struct NamesQuestion {
        /// Only names of this: `sector`, `channel` (a line) or `tag`.
        what: Option<NamedKind>,
        /// True: only those with a name; false: only those without.
        known: Option<bool>,
    }
}

impl Value for NamedKind {
    fn read(text: &str) -> Result<Self, String> {
        Self::from_word(text).ok_or_else(|| "must be sector, channel or tag".to_owned())
    }

    fn schema() -> ObjectBuilder {
        string().enum_values(Some(Self::ALL.map(Self::as_str)))
    }
}

/// A name that an admin gives.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NameRequest {
    /// `sector`, `channel` (a line) or `tag`.
    what: String,
    /// The provider's id.
    id: String,
    /// The name; null takes back the one that an admin set.
    name: Option<String>,
}

impl Content for GivenName {
    const BYTES_MAX: usize = 8 * 1024;

    fn read(bytes: &[u8], _: &EdgeState) -> Result<Self, ApiError> {
        let request: NameRequest = serde_json::from_slice(bytes)
            .map_err(|error| ApiError::BadRequest(format!("the body is not a name to set: {error}")))?;
        let what =
            <NamedKind as Value>::read(&request.what).map_err(|what| ApiError::parameter("what", what))?;
        of_length(&request.id, NAMED_ID_CHARS_MAX).map_err(|what| ApiError::parameter("id", what))?;
        let name = request.name.map(|name| MemberName::read(&name)).transpose();
        let name = name.map_err(|what| ApiError::parameter("name", what))?;
        Ok(Self { what, id: request.id.into(), name: name.map(|name| name.0) })
    }

    fn schema(call: &mut Call) -> RefOr<Schema> {
        let words = NamedKind::ALL.map(NamedKind::as_str).join("|");
        call.bounded::<NameRequest>([
            ("what", string().pattern(Some(format!("^({words})$")))),
            ("id", string().min_length(Some(1)).max_length(Some(NAMED_ID_CHARS_MAX))),
            ("name", MemberName::schema()),
        ])
    }
}

/// What sectors, lines and tags are called.
#[derive(Debug, Serialize, ToSchema)]
pub struct NamesAnswer {
    names: Vec<NameShape>,
    /// There are more than are listed.
    more: bool,
}

/// The outcome of a change.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangedNameAnswer {
    name: NameShape,
    /// The position of the update that reports it; `null` where nothing changed.
    seq: Option<i64>,
}

async fn list(
    caller: Caller,
    QueryString(question): QueryString<NamesQuestion>,
    state: UserState,
) -> Result<Answer<NamesAnswer>, ApiError> {
    let list = ListNames { what: question.what, known: question.known, scope: caller.scope };
    let found = state.ask(list).await?;
    Ok(Answer(NamesAnswer { names: found.names, more: found.more }))
}

async fn put(
    Admin(caller): Admin,
    _: QueryString<Nothing>,
    RequestBody(given): RequestBody<GivenName>,
    state: UserState,
) -> Result<Answer<ChangedNameAnswer>, ApiError> {
    const UNKNOWN: ApiError = ApiError::NotFound("nothing of this kind has this id");
    let find = FindName { what: given.what, id: given.id.to_string() };
    state.ask(find.clone()).await?.ok_or(UNKNOWN)?;
    let record = record_of(&caller, Payload::Names(vec![given]), Some(own_id("directory")))?;
    let ack = store(&state, record).await?;
    let name = state.ask(find).await?.ok_or(UNKNOWN)?;
    Ok(Answer(ChangedNameAnswer { name, seq: ack.seq.map(|seq| seq.0) }))
}
