//! Judges a time without webhooks: either nobody wrote, or webhooks were lost. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::domain::calendar::Calendar;
use crate::protocol::link::{Silence, SilenceShape};

/// Since when no webhook came, and which of that time somebody works.
#[derive(Debug, Clone)]
pub struct Quiet {
    /// When the last webhook came, or when the hub began to wait for the first one.
    pub since: Timestamp,
    pub last_webhook_at: Option<Timestamp>,
    /// True once it has been quiet for as long as the setting says, counted in business hours.
    pub is_long: bool,
    /// True where webhooks came lately, whatever the hour.
    pub is_heard: bool,
}

impl Quiet {
    /// `last_webhook_at` is `None` where none ever came.
    pub fn new(
        last_webhook_at: Option<Timestamp>,
        begun_at: Timestamp,
        now: Timestamp,
        longest: Duration,
        calendar: &Calendar,
    ) -> Self {
        let longest = SignedDuration::try_from(longest).unwrap_or(SignedDuration::MAX);
        let since = last_webhook_at.unwrap_or(begun_at);
        let is_long = calendar.business_between(since, now) >= longest;
        let is_heard = last_webhook_at.is_some_and(|at| now.duration_since(at) < longest);
        Self { since, last_webhook_at, is_long, is_heard }
    }
}

/// Messages that no webhook brought, and when that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    pub count: usize,
    pub found_at: Timestamp,
}

impl Loss {
    /// The loss that stands after a comparison. `lost` is how many messages it found that should have come; `None` where it broke
    /// off. One that finds nothing ends a loss only if a webhook came meanwhile: without one nothing shows that they arrive again.
    pub fn after(before: Option<Self>, lost: Option<usize>, quiet: &Quiet, now: Timestamp) -> Option<Self> {
        match lost {
            Some(0) => before.filter(|loss| quiet.last_webhook_at.is_none_or(|at| at <= loss.found_at)),
            Some(count) => Some(Self { count, found_at: now }),
            None => before,
        }
    }

    /// Whether messages are still being lost, after a comparison that found so many: `lost` should have come, and of the other
    /// `messages` a webhook may still tell. While a loss stands no webhook comes, so these are lost too.
    pub fn goes_on(standing: Option<Self>, lost: usize, messages: usize) -> bool {
        lost > 0 || standing.is_some() && messages > 0
    }
}

/// `is_compared` is false where the last comparison broke off.
pub fn judge(loss: Option<Loss>, is_compared: bool, quiet: &Quiet) -> SilenceShape {
    let finding = match loss {
        Some(_) => Silence::DeliveriesLost,
        None if quiet.is_heard => Silence::Heard,
        None if !is_compared && quiet.is_long => Silence::SilentUnverified,
        None => Silence::Quiet,
    };
    SilenceShape { finding, lost: loss.map_or(0, |loss| loss.count) }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    const LONGEST: Duration = Duration::from_mins(15);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// How quiet it is on a Monday; somebody works from 9 to 18.
    fn quiet(last: &str, now: &str) -> Quiet {
        let calendar = Calendar::new(TimeZone::UTC, std::array::from_fn(|_day| vec![(540, 1_080)]), []);
        let of_day = |time: &str| at(&format!("2026-03-02T{time}:00Z"));
        Quiet::new(Some(of_day(last)), of_day("00:00"), of_day(now), LONGEST, &calendar)
    }

    #[test]
    fn a_night_is_no_silence_and_a_quiet_morning_is_quiet() {
        let found = |lost: Option<usize>, quiet: &Quiet| {
            let loss = Loss::after(None, lost, quiet, at("2026-03-02T13:00:00Z"));
            judge(loss, lost.is_some(), quiet).finding
        };
        assert_eq!(found(Some(0), &quiet("08:00", "10:00")), Silence::Quiet);
        assert_eq!(found(Some(0), &quiet("09:55", "10:00")), Silence::Heard);
        assert_eq!(
            found(Some(3), &quiet("09:55", "10:00")),
            Silence::DeliveriesLost,
            "some come and some do not"
        );
        assert_eq!(found(None, &quiet("09:30", "10:00")), Silence::SilentUnverified);
        assert_eq!(found(None, &quiet("02:00", "08:59")), Silence::Quiet, "nobody works at night");
        assert_eq!(found(None, &quiet("02:00", "09:14")), Silence::Quiet, "and the day has just begun");
        assert_eq!(found(None, &quiet("02:00", "09:15")), Silence::SilentUnverified);
    }

    #[test]
    fn a_loss_is_over_once_a_comparison_finds_nothing_and_a_webhook_came() {
        let loss = Loss { count: 3, found_at: at("2026-03-02T10:00:00Z") };
        let after = |lost, last: &str| {
            Loss::after(Some(loss), lost, &quiet(last, "10:30"), at("2026-03-02T10:30:00Z"))
        };
        assert_eq!(after(Some(0), "09:50"), Some(loss), "no webhook came since");
        assert_eq!(after(None, "10:20"), Some(loss), "nothing was compared");
        assert_eq!(after(Some(0), "10:20"), None);
        assert_eq!(after(Some(2), "10:20").map(|loss| loss.count), Some(2));
    }

    #[test]
    fn what_is_too_new_to_be_lost_is_lost_while_no_webhook_comes() {
        let loss = Some(Loss { count: 3, found_at: at("2026-03-02T10:00:00Z") });
        assert!(Loss::goes_on(None, 1, 1));
        assert!(!Loss::goes_on(None, 0, 5), "their webhooks are on their way");
        assert!(Loss::goes_on(loss, 0, 5));
        assert!(!Loss::goes_on(loss, 0, 0), "nobody writes");
    }
}
