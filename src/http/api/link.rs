//! `/link`: the link to Umbler's API, and up to when everything is known.

use std::time::Duration;

use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::Answer;
use crate::http::caller::{Admin, Caller, UserState};
use crate::http::error::ApiError;
use crate::http::question::{Nothing, QueryString};
use crate::http::route::routes;
use crate::protocol::{LinkShape, LinkState};

/// How long a caller waits for a recheck. A comparison of a long time takes longer and goes on after the answer.
const RECHECK_WAIT: Duration = Duration::from_secs(20);

routes! {
    /// The status of the link to Umbler's API, and up to when every message is known.
    get "/link" => link, "getLink";
    /// Compares messages and chats with Umbler, checks the webhook and reads the agents, all now. The answer comes when this is
    /// finished, or after 20 s with what is known so far.
    write(POST) "/link/recheck" => recheck, "recheckLink",
        refuses(400, "`UMBLER_API_TOKEN` is not set.");
}

/// The result of a recheck.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecheckAnswer {
    /// False: the recheck takes longer than 20 s and goes on. Ask `GET /api/umbler/link` later.
    finished: bool,
    link: LinkShape,
}

async fn link(
    caller: Caller,
    _: QueryString<Nothing>,
    state: UserState,
) -> Result<Answer<LinkShape>, ApiError> {
    let shape = state.link.shape();
    let sees_all = caller.scope.is_whole() && !caller.scope.is_masked();
    Ok(Answer(if sees_all { shape } else { shape.narrowed() }))
}

async fn recheck(
    _: Admin,
    _: QueryString<Nothing>,
    state: UserState,
) -> Result<Answer<RecheckAnswer>, ApiError> {
    if state.link.shape().state == LinkState::Off {
        let nothing = "UMBLER_API_TOKEN is not set, so the hub cannot ask Umbler's API";
        return Err(ApiError::BadRequest(nothing.to_owned()));
    }
    let (request, mut status) = state.link.request_recheck();
    let waited = timeout(RECHECK_WAIT, status.wait_for(|status| status.finished >= request)).await;
    let finished = matches!(waited, Ok(Ok(_)));
    Ok(Answer(RecheckAnswer { finished, link: state.link.shape() }))
}
