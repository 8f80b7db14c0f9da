//! A token's end on a socket: the warning before it, the refresh in place, and what a refresh must not do.

use jiff::Timestamp;
use serde_json::json;

use super::support::keys::{SECRET, now, token};
use super::support::{Hub, Screen, hub_with};

fn guarded() -> Hub {
    hub_with(&[("JWT_SECRET", SECRET)])
}

fn of_ana(seconds: i64) -> String {
    token(json!({ "sub": "ana", "exp": now() + seconds }))
}

/// The warning must come next; the seconds that it says are left.
fn warned(screen: &mut Screen) -> i64 {
    let warning = screen.hears("token_expiring");
    let expires_at: Timestamp = warning["expiresAt"].as_str().expect("a moment").parse().expect("RFC 3339");
    let left = warning["secondsLeft"].as_i64().expect("a number");
    // It was said a moment ago, and rounded.
    assert!(left > 0 && left >= expires_at.as_second() - now() - 1, "{warning}");
    assert_eq!(warning.as_object().map(serde_json::Map::len), Some(2), "{warning}");
    left
}

fn says_token(screen: &mut Screen, token: &str) {
    screen.says("authenticate", json!({ "token": token }));
    screen.hears("authenticated");
}

#[test]
fn a_token_that_ends_within_the_minute_is_warned_of_at_once() {
    let hub = guarded();
    let mut screen = hub.screen().signed_in(&of_ana(40));
    assert!(warned(&mut screen) <= 40);
}

#[test]
fn a_token_is_warned_of_a_minute_before_its_end() {
    let hub = guarded();
    let mut screen = hub.screen().signed_in(&of_ana(62));
    assert!(warned(&mut screen) <= 61, "not at once, with 62 seconds left");
}

#[test]
fn a_token_that_is_all_but_over_is_not_warned_of() {
    let hub = guarded();
    let mut screen = hub.screen().signed_in(&of_ana(3));
    assert!(screen.catches_up().is_empty());
}

#[test]
fn a_client_that_refreshes_at_each_warning_does_not_do_so_without_end() {
    let hub = guarded();
    let mut screen = hub.screen().signed_in(&of_ana(10));
    warned(&mut screen);
    says_token(&mut screen, &of_ana(10));
    assert!(warned(&mut screen) <= 6, "when half of it is over, and not at once");
}

#[test]
fn a_refresh_takes_the_warning_of_the_old_token_back() {
    let hub = guarded();
    let mut refreshed = hub.screen().signed_in(&of_ana(62));
    says_token(&mut refreshed, &of_ana(3_600));
    // Another socket's warning proves that the moment of this one has passed.
    let mut other = hub.screen().signed_in(&of_ana(62));
    warned(&mut other);
    assert!(refreshed.catches_up().is_empty());
}

#[test]
fn frames_may_follow_a_token_without_waiting_for_its_answer() {
    let hub = guarded();
    let mut screen = hub.screen();
    screen.says("authenticate", json!({ "token": of_ana(3_600) }));
    screen.says("subscribe_updates", json!({}));
    screen.says("request_umbler_data", json!({}));
    for event in ["authenticated", "subscribed", "umbler_data"] {
        screen.hears(event);
    }
}
