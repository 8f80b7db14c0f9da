//! What the stand-in answers to a question, when nothing goes wrong.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::ways::{OrderWord, Ways};
use super::world::{FakeChat, Message, World, moment};

/// A question: its path behind the address of the API, and its parameters.
pub(super) struct ApiQuestion {
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
}

impl ApiQuestion {
    fn value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn count(&self, name: &str, default: usize) -> usize {
        self.value(name).and_then(|text| text.parse().ok()).unwrap_or(default)
    }

    /// The parts of its path behind the version.
    fn parts(&self) -> Vec<&str> {
        self.path.trim_start_matches("/api/v1/").trim_end_matches('/').split('/').collect()
    }

    /// Its route, as a test names it.
    pub(super) fn route(&self) -> String {
        match self.parts()[..] {
            ["chats", _, "relative-messages"] => "relative-messages".to_owned(),
            [first, ..] => first.to_owned(),
            [] => String::new(),
        }
    }
}

pub(super) fn answer(question: &ApiQuestion, world: &World, ways: &Ways, now: Timestamp) -> (u16, Value) {
    let parts = question.parts();
    if parts[..] == ["members", "me"] {
        let organizations: Vec<Value> = (0..ways.organizations)
            .map(|number| {
                let id = if number == 0 { world.organization.clone() } else { format!("other-{number}") };
                json!({ "id": id, "name": "Simulada", "permissions": [] })
            })
            .collect();
        return (200, json!({ "id": "me", "displayName": "Simulação", "organizations": organizations }));
    }
    if question.value("organizationId") != Some(&world.organization) {
        return (403, json!({ "message": "this organization is not the token's" }));
    }
    match parts[..] {
        ["organizations", _] => {
            (200, json!({ "id": world.organization, "organizationMembers": world.members }))
        }
        ["channels"] => (200, json!(world.channels)),
        ["sectors" | "tags"] => (200, json!({ "page": {}, "items": [{ "id": "x", "name": "X" }] })),
        ["webhooks"] => (200, json!(world.webhooks)),
        ["chats"] => (200, chats(question, world, ways, now)),
        ["chats", id, "relative-messages"] => match world.chats.get(id) {
            Some(chat) => messages(question, chat, ways, now),
            None => (404, json!({ "message": "no such chat" })),
        },
        _ => (404, json!({ "message": "no such route" })),
    }
}

fn chats(question: &ApiQuestion, world: &World, ways: &Ways, now: Timestamp) -> Value {
    let since = question.value("DateStartCreatedAtUTC").and_then(|text| text.parse::<Timestamp>().ok());
    let state = question.value("ChatState").unwrap_or("Open");
    let is_wanted = |chat: &&FakeChat| {
        let fits = match state {
            "All" => true,
            "Closed" => !chat.is_open(),
            _ => chat.is_open(),
        };
        fits && !ways.is_emptied && since.is_none_or(|since| chat.created_at().is_some_and(|at| at >= since))
    };
    let mut found: Vec<&FakeChat> = world.chats.values().filter(is_wanted).collect();
    let order = match ways.order {
        OrderWord::ChatOrderBy => question.value("ChatOrderBy"),
        OrderWord::OrderBy => question.value("OrderBy"),
        OrderWord::Ignored => None,
    };
    if order == Some("LastMessage") {
        found.sort_by_key(|chat| {
            std::cmp::Reverse(chat.newest(now).map_or_else(|| chat.active_at(), |message| message.at))
        });
    }
    let asked = question.count("Take", 20);
    let take = asked.min(ways.take_max);
    let skipped = if ways.skip_is_ignored { 0 } else { question.count("Skip", 0) };
    // What came to the top meanwhile pushes all others down.
    let begin = if skipped > 0 { skipped.saturating_sub(ways.slides) } else { 0 };
    let items: Vec<Value> = found.iter().skip(begin).take(take).map(|chat| item(chat, ways, now)).collect();
    json!({
        "page": { "totalItems": found.len(), "skipped": skipped, "took": items.len(), "maxTake": ways.take_max,
            "searchEngine": "Mongo" },
        "items": items,
    })
}

fn item(chat: &FakeChat, ways: &Ways, now: Timestamp) -> Value {
    let mut item = chat.content.clone();
    item["lastMessage"] =
        chat.newest(shown_until(ways, now)).map_or(Value::Null, |message| message.value.clone());
    item["eventAtUTC"] = json!(format!("{:.3}", chat.active_at()));
    item
}

/// Messages appear some time after they happened.
fn shown_until(ways: &Ways, now: Timestamp) -> Timestamp {
    now.checked_sub(ways.appears_after).unwrap_or(now)
}

fn messages(question: &ApiQuestion, chat: &FakeChat, ways: &Ways, now: Timestamp) -> (u16, Value) {
    let Some(from) = question.value("FromEventUTC").and_then(|text| moment(&json!(text))) else {
        return (400, json!({ "errors": { "FromEventUTC": ["required"] } }));
    };
    let is_back = question.value("Direction") == Some("TakeBefore");
    let is_on_this_side = |at: Timestamp| {
        let beyond = if is_back { at < from } else { at > from };
        beyond || ways.cursor_counts && at == from || ways.cursor_is_ignored
    };
    let until = shown_until(ways, now);
    let is_hidden = |message: &Message| ways.cut_before.is_some_and(|cut| message.at < cut);
    let mut found: Vec<&Message> = chat
        .messages
        .values()
        .filter(|message| message.at <= until && is_on_this_side(message.at) && !is_hidden(message))
        .collect();
    found.sort_by_key(|message| message.at);
    if is_back {
        found.reverse();
    }
    found.truncate(question.count("Take", 20).min(ways.messages_take_max));
    // In no certain order: by the ends of their ids.
    found.sort_by_key(|message| message.value["id"].as_str().map(|id| id.chars().rev().collect::<String>()));
    let mut rows: Vec<Value> = found.iter().map(|message| message.value.clone()).collect();
    let wants_rows = question.value("IncludeMetadata") != Some("false");
    if ways.has_rows_about_chats && (wants_rows || !rows.is_empty()) {
        let at = found.first().map_or(from, |message| message.at);
        rows.push(json!({ "_t": "BotStartedModel", "id": format!("row-{}", at.as_second()), "eventAtUTC": format!("{at:.3}") }));
    }
    let is_cut = ways.tells_cut && chat.messages.values().any(is_hidden);
    (200, json!({ "messages": rows, "hasMessagesBeforeAllowedOrganizationPlan": is_cut }))
}
