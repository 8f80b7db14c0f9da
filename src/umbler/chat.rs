//! Translates `Payload.Content`, the provider's `BasicChatModel`.

use jiff::Timestamp;

use super::json::Object;
use super::{message, reconcile};
use crate::domain::{
    ChatFacts, ChatId, ChatKind, ChatLine, ContactFacts, ContactId, EventId, EventKey, Facts, Named,
};

/// What the envelope says about the delivery.
pub struct Sent<'a> {
    pub event_id: &'a EventId,
    pub event_type: &'a str,
    pub at: Option<Timestamp>,
    /// When the hub received it. Orders deliveries without any other time.
    pub received_at: Timestamp,
}

/// The facts of a chat; `None` where it has no id.
pub fn facts(content: &Object<'_>, sent: &Sent<'_>) -> Option<Facts> {
    let id = ChatId::from(content.id("Id")?);
    let active_at = content.time("EventAtUTC");
    let key =
        EventKey { at: sent.at.or(active_at).unwrap_or(sent.received_at), event: sent.event_id.clone() };

    let mut carried: Vec<_> =
        ["Message", "LastMessage"].into_iter().filter_map(|name| content.object(name)).collect();
    if sent.event_type == reconcile::TYPE {
        carried.extend(content.objects("Messages").unwrap_or_default());
    }
    let mut messages = Vec::new();
    let mut reactions = Vec::new();
    for object in &carried {
        let read = message::read(object, &key);
        messages.extend(read.message);
        reactions.extend(read.elsewhere);
    }
    if let Some(reaction) = content.object("LastMessageReaction") {
        reactions.extend(message::reaction_to(&reaction));
    }
    let contact = content.object("Contact");
    Some(Facts {
        organization: content
            .object("Organization")
            .and_then(|organization| organization.id("Id"))
            .map(Into::into),
        chat: chat(content, contact.as_ref(), id, sent, active_at),
        contact: contact.as_ref().and_then(read_contact),
        messages,
        reactions,
        key,
    })
}

fn chat(
    content: &Object<'_>,
    contact: Option<&Object<'_>>,
    id: ChatId,
    sent: &Sent<'_>,
    active_at: Option<Timestamp>,
) -> ChatFacts {
    let closed_at = content.nullable_time("ClosedAtUTC");
    let open = content.flag("Open").or_else(|| closed_by_other_words(sent.event_type, closed_at));
    let closed = open == Some(false);
    let members = content.objects("OrganizationMembers").map(|members| named_list(&members));
    ChatFacts {
        id,
        contact_id: contact.and_then(|contact| contact.id("Id")).map(ContactId::from),
        kind: contact.and_then(kind),
        channel: content.object("Channel").and_then(|channel| read_channel(&channel)),
        sector: content.nullable_object("Sector").and_then(nullable_named),
        owner: owner(content, closed),
        // A closed chat is shown without members. That does not mean that its members left.
        members: members.filter(|members| !(closed && members.is_empty())),
        tags: content.objects("Tags").map(|tags| named_list(&tags)),
        open,
        waiting: content.flag("Waiting"),
        private: content.flag("Private"),
        bot_running: content.objects("Bots").map(|bots| bots.iter().any(is_running)),
        created_at: content.time("CreatedAtUTC"),
        closed_at,
        active_at,
    }
}

/// Where `Open` is missing, a closing time or the type `ChatClosed` says that the chat is closed.
fn closed_by_other_words(event_type: &str, closed_at: Option<Option<Timestamp>>) -> Option<bool> {
    (event_type == "ChatClosed" || closed_at.flatten().is_some()).then_some(false)
}

/// The agent. A closed chat without one counts as not said, so that the chat keeps its last agent.
fn owner(content: &Object<'_>, closed: bool) -> Option<Option<Named>> {
    let owner = content.nullable_object("OrganizationMember").and_then(nullable_named);
    if !closed || owner.as_ref().is_some_and(Option::is_some) {
        return owner;
    }
    content.object("LastOrganizationMember").and_then(|last| last.named()).map(Some)
}

fn is_running(bot: &Object<'_>) -> bool {
    bot.text("Status").is_some_and(|status| status == "Running")
}

fn kind(contact: &Object<'_>) -> Option<ChatKind> {
    match contact.text("ContactType").as_deref() {
        Some("MemberDirectMessage" | "MemberGroup") => Some(ChatKind::Internal),
        Some("Group" | "GroupMessage") => Some(ChatKind::Group),
        _ if contact.id("GroupIdentifier").is_some() => Some(ChatKind::Group),
        Some("DirectMessage") => Some(ChatKind::Direct),
        _ => None,
    }
}

fn read_contact(contact: &Object<'_>) -> Option<ContactFacts> {
    Some(ContactFacts {
        id: contact.id("Id")?.into(),
        name: contact.visible("Name"),
        phone: contact.visible("PhoneNumber"),
        picture_url: contact.nullable_url("ProfilePictureUrl"),
        contact_type: contact.id("ContactType"),
        blocked: contact.flag("IsBlocked"),
        tags: contact.objects("Tags").map(|tags| named_list(&tags)),
        created_at: contact.time("CreatedAtUTC"),
        active_at: contact.time("LastActiveUTC"),
    })
}

fn read_channel(channel: &Object<'_>) -> Option<ChatLine> {
    Some(ChatLine {
        id: channel.id("Id")?.into(),
        name: channel.visible("Name"),
        channel_type: channel.text("ChannelType"),
    })
}

/// An outer `None` for an object without an id, which says nothing.
fn nullable_named(object: Option<Object<'_>>) -> Option<Option<Named>> {
    match object {
        None => Some(None),
        Some(object) => object.named().map(Some),
    }
}

fn named_list(objects: &[Object<'_>]) -> Vec<Named> {
    objects.iter().filter_map(Object::named).collect()
}
