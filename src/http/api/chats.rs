//! `/chats`, `/chats/{id}`, `/chats/{id}/messages`.

use std::sync::Arc;

use actix_web::{HttpRequest, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::lists::{Asked, PageInfo};
use super::messages::{MessagesAnswer, read_list as read_messages};
use super::params::Params;
use super::{Answer, path_id};
use crate::archive::{ChatFilter, GetChat, ListChatMessages, ListChats, Page, StatusFilter};
use crate::domain::ChatKind;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::state::EdgeState;
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

/// What a query string asks of a list of chats.
pub fn read_list(mut params: Params, caller: &Caller) -> Result<(ListChats, Asked), ApiError> {
    let paging = params.paging()?;
    let status =
        [("open", StatusFilter::Open), ("waiting", StatusFilter::Waiting), ("closed", StatusFilter::Closed)];
    let kind = [("direct", ChatKind::Direct), ("group", ChatKind::Group), ("internal", ChatKind::Internal)];
    let filter = ChatFilter {
        status: params.word("status", &status)?,
        sector: params.id("sector")?,
        owner: params.id("owner")?,
        channel: params.id("channel")?,
        tag: params.id("tag")?,
        kind: params.word("kind", &kind)?,
        search: params.search()?,
        contact: None,
    };
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

/// Chats, by default those with the latest activity first.
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
    ),
    responses(
        (status = 200, body = ChatsAnswer),
        (status = 400, description = "A parameter is wrong; the error names it.", body = ErrorBody),
        (status = 401, description = "No valid token.", body = ErrorBody),
        (status = 429, description = "Too many requests.", body = ErrorBody),
    ),
)]
pub async fn list(
    caller: Caller,
    request: HttpRequest,
    state: web::Data<EdgeState>,
) -> Result<Answer<ChatsAnswer>, ApiError> {
    let (list, asked) = read_list(Params::read(request.query_string())?, &caller)?;
    Ok(Answer(ChatsAnswer::new(state.ask(list).await?, asked)))
}

/// One chat.
#[utoipa::path(
    get,
    path = "/api/umbler/chats/{id}",
    tag = "umbler",
    security(("bearer" = [])),
    params(
        ("id" = String, Path, description = "The provider's id, case-sensitive."),
    ),
    responses(
        (status = 200, body = ChatAnswer),
        (status = 400, description = "A parameter is wrong; the error names it.", body = ErrorBody),
        (status = 401, description = "No valid token.", body = ErrorBody),
        (status = 429, description = "Too many requests.", body = ErrorBody),
        (status = 404, description = "Nothing has this id.", body = ErrorBody),
    ),
)]
pub async fn one(
    caller: Caller,
    request: HttpRequest,
    path: web::Path<String>,
    state: web::Data<EdgeState>,
) -> Result<Answer<ChatAnswer>, ApiError> {
    Params::read(request.query_string())?.finish()?;
    let chat = state.ask(GetChat { id: path_id(path)?, scope: caller.scope }).await?;
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
        (status = 400, description = "A parameter is wrong; the error names it.", body = ErrorBody),
        (status = 401, description = "No valid token.", body = ErrorBody),
        (status = 429, description = "Too many requests.", body = ErrorBody),
        (status = 404, description = "Nothing has this id.", body = ErrorBody),
    ),
)]
pub async fn messages(
    caller: Caller,
    request: HttpRequest,
    path: web::Path<String>,
    state: web::Data<EdgeState>,
) -> Result<Answer<MessagesAnswer>, ApiError> {
    let (list, asked) = read_messages(Params::read(request.query_string())?, &caller)?;
    let found = state.ask(ListChatMessages { chat: path_id(path)?, list }).await?;
    Ok(Answer(MessagesAnswer::new(found.ok_or(ApiError::NotFound("no chat has this id"))?, asked)))
}
