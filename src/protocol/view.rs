//! How an update looks to those who may not see all of it: made from the encoded update, so that the live fan-out,
//! a replay from disk and `GET /api/umbler/updates` show the same.

use std::borrow::Cow;

use bytestring::ByteString;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::mask::Mask;
use super::shapes::{ChatShape, ContactShape, MessageShape};

/// The type of an update by which a chat comes into a session's scope.
pub const CHAT_ENTERED: &str = "chat_entered";
/// The type of an update by which a chat leaves it.
pub const CHAT_GONE: &str = "chat_gone";

/// How an event looks from a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    /// The chat was and is seen, or is new.
    Whole {
        /// Names and phones masked, texts withheld.
        masked: bool,
        /// What the contact did in other chats is left out.
        limited: bool,
    },
    /// The chat came into the scope: all of it, and nothing of where it was.
    Entered {
        /// Names and phones masked, texts withheld.
        masked: bool,
        /// What the contact did in other chats is left out.
        limited: bool,
    },
    /// The chat left the scope: only that.
    Gone {
        /// The contact is still seen through another chat.
        contact_stays: bool,
    },
    /// The chat is not seen, but its contact is, through another chat, and has changed.
    ContactOnly {
        /// Names and phones masked, texts withheld.
        masked: bool,
    },
}

impl View {
    /// The update as it was encoded.
    pub const FULL: Self = Self::Whole { masked: false, limited: false };
    /// How many different ones there are.
    pub const COUNT: usize = 12;

    /// A number of its own below [`COUNT`](Self::COUNT), for whoever keeps one rendering of each.
    pub fn index(self) -> usize {
        let pair = |masked: bool, limited: bool| usize::from(masked) + 2 * usize::from(limited);
        match self {
            Self::Whole { masked, limited } => pair(masked, limited),
            Self::Entered { masked, limited } => 4 + pair(masked, limited),
            Self::Gone { contact_stays } => 8 + usize::from(contact_stays),
            Self::ContactOnly { masked } => 10 + usize::from(masked),
        }
    }
}

/// An encoded update, read back as far as a view changes it.
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
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    previous: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'a, str>>,
}

/// What is left of a chat that is gone.
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
    /// `null` where the contact is still seen through another chat.
    contact: Option<OnlyId<'a>>,
}

#[derive(Serialize)]
struct OnlyId<'a> {
    id: &'a str,
}

/// An encoded update as `view` shows it; an error where it is no update of ours.
pub fn render(frame: &ByteString, view: View) -> Result<ByteString, serde_json::Error> {
    if view == View::FULL {
        return Ok(frame.clone());
    }
    let mut seen: Seen<'_> = serde_json::from_str(frame)?;
    let (masked, limited) = match view {
        View::Gone { contact_stays } => return gone(&seen, contact_stays),
        View::Whole { masked, limited } => (masked, limited),
        View::Entered { masked, limited } => {
            seen.data.enter();
            (masked, limited)
        }
        View::ContactOnly { masked } => {
            seen.data.keep_contact_only();
            (masked, true)
        }
    };
    if limited && let Some(contact) = &mut seen.data.contact {
        contact.forget_other_chats();
    }
    if masked {
        seen.data.mask();
    }
    Ok(serde_json::to_string(&seen)?.into())
}

fn gone(seen: &Seen<'_>, contact_stays: bool) -> Result<ByteString, serde_json::Error> {
    let only = |id| OnlyId { id };
    let data = GoneData {
        event_id: seen.data.event_id,
        update_type: CHAT_GONE,
        changes: [CHAT_GONE],
        chat: seen.data.chat.as_ref().map(|chat| only(chat.id.as_str())),
        contact: seen.data.contact.as_ref().filter(|_| !contact_stays).map(|contact| only(&contact.id)),
    };
    let gone = Gone { event: &seen.event, seq: seen.seq, timestamp: seen.timestamp, data };
    Ok(serde_json::to_string(&gone)?.into())
}

impl SeenData<'_> {
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

    fn mask(&mut self) {
        self.chat.mask();
        self.contact.mask();
        self.message.mask();
        self.other_messages.mask();
        // It may quote what was not understood.
        self.reason = self.reason.take().map(|_| "withheld".into());
    }
}
