//! A small database for unit tests: the real schema, with rows as the journal's writer stores them.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{Query, ReadError};
use crate::auth::{Identity, Scope};
use crate::domain::register::{from_nanos, to_nanos};
use crate::domain::stats::bucket;
use crate::domain::{
    Chat, ChatKind, ChatMessage, Contact, ContactId, EventKey, MessageFacts, Named, Placement, StatsDelta,
};
use crate::journal::placements::Placements;
use crate::journal::tables::{self, ChatRowExtras};
use crate::journal::words::search_key;

pub(crate) struct Base {
    pub(crate) connection: Connection,
}

/// The scope of an admin.
pub(crate) fn everything() -> Arc<Scope> {
    Arc::new(Scope::of(&Identity::anonymous()))
}

/// The moment `second` seconds after a Monday in March.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_772_445_600 + second).unwrap()
}

fn key() -> EventKey {
    EventKey { at: at(0), event: "e".into() }
}

/// A contact with a name.
pub(crate) fn contact(id: &str, name: &str) -> Contact {
    let mut contact = Contact::new(id.into());
    contact.name.hear(Some(name.to_owned()), &key());
    contact.created_at = Some(at(0));
    contact
}

/// An open direct chat of a contact.
pub(crate) fn chat(id: &str, contact: &str) -> Chat {
    let mut chat = Chat::new(id.into());
    chat.contact_id.hear(Some(contact.into()), &key());
    chat.kind.hear(Some(ChatKind::Direct), &key());
    chat.open.hear(Some(true), &key());
    chat.created_at = Some(at(0));
    chat
}

/// A closed direct chat of a contact.
pub(crate) fn closed_chat(id: &str, contact: &str) -> Chat {
    let mut closed = chat(id, contact);
    closed.open = crate::domain::register::Register::default();
    closed.open.hear(Some(false), &key());
    closed
}

/// A reference to something that has only an id.
pub(crate) fn named(id: &str) -> Named {
    Named { id: id.into(), name: None }
}

/// Sets a register of a new chat or contact.
pub(crate) fn say<T>(register: &mut crate::domain::register::Register<T>, value: T) {
    register.hear(Some(value), &key());
}

/// A text message from a source.
pub(crate) fn message(id: &str, chat: &str, second: i64, source: &str, text: &str) -> ChatMessage {
    let facts = MessageFacts {
        at: Some(at(second)),
        source: Some(source.to_owned()),
        message_type: Some("Text".to_owned()),
        text: Some(text.to_owned()),
        ..MessageFacts::default()
    };
    ChatMessage::first_seen(id.into(), chat.into(), &facts, &key())
}

impl Base {
    pub(crate) fn new() -> Self {
        let mut connection = Connection::open_in_memory().unwrap();
        crate::journal::steps::migrate_to_latest(&mut connection).unwrap();
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('epoch', 'first-life')", []).unwrap();
        Self { connection }
    }

    pub(crate) fn ask<Q: Query>(&mut self, question: Q) -> Result<Q::Answer, ReadError> {
        let transaction = self.connection.transaction().unwrap();
        question.answer(&transaction)
    }

    pub(crate) fn put_contact(&self, contact: &Contact) {
        tables::put_contact(&self.connection, contact, None).unwrap();
        let mut placements = Placements::default();
        placements.settle_contact(&self.connection, &contact.id).unwrap();
        placements.flush(&self.connection).unwrap();
        self.run("UPDATE counters SET total_contacts = total_contacts + 1", []);
    }

    pub(crate) fn put_chat(&self, chat: &Chat) {
        let connection = &self.connection;
        let fields = chat.fields();
        let id = fields.contact_id.as_ref().map(ContactId::as_str);
        let name_key: String = connection
            .query_row("SELECT coalesce((SELECT name_key FROM contacts WHERE id = ?1), '')", [id], |row| {
                row.get(0)
            })
            .unwrap();
        let times = self.times_of(chat.id.as_str());
        let mut delta = StatsDelta::default();
        for at in times.iter().filter(|_| chat.is_direct()) {
            delta.count_at(*at, 1);
        }
        let mut placements = Placements::default();
        let moved = placements.move_chat(connection, None, (chat, &Placement::of(chat))).unwrap();
        let beside = ChatRowExtras { name_key, placement: moved.to, newest: times.iter().max().copied() };
        tables::put_chat(connection, chat, None, &beside).unwrap();
        placements.move_messages(connection, chat, moved, &delta.buckets).unwrap();
        if let Some(contact) = &fields.contact_id {
            placements.settle_contact(connection, contact).unwrap();
        }
        placements.flush(connection).unwrap();
        self.run(
            "UPDATE counters SET total_chats = total_chats + 1, open_chats = open_chats + ?,
             waiting_chats = waiting_chats + ?",
            params![chat.is_direct() && fields.open, chat.is_direct() && fields.waiting],
        );
    }

    fn times_of(&self, chat: &str) -> Vec<Timestamp> {
        let mut select =
            self.connection.prepare_cached("SELECT at FROM messages WHERE chat_id = ?1").unwrap();
        let times = select.query_map([chat], |row| Ok(from_nanos(row.get(0)?))).unwrap();
        times.collect::<Result<_, _>>().unwrap()
    }

    /// Stores a message. Its chat and contact must be stored after it, because their sums count it.
    pub(crate) fn put_message(&self, message: &ChatMessage) {
        self.run(
            "INSERT INTO messages VALUES (?, ?, ?, ?, 'other', ?, ?, ?, ?)",
            params![
                message.id.as_str(),
                message.chat_id.as_str(),
                to_nanos(message.at),
                message.source.get(),
                message.shown_text().map(search_key),
                serde_json::to_string(message).unwrap(),
                to_nanos(message.position().key().at),
                message.position().key().tie,
            ],
        );
        self.run("UPDATE counters SET total_messages = total_messages + 1", []);
        self.run(
            "INSERT INTO message_buckets VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
            params![bucket(message.at)],
        );
    }

    /// Stores a contact with one open chat, in which it sent these texts one second apart.
    pub(crate) fn put_conversation(&self, contact_id: &str, name: &str, chat_id: &str, texts: &[&str]) {
        let messages: Vec<_> = (1..)
            .zip(texts)
            .map(|(second, text)| message(&format!("{chat_id}-{second}"), chat_id, second, "Contact", text))
            .collect();
        for message in &messages {
            self.put_message(message);
        }
        let last = messages.last().map(ChatMessage::position);
        let mut contact = contact(contact_id, name);
        contact.last_message.clone_from(&last);
        self.put_contact(&contact);
        let mut chat = chat(chat_id, contact_id);
        chat.last_message = last;
        chat.message_count = i64::try_from(texts.len()).unwrap();
        self.put_chat(&chat);
    }

    /// Stores the positions from `first` to `last`, each with a frame.
    pub(crate) fn put_updates(&self, first: i64, last: i64) {
        for seq in first..=last {
            self.run(
                "INSERT INTO journal (seq, event_id, event_type, update_type, received_at)
                 VALUES (?1, 'e' || ?1, 'Message', 'new_message', ?2)",
                params![seq, to_nanos(at(seq))],
            );
            self.run("INSERT INTO frames VALUES (?, ?, NULL)", params![seq, frame(seq)]);
        }
    }

    pub(crate) fn run(&self, sql: &str, values: impl rusqlite::Params) {
        self.connection.execute(sql, values).unwrap();
    }
}

/// The frame that is stored for a position.
pub(crate) fn frame(seq: i64) -> String {
    format!(r#"{{"event":"umbler_update","seq":{seq},"data":{{"n":1.50}}}}"#)
}
