//! What an admin edits while the hub runs: business hours, holidays, the thresholds of alerts by sector, when a
//! chat is idle, the team's views, and when the daily report is sent.
//!
//! These types are read only from JSON that was checked before (`http/api/settings_fields`) or that the hub
//! itself stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::daily_report::DailyReport;
use super::deadlines::{AlertKind, Limits};
use super::ids::RefId;
use super::views::SavedView;

/// Minutes without a message after which a chat is idle, where nobody set another number.
pub const IDLE_MINUTES_DEFAULT: u16 = 30;
/// The largest number of minutes: a day.
pub const IDLE_MINUTES_MAX: u16 = 1_440;

/// Most ranges of working hours in one day.
pub const SPANS_MAX: usize = 24;
/// Longest id of a sector with thresholds of its own, in characters.
pub const SECTOR_ID_CHARS_MAX: usize = 256;
/// The form of a time of day. A day ends at 24:00.
const TIME_PATTERN: &str = "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$";

/// All settings that an admin edits. A field that is described as not required gets its default where it is
/// left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SettingsValues)]
pub struct TeamSettings {
    /// Working hours of each weekday, from Monday on.
    pub business_hours: WeekHours,
    /// Days on which nobody works.
    #[schema(required = false)]
    pub holidays: Vec<Holiday>,
    /// The thresholds that decide when alerts are raised.
    pub thresholds: Thresholds,
    /// Minutes without a message after which the live metrics count a chat as idle.
    #[serde(default = "idle_minutes_default")]
    #[schema(schema_with = described_idle_minutes, required = false)]
    pub idle_minutes: u16,
    /// Views of the dashboard that everybody finds under their names.
    // Left out where there are none: the updates of settings that were saved before stay as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, max_items = 50)]
    pub views: Vec<SavedView>,
    /// When the daily report is sent; left out or null: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub daily_report: Option<DailyReport>,
}

fn idle_minutes_default() -> u16 {
    IDLE_MINUTES_DEFAULT
}

fn described_idle_minutes() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
        .minimum(Some(1))
        .maximum(Some(IDLE_MINUTES_MAX))
}

impl Default for TeamSettings {
    fn default() -> Self {
        Self {
            business_hours: WeekHours::default(),
            holidays: Vec::new(),
            thresholds: Thresholds::default(),
            idle_minutes: IDLE_MINUTES_DEFAULT,
            views: Vec::new(),
            daily_report: None,
        }
    }
}

/// Working hours per weekday. On a day without ranges nobody works.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WeekHours {
    pub monday: Vec<Span>,
    pub tuesday: Vec<Span>,
    pub wednesday: Vec<Span>,
    pub thursday: Vec<Span>,
    pub friday: Vec<Span>,
    pub saturday: Vec<Span>,
    pub sunday: Vec<Span>,
}

impl PartialSchema for WeekHours {
    fn schema() -> RefOr<Schema> {
        let spans = || {
            let span = Ref::from_schema_name(Span::name());
            ArrayBuilder::new().items(span).max_items(Some(SPANS_MAX)).default(Some(serde_json::json!([])))
        };
        DAYS.into_iter().fold(ObjectBuilder::new(), |week, day| week.property(day, spans())).into()
    }
}

impl ToSchema for WeekHours {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Span::name().into_owned(), Span::schema()));
    }
}

/// The names of the weekdays, from Monday on.
pub const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Minutes of a day: the latest end of a range.
pub const MINUTES_PER_DAY: u16 = 24 * 60;

impl WeekHours {
    /// From Monday on; each range as minutes after midnight, the end not included.
    pub fn new(days: [Vec<(u16, u16)>; 7]) -> Self {
        let [monday, tuesday, wednesday, thursday, friday, saturday, sunday] =
            days.map(|spans| spans.into_iter().map(|(from, until)| Span { from, until }).collect());
        Self { monday, tuesday, wednesday, thursday, friday, saturday, sunday }
    }

    /// The weekdays from Monday on.
    pub fn days(&self) -> [&[Span]; 7] {
        let Self { monday, tuesday, wednesday, thursday, friday, saturday, sunday } = self;
        [monday, tuesday, wednesday, thursday, friday, saturday, sunday]
    }
}

/// A range of working hours as minutes after midnight, the end not included; `["08:00","12:00"]` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "[String; 2]", try_from = "[String; 2]")]
pub struct Span {
    pub from: u16,
    /// The first minute that no longer belongs to the range.
    pub until: u16,
}

impl PartialSchema for Span {
    fn schema() -> RefOr<Schema> {
        let time = ObjectBuilder::new().schema_type(Type::String).pattern(Some(TIME_PATTERN));
        ArrayBuilder::new()
            .items(time)
            .min_items(Some(2))
            .max_items(Some(2))
            .description(Some("Two times of day, the earlier one first; the second one is not included."))
            .into()
    }
}

impl ToSchema for Span {}

impl From<Span> for [String; 2] {
    fn from(span: Span) -> Self {
        [span.from, span.until].map(|minutes| format!("{:02}:{:02}", minutes / 60, minutes % 60))
    }
}

impl TryFrom<[String; 2]> for Span {
    type Error = String;

    fn try_from([from, until]: [String; 2]) -> Result<Self, String> {
        match (minute(&from), minute(&until)) {
            (Some(from), Some(until)) if from < until => Ok(Self { from, until }),
            (Some(_), Some(_)) => Err(format!("{from}-{until} ends before it begins")),
            _ => Err("must be two times of day like 08:00".to_owned()),
        }
    }
}

/// Minutes after midnight of `08:00`. A day ends at `24:00`.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |digits: &str| {
        let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<u16>().ok().filter(|_| plain)
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= MINUTES_PER_DAY).then_some(total)
}

/// A day on which nobody works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Holiday {
    /// The date of the holiday.
    #[schema(value_type = String, format = Date)]
    pub date: jiff::civil::Date,
    /// What the holiday is called.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"[^\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
    )]
    pub name: String,
}

/// Seconds by the name of a threshold; `None`: the alert is off.
pub type Seconds = BTreeMap<String, Option<u32>>;

/// The thresholds that decide when alerts are raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Thresholds {
    /// For chats in a sector without thresholds of its own, and for chats in no sector.
    #[schema(schema_with = described_default)]
    pub default: Seconds,
    /// By the id of a sector, the thresholds that differ from the default.
    #[schema(schema_with = described_sectors, required = false)]
    pub sectors: BTreeMap<String, Seconds>,
}

/// Seconds of some alerts, by the names of their thresholds.
fn described_seconds() -> ObjectBuilder {
    let thresholds = AlertKind::ALL.into_iter().map(|kind| {
        let seconds = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::Integer, Type::Null]))
            .minimum(Some(0))
            .maximum(Some(kind.seconds_max()));
        (kind.threshold(), seconds)
    });
    let none = ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(false)));
    thresholds.fold(none, |object, (name, seconds)| object.property(name, seconds))
}

/// Describes the default thresholds, all of which are required.
fn described_default() -> ObjectBuilder {
    AlertKind::ALL.into_iter().fold(described_seconds(), |object, kind| object.required(kind.threshold()))
}

/// Describes the thresholds of sectors.
fn described_sectors() -> ObjectBuilder {
    let id = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(SECTOR_ID_CHARS_MAX))
        .build();
    ObjectBuilder::new()
        .property_names(Some(Schema::from(id)))
        .additional_properties(Some(RefOr::T(Schema::from(described_seconds().build()))))
}

impl Thresholds {
    /// Thresholds that raise no alert.
    pub fn none() -> Self {
        let default = AlertKind::ALL.map(|kind| (kind.threshold().to_owned(), None));
        Self { default: default.into(), sectors: BTreeMap::new() }
    }

    /// Adds the kinds of alert that are missing in the default, each switched off. Settings that an older release saved lack the
    /// kinds that came later.
    #[must_use]
    pub fn completed(mut self) -> Self {
        for kind in AlertKind::ALL {
            self.default.entry(kind.threshold().to_owned()).or_default();
        }
        self
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        let default = AlertKind::ALL.map(|kind| (kind.threshold().to_owned(), Some(kind.default_seconds())));
        Self { default: default.into(), sectors: BTreeMap::new() }
    }
}

/// Thresholds in a form that is quick to look up for each chat that changes.
#[derive(Debug, Clone)]
pub struct LimitTable {
    default: Limits,
    sectors: std::collections::HashMap<RefId, Limits>,
}

impl LimitTable {
    /// The table of these thresholds.
    pub fn new(thresholds: &Thresholds) -> Self {
        let own = |seconds: &Seconds, kind: AlertKind| seconds.get(kind.threshold()).copied();
        let default = AlertKind::ALL.map(|kind| own(&thresholds.default, kind).flatten());
        let sectors = thresholds.sectors.iter().map(|(id, seconds)| {
            let mut limits = default;
            for (limit, kind) in limits.iter_mut().zip(AlertKind::ALL) {
                *limit = own(seconds, kind).unwrap_or(*limit);
            }
            (RefId::from(id.as_str()), limits)
        });
        Self { default, sectors: sectors.collect() }
    }

    /// The thresholds of a sector; `None`: of no sector.
    pub fn of(&self, sector: Option<&RefId>) -> &Limits {
        sector.and_then(|sector| self.sectors.get(sector)).unwrap_or(&self.default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_read_and_written_as_two_times_of_day() {
        let span: Span = serde_json::from_str(r#"["08:05","24:00"]"#).unwrap();
        assert_eq!(span, Span { from: 485, until: 1_440 });
        assert_eq!(serde_json::to_string(&span).unwrap(), r#"["08:05","24:00"]"#);
        for wrong in ["8:00", "08:60", "24:01", "25:00", "0800", "ab:cd"] {
            assert!(Span::try_from(["00:00".to_owned(), wrong.to_owned()]).is_err(), "{wrong}");
        }
        assert!(Span::try_from(["09:00".to_owned(), "09:00".to_owned()]).is_err());
    }

    #[test]
    fn a_sector_differs_only_where_it_says_so() {
        let mut thresholds = Thresholds::default();
        let own = Seconds::from([("waitingSeconds".to_owned(), Some(7)), ("idleSeconds".to_owned(), None)]);
        thresholds.sectors.insert("sales".to_owned(), own);
        let table = LimitTable::new(&thresholds);
        let of = |sector: &str, kind: AlertKind| table.of(Some(&sector.into()))[kind as usize];
        assert_eq!(of("sales", AlertKind::Waiting), Some(7));
        assert_eq!(of("sales", AlertKind::Idle), None);
        assert_eq!(of("sales", AlertKind::WaitingWarn), Some(300));
        assert_eq!(of("other", AlertKind::Waiting), Some(900));
        assert_eq!(table.of(None), table.of(Some(&"other".into())));
    }
}
