//! The mail of the daily report as a mail server by somebody else takes it, and as Python's library reads it.

use serde_json::json;

use super::bucket_beside::are_noted;
use super::daily_report::{
    MAILED, answered_yesterday, hears_report, noon, reports_from, reports_of, yesterday,
};
use super::support::hub_with;
use super::support::mail_server::MailDoor;
use super::support::smtp_server::{PASSWORD, SmtpServer, USER, smtp_server};

#[test]
fn a_server_that_asks_for_starttls_and_a_password_takes_the_mail_once_also_after_a_restart() {
    if let Some(server) = smtp_server(MailDoor::StartTls) {
        is_taken_once(server);
    }
}

#[test]
fn a_server_that_is_encrypted_from_the_start_takes_the_mail_once_also_after_a_restart() {
    if let Some(server) = smtp_server(MailDoor::Tls) {
        is_taken_once(server);
    }
}

fn is_taken_once(server: SmtpServer) {
    let hub = hub_with(&[
        ("SMTP_URL", &server.url),
        ("SMTP_USER", USER),
        ("SMTP_PASSWORD", PASSWORD),
        ("SSL_CERT_FILE", server.authority.to_str().expect("a plain path")),
        ("REPORT_FROM", "Umbler Hub <hub@example.com>"),
        ("REPORT_TO", "ana@example.com, João <joao@example.com>"),
        ("TIMEZONE", noon()),
    ]);
    answered_yesterday(&hub, "a", 120);
    let mut screen = hub.screen().watching(&["updates"]);
    reports_from(&hub, "00:00", &[]);
    hears_report(&mut screen);

    let mail = server.takes();
    assert_eq!(mail["defects"], json!([]), "{mail}");
    assert_eq!(mail["login"], USER);
    assert!(mail["cipher"].is_string(), "{mail}");
    assert_eq!(mail["from"], "hub@example.com");
    assert_eq!(mail["to"], json!(["ana@example.com", "joao@example.com"]));
    let headers = &mail["headers"];
    assert_eq!(headers["from"], "Umbler Hub <hub@example.com>");
    assert_eq!(headers["to"], "ana@example.com, João <joao@example.com>");
    let day: jiff::civil::Date = yesterday().parse().expect("a day");
    let subject = headers["subject"].as_str().expect("a subject");
    let ending = format!("{} · Conversas novas 1 · 1ª resposta 2 min", day.strftime("%d/%m/%Y"));
    assert!(subject.ends_with(&ending), "{subject}");
    let id = headers["message-id"].as_str().expect("an id");
    assert!(id.starts_with(&format!("<daily-report.{day}.")) && id.ends_with("@example.com>"), "{id}");
    assert_eq!(mail["type"], "multipart/alternative");
    let part = |kind: &str| mail["parts"][kind].as_str().unwrap_or_else(|| panic!("no {kind} in {mail}"));
    let (plain, html) = (part("text/plain"), part("text/html"));
    assert!(plain.contains("1ª resposta (mediana): 2 min") && plain.contains("Vendas <norte>"), "{plain}");
    assert!(html.contains("1ª resposta") && html.contains("Vendas &lt;norte&gt;"), "{html}");

    are_noted(&hub, &[MAILED]);
    let hub = hub.restarted();
    let mut screen = hub.screen().watching(&["updates"]);
    reports_from(&hub, "00:01", &[]);
    screen.hears_update("settings_updated");
    assert_eq!(reports_of(&hub).len(), 1);
    drop(hub);
    assert_eq!(server.ends(), Vec::<serde_json::Value>::new(), "mails after the first");
}
