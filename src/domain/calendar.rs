//! The team's working hours per weekday, its holidays, the time zone of both, and after how much silence a chat
//! is idle.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::settings::{IDLE_MINUTES_DEFAULT, TeamSettings};
use super::stats::day_of;

/// A day's working hours: ranges of minutes after midnight, ascending, the end not included.
pub type Spans = Vec<(u16, u16)>;

/// Working hours, holidays and the time zone that they are given in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    zone: TimeZone,
    days: [Spans; 7],
    holidays: BTreeSet<Date>,
    idle_minutes: u16,
}

impl Calendar {
    /// `days` are the working hours from Monday on; on `holidays` nobody works.
    pub fn new(zone: TimeZone, days: [Spans; 7], holidays: impl IntoIterator<Item = Date>) -> Self {
        Self { zone, days, holidays: holidays.into_iter().collect(), idle_minutes: IDLE_MINUTES_DEFAULT }
    }

    /// Returns the calendar with another number of minutes after which a chat is idle.
    #[must_use]
    /// The hours and holidays that an admin saved, in a time zone.
    pub fn of(settings: &TeamSettings, zone: TimeZone) -> Self {
        let days = settings.business_hours.days();
        let days = days.map(|spans| spans.iter().map(|span| (span.from, span.until)).collect());
        let holidays = settings.holidays.iter().map(|holiday| holiday.date);
        Self::new(zone, days, holidays).with_idle_minutes(settings.idle_minutes)
    }

    pub fn with_idle_minutes(self, idle_minutes: u16) -> Self {
        Self { idle_minutes, ..self }
    }

    /// Minutes without a message after which a chat is idle.
    pub fn idle_minutes(&self) -> u16 {
        self.idle_minutes
    }

    /// The time without a message after which a chat is idle.
    pub fn idle_after(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.idle_minutes))
    }

    /// The time zone in which days begin and end.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Everything that working time depends on, as text: durations must be computed again when it changes. The
    /// idle time is not part of it, because nothing stored depends on it.
    pub fn fingerprint(&self) -> String {
        let zone = self.zone.iana_name().unwrap_or("fixed");
        let holidays: Vec<String> = self.holidays.iter().map(ToString::to_string).collect();
        format!("{zone} {:?} {}", self.days, holidays.join(","))
    }

    /// Working time between two moments; zero where the second is not later. A day on which the clocks change
    /// counts with its real length.
    pub fn business_between(&self, from: Timestamp, until: Timestamp) -> SignedDuration {
        let mut worked = SignedDuration::ZERO;
        if until <= from {
            return worked;
        }
        let last = until.to_zoned(self.zone.clone()).date();
        let mut day = from.to_zoned(self.zone.clone()).date();
        while day <= last {
            for (begin, end) in self.spans(day) {
                let (begin, end) = (begin.max(from), end.min(until));
                if begin < end {
                    worked += end.duration_since(begin);
                }
            }
            // No day follows the last one that dates can express.
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        worked
    }

    fn spans(&self, day: Date) -> impl Iterator<Item = (Timestamp, Timestamp)> + '_ {
        let weekday = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or_default();
        let spans = self.days.get(weekday).filter(|_| !self.holidays.contains(&day));
        spans
            .into_iter()
            .flatten()
            .filter_map(move |(begin, end)| Some((self.moment(day, *begin)?, self.moment(day, *end)?)))
    }

    /// A time of day as a moment. A time that the clock skips is moved later by as much as the clock is turned.
    fn moment(&self, day: Date, minutes: u16) -> Option<Timestamp> {
        let day = if minutes >= 24 * 60 { day.tomorrow().ok()? } else { day };
        let minutes = minutes % (24 * 60);
        let (hour, minute) = (i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?);
        Some(day.at(hour, minute, 0, 0).to_zoned(self.zone.clone()).ok()?.timestamp())
    }
}

/// Working time from many moments to one. What lies after a moment's own day is computed once per day and kept.
#[derive(Debug)]
pub struct WorkedUntil<'a> {
    calendar: &'a Calendar,
    until: Timestamp,
    /// Begin and end of the day that was asked for last, and the working time after it.
    day: Option<(Timestamp, Timestamp, SignedDuration)>,
}

impl<'a> WorkedUntil<'a> {
    pub fn new(calendar: &'a Calendar, until: Timestamp) -> Self {
        Self { calendar, until, day: None }
    }

    /// Equals [`Calendar::business_between`]; fastest where `from` goes up or down steadily.
    pub fn since(&mut self, from: Timestamp) -> SignedDuration {
        let known = self.day.filter(|(begin, end, _)| (*begin..*end).contains(&from));
        let (begin, end, after) = known.unwrap_or_else(|| {
            let (begin, end) = day_of(from, self.calendar.zone());
            let after = if end < self.until {
                self.calendar.business_between(end, self.until)
            } else {
                SignedDuration::ZERO
            };
            (begin, end, after)
        });
        self.day = Some((begin, end, after));
        self.calendar.business_between(from, end.min(self.until)) + after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(zone: &str, spans: &[(u16, u16)], holidays: &[&str]) -> Calendar {
        let week = [0, 1, 2, 3, 4].map(|_| spans.to_vec());
        let [mon, tue, wed, thu, fri] = week;
        let days = [mon, tue, wed, thu, fri, vec![(540, 720)], Vec::new()];
        let holidays = holidays.iter().map(|day| day.parse().unwrap());
        Calendar::new(TimeZone::get(zone).unwrap(), days, holidays)
    }

    fn minutes(calendar: &Calendar, from: &str, until: &str) -> i64 {
        let zone = calendar.zone().clone();
        let moment = |text: &str| {
            let civil: jiff::civil::DateTime = text.parse().unwrap();
            civil.to_zoned(zone.clone()).unwrap().timestamp()
        };
        calendar.business_between(moment(from), moment(until)).as_secs() / 60
    }

    #[test]
    fn counted_day_by_day_it_is_the_same() {
        // New York's clocks turn in these days.
        let office = calendar("America/New_York", &[(480, 720), (780, 1_080)], &["2026-03-10"]);
        let until: Timestamp = "2026-03-12T15:10:00Z".parse().unwrap();
        let mut worked = WorkedUntil::new(&office, until);
        for quarters in (0..700).chain((0..700).rev()) {
            let from = until - SignedDuration::from_mins(quarters * 17);
            assert_eq!(worked.since(from), office.business_between(from, until), "{from}");
        }
    }

    #[test]
    fn nights_breaks_weekends_and_holidays_do_not_count() {
        let office = calendar("America/Sao_Paulo", &[(480, 720), (780, 1_080)], &["2026-03-04"]);
        // The second of March 2026 is a Monday.
        for (what, from, until, expected) in [
            ("within a span", "2026-03-02T08:10", "2026-03-02T08:40", 30),
            ("over the break", "2026-03-02T11:50", "2026-03-02T13:10", 20),
            ("over night", "2026-03-02T17:50", "2026-03-03T08:10", 20),
            ("at night", "2026-03-02T19:00", "2026-03-03T07:00", 0),
            ("over the holiday", "2026-03-03T17:00", "2026-03-05T09:00", 120),
            ("on the holiday", "2026-03-04T09:00", "2026-03-04T10:00", 0),
            ("over the weekend", "2026-03-06T17:30", "2026-03-09T08:30", 30 + 180 + 30),
            ("a whole week", "2026-03-02T00:00", "2026-03-09T00:00", 4 * 540 + 180),
            ("backwards", "2026-03-02T09:00", "2026-03-02T08:00", 0),
            ("no time", "2026-03-02T09:00", "2026-03-02T09:00", 0),
        ] {
            assert_eq!(minutes(&office, from, until), expected, "{what}");
        }
    }

    #[test]
    fn a_day_counts_as_long_as_it_is() {
        let always = calendar("America/New_York", &[(0, 1_440)], &[]);
        let mut days = always.days.clone();
        days[6] = vec![(0, 1_440)];
        let always = Calendar { days, ..always };
        assert_eq!(minutes(&always, "2026-03-08T00:00", "2026-03-09T00:00"), 23 * 60, "turned forwards");
        assert_eq!(minutes(&always, "2026-11-01T00:00", "2026-11-02T00:00"), 25 * 60, "turned back");
    }

    #[test]
    fn opening_hours_stay_where_they_are_on_the_clock_when_it_is_turned() {
        let office = calendar("Europe/Berlin", &[(480, 1_080)], &[]);
        // Friday to Monday over the turn of the 29th of March.
        assert_eq!(minutes(&office, "2026-03-27T17:00", "2026-03-30T09:00"), 60 + 180 + 60);
        let before: Timestamp = "2026-03-27T07:00:00Z".parse().unwrap();
        let after: Timestamp = "2026-03-30T06:00:00Z".parse().unwrap();
        let hour = SignedDuration::from_hours(1);
        assert_eq!(
            office.business_between(before - hour, before),
            SignedDuration::ZERO,
            "opens at 8, winter"
        );
        assert_eq!(office.business_between(after - hour, after), SignedDuration::ZERO, "opens at 8, summer");
        assert_eq!(office.business_between(after, after + hour), hour);
    }
}
