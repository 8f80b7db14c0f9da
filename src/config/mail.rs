//! The settings of the mail server, which are read together.

use lettre::message::Mailbox;

use super::parse::{Reader, secret};
use crate::derived::report_mail::{MailEncryption, MailServer};

/// Most addresses that the daily report is mailed to. Each gets the same mail, and sees the others.
const RECIPIENTS_MAX: usize = 50;

impl Reader<'_> {
    /// Whom the daily report is mailed to, and through what.
    pub(super) fn mail(&mut self) -> Option<MailServer> {
        let server = self.parse("SMTP_URL", mail_server);
        let user = self.text("SMTP_USER").map(str::to_owned);
        let password = secret(self, "SMTP_PASSWORD");
        let from = self.parse("REPORT_FROM", mailbox);
        let to = self.parse("REPORT_TO", mailboxes);
        let (host, port, encryption) = server?;
        if user.is_some() != password.is_some() {
            self.problems.push("SMTP_USER, SMTP_PASSWORD: set both or neither".to_owned());
        }
        if password.is_some() && encryption == MailEncryption::None && !is_this_machine(&host) {
            let problem =
                "SMTP_PASSWORD: would be sent unencrypted to another machine; use smtps:// or smtp://";
            self.problems.push(problem.to_owned());
        }
        for (name, is_there) in [("REPORT_FROM", from.is_some()), ("REPORT_TO", to.is_some())] {
            if !is_there && self.text(name).is_none() {
                self.problems.push(format!("{name}: must be set where SMTP_URL is"));
            }
        }
        Some(MailServer { host, port, encryption, login: user.zip(password), from: from?, to: to? })
    }
}

/// `smtps://host`, `smtp://host:port` and so on.
fn mail_server(text: &str) -> Result<(String, u16, MailEncryption), String> {
    let wrong = || "must be an address like smtps://mail.example.com, smtp://… or smtp+plain://…".to_owned();
    let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
    let (encryption, usual) = match scheme {
        "smtps" => (MailEncryption::Tls, 465),
        "smtp" => (MailEncryption::StartTls, 587),
        "smtp+plain" => (MailEncryption::None, 25),
        _ => return Err(wrong()),
    };
    if rest.contains('@') {
        return Err("must not hold a user or a password; use SMTP_USER and SMTP_PASSWORD".to_owned());
    }
    let authority: actix_web::http::uri::Authority =
        rest.trim_end_matches('/').parse().map_err(|_no_host| wrong())?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let port = match authority.port() {
        Some(port) => port.as_str().parse().map_err(|_no_port| wrong())?,
        None => usual,
    };
    if host.is_empty() || port == 0 { Err(wrong()) } else { Ok((host.to_owned(), port, encryption)) }
}

fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.trim().parse().map_err(|error| format!("{text:?} is not a mail address: {error}"))
}

fn mailboxes(text: &str) -> Result<Vec<Mailbox>, String> {
    let all: Vec<Mailbox> = text.split(',').map(mailbox).collect::<Result<_, _>>()?;
    if all.len() > RECIPIENTS_MAX {
        return Err(format!("must have at most {RECIPIENTS_MAX} addresses"));
    }
    Ok(all)
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
