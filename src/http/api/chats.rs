//! `/chats`, `/chats/{id}`, `/chats/{id}/messages`.

use std::sync::Arc;

use actix_web::{HttpRequest, web};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::lists::{Asked, PageInfo};
use super::messages::{MessagesAnswer, read_list as read_messages};
use super::params::{LIMIT_DEFAULT, LIMIT_MAX, Params};
use super::{Answer, path_id};
use crate::archive::{
    ChatFilter, Cursor, GetChat, GetPastChat, ListChatMessages, ListChats, ListPastChats, Page, PastChats,
    StatusFilter,
};
use crate::domain::ChatKind;
use crate::http::caller::Caller;
use crate::http::caller::UserState;
use crate::http::error::{ApiError, ErrorBody, QuestionRefusals};
use crate::protocol::ChatShape;

/// A page of chats.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChatsAnswer {
    chats: Vec<ChatShape>,
    #[serde(flatten)]
    page: PageInfo,
}

impl ChatsAnswer {
    /// The answer that these chats are.
    pub fn new(found: Page<ChatShape>, asked: Asked) -> Self {
        Self { page: PageInfo::new(&found, asked), chats: found.items }
    }
}

/// One chat.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChatAnswer {
    chat: ChatShape,
}

/// Chats as they are, or as they stood at a moment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum ListAnswer {
    /// As they are.
    Now(ChatsAnswer),
    /// As they stood.
    Then(PastChatsAnswer),
}

/// A page of chats as they stood at a moment, those created last first. It may hold fewer than asked for, even none, and
/// still have a next one.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PastChatsAnswer {
    chats: Vec<ChatShape>,
    /// The moment.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Items on a page at most.
    limit: u32,
    /// Where the next page begins; `null` on the last one.
    next_cursor: Option<String>,
}

/// Which chats a query string asks for.
fn read_filter(params: &mut Params) -> Result<ChatFilter, ApiError> {
    let status =
        [("open", StatusFilter::Open), ("waiting", StatusFilter::Waiting), ("closed", StatusFilter::Closed)];
    let kind = [("direct", ChatKind::Direct), ("group", ChatKind::Group), ("internal", ChatKind::Internal)];
    Ok(ChatFilter {
        status: params.word("status", &status)?,
        sector: params.id("sector")?,
        owner: params.id("owner")?,
        channel: params.id("channel")?,
        tag: params.id("tag")?,
        kind: params.word("kind", &kind)?,
        search: params.search()?,
        contact: None,
    })
}

/// What a query string asks of chats as they stood at a moment.
fn read_past(mut params: Params, then: Timestamp, caller: &Caller) -> Result<ListPastChats, ApiError> {
    params.refuse(&["page", "sort", "order"], "at")?;
    let limit = params.number("limit", 1, LIMIT_MAX)?.unwrap_or(LIMIT_DEFAULT);
    let after = params.take("cursor", str::parse::<Cursor>)?;
    let filter = read_filter(&mut params)?;
    params.finish()?;
    Ok(ListPastChats { then, filter, among: None, limit, after, scope: Arc::clone(&caller.scope) })
}

/// What a query string asks of a list of chats.
pub fn read_list(mut params: Params, caller: &Caller) -> Result<(ListChats, Asked), ApiError> {
    let paging = params.paging()?;
    let filter = read_filter(&mut params)?;
    let (sort, order) = params.sorting()?;
    caller.check_sort(sort)?;
    params.finish()?;
    let asked = paging.asked();
    Ok((
        ListChats {
            filter,
            sort,
            order,
            limit: paging.limit,
            at: paging.at,
            scope: Arc::clone(&caller.scope),
        },
        asked,
    ))
}

/// Chats, by default those with the latest activity first; or as they stood at a moment.
#[utoipa::path(
    get,
    path = "/api/umbler/chats",
    tag = "umbler",
    security(("bearer" = [])),
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Items on a page; 50."),
        ("page" = Option<u32>, Query, minimum = 1, description = "Which page, from 1. Not together with cursor."),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before."),
        ("status" = Option<String>, Query, description = "`open` (waiting ones included), `waiting` or `closed`."),
        ("sector" = Option<String>, Query, description = "The id of their sector."),
        ("owner" = Option<String>, Query, description = "The id of their agent."),
        ("channel" = Option<String>, Query, description = "The id of the line they run on."),
        ("tag" = Option<String>, Query, description = "The id of one of the chat's tags."),
        ("kind" = Option<String>, Query, description = "`direct`, `group` or `internal`."),
        ("search" = Option<String>, Query, description = "A part of the name or the phone, without case and accents."),
        ("sort" = Option<String>, Query, description = "`lastInteraction` (default), `name` or `createdAt`."),
        ("order" = Option<String>, Query, description = "`asc` or `desc`; names run from A, times from the newest."),
        ("at" = Option<String>, Query, description = "As they stood at this moment (RFC 3339), not in the future; those created last first. Not together with page, sort and order."),
    ),
    responses(
        (status = 200, body = ListAnswer),
        QuestionRefusals,
    ),
)]
pub async fn list(
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Result<Answer<ListAnswer>, ApiError> {
    let mut params = Params::read(request.query_string())?;
    if let Some(at) = params.past_moment("at")? {
        let mut list = read_past(params, at, &caller)?;
        list.among = state.open_then(&list).await?;
        let limit = list.limit;
        let PastChats { chats, next } = state.ask(list).await?;
        let next_cursor = next.as_ref().map(ToString::to_string);
        return Ok(Answer(ListAnswer::Then(PastChatsAnswer { chats, at, limit, next_cursor })));
    }
    let (list, asked) = read_list(params, &caller)?;
    Ok(Answer(ListAnswer::Now(ChatsAnswer::new(state.ask(list).await?, asked))))
}

/// One chat, as it is or as it stood at a moment.
#[utoipa::path(
    get,
    path = "/api/umbler/chats/{id}",
    tag = "umbler",
    security(("bearer" = [])),
    params(
        ("id" = String, Path, description = "The provider's id, case-sensitive."),
        ("at" = Option<String>, Query, description = "As it stood at this moment (RFC 3339), not in the future."),
    ),
    responses(
        (status = 200, body = ChatAnswer),
        (status = 404, description = "Nothing has this id.", body = ErrorBody),
        QuestionRefusals,
    ),
)]
pub async fn one(
    caller: Caller,
    request: HttpRequest,
    path: web::Path<String>,
    state: UserState,
) -> Result<Answer<ChatAnswer>, ApiError> {
    let mut params = Params::read(request.query_string())?;
    let then = params.past_moment("at")?;
    params.finish()?;
    let (id, scope) = (path_id(path)?, caller.scope);
    let chat = match then {
        Some(then) => state.ask(GetPastChat { then, id, scope }).await?,
        None => state.ask(GetChat { id, scope }).await?,
    };
    Ok(Answer(ChatAnswer { chat: chat.ok_or(ApiError::NotFound("no chat has this id"))? }))
}

/// The messages of one chat, the oldest last.
#[utoipa::path(
    get,
    path = "/api/umbler/chats/{id}/messages",
    tag = "umbler",
    security(("bearer" = [])),
    params(
        ("id" = String, Path, description = "The chat's id, case-sensitive."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Items on a page; 50."),
        ("page" = Option<u32>, Query, minimum = 1, description = "Which page, from 1. Not together with cursor."),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before."),
        ("search" = Option<String>, Query, description = "A part of the text, without case and accents."),
        ("source" = Option<String>, Query, description = "`Contact`, `Member`, `Bot`, `External`."),
        ("since" = Option<String>, Query, format = DateTime, description = "The first moment that counts."),
        ("until" = Option<String>, Query, format = DateTime, description = "The first moment that counts no more."),
    ),
    responses(
        (status = 200, body = MessagesAnswer),
        (status = 404, description = "Nothing has this id.", body = ErrorBody),
        QuestionRefusals,
    ),
)]
pub async fn messages(
    caller: Caller,
    request: HttpRequest,
    path: web::Path<String>,
    state: UserState,
) -> Result<Answer<MessagesAnswer>, ApiError> {
    let (list, asked) = read_messages(Params::read(request.query_string())?, &caller)?;
    let found = state.ask(ListChatMessages { chat: path_id(path)?, list }).await?;
    Ok(Answer(MessagesAnswer::new(found.ok_or(ApiError::NotFound("no chat has this id"))?, asked)))
}
