//! Judges a time without webhooks: either nobody wrote, or webhooks were lost. Pure.

use jiff::{SignedDuration, Timestamp};

use crate::protocol::link::{Silence, SilenceShape};

/// A webhook within this time counts as recent.
const RECENT: SignedDuration = SignedDuration::from_mins(15);

/// `lost` counts the messages that a comparison found and that a webhook should have brought. `None`: the comparison broke off.
pub fn judge(lost: Option<usize>, last_webhook_at: Option<Timestamp>, now: Timestamp) -> SilenceShape {
    let heard = last_webhook_at.is_some_and(|at| now.duration_since(at) < RECENT);
    let finding = match lost {
        Some(1..) => Silence::DeliveriesLost,
        Some(0) | None if heard => Silence::Heard,
        Some(0) => Silence::Quiet,
        None => Silence::SilentUnverified,
    };
    SilenceShape { finding, lost: lost.unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_morning_without_messages_is_quiet_and_messages_without_a_webhook_are_lost() {
        let now: Timestamp = "2026-03-02T13:00:00Z".parse().unwrap();
        let ago = |minutes| now.checked_sub(SignedDuration::from_mins(minutes)).ok();
        let found = |lost, last| judge(lost, last, now).finding;
        assert_eq!(found(Some(0), ago(60)), Silence::Quiet);
        assert_eq!(found(Some(0), None), Silence::Quiet);
        assert_eq!(found(Some(0), ago(5)), Silence::Heard);
        assert_eq!(found(Some(3), ago(5)), Silence::DeliveriesLost, "some webhooks come and some do not");
        assert_eq!(found(None, ago(60)), Silence::SilentUnverified);
        assert_eq!(found(None, ago(5)), Silence::Heard);
    }
}
