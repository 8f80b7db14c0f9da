//! The daily report: told, posted and mailed once, at the time that an admin set.

use std::sync::LazyLock;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use umbler_hub::facade::testing::clock;

use super::bucket_beside::are_noted;
use super::support::hub::command;
use super::support::keys::{SECRET, token};
use super::support::mail_server::{MailDoor, MailInbox, TakenMail};
use super::support::receiver::Receiver;
use super::support::screen::Screen;
use super::support::{Delivery, Hub, PATIENCE, hub_with};

const SETTINGS: &str = "/api/umbler/settings";
/// Where the hub notes up to which position reports were mailed.
pub const MAILED: &str = "daily_report_mailed_seq";
const DAY_SECONDS: i64 = 86_400;
const WEBHOOK_SECRET: &str = "a secret of enough bytes";

/// The zone in which it was noon when it was first asked for: no day turns while a test runs.
pub fn noon() -> &'static str {
    static ZONE: LazyLock<String> = LazyLock::new(|| {
        // POSIX counts these zones the other way round.
        format!("Etc/GMT{:+}", TimeZone::UTC.to_datetime(clock::now()).hour() - 12)
    });
    &ZONE
}

pub fn hub_that_mails(inbox: &MailInbox, settings: &[(&str, &str)]) -> Hub {
    let url = inbox.url();
    let own = [
        ("SMTP_URL", url.as_str()),
        ("REPORT_FROM", "Umbler Hub <hub@example.com>"),
        ("REPORT_TO", "ana@example.com, Rui <rui@example.com>"),
        ("TIMEZONE", noon()),
    ];
    hub_with(&[&own, settings].concat())
}

/// Reports are due from this time of day on.
pub fn reports_from(hub: &Hub, at: &str, headers: &[(&str, &str)]) {
    let off = json!({
        "waitingWarnSeconds": null, "waitingSeconds": null, "idleSeconds": null,
        "firstResponseNearSeconds": null, "firstResponseSeconds": null, "windowClosingSeconds": null,
    });
    let body = json!({
        "businessHours": {}, "thresholds": { "default": off }, "dailyReport": { "at": at, "language": "pt-BR" },
    });
    let answer = hub.put(SETTINGS, headers, &body);
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["settings"]["dailyReport"], json!({ "at": at, "language": "pt-BR" }));
}

/// A chat of yesterday: a question that was answered after so many seconds.
pub fn answered_yesterday(hub: &Hub, chat: &str, seconds: i64) {
    let asked = clock::now() - SignedDuration::from_secs(DAY_SECONDS);
    let written = |at: Timestamp| json!(format!("{at:.3}"));
    let (created, replied) = (written(asked), written(asked + SignedDuration::from_secs(seconds)));
    let dated = |delivery: Delivery, at: &Value| {
        delivery.set("/EventDate", at.clone()).message_field("EventAtUTC", at.clone())
    };
    let sector = json!({ "Id": "sales", "Name": "Vendas <norte>" });
    let of_chat = |delivery: Delivery| {
        delivery.chat_field("CreatedAtUTC", created.clone()).chat_field("Sector", sector.clone())
    };
    hub.provider().posts(&of_chat(dated(Delivery::message(chat), &created)));
    hub.provider().posts(&of_chat(dated(Delivery::message(chat), &replied).by_member("ana")));
}

/// A part of a mail, decoded.
fn part(mail: &TakenMail, kind: &str) -> String {
    let (_, rest) = mail.text.split_once(&format!("Content-Type: {kind}")).expect("the part is there");
    let (head, body) = rest.split_once("\r\n\r\n").expect("a body");
    let body = body.split("\r\n--").next().expect("an end");
    let bytes = if head.contains("base64") {
        STANDARD.decode(body.replace("\r\n", "")).expect("base64")
    } else if head.contains("quoted-printable") {
        unquoted(body)
    } else {
        body.as_bytes().to_vec()
    };
    String::from_utf8(bytes).expect("UTF-8")
}

/// Quoted-printable (RFC 2045, section 6.7).
fn unquoted(text: &str) -> Vec<u8> {
    let joined = text.replace("=\r\n", "");
    let mut pieces = joined.split('=');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        bytes.push(u8::from_str_radix(&piece[..2], 16).expect("two digits"));
        bytes.extend(&piece.as_bytes()[2..]);
    }
    bytes
}

pub fn header<'a>(mail: &'a TakenMail, name: &str) -> &'a str {
    let line = mail.text.lines().find(|line| line.starts_with(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("no {name} in {}", mail.text))
}

pub fn reports_of(hub: &Hub) -> Vec<Value> {
    let updates = hub.json("/api/umbler/updates?after=0")["updates"].as_array().expect("a list").clone();
    updates.into_iter().filter(|update| update["data"]["type"] == "daily_report").collect()
}

/// The report that follows the settings.
pub fn hears_report(screen: &mut Screen) -> Value {
    screen.hears_update("settings_updated");
    screen.hears_update("daily_report")
}

/// Waits until the hub's log says this.
fn logs(hub: &Hub, line: &str) {
    let begun = Instant::now();
    while !hub.log().contains(line) {
        assert!(begun.elapsed() < PATIENCE, "{line:?} is not in {}", hub.log());
        std::thread::yield_now();
    }
}

pub fn yesterday() -> String {
    let zone = TimeZone::get(noon()).expect("a zone");
    let now: Timestamp = clock::now();
    now.to_zoned(zone).date().yesterday().expect("a day").to_string()
}

#[test]
fn yesterday_is_told_posted_and_mailed_in_both_forms_and_only_once() {
    let (inbox, receiver) = (MailInbox::new(MailDoor::Plain), Receiver::new());
    let posts = format!("http://{}/", receiver.address());
    let settings = [("ALERT_WEBHOOK_URL", posts.as_str()), ("ALERT_WEBHOOK_SECRET", WEBHOOK_SECRET)];
    let hub = hub_that_mails(&inbox, &settings);
    for (chat, seconds) in [("a", 60), ("b", 120), ("c", 600)] {
        answered_yesterday(&hub, chat, seconds);
    }
    let mut screen = hub.screen().watching(&["updates"]);
    reports_from(&hub, "00:00", &[]);
    let told = hears_report(&mut screen);
    let report = &told["data"]["report"];
    assert_eq!(report["day"], yesterday());
    assert_eq!(told["data"]["eventId"], format!("report:{}", yesterday()));
    assert_eq!(report["created"], json!({ "count": 3, "before": 0 }));
    assert_eq!(report["messagesIn"]["count"], 3);
    assert_eq!(report["firstResponse"]["medianMs"], 120_000);
    assert_eq!(report["worstHour"], Value::Null, "three values make no worst hour");
    assert_eq!(report["sectors"][0]["name"], "Vendas <norte>");
    let posted = receiver.hears();
    assert_eq!(serde_json::from_str::<Value>(&posted.body).expect("JSON"), told, "the same as on the socket");
    posted.answers(204);

    let mail = inbox.takes();
    assert_eq!(mail.from, "FROM:<hub@example.com>");
    assert_eq!(mail.to, ["TO:<ana@example.com>", "TO:<rui@example.com>"]);
    assert_eq!((mail.login.as_deref(), mail.encrypted), (None, false));
    assert!(header(&mail, "From").contains("hub@example.com"));
    assert!(header(&mail, "Message-ID").starts_with(&format!("Message-ID: <daily-report.{}.", yesterday())));
    let (plain, html) = (part(&mail, "text/plain"), part(&mail, "text/html"));
    assert!(plain.contains("Conversas novas: 3") && plain.contains("Vendas <norte>"), "{plain}");
    assert!(plain.contains("1ª resposta (mediana): 2 min"), "{plain}");
    assert!(html.contains("Conversas novas") && html.contains("Vendas &lt;norte&gt;"), "{html}");

    // Neither another time nor a restart makes a second one of the same day.
    are_noted(&hub, &[MAILED]);
    reports_from(&hub, "00:01", &[]);
    let hub = hub.restarted();
    let mut screen = hub.screen().watching(&["updates"]);
    reports_from(&hub, "00:00", &[]);
    screen.hears_update("settings_updated");
    assert_eq!(reports_of(&hub).len(), 1);
    assert!(inbox.rest().is_empty());
}

#[test]
fn a_mail_that_is_not_taken_now_is_sent_again_and_a_kill_loses_it_not() {
    let inbox = MailInbox::new(MailDoor::Plain);
    let hub = hub_that_mails(&inbox, &[]);
    inbox.refuses(&["451 later", "421 busy"]);
    let mut screen = hub.screen().watching(&["updates"]);
    reports_from(&hub, "00:00", &[]);
    hears_report(&mut screen);
    let hub = hub.restarted();
    let mail = inbox.takes();
    assert!(part(&mail, "text/plain").contains("Não houve conversas nem mensagens neste dia."));
    drop(hub);
}

#[test]
fn a_mail_that_is_refused_for_good_is_told_in_the_log_and_holds_nothing_up() {
    let inbox = MailInbox::new(MailDoor::Plain);
    inbox.refuses(&["554 no such policy for ana@example.com"]);
    let hub = hub_that_mails(&inbox, &[]);
    reports_from(&hub, "00:00", &[]);
    logs(&hub, "is not mailed: status 554");
    assert!(!hub.log().contains("ana@example.com"), "{}", hub.log());
}

#[test]
fn the_password_goes_only_where_the_certificate_is_trusted() {
    for door in [MailDoor::Tls, MailDoor::StartTls] {
        let inbox = MailInbox::new(door);
        let authority = inbox.authority.to_str().expect("a plain path").to_owned();
        let login = [("SMTP_USER", "hub"), ("SMTP_PASSWORD", "open sesame")];
        let trusted = [&login[..], &[("SSL_CERT_FILE", &*authority)]].concat();
        let hub = hub_that_mails(&inbox, &trusted);
        reports_from(&hub, "00:00", &[]);
        let mail = inbox.takes();
        let expected = STANDARD.encode("\0hub\0open sesame");
        assert_eq!((mail.encrypted, mail.login), (true, Some(expected)), "{door:?}");
        drop(hub);

        let stranger = MailInbox::new(door);
        let hub = hub_that_mails(&stranger, &trusted);
        reports_from(&hub, "00:00", &[]);
        logs(&hub, "the mail server did not take the daily report");
        assert!(stranger.rest().is_empty(), "{door:?}");
        assert!(!hub.log().contains("open sesame"));
    }
}

#[test]
fn who_is_limited_to_a_part_of_the_chats_is_not_told_the_numbers_of_all() {
    let inbox = MailInbox::new(MailDoor::Plain);
    let hub = hub_that_mails(&inbox, &[("JWT_SECRET", SECRET)]);
    let limited = token(json!({ "sub": "ana", "role": "agent", "sectors": ["sales"] }));
    let admin = token(json!({ "sub": "root", "role": "admin" }));
    let mut screen = hub.screen().signed_in(&limited).watching(&["updates"]);
    let mut whole = hub.screen().signed_in(&admin).watching(&["updates"]);
    reports_from(&hub, "00:00", &[("authorization", &format!("Bearer {admin}"))]);
    hears_report(&mut whole);
    // Order proves absence: what comes later is heard, and the report was not.
    let sector = json!({ "Id": "sales", "Name": "Vendas" });
    hub.provider().posts(&Delivery::message("a").chat_field("Sector", sector));
    screen.hears_update("settings_updated");
    screen.hears_update("new_message");
}

#[test]
fn nothing_is_reported_before_its_time() {
    let inbox = MailInbox::new(MailDoor::Plain);
    let hub = hub_that_mails(&inbox, &[]);
    // It is noon in this zone, so the first is hours away, and the second is over.
    reports_from(&hub, "23:59", &[]);
    let mut screen = hub.screen().watching(&["updates"]);
    hub.provider().says("a", "hello");
    screen.hears_update("new_message");
    assert!(reports_of(&hub).is_empty());
    reports_from(&hub, "11:00", &[]);
    hears_report(&mut screen);
}

#[test]
fn settings_of_mails_that_do_not_fit_together_are_named_at_start() {
    let home = tempfile::tempdir().expect("a folder");
    let says = |settings: &[(&str, &str)]| {
        let mut command = command(home.path());
        let output = command.arg("check").envs(settings.iter().copied()).output().expect("the binary runs");
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.success(), text)
    };
    let right = [
        ("SMTP_URL", "smtps://mail.example.com"),
        ("REPORT_FROM", "a@b.example"),
        ("REPORT_TO", "c@d.example"),
    ];
    let (fine, text) = says(&right);
    assert!(fine, "{text}");
    let many = vec!["a@b.example"; 51].join(",");
    for (name, value, named) in [
        ("SMTP_URL", "mail.example.com", "SMTP_URL: must be an address like"),
        ("SMTP_URL", "http://mail.example.com", "SMTP_URL: must be an address like"),
        ("SMTP_URL", "smtp://mail.example.com:0", "SMTP_URL: must be an address like"),
        ("SMTP_URL", "smtp://me:hunter2@mail.example.com", "SMTP_URL: must not hold a user"),
        ("REPORT_FROM", "", "REPORT_FROM: must be set"),
        ("REPORT_TO", "nobody", "REPORT_TO: "),
        ("REPORT_TO", many.as_str(), "REPORT_TO: must have at most 50 addresses"),
        ("SMTP_USER", "me", "SMTP_USER, SMTP_PASSWORD: set both or neither"),
    ] {
        let (fine, text) = says(&[&right[..], &[(name, value)]].concat());
        assert!(!fine && text.contains(named), "{name}={value}: {text}");
    }
    let plain =
        [("SMTP_URL", "smtp+plain://mail.example.com"), ("SMTP_USER", "me"), ("SMTP_PASSWORD", "hunter2")];
    let (fine, text) = says(&[&right[..], &plain].concat());
    assert!(!fine && text.contains("SMTP_PASSWORD: would be sent unencrypted"), "{text}");
}
