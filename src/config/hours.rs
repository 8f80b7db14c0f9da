//! `BUSINESS_HOURS`: `Mon-Fri 08:00-12:00,13:00-18:00; Sat 09:00-12:00`.

use std::str::FromStr;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MINUTES_PER_DAY: u16 = 24 * 60;

/// Working hours per weekday, as the setting gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusinessHours {
    /// From Monday on; each range as minutes after midnight, ascending, the end not included.
    pub days: [Vec<(u16, u16)>; 7],
}

impl FromStr for BusinessHours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut days: [Vec<(u16, u16)>; 7] = Default::default();
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (named, spans) = part
                .split_once(char::is_whitespace)
                .ok_or_else(|| format!("{part:?} needs days and hours"))?;
            let spans = spans.split(',').map(|text| span(text.trim())).collect::<Result<Vec<_>, _>>()?;
            for day in weekdays(named)? {
                let hours = days.get_mut(day).ok_or_else(|| format!("{named:?} is not a weekday"))?;
                hours.extend(&spans);
            }
        }
        for hours in &mut days {
            hours.sort_unstable();
            if hours.windows(2).any(|pair| matches!(pair, [one, next] if next.0 < one.1)) {
                return Err("two ranges of one day overlap".to_owned());
            }
        }
        if days.iter().all(Vec::is_empty) {
            return Err("no hours are given".to_owned());
        }
        Ok(Self { days })
    }
}

/// `Mon-Fri`, `Sat`, `Mon,Wed`. A range may pass Sunday.
fn weekdays(text: &str) -> Result<Vec<usize>, String> {
    let mut all = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (weekday(first)?, weekday(last)?);
        let length = (last + DAYS.len() - first) % DAYS.len();
        all.extend((0..=length).map(|offset| (first + offset) % DAYS.len()));
    }
    Ok(all)
}

fn weekday(text: &str) -> Result<usize, String> {
    let name = text.trim().to_ascii_lowercase();
    DAYS.iter()
        .position(|day| *day == name)
        .ok_or_else(|| format!("{text:?} is not a weekday (Mon, Tue, … Sun)"))
}

fn span(text: &str) -> Result<(u16, u16), String> {
    let (from, until) =
        text.split_once('-').ok_or_else(|| format!("{text:?} is not a range like 08:00-12:00"))?;
    let (from, until) = (minute(from)?, minute(until)?);
    if from < until { Ok((from, until)) } else { Err(format!("{text:?} ends before it begins")) }
}

fn minute(text: &str) -> Result<u16, String> {
    let wrong = || format!("{text:?} is not a time of day like 08:00");
    let (hours, minutes) = text.trim().split_once(':').ok_or_else(wrong)?;
    let number = |digits: &str| -> Result<u16, String> {
        let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse().ok().filter(|_| plain).ok_or_else(wrong)
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let total = hours * 60 + minutes;
    if minutes < 60 && total <= MINUTES_PER_DAY { Ok(total) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_reads_as_five_days_with_a_break_and_a_saturday() {
        let hours: BusinessHours = "Mon-Fri 08:00-12:00,13:00-18:00; Sat 09:00-12:00".parse().unwrap();
        assert_eq!(hours.days[0], [(480, 720), (780, 1080)]);
        assert_eq!(hours.days[4], hours.days[0]);
        assert_eq!(hours.days[5], [(540, 720)]);
        assert!(hours.days[6].is_empty());
    }

    #[test]
    fn a_range_may_pass_sunday_and_a_day_may_end_at_midnight() {
        let hours: BusinessHours = "sat-mon 20:00-24:00".parse().unwrap();
        assert_eq!([0, 5, 6].map(|day| hours.days[day].len()), [1, 1, 1]);
        assert!(hours.days[1].is_empty());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, named) in [
            ("", "no hours"),
            ("Mon", "needs days and hours"),
            ("Mom 08:00-09:00", "Mom"),
            ("Mon 8:00-09:00", "8:00"),
            ("Mon 08:00", "08:00"),
            ("Mon 09:00-08:00", "ends before"),
            ("Mon 08:00-25:00", "25:00"),
            ("Mon 08:61-09:00", "08:61"),
            ("Mon 08:00-10:00; Mon 09:00-11:00", "overlap"),
        ] {
            let error = text.parse::<BusinessHours>().unwrap_err();
            assert!(error.contains(named), "{text:?}: {error}");
        }
    }
}
