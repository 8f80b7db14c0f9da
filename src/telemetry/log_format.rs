//! How a line of the log is written: as text for people, or as JSON for programs. A record is always one line, whatever
//! its message holds, so nobody who chooses a name or an id can write a line of their own into the log.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::str::FromStr;

use env_logger::fmt::Formatter;
use jiff::Timestamp;
use log::Record;
use log::kv::{self, Key, Value, VisitSource, VisitValue};
use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};

use super::clock;

/// How log lines are written: the setting `LOG_FORMAT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// `[time LEVEL target] message`.
    Text,
    /// One JSON object a line, with the fields of the record beside its message.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("{text:?} is neither text nor json")),
        }
    }
}

/// Starts the log of this process, which goes to standard error. `filter` is one of `env_logger`.
pub fn start(format: LogFormat, filter: &str) {
    let mut logger = env_logger::Builder::new();
    logger.parse_filters(filter);
    match format {
        LogFormat::Text => logger.format(write_text),
        LogFormat::Json => logger.format(write_json),
    };
    logger.init();
}

/// The fields of a record are for programs; its message says the same to people.
fn write_text(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let (at, level, target) = (clock::now(), record.level(), record.target());
    let style = out.default_level_style(level);
    let message = record.args().to_string();
    writeln!(out, "[{at:.0} {style}{level:<5}{style:#} {target}] {}", one_line(&message))
}

fn write_json(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    writeln!(out, "{}", json_line(clock::now(), record)?)
}

/// Control characters, and the line ends of Unicode: some readers of logs, and some terminals, begin a new line there.
fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(breaks_a_line) {
        return text.into();
    }
    let escape = |c: char| if breaks_a_line(c) { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escape).collect()
}

fn json_line(at: Timestamp, record: &Record<'_>) -> Result<String, serde_json::Error> {
    let line = serde_json::to_string(&Line { at, record })?;
    if !line.contains(breaks_a_line) {
        return Ok(line);
    }
    // JSON itself only demands that the controls of ASCII are escaped. What is left stands inside strings.
    let mut escaped = String::with_capacity(line.len() + 16);
    for c in line.chars() {
        if breaks_a_line(c) {
            write!(escaped, "\\u{:04x}", u32::from(c)).map_err(serde_json::Error::custom)?;
        } else {
            escaped.push(c);
        }
    }
    Ok(escaped)
}

/// A record as a JSON object.
struct Line<'a> {
    at: Timestamp,
    record: &'a Record<'a>,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = self.record;
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry("ts", &format_args!("{:.3}", self.at))?;
        line.serialize_entry("level", record.level().as_str())?;
        line.serialize_entry("target", record.target())?;
        line.serialize_entry("msg", record.args())?;
        record.key_values().visit(&mut Fields(&mut line)).map_err(S::Error::custom)?;
        line.end()
    }
}

/// Writes the fields of a record; one without a value is left out.
struct Fields<'a, M>(&'a mut M);

impl<'kvs, M: SerializeMap> VisitSource<'kvs> for Fields<'_, M> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        value.visit(Field { line: self.0, key: key.as_str() })
    }
}

struct Field<'a, M> {
    line: &'a mut M,
    key: &'a str,
}

impl<M: SerializeMap> Field<'_, M> {
    fn write(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), kv::Error> {
        self.line.serialize_entry(self.key, value).map_err(|_unwritable| kv::Error::from(fmt::Error))
    }
}

impl<M: SerializeMap> VisitValue<'_> for Field<'_, M> {
    fn visit_any(&mut self, value: Value<'_>) -> Result<(), kv::Error> {
        self.write(&format_args!("{value}"))
    }

    fn visit_null(&mut self) -> Result<(), kv::Error> {
        Ok(())
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), kv::Error> {
        self.write(&value)
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), kv::Error> {
        self.write(&value)
    }

    fn visit_str(&mut self, value: &str) -> Result<(), kv::Error> {
        self.write(value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HOSTILE: &str =
        "a\n[2026-03-02T13:00:00Z INFO  access] b\r\n\u{1b}[2J\u{9b}2J\u{85}\u{2028}\u{7f}\0 \"é\"";

    fn json_of(message: &str, fields: &[(&str, &str)]) -> String {
        let at = "2026-03-02T13:00:00.0415Z".parse().unwrap();
        let mut record = Record::builder();
        record.level(log::Level::Warn).target("access").key_values(&fields);
        json_line(at, &record.args(format_args!("{message}")).build()).unwrap()
    }

    #[test]
    fn a_record_with_control_characters_stays_one_line() {
        for line in [one_line(HOSTILE).into_owned(), json_of(HOSTILE, &[("user", HOSTILE)])] {
            assert!(!line.contains(breaks_a_line), "{line:?}");
            assert!(line.contains('é'), "what is harmless is left as it is: {line:?}");
        }
        assert_eq!(one_line("a\n\u{9b}b"), r"a\n\u{9b}b");
    }

    #[test]
    fn a_line_of_json_says_what_the_record_says() {
        let line: serde_json::Value = serde_json::from_str(&json_of(HOSTILE, &[("user", HOSTILE)])).unwrap();
        let ts = "2026-03-02T13:00:00.041Z";
        let expected =
            json!({ "ts": ts, "level": "WARN", "target": "access", "msg": HOSTILE, "user": HOSTILE });
        assert_eq!(line, expected);
        assert!(json_of("m", &[]).starts_with(r#"{"ts":"#), "the time comes first");
    }

    #[test]
    fn a_format_that_is_neither_is_named() {
        assert_eq!("json".parse(), Ok(LogFormat::Json));
        assert_eq!("JSON".parse::<LogFormat>(), Err("\"JSON\" is neither text nor json".to_owned()));
    }
}
