//! The answers of the fake API when nothing goes wrong.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::behavior::{FakeBehavior, OrderWord};
use super::world::{FakeChat, Message, STATES, World, moment};

/// A request: its path after the address of the server, and its parameters.
pub(super) struct ApiCall {
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    /// Content type and body of a POST request.
    pub(super) body: Option<(String, Vec<u8>)>,
}

impl ApiCall {
    fn value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn count(&self, name: &str, default: usize) -> usize {
        self.value(name).and_then(|text| text.parse().ok()).unwrap_or(default)
    }

    /// The parts of the path after the version.
    fn parts(&self) -> Vec<&str> {
        self.path.trim_start_matches("/api/v1/").trim_end_matches('/').split('/').collect()
    }

    /// The name of its route, as tests use it.
    pub(super) fn route(&self) -> String {
        match self.parts()[..] {
            ["chats", _, "relative-messages"] => "relative-messages".to_owned(),
            ["members", "online"] => "members-online".to_owned(),
            ["messages", _] => "message".to_owned(),
            ["messages", _, "states"] => "states".to_owned(),
            [first, ..] => first.to_owned(),
            [] => String::new(),
        }
    }
}

pub(super) fn answer(call: &ApiCall, world: &World, behavior: &FakeBehavior, now: Timestamp) -> (u16, Value) {
    let parts = call.parts();
    if parts[..] == ["members", "me"] {
        let organizations: Vec<Value> = (0..behavior.organizations)
            .map(|number| {
                let id = if number == 0 { world.organization.clone() } else { format!("other-{number}") };
                json!({ "id": id, "name": "Simulada", "permissions": [] })
            })
            .collect();
        return (200, json!({ "id": "me", "displayName": "Simulação", "organizations": organizations }));
    }
    if call.value("organizationId") != Some(&world.organization) {
        return (403, json!({ "message": "this organization is not the token's" }));
    }
    match parts[..] {
        ["organizations", _] => {
            (200, json!({ "id": world.organization, "organizationMembers": world.members }))
        }
        ["members", "online"] => (200, json!(world.online)),
        ["channels"] => (200, json!(world.channels)),
        ["sectors"] => (200, page_of(call, &world.sectors, behavior)),
        ["tags"] => (200, page_of(call, &world.tags, behavior)),
        ["webhooks"] => (200, json!(world.webhooks)),
        ["chats"] => (200, chats(call, world, behavior, now)),
        ["chats", id, "relative-messages"] => match world.chats.get(id) {
            Some(chat) => messages(call, chat, behavior, now),
            None => (404, json!({ "message": "no such chat" })),
        },
        ["messages", id] => match world.message(id) {
            Some(message) => (200, world.with_file(id, message)),
            None => (404, json!({ "message": "no such message" })),
        },
        ["messages", id, "states"] => match world.message(id) {
            Some(message) => (200, json!({ "states": states_of(message) })),
            None => (404, json!({ "message": "no such message" })),
        },
        _ => (404, json!({ "message": "no such route" })),
    }
}

/// A page of a list.
fn page_of(call: &ApiCall, list: &[Value], behavior: &FakeBehavior) -> Value {
    let skip = if behavior.skip_is_ignored { 0 } else { call.count("Skip", 0) };
    let take = call.count("Take", usize::MAX).min(behavior.names_take_max);
    let items: Vec<&Value> = list.iter().skip(skip).take(take).collect();
    json!({ "page": { "totalItems": list.len(), "took": items.len() }, "items": items })
}

/// The state history of a message.
fn states_of(message: &Message) -> Vec<Value> {
    let state = message.value["messageState"].as_str().unwrap_or_default();
    let count = STATES.iter().position(|known| *known == state).map_or(0, |place| place + 1);
    STATES[..count].iter().map(|state| json!({ "state": state })).collect()
}

/// Where a further page of chats is asked for: lets some of it come to the top before it is answered.
pub(super) fn raise(call: &ApiCall, world: &mut World, behavior: &FakeBehavior, now: Timestamp) {
    let skipped = call.count("Skip", 0);
    if skipped == 0 || call.route() != "chats" {
        return;
    }
    let listed = listed(call, world, behavior, now).into_iter().skip(skipped).take(behavior.slides);
    let risen: Vec<String> =
        listed.filter_map(|chat| chat.content["id"].as_str()).map(str::to_owned).collect();
    for id in risen {
        if let Some(chat) = world.chats.get_mut(&id) {
            chat.risen_at = Some(now);
        }
    }
}

/// All chats that are asked for, in the order that is asked for.
fn listed<'a>(
    call: &ApiCall,
    world: &'a World,
    behavior: &FakeBehavior,
    now: Timestamp,
) -> Vec<&'a FakeChat> {
    let bound = |name| {
        let text = if behavior.creation_is_ignored { None } else { call.value(name) };
        text.and_then(|text| text.parse::<Timestamp>().ok())
    };
    let (since, until) = (bound("DateStartCreatedAtUTC"), bound("DateEndCreatedAtUTC"));
    let is_created = |chat: &FakeChat| {
        let created = chat.created_at();
        since.is_none_or(|since| created.is_some_and(|at| at >= since))
            && until.is_none_or(|until| created.is_some_and(|at| at < until))
    };
    let state = call.value("ChatState").unwrap_or("Open");
    let is_wanted = |chat: &&FakeChat| {
        let fits = match state {
            "All" => true,
            "Closed" => !chat.is_open(),
            _ => chat.is_open(),
        };
        fits && !behavior.is_emptied && is_created(chat)
    };
    let mut found: Vec<&FakeChat> = world.chats.values().filter(is_wanted).collect();
    let order = match behavior.order {
        OrderWord::ChatOrderBy => call.value("ChatOrderBy"),
        OrderWord::OrderBy => call.value("OrderBy"),
        OrderWord::Ignored => None,
    };
    if order == Some("LastMessage") {
        found.sort_by_key(|chat| {
            let said = chat.newest(now).map_or_else(|| chat.active_at(), |message| message.at);
            std::cmp::Reverse(Some(said).max(chat.risen_at))
        });
    }
    found
}

fn chats(call: &ApiCall, world: &World, behavior: &FakeBehavior, now: Timestamp) -> Value {
    let found = listed(call, world, behavior, now);
    let asked = call.count("Take", 20);
    let take = asked.min(behavior.take_max);
    let skipped = if behavior.skip_is_ignored { 0 } else { call.count("Skip", 0) };
    let take = if call.value("Behavior") == Some("CountOnly") { 0 } else { take };
    let items: Vec<Value> =
        found.iter().skip(skipped).take(take).map(|chat| item(chat, behavior, now)).collect();
    json!({
        "page": { "totalItems": found.len(), "skipped": skipped, "took": items.len(), "maxTake": behavior.take_max,
            "searchEngine": "Mongo" },
        "items": items,
    })
}

fn item(chat: &FakeChat, behavior: &FakeBehavior, now: Timestamp) -> Value {
    let mut item = chat.content.clone();
    item["lastMessage"] =
        chat.newest(shown_until(behavior, now)).map_or(Value::Null, |message| message.value.clone());
    if let Some(risen_at) = chat.risen_at.filter(|_| item["lastMessage"].is_object()) {
        item["lastMessage"]["eventAtUTC"] = json!(format!("{risen_at:.3}"));
    }
    item["eventAtUTC"] = json!(format!("{:.3}", chat.active_at()));
    item
}

/// Messages after this moment do not appear in answers yet.
fn shown_until(behavior: &FakeBehavior, now: Timestamp) -> Timestamp {
    now.checked_sub(behavior.appears_after).unwrap_or(now)
}

fn messages(call: &ApiCall, chat: &FakeChat, behavior: &FakeBehavior, now: Timestamp) -> (u16, Value) {
    if behavior.hides_chat.is_some_and(|hidden| chat.content["id"] == hidden) {
        return (403, json!({ "message": "the token's owner may not see this chat" }));
    }
    let Some(from) = call.value("FromEventUTC").and_then(|text| moment(&json!(text))) else {
        return (400, json!({ "errors": { "FromEventUTC": ["required"] } }));
    };
    let is_back = call.value("Direction") == Some("TakeBefore");
    let is_on_this_side = |at: Timestamp| {
        let beyond = if is_back { at < from } else { at > from };
        beyond || behavior.cursor_is_included && at == from || behavior.cursor_is_ignored
    };
    let until = shown_until(behavior, now);
    let is_hidden = |message: &Message| behavior.cut_before.is_some_and(|cut| message.at < cut);
    let mut found: Vec<&Message> = chat
        .messages
        .values()
        .filter(|message| message.at <= until && is_on_this_side(message.at) && !is_hidden(message))
        .collect();
    found.sort_by_key(|message| message.at);
    if is_back {
        found.reverse();
    }
    found.truncate(call.count("Take", 20).min(behavior.messages_take_max));
    // The order within a page is arbitrary: here, by the reversed ids.
    found.sort_by_key(|message| message.value["id"].as_str().map(|id| id.chars().rev().collect::<String>()));
    let mut rows: Vec<Value> = found.iter().map(|message| message.value.clone()).collect();
    let wants_rows = call.value("IncludeMetadata") != Some("false");
    if behavior.has_rows_about_chats && (wants_rows || !rows.is_empty()) {
        let at = found.first().map_or(from, |message| message.at);
        rows.push(json!({ "_t": "BotStartedModel", "id": format!("row-{}", at.as_second()), "eventAtUTC": format!("{at:.3}") }));
    }
    let is_cut = behavior.tells_cut && chat.messages.values().any(is_hidden);
    (200, json!({ "messages": rows, "hasMessagesBeforeAllowedOrganizationPlan": is_cut }))
}
