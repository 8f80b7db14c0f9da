//! The metrics that were pushed to a screen: frames are merged into whole tables, which are compared with the
//! answers of REST.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::{Hub, PATIENCE, Screen};

/// The channels, each with the REST questions that its tables must agree with.
pub const BOARDS: [(&str, &str, &str); 5] = [
    ("metrics:live", "/live", "/summary"),
    ("metrics:agents", "/live?by=agent", "/agents"),
    ("metrics:sectors", "/live?by=sector", "/sectors"),
    ("metrics:channels", "/live?by=channel", "/channels"),
    ("metrics:tags", "/live?by=tag", "/tags"),
];

pub fn names() -> Vec<&'static str> {
    BOARDS.iter().map(|(name, ..)| *name).collect()
}

type Rows = BTreeMap<String, Map<String, Value>>;

/// One channel's tables.
#[derive(Debug, Default, Clone)]
pub struct Tables {
    pub as_of: i64,
    pub from: Value,
    pub rebuilding: Value,
    pub live: Rows,
    pub today: Rows,
    /// How many frames came, and how many of them replaced everything.
    pub frames: usize,
    pub whole: usize,
}

/// All tables that one screen has.
#[derive(Debug, Default)]
pub struct Held(pub BTreeMap<String, Tables>);

fn key(row: &Value) -> String {
    json!([row["id"], row["metric"]]).to_string()
}

/// Merges a part of a frame. Nothing in it may be known already.
fn merge(held: &mut Rows, part: &Value, full: bool) {
    if full {
        held.clear();
        assert_eq!(part["gone"], json!([]));
    }
    for gone in part["gone"].as_array().expect("a list") {
        let gone = if gone.is_object() { key(gone) } else { key(&json!({ "id": gone })) };
        assert!(held.remove(&gone).is_some(), "{gone} was not there");
    }
    for row in part["rows"].as_array().expect("rows") {
        let cells = row.as_object().expect("a row");
        let Some(known) = held.get_mut(&key(row)) else {
            held.insert(key(row), cells.clone());
            continue;
        };
        assert!(!full, "a row comes twice: {row}");
        let mut changed = 0;
        for (column, cell) in cells.iter().filter(|(column, _)| !matches!(&***column, "id" | "metric")) {
            assert_ne!(known.insert(column.clone(), cell.clone()).as_ref(), Some(cell), "{column} in {row}");
            changed += 1;
        }
        assert!(changed > 0, "{row} says nothing");
    }
}

impl Held {
    /// Merges a `metrics_update`.
    pub fn takes(&mut self, data: &Value) {
        let tables = self.0.entry(data["channel"].as_str().expect("a channel").to_owned()).or_default();
        let full = data["full"] == true;
        assert!(full || tables.frames > 0, "the first frame is whole: {data}");
        merge(&mut tables.live, &data["live"], full);
        merge(&mut tables.today, &data["today"], full);
        let as_of = data["asOfSeq"].as_i64().expect("a position");
        assert!(as_of >= tables.as_of || data["rebuilding"].is_object(), "never back: {data}");
        tables.as_of = as_of;
        tables.from = data["from"].clone();
        tables.rebuilding = data["rebuilding"].clone();
        tables.frames += 1;
        tables.whole += usize::from(full);
    }

    /// Reads until each of these channels has this position. Updates and the like are skipped.
    pub fn reaches(&mut self, screen: &mut Screen, channels: &[&str], seq: i64) {
        self.reads_until(screen, |held| {
            channels.iter().all(|name| held.0.get(*name).is_some_and(|tables| tables.as_of >= seq))
        });
    }

    /// Reads until the condition holds.
    pub fn reads_until(&mut self, screen: &mut Screen, is_so: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            assert!(begun.elapsed() < PATIENCE, "it does not come to be so: {self:#?}");
            let envelope = screen.hears_anything();
            if envelope["event"] == "metrics_update" {
                self.takes(&envelope["data"]);
            }
        }
    }

    /// A live number of a row; `""` for a channel with only one row. Null before the channel's first frame.
    pub fn live(&self, channel: &str, id: &str, column: &str) -> Value {
        let key = if id.is_empty() { key(&json!({})) } else { key(&json!({ "id": id })) };
        let row = self.0.get(channel).and_then(|tables| tables.live.get(&key));
        row.map_or(Value::Null, |row| row[column].clone())
    }

    /// A number of today, for a row and a metric.
    pub fn today(&self, channel: &str, id: &str, metric: &str, column: &str) -> Value {
        let id = if id.is_empty() { Value::Null } else { json!(id) };
        let key = key(&json!({ "id": id, "metric": metric }));
        self.0[channel].today.get(&key).map_or(Value::Null, |row| row[column].clone())
    }

    /// Asserts that all tables are what REST answers now.
    pub fn equals_rest(&self, hub: &Hub, token: &str) {
        for (channel, live, today) in BOARDS {
            let Some(tables) = self.0.get(channel) else { continue };
            let asked = rest(hub, token, live);
            assert_eq!(tables.live, asked.0, "{channel}");
            let asked = rest(hub, token, today);
            assert_eq!(tables.today, asked.0, "{channel}");
            assert_eq!(tables.from, asked.1, "{channel}");
        }
    }
}

/// The rows that REST answers, without what changes with time alone, and the begin of their period.
fn rest(hub: &Hub, token: &str, path: &str) -> (Rows, Value) {
    let answer = crate::metrics::ask_as(hub, token, path).json();
    let rows = answer["rows"].as_array().expect("rows").iter().map(|row| {
        let mut cells = row.as_object().expect("a row").clone();
        cells.retain(|column, _| !column.ends_with("BusinessMs"));
        (key(row), cells)
    });
    (rows.collect(), answer["from"].clone())
}
