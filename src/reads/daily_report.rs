//! What was on one day, beside the same weekday a week before: the numbers of the daily report.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::analytics::{AnalyticsReads, Clock, Filter, GroupKey, Grouping, Period, TableRow, Tabulate};
use super::{Asker, ReadError};
use crate::auth::{Identity, Scope};
use crate::domain::daily_report::ReportLanguage;
use crate::domain::metrics::Metric;
use crate::protocol::daily_report::{
    CountShape, DailyReportShape, DurationShape, SectorShape, WorstHourShape,
};

/// Days after which a day is compared with one of the same weekday.
const WEEK_DAYS: i32 = 7;
/// Most sectors that a report lists.
const SECTORS_MAX: usize = 10;
/// An hour with fewer first responses is not called the worst.
const WORST_HOUR_VALUES_MIN: usize = 5;
/// The metrics that a report is made of.
const METRICS: [Metric; 7] = [
    Metric::FirstResponse,
    Metric::Resolution,
    Metric::Created,
    Metric::Closed,
    Metric::Abandoned,
    Metric::MessagesIn,
    Metric::MessagesMember,
];

/// Why a day cannot be reported.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The day does not exist in the zone, or is at an end of time.
    #[error("the day cannot be reckoned")]
    Day(#[from] jiff::Error),
    #[error("the metrics cannot be read")]
    Read(#[from] ReadError),
}

/// Reports a day of the zone. The metrics must have followed the journal to where the day ended.
pub async fn report(
    analytics: &AnalyticsReads,
    day: Date,
    zone: &TimeZone,
    language: ReportLanguage,
) -> Result<DailyReportShape, ReportError> {
    let compared_with = day.checked_sub(WEEK_DAYS.days())?;
    let (period, previous) = (period_of(day, zone)?, period_of(compared_with, zone)?);
    let filter = Filter::direct(&Arc::new(Scope::of(&Identity::anonymous())), zone.clone());
    let tabulate = |metrics: &[Metric], previous, grouping| Tabulate {
        metrics: metrics.to_vec(),
        period,
        previous,
        filter: filter.clone(),
        clock: Clock::Wall,
        grouping,
    };
    let whole = tabulate(&METRICS, Some(previous), Grouping::Whole);
    let whole = analytics.ask(Asker::Hub, whole).await?.rows;
    let hours = tabulate(&[Metric::FirstResponse], None, Grouping::Hours);
    let hours = analytics.ask(Asker::Hub, hours).await?.rows;
    let of_sectors = [Metric::MessagesIn, Metric::Created, Metric::FirstResponse];
    let sectors = tabulate(&of_sectors, None, Grouping::Sectors);
    let sectors = analytics.ask(Asker::Hub, sectors).await?.rows;
    let row = |metric: Metric| whole.iter().find(|row| row.metric == metric);
    Ok(DailyReportShape {
        day,
        compared_with,
        time_zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        language,
        created: count_of(row(Metric::Created)),
        closed: count_of(row(Metric::Closed)),
        abandoned: count_of(row(Metric::Abandoned)),
        messages_in: count_of(row(Metric::MessagesIn)),
        messages_member: count_of(row(Metric::MessagesMember)),
        first_response: duration_of(row(Metric::FirstResponse)),
        resolution: duration_of(row(Metric::Resolution)),
        worst_hour: worst_hour(&hours),
        sectors: busiest(&sectors),
    })
}

fn period_of(day: Date, zone: &TimeZone) -> Result<Period, jiff::Error> {
    let begin = |day: Date| zone.to_zoned(day.at(0, 0, 0, 0)).map(|begin| begin.timestamp());
    Ok(Period { from: begin(day)?, until: begin(day.tomorrow()?)? })
}

fn count_of(row: Option<&TableRow>) -> CountShape {
    row.map_or_else(CountShape::default, |row| CountShape {
        count: row.numbers.n,
        before: row.previous.map_or(0, |previous| previous.n),
    })
}

fn duration_of(row: Option<&TableRow>) -> DurationShape {
    row.map_or_else(DurationShape::default, |row| DurationShape {
        count: row.numbers.n,
        median_ms: row.numbers.spread.map(|spread| spread.median),
        p90_ms: row.numbers.spread.map(|spread| spread.p90),
        count_before: row.previous.map_or(0, |previous| previous.n),
        median_before_ms: row.previous.and_then(|previous| previous.spread).map(|spread| spread.median),
    })
}

fn worst_hour(rows: &[TableRow]) -> Option<WorstHourShape> {
    let enough = rows.iter().filter(|row| row.numbers.n >= WORST_HOUR_VALUES_MIN);
    let hours = enough.filter_map(|row| {
        let GroupKey::Hour(_, hour) = row.key else { return None };
        let median_ms = row.numbers.spread?.median;
        Some(WorstHourShape { hour, count: row.numbers.n, median_ms })
    });
    // Of two that are as slow, the earlier one.
    hours.rev().max_by_key(|hour| hour.median_ms)
}

fn busiest(rows: &[TableRow]) -> Vec<SectorShape> {
    let mut sectors: BTreeMap<&GroupKey, SectorShape> = BTreeMap::new();
    for row in rows {
        let id = if let GroupKey::Id(id) = &row.key { Some(id.clone()) } else { None };
        let sector = sectors.entry(&row.key).or_insert_with(|| SectorShape {
            id,
            name: row.name.clone(),
            created: 0,
            messages_in: 0,
            first_responses: 0,
            first_response_median_ms: None,
        });
        if row.metric == Metric::MessagesIn {
            sector.messages_in = row.numbers.n;
        } else if row.metric == Metric::Created {
            sector.created = row.numbers.n;
        } else if row.metric == Metric::FirstResponse {
            sector.first_responses = row.numbers.n;
            sector.first_response_median_ms = row.numbers.spread.map(|spread| spread.median);
        }
    }
    let mut sectors: Vec<SectorShape> = sectors.into_values().collect();
    sectors.sort_by_key(|sector| std::cmp::Reverse((sector.messages_in, sector.created)));
    sectors.truncate(SECTORS_MAX);
    sectors
}
