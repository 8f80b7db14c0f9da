//! `/metrics/…`: the metrics of the team, for programs and for spreadsheets. Shapes and rules: `docs/metrics.md`.

pub mod sheet;
pub mod asked;
pub mod answers;
pub mod work;
pub mod past;

use actix_web::{HttpRequest, HttpResponse, web};

use answers::{Distribution, LiveMetrics, MetricsExplained, MetricsTable, PeriodParams};
use work::{View, count_open, tabulate};

use crate::http::caller::Caller;
use crate::http::caller::UserState;
use crate::http::error::{ApiError, QuestionRefusals};

/// Their description.
#[derive(utoipa::OpenApi)]
#[openapi(
    paths(live, past::trend, summary, distribution, series, heatmap, agents, sectors, channels, tags),
    components(schemas(MetricsExplained))
)]
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

/// Each metric of a period. With `explain=true` a `MetricsExplained`.
#[utoipa::path(
    get,
    path = "/api/umbler/metrics/summary",
    tag = "metrics",
    security(("bearer" = [])),
    params(PeriodParams),
    responses(
        (status = 200, body = MetricsTable),
        QuestionRefusals,
    ),
)]
pub async fn summary(
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Result<HttpResponse, ApiError> {
    tabulate(View::Whole, caller, request, &state).await
}

/// How many durations of each metric lie between which bounds. With `explain=true` a `MetricsExplained`.
#[utoipa::path(
    get,
    path = "/api/umbler/metrics/distribution",
    tag = "metrics",
    security(("bearer" = [])),
    params(PeriodParams),
    responses(
        (status = 200, body = Distribution),
        QuestionRefusals,
    ),
)]
pub async fn distribution(
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Result<HttpResponse, ApiError> {
    tabulate(View::Lengths, caller, request, &state).await
}

/// Each metric, bucket by bucket of time. With `explain=true` a `MetricsExplained`.
#[utoipa::path(
    get,
    path = "/api/umbler/metrics/series",
    tag = "metrics",
    security(("bearer" = [])),
    params(
        ("bucket" = Option<String>, Query, description = "`hour`, `day` (default), `week` or `month`."),
        PeriodParams,
    ),
    responses(
        (status = 200, body = MetricsTable),
        QuestionRefusals,
    ),
)]
pub async fn series(
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Result<HttpResponse, ApiError> {
    tabulate(View::Series, caller, request, &state).await
}

/// Each metric by weekday and hour. With `explain=true` a `MetricsExplained`.
#[utoipa::path(
    get,
    path = "/api/umbler/metrics/heatmap",
    tag = "metrics",
    security(("bearer" = [])),
    params(PeriodParams),
    responses(
        (status = 200, body = MetricsTable),
        QuestionRefusals,
    ),
)]
pub async fn heatmap(
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Result<HttpResponse, ApiError> {
    tabulate(View::Hours, caller, request, &state).await
}

/// Each metric by agent. With `explain=true` a `MetricsExplained`.
#[utoipa::path(
    get,
    path = "/api/umbler/metrics/agents",
    tag = "metrics",
    security(("bearer" = [])),
    params(PeriodParams),
    responses(
        (status = 200, body = MetricsTable),
        QuestionRefusals,
    ),
)]
pub async fn agents(
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Result<HttpResponse, ApiError> {
    tabulate(View::Agents, caller, request, &state).await
}

/// Each metric by sector. With `explain=true` a `MetricsExplained`.
#[utoipa::path(
    get,
    path = "/api/umbler/metrics/sectors",
    tag = "metrics",
    security(("bearer" = [])),
    params(PeriodParams),
    responses(
        (status = 200, body = MetricsTable),
        QuestionRefusals,
    ),
)]
pub async fn sectors(
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Result<HttpResponse, ApiError> {
    tabulate(View::Sectors, caller, request, &state).await
}

/// Each metric by line. With `explain=true` a `MetricsExplained`.
#[utoipa::path(
    get,
    path = "/api/umbler/metrics/channels",
    tag = "metrics",
    security(("bearer" = [])),
    params(PeriodParams),
    responses(
        (status = 200, body = MetricsTable),
        QuestionRefusals,
    ),
)]
pub async fn channels(
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Result<HttpResponse, ApiError> {
    tabulate(View::Channels, caller, request, &state).await
}

/// Each metric by tag; a chat with two counts with each. With `explain=true` a `MetricsExplained`.
#[utoipa::path(
    get,
    path = "/api/umbler/metrics/tags",
    tag = "metrics",
    security(("bearer" = [])),
    params(PeriodParams),
    responses(
        (status = 200, body = MetricsTable),
        QuestionRefusals,
    ),
)]
pub async fn tags(caller: Caller, request: HttpRequest, state: UserState) -> Result<HttpResponse, ApiError> {
    tabulate(View::Tags, caller, request, &state).await
}

/// What open chats come to now. With `explain=true` a `MetricsExplained`, `metric` being one of the counts.
#[utoipa::path(
    get,
    path = "/api/umbler/metrics/live",
    tag = "metrics",
    security(("bearer" = [])),
    params(
        ("at" = Option<String>, Query, format = DateTime, description = "As they stood at this moment, not in the future."),
        ("by" = Option<String>, Query, description = "One row for each `agent`, `sector`, `channel` or `tag`."),
        ("metric" = Option<String>, Query, description = "With `explain`: which count."),
        ("sector" = Option<String>, Query, description = "A sector's id."),
        ("agent" = Option<String>, Query, description = "An agent's id."),
        ("channel" = Option<String>, Query, description = "A line's id."),
        ("tag" = Option<String>, Query, description = "A tag's id."),
        ("kind" = Option<String>, Query, description = "`direct` (default), `group` or `internal`."),
        ("explain" = Option<bool>, Query, description = "The chats and intervals behind the one `metric`."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "With `explain`: rows on a page; 50."),
        ("page" = Option<u32>, Query, minimum = 1, description = "With `explain`: which page, from 1."),
        ("format" = Option<String>, Query, description = "`json` (default) or `csv`, as `Accept: text/csv` is."),
    ),
    responses(
        (status = 200, body = LiveMetrics),
        QuestionRefusals,
    ),
)]
pub async fn live(caller: Caller, request: HttpRequest, state: UserState) -> Result<HttpResponse, ApiError> {
    count_open(caller, request, &state).await
}
