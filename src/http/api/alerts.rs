//! `/alerts`: deadlines that passed, and who took note of them.

use std::sync::Arc;

use actix_web::{HttpRequest, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::Answer;
use super::described::{Paged, id, parameters, word};
use super::lists::PageInfo;
use super::params::Params;
use crate::auth::Role;
use crate::http::caller::Caller;
use crate::http::caller::UserState;
use crate::http::error::{ApiError, CallRefusals, ErrorBody};
use crate::http::webhook::{record_of, store};
use crate::journal::{AlertRequest, Payload, own_id};
use crate::protocol::AlertShape;
use crate::reads::{AlertFilter, GetAlert, ListAlerts, alerts};

/// A page of alerts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AlertsAnswer {
    alerts: Vec<AlertShape>,
    #[serde(flatten)]
    page: PageInfo,
    /// The position that the list includes.
    as_of_seq: i64,
}

/// An alert of which somebody took note.
#[derive(Debug, Serialize, ToSchema)]
pub struct AcknowledgedAnswer {
    alert: AlertShape,
    /// The position of the update that tells it; `null` where nothing changed.
    seq: Option<i64>,
}

/// The words of `state`: active, not active, or either.
const STATES: [(&str, Option<bool>); 3] = [("active", Some(true)), ("cleared", Some(false)), ("all", None)];

parameters! {
    /// Which alerts.
    AlertFilters:
        word("state", "`active` (default).", &STATES),
        word("kind", "Which deadline.", &alerts::kinds()),
        id("sector", "The id of the sector that their chat stands in now."),
        id("chatId", "The id of their chat.");
}

/// Alerts of the chats that the token sees, those that were raised last first.
#[utoipa::path(
    get,
    path = "/api/umbler/alerts",
    operation_id = "listAlerts",
    tag = "umbler",
    security(("bearer" = [])),
    params(Paged, AlertFilters),
    responses(
        (status = 200, body = AlertsAnswer),
        CallRefusals,
    ),
)]
pub async fn list(
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Result<Answer<AlertsAnswer>, ApiError> {
    let mut params = Params::read(request.query_string())?;
    let paging = params.paging()?;
    let filter = AlertFilter {
        active: params.word("state", &STATES)?.unwrap_or(Some(true)),
        kind: params.word("kind", &alerts::kinds())?,
        sector: params.id("sector")?,
        chat: params.id("chatId")?,
    };
    params.finish()?;
    let asked = paging.asked();
    let list = ListAlerts { filter, limit: paging.limit, at: paging.at, scope: Arc::clone(&caller.scope) };
    let (found, as_of) = state.ask(list).await?;
    let page = PageInfo::new(&found, asked);
    Ok(Answer(AlertsAnswer { alerts: found.items, page, as_of_seq: as_of.0 }))
}

/// Takes note of an alert. It stays active until its reason is gone.
#[utoipa::path(
    post,
    path = "/api/umbler/alerts/{id}/acknowledge",
    operation_id = "acknowledgeAlert",
    tag = "umbler",
    security(("bearer" = [])),
    params(("id" = String, Path, description = "The alert's id, escaped.")),
    responses(
        (status = 200, description = "Durable.", body = AcknowledgedAnswer),
        CallRefusals,
        (status = 403, description = "Viewers take note of nothing.", body = ErrorBody),
        (status = 404, description = "No alert of a chat that the token sees has this id.", body = ErrorBody),
        (status = 415, description = "A body, of which none is needed, is not declared as JSON.", body = ErrorBody),
    ),
)]
pub async fn acknowledge(
    caller: Caller,
    request: HttpRequest,
    path: web::Path<String>,
    state: UserState,
) -> Result<Answer<AcknowledgedAnswer>, ApiError> {
    if caller.identity.role == Role::Viewer {
        return Err(ApiError::Forbidden("viewers take note of no alerts"));
    }
    Params::read(request.query_string())?.finish()?;
    let id = path.into_inner();
    let unknown = || ApiError::NotFound("no alert has this id");
    let known = GetAlert { id: id.clone(), scope: Arc::clone(&caller.scope) };
    state.ask(known.clone()).await?.ok_or_else(unknown)?;
    let change = Payload::Alert(AlertRequest::Acknowledge { id, by: caller.named() });
    let ack = store(&state, record_of(&caller, change, Some(own_id("alert")))?).await?;
    // Its chat may have left the scope meanwhile.
    let alert = state.ask(known).await?.ok_or_else(unknown)?;
    Ok(Answer(AcknowledgedAnswer { alert, seq: ack.seq.map(|seq| seq.0) }))
}
