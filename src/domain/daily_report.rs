//! When the daily report is sent, and in which language. Whom it is mailed to is for the operator to say, not for an
//! admin: settings are shown to everybody, and addresses are not.
//!
//! It is read only from JSON that was checked before (`http/api/settings_fields`) or that the hub itself
//! stored.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// When yesterday's report is sent, and in which language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DailyReport {
    /// Time of day at which it is sent, in the time zone of the hub.
    #[schema(value_type = String, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub at: DayMinute,
    /// The language that it is written in.
    pub language: ReportLanguage,
}

/// A language of the daily report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum ReportLanguage {
    #[serde(rename = "pt-BR")]
    Portuguese,
    #[serde(rename = "en")]
    English,
}

/// A minute of the day; `07:30` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct DayMinute {
    pub hour: i8,
    pub minute: i8,
}

impl From<DayMinute> for String {
    fn from(DayMinute { hour, minute }: DayMinute) -> Self {
        format!("{hour:02}:{minute:02}")
    }
}

impl TryFrom<String> for DayMinute {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let wrong = "must be a time of day like 07:30";
        let (hour, minute) = text.split_once(':').ok_or(wrong)?;
        let number = |digits: &str, most: i8| {
            let is_plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse::<i8>().ok().filter(|number| is_plain && *number <= most).ok_or(wrong)
        };
        Ok(Self { hour: number(hour, 23)?, minute: number(minute, 59)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_of_the_day_is_read_and_written_as_it_stands_on_a_clock() {
        let minute: DayMinute = serde_json::from_str(r#""07:05""#).unwrap();
        assert_eq!(minute, DayMinute { hour: 7, minute: 5 });
        assert_eq!(serde_json::to_string(&minute).unwrap(), r#""07:05""#);
        for wrong in ["7:05", "24:00", "07:60", "0705", "+7:05", ""] {
            assert!(DayMinute::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
