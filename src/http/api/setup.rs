//! `/setup`: what a new hub still needs, step by step, for an admin. The secrets among it are shown once or never.

use actix_web::web;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::Answer;
use crate::auth::Secret;
use crate::http::caller::{Admin, UserState};
use crate::http::error::ApiError;
use crate::http::extract::{Content, RequestBody};
use crate::http::link::{AdoptError, TokenSource};
use crate::http::question::{Nothing, QueryString};
use crate::http::route::{Call, routes};
use crate::http::state::EdgeState;
use crate::http::values::string;

/// The path that the provider posts to.
const WEBHOOK_PATH: &str = "/api/umbler/webhook";
/// Longest token of the API that is taken, in characters.
const TOKEN_CHARS_MAX: usize = 4_096;

routes! {
    /// How far a new hub is set up.
    get "/setup" => setup, "getSetup";
    /// The address of the webhook with its secret, to be entered at Umbler. Answered only until the first delivery has come.
    write(POST) "/setup/webhook" => webhook, "revealWebhook",
        refuses(403, "You are not an admin, or a delivery has come: the secret is not shown again.");
    /// Takes a token of Umbler's API: tests it, stores it in a file that only the hub's owner can read, and starts the link. It is
    /// never shown again.
    write(PUT) "/setup/token" => token, "putApiToken",
        refuses(400, "Umbler refuses the token, or it is malformed."),
        refuses(403, "You are not an admin, or `UMBLER_API_TOKEN` is set where the hub runs."),
        refuses(503, "Umbler cannot be asked, or the token cannot be stored.");
}

/// How far a new hub is set up.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SetupAnswer {
    /// No delivery has ever come.
    is_empty: bool,
    /// When the last delivery came; null before the first.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_webhook_at: Option<Timestamp>,
    /// Deliveries must carry a secret.
    has_secret: bool,
    /// Where the token of Umbler's API comes from; null: there is none.
    token: Option<TokenSource>,
}

/// Where the provider posts deliveries to.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookAddress {
    /// The address without the secret, where `UMBLER_WEBHOOK_URL` says it; null: the page's own host and `path`.
    url: Option<String>,
    /// The path behind the hub's own address.
    path: &'static str,
    /// The secret, to be sent as `?token=`; null: deliveries need none.
    secret: Option<String>,
}

/// A token of Umbler's API.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TokenRequest {
    /// The token, as Umbler shows it once.
    token: String,
}

impl Content for TokenRequest {
    const BYTES_MAX: usize = 20 * 1024;

    fn read(bytes: &[u8], _: &EdgeState) -> Result<Self, ApiError> {
        // The error must not repeat what was sent.
        let malformed = |_error| ApiError::BadRequest("the body is not {\"token\":\"…\"}".to_owned());
        let request: Self = serde_json::from_slice(bytes).map_err(malformed)?;
        let token = request.token.trim();
        let is_token = !token.is_empty()
            && token.len() <= TOKEN_CHARS_MAX
            && token.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_token {
            let message = format!("must have 1 to {TOKEN_CHARS_MAX} characters and no spaces");
            return Err(ApiError::parameter("token", message));
        }
        Ok(Self { token: token.to_owned() })
    }

    fn schema(call: &mut Call) -> RefOr<Schema> {
        // The pattern is what `is_ascii_graphic` takes.
        let token = string().min_length(Some(1)).max_length(Some(TOKEN_CHARS_MAX)).pattern(Some("^[!-~]+$"));
        call.bounded::<Self>([("token", token)])
    }
}

/// A token was tested and stored.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenAnswer {
    /// The link has started with it. False: it was running, and uses the new token from now on.
    started: bool,
}

async fn setup(_: Admin, _: QueryString<Nothing>, state: UserState) -> Result<Answer<SetupAnswer>, ApiError> {
    let last_webhook_at = state.health().await?.last_webhook_at;
    Ok(Answer(SetupAnswer {
        is_empty: last_webhook_at.is_none(),
        last_webhook_at,
        has_secret: state.settings.webhook_secret.is_some(),
        token: state.link.keeper().and_then(|keeper| keeper.source()),
    }))
}

async fn webhook(
    _: Admin,
    _: QueryString<Nothing>,
    state: UserState,
) -> Result<Answer<WebhookAddress>, ApiError> {
    if state.health().await?.last_webhook_at.is_some() {
        return Err(ApiError::Forbidden("a delivery has come, so the secret is not shown again"));
    }
    Ok(Answer(WebhookAddress {
        url: state.settings.webhook_url.clone(),
        path: WEBHOOK_PATH,
        secret: state.settings.webhook_secret.as_ref().map(|secret| secret.expose().to_owned()),
    }))
}

async fn token(
    _: Admin,
    _: QueryString<Nothing>,
    RequestBody(request): RequestBody<TokenRequest>,
    state: UserState,
) -> Result<Answer<TokenAnswer>, ApiError> {
    let unavailable = |message| ApiError::Unavailable { message, retry_after_seconds: 10 };
    let keeper = state.link.keeper().ok_or_else(|| unavailable("the hub is starting"))?;
    let token = Secret::new(request.token);
    let adopted = web::block(move || keeper.adopt(token)).await.map_err(|_stopping| ApiError::Internal)?;
    match adopted {
        Ok(started) => Ok(Answer(TokenAnswer { started })),
        Err(AdoptError::Environment) => {
            Err(ApiError::Forbidden("UMBLER_API_TOKEN is set where the hub runs: change it there"))
        }
        Err(AdoptError::Refused) => Err(ApiError::parameter(
            "token",
            "is refused by Umbler: it is wrong or has expired, or the plan has no API",
        )),
        Err(AdoptError::Unreachable(reason)) => {
            log::warn!("a token cannot be tested: {reason}");
            Err(unavailable("Umbler cannot be asked now whether the token is valid"))
        }
        Err(AdoptError::Unwritable(reason)) => {
            log::error!("the token cannot be stored: {reason}");
            Err(unavailable("the token cannot be stored; the hub's log says why"))
        }
    }
}
