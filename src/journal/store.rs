//! The stored state as the rules see it: SQLite within the writer's transaction, with recent chats and
//! contacts cached.

use std::collections::HashMap;

use hashlink::LruCache;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::directory::Directory;
use super::fault::StoreError;
use super::names::Names;
use super::placements::{Move, Placements};
use super::{erasures, outbox, positions, retention_progress, tables};
use crate::domain::facts::Reaction;
use crate::domain::register::from_nanos;
use crate::domain::{
    Absorbed, Chat, ChatId, ChatMessage, Contact, ContactId, Facts, Forgetting, MessageId, MessagePosition,
    OrderKey, OutboxFact, Placement, RefId, Seq, Store, TimelineEntry,
};

/// Chats, and as many contacts, that are cached: about 2 KB each.
const CACHED_MAX: usize = 8_192;

/// Other chats of a contact that decide who else may see the contact: one on each line, with some to spare.
const OTHER_CHATS_MAX: usize = 100;

/// The writer's view of the database, valid within one transaction. Call [`forget`](Self::forget) after a
/// roll-back.
pub struct SqliteStore {
    connection: Connection,
    chats: LruCache<ChatId, Chat>,
    contacts: LruCache<ContactId, Contact>,
    /// Loaded when it is first needed, and again after a roll-back.
    directory: Option<Directory>,
    placements: Placements,
    /// Where the chat of the present delivery stood and stands; `None` until the chat is stored.
    moved: Option<Move>,
    /// Time of the latest new message of the present delivery.
    newest: Option<Timestamp>,
    /// False if no reaction waits for its message, which saves a query for every new message.
    any_parked: bool,
    names: Names,
    /// Position and organization of the present delivery.
    current: (Seq, Option<RefId>),
    /// Contacts whose data were erased. Loaded when it is first needed, and again after a roll-back.
    erased: Option<HashMap<ContactId, Forgetting>>,
    /// Messages that were written up to then are stored without content. Loaded likewise.
    content_until: Option<Option<Timestamp>>,
}

impl SqliteStore {
    pub fn new(connection: Connection) -> rusqlite::Result<Self> {
        let any_parked =
            connection.query_row("SELECT EXISTS (SELECT 1 FROM parked_reactions)", [], |row| row.get(0))?;
        Ok(Self {
            connection,
            chats: LruCache::new(CACHED_MAX),
            contacts: LruCache::new(CACHED_MAX),
            directory: None,
            placements: Placements::default(),
            moved: None,
            newest: None,
            any_parked,
            names: Names::default(),
            current: (Seq::default(), None),
            erased: None,
            content_until: None,
        })
    }

    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    pub fn into_connection(self) -> Connection {
        self.connection
    }

    pub fn begin(&mut self, seq: Seq, organization: Option<RefId>) {
        self.current = (seq, organization);
        (self.moved, self.newest) = (None, None);
    }

    /// Counts the messages that a delivery has changed, at the placement of their chat.
    pub fn count_messages(&mut self, absorbed: &Absorbed) -> Result<(), StoreError> {
        let Some(moved) = self.moved else { return Ok(()) };
        let (chat, delta) = (&absorbed.chat, &absorbed.delta.buckets);
        self.placements.move_messages(&self.connection, chat, moved, delta)
    }

    /// Writes what was collected during a batch. Must come after the hub's own counters.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        self.names.flush(&self.connection)?;
        self.placements.flush(&self.connection)
    }

    /// Drops what is in memory, because its transaction was rolled back.
    pub fn forget(&mut self) {
        self.chats.clear();
        self.contacts.clear();
        self.directory = None;
        self.names.forget();
        self.placements = Placements::default();
        self.any_parked = true;
        self.erased = None;
        self.content_until = None;
    }

    /// Notes an erasure, in the transaction that stores it.
    pub(super) fn note_erasure(
        &mut self,
        contact: &ContactId,
        forgetting: Forgetting,
    ) -> Result<(), StoreError> {
        self.erased()?;
        if let Some(erased) = &mut self.erased {
            erased.insert(contact.clone(), forgetting);
        }
        Ok(())
    }

    /// To be called when the table `retention` has changed.
    pub(super) fn forget_retention(&mut self) {
        self.content_until = None;
    }

    fn erased(&mut self) -> Result<&HashMap<ContactId, Forgetting>, StoreError> {
        let erased = match self.erased.take() {
            Some(erased) => erased,
            None => erasures::load_forgetting(&self.connection)?,
        };
        Ok(self.erased.insert(erased))
    }

    /// What of a delivery must not be stored.
    pub(super) fn forgetting_of(&mut self, facts: &Facts) -> Result<Forgetting, StoreError> {
        let until = match self.content_until {
            Some(until) => until,
            None => *self.content_until.insert(retention_progress::content_until(&self.connection)?),
        };
        let mut forgetting = Forgetting { content_until: until, ..Forgetting::NOTHING };
        if self.erased()?.is_empty() {
            return Ok(forgetting);
        }
        let known = self.chat(&facts.chat.id)?.and_then(|chat| chat.contact_id.get().cloned());
        let said = facts.contact.as_ref().map(|contact| contact.id.clone());
        for contact in known.into_iter().chain(said).chain(facts.chat.contact_id.clone()) {
            if let Some(of_contact) = self.erased()?.get(&contact) {
                forgetting = forgetting.and(*of_contact);
            }
        }
        Ok(forgetting)
    }

    /// Placements and newest messages of the contact's other chats, the latest first; at most
    /// [`OTHER_CHATS_MAX`].
    pub fn other_chats(
        &mut self,
        contact: &ContactId,
        but: &ChatId,
    ) -> Result<Vec<(Placement, Option<MessagePosition>)>, StoreError> {
        // Without `LIMIT ?`, because SQLite plans with its value and would prepare the statement
        // again for every delivery. Ties are sorted here, because for them SQLite would sort
        // everything that its index holds in order otherwise.
        let mut select = self.connection.prepare_cached(
            "SELECT id, last_message_at FROM chats WHERE contact_id = ?1 AND id <> ?2 ORDER BY last_message_at DESC",
        )?;
        let mut rows = select.query([contact.as_str(), but.as_str()])?;
        let mut newest_first: Vec<(Option<i64>, String)> = Vec::new();
        while let Some(row) = rows.next()? {
            let at = row.get(1)?;
            if newest_first.len() >= OTHER_CHATS_MAX
                && newest_first.last().is_some_and(|(last, _)| *last != at)
            {
                break;
            }
            newest_first.push((at, row.get(0)?));
        }
        newest_first.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
        newest_first.truncate(OTHER_CHATS_MAX);
        drop(rows);
        drop(select);
        let mut chats = Vec::with_capacity(newest_first.len());
        for (_, id) in newest_first {
            let chat = self.chat(&id.into())?;
            chats.extend(chat.map(|chat| (Placement::of(&chat), chat.last_message)));
        }
        Ok(chats)
    }

    /// The directory of agents, and the connection on which to change it.
    pub(super) fn directory(&mut self) -> Result<(&mut Directory, &Connection), StoreError> {
        let directory = match self.directory.take() {
            Some(directory) => directory,
            None => Directory::load(&self.connection)?,
        };
        Ok((self.directory.insert(directory), &self.connection))
    }

    /// The names of sectors, lines and tags, and the connection on which to look them up.
    pub(super) fn names(&mut self) -> (&mut Names, &Connection) {
        (&mut self.names, &self.connection)
    }

    /// The placements of a contact's chats change only if one of them moves, or changes its contact.
    fn settle_contacts(&mut self, known: Option<&Chat>, chat: &Chat, moved: Move) -> Result<(), StoreError> {
        let (left, now) = (known.and_then(|known| known.contact_id.get()), chat.contact_id.get());
        if moved.from == Some(moved.to) && left == now {
            return Ok(());
        }
        for contact in now.into_iter().chain(left.filter(|left| Some(*left) != now)) {
            self.placements.settle_contact(&self.connection, contact)?;
        }
        Ok(())
    }

    /// Takes a chat out of the cache, or loads it. It is about to be stored again.
    fn known_chat(&mut self, id: &ChatId) -> Result<Option<Chat>, StoreError> {
        match self.chats.remove(id) {
            Some(chat) => Ok(Some(chat)),
            None => load(&self.connection, "SELECT state FROM chats WHERE id = ?1", id.as_str()),
        }
    }

    /// Takes a contact out of the cache, or loads it. It is about to be stored again.
    fn known_contact(&mut self, id: &ContactId) -> Result<Option<Contact>, StoreError> {
        match self.contacts.remove(id) {
            Some(contact) => Ok(Some(contact)),
            None => load(&self.connection, "SELECT state FROM contacts WHERE id = ?1", id.as_str()),
        }
    }

    fn time(&self, sql: &str, params: impl rusqlite::Params) -> Result<Option<Timestamp>, StoreError> {
        let nanos: Option<Option<i64>> =
            self.connection.prepare_cached(sql)?.query_row(params, |row| row.get(0)).optional()?;
        Ok(nanos.flatten().map(from_nanos))
    }
}

impl Store for SqliteStore {
    type Error = StoreError;

    fn chat(&mut self, id: &ChatId) -> Result<Option<Chat>, StoreError> {
        if let Some(chat) = self.chats.get(id) {
            return Ok(Some(chat.clone()));
        }
        let Some(chat) = self.known_chat(id)? else { return Ok(None) };
        self.chats.insert(id.clone(), chat.clone());
        Ok(Some(chat))
    }

    fn contact(&mut self, id: &ContactId) -> Result<Option<Contact>, StoreError> {
        if let Some(contact) = self.contacts.get(id) {
            return Ok(Some(contact.clone()));
        }
        let Some(contact) = self.known_contact(id)? else { return Ok(None) };
        self.contacts.insert(id.clone(), contact.clone());
        Ok(Some(contact))
    }

    fn message(&mut self, id: &MessageId) -> Result<Option<ChatMessage>, StoreError> {
        load(&self.connection, "SELECT state FROM messages WHERE id = ?1", id.as_str())
    }

    fn put_chat(&mut self, chat: &Chat) -> Result<(), StoreError> {
        let known = self.known_chat(&chat.id)?;
        let is_moved = known.as_ref().is_none_or(|known| !tables::has_same_origin(known, chat));
        let contact = chat.contact_id.get().filter(|_| is_moved).map(|id| self.contact(id)).transpose()?;
        let name_key = contact.flatten().as_ref().map(tables::name_key).unwrap_or_default();
        let place = Placement::of(chat);
        let moved = self.placements.move_chat(&self.connection, known.as_ref(), (chat, &place))?;
        self.moved = Some(moved);
        let beside = tables::ChatRowExtras { name_key, placement: moved.to, newest: self.newest };
        tables::put_chat(&self.connection, chat, known.as_ref(), &beside)?;
        self.settle_contacts(known.as_ref(), chat, moved)?;
        let (directory, connection) = self.directory()?;
        for agent in place.people() {
            directory.note(connection, agent)?;
        }
        self.chats.insert(chat.id.clone(), chat.clone());
        Ok(())
    }

    fn put_contact(&mut self, contact: &Contact) -> Result<(), StoreError> {
        let known = self.known_contact(&contact.id)?;
        tables::put_contact(&self.connection, contact, known.as_ref())?;
        if known.is_none() {
            self.placements.settle_contact(&self.connection, &contact.id)?;
        }
        self.contacts.insert(contact.id.clone(), contact.clone());
        Ok(())
    }

    fn put_message(&mut self, message: &ChatMessage, new: bool) -> Result<(), StoreError> {
        tables::put_message(&self.connection, message, new)?;
        self.newest = self.newest.max(Some(message.at));
        if let Some(agent) = message.agent() {
            let (directory, connection) = self.directory()?;
            directory.note(connection, &agent.id)?;
        }
        Ok(())
    }

    fn add_to_timeline(&mut self, entry: &TimelineEntry<'_>) -> Result<(), StoreError> {
        let (seq, organization) = &self.current;
        self.names.hear(&self.connection, entry.facts, entry.key, *seq)?;
        tables::add_to_timeline(&self.connection, entry, seq.0, organization.as_ref().map(RefId::as_str))
    }

    fn park_reaction(&mut self, message: &MessageId, reaction: &Reaction) -> Result<(), StoreError> {
        self.any_parked = true;
        let mut insert = self.connection.prepare_cached(
            "INSERT OR IGNORE INTO parked_reactions (message_id, reaction) VALUES (?1, ?2)",
        )?;
        insert.execute(params![message.as_str(), serde_json::to_string(reaction)?])?;
        Ok(())
    }

    fn take_reactions(&mut self, message: &MessageId) -> Result<Vec<Reaction>, StoreError> {
        if !self.any_parked {
            return Ok(Vec::new());
        }
        let mut delete = self
            .connection
            .prepare_cached("DELETE FROM parked_reactions WHERE message_id = ?1 RETURNING reaction")?;
        let parked: Vec<String> =
            delete.query_map([message.as_str()], |row| row.get(0))?.collect::<Result<_, _>>()?;
        parked.iter().map(|reaction| Ok(serde_json::from_str(reaction)?)).collect()
    }

    fn outgoing(&mut self, message: &ChatMessage) -> Result<Option<OutboxFact>, StoreError> {
        outbox::outgoing(&self.connection, message)
    }

    fn last_reply(&mut self, chat: &ChatId) -> Result<Option<MessagePosition>, StoreError> {
        Ok(positions::last_reply(&self.connection, chat.as_str(), None)?)
    }

    fn last_customer_at(&mut self, chat: &ChatId) -> Result<Option<Timestamp>, StoreError> {
        self.time("SELECT max(at) FROM messages WHERE chat_id = ?1 AND role = 'customer'", [chat.as_str()])
    }

    fn last_public_at(&mut self, chat: &ChatId) -> Result<Option<Timestamp>, StoreError> {
        self.time(
            "SELECT max(at) FROM messages WHERE chat_id = ?1 AND role NOT IN ('note', 'reaction', 'undelivered')",
            [chat.as_str()],
        )
    }

    fn first_customer_message_after(
        &mut self,
        chat: &ChatId,
        floor: Option<&OrderKey>,
    ) -> Result<Option<MessagePosition>, StoreError> {
        Ok(positions::first_customer_message_after(&self.connection, chat.as_str(), floor, None)?)
    }

    fn newest_message(&mut self, chat: &ChatId) -> Result<Option<MessagePosition>, StoreError> {
        Ok(positions::newest_message(&self.connection, chat.as_str(), None)?)
    }

    fn newest_message_of(&mut self, contact: &ContactId) -> Result<Option<MessagePosition>, StoreError> {
        Ok(positions::newest_message_of(&self.connection, contact.as_str())?)
    }

    fn closed_stretch_start(&mut self, chat: &ChatId) -> Result<Option<Timestamp>, StoreError> {
        self.time(
            "WITH opened AS (SELECT at, event_id FROM timeline WHERE chat_id = ?1 AND open = 1
                             ORDER BY at DESC, event_id DESC LIMIT 1)
             SELECT t.closed_at FROM timeline t LEFT JOIN opened
             WHERE t.chat_id = ?1 AND t.open = 0
               AND (opened.at IS NULL OR (t.at, t.event_id) > (opened.at, opened.event_id))
             ORDER BY t.at, t.event_id LIMIT 1",
            [chat.as_str()],
        )
    }

    fn message_times(&mut self, chat: &ChatId) -> Result<Vec<Timestamp>, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT at FROM messages WHERE chat_id = ?1")?;
        let times = select.query_map([chat.as_str()], |row| Ok(from_nanos(row.get(0)?)))?;
        Ok(times.collect::<Result<_, _>>()?)
    }
}

fn load<T: serde::de::DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    id: &str,
) -> Result<Option<T>, StoreError> {
    let state: Option<String> =
        connection.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()?;
    Ok(state.map(|state| serde_json::from_str(&state)).transpose()?)
}
