//! `/chats`, `/chats/{id}`, `/chats/{id}/messages`, `/chats/{id}/timeline`.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::lists::{PageInfo, Paging, Sorting};
use super::messages::{ListedMessages, MessagesAnswer};
use super::{Answer, CountedAnswer};
use crate::domain::ChatKind;
use crate::http::caller::{Caller, UserState};
use crate::http::error::ApiError;
use crate::http::extract::PathId;
use crate::http::fields::Fields;
use crate::http::question::{QueryString, question};
use crate::http::route::routes;
use crate::http::values::{Id, Past, SearchText};
use crate::protocol::ChatShape;
use crate::protocol::history::TransitionShape;
use crate::reads::{
    ChatFilter, GetChat, GetPastChat, ListChatMessages, ListChats, ListPastChats, ListTransitions, Page,
    PastChats, StatusFilter,
};

/// There is no chat with this id, or none that the caller sees.
const UNKNOWN: ApiError = ApiError::NotFound("there is no chat with this id");

routes! {
    /// Chats, by default those with the latest activity first; or as they were at a moment.
    get "/chats" => list, "listChats";
    /// One chat, as it is now or as it was at a moment.
    get "/chats/{id}" => one, "getChat";
    /// The messages of one chat, the newest first.
    get "/chats/{id}/messages" => messages, "listChatMessages";
    /// The history of one chat, the newest change first.
    get "/chats/{id}/timeline" => timeline, "listChatTimeline";
}

question! {
    /// Which chats a list contains.
    struct ChatFilters {
        /// Where the chat stands; `open` includes waiting ones.
        status: Option<StatusFilter>,
        /// Id of the sector of the chat.
        sector: Option<Id>,
        /// Id of the agent who has the chat.
        owner: Option<Id>,
        /// Id of the line of the chat.
        channel: Option<Id>,
        /// Id of one of the chat's tags.
        tag: Option<Id>,
        /// The kind of chat: with whom it is held.
        kind: Option<ChatKind>,
        /// A part of the contact's name or phone, regardless of case and accents.
        search: Option<SearchText>,
    }
}

question! {
    /// Which chats to list, and in which order.
    pub struct ListedChats {
        page: Paging,
        filter: ChatFilters,
        sorting: Sorting,
    }
}

question! {
    struct ChatsQuestion {
        /// List the chats as they were at this moment, which is not in the future, the latest created first.
        /// Cannot be given together with page, sort and order.
        at: Option<Past>,
        list: ListedChats,
    }
    checked by then_or_sorted
}

question! {
    struct ChatQuestion {
        /// Show the chat as it was at this moment, which is not in the future.
        at: Option<Past>,
    }
}

fn then_or_sorted(question: &ChatsQuestion, fields: &mut Fields) {
    if question.at.is_some() {
        fields.refuse_given(&["page", "sort", "order"], "cannot be given together with at");
    }
}

impl From<ChatFilters> for ChatFilter {
    fn from(filters: ChatFilters) -> Self {
        Self {
            status: filters.status,
            sector: filters.sector.map(Into::into),
            owner: filters.owner.map(Into::into),
            channel: filters.channel.map(Into::into),
            tag: filters.tag.map(Into::into),
            kind: filters.kind,
            search: SearchText::wanted(filters.search),
            contact: None,
        }
    }
}

impl ListedChats {
    /// The chats that a caller asks for, and the page of them.
    pub fn list(self, caller: &Caller) -> Result<(ListChats, Paging), ApiError> {
        let Self { page, filter, sorting } = self;
        caller.check_sort(sorting.sort)?;
        let list = ListChats {
            filter: filter.into(),
            sort: sorting.sort,
            order: sorting.order(),
            limit: page.limit,
            at: page.at(),
            scope: Arc::clone(&caller.scope),
        };
        Ok((list, page))
    }

    /// The same chats as they were at a moment.
    fn then(self, then: Timestamp, caller: &Caller) -> ListPastChats {
        ListPastChats {
            then,
            filter: self.filter.into(),
            among: None,
            limit: self.page.limit,
            after: self.page.cursor,
            scope: Arc::clone(&caller.scope),
        }
    }
}

/// One page of a list of chats.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChatsAnswer {
    chats: Vec<ChatShape>,
    #[serde(flatten)]
    page: PageInfo,
}

impl ChatsAnswer {
    pub fn new(found: Page<ChatShape>, page: &Paging) -> Self {
        Self { page: PageInfo::new(&found, page), chats: found.items }
    }
}

/// One chat, as clients see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChatAnswer {
    chat: ChatShape,
}

/// Chats as they are now, or as they were at a moment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum ListAnswer {
    /// Chats as they are now.
    Now(ChatsAnswer),
    /// Chats as they were at a moment.
    Then(PastChatsAnswer),
}

/// A page of chats as they were at a moment, the latest created first. It may have fewer items than the limit,
/// even none, and still have a next page.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PastChatsAnswer {
    chats: Vec<ChatShape>,
    /// The moment that was asked for.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Most items on a page.
    limit: u32,
    /// The cursor of the next page; `null` on the last page.
    next_cursor: Option<String>,
}

/// A page of a chat's history.
#[derive(Debug, Serialize, ToSchema)]
pub struct TimelineAnswer {
    timeline: Vec<TransitionShape>,
    #[serde(flatten)]
    page: PageInfo,
}

async fn list(
    caller: Caller,
    QueryString(question): QueryString<ChatsQuestion>,
    state: UserState,
) -> Result<CountedAnswer<ListAnswer>, ApiError> {
    if let Some(Past(at)) = question.at {
        let mut list = question.list.then(at, &caller);
        list.among = state.open_then(&list).await?;
        let limit = list.limit;
        let PastChats { chats, next } = state.ask(list).await?;
        let (next_cursor, shown) = (next.as_ref().map(ToString::to_string), chats.len());
        return Ok(CountedAnswer(ListAnswer::Then(PastChatsAnswer { chats, at, limit, next_cursor }), shown));
    }
    let (list, page) = question.list.list(&caller)?;
    let found = state.ask(list).await?;
    let shown = found.items.len();
    Ok(CountedAnswer(ListAnswer::Now(ChatsAnswer::new(found, &page)), shown))
}

async fn one(
    caller: Caller,
    QueryString(question): QueryString<ChatQuestion>,
    PathId(id): PathId,
    state: UserState,
) -> Result<Answer<ChatAnswer>, ApiError> {
    let (id, scope) = (id.into(), caller.scope);
    let chat = match question.at {
        Some(Past(then)) => state.ask(GetPastChat { then, id, scope }).await?,
        None => state.ask(GetChat { id, scope }).await?,
    };
    Ok(Answer(ChatAnswer { chat: chat.ok_or(UNKNOWN)? }))
}

async fn messages(
    caller: Caller,
    QueryString(question): QueryString<ListedMessages>,
    PathId(chat): PathId,
    state: UserState,
) -> Result<Answer<MessagesAnswer>, ApiError> {
    let (list, page) = question.list(&caller);
    let found = state.ask(ListChatMessages { chat: chat.into(), list }).await?;
    Ok(Answer(MessagesAnswer::new(found.ok_or(UNKNOWN)?, &page)))
}

async fn timeline(
    caller: Caller,
    QueryString(page): QueryString<Paging>,
    PathId(chat): PathId,
    state: UserState,
) -> Result<Answer<TimelineAnswer>, ApiError> {
    let list = ListTransitions { chat: chat.into(), limit: page.limit, at: page.at(), scope: caller.scope };
    let found = state.ask(list).await?.ok_or(UNKNOWN)?;
    Ok(Answer(TimelineAnswer { page: PageInfo::new(&found, &page), timeline: found.items }))
}
