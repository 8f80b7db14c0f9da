//! `/contacts`, `/contacts/{id}`, `/contacts/{id}/chats`.

use std::sync::Arc;

use actix_web::{HttpRequest, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::chats::{ChatsAnswer, read_list};
use super::described::{ChatFilters, Paged, Sorted, id, parameters, search};
use super::lists::PageInfo;
use super::params::Params;
use super::{Answer, path_id};
use crate::http::caller::Caller;
use crate::http::caller::UserState;
use crate::http::error::{ApiError, CallRefusals, LookupRefusals};
use crate::protocol::ContactShape;
use crate::reads::{ContactFilter, GetContact, ListContactChats, ListContacts};

/// A page of contacts.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactsAnswer {
    contacts: Vec<ContactShape>,
    #[serde(flatten)]
    page: PageInfo,
}

/// One contact.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactAnswer {
    contact: ContactShape,
}

parameters! {
    /// Which contacts.
    ContactFilters:
        search("A part of the name or the phone, without case and accents."),
        id("tag", "The id of one of the contact's tags.");
}

/// Contacts, by default those with the latest interaction first.
#[utoipa::path(
    get,
    path = "/api/umbler/contacts",
    operation_id = "listContacts",
    tag = "umbler",
    security(("bearer" = [])),
    params(Paged, ContactFilters, Sorted),
    responses(
        (status = 200, body = ContactsAnswer),
        CallRefusals,
    ),
)]
pub async fn list(
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Result<Answer<ContactsAnswer>, ApiError> {
    let mut params = Params::read(request.query_string())?;
    let paging = params.paging()?;
    let filter = ContactFilter { search: params.search()?, tag: params.id("tag")? };
    let (sort, order) = params.sorting()?;
    caller.check_sort(sort)?;
    params.finish()?;
    let asked = paging.asked();
    let found = state
        .ask(ListContacts {
            filter,
            sort,
            order,
            limit: paging.limit,
            at: paging.at,
            scope: Arc::clone(&caller.scope),
        })
        .await?;
    Ok(Answer(ContactsAnswer { page: PageInfo::new(&found, asked), contacts: found.items }))
}

/// One contact.
#[utoipa::path(
    get,
    path = "/api/umbler/contacts/{id}",
    operation_id = "getContact",
    tag = "umbler",
    security(("bearer" = [])),
    params(
        ("id" = String, Path, min_length = 1, max_length = 256, description = "The provider's id, case-sensitive."),
    ),
    responses(
        (status = 200, body = ContactAnswer),
        CallRefusals,
        LookupRefusals,
    ),
)]
pub async fn one(
    caller: Caller,
    request: HttpRequest,
    path: web::Path<String>,
    state: UserState,
) -> Result<Answer<ContactAnswer>, ApiError> {
    Params::read(request.query_string())?.finish()?;
    let contact = state.ask(GetContact { id: path_id(path)?, scope: caller.scope }).await?;
    Ok(Answer(ContactAnswer { contact: contact.ok_or(ApiError::NotFound("no contact has this id"))? }))
}

/// The chats of one contact, with the same filters as all chats.
#[utoipa::path(
    get,
    path = "/api/umbler/contacts/{id}/chats",
    operation_id = "listContactChats",
    tag = "umbler",
    security(("bearer" = [])),
    params(
        ("id" = String, Path, min_length = 1, max_length = 256, description = "The contact's id, case-sensitive."),
        Paged, ChatFilters, Sorted,
    ),
    responses(
        (status = 200, body = ChatsAnswer),
        CallRefusals,
        LookupRefusals,
    ),
)]
pub async fn chats(
    caller: Caller,
    request: HttpRequest,
    path: web::Path<String>,
    state: UserState,
) -> Result<Answer<ChatsAnswer>, ApiError> {
    let (list, asked) = read_list(Params::read(request.query_string())?, &caller)?;
    let found = state.ask(ListContactChats { contact: path_id(path)?, list }).await?;
    Ok(Answer(ChatsAnswer::new(found.ok_or(ApiError::NotFound("no contact has this id"))?, asked)))
}
