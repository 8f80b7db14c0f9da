//! Any order and any duplication of deliveries ends in one state, and that state is the right one.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use serde_json::{Map, Value, json};
use umbler_hub::facade::rules::{ChatMessage, Delivery, MessagePosition, MessageRole, Reading, read};

use super::support::memory::Memory;
use super::support::provider::{START, moment};

const TYPES: [&str; 8] = [
    "Message",
    "MessageFileUploaded",
    "NewChat",
    "ChatClosed",
    "MemberTransfer",
    "ChatSectorChanged",
    "ChatPrivateStatusChanged",
    "ChatTagChanged",
];

/// A field that a delivery may hold, hold as null, or leave out.
fn field(value: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Option<Value>> {
    prop_oneof![6 => value.prop_map(Some), 1 => Just(Some(Value::Null)), 1 => Just(None)].boxed()
}

fn one_of(values: &'static [&'static str]) -> impl Strategy<Value = Value> {
    select(values).prop_map(|value| json!(value))
}

fn named(ids: &'static [&'static str]) -> BoxedStrategy<Value> {
    select(ids).prop_map(|id| json!({ "Id": id, "Name": format!("name of {id}") })).boxed()
}

fn list(items: &'static [&'static str]) -> BoxedStrategy<Value> {
    subsequence(items, 0..=items.len())
        .prop_map(|ids| ids.iter().map(|id| json!({ "Id": id, "Name": id })).collect::<Value>())
        .boxed()
}

/// A moment anywhere in the conversation.
fn time() -> BoxedStrategy<Value> {
    (0..3_000i64).prop_map(|seconds| json!(moment(seconds))).boxed()
}

/// One of few seconds, in whole as WhatsApp stamps them or finer, so that ties and reversals are common.
fn close_time() -> BoxedStrategy<Value> {
    let start: Timestamp = START.parse().expect("a moment");
    let after = (0..4i64, select(&[0, 0, 250, 600][..]));
    after
        .prop_map(move |(seconds, millis)| {
            json!((start + SignedDuration::from_millis(1_000 * seconds + millis)).to_string())
        })
        .boxed()
}

fn object(fields: Vec<(&'static str, BoxedStrategy<Option<Value>>)>) -> BoxedStrategy<Map<String, Value>> {
    let (names, values): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
    values
        .prop_map(move |values| {
            let said =
                names.iter().zip(values).filter_map(|(name, value)| Some(((*name).to_owned(), value?)));
            said.collect()
        })
        .boxed()
}

fn reaction() -> BoxedStrategy<Value> {
    (0..6u8, select(&["👍", "❤️", ""][..]), time(), 0..3u8, 0..4u8)
        .prop_map(|(id, emoji, at, chat, message)| {
            json!({ "Id": format!("r{id}"), "Emoji": emoji, "Source": "Contact", "EventAtUTC": at,
                    "MessageId": format!("m{chat}-{message}") })
        })
        .boxed()
}

fn file() -> BoxedStrategy<Value> {
    object(vec![
        ("Url", field(one_of(&["https://files.example/a", "https://files.example/b"]))),
        ("ContentType", field(one_of(&["image/jpeg", "image/png"]))),
        ("OriginalName", field(one_of(&["a.jpg"]))),
        ("OriginalSizeBytes", field((1..9u64).prop_map(|size| json!(size)))),
    ])
    .prop_map(Value::Object)
    .boxed()
}

fn message() -> BoxedStrategy<Value> {
    let fields = object(vec![
        ("EventAtUTC", field(close_time())),
        ("CreatedAtUTC", field(close_time())),
        ("Source", field(one_of(&["Contact", "Contact", "Member", "Bot", "External", "Telepathy"]))),
        ("MessageType", field(one_of(&["Text", "Image", "Reaction"]))),
        ("Content", field(one_of(&["oi", "bom dia", "", "\u{200e}"]))),
        ("IsDeleted", prop_oneof![8 => Just(None), 1 => Just(Some(json!(true)))].boxed()),
        ("MessageState", field(one_of(&["Processing", "Sent", "Delivered", "Read", "Failed", "Odd"]))),
        ("IsPrivate", field(any::<bool>().prop_map(|yes| json!(yes)))),
        ("SentByOrganizationMember", field(named(&["bia", "caio"]))),
        ("TemplateId", prop_oneof![5 => Just(None), 1 => Just(Some(json!("template")))].boxed()),
        ("File", field(file())),
        (
            "LatestEdit",
            field(
                (time(), one_of(&["x", "y"]))
                    .prop_map(|(at, text)| json!({ "Content": text, "SenderAtUTC": at })),
            ),
        ),
        ("Reactions", field(prop::collection::vec(reaction(), 0..3).prop_map(Value::Array))),
        ("InReplyTo", field((0..8u8).prop_map(|id| json!({ "Id": format!("m{id}") })))),
    ]);
    fields.prop_map(Value::Object).boxed()
}

/// One delivery of one of three chats; each chat has messages of its own.
fn delivery() -> BoxedStrategy<Value> {
    let content = object(vec![
        ("Open", field(any::<bool>().prop_map(|yes| json!(yes)))),
        ("Waiting", field(any::<bool>().prop_map(|yes| json!(yes)))),
        ("Private", field(any::<bool>().prop_map(|yes| json!(yes)))),
        ("WaitingSinceUTC", field(time())),
        ("ClosedAtUTC", field(close_time())),
        ("CreatedAtUTC", field(time())),
        ("EventAtUTC", field(time())),
        ("Sector", field(named(&["sales", "support"]))),
        ("OrganizationMember", field(named(&["bia", "caio"]))),
        ("LastOrganizationMember", field(named(&["bia", "caio"]))),
        ("OrganizationMembers", field(list(&["bia", "caio"]))),
        ("Tags", field(list(&["vip", "late"]))),
        ("Channel", field(named(&["line"]))),
        ("LastMessageReaction", field(reaction())),
    ]);
    let contact = object(vec![
        ("Name", field(one_of(&["Ana", "Ana Lima"]))),
        ("PhoneNumber", field(one_of(&["+5511900000001"]))),
        ("ContactType", field(one_of(&["DirectMessage", "DirectMessage", "Group", "MemberGroup"]))),
        ("IsBlocked", field(any::<bool>().prop_map(|yes| json!(yes)))),
        ("Tags", field(list(&["gold"]))),
        ("LastActiveUTC", field(time())),
    ]);
    let carried = (prop::option::of(message()), prop::option::of(message()), 0..4u8, 0..4u8);
    (select(&TYPES[..]), prop_oneof![time(), close_time()], content, contact, carried, 0..3u8, 0..3u8)
        .prop_map(|(event_type, at, mut content, mut contact, (last, other, last_id, other_id), chat, who)| {
            contact.insert("Id".into(), json!(format!("contact{who}")));
            content.insert("Contact".into(), Value::Object(contact));
            content.insert("Id".into(), json!(format!("chat{chat}")));
            for (key, carried, id) in [("LastMessage", last, last_id), ("Message", other, other_id)] {
                let Some(mut carried) = carried else { continue };
                carried["Id"] = json!(format!("m{chat}-{id}"));
                content.insert(key.into(), carried);
            }
            json!({ "Type": event_type, "EventDate": at, "Payload": { "Type": "Chat", "Content": content } })
        })
        .boxed()
}

/// Bodies of deliveries with ids, and the order, with repetitions, in which they come a second time.
pub(super) fn bodies() -> impl Strategy<Value = (Vec<Value>, Vec<usize>)> {
    (
        prop::collection::vec(delivery(), 1..25),
        prop::collection::vec(any::<Index>(), 0..40),
        any::<prop::sample::Selector>(),
    )
        .prop_perturb(|(mut bodies, again, _), mut random| {
            for (number, body) in bodies.iter_mut().enumerate() {
                body["EventId"] = json!(format!("e{number:03}"));
            }
            let mut order: Vec<usize> = (0..bodies.len()).collect();
            order.extend(again.iter().map(|index| index.index(bodies.len())));
            for at in (1..order.len()).rev() {
                order.swap(at, random.random_range(0..=at));
            }
            (bodies, order)
        })
}

/// The same as the hub reads them.
fn conversation() -> impl Strategy<Value = (Vec<Delivery>, Vec<usize>)> {
    bodies().prop_map(|(bodies, order)| (bodies.iter().map(translate).collect(), order))
}

fn translate(body: &Value) -> Delivery {
    let received_at = moment(10_000).parse().expect("a moment");
    match read(body.to_string().as_bytes(), None, received_at) {
        Ok(Reading::Event(delivery)) => *delivery,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_order_and_any_duplication_ends_in_one_state((deliveries, order) in conversation()) {
        let mut in_order = Memory::default();
        for delivery in &deliveries {
            in_order.take(delivery);
        }
        let mut shuffled = Memory::default();
        for at in &order {
            shuffled.take(&deliveries[*at]);
        }
        prop_assert_eq!(in_order.state(), shuffled.state());
    }

    #[test]
    fn counters_moved_by_deliveries_equal_a_count_of_what_is_stored((deliveries, order) in conversation()) {
        let mut memory = Memory::default();
        for at in order {
            memory.take(&deliveries[at]);
            prop_assert_eq!(memory.counts(), memory.recount());
        }
    }

    #[test]
    fn waiting_runs_from_the_first_customer_message_after_the_last_reply_and_the_last_close(
        (deliveries, order) in conversation()
    ) {
        let mut memory = Memory::default();
        for at in &order {
            memory.take(&deliveries[*at]);
        }
        for chat in memory.chats.values() {
            let of = |role| {
                let own = memory.messages.values().filter(move |m| m.chat_id == chat.id && m.role() == role);
                own.map(ChatMessage::position)
            };
            let floor = of(MessageRole::Reply).max();
            let closed = chat.last_close.map(|close| close.moment());
            let waits = |m: &MessagePosition| Some(m) > floor.as_ref() && Some(m.key().at) > closed;
            let unanswered = of(MessageRole::Customer).filter(waits).min();
            prop_assert_eq!(&chat.unanswered, &unanswered);
            let messages = memory.messages.values().filter(|m| m.chat_id == chat.id && !m.is_reaction());
            prop_assert_eq!(&chat.last_message, &messages.map(ChatMessage::position).max());
            let unanswered = unanswered.map(|message| message.at);
            if !chat.is_open() {
                prop_assert_eq!(chat.waiting_since(), None);
                prop_assert!(chat.closed_at().is_some(), "a closed chat has its time");
            } else if unanswered.is_some() {
                prop_assert_eq!(chat.waiting_since(), unanswered);
            }
        }
    }
}
