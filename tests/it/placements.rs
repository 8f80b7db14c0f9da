//! What limited tokens' lists and counters are made of agrees with the chats at any time: sums that are kept must not drift.

use proptest::prelude::*;
use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use super::convergence::bodies;
use super::support::keys::{SECRET, token};
use super::support::{Delivery, Hub, hub_with, spawn_hub};

const DO_NOT_HOLD: &str = include_str!("../fixtures/databases/placements_do_not_hold.sql");

/// What of the kept sums is not what the rows say.
pub(super) fn differences(hub: &Hub) -> Vec<String> {
    let database =
        Connection::open_with_flags(hub.database(), OpenFlags::SQLITE_OPEN_READ_ONLY).expect("open");
    let mut select = database.prepare(DO_NOT_HOLD).expect("the check");
    let found = select.query_map([], |row| row.get(0)).expect("asked");
    found.collect::<Result<_, _>>().expect("read")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn sums_by_placement_are_those_of_the_chats_whatever_comes_in_whatever_order((bodies, order) in bodies()) {
        let hub = spawn_hub();
        for at in order {
            hub.provider().post(bodies[at].to_string()).json();
        }
        prop_assert_eq!(differences(&hub), Vec::<String>::new());
    }
}

#[test]
fn counters_of_a_limited_token_follow_a_chat_that_is_handed_over() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    let stats = |sector: &str| {
        let token = token(json!({ "sub": "bia", "role": "agent", "sectors": [sector] }));
        let bearer = format!("Bearer {token}");
        let stats = hub.get_with("/api/umbler/stats", &[("authorization", &bearer)]).json();
        ["totalContacts", "totalChats", "totalMessages", "openChats", "messagesToday"]
            .map(|name| stats[name].clone())
    };
    let now = umbler_hub::facade::testing::clock::now().to_string();
    let in_sector = |sector: &str| {
        Delivery::message("a")
            .chat_field("Sector", json!({ "Id": sector, "Name": sector }))
            .set("/EventDate", json!(now))
            .message_field("EventAtUTC", json!(now))
    };
    for _ in 0..3 {
        hub.provider().posts(&in_sector("sales"));
    }
    // Midnight may pass while this runs, so that today has only some of the messages: those of one token or of the other.
    let [contacts, chats, messages, open, today] = stats("sales");
    assert_eq!([contacts, chats, messages, open], [json!(1), json!(1), json!(3), json!(1)]);
    hub.provider().posts(&in_sector("support"));
    let [contacts, chats, messages, open, still] = stats("sales");
    assert_eq!([contacts, chats, messages, open], [json!(0), json!(0), json!(0), json!(0)]);
    assert_eq!(still, json!(0), "today's messages went along, {today} of them");
    assert_eq!(stats("support")[..4], [json!(1), json!(1), json!(4), json!(1)]);
    assert_eq!(differences(&hub), Vec::<String>::new());
}

#[test]
fn a_reaction_stays_in_a_limited_tokens_lists_where_the_chats_last_message_turns_out_to_be_older() {
    let hub = spawn_hub();
    hub.provider().posts(&Delivery::message("a").at(1_000));
    let said = Delivery::message("a").message_id("told-twice").at(2_000).emitted_at(1_001);
    hub.provider().posts(&said);
    let reaction = Delivery::message("a").at(1_990).emitted_at(1_002);
    hub.provider().posts(&reaction.message_field("MessageType", json!("Reaction")));
    // The chat's last activity falls back behind the reaction.
    hub.provider().posts(&said.event_id("told-again").at(1_100).emitted_at(1_003));
    assert_eq!(differences(&hub), Vec::<String>::new());
}
