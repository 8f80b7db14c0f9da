//! Writes the rows of one chat: its facts, and its present state.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, ToSql, Transaction, params};

use crate::domain::calendar::Calendar;
use crate::domain::metrics::{Fact, Live};
use crate::domain::register::to_nanos;
use crate::domain::{Chat, ChatKind, ChatLine, ContactId, Placement, RefId};

/// Kind, metric and moment of a fact.
pub(crate) type FactKey = (i64, i64, i64);
/// How many facts have changed, by their keys.
pub(crate) type Changed = BTreeMap<FactKey, usize>;

/// The number by which a chat's kind is stored.
pub fn kind_number(kind: ChatKind) -> i64 {
    match kind {
        ChatKind::Direct => 0,
        ChatKind::Group => 1,
        ChatKind::Internal => 2,
    }
}

/// A row of `facts`, in the order of its columns, without the chat.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FactRow {
    pub(super) kind: i64,
    pub(super) metric: i64,
    pub(super) at: i64,
    pub(super) ordinal: i64,
    pub(super) start: i64,
    pub(super) wall: i64,
    pub(super) business: i64,
    pub(super) agent: Option<String>,
    pub(super) sector: Option<String>,
    pub(super) channel: Option<String>,
    pub(super) tags: Option<String>,
}

/// Writes the rows of chats.
pub(super) struct ChatWriter<'a> {
    pub(super) tx: &'a Transaction<'a>,
    pub(super) calendar: &'a Calendar,
}

impl ChatWriter<'_> {
    /// Writes a chat's rows. Returns the chat's key, and adds the facts that have changed to `changed`.
    pub(super) fn put(
        &self,
        chat: &Chat,
        facts: &[Fact],
        live: Option<&Live>,
        changed: &mut Changed,
    ) -> rusqlite::Result<i64> {
        let key = self.put_chat(chat, live)?;
        self.put_members(chat)?;
        let made = self.rows_of(chat, facts);
        let known = self.known(key)?;
        let mut take = self.tx.prepare_cached(
            "DELETE FROM facts WHERE kind = ? AND metric = ? AND at = ? AND chat = ? AND ordinal = ?",
        )?;
        for row in known.difference(&made) {
            take.execute(params![row.kind, row.metric, row.at, key, row.ordinal])?;
        }
        let mut add =
            self.tx.prepare_cached("INSERT INTO facts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
        for row in made.difference(&known) {
            add.execute(params![
                row.kind,
                row.metric,
                row.at,
                key,
                row.ordinal,
                row.start,
                row.wall,
                row.business,
                row.agent,
                row.sector,
                row.channel,
                row.tags
            ])?;
        }
        for row in known.symmetric_difference(&made) {
            *changed.entry((row.kind, row.metric, row.at)).or_default() += 1;
        }
        Ok(key)
    }

    fn known(&self, key: i64) -> rusqlite::Result<BTreeSet<FactRow>> {
        let mut select = self.tx.prepare_cached(
            "SELECT kind, metric, at, ordinal, start, wall, business, agent, sector, channel, tags
             FROM facts INDEXED BY facts_of_chat WHERE chat = ?",
        )?;
        let rows = select.query_map([key], |row| {
            Ok(FactRow {
                kind: row.get(0)?,
                metric: row.get(1)?,
                at: row.get(2)?,
                ordinal: row.get(3)?,
                start: row.get(4)?,
                wall: row.get(5)?,
                business: row.get(6)?,
                agent: row.get(7)?,
                sector: row.get(8)?,
                channel: row.get(9)?,
                tags: row.get(10)?,
            })
        })?;
        rows.collect()
    }

    fn rows_of(&self, chat: &Chat, facts: &[Fact]) -> BTreeSet<FactRow> {
        let mut facts: Vec<&Fact> = facts.iter().collect();
        facts.sort_unstable();
        let mut rows = BTreeSet::new();
        let (mut place, mut ordinal) = (None, 0);
        for fact in facts {
            // Facts of one metric at one moment are told apart by an ordinal.
            ordinal = if place == Some((fact.metric, fact.end)) { ordinal + 1 } else { 0 };
            place = Some((fact.metric, fact.end));
            let id = |id: &Option<RefId>| id.as_ref().map(ToString::to_string);
            let (start, at) = (to_nanos(fact.start), to_nanos(fact.end));
            let worked = if start < at {
                self.calendar.business_between(fact.start, fact.end)
            } else {
                jiff::SignedDuration::ZERO
            };
            rows.insert(FactRow {
                kind: kind_number(chat.kind()),
                metric: fact.metric.number(),
                at,
                ordinal,
                start,
                wall: at.saturating_sub(start) / 1_000_000,
                business: i64::try_from(worked.as_millis()).unwrap_or(i64::MAX),
                agent: id(&fact.agent),
                sector: id(&fact.sector),
                channel: id(&fact.channel),
                tags: between_line_feeds(&fact.tags),
            });
        }
        rows
    }

    fn put_chat(&self, chat: &Chat, live: Option<&Live>) -> rusqlite::Result<i64> {
        let fields = chat.fields();
        let nanos = |at: Option<jiff::Timestamp>| at.map(to_nanos);
        let whatsapp = fields.channel.as_ref().is_some_and(ChatLine::is_whatsapp);
        let tags: Vec<RefId> = fields.tags.iter().map(|tag| tag.id.clone()).collect();
        let mut select = self.tx.prepare_cached("SELECT key FROM chats WHERE id = ?")?;
        let key: Option<i64> = select.query_row([chat.id.as_str()], |row| row.get(0)).optional()?;
        // Two statements: with ON CONFLICT and RETURNING, SQLite keeps a temporary table and a savepoint for each row.
        let mut put = self.tx.prepare_cached(if key.is_some() {
            "UPDATE chats SET organization = ?2, contact_id = ?3, kind = ?4, channel_id = ?5, sector_id = ?6,
                 owner_id = ?7, private = ?8, tags = ?9, open = ?10, waiting = ?11, whatsapp = ?12, since = ?13,
                 attended = ?14, with_bot = ?15, ours_last = ?16, unanswered_since = ?17, quiet_since = ?18,
                 last_customer_at = ?19
             WHERE key = ?1"
        } else {
            "INSERT INTO chats (id, organization, contact_id, kind, channel_id, sector_id, owner_id, private, tags, open,
                 waiting, whatsapp, since, attended, with_bot, ours_last, unanswered_since, quiet_since,
                 last_customer_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)"
        })?;
        let identity: &dyn ToSql = match &key {
            Some(key) => key,
            None => &chat.id.as_str(),
        };
        put.execute(params![
            identity,
            chat.organization.as_ref().map(RefId::as_str),
            fields.contact_id.as_ref().map(ContactId::as_str),
            kind_number(fields.kind),
            fields.channel.as_ref().map(|channel| channel.id.as_str()),
            fields.sector.as_ref().map(|sector| sector.id.as_str()),
            fields.owner.as_ref().map(|owner| owner.id.as_str()),
            fields.private,
            between_line_feeds(&tags),
            live.is_some(),
            fields.waiting,
            whatsapp,
            live.map_or(0, |live| to_nanos(live.since)),
            live.is_some_and(|live| live.attended),
            live.is_some_and(|live| live.with_bot),
            live.is_some_and(|live| live.ours_last),
            nanos(live.and_then(|live| live.unanswered_since)),
            nanos(live.and_then(|live| live.quiet_since)),
            nanos(live.and_then(|live| live.last_customer_at)),
        ])?;
        Ok(key.unwrap_or_else(|| self.tx.last_insert_rowid()))
    }

    fn put_members(&self, chat: &Chat) -> rusqlite::Result<()> {
        let people: BTreeSet<String> = Placement::of(chat).people().map(ToString::to_string).collect();
        let mut select = self.tx.prepare_cached(
            "SELECT member_id FROM chat_members INDEXED BY chat_members_of WHERE chat_id = ?",
        )?;
        let known: BTreeSet<String> =
            select.query_map([chat.id.as_str()], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut take =
            self.tx.prepare_cached("DELETE FROM chat_members WHERE member_id = ? AND chat_id = ?")?;
        for gone in known.difference(&people) {
            take.execute([gone.as_str(), chat.id.as_str()])?;
        }
        let mut add = self.tx.prepare_cached("INSERT INTO chat_members VALUES (?, ?)")?;
        for new in people.difference(&known) {
            add.execute([new.as_str(), chat.id.as_str()])?;
        }
        Ok(())
    }
}

/// Joins ids with line feeds around each, so that a search for `\nID\n` finds whole ids only.
pub(super) fn between_line_feeds(ids: &[RefId]) -> Option<String> {
    if ids.is_empty() {
        return None;
    }
    let mut ids: Vec<&str> = ids.iter().map(RefId::as_str).collect();
    ids.sort_unstable();
    ids.dedup();
    Some(format!("\n{}\n", ids.join("\n")))
}

/// Splits what [`between_line_feeds`] has joined.
pub(crate) fn tags_of(tags: Option<&str>) -> Vec<String> {
    tags.into_iter().flat_map(|tags| tags.split_terminator('\n').skip(1)).map(str::to_owned).collect()
}
