//! The time machine: `?at=` tells how things stood, and tells it only to those who could have seen it.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::support::keys::{SECRET, token};
use super::support::provider::moment;
use super::support::{Delivery, Hub, hub_with, spawn_hub};

pub(super) const CHATS: [&str; 3] = ["a", "b", "c"];

/// What may happen in a chat.
#[derive(Debug, Clone)]
pub(super) enum What {
    Says,
    Answers(bool),
    Notes,
    Closes,
    Moves(bool),
    Hides(bool),
    Tags(u8),
    Bot(bool),
}

pub(super) fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        4 => Just(What::Says),
        3 => any::<bool>().prop_map(What::Answers),
        1 => Just(What::Notes),
        2 => Just(What::Closes),
        2 => any::<bool>().prop_map(What::Moves),
        1 => any::<bool>().prop_map(What::Hides),
        1 => (0..3u8).prop_map(What::Tags),
        1 => any::<bool>().prop_map(What::Bot),
    ]
}

/// A chat as the provider shows it: each delivery shows all of it.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "as the provider says it")]
pub(super) struct Shown {
    closed_at: Option<i64>,
    waiting: bool,
    owner: Option<&'static str>,
    support: bool,
    private: bool,
    tags: u8,
    bot: bool,
}

impl Shown {
    /// The delivery of what happens at this second.
    pub(super) fn delivery(&mut self, chat: &str, what: &What, second: i64) -> Delivery {
        let mut delivery = Delivery::message(chat).at(second);
        match what {
            What::Says => (self.closed_at, self.waiting) = (None, true),
            What::Answers(bia) => {
                (self.closed_at, self.waiting) = (None, false);
                self.owner = Some(if *bia { "bia" } else { "caio" });
                delivery = delivery.by_member("bia");
            }
            What::Notes => delivery = delivery.by_member("bia").message_field("IsPrivate", json!(true)),
            What::Closes => (self.closed_at, self.waiting) = (Some(self.closed_at.unwrap_or(second)), false),
            What::Moves(support) => self.support = *support,
            What::Hides(private) => self.private = *private,
            What::Tags(tags) => self.tags = *tags,
            What::Bot(bot) => self.bot = *bot,
        }
        if matches!(what, What::Closes | What::Moves(_) | What::Hides(_) | What::Tags(_) | What::Bot(_)) {
            delivery = delivery.without_message();
        }
        let sector = if self.support { "support" } else { "sales" };
        let tags: Vec<Value> =
            (0..self.tags).map(|tag| json!({ "Id": format!("t{tag}"), "Name": "tag" })).collect();
        let bots = if self.bot { json!([{ "Id": "bot", "Status": "Running" }]) } else { json!([]) };
        let mut delivery = delivery
            .chat_field("Sector", json!({ "Id": sector, "Name": sector }))
            .chat_field("Private", json!(self.private))
            .chat_field("Tags", json!(tags))
            .chat_field("Bots", bots)
            .chat_field("WaitingSinceUTC", Value::Null)
            .chat_field("EventAtUTC", Value::Null)
            .chat_field("CreatedAtUTC", json!(moment(0)))
            .waiting(self.waiting);
        if let Some(owner) = self.owner {
            delivery = delivery.owner(owner);
        }
        if let Some(at) = self.closed_at {
            return delivery.closed(at);
        }
        delivery.chat_field("Open", json!(true)).chat_field("ClosedAtUTC", Value::Null)
    }
}

/// Whose eyes look.
pub(super) fn tokens() -> [String; 4] {
    [
        token(json!({ "sub": "root", "role": "admin" })),
        token(json!({ "sub": "ana", "role": "agent", "sectors": ["sales"] })),
        token(json!({ "sub": "bia", "role": "agent", "members": ["bia"] })),
        token(json!({ "sub": "vera" })),
    ]
}

pub(super) fn get(hub: &Hub, token: &str, path: &str) -> (u16, Value) {
    let answer =
        hub.get_with(&format!("/api/umbler{path}"), &[("authorization", &format!("Bearer {token}"))]);
    (answer.status, answer.json())
}

/// A chat without the names of sectors and tags: they are those of today, where any chat still knows them.
fn without_names(mut chat: Value) -> Value {
    if let Some(sector) = chat["sector"].as_object_mut() {
        sector.remove("name");
    }
    for tag in chat["tags"].as_array_mut().into_iter().flatten() {
        tag["name"] = Value::Null;
    }
    chat
}

/// Everything that a hub says of its chats and counters, comparable.
fn told(hub: &Hub, token: &str, at: Option<&str>) -> Value {
    let with = |path: &str, and: char| at.map_or(path.to_owned(), |at| format!("{path}{and}at={at}"));
    let mut told = Vec::new();
    for query in ["", "status=open", "status=waiting", "status=closed", "sector=sales", "owner=bia", "tag=t1"]
    {
        let (status, list) = get(hub, token, &with(&format!("/chats?{query}"), '&'));
        assert_eq!(status, 200, "{list}");
        let chats = list["chats"].as_array().expect("chats").iter().cloned();
        let mut chats: Vec<Value> = chats.map(without_names).collect();
        chats.sort_by_key(|chat| chat["id"].to_string());
        told.push(json!(chats));
    }
    for chat in CHATS {
        let (status, one) = get(hub, token, &with(&format!("/chats/{chat}"), '?'));
        assert!(status == 200 || status == 404, "{one}");
        told.push(if status == 200 { without_names(one["chat"].clone()) } else { Value::Null });
    }
    let (status, mut counters) = get(hub, token, &with("/stats", '?'));
    assert_eq!(status, 200, "{counters}");
    counters["asOfSeq"] = Value::Null;
    // Today is another day than then.
    counters["messagesToday"] = Value::Null;
    told.push(counters);
    Value::Array(told)
}

proptest! {
    // A hub and some hundred questions for each.
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 40, ..ProptestConfig::default() })]
    #[test]
    fn at_any_moment_between_deliveries_the_past_is_what_a_fresh_hub_said_then(
        steps in prop::collection::vec((0..CHATS.len(), what()), 1..14),
    ) {
        let past = hub_with(&[("JWT_SECRET", SECRET)]);
        let mut shown = [Shown::default(), Shown::default(), Shown::default()];
        let deliveries: Vec<Delivery> = (10..)
            .step_by(10)
            .zip(&steps)
            .map(|(second, (chat, what))| shown[*chat].delivery(CHATS[*chat], what, second))
            .collect();
        for delivery in &deliveries {
            past.provider().posts(delivery);
        }
        let fresh = hub_with(&[("JWT_SECRET", SECRET)]);
        for (second, delivery) in (5..).step_by(10).zip(&deliveries) {
            for token in tokens() {
                prop_assert_eq!(told(&past, &token, Some(&moment(second))), told(&fresh, &token, None), "at {}", second);
            }
            fresh.provider().posts(delivery);
        }
        for token in tokens() {
            prop_assert_eq!(told(&past, &token, Some("2026-03-03T00:00:00Z")), told(&fresh, &token, None));
        }
    }
}

#[test]
fn messages_of_the_day_are_those_since_its_midnight() {
    let hub = spawn_hub();
    // 13:00 in UTC is 10:00 in São Paulo; eleven hours before is the evening of the day before.
    for second in [-11 * 3_600, 1, 2, 3] {
        hub.provider()
            .posts(&Delivery::message("a").at(second).chat_field("CreatedAtUTC", json!(moment(-90_000))));
    }
    let today =
        |second: i64| hub.json(&format!("/api/umbler/stats?at={}", moment(second)))["messagesToday"].clone();
    assert_eq!(today(-11 * 3_600 - 1), 0);
    assert_eq!(today(-11 * 3_600), 1);
    assert_eq!(today(2), 2);
    assert_eq!(today(3), 3);
}

#[test]
fn pages_of_the_past_follow_each_other() {
    let hub = spawn_hub();
    for at in 0..23_u8 {
        let created = json!(moment(i64::from(at % 7)));
        let chat = format!("c{at:02}");
        hub.provider().posts(&Delivery::message(&chat).at(100).chat_field("CreatedAtUTC", created.clone()));
        // Every other one moved since.
        if at % 2 == 0 {
            hub.provider()
                .posts(&Delivery::message(&chat).at(300).closed(300).chat_field("CreatedAtUTC", created));
        }
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = hub.json(&format!("/api/umbler/chats?at={}&status=open&limit=5{cursor}", moment(200)));
        assert_eq!((&page["at"], &page["limit"]), (&json!("2026-03-02T13:03:20Z"), &json!(5)));
        seen.extend(page["chats"].as_array().expect("chats").iter().map(|chat| chat["id"].to_string()));
        let Some(next) = page["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen.len(), 23);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 23);
    assert_eq!(hub.json("/api/umbler/chats?status=open")["total"], 11);
}

#[test]
fn a_moment_that_is_none_or_that_is_not_over_is_refused_and_one_before_everything_is_empty() {
    let hub = spawn_hub();
    hub.provider().posts(&Delivery::message("a"));
    for path in ["/chats", "/chats/a", "/stats"] {
        for at in ["2999-01-01T00:00:00Z", "yesterday", ""] {
            let refused = hub.get(&format!("/api/umbler{path}?at={at}"));
            assert_eq!(refused.refuses(400, "bad_parameter")["parameter"], "at", "{path} {at}");
        }
    }
    for (parameter, value) in [("page", "2"), ("sort", "name"), ("order", "asc")] {
        let refused = hub.get(&format!("/api/umbler/chats?at={}&{parameter}={value}", moment(1)));
        assert_eq!(refused.refuses(400, "bad_parameter")["parameter"], parameter);
    }
    let before = "2001-01-01T00:00:00Z";
    assert_eq!(hub.json(&format!("/api/umbler/chats?at={before}"))["chats"], json!([]));
    assert_eq!(hub.get(&format!("/api/umbler/chats/a?at={before}")).status, 404);
    assert_eq!(hub.json(&format!("/api/umbler/stats?at={before}"))["totalChats"], 0);
}

#[test]
fn names_of_the_past_are_those_of_today_and_masked_for_viewers() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    let [admin, .., viewer] = tokens();
    hub.provider().posts(&Delivery::message("a").at(10).owner("bia"));
    hub.provider().posts(&Delivery::message("a").at(20).owner("caio"));
    hub.names("bia", Some("Bia Nunes"), &admin);
    let path = format!("/chats/a?at={}", moment(15));
    let (_, whole) = get(&hub, &admin, &path);
    assert_eq!(whole["chat"]["owner"], json!({ "id": "bia", "name": "Bia Nunes" }));
    let (_, masked) = get(&hub, &viewer, &path);
    assert_eq!(masked["chat"]["owner"]["name"], "B•••");
    assert_eq!(masked["chat"]["lastMessage"]["text"], Value::Null);
    assert_ne!(masked["chat"]["contactName"], whole["chat"]["contactName"]);
}
