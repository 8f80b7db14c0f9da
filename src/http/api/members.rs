//! `/members`: the directory of agents. Their names never come from the provider.

use std::sync::Arc;

use actix_web::{HttpRequest, web};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::described::{Paged, flag, parameters, search};
use super::lists::PageInfo;
use super::member_csv::{self, CSV_BYTES_MAX};
use super::member_fields::{Fields, WrongField};
use super::params::{BOOLEANS, Params};
use super::{Answer, path_id};
use crate::domain::Member;
use crate::http::body;
use crate::http::caller::Caller;
use crate::http::caller::UserState;
use crate::http::error::{ApiError, BodyRefusals, CallRefusals, ErrorBody};
use crate::http::webhook::{record_of, store};
use crate::hub::{Ack, AckStatus};
use crate::journal::{Payload, own_id};
use crate::protocol::MemberShape;
use crate::reads::members::MemberFilter;
use crate::reads::{ListMembers, ListedMember};

/// Largest body of one entry, in bytes.
const BODY_BYTES_MAX: usize = 8 * 1024;
/// What everybody but an admin is told.
const FOR_ADMINS: &str = "the directory is changed by admins";

/// An agent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ListedMember)]
pub struct ListedMemberShape {
    #[serde(flatten)]
    member: MemberShape,
    /// In the directory. Others own a chat, take part in one, or wrote.
    known: bool,
    /// When the entry was changed last.
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Timestamp>,
}

impl From<ListedMember> for ListedMemberShape {
    fn from(listed: ListedMember) -> Self {
        let ListedMember { member, updated_at } = listed;
        Self { known: member.name.is_some(), member, updated_at }
    }
}

/// A page of agents.
#[derive(Debug, Serialize, ToSchema)]
pub struct MembersAnswer {
    members: Vec<ListedMemberShape>,
    #[serde(flatten)]
    page: PageInfo,
}

/// An entry, as it is said.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "only described here; the fields are read one by one, so that a wrong one is named"
)]
struct MemberRequest {
    /// The name.
    // No control characters, and not only blanks.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\u0000-\u001f\u007f-\u009f \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000][^\u0000-\u001f\u007f-\u009f]*$"
    )]
    name: String,
    /// The picture's address, `https://` or `http://`; left out, empty or null: none.
    #[schema(max_length = 2048, pattern = r"^(https?://[^\u0000-\u001f\u007f-\u009f]*)?$")]
    photo_url: Option<String>,
    /// The sector that the agent belongs to; left out, empty or null: none.
    #[schema(max_length = 256, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$")]
    sector_id: Option<String>,
}

/// What a change did.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangedMemberAnswer {
    member: MemberShape,
    /// The position of the update that tells it; `null` where nothing changed.
    seq: Option<i64>,
}

/// What an import did.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportAnswer {
    /// Entries in the file.
    entries: usize,
    /// The position of the update that tells what changed; `null` where nothing did.
    seq: Option<i64>,
}

parameters! {
    /// Which agents.
    AgentFilters:
        search("A part of the name or the id, without case and accents."),
        flag("known", "In the directory, or not.");
}

/// Agents: those without an entry first, then by name; by id for a viewer, whose names are masked.
#[utoipa::path(
    get,
    path = "/api/umbler/members",
    operation_id = "listMembers",
    tag = "umbler",
    security(("bearer" = [])),
    params(Paged, AgentFilters),
    responses(
        (status = 200, body = MembersAnswer),
        CallRefusals,
    ),
)]
pub async fn list(
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Result<Answer<MembersAnswer>, ApiError> {
    let mut params = Params::read(request.query_string())?;
    let paging = params.paging()?;
    let filter = MemberFilter { search: params.search()?, known: params.word("known", &BOOLEANS)? };
    params.finish()?;
    let asked = paging.asked();
    let list = ListMembers { filter, limit: paging.limit, at: paging.at, scope: Arc::clone(&caller.scope) };
    let found = state.ask(list).await?;
    let page = PageInfo::new(&found, asked);
    let members = found.items.into_iter().map(ListedMemberShape::from).collect();
    Ok(Answer(MembersAnswer { members, page }))
}

/// Sets an entry, whole. Every screen shows the name from then on.
#[utoipa::path(
    put,
    path = "/api/umbler/members/{id}",
    operation_id = "putMember",
    tag = "umbler",
    security(("bearer" = [])),
    params(
        (
            // No control characters, and no blank at either end.
            "id" = String, Path, min_length = 1, max_length = 256,
            pattern = r"^[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]([^\u0000-\u001f\u007f-\u009f]*[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000])?$",
            description = "The provider's id, case-sensitive.",
        ),
    ),
    request_body(content = MemberRequest, content_type = "application/json", description = "At most 8 KiB."),
    responses(
        (status = 200, description = "Durable.", body = ChangedMemberAnswer),
        CallRefusals,
        BodyRefusals,
        (status = 400, description = "A field is wrong; the error names it. Or the directory is full.", body = ErrorBody),
        (status = 403, description = "The token is no admin's.", body = ErrorBody),
        (status = 404, description = "No id is that long.", body = ErrorBody),
    ),
)]
pub async fn put(
    caller: Caller,
    request: HttpRequest,
    path: web::Path<String>,
    payload: web::Payload,
    state: UserState,
) -> Result<Answer<ChangedMemberAnswer>, ApiError> {
    caller.require_admin(FOR_ADMINS)?;
    Params::read(request.query_string())?.finish()?;
    let id = path_id(path)?;
    let body = body::read(&request, payload, BODY_BYTES_MAX, &state).await?.bytes;
    let member = parse(&id, &body)?;
    if member.id.as_str() != id {
        return Err(ApiError::parameter("id", "must not begin or end with a blank"));
    }
    let shape = MemberShape::from(&member);
    let ack = change(&state, &caller, vec![member]).await?;
    Ok(Answer(ChangedMemberAnswer { member: shape, seq: ack.seq.map(|seq| seq.0) }))
}

/// Takes an entry out. Its id stays in the list where it occurs.
#[utoipa::path(
    delete,
    path = "/api/umbler/members/{id}",
    operation_id = "deleteMember",
    tag = "umbler",
    security(("bearer" = [])),
    params(
        ("id" = String, Path, min_length = 1, max_length = 256, description = "The provider's id, case-sensitive."),
    ),
    responses(
        (status = 200, description = "Durable.", body = ChangedMemberAnswer),
        CallRefusals,
        (status = 403, description = "The token is no admin's.", body = ErrorBody),
        (status = 404, description = "The directory does not have this id.", body = ErrorBody),
        (status = 415, description = "A body, of which none is needed, is not declared as JSON.", body = ErrorBody),
    ),
)]
pub async fn delete(
    caller: Caller,
    request: HttpRequest,
    path: web::Path<String>,
    state: UserState,
) -> Result<Answer<ChangedMemberAnswer>, ApiError> {
    caller.require_admin(FOR_ADMINS)?;
    Params::read(request.query_string())?.finish()?;
    let member = Member::unknown(path_id(path)?.into());
    let shape = MemberShape::from(&member);
    let ack = change(&state, &caller, vec![member]).await?;
    let seq = ack.seq.ok_or(ApiError::NotFound("the directory does not have this id"))?;
    Ok(Answer(ChangedMemberAnswer { member: shape, seq: Some(seq.0) }))
}

/// Sets the entries of a file: `id,name,photoUrl,sectorId` in any order, separated by `,` or `;`, in UTF-8. All of it or
/// nothing; every wrong line is named. Entries that the file does not name stay.
#[utoipa::path(
    post,
    path = "/api/umbler/members/import",
    operation_id = "importMembers",
    tag = "umbler",
    security(("bearer" = [])),
    request_body(content = String, content_type = "text/csv", description = "At most 256 KiB."),
    responses(
        (status = 200, description = "Durable.", body = ImportAnswer),
        CallRefusals,
        BodyRefusals,
        (status = 400, description = "Nothing was taken over; the error names every wrong line.", body = ErrorBody),
        (status = 403, description = "The token is no admin's.", body = ErrorBody),
    ),
)]
pub async fn import(
    caller: Caller,
    request: HttpRequest,
    payload: web::Payload,
    state: UserState,
) -> Result<Answer<ImportAnswer>, ApiError> {
    caller.require_admin(FOR_ADMINS)?;
    Params::read(request.query_string())?.finish()?;
    let body = body::read(&request, payload, CSV_BYTES_MAX, &state).await?.bytes;
    let members = member_csv::read(&body).map_err(ApiError::BadRequest)?;
    let entries = members.len();
    let ack = change(&state, &caller, members).await?;
    Ok(Answer(ImportAnswer { entries, seq: ack.seq.map(|seq| seq.0) }))
}

/// Puts changes through the journal.
async fn change(state: &UserState, caller: &Caller, members: Vec<Member>) -> Result<Ack, ApiError> {
    let record = record_of(caller, Payload::Members(members), Some(own_id("directory")))?;
    let ack = store(state, record).await?;
    if ack.status == AckStatus::Ignored {
        return Err(ApiError::BadRequest(ack.reason.unwrap_or_default()));
    }
    Ok(ack)
}

/// The fields of the body, each refused by its name.
fn parse(id: &str, body: &[u8]) -> Result<Member, ApiError> {
    let mut fields: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|error| ApiError::BadRequest(format!("the body is no JSON object: {error}")))?;
    let mut text = |name: &str| match fields.remove(name) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(ApiError::parameter(name, "must be a text")),
    };
    let (name, photo_url, sector_id) = (text("name")?, text("photoUrl")?, text("sectorId")?);
    if let Some(unknown) = fields.into_iter().next() {
        return Err(ApiError::parameter(unknown.0, "is not known here"));
    }
    let wrong = |(field, what): WrongField| ApiError::parameter(field, what);
    Fields { id, name: &name, photo_url: &photo_url, sector_id: &sector_id }.check().map_err(wrong)
}
