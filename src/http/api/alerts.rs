//! `/alerts`: deadlines that passed, and who acknowledged them.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::ObjectBuilder;

use super::Answer;
use super::lists::{PageInfo, Paging};
use crate::auth::Role;
use crate::domain::AlertKind;
use crate::http::caller::{Caller, UserState};
use crate::http::error::ApiError;
use crate::http::extract::PathId;
use crate::http::question::{Nothing, QueryString, Value, question};
use crate::http::route::routes;
use crate::http::values::{Id, string, words};
use crate::http::webhook::{record_of, store};
use crate::journal::{AlertRequest, Payload, own_id};
use crate::protocol::AlertShape;
use crate::reads::{AlertFilter, GetAlert, ListAlerts};

routes! {
    /// Alerts of the chats that the token sees, the latest raised first.
    get "/alerts" => list, "listAlerts";
    /// Acknowledges an alert. It stays active until its reason is gone.
    write(POST) "/alerts/{id}/acknowledge" => acknowledge, "acknowledgeAlert",
        refuses(403, "Viewers cannot acknowledge alerts."),
        refuses(404, "There is no alert with this id in the chats that the token sees.");
}

question! {
    struct AlertsQuestion {
        page: Paging,
        /// `active` where it is left out.
        state: AlertState = AlertState::Active,
        /// The kind of deadline that passed.
        kind: Option<AlertKind>,
        /// Id of the sector that the chat is in now.
        sector: Option<Id>,
        /// Id of the chat that the alert is about.
        chat_id: Option<Id>,
    }
}

/// Which alerts to list: those that stand, those that ended, or all.
#[derive(Debug, Clone, Copy)]
enum AlertState {
    Active,
    Cleared,
    All,
}

words!(AlertState: "active" => Self::Active, "cleared" => Self::Cleared, "all" => Self::All);

impl AlertState {
    fn is_active(self) -> Option<bool> {
        match self {
            Self::Active => Some(true),
            Self::Cleared => Some(false),
            Self::All => None,
        }
    }
}

/// The hub's own id of an alert, escaped in a path.
struct AlertId(String);

impl Value for AlertId {
    fn read(text: &str) -> Result<Self, String> {
        Ok(Self(text.to_owned()))
    }

    fn schema() -> ObjectBuilder {
        string()
    }
}

/// One page of a list of alerts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AlertsAnswer {
    alerts: Vec<AlertShape>,
    #[serde(flatten)]
    page: PageInfo,
    /// The position up to which changes are in the list.
    as_of_seq: i64,
}

/// An alert that was acknowledged.
#[derive(Debug, Serialize, ToSchema)]
pub struct AcknowledgedAnswer {
    alert: AlertShape,
    /// The position of the update that reports it; `null` where nothing changed.
    seq: Option<i64>,
}

async fn list(
    caller: Caller,
    QueryString(question): QueryString<AlertsQuestion>,
    state: UserState,
) -> Result<Answer<AlertsAnswer>, ApiError> {
    let filter = AlertFilter {
        active: question.state.is_active(),
        kind: question.kind.map(AlertKind::as_str),
        sector: question.sector.map(Into::into),
        chat: question.chat_id.map(Into::into),
    };
    let list = ListAlerts { filter, limit: question.page.limit, at: question.page.at(), scope: caller.scope };
    let (found, as_of) = state.ask(list).await?;
    let page = PageInfo::new(&found, &question.page);
    Ok(Answer(AlertsAnswer { alerts: found.items, page, as_of_seq: as_of.0 }))
}

async fn acknowledge(
    caller: Caller,
    _: QueryString<Nothing>,
    PathId(AlertId(id)): PathId<AlertId>,
    state: UserState,
) -> Result<Answer<AcknowledgedAnswer>, ApiError> {
    if caller.identity.role == Role::Viewer {
        return Err(ApiError::Forbidden("viewers cannot acknowledge alerts"));
    }
    let unknown = || ApiError::NotFound("there is no alert with this id");
    let question = GetAlert { id: id.clone(), scope: Arc::clone(&caller.scope) };
    state.ask(question.clone()).await?.ok_or_else(unknown)?;
    let change = Payload::Alert(AlertRequest::Acknowledge { id, by: caller.named() });
    let ack = store(&state, record_of(&caller, change, Some(own_id("alert")))?).await?;
    // Its chat may have left the scope meanwhile.
    let alert = state.ask(question).await?.ok_or_else(unknown)?;
    Ok(Answer(AcknowledgedAnswer { alert, seq: ack.seq.map(|seq| seq.0) }))
}
