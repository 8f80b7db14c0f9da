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

/// How long a caller waits for what is looked at. A comparison after a long silence takes longer, and goes on by itself.
const RECHECK_WAIT: Duration = Duration::from_secs(20);

routes! {
    /// The link to Umbler's API: how it is, and up to when everything that happened is known.
    get "/link" => link, "getLink";
    /// Compares all messages and looks at the webhook and the agents at once. Answers with what was found, or after 20 s with
    /// what is known so far.
    write(POST) "/link/recheck" => recheck, "recheckLink",
        refuses(400, "No `UMBLER_API_TOKEN` is set.");
}

/// What a look at everything found.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecheckAnswer {
    /// Everything was looked at. False: it is still being looked at.
    finished: bool,
    /// How it is.
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
        let nothing = "no UMBLER_API_TOKEN is set, so there is nothing to look at";
        return Err(ApiError::BadRequest(nothing.to_owned()));
    }
    let (ring, mut told) = state.link.ring();
    let answered = timeout(RECHECK_WAIT, told.wait_for(|told| told.answered >= ring)).await;
    let finished = matches!(answered, Ok(Ok(_)));
    Ok(Answer(RecheckAnswer { finished, link: state.link.shape() }))
}
