//! `/stats`, `/updates`, `/webhook/status`.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Answer;
use crate::domain::Seq;
use crate::http::caller::{Caller, UserState};
use crate::http::error::ApiError;
use crate::http::question::{Nothing, Query, question};
use crate::http::route::routes;
use crate::http::values::{Id, Past};
use crate::protocol::StatsShape;
use crate::reads::webhooks::{DeliveryCount, IgnoredDelivery, UnrecognizedDelivery};
use crate::reads::{ListUpdates, WebhookStatus};
use crate::telemetry::clock;

/// Updates in one answer where nothing is asked for.
const UPDATES_DEFAULT: u32 = 100;
/// Updates in one answer at most.
const UPDATES_MAX: u32 = 1_000;

routes! {
    /// The counters, as of the newest update, or as they stood at a moment.
    get "/stats" => stats, "getStats";
    /// The updates after a position, for programs that do not keep a socket open.
    get "/updates" => updates, "listUpdates",
        refuses(410, "Another epoch, or a position that is not kept any more.");
    /// How the provider's deliveries fared: the last one, the silence since, counts, and what was not understood.
    get "/webhook/status" => webhook_status, "getWebhookStatus";
}

question! {
    struct StatsQuestion {
        /// As they stood at this moment, not in the future.
        at: Option<Past>,
    }
}

question! {
    struct UpdatesQuestion {
        /// The last position that the caller has.
        after: i64 [0..=i64::MAX] = 0,
        /// Updates at most.
        limit: u32 [1..=UPDATES_MAX] = UPDATES_DEFAULT,
        /// The life of the journal that `after` belongs to.
        epoch: Option<Id>,
    }
}

async fn stats(
    caller: Caller,
    Query(question): Query<StatsQuestion>,
    state: UserState,
) -> Result<Answer<StatsShape>, ApiError> {
    let then = question.at.map(|Past(then)| then);
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

async fn updates(
    caller: Caller,
    Query(question): Query<UpdatesQuestion>,
    state: UserState,
) -> Result<Answer<UpdatesAnswer>, ApiError> {
    let UpdatesQuestion { after, limit, epoch } = question;
    let (after, epoch) = (Seq(after), epoch.map(Into::into));
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

async fn webhook_status(
    caller: Caller,
    _: Query<Nothing>,
    state: UserState,
) -> Result<Answer<WebhookStatusAnswer>, ApiError> {
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
