//! `/metrics/…`: the metrics of the team, for programs and for spreadsheets. Shapes and rules: `docs/metrics.md`.

pub mod sheet;
pub mod asked;
pub mod answers;
pub mod explained;
pub mod work;
pub mod past;

use actix_web::{HttpRequest, HttpResponse, web};

use asked::{AnyMetrics, Behind, Buckets, Durations, OverPeriod, Whose, Written};
use explained::{DistributionAnswer, InCsvToo, LiveAnswer, TableAnswer};
use work::{View, count_open, tabulate};

use super::described::{moment, parameters, word};
use crate::http::caller::Caller;
use crate::http::caller::UserState;
use crate::http::error::{ApiError, CallRefusals};
use crate::reads::analytics::{Dimension, LiveField};

/// Their description.
#[derive(utoipa::OpenApi)]
#[openapi(paths(live, past::trend, summary, distribution, series, heatmap, agents, sectors, channels, tags),
    modifiers(&InCsvToo),)]
pub struct MetricsDoc;

/// Their routes.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(super::readable("/metrics/live", live))
        .service(super::readable("/metrics/trend", past::trend))
        .service(super::readable("/metrics/summary", summary))
        .service(super::readable("/metrics/distribution", distribution))
        .service(super::readable("/metrics/series", series))
        .service(super::readable("/metrics/heatmap", heatmap))
        .service(super::readable("/metrics/agents", agents))
        .service(super::readable("/metrics/sectors", sectors))
        .service(super::readable("/metrics/channels", channels))
        .service(super::readable("/metrics/tags", tags));
}

/// Each metric of a period. With `explain=true` what is behind one of them.
#[utoipa::path(
    get,
    path = "/api/umbler/metrics/summary",
    operation_id = "getMetricsSummary",
    tag = "metrics",
    security(("bearer" = [])),
    params(Durations, OverPeriod, Whose, Behind, Written),
    responses(
        (status = 200, body = TableAnswer),
        CallRefusals,
    ),
)]
pub async fn summary(
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Result<HttpResponse, ApiError> {
    tabulate(View::Whole, caller, request, &state).await
}

/// How many durations of each metric lie between which bounds. With `explain=true` what is behind one of them.
#[utoipa::path(
    get,
    path = "/api/umbler/metrics/distribution",
    operation_id = "getMetricsDistribution",
    tag = "metrics",
    security(("bearer" = [])),
    params(AnyMetrics, OverPeriod, Whose, Behind, Written),
    responses(
        (status = 200, body = DistributionAnswer),
        CallRefusals,
    ),
)]
pub async fn distribution(
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Result<HttpResponse, ApiError> {
    tabulate(View::Lengths, caller, request, &state).await
}

/// Each metric, bucket by bucket of time. With `explain=true` what is behind one of them.
#[utoipa::path(
    get,
    path = "/api/umbler/metrics/series",
    operation_id = "getMetricsSeries",
    tag = "metrics",
    security(("bearer" = [])),
    params(Buckets, AnyMetrics, OverPeriod, Whose, Behind, Written),
    responses(
        (status = 200, body = TableAnswer),
        CallRefusals,
    ),
)]
pub async fn series(
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Result<HttpResponse, ApiError> {
    tabulate(View::Series, caller, request, &state).await
}

/// Each metric by weekday and hour. With `explain=true` what is behind one of them.
#[utoipa::path(
    get,
    path = "/api/umbler/metrics/heatmap",
    operation_id = "getMetricsHeatmap",
    tag = "metrics",
    security(("bearer" = [])),
    params(AnyMetrics, OverPeriod, Whose, Behind, Written),
    responses(
        (status = 200, body = TableAnswer),
        CallRefusals,
    ),
)]
pub async fn heatmap(
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Result<HttpResponse, ApiError> {
    tabulate(View::Hours, caller, request, &state).await
}

/// Each metric by agent. With `explain=true` what is behind one of them.
#[utoipa::path(
    get,
    path = "/api/umbler/metrics/agents",
    operation_id = "getMetricsAgents",
    tag = "metrics",
    security(("bearer" = [])),
    params(AnyMetrics, OverPeriod, Whose, Behind, Written),
    responses(
        (status = 200, body = TableAnswer),
        CallRefusals,
    ),
)]
pub async fn agents(
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Result<HttpResponse, ApiError> {
    tabulate(View::Agents, caller, request, &state).await
}

/// Each metric by sector. With `explain=true` what is behind one of them.
#[utoipa::path(
    get,
    path = "/api/umbler/metrics/sectors",
    operation_id = "getMetricsSectors",
    tag = "metrics",
    security(("bearer" = [])),
    params(AnyMetrics, OverPeriod, Whose, Behind, Written),
    responses(
        (status = 200, body = TableAnswer),
        CallRefusals,
    ),
)]
pub async fn sectors(
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Result<HttpResponse, ApiError> {
    tabulate(View::Sectors, caller, request, &state).await
}

/// Each metric by line. With `explain=true` what is behind one of them.
#[utoipa::path(
    get,
    path = "/api/umbler/metrics/channels",
    operation_id = "getMetricsChannels",
    tag = "metrics",
    security(("bearer" = [])),
    params(AnyMetrics, OverPeriod, Whose, Behind, Written),
    responses(
        (status = 200, body = TableAnswer),
        CallRefusals,
    ),
)]
pub async fn channels(
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Result<HttpResponse, ApiError> {
    tabulate(View::Channels, caller, request, &state).await
}

/// Each metric by tag; a chat with two counts with each. With `explain=true` what is behind one of them.
#[utoipa::path(
    get,
    path = "/api/umbler/metrics/tags",
    operation_id = "getMetricsTags",
    tag = "metrics",
    security(("bearer" = [])),
    params(AnyMetrics, OverPeriod, Whose, Behind, Written),
    responses(
        (status = 200, body = TableAnswer),
        CallRefusals,
    ),
)]
pub async fn tags(caller: Caller, request: HttpRequest, state: UserState) -> Result<HttpResponse, ApiError> {
    tabulate(View::Tags, caller, request, &state).await
}

parameters! {
    /// Which counts, of when.
    LiveParams:
        moment("at", "As they stood at this moment, not in the future."),
        word("by", "One row for each.", &Dimension::ALL.map(|by| (by.as_str(), by))),
        word("metric", "With `explain`: which count.", &LiveField::ALL.map(|field| (field.as_str(), field)));
}

/// What open chats come to now. With `explain=true` what is behind one of them.
#[utoipa::path(
    get,
    path = "/api/umbler/metrics/live",
    operation_id = "getMetricsLive",
    tag = "metrics",
    security(("bearer" = [])),
    params(LiveParams, Whose, Behind, Written),
    responses(
        (status = 200, body = LiveAnswer),
        CallRefusals,
    ),
)]
pub async fn live(caller: Caller, request: HttpRequest, state: UserState) -> Result<HttpResponse, ApiError> {
    count_open(caller, request, &state).await
}
