//! Translates one message: `LastMessage` or `Message` of a chat.

use super::json::Object;
use crate::domain::facts::{ContactCard, Edit, File, Location, Reaction, ReplyTo};
use crate::domain::{EventKey, MessageFacts, MessageId};

/// A message, and the reactions in it that belong to another message.
pub struct Read {
    /// `None` where the message has no id.
    pub message: Option<MessageFacts>,
    /// Reactions to other messages, with their ids.
    pub elsewhere: Vec<(MessageId, Reaction)>,
}

pub fn read(object: &Object<'_>, key: &EventKey) -> Read {
    let Some(id) = object.id("Id").map(MessageId::from) else {
        return Read { message: None, elsewhere: Vec::new() };
    };
    let (own, elsewhere) = reactions(object, &id);
    let file = object.object("File");
    let created_at = object.time("CreatedAtUTC");
    let caption = || file.as_ref().and_then(|file| file.visible("Caption"));
    let message = MessageFacts {
        at: object.time("EventAtUTC").or(created_at),
        created_at,
        source: object.id("Source"),
        message_type: object.id("MessageType"),
        text: object.visible("Content").or_else(caption),
        state: object.id("MessageState"),
        private: object.flag("IsPrivate"),
        author: object
            .object("SentByOrganizationMember")
            .or_else(|| object.object("FromContact"))
            .and_then(|author| author.named()),
        bot: object.object("BotInstance").and_then(|bot| read_bot(&bot)),
        automated: is_automated(object),
        edit: object.object("LatestEdit").and_then(|edit| read_edit(&edit, key)),
        reactions: own,
        reply_to: object.object("InReplyTo").and_then(|reply| read_reply(&reply)),
        file: file.as_ref().map(read_file),
        location: object.object("Location").map(|location| read_location(&location)),
        contacts: object
            .objects("Contacts")
            .map(|cards| cards.iter().map(read_card).collect())
            .filter(has_any),
        deleted: object.flag("IsDeleted").or_else(|| object.flag("Deleted")).unwrap_or(false),
        echo_of: None,
        erased: false,
        id: Some(id),
    };
    Read { message: Some(message), elsewhere }
}

/// A reaction that names its message.
pub fn reaction_to(object: &Object<'_>) -> Option<(MessageId, Reaction)> {
    Some((object.id("MessageId")?.into(), read_reaction(object)?))
}

fn reactions(message: &Object<'_>, id: &MessageId) -> (Vec<Reaction>, Vec<(MessageId, Reaction)>) {
    let (mut own, mut elsewhere) = (Vec::new(), Vec::new());
    for object in message.objects("Reactions").unwrap_or_default() {
        let Some(reaction) = read_reaction(&object) else { continue };
        match object.id("MessageId").map(MessageId::from) {
            Some(other) if other != *id => elsewhere.push((other, reaction)),
            _ => own.push(reaction),
        }
    }
    (own, elsewhere)
}

/// A reaction without an id is identified by who gave which emoji.
fn read_reaction(object: &Object<'_>) -> Option<Reaction> {
    let emoji = object.text("Emoji").unwrap_or_default();
    let source = object.id("Source");
    let id = object.id("Id").or_else(|| Some(format!("{}:{emoji}", source.as_deref()?)))?;
    Some(Reaction {
        at: object.time("EventAtUTC").or_else(|| object.time("CreatedAtUTC")),
        id,
        emoji,
        source,
    })
}

fn read_bot(bot: &Object<'_>) -> Option<crate::domain::Named> {
    Some(crate::domain::Named { id: bot.id("Id")?.into(), name: bot.visible("BotName") })
}

/// True for templates, campaigns and schedules: nobody who has read the customer wrote them.
fn is_automated(message: &Object<'_>) -> bool {
    message.id("TemplateId").is_some()
        || message.object("BulkSendSession").is_some()
        || message.object("ScheduledMessage").is_some()
}

fn read_edit(edit: &Object<'_>, key: &EventKey) -> Option<Edit> {
    Some(Edit { at: edit.time("SenderAtUTC").unwrap_or(key.at), text: edit.visible("Content")? })
}

fn read_reply(reply: &Object<'_>) -> Option<ReplyTo> {
    Some(ReplyTo { id: reply.id("Id")?.into(), chat_id: reply.id("ChatId").map(Into::into) })
}

fn read_file(file: &Object<'_>) -> File {
    File {
        url: file.url("Url"),
        content_type: file.id("ContentType"),
        name: file.visible("OriginalName"),
        size: file.count("OriginalSizeBytes"),
        transcription: file.visible("Transcription"),
    }
}

fn read_location(location: &Object<'_>) -> Location {
    Location {
        latitude: location.decimal("Latitude"),
        longitude: location.decimal("Longitude"),
        name: location.visible("Name"),
        address: location.visible("Address"),
    }
}

fn read_card(card: &Object<'_>) -> ContactCard {
    ContactCard {
        name: card.visible("Name"),
        phones: card.texts("PhoneNumbers"),
        emails: card.texts("Emails"),
        company: card.visible("Company"),
    }
}

#[expect(clippy::ptr_arg, reason = "`Option::filter` hands out the vector itself")]
fn has_any(cards: &Vec<ContactCard>) -> bool {
    !cards.is_empty()
}
