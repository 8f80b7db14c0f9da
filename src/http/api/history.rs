//! `/chats/{id}/timeline`: what happened to a chat.

use actix_web::{HttpRequest, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::described::Paged;
use super::lists::PageInfo;
use super::params::Params;
use super::{Answer, path_id};
use crate::http::caller::Caller;
use crate::http::caller::UserState;
use crate::http::error::{ApiError, CallRefusals, LookupRefusals};
use crate::protocol::history::TransitionShape;
use crate::reads::ListTransitions;

/// A page of what happened to a chat.
#[derive(Debug, Serialize, ToSchema)]
pub struct TimelineAnswer {
    timeline: Vec<TransitionShape>,
    #[serde(flatten)]
    page: PageInfo,
}

/// What happened to one chat, the oldest last.
#[utoipa::path(
    get,
    path = "/api/umbler/chats/{id}/timeline",
    operation_id = "listChatTimeline",
    tag = "umbler",
    security(("bearer" = [])),
    params(
        ("id" = String, Path, min_length = 1, max_length = 256, description = "The chat's id, case-sensitive."),
        Paged,
    ),
    responses(
        (status = 200, body = TimelineAnswer),
        CallRefusals,
        LookupRefusals,
    ),
)]
pub async fn timeline(
    caller: Caller,
    request: HttpRequest,
    path: web::Path<String>,
    state: UserState,
) -> Result<Answer<TimelineAnswer>, ApiError> {
    let mut params = Params::read(request.query_string())?;
    let paging = params.paging()?;
    params.finish()?;
    let asked = paging.asked();
    let list =
        ListTransitions { chat: path_id(path)?, limit: paging.limit, at: paging.at, scope: caller.scope };
    let found = state.ask(list).await?.ok_or(ApiError::NotFound("no chat has this id"))?;
    Ok(Answer(TimelineAnswer { page: PageInfo::new(&found, asked), timeline: found.items }))
}
