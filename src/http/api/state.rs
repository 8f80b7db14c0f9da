//! `/stats`, `/updates`, `/webhook/status`.

use actix_web::HttpRequest;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Answer;
use super::described::{id, moment, number, parameters};
use super::params::Params;
use crate::domain::Seq;
use crate::http::caller::Caller;
use crate::http::caller::UserState;
use crate::http::error::{ApiError, CallRefusals, ErrorBody};
use crate::protocol::StatsShape;
use crate::reads::webhooks::{DeliveryCount, IgnoredDelivery, UnrecognizedDelivery};
use crate::reads::{ListUpdates, WebhookStatus};
use crate::telemetry::clock;

/// Updates in one answer where nothing is asked for.
const UPDATES_DEFAULT: u32 = 100;
/// Updates in one answer at most.
const UPDATES_MAX: u32 = 1_000;

parameters! {
    /// The moment that the counters are of.
    CountersThen: moment("at", "As they stood at this moment, not in the future.");

    /// Which updates.
    UpdatesAfter:
        number("after", "The last position that the caller has; 0.", 0, i64::MAX),
        number("limit", "Updates at most; 100.", 1, UPDATES_MAX),
        id("epoch", "The life of the journal that `after` belongs to.");
}

/// The counters, as of the newest update, or as they stood at a moment.
#[utoipa::path(
    get,
    path = "/api/umbler/stats",
    operation_id = "getStats",
    tag = "umbler",
    security(("bearer" = [])),
    params(CountersThen),
    responses(
        (status = 200, body = StatsShape),
        CallRefusals,
    ),
)]
pub async fn stats(
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Result<Answer<StatsShape>, ApiError> {
    let mut params = Params::read(request.query_string())?;
    let then = params.past_moment("at")?;
    params.finish()?;
    Ok(Answer(state.stats(caller.scope, then).await?))
}

/// What came after a position.
#[derive(Debug, Serialize, ToSchema)]
pub struct UpdatesAnswer {
    /// The `umbler_update` envelopes of the socket, in order.
    #[schema(value_type = Vec<Object>)]
    updates: Vec<Box<RawValue>>,
    /// The last position examined: ask on from here.
    next: i64,
    /// The newest position.
    seq: i64,
    /// The life of the journal.
    epoch: String,
}

/// The updates after a position, for programs that do not keep a socket open.
#[utoipa::path(
    get,
    path = "/api/umbler/updates",
    operation_id = "listUpdates",
    tag = "umbler",
    security(("bearer" = [])),
    params(UpdatesAfter),
    responses(
        (status = 200, body = UpdatesAnswer),
        CallRefusals,
        (status = 410, description = "Another epoch, or a position that is not kept any more.", body = ErrorBody),
    ),
)]
pub async fn updates(
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Result<Answer<UpdatesAnswer>, ApiError> {
    let mut params = Params::read(request.query_string())?;
    let after = Seq(params.number("after", 0, i64::MAX)?.unwrap_or(0));
    let limit = params.number("limit", 1, UPDATES_MAX)?.unwrap_or(UPDATES_DEFAULT);
    let epoch = params.id("epoch")?;
    params.finish()?;
    let found = state
        .ask(ListUpdates { after, limit, epoch, scope: caller.scope, user: caller.identity.sub })
        .await?;
    let updates = found.frames.into_iter().map(RawValue::from_string).collect::<Result<_, _>>();
    let updates = updates.map_err(|error| {
        log::error!("a stored update is no JSON: {error}");
        ApiError::Internal
    })?;
    Ok(Answer(UpdatesAnswer { updates, next: found.next.0, seq: found.seq.0, epoch: found.epoch }))
}

/// How the provider's deliveries fared.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookStatusAnswer {
    /// When the last delivery came, whatever became of it.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_delivery_at: Option<Timestamp>,
    /// Seconds since then.
    silence_seconds: Option<i64>,
    /// Deliveries that got a position, the ones that were not understood included.
    accepted: i64,
    /// Deliveries that were known.
    duplicates: i64,
    /// Objects without an id or a type.
    ignored: i64,
    /// Of the accepted ones, those that were not understood.
    undecodable: i64,
    /// By type and outcome.
    counts: Vec<DeliveryCount>,
    /// The newest that were not understood, with the reason; at most 50. Empty for viewers and limited tokens.
    recent_undecodable: Vec<UnrecognizedDelivery>,
    /// The newest objects without an id or a type, with the reason; at most 50. Empty for viewers and limited tokens.
    recent_ignored: Vec<IgnoredDelivery>,
}

/// How the provider's deliveries fared: the last one, the silence since, counts, and what was not understood.
#[utoipa::path(
    get,
    path = "/api/umbler/webhook/status",
    operation_id = "getWebhookStatus",
    tag = "umbler",
    security(("bearer" = [])),
    responses(
        (status = 200, body = WebhookStatusAnswer),
        CallRefusals,
    ),
)]
pub async fn webhook_status(
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Result<Answer<WebhookStatusAnswer>, ApiError> {
    Params::read(request.query_string())?.finish()?;
    let mut report = state.ask(WebhookStatus).await?;
    if caller.scope.is_masked() || !caller.scope.is_whole() {
        // Nobody knows whose chats these speak of.
        report.unrecognized.clear();
        report.ignored.clear();
    }
    // A clock that was set back makes no negative silence.
    let silence = |last: Timestamp| (clock::now().as_second() - last.as_second()).max(0);
    let undecodable = report.total("unrecognized");
    Ok(Answer(WebhookStatusAnswer {
        last_delivery_at: report.last_delivery_at,
        silence_seconds: report.last_delivery_at.map(silence),
        accepted: report.total("accepted") + undecodable,
        duplicates: report.total("duplicate"),
        ignored: report.total("ignored"),
        undecodable,
        counts: report.counts,
        recent_undecodable: report.unrecognized,
        recent_ignored: report.ignored,
    }))
}
