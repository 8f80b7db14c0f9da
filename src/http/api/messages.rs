//! `/messages`: messages of all chats.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::CountedAnswer;
use super::lists::{PageInfo, Paging};
use crate::http::caller::{Caller, UserState};
use crate::http::error::ApiError;
use crate::http::fields::Fields;
use crate::http::question::{QueryString, question};
use crate::http::route::routes;
use crate::http::values::{Id, SearchText};
use crate::protocol::MessageShape;
use crate::reads::{ListMessages, MessageFilter, Page};

routes! {
    /// Messages of all chats, the newest first.
    get "/messages" => list, "listMessages";
}

question! {
    /// Which messages a list contains.
    pub struct ListedMessages {
        page: Paging,
        /// A part of the text, regardless of case and accents.
        search: Option<SearchText>,
        /// Who wrote it: `Contact`, `Member`, `Bot` or `External`.
        source: Option<Id>,
        /// Messages from this moment on.
        since: Option<Timestamp>,
        /// Messages before this moment, which is not earlier than `since`.
        until: Option<Timestamp>,
    }
    checked by until_after_since
}

question! {
    struct MessagesQuestion {
        /// Id of the chat that they belong to.
        chat_id: Option<Id>,
        /// Id of the contact that the chat is held with.
        contact_id: Option<Id>,
        list: ListedMessages,
    }
}

fn until_after_since(question: &ListedMessages, fields: &mut Fields) {
    if let (Some(since), Some(until)) = (question.since, question.until)
        && since > until
    {
        fields.refuse("until", "must not be earlier than since");
    }
}

impl ListedMessages {
    /// The messages that a caller asks for, and the page of them.
    pub fn list(self, caller: &Caller) -> (ListMessages, Paging) {
        let Self { page, search, source, since, until } = self;
        let filter = MessageFilter {
            chat: None,
            contact: None,
            source: source.map(Into::into),
            search: SearchText::wanted(search),
            since,
            until,
        };
        let scope = Arc::clone(&caller.scope);
        (ListMessages { filter, limit: page.limit, at: page.at(), scope }, page)
    }
}

/// One page of a list of messages.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessagesAnswer {
    messages: Vec<MessageShape>,
    #[serde(flatten)]
    page: PageInfo,
}

impl MessagesAnswer {
    pub fn new(found: Page<MessageShape>, page: &Paging) -> Self {
        Self { page: PageInfo::new(&found, page), messages: found.items }
    }
}

async fn list(
    caller: Caller,
    QueryString(question): QueryString<MessagesQuestion>,
    state: UserState,
) -> Result<CountedAnswer<MessagesAnswer>, ApiError> {
    let (mut list, page) = question.list.list(&caller);
    list.filter.chat = question.chat_id.map(Into::into);
    list.filter.contact = question.contact_id.map(Into::into);
    let found = state.ask(list).await?;
    let shown = found.items.len();
    Ok(CountedAnswer(MessagesAnswer::new(found, &page), shown))
}
