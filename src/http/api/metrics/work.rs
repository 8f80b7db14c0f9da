//! What the routes of the metrics do: read the question, wait until the metrics are current, ask, and lay out
//! the cells.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::questions::{Bucket, ExplainedPage, LiveQuestion, NumberFields, begins};
use super::sheet::{Format, Sheet};
use crate::auth::Scope;
use crate::domain::metrics::Metric;
use crate::http::caller::{Caller, UserState};
use crate::http::error::ApiError;
use crate::http::values::Past;
use crate::reads::analytics::cells::{self, STATISTICS, statistics};
use crate::reads::analytics::table::duration_bucket;
use crate::reads::analytics::{
    Clock, Dimension, Explain, ExplainAt, ExplainNow, Explained, Filter, FindOpenAt, GroupKey, Grouping,
    LiveAt, LiveNow, LiveTable, OpenChatsAt, Period, TableRow, Tabulate, Tabulated,
};
use crate::reads::{FoundNames, LookUpNames, Query};
use crate::telemetry::clock;

/// What the rows of a route stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsView {
    Whole,
    Lengths,
    Series(Bucket),
    Hours,
    Agents,
    Sectors,
    Channels,
    Tags,
}

const PREVIOUS: [&str; 7] = [
    "previousN",
    "previousMedianMs",
    "previousMeanMs",
    "previousP75Ms",
    "previousP90Ms",
    "previousP95Ms",
    "previousMaxMs",
];

/// Answers a route about a period, with these metrics or with all of the route.
pub async fn tabulate(
    view: MetricsView,
    (metrics, question): (Option<Vec<Metric>>, NumberFields),
    caller: Caller,
    request: HttpRequest,
    state: &UserState,
) -> Result<HttpResponse, ApiError> {
    let format = Format::of(&question.written, request.headers());
    let zone = state.reads.analytics.calendar().zone().clone();
    let period = question.between.period(clock::now(), &zone)?;
    let previous = question.previous(period)?;
    let (clock, lengths, page) = (question.clock, question.lengths(), question.behind.page());
    let filter =
        Filter { weekday: question.weekday, hour: question.hour, ..question.whose.filter(&caller, &zone) };
    let grouping = grouping(view, period, previous, &zone)?;
    if let Some(page) = page {
        let Some([metric]) = metrics.as_deref() else {
            return Err(ApiError::parameter("metric", "must name the one metric that is to be explained"));
        };
        let (metric, scope) = (*metric, Arc::clone(&caller.scope));
        if lengths.is_some() && !metric.is_duration() {
            return Err(ApiError::parameter("metric", "must be a duration where lengths are asked for"));
        }
        let explain = Explain { metric, period, filter, clock, lengths, page: page.page, limit: page.limit };
        let found = ask(state, explain).await?;
        return explained(state, found, (metric.as_str(), metric.rule().into()), page, scope)
            .await?
            .respond(format);
    }
    let begins = if let Grouping::Buckets(begins, _) = &grouping { begins.clone() } else { Vec::new() };
    let of_route = |metric: &Metric| view != MetricsView::Lengths || metric.is_duration();
    let metrics = metrics.unwrap_or_else(|| Metric::ALL.into_iter().filter(of_route).collect());
    let found = ask(state, Tabulate { metrics, period, previous, filter, clock, grouping }).await?;
    let names = if view == MetricsView::Agents {
        agents_of(state, found.rows.iter().map(|row| &row.key), caller.scope).await?
    } else {
        FoundNames::default()
    };
    let layout = Layout { view, period, previous, clock, begins, zone, names };
    layout.sheet(&found).respond(format)
}

pub async fn count_open(
    question: LiveQuestion,
    caller: Caller,
    request: HttpRequest,
    state: &UserState,
) -> Result<HttpResponse, ApiError> {
    let format = Format::of(&question.written, request.headers());
    // The settings that were just saved decide what is idle.
    state.reads.catch_up(&state.reads.analytics).await;
    let calendar = state.reads.analytics.calendar();
    let (by, page, then) = (question.by, question.behind.page(), question.at.map(|Past(then)| then));
    let filter = question.whose.filter(&caller, calendar.zone());
    let live = LiveNow { filter, now: then.unwrap_or_else(clock::now), calendar, by };
    if let (Some(page), Some(field)) = (page, question.metric) {
        let rule = (field.as_str(), field.rule(live.calendar.idle_minutes()));
        let asked = ExplainNow { field, live, page: page.page, limit: page.limit };
        let found = if then.is_some() {
            let stood = stood_open(state, &asked.live).await?;
            ExplainAt { asked, stood }.explained()
        } else {
            ask(state, asked).await?
        };
        return explained(state, found, rule, page, caller.scope).await?.respond(format);
    }
    let now = live.now;
    let found = if then.is_some() {
        let stood = stood_open(state, &live).await?;
        state.ask_metrics(LiveAt { live, stood }).await?
    } else {
        ask(state, live).await?
    };
    let names = if by == Some(Dimension::Agent) {
        agents_of(state, found.rows.iter().map(|row| &row.key), caller.scope).await?
    } else {
        FoundNames::default()
    };
    live_sheet(&found, now, by, &names).respond(format)
}

/// The chats that were open at the moment of a question, each with what it contributed then.
async fn stood_open(state: &UserState, live: &LiveNow) -> Result<OpenChatsAt, ApiError> {
    let mut stood = ask(state, FindOpenAt { live: live.clone() }).await?;
    let mut parts = Vec::new();
    for part in stood.moved(live.now) {
        parts.push(state.ask(part).await?);
    }
    stood.rebuild(parts);
    Ok(stood)
}

/// Asks once the metrics are current.
pub async fn ask<Q: Query>(state: &UserState, query: Q) -> Result<Q::Answer, ApiError> {
    state.reads.catch_up(&state.reads.analytics).await;
    state.ask_metrics(query).await
}

fn grouping(
    view: MetricsView,
    period: Period,
    previous: Option<Period>,
    zone: &TimeZone,
) -> Result<Grouping, ApiError> {
    Ok(match view {
        MetricsView::Whole => Grouping::Whole,
        MetricsView::Lengths => Grouping::DurationBuckets,
        MetricsView::Series(bucket) => {
            let before = previous.map(|before| begins(bucket, before, zone)).transpose()?;
            Grouping::Buckets(begins(bucket, period, zone)?, before.unwrap_or_default())
        }
        MetricsView::Hours => Grouping::Hours,
        MetricsView::Agents => Grouping::Agents,
        MetricsView::Sectors => Grouping::Sectors,
        MetricsView::Channels => Grouping::Channels,
        MetricsView::Tags => Grouping::Tags,
    })
}

async fn agents_of<'a>(
    state: &UserState,
    keys: impl Iterator<Item = &'a GroupKey>,
    scope: Arc<Scope>,
) -> Result<FoundNames, ApiError> {
    let ids: BTreeSet<&String> =
        keys.filter_map(|key| if let GroupKey::Id(id) = key { Some(id) } else { None }).collect();
    let members = ids.into_iter().cloned().collect();
    state.ask(LookUpNames { members, chats: Vec::new(), scope }).await
}

/// The name of a row. Names of agents come from the directory.
fn name_in<'a>(known: Option<&'a String>, key: &GroupKey, names: &'a FoundNames) -> Option<&'a String> {
    let GroupKey::Id(id) = key else { return None };
    known.or_else(|| names.members.get(id))
}

/// How a table is laid out.
struct Layout {
    view: MetricsView,
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
            MetricsView::Whole => vec![],
            MetricsView::Lengths => vec!["fromMs", "untilMs"],
            MetricsView::Series(_) => vec!["start", "end"],
            MetricsView::Hours => vec!["weekday", "hour"],
            MetricsView::Agents | MetricsView::Sectors | MetricsView::Channels | MetricsView::Tags => {
                vec!["id", "name"]
            }
        };
        columns.push("metric");
        columns.extend(self.statistics(&STATISTICS));
        if self.previous.is_some() {
            columns.extend(self.statistics(&PREVIOUS));
        }
        // A bucket that only the period before has would have nothing to be compared with.
        let shown =
            |row: &&TableRow| !matches!(row.key, GroupKey::Bucket(number) if number >= self.begins.len());
        Sheet {
            progress: found.progress,
            about: self.about(),
            columns,
            rows: found.rows.iter().filter(shown).map(|row| self.cells(row)).collect(),
        }
    }

    /// A count of durations between two bounds has no statistics.
    fn statistics<'a, T>(&self, all: &'a [T]) -> &'a [T] {
        let told = if self.view == MetricsView::Lengths { 1 } else { all.len() };
        all.get(..told).unwrap_or(all)
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
            GroupKey::Whole => vec![],
            GroupKey::DurationBucket(number) => {
                let (from, until) = duration_bucket(*number);
                vec![json!(from), json!(until)]
            }
            GroupKey::Bucket(number) => {
                let end = self.begins.get(number + 1).copied().unwrap_or(self.period.until);
                vec![json!(self.begins.get(*number)), json!(end)]
            }
            GroupKey::Hour(weekday, hour) => vec![json!(weekday), json!(hour)],
            GroupKey::Id(_) | GroupKey::Nobody => {
                cells::who(&row.key, name_in(row.name.as_ref(), &row.key, &self.names)).to_vec()
            }
        };
        cells.push(json!(row.metric.as_str()));
        for numbers in [Some(row.numbers), row.previous].into_iter().flatten() {
            cells.extend_from_slice(self.statistics(&statistics(numbers)));
        }
        cells
    }
}

fn live_sheet(found: &LiveTable, now: Timestamp, by: Option<Dimension>, names: &FoundNames) -> Sheet {
    let mut columns = if by.is_some() { vec!["id", "name"] } else { vec![] };
    columns.extend(cells::live_columns());
    let rows = found.rows.iter().map(|row| {
        let who = by.map(|_| cells::who(&row.key, name_in(row.name.as_ref(), &row.key, names)));
        who.into_iter().flatten().chain(cells::live(row)).collect()
    });
    Sheet { progress: found.progress, about: vec![("now", json!(now))], columns, rows: rows.collect() }
}

async fn explained(
    state: &UserState,
    found: Explained,
    (metric, rule): (&'static str, Cow<'static, str>),
    page: ExplainedPage,
    scope: Arc<Scope>,
) -> Result<Sheet, ApiError> {
    let chats: BTreeSet<&String> = found.rows.iter().map(|row| &row.chat_id).collect();
    let chats = chats.into_iter().cloned().collect();
    let names = state.ask(LookUpNames { members: Vec::new(), chats, scope }).await?;
    let rows = found.rows.iter().map(|row| {
        let contact = names.chats.get(&row.chat_id);
        vec![
            json!(row.chat_id),
            json!(row.contact_id),
            json!(contact.and_then(|contact| contact.name.as_ref())),
            json!(contact.and_then(|contact| contact.phone.as_ref())),
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
            "contactPhone",
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
