//! `/link`: the link to Umbler's API, and up to when everything is known.

use std::ops::RangeInclusive;
use std::time::Duration;

use actix_web::web;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::ObjectBuilder;
use utoipa::openapi::{RefOr, Schema};

use super::Answer;
use crate::http::caller::{Admin, Caller, UserState};
use crate::http::error::ApiError;
use crate::http::extract::{Content, RequestBody};
use crate::http::link::RegisterError;
use crate::http::question::{Nothing, QueryString};
use crate::http::route::{Call, routes};
use crate::http::state::EdgeState;
use crate::protocol::link::{BACKFILL_DAYS_MAX, WebhookFinding};
use crate::protocol::{LinkShape, LinkState};

/// How long a caller waits for a recheck. A comparison of a long time takes longer and goes on after the answer.
const RECHECK_WAIT: Duration = Duration::from_secs(20);
/// How many days may be read.
const BACKFILL_DAYS: RangeInclusive<u32> = 1..=BACKFILL_DAYS_MAX;
/// After how long a hub that has just taken the duties has the link.
const ELSEWHERE_SECONDS: u64 = 2;

routes! {
    /// The status of the link to Umbler's API, and up to when every message is known.
    get "/link" => link, "getLink";
    /// Compares messages and chats with Umbler, checks the webhook and reads the agents, all now. The answer comes when this is
    /// finished, or after 20 s with what is known so far.
    write(POST) "/link/recheck" => recheck, "recheckLink",
        refuses(400, "There is no token of the API.");
    /// Reads the chats that were created in the last days and all their messages, and the open chats that are older. Where such a
    /// reading is running, a longer one comes after it. `getLink` tells how far it has come.
    write(POST) "/link/backfill" => backfill, "backfillLink",
        refuses(400, "There is no token of the API, or `days` is out of range.");
    /// Creates a webhook at Umbler, with this hub's address and secret, for all lines that do not post here yet. A line posts to one
    /// application at Umbler, so that another application may get nothing more from it. The hub never does this by itself.
    write(POST) "/link/webhook" => register, "registerWebhook",
        refuses(400, "There is no token of the API."),
        refuses(409, "`webhook_not_created`: one posts here already, `UMBLER_WEBHOOK_URL` is not set, or Umbler refuses it."),
        refuses(503, "Umbler does not answer. Check the webhooks before you try again.");
}

/// The webhook that was created at Umbler.
#[derive(Debug, Serialize, ToSchema)]
pub struct RegisterAnswer {
    /// The names of the lines that post here from now on. Lines without a name are named by their id.
    lines: Vec<String>,
}

/// The period of a backfill, up to now.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BackfillRequest {
    /// How many days before now are read.
    days: u32,
}

impl Content for BackfillRequest {
    const BYTES_MAX: usize = 1_024;

    fn read(bytes: &[u8], _: &EdgeState) -> Result<Self, ApiError> {
        let request: Self = serde_json::from_slice(bytes)
            .map_err(|error| ApiError::BadRequest(format!("the body is not {{\"days\":30}}: {error}")))?;
        if !BACKFILL_DAYS.contains(&request.days) {
            let (least, most) = (BACKFILL_DAYS.start(), BACKFILL_DAYS.end());
            let message = format!("must be a whole number from {least} to {most}");
            return Err(ApiError::parameter("days", message));
        }
        Ok(request)
    }

    fn schema(call: &mut Call) -> RefOr<Schema> {
        let days =
            ObjectBuilder::new().minimum(Some(*BACKFILL_DAYS.start())).maximum(Some(*BACKFILL_DAYS.end()));
        call.bounded::<Self>([("days", days)])
    }
}

/// A backfill that begins, or that is known to be running already.
#[derive(Debug, Serialize, ToSchema)]
pub struct BackfillAnswer {
    /// How many days before now are read.
    days: u32,
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

/// Refuses what needs the link while no token is set, or another hub has the link.
fn check_linked(state: &UserState) -> Result<(), ApiError> {
    if state.link.shape().state != LinkState::Off {
        return Ok(());
    }
    if state.link.has_token() {
        let message = "another hub of the cluster has the link to Umbler: ask the one with the duties";
        return Err(ApiError::Unavailable { message, retry_after_seconds: ELSEWHERE_SECONDS });
    }
    Err(ApiError::BadRequest("no token of its API is set, so Umbler cannot be asked".to_owned()))
}

async fn backfill(
    _: Admin,
    _: QueryString<Nothing>,
    RequestBody(request): RequestBody<BackfillRequest>,
    state: UserState,
) -> Result<Answer<BackfillAnswer>, ApiError> {
    check_linked(&state)?;
    state.link.order_backfill(request.days);
    Ok(Answer(BackfillAnswer { days: request.days }))
}

async fn register(
    _: Admin,
    _: QueryString<Nothing>,
    state: UserState,
) -> Result<Answer<RegisterAnswer>, ApiError> {
    check_linked(&state)?;
    let Some(keeper) = state.link.keeper() else {
        return Err(ApiError::Unavailable { message: "the hub is starting", retry_after_seconds: 1 });
    };
    let secret = state.settings.webhook_secret.clone();
    let registered = web::block(move || keeper.register_webhook(secret.as_ref())).await;
    match registered.map_err(|_stopping| ApiError::Internal)? {
        Ok(lines) => {
            log::info!("a webhook was created at Umbler for {} lines", lines.len());
            Ok(Answer(RegisterAnswer { lines }))
        }
        Err(RegisterError::Unreachable(reason)) => {
            log::warn!("no webhook could be created at Umbler: {reason}");
            let message = "Umbler does not answer; check the webhooks before you try again";
            Err(ApiError::Unavailable { message, retry_after_seconds: 10 })
        }
        Err(error) => Err(ApiError::WebhookNotCreated(why_not_created(error))),
    }
}

fn why_not_created(error: RegisterError) -> String {
    let said = match error {
        RegisterError::Exists(WebhookFinding::Paused) => {
            "the webhook is paused: lift the pause in Umbler's panel"
        }
        RegisterError::Exists(WebhookFinding::EventsMissing) => {
            "the webhook lacks types of events: add them in Umbler's panel"
        }
        RegisterError::Exists(WebhookFinding::Missing) => "the organization has no lines",
        RegisterError::Exists(_) => "a webhook posts here already for all lines",
        RegisterError::NoAddress => {
            "UMBLER_WEBHOOK_URL is not set, so the hub does not know how Umbler reaches it"
        }
        RegisterError::Undecided => {
            "the token's owner belongs to several organizations: set UMBLER_ORGANIZATION_ID"
        }
        RegisterError::NotAllowed => "Umbler does not let this token see or create webhooks",
        RegisterError::NotLinked | RegisterError::Unreachable(_) => "Umbler cannot be asked",
        RegisterError::Refused(words) => return format!("Umbler refused the webhook: {words}"),
    };
    said.to_owned()
}

async fn recheck(
    _: Admin,
    _: QueryString<Nothing>,
    state: UserState,
) -> Result<Answer<RecheckAnswer>, ApiError> {
    check_linked(&state)?;
    let (finished, link) = state.link.recheck(RECHECK_WAIT).await;
    Ok(Answer(RecheckAnswer { finished, link }))
}
