//! Follows the journal: chat by chat, the facts of what changed are made again, and what differs is written.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, Transaction, params};

use super::file::{self, FileError, Standing};
use super::load::load;
use crate::archive::{self, ArchiveError, epoch, last_seq};
use crate::domain::calendar::Calendar;
use crate::domain::metrics::{DEFINITION, Fact, Live, facts, live};
use crate::domain::register::to_nanos;
use crate::domain::{Chat, ChatKind, ContactId, Placement, RefId};

/// Positions that are followed in one transaction.
pub const POSITIONS_PER_STEP: i64 = 1_000;
/// Chats that are built anew in one transaction.
pub const CHATS_PER_STEP: i64 = 200;

/// Why the metrics do not follow.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// Their file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The database or the file did not answer, or holds what cannot be read.
    #[error(transparent)]
    Read(#[from] ArchiveError),
}

impl From<rusqlite::Error> for ProjectError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Read(error.into())
    }
}

/// The metrics of one database, on the way to its newest position.
pub struct Projection {
    database: Connection,
    file: Connection,
    calendar: Arc<Calendar>,
    standing: Standing,
}

/// How a chat's kind is stored.
pub fn kind_number(kind: ChatKind) -> i64 {
    match kind {
        ChatKind::Direct => 0,
        ChatKind::Group => 1,
        ChatKind::Internal => 2,
    }
}

impl Projection {
    /// Opens both files. What was made by other rules, in other hours or in another epoch is built anew.
    pub fn open(database: &Path, calendar: Arc<Calendar>) -> Result<Self, ProjectError> {
        let mut connection = archive::open(database)?;
        connection.pragma_update(None, "cache_size", -file::CACHE_KIB)?;
        let path = file::path_of(database);
        let mut file = file::open(&path)?;
        let definition = format!("{DEFINITION} {}", calendar.fingerprint());
        let snapshot = connection.transaction()?;
        let (epoch, newest) = (epoch(&snapshot)?, last_seq(&snapshot)?.0);
        let fits = |known: &Standing| {
            known.definition == definition && known.epoch == epoch && known.position <= newest
        };
        let known = Standing::read(&file)?.filter(fits);
        let standing = if let Some(known) = known {
            known
        } else {
            let total = snapshot.query_row("SELECT count(*) FROM chats", [], |row| row.get(0))?;
            let built_to = (total > 0).then(String::new);
            let position = if built_to.is_some() { 0 } else { newest };
            let standing = Standing { definition, epoch, position, built_to, done: 0, total, target: newest };
            // A new file, because emptying a large one takes long.
            drop(file);
            file::remove(&path)?;
            file = file::open(&path)?;
            standing.write(&file)?;
            standing
        };
        drop(snapshot);
        Ok(Self { database: connection, file, calendar, standing })
    }

    /// Where it stands.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// One step further; false where there is nothing to do.
    pub fn advance(&mut self) -> Result<bool, ProjectError> {
        let snapshot = self.database.transaction()?;
        let next = match &self.standing.built_to {
            Some(after) => built_further(&snapshot, &self.standing, after)?,
            None => followed_further(&snapshot, &self.standing)?,
        };
        let Some((chats, standing)) = next else { return Ok(false) };
        let step = self.file.transaction()?;
        for id in &chats {
            if let Some((chat, history)) = load(&snapshot, id)? {
                let rows = Rows { tx: &step, calendar: &self.calendar };
                rows.put(&chat, &facts(&history), live(&history).as_ref())?;
            }
        }
        standing.write(&step)?;
        step.commit()?;
        self.standing = standing;
        Ok(true)
    }
}

type Step = Option<(Vec<String>, Standing)>;

fn built_further(snapshot: &Transaction<'_>, now: &Standing, after: &str) -> Result<Step, ProjectError> {
    let mut select = snapshot.prepare_cached("SELECT id FROM chats WHERE id > ? ORDER BY id LIMIT ?")?;
    let chats: Vec<String> =
        select.query_map(params![after, CHATS_PER_STEP], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut standing = now.clone();
    standing.done += i64::try_from(chats.len()).unwrap_or_default();
    standing.built_to = chats.last().cloned();
    if standing.built_to.is_none() {
        // What came since is followed from there.
        standing.position = now.target;
    }
    Ok(Some((chats, standing)))
}

fn followed_further(snapshot: &Transaction<'_>, now: &Standing) -> Result<Step, ProjectError> {
    let mut select =
        snapshot.prepare_cached("SELECT seq, chat_id FROM journal WHERE seq > ? ORDER BY seq LIMIT ?")?;
    let mut rows = select.query(params![now.position, POSITIONS_PER_STEP])?;
    let (mut chats, mut position) = (BTreeSet::new(), now.position);
    while let Some(row) = rows.next()? {
        position = row.get(0)?;
        chats.extend(row.get::<_, Option<String>>(1)?);
    }
    if position == now.position {
        return Ok(None);
    }
    Ok(Some((chats.into_iter().collect(), Standing { position, ..now.clone() })))
}

/// One row of `facts`, in the order of its columns after the chat.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct FactRow {
    kind: i64,
    metric: i64,
    at: i64,
    ordinal: i64,
    start: i64,
    wall: i64,
    business: i64,
    agent: Option<String>,
    sector: Option<String>,
    channel: Option<String>,
    tags: Option<String>,
}

/// Writes the rows of chats.
struct Rows<'a> {
    tx: &'a Transaction<'a>,
    calendar: &'a Calendar,
}

impl Rows<'_> {
    fn put(&self, chat: &Chat, facts: &[Fact], live: Option<&Live>) -> Result<(), ProjectError> {
        let key = self.put_chat(chat, live)?;
        self.put_members(chat)?;
        self.put_names(chat)?;
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
        Ok(())
    }

    fn known(&self, key: i64) -> Result<BTreeSet<FactRow>, ProjectError> {
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
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn rows_of(&self, chat: &Chat, facts: &[Fact]) -> BTreeSet<FactRow> {
        let mut facts: Vec<&Fact> = facts.iter().collect();
        facts.sort_unstable();
        let mut rows = BTreeSet::new();
        let (mut place, mut ordinal) = (None, 0);
        for fact in facts {
            // Facts of one metric in one instant are told apart by their number.
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

    fn put_chat(&self, chat: &Chat, live: Option<&Live>) -> Result<i64, ProjectError> {
        let fields = chat.fields();
        let nanos = |at: Option<jiff::Timestamp>| at.map(to_nanos);
        let channel_type = fields.channel.as_ref().and_then(|channel| channel.channel_type.as_deref());
        let whatsapp = channel_type.is_some_and(|name| name.to_ascii_lowercase().contains("whatsapp"));
        let tags: Vec<RefId> = fields.tags.iter().map(|tag| tag.id.clone()).collect();
        let mut put = self.tx.prepare_cached(
            "INSERT INTO chats (id, organization, contact_id, kind, channel_id, sector_id, owner_id, private, tags, open,
                 waiting, whatsapp, since, answered, with_bot, ours_last, unanswered_since, last_message_at,
                 last_customer_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
             ON CONFLICT (id) DO UPDATE SET organization = ?2, contact_id = ?3, kind = ?4, channel_id = ?5,
                 sector_id = ?6, owner_id = ?7, private = ?8, tags = ?9, open = ?10, waiting = ?11, whatsapp = ?12,
                 since = ?13, answered = ?14, with_bot = ?15, ours_last = ?16, unanswered_since = ?17,
                 last_message_at = ?18, last_customer_at = ?19
             RETURNING key",
        )?;
        let key = put.query_row(
            params![
                chat.id.as_str(),
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
                live.is_some_and(|live| live.answered),
                live.is_some_and(|live| live.with_bot),
                live.is_some_and(|live| live.ours_last),
                nanos(live.and_then(|live| live.unanswered_since)),
                nanos(live.and_then(|live| live.last_message_at)),
                nanos(live.and_then(|live| live.last_customer_at)),
            ],
            |row| row.get(0),
        )?;
        Ok(key)
    }

    fn put_members(&self, chat: &Chat) -> Result<(), ProjectError> {
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

    fn put_names(&self, chat: &Chat) -> Result<(), ProjectError> {
        let fields = chat.fields();
        let mut put = self.tx.prepare_cached(
            "INSERT INTO names VALUES (?, ?, ?)
             ON CONFLICT DO UPDATE SET name = excluded.name WHERE name <> excluded.name",
        )?;
        let channel = fields.channel.as_ref().map(|channel| ("channel", &channel.id, &channel.name));
        let sector = fields.sector.as_ref().map(|sector| ("sector", &sector.id, &sector.name));
        let tags = fields.tags.iter().map(|tag| ("tag", &tag.id, &tag.name));
        for (what, id, name) in channel.into_iter().chain(sector).chain(tags) {
            if let Some(name) = name {
                put.execute([what, id.as_str(), name.as_str()])?;
            }
        }
        Ok(())
    }
}

/// Ids such that one of them is found as a whole.
fn between_line_feeds(ids: &[RefId]) -> Option<String> {
    if ids.is_empty() {
        return None;
    }
    let mut ids: Vec<&str> = ids.iter().map(RefId::as_str).collect();
    ids.sort_unstable();
    ids.dedup();
    Some(format!("\n{}\n", ids.join("\n")))
}
