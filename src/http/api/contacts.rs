//! `/contacts`, `/contacts/{id}`, `/contacts/{id}/chats`.

use serde::Serialize;
use utoipa::ToSchema;

use super::chats::{ChatsAnswer, ListedChats};
use super::lists::{PageInfo, Paging, Sorting};
use super::{Answer, CountedAnswer};
use crate::http::caller::{Caller, UserState};
use crate::http::error::ApiError;
use crate::http::extract::PathId;
use crate::http::question::{Nothing, QueryString, question};
use crate::http::route::routes;
use crate::http::values::{Id, SearchText};
use crate::protocol::ContactShape;
use crate::reads::{ContactFilter, GetContact, ListContactChats, ListContacts};

routes! {
    /// Contacts, by default those with the latest interaction first.
    get "/contacts" => list, "listContacts";
    /// One contact, with its newest message.
    get "/contacts/{id}" => one, "getContact";
    /// The chats of one contact, with the same filters as for all chats.
    get "/contacts/{id}/chats" => chats, "listContactChats";
}

question! {
    struct ContactsQuestion {
        page: Paging,
        sorting: Sorting,
        /// A part of the name or phone, regardless of case and accents.
        search: Option<SearchText>,
        /// Id of one of the contact's tags.
        tag: Option<Id>,
    }
}

/// One page of a list of contacts.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactsAnswer {
    contacts: Vec<ContactShape>,
    #[serde(flatten)]
    page: PageInfo,
}

/// One contact, as clients see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactAnswer {
    contact: ContactShape,
}

async fn list(
    caller: Caller,
    QueryString(question): QueryString<ContactsQuestion>,
    state: UserState,
) -> Result<CountedAnswer<ContactsAnswer>, ApiError> {
    caller.check_sort(question.sorting.sort)?;
    let filter =
        ContactFilter { search: SearchText::wanted(question.search), tag: question.tag.map(Into::into) };
    let found = state
        .ask(ListContacts {
            filter,
            sort: question.sorting.sort,
            order: question.sorting.order(),
            limit: question.page.limit,
            at: question.page.at(),
            scope: caller.scope,
        })
        .await?;
    let shown = found.items.len();
    let answer = ContactsAnswer { page: PageInfo::new(&found, &question.page), contacts: found.items };
    Ok(CountedAnswer(answer, shown))
}

async fn one(
    caller: Caller,
    _: QueryString<Nothing>,
    PathId(id): PathId,
    state: UserState,
) -> Result<Answer<ContactAnswer>, ApiError> {
    let contact = state.ask(GetContact { id: id.into(), scope: caller.scope }).await?;
    Ok(Answer(ContactAnswer {
        contact: contact.ok_or(ApiError::NotFound("there is no contact with this id"))?,
    }))
}

async fn chats(
    caller: Caller,
    QueryString(question): QueryString<ListedChats>,
    PathId(contact): PathId,
    state: UserState,
) -> Result<CountedAnswer<ChatsAnswer>, ApiError> {
    let (list, page) = question.list(&caller)?;
    let found = state.ask(ListContactChats { contact: contact.into(), list }).await?;
    let found = found.ok_or(ApiError::NotFound("there is no contact with this id"))?;
    let shown = found.items.len();
    Ok(CountedAnswer(ChatsAnswer::new(found, &page), shown))
}
