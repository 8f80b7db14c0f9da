//! `/chats`, `/chats/{id}`, `/chats/{id}/messages`.

use std::sync::Arc;

use actix_web::{HttpRequest, web};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::described::{ChatFilters, MessageFilters, Paged, Sorted, moment, parameters};
use super::lists::{Asked, PageInfo};
use super::messages::{MessagesAnswer, read_list as read_messages};
use super::params::{CHAT_KINDS, CHAT_STATUSES, LIMIT_DEFAULT, LIMIT_MAX, Params};
use super::{Answer, path_id};
use crate::http::caller::Caller;
use crate::http::caller::UserState;
use crate::http::error::{ApiError, CallRefusals, LookupRefusals};
use crate::protocol::ChatShape;
use crate::reads::{
    ChatFilter, Cursor, GetChat, GetPastChat, ListChatMessages, ListChats, ListPastChats, Page, PastChats,
};

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
    Ok(ChatFilter {
        status: params.word("status", &CHAT_STATUSES)?,
        sector: params.id("sector")?,
        owner: params.id("owner")?,
        channel: params.id("channel")?,
        tag: params.id("tag")?,
        kind: params.word("kind", &CHAT_KINDS)?,
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

parameters! {
    /// The moment that a list is of.
    ListThen: moment(
        "at",
        "As they stood at this moment, not in the future; those created last first. Not together with page, sort and \
            order.",
    );

    /// The moment that a chat is shown at.
    ChatThen: moment("at", "As it stood at this moment, not in the future.");
}

/// Chats, by default those with the latest activity first; or as they stood at a moment.
#[utoipa::path(
    get,
    path = "/api/umbler/chats",
    operation_id = "listChats",
    tag = "umbler",
    security(("bearer" = [])),
    params(Paged, ChatFilters, Sorted, ListThen),
    responses(
        (status = 200, body = ListAnswer),
        CallRefusals,
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
    operation_id = "getChat",
    tag = "umbler",
    security(("bearer" = [])),
    params(
        ("id" = String, Path, min_length = 1, max_length = 256, description = "The provider's id, case-sensitive."),
        ChatThen,
    ),
    responses(
        (status = 200, body = ChatAnswer),
        CallRefusals,
        LookupRefusals,
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
    operation_id = "listChatMessages",
    tag = "umbler",
    security(("bearer" = [])),
    params(
        ("id" = String, Path, min_length = 1, max_length = 256, description = "The chat's id, case-sensitive."),
        Paged, MessageFilters,
    ),
    responses(
        (status = 200, body = MessagesAnswer),
        CallRefusals,
        LookupRefusals,
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
