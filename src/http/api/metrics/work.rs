//! What the routes do: read the question, wait for the metrics, ask, and lay out the cells.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::asked::{self, Page};
use super::sheet::{Format, Sheet};
use crate::archive::{ArchiveError, FoundNames, LookUpNames, Query};
use crate::auth::Scope;
use crate::domain::metrics::Metric;
use crate::http::api::params::Params;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::state::EdgeState;
use crate::metrics::table::Numbers;
use crate::metrics::{
    Clock, Explain, ExplainNow, Explained, Grouping, Key, LiveField, LiveNow, LiveNumbers, Period, TableRow,
    Tabulate, Tabulated,
};
use crate::telemetry::clock;

/// What the rows of a route are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Everything.
    Whole,
    /// Buckets of time.
    Series,
    /// Hours of the week.
    Hours,
    /// Agents.
    Agents,
    /// Sectors.
    Sectors,
    /// Lines.
    Channels,
    /// Tags.
    Tags,
}

const STATISTICS: [&str; 7] = ["n", "medianMs", "meanMs", "p75Ms", "p90Ms", "p95Ms", "maxMs"];
const PREVIOUS: [&str; 7] = [
    "previousN",
    "previousMedianMs",
    "previousMeanMs",
    "previousP75Ms",
    "previousP90Ms",
    "previousP95Ms",
    "previousMaxMs",
];

/// Answers a route over a period.
pub async fn tabulate(
    view: View,
    caller: Caller,
    request: HttpRequest,
    state: &EdgeState,
) -> Result<HttpResponse, ApiError> {
    let mut params = Params::read(request.query_string())?;
    let format = Format::read(&mut params, request.headers())?;
    let zone = state.team_metrics.calendar().zone().clone();
    let mut filter = asked::filter(&mut params, &caller, &zone)?;
    asked::hours(&mut params, &mut filter)?;
    let period = asked::period(&mut params, clock::now(), &zone)?;
    let previous = asked::previous(&mut params, period)?;
    let clock = asked::clock(&mut params)?;
    let metrics = asked::metrics(&mut params)?;
    let grouping = grouping(view, &mut params, period, previous, &zone)?;
    if let Some(page) = asked::explain(&mut params)? {
        params.finish()?;
        let Some([metric]) = metrics.as_deref() else { return Err(one_metric()) };
        let (metric, scope) = (*metric, Arc::clone(&caller.scope));
        let explain = Explain { metric, period, filter, clock, page: page.page, limit: page.limit };
        let found = ask(state, explain).await?;
        return explained(state, found, (metric.as_str(), metric.rule().into()), page, scope)
            .await?
            .respond(format);
    }
    params.finish()?;
    let begins = if let Grouping::Buckets(begins, _) = &grouping { begins.clone() } else { Vec::new() };
    let metrics = metrics.unwrap_or_else(|| Metric::ALL.to_vec());
    let found = ask(state, Tabulate { metrics, period, previous, filter, clock, grouping }).await?;
    let names = if view == View::Agents {
        agents_of(state, &found, caller.scope).await?
    } else {
        FoundNames::default()
    };
    let layout = Layout { view, period, previous, clock, begins, zone, names };
    layout.sheet(&found).respond(format)
}

/// Answers `/metrics/live`.
pub async fn count_open(
    caller: Caller,
    request: HttpRequest,
    state: &EdgeState,
) -> Result<HttpResponse, ApiError> {
    let mut params = Params::read(request.query_string())?;
    let format = Format::read(&mut params, request.headers())?;
    // What was saved a moment ago says what is idle.
    state.team_metrics.catch_up(state.health().await?.seq).await;
    let calendar = state.team_metrics.calendar();
    let filter = asked::filter(&mut params, &caller, calendar.zone())?;
    let live = LiveNow { filter, now: clock::now(), calendar };
    let field = params.take("metric", |word| {
        LiveField::of(word).ok_or_else(|| {
            let words: Vec<&str> = LiveField::ALL.iter().map(|field| field.as_str()).collect();
            format!("must be one of {}", words.join(", "))
        })
    })?;
    if let Some(page) = asked::explain(&mut params)? {
        params.finish()?;
        let field = field.ok_or_else(one_metric)?;
        let rule = (field.as_str(), field.rule(live.calendar.idle_minutes()));
        let found = ask(state, ExplainNow { field, live, page: page.page, limit: page.limit }).await?;
        return explained(state, found, rule, page, caller.scope).await?.respond(format);
    }
    if field.is_some() {
        return Err(asked::only_explained("metric"));
    }
    params.finish()?;
    let now = live.now;
    let found = ask(state, live).await?;
    live_sheet(&found, now).respond(format)
}

fn one_metric() -> ApiError {
    ApiError::parameter("metric", "must name the one metric that is to be explained")
}

/// Asks once the metrics have caught up.
async fn ask<Q: Query>(state: &EdgeState, query: Q) -> Result<Q::Answer, ApiError> {
    let newest = state.health().await?.seq;
    state.team_metrics.catch_up(newest).await;
    state.team_metrics.ask(query).await.map_err(|error| {
        if let ArchiveError::Database(error) = &error {
            // Their file is derived: it may be made anew at this moment.
            log::error!("the file of the metrics did not answer: {error}");
            return ApiError::Unavailable { message: "the metrics did not answer", retry_after_seconds: 2 };
        }
        error.into()
    })
}

fn grouping(
    view: View,
    params: &mut Params,
    period: Period,
    previous: Option<Period>,
    zone: &TimeZone,
) -> Result<Grouping, ApiError> {
    Ok(match view {
        View::Whole => Grouping::Whole,
        View::Series => {
            let bucket = asked::bucket(params)?;
            let before = previous.map(|before| asked::begins(bucket, before, zone)).transpose()?;
            Grouping::Buckets(asked::begins(bucket, period, zone)?, before.unwrap_or_default())
        }
        View::Hours => Grouping::Hours,
        View::Agents => Grouping::Agents,
        View::Sectors => Grouping::Sectors,
        View::Channels => Grouping::Channels,
        View::Tags => Grouping::Tags,
    })
}

async fn agents_of(state: &EdgeState, found: &Tabulated, scope: Arc<Scope>) -> Result<FoundNames, ApiError> {
    let ids: BTreeSet<&String> = found
        .rows
        .iter()
        .filter_map(|row| if let Key::Id(id) = &row.key { Some(id) } else { None })
        .collect();
    let members = ids.into_iter().cloned().collect();
    state.ask(LookUpNames { members, chats: Vec::new(), scope }).await
}

/// How a table is laid out.
struct Layout {
    view: View,
    period: Period,
    previous: Option<Period>,
    clock: Clock,
    begins: Vec<Timestamp>,
    zone: TimeZone,
    names: FoundNames,
}

impl Layout {
    fn sheet(&self, found: &Tabulated) -> Sheet {
        let mut columns: Vec<&'static str> = match self.view {
            View::Whole => vec![],
            View::Series => vec!["start", "end"],
            View::Hours => vec!["weekday", "hour"],
            View::Agents | View::Sectors | View::Channels | View::Tags => vec!["id", "name"],
        };
        columns.push("metric");
        columns.extend(STATISTICS);
        if self.previous.is_some() {
            columns.extend(PREVIOUS);
        }
        // Where the period before has a bucket more than this one, it is beside nothing.
        let shown = |row: &&TableRow| !matches!(row.key, Key::Bucket(number) if number >= self.begins.len());
        Sheet {
            progress: found.progress,
            about: self.about(),
            columns,
            rows: found.rows.iter().filter(shown).map(|row| self.cells(row)).collect(),
        }
    }

    fn about(&self) -> Vec<(&'static str, Value)> {
        let clock = match self.clock {
            Clock::Wall => "wall",
            Clock::Business => "business",
        };
        vec![
            ("from", json!(self.period.from)),
            ("until", json!(self.period.until)),
            ("timezone", json!(self.zone.iana_name())),
            ("clock", json!(clock)),
            ("previousFrom", json!(self.previous.map(|previous| previous.from))),
            ("previousUntil", json!(self.previous.map(|previous| previous.until))),
        ]
    }

    fn cells(&self, row: &TableRow) -> Vec<Value> {
        let mut cells = match &row.key {
            Key::Whole => vec![],
            Key::Bucket(number) => {
                let end = self.begins.get(number + 1).copied().unwrap_or(self.period.until);
                vec![json!(self.begins.get(*number)), json!(end)]
            }
            Key::Hour(weekday, hour) => vec![json!(weekday), json!(hour)],
            Key::Id(id) => {
                let name = row.name.as_ref().or_else(|| self.names.members.get(id));
                vec![json!(id), json!(name)]
            }
            Key::Nobody => vec![Value::Null, Value::Null],
        };
        cells.push(json!(row.metric.as_str()));
        cells.extend(statistics(row.numbers));
        cells.extend(row.previous.into_iter().flat_map(statistics));
        cells
    }
}

/// The cells under [`STATISTICS`].
fn statistics(numbers: Numbers) -> [Value; 7] {
    let of = numbers.spread;
    [
        json!(numbers.n),
        json!(of.map(|spread| spread.median)),
        json!(of.map(|spread| spread.mean)),
        json!(of.map(|spread| spread.p75)),
        json!(of.map(|spread| spread.p90)),
        json!(of.map(|spread| spread.p95)),
        json!(of.map(|spread| spread.max)),
    ]
}

fn live_sheet(found: &LiveNumbers, now: Timestamp) -> Sheet {
    let longest = found.longest.as_ref();
    let waits = [
        ("longestWaitSince", json!(longest.map(|(since, _, _)| since))),
        ("longestWaitChatId", json!(longest.map(|(_, chat, _)| chat))),
        ("averageWaitSince", json!(found.average.map(|(since, _)| since))),
        ("longestWaitBusinessMs", json!(longest.map(|(_, _, worked)| worked))),
        ("averageWaitBusinessMs", json!(found.average.map(|(_, worked)| worked))),
        ("nextWindowClosesAt", json!(found.next_window_closes_at)),
    ];
    let counts = LiveField::ALL.iter().zip(found.counts).map(|(field, count)| (field.as_str(), json!(count)));
    let (columns, cells) = counts.chain(waits).unzip();
    Sheet { progress: found.progress, about: vec![("now", json!(now))], columns, rows: vec![cells] }
}

async fn explained(
    state: &EdgeState,
    found: Explained,
    (metric, rule): (&'static str, Cow<'static, str>),
    page: Page,
    scope: Arc<Scope>,
) -> Result<Sheet, ApiError> {
    let chats: BTreeSet<&String> = found.rows.iter().map(|row| &row.chat_id).collect();
    let chats = chats.into_iter().cloned().collect();
    let names = state.ask(LookUpNames { members: Vec::new(), chats, scope }).await?;
    let rows = found.rows.iter().map(|row| {
        vec![
            json!(row.chat_id),
            json!(row.contact_id),
            json!(names.chats.get(&row.chat_id)),
            json!(row.start),
            json!(row.end),
            json!(row.wall_ms),
            json!(row.business_ms),
            json!(row.agent),
            json!(row.sector),
            json!(row.channel),
            json!(row.tags),
        ]
    });
    Ok(Sheet {
        progress: found.progress,
        about: vec![
            ("metric", json!(metric)),
            ("rule", json!(rule)),
            ("total", json!(found.total)),
            ("page", json!(page.page)),
            ("limit", json!(page.limit)),
        ],
        columns: vec![
            "chatId",
            "contactId",
            "contactName",
            "start",
            "end",
            "wallMs",
            "businessMs",
            "agent",
            "sector",
            "channel",
            "tags",
        ],
        rows: rows.collect(),
    })
}
