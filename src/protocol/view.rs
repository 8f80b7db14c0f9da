//! What an update looks like for those who may not see all of it. It is made from the encoded update, so that
//! the live fan-out, a playback from disk and `GET /api/umbler/updates` show the same.

use std::borrow::Cow;

use bytestring::ByteString;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::alerts::AlertShape;
use super::mask::{Mask, mask_name};
use super::members::MemberShape;
use super::outbox::OutboxShape;
use super::shapes::{ChatShape, ContactShape, MessageShape, MessageSummary, NamedShape};
use crate::domain::MessageId;

/// The type of the update by which a chat enters a session's scope.
pub const CHAT_ENTERED: &str = "chat_entered";
/// The type of the update by which a chat leaves a session's scope.
pub const CHAT_GONE: &str = "chat_gone";

/// How an event looks from a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    /// The chat is and was visible, or is new.
    Whole {
        /// Names and phones are masked, and texts are withheld.
        masked: bool,
        /// What the contact did in other chats is left out.
        limited: bool,
    },
    /// The chat entered the scope: all of it is shown, and nothing of where it was before.
    Entered {
        /// Names and phones are masked, and texts are withheld.
        masked: bool,
        /// What the contact did in other chats is left out.
        limited: bool,
    },
    /// The chat left the scope: only that is shown, and how its contact looks now if the contact is still
    /// visible.
    Gone {
        /// Names and phones are masked, and texts are withheld.
        masked: bool,
        /// The contact is still visible through another chat.
        contact_stays: bool,
    },
    /// The chat is not visible, but its contact is, through another chat, and has changed.
    ContactOnly {
        /// Names and phones are masked, and texts are withheld.
        masked: bool,
    },
}

impl View {
    /// The update unchanged, for scopes without any limit.
    pub const FULL: Self = Self::Whole { masked: false, limited: false };
    /// How many different views there are.
    pub const COUNT: usize = 14;

    /// A different number below [`COUNT`](Self::COUNT) for each view, for tables of one rendering per view.
    pub fn index(self) -> usize {
        let pair = |masked: bool, limited: bool| usize::from(masked) + 2 * usize::from(limited);
        match self {
            Self::Whole { masked, limited } => pair(masked, limited),
            Self::Entered { masked, limited } => 4 + pair(masked, limited),
            Self::Gone { masked, contact_stays } => 8 + pair(masked, contact_stays),
            Self::ContactOnly { masked } => 12 + usize::from(masked),
        }
    }
}

/// An encoded update, read as far as a view changes it.
#[derive(Deserialize, Serialize)]
struct Seen<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    seq: i64,
    #[serde(borrow)]
    timestamp: &'a RawValue,
    #[serde(borrow)]
    data: SeenData<'a>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct SeenData<'a> {
    #[serde(borrow)]
    event_id: &'a RawValue,
    #[serde(rename = "type", borrow)]
    update_type: Cow<'a, str>,
    #[serde(borrow)]
    changes: Vec<Cow<'a, str>>,
    chat: Option<ChatShape>,
    contact: Option<ContactShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<MessageShape>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    other_messages: Vec<MessageShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    members: Vec<MemberShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alert: Option<AlertShape>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    settings: Option<&'a RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    updated_by: Option<NamedShape>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    origin: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    link_alerts: Option<&'a RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outbox: Option<OutboxShape>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    erased_contact_id: Option<&'a RawValue>,
}

/// What is shown of a chat that left the scope.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Gone<'a> {
    event: &'a str,
    seq: i64,
    timestamp: &'a RawValue,
    data: GoneData<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GoneData<'a> {
    event_id: &'a RawValue,
    #[serde(rename = "type")]
    update_type: &'static str,
    changes: [&'static str; 1],
    chat: Option<OnlyId<'a>>,
    contact: Option<GoneContact<'a>>,
    /// True where the contact is no longer visible either.
    contact_gone: bool,
}

#[derive(Serialize)]
#[serde(untagged)]
enum GoneContact<'a> {
    Gone(OnlyId<'a>),
    Stays(&'a ContactShape),
}

#[derive(Serialize)]
struct OnlyId<'a> {
    id: &'a str,
}

/// An encoded update as `view` shows it; an error where the text is not an update of ours. `newest_elsewhere`
/// is the newest message of the contact's other chats that are visible.
pub fn render(
    frame: &ByteString,
    view: View,
    newest_elsewhere: Option<&MessageSummary>,
) -> Result<ByteString, serde_json::Error> {
    if view == View::FULL {
        return Ok(frame.clone());
    }
    let mut seen: Seen<'_> = serde_json::from_str(frame)?;
    let (masked, limited) = match view {
        View::Whole { masked, limited } => (masked, limited),
        View::Entered { masked, limited } => {
            seen.data.enter();
            (masked, limited)
        }
        View::Gone { masked, .. } => (masked, true),
        View::ContactOnly { masked } => {
            seen.data.keep_contact_only();
            (masked, true)
        }
    };
    if limited {
        let chat_is_seen = matches!(view, View::Whole { .. } | View::Entered { .. });
        seen.data.limit_contact(chat_is_seen, newest_elsewhere);
    }
    if masked {
        seen.data.mask()?;
    }
    if let View::Gone { contact_stays, .. } = view {
        return gone(&seen, contact_stays);
    }
    Ok(serde_json::to_string(&seen)?.into())
}

/// An encoded update that reads as if the message had been deleted before it. `outbox` is the entry by which it went out.
pub fn without_words(
    frame: &str,
    message: &MessageId,
    outbox: Option<&str>,
) -> Result<ByteString, serde_json::Error> {
    let mut seen: Seen<'_> = serde_json::from_str(frame)?;
    let id = message.as_str();
    seen.data.summaries_mut().filter(|summary| summary.id == id).for_each(MessageSummary::forget_words);
    seen.data.messages_mut().filter(|shape| shape.id == id).for_each(MessageShape::forget_words);
    if let Some(entry) = seen.data.outbox.as_mut().filter(|entry| Some(&*entry.id) == outbox) {
        entry.text = None;
    }
    Ok(serde_json::to_string(&seen)?.into())
}

/// An encoded update without the content of a message.
pub fn without_content(frame: &str, message: &MessageId) -> Result<ByteString, serde_json::Error> {
    let mut seen: Seen<'_> = serde_json::from_str(frame)?;
    let id = message.as_str();
    seen.data.summaries_mut().filter(|summary| summary.id == id).for_each(MessageSummary::forget_content);
    seen.data.messages_mut().filter(|shape| shape.id == id).for_each(MessageShape::forget_content);
    Ok(serde_json::to_string(&seen)?.into())
}

/// An encoded update without anything that tells who the contact is, and without content. Names of agents stay.
pub fn without_person(frame: &str) -> Result<ByteString, serde_json::Error> {
    let mut seen: Seen<'_> = serde_json::from_str(frame)?;
    seen.data.summaries_mut().for_each(MessageSummary::forget_content);
    seen.data.messages_mut().for_each(MessageShape::forget_person);
    if let Some(chat) = &mut seen.data.chat {
        (chat.contact_name, chat.contact_phone) = (None, None);
    }
    if let Some(contact) = &mut seen.data.contact {
        contact.forget_person();
    }
    if let Some(alert) = &mut seen.data.alert {
        alert.contact_name = None;
    }
    if let Some(entry) = &mut seen.data.outbox {
        (entry.text, entry.detail) = (None, None);
    }
    Ok(serde_json::to_string(&seen)?.into())
}

/// An encoded update without the provider's words about an entry of the outbox.
pub fn without_detail(frame: &str, entry: &str) -> Result<ByteString, serde_json::Error> {
    let mut seen: Seen<'_> = serde_json::from_str(frame)?;
    if let Some(shape) = seen.data.outbox.as_mut().filter(|shape| shape.id == entry) {
        shape.detail = None;
    }
    Ok(serde_json::to_string(&seen)?.into())
}

fn gone(seen: &Seen<'_>, contact_stays: bool) -> Result<ByteString, serde_json::Error> {
    let contact = seen.data.contact.as_ref().map(|contact| {
        if contact_stays {
            GoneContact::Stays(contact)
        } else {
            GoneContact::Gone(OnlyId { id: &contact.id })
        }
    });
    let data = GoneData {
        event_id: seen.data.event_id,
        update_type: CHAT_GONE,
        changes: [CHAT_GONE],
        chat: seen.data.chat.as_ref().map(|chat| OnlyId { id: &chat.id }),
        contact,
        contact_gone: !contact_stays,
    };
    let gone = Gone { event: &seen.event, seq: seen.seq, timestamp: seen.timestamp, data };
    Ok(serde_json::to_string(&gone)?.into())
}

impl SeenData<'_> {
    fn summaries_mut(&mut self) -> impl Iterator<Item = &mut MessageSummary> {
        let of_chat = self.chat.as_mut().and_then(|chat| chat.last_message.as_mut());
        let of_contact = self.contact.as_mut().and_then(|contact| contact.last_message.as_mut());
        of_chat.into_iter().chain(of_contact)
    }

    fn messages_mut(&mut self) -> impl Iterator<Item = &mut MessageShape> {
        self.message.iter_mut().chain(&mut self.other_messages)
    }

    fn enter(&mut self) {
        self.update_type = CHAT_ENTERED.into();
        self.changes.insert(0, CHAT_ENTERED.into());
        self.previous = None;
    }

    fn keep_contact_only(&mut self) {
        self.update_type = "contact_updated".into();
        self.changes = vec!["contact_updated".into()];
        (self.chat, self.message, self.previous) = (None, None, None);
        self.other_messages.clear();
    }

    /// Makes the newest message of the contact the newest one that is visible.
    fn limit_contact(&mut self, chat_is_seen: bool, newest_elsewhere: Option<&MessageSummary>) {
        let here = self.chat.as_ref().filter(|_| chat_is_seen).and_then(|chat| chat.last_message.as_ref());
        let newest =
            here.into_iter().chain(newest_elsewhere).max_by_key(|message| message.position()).cloned();
        if let Some(contact) = &mut self.contact {
            contact.limit_to(newest);
        }
    }

    fn mask(&mut self) -> Result<(), serde_json::Error> {
        self.previous = self.previous.take().map(|previous| mask_previous(&previous)).transpose()?;
        self.members.mask();
        self.alert.mask();
        self.outbox.mask();
        self.updated_by.mask();
        self.chat.mask();
        self.contact.mask();
        self.message.mask();
        self.other_messages.mask();
        // The reason may quote the delivery that was not understood.
        self.reason = self.reason.take().map(|_| "withheld".into());
        Ok(())
    }
}

/// Old values without the names of agents.
fn mask_previous(previous: &RawValue) -> Result<Box<RawValue>, serde_json::Error> {
    let mut fields: Map<String, Value> = serde_json::from_str(previous.get())?;
    let members = fields.get_mut("members").and_then(Value::as_array_mut).map(|members| members.iter_mut());
    for agent in members.into_iter().flatten() {
        mask_agent(agent);
    }
    if let Some(owner) = fields.get_mut("owner") {
        mask_agent(owner);
    }
    to_raw_value(&fields)
}

fn mask_agent(agent: &mut Value) {
    if let Some(name) = agent.get_mut("name") {
        *name = name.as_str().map(mask_name).into();
    }
}
