//! `/contacts`, `/contacts/{id}`, `/contacts/{id}/chats`.

use std::sync::Arc;

use actix_web::{HttpRequest, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::chats::{ChatsAnswer, read_list};
use super::lists::PageInfo;
use super::params::Params;
use super::{Answer, path_id};
use crate::archive::{ContactFilter, GetContact, ListContactChats, ListContacts};
use crate::http::caller::Caller;
use crate::http::caller::UserState;
use crate::http::error::{ApiError, ErrorBody, QuestionRefusals};
use crate::protocol::ContactShape;

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

/// Contacts, by default those with the latest interaction first.
#[utoipa::path(
    get,
    path = "/api/umbler/contacts",
    tag = "umbler",
    security(("bearer" = [])),
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Items on a page; 50."),
        ("page" = Option<u32>, Query, minimum = 1, description = "Which page, from 1. Not together with cursor."),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before."),
        ("search" = Option<String>, Query, description = "A part of the name or the phone, without case and accents."),
        ("tag" = Option<String>, Query, description = "The id of one of the contact's tags."),
        ("sort" = Option<String>, Query, description = "`lastInteraction` (default), `name` or `createdAt`."),
        ("order" = Option<String>, Query, description = "`asc` or `desc`; names run from A, times from the newest."),
    ),
    responses(
        (status = 200, body = ContactsAnswer),
        QuestionRefusals,
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
    tag = "umbler",
    security(("bearer" = [])),
    params(
        ("id" = String, Path, description = "The provider's id, case-sensitive."),
    ),
    responses(
        (status = 200, body = ContactAnswer),
        (status = 404, description = "Nothing has this id.", body = ErrorBody),
        QuestionRefusals,
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
    tag = "umbler",
    security(("bearer" = [])),
    params(
        ("id" = String, Path, description = "The contact's id, case-sensitive."),
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
        (status = 404, description = "Nothing has this id.", body = ErrorBody),
        QuestionRefusals,
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
