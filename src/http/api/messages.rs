//! `/messages`.

use std::sync::Arc;

use actix_web::HttpRequest;
use serde::Serialize;
use utoipa::ToSchema;

use super::Answer;
use super::lists::{Asked, PageInfo};
use super::params::Params;
use crate::archive::{ListMessages, MessageFilter, Page};
use crate::http::caller::Caller;
use crate::http::caller::UserState;
use crate::http::error::{ApiError, QuestionRefusals};
use crate::protocol::MessageShape;

/// A page of messages.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessagesAnswer {
    messages: Vec<MessageShape>,
    #[serde(flatten)]
    page: PageInfo,
}

impl MessagesAnswer {
    /// The answer that these messages are.
    pub fn new(found: Page<MessageShape>, asked: Asked) -> Self {
        Self { page: PageInfo::new(&found, asked), messages: found.items }
    }
}

/// What a query string asks of the messages of one chat.
pub fn read_list(mut params: Params, caller: &Caller) -> Result<(ListMessages, Asked), ApiError> {
    let read = read_filtered(&mut params, None, None, caller)?;
    params.finish()?;
    Ok(read)
}

fn read_filtered(
    params: &mut Params,
    chat: Option<String>,
    contact: Option<String>,
    caller: &Caller,
) -> Result<(ListMessages, Asked), ApiError> {
    let paging = params.paging()?;
    let (since, until) = (params.moment("since")?, params.moment("until")?);
    if let (Some(since), Some(until)) = (since, until)
        && since > until
    {
        return Err(ApiError::parameter("until", "must not be earlier than since"));
    }
    let filter =
        MessageFilter { chat, contact, source: params.id("source")?, search: params.search()?, since, until };
    let asked = paging.asked();
    Ok((ListMessages { filter, limit: paging.limit, at: paging.at, scope: Arc::clone(&caller.scope) }, asked))
}

/// Messages of all chats, the newest first.
#[utoipa::path(
    get,
    path = "/api/umbler/messages",
    tag = "umbler",
    security(("bearer" = [])),
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Items on a page; 50."),
        ("page" = Option<u32>, Query, minimum = 1, description = "Which page, from 1. Not together with cursor."),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before."),
        ("search" = Option<String>, Query, description = "A part of the text, without case and accents."),
        ("chatId" = Option<String>, Query, description = "The id of their chat."),
        ("contactId" = Option<String>, Query, description = "The id of who their chat is held with."),
        ("source" = Option<String>, Query, description = "`Contact`, `Member`, `Bot`, `External`."),
        ("since" = Option<String>, Query, format = DateTime, description = "The first moment that counts."),
        ("until" = Option<String>, Query, format = DateTime, description = "The first moment that counts no more."),
    ),
    responses(
        (status = 200, body = MessagesAnswer),
        QuestionRefusals,
    ),
)]
pub async fn list(
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Result<Answer<MessagesAnswer>, ApiError> {
    let mut params = Params::read(request.query_string())?;
    let (chat, contact) = (params.id("chatId")?, params.id("contactId")?);
    let (list, asked) = read_filtered(&mut params, chat, contact, &caller)?;
    params.finish()?;
    Ok(Answer(MessagesAnswer::new(state.ask(list).await?, asked)))
}
