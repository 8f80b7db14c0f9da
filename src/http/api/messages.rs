//! `/messages`.

use std::sync::Arc;

use actix_web::HttpRequest;
use serde::Serialize;
use utoipa::ToSchema;

use super::Answer;
use super::described::{MessageFilters, Paged, id, parameters};
use super::lists::{Asked, PageInfo};
use super::params::Params;
use crate::http::caller::Caller;
use crate::http::caller::UserState;
use crate::http::error::{ApiError, CallRefusals};
use crate::protocol::MessageShape;
use crate::reads::{ListMessages, MessageFilter, Page};

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

parameters! {
    /// Whose messages.
    Held:
        id("chatId", "The id of their chat."),
        id("contactId", "The id of who their chat is held with.");
}

/// Messages of all chats, the newest first.
#[utoipa::path(
    get,
    path = "/api/umbler/messages",
    operation_id = "listMessages",
    tag = "umbler",
    security(("bearer" = [])),
    params(Paged, Held, MessageFilters),
    responses(
        (status = 200, body = MessagesAnswer),
        CallRefusals,
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
