//! Derives the link's alerts, the problems that an operator should look at, from its status. Pure.

use jiff::Timestamp;

use crate::protocol::LinkShape;
use crate::protocol::link::{LinkAlert, LinkAlertKind, LinkState, Silence, WebhookFinding};

/// The alerts that are active now. An alert that was active `before` keeps its `since`. One that was not checked since the start
/// stays as it was.
pub fn alerts(link: &LinkShape, before: &[LinkAlert], now: Timestamp) -> Vec<LinkAlert> {
    let since = |kind| before.iter().find(|alert| alert.kind == kind).map_or(now, |alert| alert.since);
    let found = kinds(link).into_iter().map(|(kind, count)| LinkAlert { kind, since: since(kind), count });
    let mut alerts: Vec<LinkAlert> = found.collect();
    alerts.extend(before.iter().filter(|alert| !was_looked_at(link, alert.kind)).cloned());
    alerts
}

fn was_looked_at(link: &LinkShape, kind: LinkAlertKind) -> bool {
    match kind {
        LinkAlertKind::DeliveriesLost | LinkAlertKind::SilentUnverified => link.silence.is_some(),
        LinkAlertKind::WebhookPaused | LinkAlertKind::WebhookMissing => link.webhook.is_some(),
        LinkAlertKind::NotAllowed | LinkAlertKind::Misled => link.state != LinkState::Starting,
    }
}

fn kinds(link: &LinkShape) -> Vec<(LinkAlertKind, Option<usize>)> {
    let state = match link.state {
        LinkState::NotAllowed => Some((LinkAlertKind::NotAllowed, None)),
        LinkState::Misled => Some((LinkAlertKind::Misled, None)),
        LinkState::Off
        | LinkState::Starting
        | LinkState::Ok
        | LinkState::Unreachable
        | LinkState::Undecided => None,
    };
    let silence = link.silence.as_ref().and_then(|silence| match silence.finding {
        Silence::DeliveriesLost => Some((LinkAlertKind::DeliveriesLost, Some(silence.lost))),
        Silence::SilentUnverified => Some((LinkAlertKind::SilentUnverified, None)),
        Silence::Heard | Silence::Quiet => None,
    });
    let webhook = link.webhook.as_ref().and_then(|webhook| match webhook.finding {
        WebhookFinding::Paused => Some((LinkAlertKind::WebhookPaused, None)),
        WebhookFinding::Missing => Some((LinkAlertKind::WebhookMissing, None)),
        WebhookFinding::Ok
        | WebhookFinding::UnknownAddress
        | WebhookFinding::ChannelsMissing
        | WebhookFinding::EventsMissing
        | WebhookFinding::NotAllowed => None,
    });
    [silence, webhook, state].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::link::SilenceShape;

    #[test]
    fn an_alert_that_goes_on_keeps_its_beginning_and_one_that_is_over_is_gone() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let (one, two) = (at("2026-03-02T13:00:00Z"), at("2026-03-02T13:05:00Z"));
        let mut link = LinkShape { state: LinkState::NotAllowed, ..LinkShape::default() };
        let first = alerts(&link, &[], one);
        assert_eq!(first, [LinkAlert { kind: LinkAlertKind::NotAllowed, since: one, count: None }]);
        link.silence = Some(SilenceShape { finding: Silence::DeliveriesLost, lost: 3 });
        let second = alerts(&link, &first, two);
        assert_eq!(
            second.iter().map(|alert| (alert.since, alert.count)).collect::<Vec<_>>(),
            [(two, Some(3)), (one, None)]
        );
        link = LinkShape { state: LinkState::Starting, ..LinkShape::default() };
        assert_eq!(alerts(&link, &second, two), second, "nothing was looked at since the start");
        let silence = Some(SilenceShape { finding: Silence::Heard, lost: 0 });
        link = LinkShape { state: LinkState::Ok, silence, ..LinkShape::default() };
        assert_eq!(alerts(&link, &second, two), []);
    }
}
