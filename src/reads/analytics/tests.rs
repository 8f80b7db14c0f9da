//! Facts give the same answers whether they are sealed or not: every table, count and explanation, in any
//! period, with any filter.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rusqlite::{Connection, params};

use super::filter::{Clock, Filter, Period};
use super::{Explain, Grouping, Tabulate};
use crate::auth::{Identity, Role, Scope};
use crate::derived::analytics::file;
use crate::derived::analytics::rows::Changed;
use crate::derived::analytics::seal::{Seals, Sizes};
use crate::domain::metrics::Metric;
use crate::domain::register::to_nanos;
use crate::reads::Query;

const SMALL: Sizes = Sizes { segment: 4, unsealed: 3 };
const CHATS: i64 = 5;

/// A made-up fact: is it a duration, minute, chat, agent.
type Made = (bool, i64, i64, Option<u8>);

fn fact() -> impl Strategy<Value = Made> {
    // Few different minutes, so that many facts share a moment.
    (any::<bool>(), 0..40_i64, 1..=CHATS, proptest::option::of(0..3_u8))
}

fn begin() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

fn minute(minute: i64) -> Timestamp {
    begin() + SignedDuration::from_mins(minute * 7)
}

fn metric(is_duration: bool) -> Metric {
    if is_duration { Metric::ReplyTime } else { Metric::MessagesIn }
}

struct FactsFile {
    connection: Connection,
    seals: Seals,
    ordinal: i64,
    _folder: tempfile::TempDir,
}

impl FactsFile {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let connection = file::open(&folder.path().join("metrics")).unwrap();
        for key in 1..=CHATS {
            let sector = format!("sector-{}", key % 2);
            let sql = "INSERT INTO chats (key, id, kind, sector_id, private, open, waiting, whatsapp, since, attended,
                 with_bot, ours_last) VALUES (?, ?, 0, ?, 0, 0, 0, 0, 0, 0, 0, 0)";
            connection.execute(sql, params![key, format!("chat-{key}"), sector]).unwrap();
        }
        Self { connection, seals: Seals::unknown(SMALL), ordinal: 0, _folder: folder }
    }

    /// Adds facts, deletes `gone` others, and breaks the segments that changed, as the projector does.
    fn change(&mut self, facts: &[Made], gone: usize) {
        let step = self.connection.transaction().unwrap();
        let mut changed = Changed::new();
        for (is_duration, at, chat, agent) in facts {
            self.ordinal += 1;
            let at = to_nanos(minute(*at));
            let metric = metric(*is_duration).number();
            let wall = if *is_duration { self.ordinal * 1_000 } else { 0 };
            let agent = agent.map(|agent| format!("agent-{agent}"));
            let tags = (chat % 3 > 0).then(|| format!("\ntag-{}\ntag-9\n", chat % 3));
            let sector = format!("sector-{}", chat % 2);
            step.execute(
                "INSERT INTO facts VALUES (0, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'line', ?)",
                params![metric, at, chat, self.ordinal, at, wall, wall / 2, agent, sector, tags],
            )
            .unwrap();
            *changed.entry((0, metric, at)).or_default() += 1;
        }
        let sql = "DELETE FROM facts WHERE (kind, metric, at, chat, ordinal) IN (SELECT kind, metric, at, chat, ordinal
             FROM facts ORDER BY ordinal % 7, ordinal LIMIT ?) RETURNING kind, metric, at";
        let mut take = step.prepare(sql).unwrap();
        let taken = take
            .query_map([i64::try_from(gone).unwrap()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap();
        for place in taken {
            *changed.entry(place.unwrap()).or_default() += 1;
        }
        drop(take);
        self.seals.break_open(&step, &changed).unwrap();
        step.commit().unwrap();
    }

    fn seal(&mut self) {
        let step = self.connection.transaction().unwrap();
        while self.seals.seal(&step).unwrap() {}
        step.commit().unwrap();
    }

    fn segments(&self) -> i64 {
        self.connection.query_row("SELECT count(*) FROM segments", [], |row| row.get(0)).unwrap()
    }

    /// The answers to all kinds of questions, as text.
    fn answers(&mut self, period: Period, filter: &Filter) -> Vec<String> {
        let tx = self.connection.transaction().unwrap();
        let mut answers = Vec::new();
        let metrics = vec![Metric::ReplyTime, Metric::MessagesIn];
        let previous = Some(Period { from: minute(0), until: period.from });
        let begins =
            |period: Period| vec![period.from, period.from.max(minute(13)), period.from.max(minute(26))];
        let buckets = Grouping::Buckets(begins(period), begins(Period { from: minute(0), ..period }));
        let groupings = [
            Grouping::Whole,
            buckets,
            Grouping::Hours,
            Grouping::Agents,
            Grouping::Sectors,
            Grouping::Channels,
            Grouping::Tags,
        ];
        for clock in [Clock::Wall, Clock::Business] {
            for grouping in groupings.clone() {
                let (metrics, filter) = (metrics.clone(), filter.clone());
                let table = Tabulate { metrics, period, previous, filter, clock, grouping };
                answers.push(format!("{:?}", table.answer(&tx).map(|table| table.rows).unwrap()));
            }
            for metric in metrics.clone() {
                let filter = filter.clone();
                let explain = Explain { metric, period, filter, clock, lengths: None, page: 2, limit: 5 };
                answers.push(format!("{:?}", explain.answer(&tx).unwrap()));
            }
        }
        answers
    }
}

fn filters() -> Vec<Filter> {
    let all = Filter::direct(&Arc::new(Scope::of(&Identity::anonymous())), TimeZone::UTC);
    let sectors = Some(vec!["sector-1".to_owned()]);
    let limited = Scope::of(&Identity { role: Role::Agent, sectors, ..Identity::anonymous() });
    vec![
        Filter { sector: Some("sector-0".into()), ..all.clone() },
        Filter { agent: Some("agent-1".into()), ..all.clone() },
        Filter { tag: Some("tag-1".into()), hour: Some(13), ..all.clone() },
        Filter { tag: Some("tag".into()), ..all.clone() },
        Filter { channel: Some("line".into()), weekday: Some(1), ..all.clone() },
        Filter { scope: Arc::new(limited), ..all.clone() },
        all,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sealed_facts_answer_as_their_rows_do(
        changes in proptest::collection::vec((proptest::collection::vec(fact(), 0..30), 0..6_usize), 1..5),
        (from, length) in (0..40_i64, 0..40_i64),
    ) {
        let mut file = FactsFile::new();
        for (facts, gone) in &changes {
            file.change(facts, *gone);
            file.seal();
        }
        // Leaves some of them unsealed again.
        file.change(&[(true, 20, 1, None), (false, 3, 2, Some(1))], 1);
        let period = Period { from: minute(from), until: minute(from + length) };
        let sealed: Vec<_> = filters().iter().map(|filter| file.answers(period, filter)).collect();
        file.connection.execute_batch("DELETE FROM segments; DELETE FROM segment_parts").unwrap();
        let unsealed: Vec<_> = filters().iter().map(|filter| file.answers(period, filter)).collect();
        prop_assert_eq!(sealed, unsealed);
    }
}

#[test]
fn the_end_stays_open_and_what_changes_is_sealed_again() {
    let mut file = FactsFile::new();
    let facts: Vec<Made> = (0..20).map(|at| (false, at, 1, None)).collect();
    file.change(&facts, 0);
    file.seal();
    // Twenty facts could make five segments of four, but the last three facts must stay unsealed, so
    // there are four.
    assert_eq!(file.segments(), 4);
    file.change(&[(false, 1, 1, None)], 0);
    assert_eq!(file.segments(), 3, "the one that holds it is taken away");
    let parts: i64 =
        file.connection.query_row("SELECT count(*) FROM segment_parts", [], |row| row.get(0)).unwrap();
    assert_eq!(parts, 3 * 9, "with all of its columns");
    file.seal();
    assert_eq!(file.segments(), 5, "five facts in the hole make two");
    file.change(&[(false, 39, 1, None)], 0);
    assert_eq!(file.segments(), 5, "nothing is sealed where it came");
    for _ in 0..8 {
        // One by one, and all in one instant.
        file.change(&[(false, 39, 1, None)], 0);
        file.seal();
    }
    assert_eq!(file.segments(), 7, "a long end is sealed however it grew");
}
