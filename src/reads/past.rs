//! Chats as they were at a moment in the past, rebuilt from the timeline and the messages up to then.
//!
//! A chat without a later entry in the timeline is still as it was, and is read from its row. Any other is
//! rebuilt. One look-up in the timeline tells which, so no history has to be replayed.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Transaction, params_from_iter};

use super::chats::{self, ChatFilter, ListChats, StatusFilter};
use super::cursor::{Cursor, SortKey, fingerprint};
use super::history_names::NameCache;
use super::members::name_people;
use super::page::{Conditions, Sort};
use super::query::{parse_state, parse_summary};
use super::{Query, ReadError};
use crate::auth::Scope;
use crate::domain::history::Standing;
use crate::domain::register::to_nanos;
use crate::domain::{Chat, ChatLine, EventKey, MessagePosition, Named, RefId};
use crate::journal::positions;
use crate::journal::timeline::entries;
use crate::protocol::{ChatShape, Mask};

/// Chats that are looked at for one page. If that is not enough, the page ends early.
pub const EXAMINED_MAX: usize = 10_000;
/// Chats that are rebuilt for one page. If that is not enough, the page ends early.
pub const REBUILT_MAX: usize = 1_000;

/// Lists chats as they were at a moment in the past, the latest created first.
#[derive(Debug, Clone)]
pub struct ListPastChats {
    pub then: Timestamp,
    /// Applied to the chats as they were then.
    pub filter: ChatFilter,
    /// Ids of all chats that can match, if they are known. No others are looked at.
    pub among: Option<Vec<String>>,
    /// 1 to 200.
    pub limit: u32,
    /// Where the page before ended; `None` for the first page.
    pub after: Option<Cursor>,
    pub scope: Arc<Scope>,
}

/// A page of chats as they were at a moment in the past.
#[derive(Debug, Clone, PartialEq)]
pub struct PastChats {
    /// At most as many as were asked for.
    pub chats: Vec<ChatShape>,
    /// Where the next page begins; `None` on the last page.
    pub next: Option<Cursor>,
}

/// One chat as it was at a moment in the past; `None` if it did not exist then, or the scope would not have
/// seen it.
#[derive(Debug, Clone)]
pub struct GetPastChat {
    pub then: Timestamp,
    pub id: String,
    pub scope: Arc<Scope>,
}

/// A chat's present row, and what the timeline says about the moment.
#[expect(clippy::struct_excessive_bools, reason = "each is a column, and they are independent")]
pub(super) struct PastRow {
    pub(super) rowid: i64,
    pub(super) id: String,
    pub(super) created_at: i64,
    /// The timeline has entries after the moment.
    pub(super) moved: bool,
    /// The timeline has entries up to the moment.
    pub(super) known: bool,
    /// The chat is visible and matches the filter as it is today.
    pub(super) fits: bool,
    /// The chat's contact matches the search.
    named: bool,
    pub(super) open: bool,
    pub(super) waiting: bool,
    pub(super) direct: bool,
    pub(super) contact: Option<String>,
}

impl Query for ListPastChats {
    type Answer = PastChats;

    fn answer(self, tx: &Transaction<'_>) -> Result<PastChats, ReadError> {
        let fingerprint = fingerprint(&("past", to_nanos(self.then), &self.filter, self.scope.hash()))?;
        let after = self.after.as_ref().map(|cursor| cursor.moment(fingerprint)).transpose()?;
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let (mut chats, mut names, mut rebuilt, mut last) = (Vec::new(), NameCache::default(), 0, None);
        let mut is_cut = false;
        let mut first = Conditions::default();
        if let Some(ids) = &self.among {
            first.require("id IN (SELECT value FROM json_each(?))", [serde_json::to_string(ids)?.into()]);
        }
        if let Some((created, id)) = after {
            first.require("(created_at, id) < (?, ?)", [created.into(), id.to_owned().into()]);
        }
        walk(tx, &self.as_of_today(), self.then, first, EXAMINED_MAX, |past_row| {
            if chats.len() == limit || rebuilt == REBUILT_MAX {
                is_cut = true;
                return Ok(false);
            }
            rebuilt += usize::from(past_row.moved && past_row.known);
            chats.extend(self.look_at(tx, &past_row, &mut names)?);
            last = Some(Cursor::new(fingerprint, SortKey::Time(past_row.created_at), past_row.id));
            Ok(true)
        })
        .map(|examined| is_cut |= examined == EXAMINED_MAX)?;
        Ok(PastChats { chats, next: last.filter(|_| is_cut) })
    }
}

impl Query for GetPastChat {
    type Answer = Option<ChatShape>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let list = ListPastChats {
            then: self.then,
            filter: ChatFilter::default(),
            among: None,
            limit: 1,
            after: None,
            scope: self.scope,
        };
        let mut only = Conditions::default();
        only.require("id = ?", [self.id.into()]);
        let past_row = spots(tx, &list.as_of_today(), list.then, &only, 1)?.pop();
        past_row.map_or(Ok(None), |past_row| list.look_at(tx, &past_row, &mut NameCache::default()))
    }
}

impl ListPastChats {
    fn as_of_today(&self) -> ListChats {
        ListChats::first_page(self.filter.clone(), Sort::CreatedAt, self.limit, &self.scope)
    }

    fn look_at(
        &self,
        tx: &Transaction<'_>,
        past_row: &PastRow,
        names: &mut NameCache,
    ) -> Result<Option<ChatShape>, ReadError> {
        if !past_row.known {
            return Ok(None);
        }
        if !past_row.moved {
            return if past_row.fits {
                chats::load(tx, past_row.rowid, &self.scope).map(Some)
            } else {
                Ok(None)
            };
        }
        let Some(standing) = Standing::after(&entries(tx, &past_row.id, Some(self.then))?) else {
            return Ok(None);
        };
        if !past_row.named || !self.scope.sees(&standing.place) || !self.stood(past_row, &standing) {
            return Ok(None);
        }
        let mut select = tx.prepare_cached(
            "SELECT chats.state, contacts.name, contacts.phone FROM chats LEFT JOIN contacts ON contacts.id = chats.contact_id
             WHERE chats.rowid = ?1",
        )?;
        let mut rows = select.query([past_row.rowid])?;
        let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let today: Chat = parse_state(row, 0)?;
        if self.filter.kind.is_some_and(|kind| kind != today.kind()) {
            return Ok(None);
        }
        let chat = stood_then(tx, &today, standing, self.then)?;
        let summary = summary(tx, chat.last_message.as_ref())?;
        let mut shape = ChatShape::new(&chat, (row.get(1)?, row.get(2)?), summary);
        if let Some(channel) = &mut shape.channel {
            channel.name = names.channel(tx, &channel.id)?;
        }
        if let Some(sector) = &mut shape.sector {
            names.name_sector(tx, sector)?;
        }
        for tag in &mut shape.tags {
            names.name_tag(tx, tag)?;
        }
        name_people(tx, shape.people_mut())?;
        if self.scope.is_masked() {
            shape.mask();
        }
        Ok(Some(shape))
    }

    /// True if the chat was as the filter asks.
    fn stood(&self, past_row: &PastRow, standing: &Standing) -> bool {
        let ChatFilter { status, sector, owner, channel, tag, kind: _, search: _, contact } = &self.filter;
        let is = |asked: &Option<String>, id: Option<&RefId>| {
            asked.as_ref().is_none_or(|asked| id.is_some_and(|id| id.as_str() == asked))
        };
        let status_fits = match status {
            None => true,
            Some(StatusFilter::Open) => standing.open,
            Some(StatusFilter::Waiting) => standing.is_waiting(),
            Some(StatusFilter::Closed) => !standing.open,
        };
        status_fits
            && is(sector, standing.place.sector.as_ref())
            && is(owner, standing.place.owner.as_ref())
            && is(channel, standing.place.channel.as_ref())
            && tag.as_ref().is_none_or(|tag| standing.tags.iter().any(|id| id.as_str() == tag))
            && contact.as_ref().is_none_or(|contact| past_row.contact.as_ref() == Some(contact))
    }
}

/// Passes chats that were created by `then` and meet the conditions to `look`, the latest first, until it
/// returns `false` or `most` were examined. Returns how many were examined.
pub(super) fn walk(
    tx: &Transaction<'_>,
    today: &ListChats,
    then: Timestamp,
    mut conditions: Conditions,
    most: usize,
    mut look: impl FnMut(PastRow) -> Result<bool, ReadError>,
) -> Result<usize, ReadError> {
    conditions.require("created_at <= ?", [to_nanos(then).into()]);
    for_each_spot(tx, today, then, &conditions, most, &mut look)
}

fn spots(
    tx: &Transaction<'_>,
    today: &ListChats,
    then: Timestamp,
    conditions: &Conditions,
    most: usize,
) -> Result<Vec<PastRow>, ReadError> {
    let mut spots = Vec::new();
    let mut keep = |past_row| {
        spots.push(past_row);
        Ok(true)
    };
    for_each_spot(tx, today, then, conditions, most, &mut keep)?;
    Ok(spots)
}

fn for_each_spot(
    tx: &Transaction<'_>,
    today: &ListChats,
    then: Timestamp,
    conditions: &Conditions,
    most: usize,
    look: &mut dyn FnMut(PastRow) -> Result<bool, ReadError>,
) -> Result<usize, ReadError> {
    let (fits, named) = (today.conditions(false), today.search_conditions());
    let sql = format!(
        "SELECT rowid, id, created_at, EXISTS (SELECT 1 FROM timeline WHERE chat_id = chats.id AND at > ?),
             EXISTS (SELECT 1 FROM timeline WHERE chat_id = chats.id AND at <= ?), ({}), ({}), open, waiting,
             kind = 'direct', contact_id
         FROM chats WHERE {} ORDER BY created_at DESC, id DESC LIMIT ?",
        fits.to_sql(),
        named.to_sql(),
        conditions.to_sql()
    );
    let then = Value::Integer(to_nanos(then));
    let most = Value::Integer(i64::try_from(most).unwrap_or(i64::MAX));
    let moments = [then.clone(), then];
    let values = moments.iter().chain(fits.values()).chain(named.values()).chain(conditions.values());
    let mut select = tx.prepare_cached(&sql)?;
    let mut rows = select.query(params_from_iter(values.chain([&most])))?;
    let mut examined = 0;
    while let Some(row) = rows.next()? {
        examined += 1;
        let past_row = PastRow {
            rowid: row.get(0)?,
            id: row.get(1)?,
            created_at: row.get(2)?,
            moved: row.get(3)?,
            known: row.get(4)?,
            fits: row.get::<_, Option<bool>>(5)?.unwrap_or(false),
            named: row.get::<_, Option<bool>>(6)?.unwrap_or(false),
            open: row.get(7)?,
            waiting: row.get(8)?,
            direct: row.get(9)?,
            contact: row.get(10)?,
        };
        if !look(past_row)? {
            break;
        }
    }
    Ok(examined)
}

/// The chat with what its timeline and messages say up to the moment. What never changes is taken from the
/// present chat.
fn stood_then(
    tx: &Transaction<'_>,
    today: &Chat,
    standing: Standing,
    then: Timestamp,
) -> Result<Chat, ReadError> {
    let mut chat = Chat::new(today.id.clone());
    let key = EventKey { at: then, event: today.id.as_str().into() };
    chat.organization.clone_from(&today.organization);
    (chat.contact_id, chat.kind) = (today.contact_id.clone(), today.kind.clone());
    chat.created_at = today.created_at;
    let named = |id: RefId| Named { id, name: None };
    let list = |ids: Vec<RefId>| Some(ids.into_iter().map(named).collect::<Vec<_>>());
    let channel = standing.place.channel.map(|id| match today.channel.get() {
        Some(channel) if channel.id == id => channel.clone(),
        _ => ChatLine { id, name: None, channel_type: None },
    });
    chat.channel.hear(channel, &key);
    chat.sector.hear(Some(standing.place.sector.map(named)), &key);
    chat.owner.hear(Some(standing.place.owner.map(named)), &key);
    chat.members.hear(list(standing.place.members), &key);
    chat.tags.hear(list(standing.tags), &key);
    chat.open.hear(Some(standing.open), &key);
    chat.waiting.hear(Some(standing.waiting), &key);
    chat.private.hear(Some(standing.place.private), &key);
    chat.bot_running.hear(Some(standing.bot_running), &key);
    (chat.closed_since, chat.last_close) = (standing.closed_since, standing.last_close);
    set_clocks(tx, &mut chat, then)?;
    Ok(chat)
}

/// Sets the values that follow from the messages up to the moment.
fn set_clocks(tx: &Transaction<'_>, chat: &mut Chat, then: Timestamp) -> Result<(), ReadError> {
    let (id, until) = (chat.id.as_str().to_owned(), Some(then));
    chat.last_reply = positions::last_reply(tx, &id, until)?;
    let floor = chat.wait_floor();
    chat.unanswered = positions::first_customer_message_after(tx, &id, floor.as_ref(), until)?;
    chat.last_message = positions::newest_message(tx, &id, until)?;
    Ok(())
}

fn summary(
    tx: &Transaction<'_>,
    position: Option<&MessagePosition>,
) -> Result<Option<crate::protocol::MessageSummary>, ReadError> {
    let Some(position) = position else { return Ok(None) };
    let mut select = tx.prepare_cached("SELECT state FROM messages WHERE id = ?1")?;
    let mut rows = select.query([position.id.as_str()])?;
    rows.next()?.map_or(Ok(None), |row| parse_summary(row, 0))
}
