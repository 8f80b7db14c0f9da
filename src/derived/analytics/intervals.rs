//! Writes the intervals of a chat and its messages by day; only what differs from the stored rows.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::rows::{between_line_feeds, kind_number};
use super::spans::{DAY, Marks, STILL, end_minute, minute};
use crate::domain::history::HistoryEntry;
use crate::domain::intervals::{StateInterval, intervals};
use crate::domain::register::to_nanos;
use crate::domain::{Chat, ChatLine, ContactId, Placement, RefId};

/// The intervals of one chat, and its number of messages by day.
pub(super) struct ChatIntervals<'a> {
    chat: &'a Chat,
    intervals: Vec<StateInterval>,
    /// Number of messages by day of UTC.
    said: BTreeMap<i64, i64>,
    last_at: i64,
}

/// A row of `spans`, without when it began.
#[derive(Debug, PartialEq, Eq)]
struct IntervalRow {
    ended: i64,
    place: i64,
    marks: i64,
    tags: Option<String>,
}

impl<'a> ChatIntervals<'a> {
    /// Computes the intervals from the timeline, and counts the messages in the database.
    pub(super) fn read(
        database: &Connection,
        chat: &'a Chat,
        entries: &[HistoryEntry],
    ) -> rusqlite::Result<Self> {
        let mut said = BTreeMap::new();
        let mut last_at = entries.last().map_or(i64::MIN, |entry| to_nanos(entry.at));
        let mut select = database
            .prepare_cached("SELECT at FROM messages INDEXED BY messages_of_chat WHERE chat_id = ?")?;
        let mut rows = select.query([chat.id.as_str()])?;
        while let Some(row) = rows.next()? {
            let at: i64 = row.get(0)?;
            *said.entry(at.div_euclid(DAY)).or_default() += 1;
            last_at = last_at.max(at);
        }
        Ok(Self { chat, intervals: intervals(entries, chat.created_at), said, last_at })
    }

    pub(super) fn put(&self, step: &Transaction<'_>, key: i64) -> rusqlite::Result<()> {
        let Some(first) = self.intervals.first() else { return Ok(()) };
        let mut put = step.prepare_cached(
            "INSERT INTO known VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET kind = ?2, contact_id = ?3, at = ?4, last_at = ?5",
        )?;
        let contact = self.chat.contact_id.get().map(ContactId::as_str);
        put.execute(params![
            key,
            kind_number(self.chat.kind()),
            contact,
            to_nanos(first.from),
            self.last_at
        ])?;
        if let Some(line) = self.chat.channel.get() {
            let mut put = step.prepare_cached(
                "INSERT INTO lines VALUES (?1, ?2) ON CONFLICT DO UPDATE SET whatsapp = ?2 WHERE whatsapp <> ?2",
            )?;
            put.execute(params![line.id.as_str(), ChatLine::is_whatsapp(line)])?;
        }
        let (mut stays, mut spans) = (BTreeMap::new(), BTreeMap::new());
        let mut before: Option<(&Placement, i64, i64)> = None;
        for interval in &self.intervals {
            let (began, ended) = (to_nanos(interval.from), interval.until.map_or(STILL, to_nanos));
            let (stay, place) = match before {
                Some((last, stay, place)) if *last == interval.place => (stay, place),
                _ => (began, place_of(step, &interval.place)?),
            };
            before = Some((&interval.place, stay, place));
            stays.insert(stay, (ended, place));
            if interval.open {
                spans.insert(began, self.span(interval, ended, place));
            }
        }
        put_stays(step, key, &stays)?;
        put_spans(step, key, &spans)?;
        self.put_said(step, key)
    }

    fn span(&self, interval: &StateInterval, ended: i64, place: i64) -> IntervalRow {
        let unassigned = interval.place.owner.is_none();
        let marks = Marks { kind: self.chat.kind(), waiting: interval.waiting, unassigned };
        IntervalRow { ended, place, marks: marks.number(), tags: between_line_feeds(&interval.tags) }
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

/// The id of a place. A place that is new gets a row.
fn place_of(step: &Transaction<'_>, place: &Placement) -> rusqlite::Result<i64> {
    let id = |id: &Option<RefId>| id.as_ref().map(ToString::to_string);
    let ids = [&place.organization, &place.channel, &place.sector, &place.owner].map(id);
    let people: BTreeSet<&str> = place.people().map(RefId::as_str).collect();
    // JSON escapes the ids, so different places have different names.
    let name = serde_json::json!([ids, place.private, people]).to_string();
    let mut select = step.prepare_cached("SELECT id FROM places WHERE name = ?")?;
    if let Some(known) = select.query_row([&name], |row| row.get(0)).optional()? {
        return Ok(known);
    }
    let [organization, channel, sector, owner] = ids;
    let mut add = step.prepare_cached(
        "INSERT INTO places (name, organization, channel_id, sector_id, owner_id, private)
         VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    let id = add.insert(params![name, organization, channel, sector, owner, place.private])?;
    let mut member = step.prepare_cached("INSERT INTO place_members VALUES (?, ?)")?;
    for person in people {
        member.execute(params![person, id])?;
    }
    Ok(id)
}

fn put_stays(step: &Transaction<'_>, key: i64, made: &BTreeMap<i64, (i64, i64)>) -> rusqlite::Result<()> {
    let mut select = step.prepare_cached("SELECT began, ended, place FROM stays WHERE chat = ?")?;
    let known: BTreeMap<i64, (i64, i64)> = select
        .query_map([key], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?
        .collect::<Result<_, _>>()?;
    for began in known.keys().filter(|began| !made.contains_key(began)) {
        step.prepare_cached("DELETE FROM stays WHERE chat = ? AND began = ?")?.execute([key, *began])?;
    }
    for (began, stay) in made.iter().filter(|(began, stay)| known.get(began) != Some(stay)) {
        let mut put = step.prepare_cached("INSERT OR REPLACE INTO stays VALUES (?, ?, ?, ?)")?;
        put.execute([key, *began, stay.0, stay.1])?;
    }
    Ok(())
}

fn put_spans(step: &Transaction<'_>, key: i64, made: &BTreeMap<i64, IntervalRow>) -> rusqlite::Result<()> {
    let mut select = step.prepare_cached(
        "SELECT began, id, ended, place, marks, tags FROM spans INDEXED BY spans_of_chat WHERE chat = ?",
    )?;
    let known: BTreeMap<i64, (i64, IntervalRow)> = select
        .query_map([key], |row| {
            let span =
                IntervalRow { ended: row.get(2)?, place: row.get(3)?, marks: row.get(4)?, tags: row.get(5)? };
            Ok((row.get(0)?, (row.get(1)?, span)))
        })?
        .collect::<Result<_, _>>()?;
    for (id, _) in known.iter().filter(|(began, _)| !made.contains_key(began)).map(|(_, known)| known) {
        step.prepare_cached("DELETE FROM spans WHERE id = ?")?.execute([id])?;
        step.prepare_cached("DELETE FROM span_times WHERE id = ?")?.execute([id])?;
    }
    for (began, span) in made {
        let Some((id, known)) = known.get(began) else {
            add_span(step, key, *began, span)?;
            continue;
        };
        if span != known {
            step.prepare_cached("UPDATE spans SET ended = ?, place = ?, marks = ?, tags = ? WHERE id = ?")?
                .execute(params![span.ended, span.place, span.marks, span.tags, id])?;
        }
        if (span.ended, span.marks) != (known.ended, known.marks) {
            step.prepare_cached(
                "UPDATE span_times SET ended = ?1, marks = ?2, marks_too = ?2 WHERE id = ?3",
            )?
            .execute(params![end_minute(span.ended), span.marks, id])?;
        }
    }
    Ok(())
}

fn add_span(step: &Transaction<'_>, key: i64, began: i64, span: &IntervalRow) -> rusqlite::Result<()> {
    let mut add = step.prepare_cached(
        "INSERT INTO spans (chat, place, began, ended, marks, tags) VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    let id = add.insert(params![key, span.place, began, span.ended, span.marks, span.tags])?;
    let mut time = step.prepare_cached("INSERT INTO span_times VALUES (?1, ?2, ?3, ?4, ?4)")?;
    time.execute(params![id, minute(began), end_minute(span.ended), span.marks])?;
    Ok(())
}
