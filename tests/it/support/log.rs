//! A log of records, and a database to which it is applied. There is no hub, so the test controls clock,
//! batches and restarts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tempfile::TempDir;
use umbler_hub::facade::journal::{
    AlertKey, AlertRequest, Append, BatchWriter, DutyTaking, Entry, Notice, Origin, OutboxAttempt,
    OutboxMessage, OutboxRequest, OutboxResult, OutboxState, Payload, RULES, Record, Revocation, RulesRaise,
    SettingsChange, digest_tables, open,
};
use umbler_hub::facade::rules::{AlertKind, GivenName, Member, NamedKind, Seq, TeamSettings, read};
use umbler_hub::facade::testing::Day;
use umbler_hub::facade::wire::{NamedShape, SettingsShape};

use super::log_forgets::{
    contact_of, counts_entries, erasure_entries, link_entries, reduced_entries, retention_entries,
};
use super::provider::{Delivery, START, moment};

/// A database, the records that were applied to it, and the updates that came of them.
pub struct Database {
    home: TempDir,
    writer: Option<BatchWriter>,
    /// How many updates are kept.
    retained: i64,
    /// The updates as they were first encoded.
    pub frames: Vec<(Seq, String)>,
}

impl Database {
    pub fn new(retained: i64) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let mut database = Self { home, writer: None, retained, frames: Vec::new() };
        database.open();
        database
    }

    pub fn path(&self) -> PathBuf {
        self.home.path().join("hub.db")
    }

    pub fn connection(&self) -> Connection {
        Connection::open(self.path()).expect("the database")
    }

    fn open(&mut self) {
        let opened = open(&self.path()).expect("the database opens");
        self.writer = Some(BatchWriter::new(opened, &self.path(), self.retained).expect("a writer"));
    }

    /// Closes the database as a hub does when it ends.
    pub fn close(&mut self) {
        self.writer.take().expect("it is open").close().expect("it closes");
    }

    /// Opens the database again, like a hub that restarts.
    pub fn restart(&mut self) {
        self.close();
        self.open();
    }

    /// Applies records in one batch.
    pub fn commit(&mut self, entries: &[Entry]) {
        let append = |entry: &Entry| {
            // As from a stream: encoded, and decoded.
            let entry = Entry::decode(&entry.encode()).expect("an entry");
            Append {
                record: Record::read(entry).expect("a record"),
                reply: tokio::sync::oneshot::channel().0,
                place: None,
            }
        };
        let batch: Vec<Append> = entries.iter().map(append).collect();
        let written = self.writer.as_mut().expect("it is open").commit(&batch).expect("it is written");
        assert_eq!(written.acks.len(), entries.len());
        self.frames.extend(written.events.iter().map(|event| (event.seq, event.frame.to_string())));
    }

    /// Digests of all tables except that of updates, whose number depends on the settings.
    pub fn digests(&self) -> BTreeMap<&'static str, String> {
        let mut digests = digest_tables(&self.connection()).expect("digests");
        digests.remove("frames");
        digests
    }

    /// The updates that are kept, as they are now.
    pub fn kept_frames(&self) -> BTreeMap<i64, (String, Option<String>)> {
        let connection = self.connection();
        let mut select =
            connection.prepare("SELECT seq, frame, elsewhere FROM frames").expect("frames are read");
        let rows = select.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))));
        rows.expect("rows").collect::<Result<_, _>>().expect("frames")
    }
}

/// Days of the simulator, and between its deliveries everything else that can be recorded: each kind of record,
/// repeated ids, ignored objects, unknown types, deleted messages. Receipt times jump back and forth.
pub fn log(seed: u64, deliveries: usize) -> Vec<Entry> {
    log_of(seed, deliveries, 3_600)
}

/// The same, but receipt times never go back.
pub fn log_of_a_steady_clock(seed: u64, deliveries: usize) -> Vec<Entry> {
    log_of(seed, deliveries, 0)
}

/// A log whose clock is occasionally set back by so many seconds.
fn log_of(seed: u64, deliveries: usize, set_back: i64) -> Vec<Entry> {
    let start: Timestamp = START.parse().expect("a moment");
    let mut day = Day::new(seed, start);
    let mut entries: Vec<Entry> = Vec::new();
    let mut contacts: Vec<String> = Vec::new();
    for number in 0..deliveries {
        let second = i64::try_from(number).expect("small") * 61;
        let now = start + SignedDuration::from_secs(second);
        let back = if number % 3 == 1 { set_back } else { 0 };
        let at = now - SignedDuration::from_secs(back);
        let posted = day.step(now);
        entries.push(posted_entry(&posted.body, Some(posted.attempt), at));
        contacts.extend(contact_of(&posted.body));
        entries.extend(besides(seed, number, second, at, &contacts));
        if number % 5 == 4 {
            let repeated = entries[number * 7 % entries.len()].clone();
            entries.push(Entry { at, attempt: Some(2), ..repeated });
        }
    }
    entries
}

/// What is recorded after a delivery of the simulator.
fn besides(seed: u64, number: usize, second: i64, at: Timestamp, contacts: &[String]) -> Vec<Entry> {
    let chat = format!("chat-{}", number % 4);
    let id = |what: &str| format!("{what}-{seed}-{number}");
    let message = || {
        Delivery::message(&chat)
            .event_id(&id("event"))
            .message_id(&id("message"))
            .at(second)
            .text("the words")
            .set("/Payload/Content/Contact/Id", json!(format!("contact-{}", number % 2)))
    };
    let posted = |delivery: Delivery| posted_entry(&delivery.bytes(), None, at);
    let since = moment(second).parse().expect("a moment");
    let alert = |kind| AlertKey { kind, chat: chat.as_str().into(), since };
    let alert_change = |name: &str, request| own(Payload::Alert(request), Some(&id(name)), at);
    match number % 17 {
        0 => {
            let raise = AlertRequest::Raise { alert: alert(AlertKind::Waiting), due_at: at };
            let by = NamedShape { id: "bia".into(), name: Some("Bia".into()) };
            let acknowledge = AlertRequest::Acknowledge { id: alert(AlertKind::Waiting).id(), by };
            vec![
                posted(message()),
                alert_change("raise", raise),
                alert_change("acknowledge", acknowledge),
                alert_change("clear", AlertRequest::Clear(alert(AlertKind::Waiting))),
            ]
        }
        1 => {
            let deleted = message().event_id(&id("deletion")).message_field("Content", Value::Null);
            vec![posted(message()), posted(deleted.message_field("IsDeleted", json!(true)))]
        }
        2 => vec![
            posted_entry(br#"{"Payload":{}}"#, None, at),
            posted_entry(br#"{"EventId":"x"}"#, Some(1), at),
        ],
        3 => {
            let data = RawValue::from_string(format!("{{\"n\": {number}.50}}")).expect("JSON");
            vec![own(Payload::Notice(Notice { user: "bia".into(), data }), Some(&id("notify")), at)]
        }
        4 => {
            let name = (!number.is_multiple_of(3)).then(|| format!("Bia {number}"));
            let member = Member { name, ..Member::unknown("bia".into()) };
            vec![own(Payload::Members(vec![member]), Some(&id("directory")), at)]
        }
        5 => {
            let values = TeamSettings {
                idle_minutes: u16::try_from(number % 90 + 1).expect("small"),
                views: serde_json::from_value(
                    json!([{ "name": format!("View {number}"), "address": "/chats?wait=late" }]),
                )
                .expect("views"),
                ..TeamSettings::default()
            };
            let settings = SettingsShape { time_zone: "America/Sao_Paulo".into(), values };
            let by = NamedShape { id: "root".into(), name: None };
            let change = SettingsChange { settings, only_after: None, by };
            vec![own(Payload::Settings(Box::new(change)), Some(&id("settings")), at)]
        }
        6 => revocation_entries(number, at),
        7 => report_entries(number, at, &id("report")),
        8 => {
            // More types than are counted by name.
            let unknown = |part| {
                Delivery::of_any_type(&format!("Type{number}-{part}"), &chat)
                    .event_id(&id(&format!("t{part}")))
            };
            (0..9).map(|part| posted(unknown(part))).collect()
        }
        9 => sector_entries(number, at, &id, &message),
        10 => outbox_entries(
            &chat,
            &id("entry"),
            at,
            [
                posted(message()),
                posted(message().message_id(&id("echo")).event_id(&id("echoed")).by_member("ana")),
            ],
            &id("echo"),
        ),
        11 => link_entries(number, at, &id),
        12 => counts_entries(number, at, [posted(message()), posted(message().event_id(&id("later")))]),
        13 => {
            let ghost = Delivery::of_any_type("Ghost", &chat).event_id(&id("ghost"));
            reduced_entries(at, &[message(), ghost])
        }
        14 => erasure_entries(number, at, &id, contacts),
        15 => retention_entries(number, at),
        _ => vec![posted(message().by_member("bia").owner("bia").waiting(false))],
    }
}

/// A revocation, and a taking of the duties between two records of them. The first one takes them.
fn revocation_entries(number: usize, at: Timestamp) -> Vec<Entry> {
    let user = format!("user-{}", number % 3);
    let revocation = Revocation { user, issued_before: at, revoked_at: at, revoked_by: "root".into() };
    // The first one takes the duties. The others are too late, as is what carries no fence in force.
    let taking = DutyTaking { by: format!("a-{number}"), after: Seq(0), taken_at: None };
    let posted = Payload::AlertsPosted(Seq(i64::try_from(number).expect("small")));
    let fenced = Entry { fence: Some(Seq(0)), ..own(posted, None, at) };
    vec![
        own(Payload::Revocation(revocation), None, at),
        fenced.clone(),
        own(Payload::Duty(taking), None, at),
        fenced,
        // The log is of a hub on its own, where it changes nothing.
        own(Payload::Rules(RulesRaise { number: RULES }), None, at),
    ]
}

/// A report of a day, and how far reports and alerts were sent.
fn report_entries(number: usize, at: Timestamp, id: &str) -> Vec<Entry> {
    let position = Seq(i64::try_from(number).expect("small"));
    let (count, duration) =
        (json!({ "count": number, "before": 1 }), json!({ "count": 0, "countBefore": 0 }));
    let report = json!({
        "day": "2026-03-03", "comparedWith": "2026-02-24", "timeZone": "America/Sao_Paulo", "language": "en",
        "created": count, "closed": count, "abandoned": count, "messagesIn": count, "messagesMember": count,
        "firstResponse": duration, "resolution": duration, "sectors": [],
    });
    let report = Payload::DailyReport(serde_json::from_value(report).expect("a report"));
    vec![
        own(Payload::AlertsPosted(position), None, at),
        own(report, Some(id), at),
        own(Payload::ReportsMailed(position), None, at),
    ]
}

/// A message that goes out: not found, sent again, and known as a message before it is known that it is this one.
fn outbox_entries(
    chat: &str,
    entry: &str,
    at: Timestamp,
    [first, echo]: [Entry; 2],
    message: &str,
) -> Vec<Entry> {
    let queued = OutboxMessage {
        id: entry.to_owned(),
        temp_id: format!("temp-{entry}"),
        chat: chat.into(),
        text: "an answer".into(),
        private: false,
        prefix: Some("*Bia:*".into()),
        by: NamedShape { id: "bia".into(), name: Some("Bia".into()) },
    };
    let request = |request| Payload::Outbox(Box::new(request));
    let attempt =
        |attempt| Payload::OutboxAttempt(OutboxAttempt { id: entry.to_owned(), attempt, since: at });
    let result = |attempt, state, message: Option<&str>| {
        let (id, message) = (entry.to_owned(), message.map(Into::into));
        Payload::OutboxResult(OutboxResult { id, attempt, state, message, reason: None, detail: None })
    };
    let named = |payload, name: &str| own(payload, Some(&format!("{entry}-{name}")), at);
    vec![
        first,
        named(request(OutboxRequest::Queue(queued)), "queue"),
        // Of another sender, who is too late.
        named(attempt(2), "other"),
        named(attempt(1), "first"),
        named(result(1, OutboxState::Unclear, None), "unclear"),
        named(result(1, OutboxState::Unconfirmed, None), "unconfirmed"),
        named(request(OutboxRequest::Resend { id: entry.to_owned() }), "resend"),
        named(attempt(2), "second"),
        echo,
        named(result(2, OutboxState::Sent, Some(message)), "sent"),
        named(request(OutboxRequest::Discard { id: entry.to_owned() }), "discard"),
    ]
}

pub fn posted_entry(body: &[u8], attempt: Option<u32>, at: Timestamp) -> Entry {
    let reading = read(body, attempt, at).expect("an object");
    let raw = zstd::bulk::compress(body, 1).expect("memory");
    Record::posted(reading, raw, body.len(), attempt, at).entry
}

/// Deliveries of a sector that is renamed and of one without a name, and names from a list and from an admin.
fn sector_entries(
    number: usize,
    at: Timestamp,
    id: &dyn Fn(&str) -> String,
    message: &dyn Fn() -> Delivery,
) -> Vec<Entry> {
    let posted = |part: &str, sector: Value| {
        let delivery = message().event_id(&id(part)).message_id(&id(part)).chat_field("Sector", sector);
        posted_entry(&delivery.bytes(), None, at)
    };
    let named = |part: &str, name: &str| posted(part, json!({ "Id": "sector-x", "Name": name }));
    let [listed, set] = names_entries(number, at, &id("names"));
    // There and back: what is written once per batch must not lose the step between.
    let [sales, vendas, again] = [named("a", "Sales"), named("b", "Vendas"), named("c", "Sales")];
    let nameless = posted("d", json!({ "Id": format!("sector-{number}") }));
    vec![sales, vendas, again, nameless, listed, set]
}

/// Names of a sector: from the provider's list, then from an admin, who takes the name back at times.
fn names_entries(number: usize, at: Timestamp, id: &str) -> [Entry; 2] {
    let given = |id: &str, name: Option<String>| GivenName { what: NamedKind::Sector, id: id.into(), name };
    let sector = format!("sector-{number}");
    let listed =
        vec![given(&sector, Some("Loja".to_owned())), given("sector-x", Some(format!("Loja {number}")))];
    let listed = Record::new(Payload::Names(listed), Some(format!("{id}-listed").into()), Origin::Hub, at);
    let name = number.is_multiple_of(2).then(|| format!("Equipe {number}"));
    let set = Payload::Names(vec![given("sector-x", name)]);
    [listed.expect("memory").entry, own(set, Some(&format!("{id}-set")), at)]
}

pub fn own(payload: Payload, id: Option<&str>, at: Timestamp) -> Entry {
    Record::new(payload, id.map(Into::into), Origin::User("root".into()), at).expect("memory").entry
}
