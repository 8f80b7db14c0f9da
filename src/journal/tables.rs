//! The projection tables: how chats, contacts, messages and timeline entries are written.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::fault::StoreError;
use super::fold::fold;
use super::phone::stored_forms;
use super::words::search_key;
use crate::domain::register::to_nanos;
use crate::domain::{Chat, ChatMessage, Contact, ContactId, MessageRole, Named, RefId, TimelineEntry};

/// `role` of reactions, which never are a chat's last message.
pub const ROLE_REACTION: &str = "reaction";

/// Columns of a chat's row that do not come from the chat.
#[derive(Debug, Clone)]
pub struct ChatRowExtras {
    /// Name key of its contact. Not needed if the chat [keeps its origin](has_same_origin).
    pub name_key: String,
    pub placement: i64,
    /// Time of the latest new message; `None` if there is none.
    pub newest: Option<Timestamp>,
}

/// Writes a chat's row. `known` is what is stored.
pub fn put_chat(
    connection: &Connection,
    chat: &Chat,
    known: Option<&Chat>,
    beside: &ChatRowExtras,
) -> Result<(), StoreError> {
    let fields = chat.fields();
    let last_message = chat.last_message.as_ref();
    // The last activity falls back where the last message turns out to be older. What is no activity may be later than that.
    let latest = beside.newest.max(known.and_then(Chat::last_activity_at));
    // A column that an UPDATE does not name costs no page of its index, and names and origins hardly ever
    // change.
    let sql = if known.is_some_and(|known| has_same_origin(known, chat)) {
        "UPDATE chats SET channel_id = ?5, sector_id = ?6, owner_id = ?7, open = ?8, waiting = ?9, private = ?10,
             last_activity_at = ?13, last_message_at = ?14, last_message_id = ?15, message_count = ?16, state = ?17,
             placement_id = ?18, late_message_at = CASE WHEN max(coalesce(late_message_at, ?19), ?19) > ?13
                                                        THEN max(coalesce(late_message_at, ?19), ?19) END
         WHERE id = ?1"
    } else {
        "INSERT INTO chats (id, organization, contact_id, kind, channel_id, sector_id, owner_id, open, waiting,
             private, name_key, created_at, last_activity_at, last_message_at, last_message_id, message_count, state,
             placement_id, late_message_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
             CASE WHEN ?19 > ?13 THEN ?19 END)
         ON CONFLICT (id) DO UPDATE SET organization = ?2, contact_id = ?3, kind = ?4, channel_id = ?5,
             sector_id = ?6, owner_id = ?7, open = ?8, waiting = ?9, private = ?10, name_key = ?11, created_at = ?12,
             last_activity_at = ?13, last_message_at = ?14, last_message_id = ?15, message_count = ?16, state = ?17,
             placement_id = ?18, late_message_at = CASE WHEN max(coalesce(late_message_at, ?19), ?19) > ?13
                                                        THEN max(coalesce(late_message_at, ?19), ?19) END"
    };
    connection.prepare_cached(sql)?.execute(params![
        chat.id.as_str(),
        chat.organization.as_ref().map(RefId::as_str),
        fields.contact_id.as_ref().map(ContactId::as_str),
        fields.kind.as_str(),
        fields.channel.as_ref().map(|channel| channel.id.as_str()),
        fields.sector.as_ref().map(|sector| sector.id.as_str()),
        fields.owner.as_ref().map(|owner| owner.id.as_str()),
        fields.open,
        fields.waiting,
        fields.private,
        beside.name_key.as_str(),
        created_at(chat),
        chat.last_activity_at().map_or(0, to_nanos),
        last_message.map(|position| to_nanos(position.at)),
        last_message.map(|position| position.id.as_str()),
        chat.message_count,
        serde_json::to_string(chat)?,
        beside.placement,
        latest.map_or(i64::MIN, to_nanos),
    ])?;
    let tags = |chat: &Chat| chat.tags.get().cloned().unwrap_or_default();
    if known.map(tags).unwrap_or_default() != tags(chat) {
        put_ids(connection, IdTable::ChatTags, chat.id.as_str(), tags(chat).iter().map(|tag| &tag.id))?;
    }
    Ok(())
}

/// When the chat was created, or its latest activity if that is not known.
fn created_at(chat: &Chat) -> i64 {
    chat.fields().created_at.or(chat.last_activity_at()).map_or(0, to_nanos)
}

/// True if the columns that come from the contact and the creation stay the same. `name_key` is not compared,
/// because [`put_contact`] writes it into all chats of a contact.
pub fn has_same_origin(known: &Chat, chat: &Chat) -> bool {
    let (before, after) = (known.fields(), chat.fields());
    known.organization == chat.organization
        && before.contact_id == after.contact_id
        && before.kind == after.kind
        && created_at(known) == created_at(chat)
}

/// Writes a contact's row. `known` is what is stored.
pub fn put_contact(
    connection: &Connection,
    contact: &Contact,
    known: Option<&Contact>,
) -> Result<(), StoreError> {
    let created_at = contact.created_at.map_or(0, to_nanos);
    let last_interaction_at = contact.last_interaction_at().map_or(created_at, to_nanos);
    let last_message_id = contact.last_message.as_ref().map(|position| position.id.as_str());
    let state = serde_json::to_string(contact)?;
    let is_same = |known: &Contact| {
        known.organization == contact.organization
            && known.name.get() == contact.name.get()
            && known.phone.get() == contact.phone.get()
            && known.created_at == contact.created_at
    };
    if known.is_some_and(is_same) {
        // As with chats: a column that an UPDATE does not name costs no page of its index, and its keys need not be
        // computed again.
        let mut update = connection.prepare_cached(
            "UPDATE contacts SET last_interaction_at = ?2, last_message_id = ?3, state = ?4 WHERE id = ?1",
        )?;
        update.execute(params![contact.id.as_str(), last_interaction_at, last_message_id, state])?;
    } else {
        let name = contact.name.get().map(String::as_str);
        let phone = contact.phone.get().map(String::as_str);
        let key = name_key(contact);
        let mut put = connection.prepare_cached(
            "INSERT INTO contacts (id, organization, name, phone, name_key, search_key, created_at,
                 last_interaction_at, last_message_id, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (id) DO UPDATE SET organization = ?2, name = ?3, phone = ?4, name_key = ?5, search_key = ?6,
                 created_at = ?7, last_interaction_at = ?8, last_message_id = ?9, state = ?10",
        )?;
        put.execute(params![
            contact.id.as_str(),
            contact.organization.as_ref().map(RefId::as_str),
            name,
            phone,
            key,
            contact_search_key(name, phone),
            created_at,
            last_interaction_at,
            last_message_id,
            state,
        ])?;
        if known.is_none_or(|known| name_key(known) != key) {
            let mut rename =
                connection.prepare_cached("UPDATE chats SET name_key = ?2 WHERE contact_id = ?1")?;
            rename.execute(params![contact.id.as_str(), key])?;
        }
    }
    let tags = |contact: &Contact| contact.tags.get().cloned().unwrap_or_default();
    if known.map(tags).unwrap_or_default() != tags(contact) {
        put_ids(
            connection,
            IdTable::ContactTags,
            contact.id.as_str(),
            tags(contact).iter().map(|tag| &tag.id),
        )?;
    }
    Ok(())
}

/// The text in which contacts are searched: name with its numbers, and phone in all forms.
pub fn contact_search_key(name: Option<&str>, phone: Option<&str>) -> String {
    let forms = phone.map(stored_forms).unwrap_or_default();
    let phones: Vec<String> = forms.into_iter().map(|form| form.digits).collect();
    format!("{} {}", search_key(name.unwrap_or_default()), phones.join(" "))
}

/// What contacts are sorted by: the folded name, or the phone if there is no name.
pub fn name_key(contact: &Contact) -> String {
    contact_name_key(contact.name.get().map(String::as_str), contact.phone.get().map(String::as_str))
}

/// The same, given a name and a phone.
pub(super) fn contact_name_key(name: Option<&str>, phone: Option<&str>) -> String {
    name.map_or_else(|| phone.unwrap_or_default().to_owned(), fold)
}

#[derive(Clone, Copy)]
enum IdTable {
    ChatTags,
    ContactTags,
}

/// Replaces the tags of a chat or contact.
fn put_ids<'a>(
    connection: &Connection,
    table: IdTable,
    of: &str,
    ids: impl Iterator<Item = &'a RefId>,
) -> Result<(), StoreError> {
    let (delete, insert) = match table {
        IdTable::ChatTags => (
            "DELETE FROM chat_tags WHERE chat_id = ?1",
            "INSERT OR IGNORE INTO chat_tags (chat_id, tag_id) VALUES (?1, ?2)",
        ),
        IdTable::ContactTags => (
            "DELETE FROM contact_tags WHERE contact_id = ?1",
            "INSERT OR IGNORE INTO contact_tags (contact_id, tag_id) VALUES (?1, ?2)",
        ),
    };
    connection.prepare_cached(delete)?.execute([of])?;
    let mut insert = connection.prepare_cached(insert)?;
    for id in ids {
        insert.execute([of, id.as_str()])?;
    }
    Ok(())
}

pub fn put_message(connection: &Connection, message: &ChatMessage, new: bool) -> Result<(), StoreError> {
    let mut put = connection.prepare_cached(if new {
        "INSERT INTO messages (id, chat_id, at, source, role, search_key, state, order_at, order_tie)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
    } else {
        "UPDATE messages SET chat_id = ?2, at = ?3, source = ?4, role = ?5, search_key = ?6, state = ?7, order_at = ?8,
             order_tie = ?9
         WHERE id = ?1"
    })?;
    let order = message.position().key();
    put.execute(params![
        message.id.as_str(),
        message.chat_id.as_str(),
        to_nanos(message.at),
        message.source.get(),
        role(message),
        message.shown_text().map(search_key),
        serde_json::to_string(message)?,
        to_nanos(order.at),
        order.tie,
    ])?;
    Ok(())
}

/// The value of a message's column `role`.
pub(super) fn role(message: &ChatMessage) -> &'static str {
    match message.role() {
        MessageRole::Customer => "customer",
        MessageRole::Reply => "reply",
        MessageRole::Note => "note",
        MessageRole::Undelivered => "undelivered",
        MessageRole::Other if message.is_reaction() => ROLE_REACTION,
        MessageRole::Other => "other",
    }
}

/// Adds an entry to a chat's timeline. `seq` is the position that the delivery is about to take.
pub fn add_to_timeline(
    connection: &Connection,
    entry: &TimelineEntry<'_>,
    seq: i64,
    organization: Option<&str>,
) -> Result<(), StoreError> {
    let facts = entry.facts;
    // An empty id means "none"; NULL means that the delivery did not say.
    let nullable = |named: &Option<Option<Named>>| {
        named.as_ref().map(|named| named.as_ref().map_or_else(String::new, |named| named.id.to_string()))
    };
    let ids = |list: &Option<Vec<Named>>| {
        let ids = list.as_ref().map(|list| list.iter().map(|named| &named.id).collect::<Vec<_>>());
        ids.map(|ids| serde_json::to_string(&ids)).transpose()
    };
    let closed_at =
        (facts.open == Some(false)).then(|| to_nanos(crate::domain::chat::closing_time(facts, entry.key)));
    let mut insert = connection.prepare_cached(
        "INSERT INTO timeline (chat_id, at, event_id, seq, organization, open, waiting, private, owner_id, sector_id,
             channel_id, tags, members, bot_running, closed_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?;
    insert.execute(params![
        facts.id.as_str(),
        to_nanos(entry.key.at),
        entry.key.event.as_str(),
        seq,
        organization,
        facts.open,
        facts.waiting,
        facts.private,
        nullable(&facts.owner),
        nullable(&facts.sector),
        facts.channel.as_ref().map(|channel| channel.id.as_str()),
        ids(&facts.tags)?,
        ids(&facts.members)?,
        facts.bot_running,
        closed_at,
    ])?;
    Ok(())
}
