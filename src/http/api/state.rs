//! `/stats`, `/updates`, `/webhook/status` and `/webhook/undecodable/{id}`: counters, updates, and how deliveries arrive.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Answer;
use crate::cluster::reach::{Reached, reach};
use crate::domain::Seq;
use crate::http::caller::{Admin, Caller, UserState};
use crate::http::error::ApiError;
use crate::http::extract::PathId;
use crate::http::question::{Nothing, QueryString, question};
use crate::http::route::routes;
use crate::http::state::EdgeState;
use crate::http::values::{Id, Past};
use crate::protocol::StatsShape;
use crate::reads::webhooks::{
    DeliveryCount, GetUndecodable, IgnoredDelivery, UndecodableBody, UnrecognizedDelivery,
};
use crate::reads::{ListUpdates, WebhookStatus};
use crate::telemetry::by_minute::MinuteOfDeliveries;
use crate::telemetry::clock;

/// Updates in one answer where no limit is given.
const UPDATES_DEFAULT: u32 = 100;
/// Most updates in one answer.
const UPDATES_MAX: u32 = 1_000;

routes! {
    /// The counters, as of the newest update, or as they were at a moment.
    get "/stats" => stats, "getStats";
    /// The updates after a position, for programs that do not keep a socket open.
    get "/updates" => updates, "listUpdates",
        refuses(410, "The position belongs to another epoch, or what came after it is no longer kept.");
    /// How the provider's deliveries arrive: the last one, the time since then, counts, and which were not
    /// understood.
    get "/webhook/status" => webhook_status, "getWebhookStatus";
    /// One delivery that was not understood, as the provider posted it. It holds what customers wrote, so only admins
    /// are shown it.
    get "/webhook/undecodable/{id}" => undecodable, "getUndecodableDelivery";
}

question! {
    struct StatsQuestion {
        /// Count as of this moment, which is not in the future.
        at: Option<Past>,
    }
}

question! {
    struct UpdatesQuestion {
        /// The last position that the caller has.
        after: i64 [0..=i64::MAX] = 0,
        /// Most updates in the answer.
        limit: u32 [1..=UPDATES_MAX] = UPDATES_DEFAULT,
        /// The epoch of the journal that `after` belongs to.
        epoch: Option<Id>,
    }
}

async fn stats(
    caller: Caller,
    QueryString(question): QueryString<StatsQuestion>,
    state: UserState,
) -> Result<Answer<StatsShape>, ApiError> {
    let then = question.at.map(|Past(then)| then);
    Ok(Answer(state.stats(caller.scope, then).await?))
}

/// The updates after a position.
#[derive(Debug, Serialize, ToSchema)]
pub struct UpdatesAnswer {
    /// The same `umbler_update` envelopes as on the socket, in order.
    #[schema(value_type = Vec<Object>)]
    updates: Vec<Box<RawValue>>,
    /// The last position that was examined. Use it as `after` of the next question.
    next: i64,
    /// The newest position of the journal.
    seq: i64,
    /// The epoch of the journal.
    epoch: String,
}

async fn updates(
    caller: Caller,
    QueryString(question): QueryString<UpdatesQuestion>,
    state: UserState,
) -> Result<Answer<UpdatesAnswer>, ApiError> {
    let UpdatesQuestion { after, limit, epoch } = question;
    let (after, epoch) = (Seq(after), epoch.map(Into::into));
    reach_here(&state, after).await?;
    let found = state
        .ask(ListUpdates { after, limit, epoch, scope: caller.scope, user: caller.identity.sub })
        .await?;
    let updates = found.frames.into_iter().map(RawValue::from_string).collect::<Result<_, _>>();
    let updates = updates.map_err(|error| {
        log::error!("a stored update is not valid JSON: {error}");
        ApiError::Internal
    })?;
    Ok(Answer(UpdatesAnswer { updates, next: found.next.0, seq: found.seq.0, epoch: found.epoch }))
}

/// Waits for a position that another hub of the cluster may have shown already.
async fn reach_here(state: &EdgeState, after: Seq) -> Result<(), ApiError> {
    let newest = state.reads.newest.clone();
    let Some(cluster) = state.cluster.as_ref().filter(|_| after > *newest.borrow()) else { return Ok(()) };
    match reach(newest, after.0, cluster).await {
        Reached::Here | Reached::Nowhere => Ok(()),
        Reached::Elsewhere => Err(ApiError::Unavailable {
            message: "this hub has not reached the position yet; another hub may have",
            retry_after_seconds: 1,
        }),
    }
}

async fn undecodable(
    Admin(_): Admin,
    PathId(id): PathId,
    _: QueryString<Nothing>,
    state: UserState,
) -> Result<Answer<UndecodableBody>, ApiError> {
    let missing = || ApiError::NotFound("there is no such delivery, or it was understood");
    let seq = String::from(id).parse().map_err(|_no_position| missing())?;
    state.ask(GetUndecodable(seq)).await?.map(Answer).ok_or_else(missing)
}

/// How the provider's deliveries arrive.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookStatusAnswer {
    /// When the last delivery came, whatever its outcome.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_delivery_at: Option<Timestamp>,
    /// Seconds since the last delivery.
    silence_seconds: Option<i64>,
    /// Deliveries that got a position, including those that were not understood.
    accepted: i64,
    /// Deliveries that were already known.
    duplicates: i64,
    /// Objects without an id or a type.
    ignored: i64,
    /// Accepted deliveries that were not understood.
    undecodable: i64,
    /// Counts by type and outcome.
    counts: Vec<DeliveryCount>,
    /// The deliveries that this hub answered in each minute of the last hour, the oldest first. Minutes without one are left out.
    minutes: Vec<MinuteOfDeliveries>,
    /// From when on `minutes` counts: when this hub started.
    #[schema(value_type = String, format = DateTime)]
    minutes_since: Timestamp,
    /// The newest deliveries that were not understood, with the reason; at most 50. Empty for viewers and
    /// limited tokens.
    recent_undecodable: Vec<UnrecognizedDelivery>,
    /// The newest objects without an id or a type, with the reason; at most 50. Empty for viewers and limited
    /// tokens.
    recent_ignored: Vec<IgnoredDelivery>,
}

async fn webhook_status(
    caller: Caller,
    _: QueryString<Nothing>,
    state: UserState,
) -> Result<Answer<WebhookStatusAnswer>, ApiError> {
    let mut report = state.ask(WebhookStatus).await?;
    if caller.scope.is_masked() || !caller.scope.is_whole() {
        // Nobody knows to whose chats these belong.
        report.unrecognized.clear();
        report.ignored.clear();
    }
    // A clock that was set back must not give a negative number.
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
        minutes: state.by_minute.minutes(clock::now()),
        minutes_since: state.by_minute.since,
        recent_undecodable: report.unrecognized,
        recent_ignored: report.ignored,
    }))
}
