//! `/metrics/…`: the metrics of the team, for programs and for spreadsheets. `docs/metrics.md` has the shapes
//! and rules.

pub mod sheet;
pub mod questions;
pub mod answers;
pub mod explained;
pub mod work;
pub mod past;

use actix_web::HttpRequest;

use answers::{Distribution, LiveMetrics, MetricsTable};
use explained::{OrExplained, Tabled};
use questions::{DurationsQuestion, LiveQuestion, NumbersQuestion, SeriesQuestion};
use work::{MetricsView, count_open, tabulate};

use crate::http::caller::{Caller, UserState};
use crate::http::error::ApiError;
use crate::http::question::QueryString;
use crate::http::route::routes;

/// A table, or the occurrences behind one of its numbers.
type Answer<T> = Result<Tabled<OrExplained<T>>, ApiError>;

/// Makes the handler of a route that is one view of the metrics.
macro_rules! of_view {
    ($handler:ident: $view:expr) => {
        async fn $handler(
            caller: Caller,
            QueryString(question): QueryString<NumbersQuestion>,
            request: HttpRequest,
            state: UserState,
        ) -> Answer<MetricsTable> {
            table_of($view, question, caller, request, state).await
        }
    };
}

of_view!(summary: MetricsView::Whole);
of_view!(heatmap: MetricsView::Hours);
of_view!(agents: MetricsView::Agents);
of_view!(sectors: MetricsView::Sectors);
of_view!(channels: MetricsView::Channels);
of_view!(tags: MetricsView::Tags);

routes! {
    /// Counts of the chats that are open now. With `explain=true`: the chats behind one count.
    get "/metrics/live" => live, "getMetricsLive";
    /// How many chats were open at some moments of a period.
    get "/metrics/trend" => past::trend, "getMetricsTrend";
    /// Each metric of a period. With `explain=true`: the occurrences behind one metric.
    get "/metrics/summary" => summary, "getMetricsSummary";
    /// How many durations of each metric are between which bounds. With `explain=true`: the occurrences behind
    /// one metric.
    get "/metrics/distribution" => distribution, "getMetricsDistribution";
    /// Each metric per bucket of time. With `explain=true`: the occurrences behind one metric.
    get "/metrics/series" => series, "getMetricsSeries";
    /// Each metric by weekday and hour. With `explain=true`: the occurrences behind one metric.
    get "/metrics/heatmap" => heatmap, "getMetricsHeatmap";
    /// Each metric by agent. With `explain=true`: the occurrences behind one metric.
    get "/metrics/agents" => agents, "getMetricsAgents";
    /// Each metric by sector. With `explain=true`: the occurrences behind one metric.
    get "/metrics/sectors" => sectors, "getMetricsSectors";
    /// Each metric by line. With `explain=true`: the occurrences behind one metric.
    get "/metrics/channels" => channels, "getMetricsChannels";
    /// Each metric by tag; a chat with two tags counts for both. With `explain=true`: the occurrences behind
    /// one metric.
    get "/metrics/tags" => tags, "getMetricsTags";
}

async fn table_of(
    view: MetricsView,
    question: NumbersQuestion,
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Answer<MetricsTable> {
    let metrics = question.metric.map(|names| names.0);
    tabulate(view, (metrics, question.numbers), caller, request, &state).await.map(Tabled::from)
}

async fn series(
    caller: Caller,
    QueryString(SeriesQuestion { bucket, numbers }): QueryString<SeriesQuestion>,
    request: HttpRequest,
    state: UserState,
) -> Answer<MetricsTable> {
    table_of(MetricsView::Series(bucket), numbers, caller, request, state).await
}

async fn distribution(
    caller: Caller,
    QueryString(question): QueryString<DurationsQuestion>,
    request: HttpRequest,
    state: UserState,
) -> Answer<Distribution> {
    let metrics = question.metric.map(|names| names.0);
    tabulate(MetricsView::Lengths, (metrics, question.numbers), caller, request, &state)
        .await
        .map(Tabled::from)
}

async fn live(
    caller: Caller,
    QueryString(question): QueryString<LiveQuestion>,
    request: HttpRequest,
    state: UserState,
) -> Answer<LiveMetrics> {
    count_open(question, caller, request, &state).await.map(Tabled::from)
}
