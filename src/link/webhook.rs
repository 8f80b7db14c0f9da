//! Checks the provider's list of webhooks: does one of them post everything to this hub? Pure.

use jiff::Timestamp;

use crate::protocol::link::{WebhookFinding, WebhookShape};
use crate::umbler::KNOWN_TYPES;
use crate::umbler::api::WebhookItem;

/// Compares the provider's webhooks with what the hub needs. `ours` is this hub's address without the secret, and `channels` are the
/// ids and names of all lines.
pub fn inspect(
    entries: &[WebhookItem],
    channels: &[(String, Option<String>)],
    ours: Option<&str>,
    checked_at: Timestamp,
) -> WebhookShape {
    let found = |finding| WebhookShape {
        finding,
        checked_at,
        channels_missing: Vec::new(),
        events_missing: Vec::new(),
        other_applications: Vec::new(),
    };
    let Some(ours) = ours else { return found(WebhookFinding::UnknownAddress) };
    let (own, others): (Vec<_>, Vec<_>) =
        entries.iter().partition(|entry| without_query(&entry.url) == without_query(ours));
    let other_applications = others.iter().filter_map(|entry| entry.name.clone()).collect();
    let active: Vec<&WebhookItem> = own.iter().copied().filter(|entry| !entry.is_paused).collect();
    if active.is_empty() {
        let finding = if own.is_empty() { WebhookFinding::Missing } else { WebhookFinding::Paused };
        return WebhookShape { other_applications, ..found(finding) };
    }
    let channels_missing = channels_missing(&active, channels);
    let events_missing = events_missing(&active);
    let finding = if !channels_missing.is_empty() {
        WebhookFinding::ChannelsMissing
    } else if !events_missing.is_empty() {
        WebhookFinding::EventsMissing
    } else {
        WebhookFinding::Ok
    };
    WebhookShape { channels_missing, events_missing, other_applications, ..found(finding) }
}

/// Ids and names of the lines that a new webhook would have to cover. The error says why a new webhook would not help.
pub fn uncovered(
    entries: &[WebhookItem],
    channels: &[(String, Option<String>)],
    ours: &str,
) -> Result<Vec<(String, String)>, WebhookFinding> {
    let found = inspect(entries, channels, Some(ours), Timestamp::UNIX_EPOCH);
    let is_ours = |entry: &&WebhookItem| !entry.is_paused && without_query(&entry.url) == without_query(ours);
    let posted: Vec<&String> = match found.finding {
        WebhookFinding::Missing => Vec::new(),
        WebhookFinding::ChannelsMissing => {
            entries.iter().filter(is_ours).filter_map(|entry| entry.channels.as_ref()).flatten().collect()
        }
        other @ (WebhookFinding::Ok
        | WebhookFinding::Paused
        | WebhookFinding::EventsMissing
        | WebhookFinding::UnknownAddress
        | WebhookFinding::NotAllowed) => return Err(other),
    };
    let missing = channels.iter().filter(|(id, _)| !posted.contains(&id));
    Ok(missing.map(|(id, name)| (id.clone(), name.clone().unwrap_or_else(|| id.clone()))).collect())
}

/// The address without its query, which holds the secret, and without a trailing slash.
fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/')
}

fn channels_missing(active: &[&WebhookItem], channels: &[(String, Option<String>)]) -> Vec<String> {
    let told: Option<Vec<&Vec<String>>> = active.iter().map(|entry| entry.channels.as_ref()).collect();
    // If one of the webhooks does not list its lines, it may post all of them.
    let Some(told) = told else { return Vec::new() };
    let is_posted = |id: &String| told.iter().any(|channels| channels.contains(id));
    let missing = channels.iter().filter(|(id, _)| !is_posted(id));
    missing.map(|(id, name)| name.clone().unwrap_or_else(|| id.clone())).collect()
}

fn events_missing(active: &[&WebhookItem]) -> Vec<String> {
    let told: Option<Vec<&Vec<String>>> = active.iter().map(|entry| entry.events.as_ref()).collect();
    let Some(told) = told else { return Vec::new() };
    let is_posted =
        |known: &str| told.iter().any(|events| events.iter().any(|event| event.eq_ignore_ascii_case(known)));
    // If none of the names is known, the API names the types otherwise than deliveries do, and nothing can be concluded.
    if !KNOWN_TYPES.into_iter().any(is_posted) {
        return Vec::new();
    }
    KNOWN_TYPES.into_iter().filter(|known| !is_posted(known)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "https://hub.example/api/umbler/webhook";

    fn entry(url: &str, channels: &[&str], events: &[&str]) -> WebhookItem {
        let list = |items: &[&str]| Some(items.iter().map(|item| (*item).to_owned()).collect());
        WebhookItem {
            name: Some("Hub".to_owned()),
            url: url.to_owned(),
            is_paused: false,
            channels: list(channels),
            events: list(events),
        }
    }

    fn found(entries: &[WebhookItem]) -> WebhookShape {
        let channels = [("x".to_owned(), Some("Loja".to_owned())), ("y".to_owned(), None)];
        inspect(entries, &channels, Some(OURS), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_webhook_that_posts_everything_here_is_fine_whatever_its_secret() {
        let url = format!("{OURS}/?token=secret");
        let shape = found(&[entry(&url, &["x", "y"], &KNOWN_TYPES)]);
        assert_eq!(shape.finding, WebhookFinding::Ok);
        let told = serde_json::to_string(&shape).unwrap();
        assert!(!told.contains("secret"), "{told}");
        let silent = WebhookItem { channels: None, events: None, ..entry(OURS, &[], &[]) };
        assert_eq!(
            found(&[silent]).finding,
            WebhookFinding::Ok,
            "a webhook that lists neither lines nor types may post all of them"
        );
        assert_eq!(found(&[entry(OURS, &["x", "y"], &["1", "2"])]).finding, WebhookFinding::Ok);
    }

    #[test]
    fn missing_lines_and_types_of_events_are_named() {
        let other =
            WebhookItem { name: Some("CRM".to_owned()), ..entry("https://crm.example/w", &["y"], &[]) };
        let shape = found(&[entry(OURS, &["x"], &KNOWN_TYPES), other.clone()]);
        assert_eq!(shape.finding, WebhookFinding::ChannelsMissing);
        assert_eq!(
            (shape.channels_missing, shape.other_applications),
            (vec!["y".to_owned()], vec!["CRM".to_owned()])
        );
        assert_eq!(found(&[other]).finding, WebhookFinding::Missing);
        assert_eq!(found(&[]).finding, WebhookFinding::Missing);
        let shape = found(&[entry(OURS, &["x", "y"], &["message", "ChatClosed"])]);
        assert_eq!((shape.finding, shape.events_missing.len()), (WebhookFinding::EventsMissing, 6));
    }

    #[test]
    fn a_new_webhook_covers_the_lines_that_no_webhook_posts_here_and_none_is_created_beside_a_paused_one() {
        let channels = [("x".to_owned(), Some("Loja".to_owned())), ("y".to_owned(), None)];
        let asked = |entries: &[WebhookItem]| uncovered(entries, &channels, OURS);
        let (loja, y) = (("x".to_owned(), "Loja".to_owned()), ("y".to_owned(), "y".to_owned()));
        assert_eq!(asked(&[entry("https://crm.example/w", &["x"], &[])]), Ok(vec![loja, y.clone()]));
        assert_eq!(asked(&[entry(OURS, &["x"], &KNOWN_TYPES)]), Ok(vec![y]));
        assert_eq!(asked(&[entry(OURS, &["x", "y"], &KNOWN_TYPES)]), Err(WebhookFinding::Ok));
        let paused = WebhookItem { is_paused: true, ..entry(OURS, &["x"], &KNOWN_TYPES) };
        assert_eq!(asked(&[paused]), Err(WebhookFinding::Paused));
    }

    #[test]
    fn a_paused_webhook_is_paused_unless_another_one_posts_here() {
        let paused = WebhookItem { is_paused: true, ..entry(OURS, &["x", "y"], &KNOWN_TYPES) };
        assert_eq!(found(std::slice::from_ref(&paused)).finding, WebhookFinding::Paused);
        assert_eq!(found(&[paused, entry(OURS, &["x", "y"], &KNOWN_TYPES)]).finding, WebhookFinding::Ok);
        let unset = inspect(&[], &[], None, Timestamp::UNIX_EPOCH);
        assert_eq!(unset.finding, WebhookFinding::UnknownAddress);
    }
}
