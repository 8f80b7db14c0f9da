//! Reads the fields of settings one by one, so that every wrong one can be named.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use utoipa::PartialSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::domain::daily_report::DailyReport;
use crate::domain::settings::{
    DAYS, Holiday, IDLE_MINUTES_DEFAULT, IDLE_MINUTES_MAX, MINUTES_PER_DAY, SECTOR_ID_CHARS_MAX, SPANS_MAX,
    Seconds, Span, Thresholds, WeekHours,
};
use crate::domain::views::{
    SavedView, VIEW_ADDRESS_CHARS_MAX, VIEW_NAME_CHARS_MAX, VIEWS_MAX, holds_search, is_view_address,
};
use crate::domain::{AlertKind, TeamSettings};
use crate::http::error::ApiError;
use crate::http::values::{fits, string};

/// Most holidays that can be saved.
const HOLIDAYS_MAX: usize = 1_000;
/// Longest name of a holiday, in characters.
const NAME_CHARS_MAX: usize = 200;
/// Most sectors with thresholds of their own.
const SECTORS_MAX: usize = 1_000;

/// The schema of what [`read`] reads: the settings, and the time zone, which cannot be changed.
pub(super) fn described() -> RefOr<Schema> {
    let mut settings = TeamSettings::schema();
    if let RefOr::T(Schema::Object(object)) = &mut settings {
        let about = "The present time zone, or left out.";
        let zone = string().description(Some(about)).build();
        object.properties.insert("timeZone".to_owned(), zone.into());
        if let Some(RefOr::T(Schema::Array(holidays))) = object.properties.get_mut("holidays") {
            holidays.max_items = Some(HOLIDAYS_MAX);
        }
    }
    settings
}

/// Reads settings from JSON; the error names every wrong field.
pub(super) fn read(body: &[u8], time_zone: &str) -> Result<TeamSettings, ApiError> {
    let fields: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|error| ApiError::BadRequest(format!("the body is not a JSON object: {error}")))?;
    let mut reader = Reader::default();
    let settings = reader.settings(fields, time_zone);
    if reader.wrong.is_empty() { Ok(settings) } else { Err(ApiError::parameters(&reader.wrong)) }
}

/// What is wrong, by path.
#[derive(Default)]
struct Reader {
    wrong: Vec<(String, String)>,
}

impl Reader {
    fn note(&mut self, path: impl Into<String>, what: impl Into<String>) {
        self.wrong.push((path.into(), what.into()));
    }

    fn object(&mut self, path: &str, value: Option<Value>) -> Map<String, Value> {
        match value {
            Some(Value::Object(fields)) => return fields,
            None => self.note(path, "is missing"),
            Some(_) => self.note(path, "must be an object"),
        }
        Map::new()
    }

    fn list(&mut self, path: &str, value: Option<Value>, most: usize) -> Vec<Value> {
        match value {
            None => {}
            Some(Value::Array(items)) if items.len() <= most => return items,
            Some(Value::Array(_)) => self.note(path, format!("must have at most {most} items")),
            Some(_) => self.note(path, "must be a list"),
        }
        Vec::new()
    }

    fn nothing_else(&mut self, within: &str, fields: Map<String, Value>) {
        for name in fields.into_iter().map(|(name, _)| name) {
            self.note(format!("{within}{name}"), "is not known here");
        }
    }

    fn settings(&mut self, mut fields: Map<String, Value>, time_zone: &str) -> TeamSettings {
        if fields.remove("timeZone").is_some_and(|said| said != time_zone) {
            self.note(
                "timeZone",
                format!("is the setting TIMEZONE, {time_zone}, and cannot be changed here"),
            );
        }
        let business_hours = self.hours(fields.remove("businessHours"));
        let holidays = self.holidays(fields.remove("holidays"));
        let thresholds = self.thresholds(fields.remove("thresholds"));
        let idle_minutes = self.idle_minutes(fields.remove("idleMinutes"));
        let views = self.views(fields.remove("views"));
        let daily_report = self.daily_report(fields.remove("dailyReport"));
        self.nothing_else("", fields);
        TeamSettings { business_hours, holidays, thresholds, idle_minutes, views, daily_report }
    }

    fn views(&mut self, value: Option<Value>) -> Vec<SavedView> {
        let (mut views, mut names) = (Vec::new(), BTreeSet::new());
        for (place, item) in self.list("views", value, VIEWS_MAX).into_iter().enumerate() {
            let path = format!("views[{place}]");
            let mut fields = self.object(&path, Some(item));
            let mut text = |name| fields.remove(name).and_then(|text| Some(text.as_str()?.trim().to_owned()));
            let name = text("name").filter(|name| fits(name, VIEW_NAME_CHARS_MAX));
            let address = text("address").filter(|address| is_view_address(address));
            if address.is_none() {
                let what = format!(
                    "must be an address like /chats?wait=late, of at most {VIEW_ADDRESS_CHARS_MAX} characters"
                );
                self.note(format!("{path}.address"), what);
            }
            if address.as_deref().is_some_and(holds_search) {
                let what = "must not contain a search, because it stays for good and may name a person";
                self.note(format!("{path}.address"), what);
            }
            match name {
                None => {
                    self.note(
                        format!("{path}.name"),
                        format!("must have 1 to {VIEW_NAME_CHARS_MAX} characters"),
                    );
                }
                Some(name) if !names.insert(name.clone()) => {
                    self.note(format!("{path}.name"), "is there twice");
                }
                Some(name) => views.extend(address.map(|address| SavedView { name, address })),
            }
            self.nothing_else(&format!("{path}."), fields);
        }
        views
    }

    fn daily_report(&mut self, value: Option<Value>) -> Option<DailyReport> {
        let value = value.filter(|value| !value.is_null())?;
        let mut fields = self.object("dailyReport", Some(value));
        let at = fields.remove("at").and_then(|at| serde_json::from_value(at).ok());
        if at.is_none() {
            self.note("dailyReport.at", "must be a time of day like 07:30");
        }
        let language = fields.remove("language").and_then(|language| serde_json::from_value(language).ok());
        if language.is_none() {
            self.note("dailyReport.language", "must be pt-BR or en");
        }
        self.nothing_else("dailyReport.", fields);
        Some(DailyReport { at: at?, language: language? })
    }

    fn idle_minutes(&mut self, value: Option<Value>) -> u16 {
        let Some(value) = value else { return IDLE_MINUTES_DEFAULT };
        let minutes = whole(&value).and_then(|minutes| u16::try_from(minutes).ok());
        minutes.filter(|minutes| (1..=IDLE_MINUTES_MAX).contains(minutes)).unwrap_or_else(|| {
            self.note("idleMinutes", format!("must be whole minutes from 1 to {IDLE_MINUTES_MAX}"));
            IDLE_MINUTES_DEFAULT
        })
    }

    fn hours(&mut self, value: Option<Value>) -> WeekHours {
        let mut days = self.object("businessHours", value);
        let read = DAYS.map(|day| self.day(&format!("businessHours.{day}"), days.remove(day)));
        self.nothing_else("businessHours.", days);
        WeekHours::new(read)
    }

    fn day(&mut self, path: &str, value: Option<Value>) -> Vec<(u16, u16)> {
        let mut spans: Vec<Span> = Vec::new();
        for (place, item) in self.list(path, value, SPANS_MAX).into_iter().enumerate() {
            match serde_json::from_value::<Span>(item) {
                Ok(span) => spans.push(span),
                Err(_) => self.note(
                    format!("{path}[{place}]"),
                    "must be two times of day like [\"08:00\",\"12:00\"], the first one earlier",
                ),
            }
        }
        spans.sort_unstable();
        if spans.windows(2).any(|pair| matches!(pair, [one, next] if next.from < one.until)) {
            self.note(path, "has ranges that overlap");
        }
        debug_assert!(spans.iter().all(|span| span.until <= MINUTES_PER_DAY), "a span ends with its day");
        spans.into_iter().map(|span| (span.from, span.until)).collect()
    }

    fn holidays(&mut self, value: Option<Value>) -> Vec<Holiday> {
        let (mut holidays, mut dates) = (Vec::new(), BTreeSet::new());
        for (place, item) in self.list("holidays", value, HOLIDAYS_MAX).into_iter().enumerate() {
            let path = format!("holidays[{place}]");
            let mut fields = self.object(&path, Some(item));
            let date = fields.remove("date").and_then(|date| date.as_str()?.parse().ok());
            let name = fields.remove("name").and_then(|name| Some(name.as_str()?.trim().to_owned()));
            let name = name.filter(|name| fits(name, NAME_CHARS_MAX));
            if name.is_none() {
                self.note(format!("{path}.name"), format!("must have 1 to {NAME_CHARS_MAX} characters"));
            }
            match date {
                None => self.note(format!("{path}.date"), "must be a date like 2026-12-25"),
                Some(date) if !dates.insert(date) => {
                    self.note(format!("{path}.date"), "is there twice");
                }
                Some(date) => holidays.extend(name.map(|name| Holiday { date, name })),
            }
            self.nothing_else(&format!("{path}."), fields);
        }
        holidays.sort_by_key(|holiday| holiday.date);
        holidays
    }

    fn thresholds(&mut self, value: Option<Value>) -> Thresholds {
        let mut fields = self.object("thresholds", value);
        let default = self.object("thresholds.default", fields.remove("default"));
        for kind in AlertKind::ALL {
            if !default.contains_key(kind.threshold()) && !self.names("thresholds.default") {
                self.note(format!("thresholds.default.{}", kind.threshold()), "is missing");
            }
        }
        let default = self.seconds("thresholds.default", default);
        let sectors = match fields.remove("sectors") {
            None => Map::new(),
            some => self.object("thresholds.sectors", some),
        };
        if sectors.len() > SECTORS_MAX {
            self.note("thresholds.sectors", format!("must have at most {SECTORS_MAX} sectors"));
            return Thresholds { default, sectors: BTreeMap::new() };
        }
        let mut by_sector = BTreeMap::new();
        for (id, value) in sectors {
            let path = format!("thresholds.sectors.{id}");
            if !fits(&id, SECTOR_ID_CHARS_MAX) {
                self.note(
                    "thresholds.sectors",
                    format!("must have ids of 1 to {SECTOR_ID_CHARS_MAX} characters"),
                );
                continue;
            }
            let seconds = self.object(&path, Some(value));
            let seconds = self.seconds(&path, seconds);
            // A sector without thresholds is not stored.
            if !seconds.is_empty() {
                by_sector.insert(id, seconds);
            }
        }
        self.nothing_else("thresholds.", fields);
        Thresholds { default, sectors: by_sector }
    }

    fn names(&self, path: &str) -> bool {
        self.wrong.iter().any(|(wrong, _)| wrong == path)
    }

    fn seconds(&mut self, within: &str, mut fields: Map<String, Value>) -> Seconds {
        let mut seconds = Seconds::new();
        for kind in AlertKind::ALL {
            let Some(value) = fields.remove(kind.threshold()) else { continue };
            let most = kind.seconds_max();
            let number = whole(&value).and_then(|number| u32::try_from(number).ok());
            if value.is_null() || number.is_some_and(|number| number <= most) {
                seconds.insert(kind.threshold().to_owned(), number);
            } else {
                let what = format!("must be whole seconds from 0 to {most}, or null");
                self.note(format!("{within}.{}", kind.threshold()), what);
            }
        }
        self.nothing_else(&format!("{within}."), fields);
        seconds
    }
}

/// A whole number as JSON Schema defines it, so `30.0` is one too.
fn whole(value: &Value) -> Option<u64> {
    let written = || value.as_f64().filter(|number| number.fract() == 0.0)?.to_string().parse().ok();
    value.as_u64().or_else(written)
}
