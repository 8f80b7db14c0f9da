//! Writes a chat's stretches and its messages by day; only what differs from what is there.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Transaction, params};

use super::rows::{between_line_feeds, kind_number};
use super::spans::{DAY, Marks, STILL, end_minute, minute};
use crate::archive::ArchiveError;
use crate::domain::history::Entry;
use crate::domain::register::to_nanos;
use crate::domain::stretches::{Stretch, stretches};
use crate::domain::{Channel, Chat, Placement, RefId};

/// Where a chat stood from when until when.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    began: i64,
    ended: i64,
    /// Organization, line, sector and owner.
    ids: [Option<String>; 4],
    private: bool,
    people: BTreeSet<String>,
}

/// An open stretch in one of the places.
#[derive(Debug, PartialEq, Eq)]
struct Span {
    place: usize,
    began: i64,
    ended: i64,
    marks: i64,
    tags: Option<String>,
}

/// What a chat has lived through.
pub(super) struct Lived<'a> {
    chat: &'a Chat,
    places: Vec<Place>,
    spans: Vec<Span>,
    said: BTreeMap<i64, i64>,
    last_at: i64,
}

impl Place {
    fn is_like(&self, other: &Self) -> bool {
        self.began == other.began && self.is_same(other)
    }

    fn is_same(&self, other: &Self) -> bool {
        (&self.ids, self.private, &self.people) == (&other.ids, other.private, &other.people)
    }

    fn of(place: &Placement, began: i64, ended: i64) -> Self {
        let id = |id: &Option<RefId>| id.as_ref().map(ToString::to_string);
        Self {
            began,
            ended,
            ids: [id(&place.organization), id(&place.channel), id(&place.sector), id(&place.owner)],
            private: place.private,
            people: place.people().map(ToString::to_string).collect(),
        }
    }
}

impl Span {
    fn is_like(&self, other: &Self) -> bool {
        (self.place, self.began, self.marks, &self.tags)
            == (other.place, other.began, other.marks, &other.tags)
    }
}

impl<'a> Lived<'a> {
    /// Reads it off the timeline, and the messages off the database.
    pub(super) fn read(
        database: &Connection,
        chat: &'a Chat,
        entries: &[Entry],
    ) -> Result<Self, ArchiveError> {
        let mut lived = Self {
            chat,
            places: Vec::new(),
            spans: Vec::new(),
            said: BTreeMap::new(),
            last_at: entries.last().map_or(i64::MIN, |entry| to_nanos(entry.at)),
        };
        for stretch in stretches(entries, chat.created_at) {
            lived.live_through(&stretch);
        }
        let mut select = database
            .prepare_cached("SELECT at FROM messages INDEXED BY messages_of_chat WHERE chat_id = ?")?;
        let mut rows = select.query([chat.id.as_str()])?;
        while let Some(row) = rows.next()? {
            let at: i64 = row.get(0)?;
            *lived.said.entry(at.div_euclid(DAY)).or_default() += 1;
            lived.last_at = lived.last_at.max(at);
        }
        Ok(lived)
    }

    fn live_through(&mut self, stretch: &Stretch) {
        let (began, ended) = (to_nanos(stretch.from), stretch.until.map_or(STILL, to_nanos));
        let place = Place::of(&stretch.place, began, ended);
        match self.places.last_mut() {
            Some(last) if last.is_same(&place) => last.ended = ended,
            _ => self.places.push(place),
        }
        if stretch.open {
            let unassigned = stretch.place.owner.is_none();
            let marks = Marks { kind: self.chat.kind(), waiting: stretch.waiting, unassigned };
            self.spans.push(Span {
                place: self.places.len() - 1,
                began,
                ended,
                marks: marks.number(),
                tags: between_line_feeds(&stretch.tags),
            });
        }
    }

    /// Writes it.
    pub(super) fn put(&self, step: &Transaction<'_>, key: i64) -> rusqlite::Result<()> {
        self.put_known(step, key)?;
        self.put_stretches(step, key)?;
        self.put_said(step, key)
    }

    fn put_known(&self, step: &Transaction<'_>, key: i64) -> rusqlite::Result<()> {
        let Some(first) = self.places.first() else { return Ok(()) };
        let mut put = step.prepare_cached(
            "INSERT INTO known VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET kind = ?2, contact_id = ?3, at = ?4, last_at = ?5",
        )?;
        let contact = self.chat.contact_id.get().map(crate::domain::ContactId::as_str);
        put.execute(params![key, kind_number(self.chat.kind()), contact, first.began, self.last_at])?;
        if let Some(line) = self.chat.channel.get() {
            let mut put = step.prepare_cached(
                "INSERT INTO lines VALUES (?1, ?2) ON CONFLICT DO UPDATE SET whatsapp = ?2 WHERE whatsapp <> ?2",
            )?;
            put.execute(params![line.id.as_str(), Channel::is_whatsapp(line)])?;
        }
        Ok(())
    }

    fn put_stretches(&self, step: &Transaction<'_>, key: i64) -> rusqlite::Result<()> {
        let mut ids = Vec::with_capacity(self.places.len());
        let known = known_places(step, key)?;
        let same =
            self.places.iter().zip(&known).take_while(|(made, (_, known))| made.is_like(known)).count();
        let mut end = step.prepare_cached("UPDATE places SET ended = ? WHERE id = ?")?;
        for (made, (id, known)) in self.places.iter().zip(&known).take(same) {
            if made.ended != known.ended {
                end.execute([made.ended, *id])?;
            }
            ids.push(*id);
        }
        let spans = known_spans(step, key, &ids)?;
        let kept = self
            .spans
            .iter()
            .zip(&spans)
            .take_while(|(made, (_, known))| known.as_ref().is_some_and(|known| made.is_like(known)))
            .count();
        for (id, _) in spans.iter().skip(kept) {
            step.prepare_cached("DELETE FROM spans WHERE id = ?")?.execute([id])?;
            step.prepare_cached("DELETE FROM span_times WHERE id = ?")?.execute([id])?;
        }
        for (id, place) in known.iter().skip(same) {
            step.prepare_cached("DELETE FROM places WHERE id = ?")?.execute([id])?;
            let mut take =
                step.prepare_cached("DELETE FROM place_members WHERE member_id = ? AND place = ?")?;
            for person in &place.people {
                take.execute(params![person, id])?;
            }
        }
        for place in self.places.iter().skip(same) {
            ids.push(add_place(step, key, place)?);
        }
        for (made, (id, known)) in self.spans.iter().zip(&spans).take(kept) {
            if known.as_ref().is_some_and(|known| made.ended != known.ended) {
                step.prepare_cached("UPDATE spans SET ended = ? WHERE id = ?")?.execute([made.ended, *id])?;
                step.prepare_cached("UPDATE span_times SET ended = ? WHERE id = ?")?
                    .execute(params![end_minute(made.ended), id])?;
            }
        }
        for span in self.spans.iter().skip(kept) {
            let place = ids.get(span.place).copied().unwrap_or_default();
            add_span(step, key, place, span)?;
        }
        Ok(())
    }

    fn put_said(&self, step: &Transaction<'_>, key: i64) -> rusqlite::Result<()> {
        let mut select = step.prepare_cached("SELECT day, n FROM said WHERE chat = ?")?;
        let known: BTreeMap<i64, i64> =
            select.query_map([key], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        let mut count = step
            .prepare_cached("INSERT INTO said_by_day VALUES (?1, ?2) ON CONFLICT DO UPDATE SET n = n + ?2")?;
        for (day, n) in &self.said {
            let before = known.get(day).copied().unwrap_or_default();
            if *n != before {
                step.prepare_cached("INSERT OR REPLACE INTO said VALUES (?, ?, ?)")?
                    .execute([key, *day, *n])?;
                count.execute([*day, n - before])?;
            }
        }
        for (day, n) in known.iter().filter(|(day, _)| !self.said.contains_key(day)) {
            step.prepare_cached("DELETE FROM said WHERE chat = ? AND day = ?")?.execute([key, *day])?;
            count.execute([*day, -n])?;
        }
        Ok(())
    }
}

fn known_places(step: &Transaction<'_>, key: i64) -> rusqlite::Result<Vec<(i64, Place)>> {
    let mut select = step.prepare_cached(
        "SELECT id, began, ended, organization, channel_id, sector_id, owner_id, private
         FROM places INDEXED BY places_of_chat WHERE chat = ? ORDER BY began",
    )?;
    let mut members = step
        .prepare_cached("SELECT member_id FROM place_members INDEXED BY place_members_of WHERE place = ?")?;
    let mut rows = select.query([key])?;
    let mut places = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        places.push((
            id,
            Place {
                began: row.get(1)?,
                ended: row.get(2)?,
                ids: [row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?],
                private: row.get(7)?,
                people: members.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?,
            },
        ));
    }
    Ok(places)
}

/// The spans in order; `None` for one in a place that stays not as it was.
fn known_spans(
    step: &Transaction<'_>,
    key: i64,
    places: &[i64],
) -> rusqlite::Result<Vec<(i64, Option<Span>)>> {
    let mut select = step.prepare_cached(
        "SELECT id, place, began, ended, marks, tags FROM spans INDEXED BY spans_of_chat WHERE chat = ? ORDER BY began",
    )?;
    let rows = select.query_map([key], |row| {
        let place: i64 = row.get(1)?;
        let (began, ended, marks, tags) = (row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?);
        let place = places.iter().position(|id| *id == place);
        Ok((row.get(0)?, place.map(|place| Span { place, began, ended, marks, tags })))
    })?;
    rows.collect()
}

fn add_place(step: &Transaction<'_>, key: i64, place: &Place) -> rusqlite::Result<i64> {
    let [organization, channel, sector, owner] = &place.ids;
    let mut add = step.prepare_cached(
        "INSERT INTO places (chat, began, ended, organization, channel_id, sector_id, owner_id, private)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
    )?;
    let row = params![key, place.began, place.ended, organization, channel, sector, owner, place.private];
    let id: i64 = add.query_row(row, |row| row.get(0))?;
    let mut member = step.prepare_cached("INSERT INTO place_members VALUES (?, ?)")?;
    for person in &place.people {
        member.execute(params![person, id])?;
    }
    Ok(id)
}

fn add_span(step: &Transaction<'_>, key: i64, place: i64, span: &Span) -> rusqlite::Result<()> {
    let mut add = step.prepare_cached(
        "INSERT INTO spans (chat, place, began, ended, marks, tags) VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
    )?;
    let row = params![key, place, span.began, span.ended, span.marks, span.tags];
    let id: i64 = add.query_row(row, |row| row.get(0))?;
    let mut time = step.prepare_cached("INSERT INTO span_times VALUES (?, ?, ?, ?, ?)")?;
    time.execute(params![id, minute(span.began), end_minute(span.ended), span.marks, span.marks])?;
    Ok(())
}
