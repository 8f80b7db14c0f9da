//! What is not known of the provider is a switch of its fake, and each failure that was seen is a fault of it. Here are those that
//! no other test flips, and the list of all with the tests that do.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;
use umbler_hub::facade::testing::{ApiFault, Day, Echo};

use super::support::api::{ago, api, deliveries, linked, lose, message_ids, rechecked};
use super::support::sending::Sending;

/// Each switch of the fake API, and a test that flips it.
const SWITCHES: [(&str, &str); 27] = [
    ("order", "nothing_is_lost_with_the_other_order_parameter_and_chats_that_move_between_pages"),
    ("skip_is_ignored", "a_page_that_comes_again_and_again_is_an_error_and_does_not_move_complete_until"),
    ("creation_is_ignored", "bounds_of_creation_that_are_ignored_are_noticed_and_nothing_is_missing"),
    ("take_max", "if_the_order_of_chats_is_ignored_all_open_and_recent_chats_are_read"),
    ("slides", "nothing_is_lost_with_the_other_order_parameter_and_chats_that_move_between_pages"),
    ("cursor_is_included", "short_pages_of_messages_lose_nothing_whether_the_cursor_is_included_or_not"),
    ("cursor_is_ignored", "a_cursor_that_is_ignored_is_an_error"),
    ("messages_take_max", "many_messages_in_one_instant_are_all_found"),
    ("has_rows_about_chats", "five_in_a_hundred_lost_webhooks_are_found_whichever_guess_is_right"),
    ("cut_before", "a_plan_that_hides_the_past_is_noticed_whatever_its_flag_says"),
    ("names_take_max", "a_list_is_read_to_its_end_also_where_the_provider_ignores_pages"),
    ("tells_cut", "a_plan_that_hides_the_past_is_noticed_whatever_its_flag_says"),
    ("appears_after", "what_appears_too_late_is_found_before_it_is_sent_again"),
    ("per_5_seconds", "an_api_that_allows_fewer_requests_than_documented_is_read_to_the_end"),
    ("retry_after", "an_api_that_fails_now_and_then_is_tried_again_until_everything_is_known"),
    ("hides_chat", "one_chat_that_cannot_be_read_does_not_hold_up_the_others"),
    ("refuses_with", "agents_get_their_names_and_pictures_from_umbler"),
    ("token", "a_token_that_an_admin_replaces_is_used_at_once"),
    ("clock_ahead", "a_wrong_clock_of_the_provider_does_not_make_later_webhooks_count_as_older"),
    ("is_emptied", "an_empty_list_is_an_error_if_the_hub_knows_chats"),
    ("organizations", "a_token_of_several_organizations_needs_the_setting_that_names_one"),
    ("temp_id_counts", "a_message_that_a_person_sends_again_arrives_as_umbler_treats_its_temp_id"),
    ("shows_temp_id", "a_shown_temp_id_tells_a_lost_message_from_another_with_the_same_text"),
    ("echo", "the_reply_counts_for_whoever_wrote_it_and_a_second_copy_counts_for_nobody"),
    ("echo_after", "a_webhook_that_overtakes_the_answer_changes_nothing"),
    ("states", "states_that_overtake_each_other_end_in_the_furthest"),
    ("states_after", "a_webhook_that_overtakes_the_answer_changes_nothing"),
];

/// The last switch, and each fault of single answers, with a test that uses it.
const FAULTS: [(&str, &str); 12] = [
    ("refuses_to_send", "a_refusal_is_told_in_the_providers_words_and_may_be_dropped"),
    ("Status", "an_api_that_fails_now_and_then_is_tried_again_until_everything_is_known"),
    ("Says", "what_the_provider_said_of_a_message_that_it_refused_is_erased_too"),
    ("Html", "an_api_that_fails_now_and_then_is_tried_again_until_everything_is_known"),
    ("Truncated", "an_api_that_fails_now_and_then_is_tried_again_until_everything_is_known"),
    ("Cut", "what_was_taken_in_although_no_answer_came_is_found_and_not_sent_again"),
    ("Reset", "what_was_taken_in_although_no_answer_came_is_found_and_not_sent_again"),
    ("Lost", "what_is_not_found_is_for_a_person_to_decide"),
    ("Accepted", "what_was_taken_in_although_no_answer_came_is_found_and_not_sent_again"),
    ("Slow", "a_webhook_that_overtakes_the_answer_changes_nothing"),
    ("Redirect", "a_redirect_and_a_huge_answer_are_refused"),
    ("Huge", "a_redirect_and_a_huge_answer_are_refused"),
];

/// The source of a test, from its name to the next function.
fn body_of(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it");
    for file in std::fs::read_dir(folder).expect("the tests").map(|file| file.expect("a file").path()) {
        let Ok(source) = std::fs::read_to_string(&file) else { continue };
        if let Some((_, rest)) = source.split_once(&format!("fn {name}()")) {
            let own = rest.split("\n#[test]").next().unwrap_or(rest);
            // A helper of the same file may flip the switch for it.
            let helpers: Vec<&str> = source
                .split("\nfn ")
                .filter(|part| own.contains(part.split('(').next().unwrap_or("?")))
                .collect();
            return format!("{own}{}", helpers.concat());
        }
    }
    panic!("no test is called {name}");
}

#[test]
fn every_switch_and_every_fault_of_the_fake_api_is_used_by_a_test() {
    let source = include_str!("../../src/tools/fake/behavior.rs");
    let (switches, rest) = source
        .split_once("pub struct FakeBehavior {")
        .and_then(|(_, rest)| rest.split_once("\n}\n"))
        .expect("it");
    let faults = rest.split_once("pub enum ApiFault {").expect("the faults").1;
    let fields = switches.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next());
    let variants = faults.lines().map(str::trim).filter(|line| line.starts_with(char::is_uppercase));
    let variants = variants.map(|line| line.trim_end_matches(',').split('(').next().unwrap_or(line));
    let listed: Vec<(&str, &str)> = SWITCHES.into_iter().chain(FAULTS).collect();
    for name in fields.chain(variants) {
        assert!(listed.iter().any(|(known, _)| *known == name), "{name} is in no list");
    }
    for (name, test) in listed {
        assert!(body_of(test).contains(name), "{test} does not use {name}");
    }
}

#[test]
fn an_api_that_allows_fewer_requests_than_documented_is_read_to_the_end() {
    let api = api();
    api.behave(|behavior| behavior.per_5_seconds = 12);
    let mut day = Day::new(41, ago(3_000));
    lose(&api, &deliveries(&mut day, ago(3_000), ago(200), 120));
    let hub = linked(&api, &[]);
    let link = rechecked(&hub);
    assert_eq!(link["state"], "ok", "{link}");
    assert!(api.requests().iter().any(|request| request.status == 429), "the limit was reached");
    assert_eq!(message_ids(&hub), api.world(|world| world.message_ids()));
}

#[test]
fn a_message_that_a_person_sends_again_arrives_as_umbler_treats_its_temp_id() {
    for (temp_id_counts, arrived) in [(true, 1), (false, 2)] {
        let sending = Sending::new(&[]);
        sending.chat("ana", 60);
        // The first one arrives, and does not appear before a person decides.
        sending.api.behave(|behavior| {
            behavior.temp_id_counts = temp_id_counts;
            (behavior.echo, behavior.appears_after) = (Echo::Never, SignedDuration::from_mins(10));
        });
        sending.api.fail("messages", &ApiFault::Reset, 1);
        let id = sending.sends("ana", "Olá");
        sending.becomes(&id, &["unconfirmed"]);
        let again = sending.hub.provider().post_to(&format!("/api/umbler/outbox/{id}/resend"), &[], "");
        assert_eq!(again.status, 200, "{}", again.text);
        let entry = sending.becomes(&id, &["sent"]);
        let sent = sending.api.sent();
        assert_eq!(sent.len(), arrived, "{temp_id_counts}: {entry}");
        assert_eq!(entry["messageId"], json!(sent[arrived - 1].id));
    }
}

#[test]
fn a_shown_temp_id_tells_a_lost_message_from_another_with_the_same_text() {
    for shows_temp_id in [true, false] {
        let sending = Sending::new(&[]);
        sending.chat("ana", 60);
        sending.api.behave(|behavior| (behavior.shows_temp_id, behavior.echo) = (shows_temp_id, Echo::Never));
        let first = sending.becomes(&sending.sends("ana", "Ok"), &["sent"]);
        sending.api.fail("messages", &ApiFault::Lost, 1);
        let lost = sending.sends("ana", "Ok");
        assert_eq!(sending.becomes(&lost, &["sent", "unconfirmed"])["state"], "unconfirmed", "{first}");
        sending.api.fail("messages", &ApiFault::Reset, 1);
        let taken = sending.becomes(&sending.sends("ana", "Ok"), &["sent", "unconfirmed"]);
        let sent = sending.api.sent();
        assert_eq!((sent.len(), &taken["messageId"]), (2, &json!(sent[1].id)), "{shows_temp_id}: {taken}");
    }
}

#[test]
fn a_webhook_that_overtakes_the_answer_changes_nothing() {
    let sending = Sending::new(&[]);
    sending.chat("ana", 60);
    sending
        .api
        .behave(|behavior| (behavior.echo_after, behavior.states_after) = (Duration::ZERO, Duration::ZERO));
    sending.api.fail("messages", &ApiFault::Slow(Duration::from_millis(800)), 1);
    let id = sending.sends("ana", "Olá");
    let entry = sending.becomes(&id, &["sent", "unconfirmed", "failed"]);
    assert_eq!((&entry["state"], &entry["attempts"]), (&json!("sent"), &json!(1)), "{entry}");
    let message = sending.message("ana", &entry["messageId"], |message| message["state"] == "Read");
    assert_eq!(message["sentBy"]["id"], "anonymous", "{message}");
    assert_eq!(message["echoOf"], json!(null), "{message}");
    assert_eq!(sending.api.sent().len(), 1);
}
