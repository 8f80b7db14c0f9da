//! The daily report on the wire: what was yesterday, beside the same weekday a week before.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::EventId;
use crate::domain::daily_report::ReportLanguage;

/// The type of the update that holds a daily report.
pub const DAILY_REPORT: &str = "daily_report";

/// A count of the day, and of the day that it is compared with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ReportCount)]
pub struct CountShape {
    pub count: usize,
    /// The same of the day that it is compared with.
    pub before: usize,
}

/// How long something took on the day, and on the day that it is compared with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ReportDuration)]
pub struct DurationShape {
    /// How many values there are.
    pub count: usize,
    /// Half of them took longer; null where there are none.
    pub median_ms: Option<i64>,
    /// One of ten took longer; null where there are none.
    pub p90_ms: Option<i64>,
    /// How many values the day has that it is compared with.
    pub count_before: usize,
    /// The median of the day that it is compared with; null where it has none.
    pub median_before_ms: Option<i64>,
}

/// The hour of the day in which a first response took longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ReportHour)]
pub struct WorstHourShape {
    /// The hour of the day, 0 to 23.
    pub hour: i8,
    /// How many first responses there were.
    pub count: usize,
    pub median_ms: i64,
}

/// What one sector did on the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ReportSector)]
pub struct SectorShape {
    /// Null stands for chats without a sector.
    pub id: Option<String>,
    /// Null where no delivery said it.
    pub name: Option<String>,
    /// Chats that were created on the day.
    pub created: usize,
    /// Messages that customers wrote on the day.
    pub messages_in: usize,
    pub first_responses: usize,
    /// The median of the first responses; null where there are none.
    pub first_response_median_ms: Option<i64>,
}

/// What was on one day, counted at the moment at which it was reported. Only direct chats count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DayReport)]
pub struct DailyReportShape {
    /// The day that the report is about.
    #[schema(value_type = String, format = Date)]
    pub day: Date,
    /// The day that it is compared with: the same weekday a week before.
    #[schema(value_type = String, format = Date)]
    pub compared_with: Date,
    /// The zone in which the days begin.
    pub time_zone: String,
    /// The language in which it is mailed.
    pub language: ReportLanguage,
    /// Chats that were created on the day.
    pub created: CountShape,
    pub closed: CountShape,
    /// Chats that were closed without an answer to a customer who waited.
    pub abandoned: CountShape,
    /// Messages that customers wrote on the day.
    pub messages_in: CountShape,
    /// Messages that agents wrote on the day.
    pub messages_member: CountShape,
    pub first_response: DurationShape,
    pub resolution: DurationShape,
    /// The slowest hour of those with enough first responses; null where none has enough.
    pub worst_hour: Option<WorstHourShape>,
    /// The busiest sectors, by messages of customers.
    #[schema(max_items = 10)]
    pub sectors: Vec<SectorShape>,
}

/// The update with a daily report. It goes to those whom no token limits to a part of the chats, because its numbers
/// are those of all chats.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DailyReported)]
pub struct DailyReportData<'a> {
    /// `report:` and the day, so that no day is reported twice.
    #[schema(value_type = String)]
    event_id: &'a EventId,
    /// The type of the update: `daily_report`.
    #[serde(rename = "type")]
    update_type: &'static str,
    changes: [&'static str; 1],
    chat: Option<()>,
    contact: Option<()>,
    /// What was on the day.
    report: &'a DailyReportShape,
}

impl<'a> DailyReportData<'a> {
    pub fn new(event_id: &'a EventId, report: &'a DailyReportShape) -> Self {
        let (update_type, changes) = (DAILY_REPORT, [DAILY_REPORT]);
        Self { event_id, update_type, changes, chat: None, contact: None, report }
    }
}
