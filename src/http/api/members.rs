//! `/members`: the directory of agents. Their names never come with deliveries.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::Answer;
use super::lists::{PageInfo, Paging};
use super::member_csv::{self, CSV_BYTES_MAX};
use super::member_fields::{MemberId, MemberName, MemberSector, PhotoUrl};
use crate::domain::Member;
use crate::http::caller::{Admin, Caller, UserState};
use crate::http::error::ApiError;
use crate::http::extract::{Content, PathId, RequestBody};
use crate::http::question::{Mandatory, Nothing, QueryString, object_schema, question, read_object};
use crate::http::route::{Call, routes};
use crate::http::state::EdgeState;
use crate::http::values::{Id, SearchText};
use crate::http::webhook::{record_of, store};
use crate::http::writes::Takes;
use crate::hub::{Ack, AckStatus};
use crate::journal::{Payload, own_id};
use crate::protocol::MemberShape;
use crate::reads::members::MemberFilter;
use crate::reads::{ListMembers, ListedMember};

routes! {
    /// Agents: those without an entry first, then by name; for viewers by id, because names are masked for
    /// them.
    get "/members" => list, "listMembers";
    // Before the path of one entry, which would otherwise match it.
    /// Sets the entries of a file: `id,name,photoUrl,sectorId` in any order, separated by `,` or `;`, in UTF-8.
    /// Either all entries are set or none; the error names every wrong line. Entries that the file does not
    /// name are kept.
    write(POST) "/members/import" => import, "importMembers";
    /// Sets all fields of an entry. From then on every screen shows the name.
    write(PUT) "/members/{id}" => put, "putMember",
        refuses(400, "A field is wrong; the error names it. Or the directory is full."),
        refuses(404, "The id is longer than ids can be.");
    /// Removes an entry. Its id stays in the list where it occurs in chats.
    write(DELETE) "/members/{id}" => delete, "deleteMember", refuses(404, "The directory has no entry with this id.");
}

question! {
    struct MembersQuestion {
        page: Paging,
        /// A part of the name or the id, regardless of case and accents.
        search: Option<SearchText>,
        /// True: only agents with an entry in the directory; false: only those without.
        known: Option<bool>,
    }
}

question! {
    struct MemberRequest {
        /// Name of the agent, as screens show it.
        name: Mandatory<MemberName>,
        /// Address of the picture, `https://` or `http://`. Left out, empty or null: none.
        photo_url: Option<PhotoUrl>,
        /// Id of the agent's sector. Left out, empty or null: none.
        sector_id: Option<MemberSector>,
    }
}

impl Content for MemberRequest {
    const BYTES_MAX: usize = 8 * 1024;

    fn read(bytes: &[u8], _: &EdgeState) -> Result<Self, ApiError> {
        read_object(bytes)
    }

    fn schema(call: &mut Call) -> RefOr<Schema> {
        call.named("MemberRequest", object_schema::<Self>())
    }
}

/// The entries of an imported file.
struct MemberFile(Vec<Member>);

impl Content for MemberFile {
    const TAKES: Takes = Takes::Csv;
    const BYTES_MAX: usize = CSV_BYTES_MAX;

    fn read(bytes: &[u8], _: &EdgeState) -> Result<Self, ApiError> {
        member_csv::read(bytes).map(Self).map_err(ApiError::BadRequest)
    }

    fn schema(_: &mut Call) -> RefOr<Schema> {
        String::schema()
    }
}

/// An agent, in the directory or not.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ListedMember)]
pub struct ListedMemberShape {
    #[serde(flatten)]
    member: MemberShape,
    /// True where the directory has an entry. Other agents have a chat, take part in one, or wrote a message.
    known: bool,
    /// When the entry was last changed.
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Timestamp>,
    /// Who set the entry: `admin`, or `provider` where it was read from Umbler; null where there is none.
    origin: Option<&'static str>,
}

impl From<ListedMember> for ListedMemberShape {
    fn from(listed: ListedMember) -> Self {
        let ListedMember { member, updated_at, is_provided } = listed;
        let known = member.name.is_some();
        let origin = known.then_some(if is_provided { "provider" } else { "admin" });
        Self { member, known, updated_at, origin }
    }
}

/// One page of a list of agents.
#[derive(Debug, Serialize, ToSchema)]
pub struct MembersAnswer {
    members: Vec<ListedMemberShape>,
    #[serde(flatten)]
    page: PageInfo,
}

/// The outcome of a change.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangedMemberAnswer {
    member: MemberShape,
    /// The position of the update that reports it; `null` where nothing changed.
    seq: Option<i64>,
}

/// The outcome of an import.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportAnswer {
    /// Number of entries in the file.
    entries: usize,
    /// The position of the update that reports the changes; `null` where nothing changed.
    seq: Option<i64>,
}

async fn list(
    caller: Caller,
    QueryString(question): QueryString<MembersQuestion>,
    state: UserState,
) -> Result<Answer<MembersAnswer>, ApiError> {
    let filter = MemberFilter { search: SearchText::wanted(question.search), known: question.known };
    let list =
        ListMembers { filter, limit: question.page.limit, at: question.page.at(), scope: caller.scope };
    let found = state.ask(list).await?;
    let page = PageInfo::new(&found, &question.page);
    let members = found.items.into_iter().map(ListedMemberShape::from).collect();
    Ok(Answer(MembersAnswer { members, page }))
}

async fn put(
    Admin(caller): Admin,
    _: QueryString<Nothing>,
    PathId(MemberId(named)): PathId<MemberId>,
    RequestBody(entry): RequestBody<MemberRequest>,
    state: UserState,
) -> Result<Answer<ChangedMemberAnswer>, ApiError> {
    let id = MemberId::of_entry(&named).map_err(|what| ApiError::parameter("id", what))?;
    if id.as_str() != named {
        return Err(ApiError::parameter("id", "must not begin or end with a space"));
    }
    let member = Member {
        id,
        name: Some(entry.name.0.0),
        photo_url: entry.photo_url.and_then(|url| url.0),
        sector_id: entry.sector_id.and_then(|sector| sector.0),
    };
    let shape = MemberShape::from(&member);
    let ack = change(&state, &caller, vec![member]).await?;
    Ok(Answer(ChangedMemberAnswer { member: shape, seq: ack.seq.map(|seq| seq.0) }))
}

async fn delete(
    Admin(caller): Admin,
    _: QueryString<Nothing>,
    PathId(id): PathId<Id>,
    state: UserState,
) -> Result<Answer<ChangedMemberAnswer>, ApiError> {
    let member = Member::unknown(String::from(id).into());
    let shape = MemberShape::from(&member);
    let ack = change(&state, &caller, vec![member]).await?;
    let seq = ack.seq.ok_or(ApiError::NotFound("the directory has no entry with this id"))?;
    Ok(Answer(ChangedMemberAnswer { member: shape, seq: Some(seq.0) }))
}

async fn import(
    Admin(caller): Admin,
    _: QueryString<Nothing>,
    RequestBody(MemberFile(members)): RequestBody<MemberFile>,
    state: UserState,
) -> Result<Answer<ImportAnswer>, ApiError> {
    let entries = members.len();
    let ack = change(&state, &caller, members).await?;
    Ok(Answer(ImportAnswer { entries, seq: ack.seq.map(|seq| seq.0) }))
}

/// Writes the changes to the journal.
async fn change(state: &UserState, caller: &Caller, members: Vec<Member>) -> Result<Ack, ApiError> {
    let record = record_of(caller, Payload::Members(members), Some(own_id("directory")))?;
    let ack = store(state, record).await?;
    if ack.status == AckStatus::Ignored {
        return Err(ApiError::BadRequest(ack.reason.unwrap_or_default()));
    }
    Ok(ack)
}
