//! Mails the daily reports in the journal: in order, each once, and repeated until the mail server takes it.
//!
//! # Contract
//!
//! That of [`forwarder`](super::forwarder). A mail that the server took just before a kill is sent again, with the same
//! `Message-ID`, by which mail programs show it once. After [`TRIES_MAX`] tries with pauses of up to [`PAUSE_MAX`] a report is
//! skipped; what the server refuses for good is not tried again.

pub mod text;
pub mod words;

use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport};
use rusqlite::Connection;

use super::forwarder::{Receiver, Refusal};
use crate::auth::Secret;
use crate::domain::Seq;
use crate::journal::daily_report::MAILED_KEY;
use crate::journal::head::epoch;
use crate::protocol::daily_report::DailyReportShape;

/// How often one mail is tried: over a night with pauses of [`PAUSE_MAX`].
const TRIES_MAX: u32 = 48;
/// Longest pause between two tries. The first pause is [`PAUSE_MIN`], and it doubles each time.
const PAUSE_MAX: Duration = Duration::from_mins(15);
/// Pause before the second try.
const PAUSE_MIN: Duration = Duration::from_secs(2);
/// How long the mail server may take for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// The next report after a position.
const NEXT: &str = "SELECT journal.seq, frames.frame FROM journal JOIN frames ON frames.seq = journal.seq
     WHERE journal.seq > ?1 AND journal.update_type = 'daily_report' ORDER BY journal.seq LIMIT 1";

/// How the connection to the mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailEncryption {
    /// The connection begins with it, as on port 465.
    Tls,
    /// After `STARTTLS`, without which nothing is sent.
    StartTls,
    None,
}

/// The mail server, and whom it brings the reports.
#[derive(Debug, Clone)]
pub struct MailServer {
    pub host: String,
    pub port: u16,
    pub encryption: MailEncryption,
    /// User and password, where the server asks for them.
    pub login: Option<(String, Secret)>,
    pub from: Mailbox,
    pub to: Vec<Mailbox>,
}

/// Mails the reports in the journal.
pub struct ReportMails {
    transport: SmtpTransport,
    from: Mailbox,
    to: Vec<Mailbox>,
}

/// The part of an update that is mailed.
#[derive(serde::Deserialize)]
struct ReportUpdate {
    data: ReportUpdateData,
}

#[derive(serde::Deserialize)]
struct ReportUpdateData {
    report: DailyReportShape,
}

impl ReportMails {
    /// `authorities` are the certificates to trust, in DER.
    pub fn new(
        server: MailServer,
        authorities: Vec<Vec<u8>>,
    ) -> Result<Self, lettre::transport::smtp::Error> {
        let MailServer { host, port, encryption, login, from, to } = server;
        let tls = match encryption {
            MailEncryption::None => Tls::None,
            MailEncryption::Tls => Tls::Wrapper(parameters(&host, authorities)?),
            MailEncryption::StartTls => Tls::Required(parameters(&host, authorities)?),
        };
        let mut builder =
            SmtpTransport::builder_dangerous(host).port(port).tls(tls).timeout(Some(ANSWER_TIMEOUT));
        if let Some((user, password)) = login {
            builder = builder.credentials(Credentials::new(user, password.expose().to_owned()));
        }
        Ok(Self { transport: builder.build(), from, to })
    }

    fn mail(&self, frame: &str, epoch: &str) -> Result<Message, String> {
        let update: ReportUpdate = serde_json::from_str(frame).map_err(|error| error.to_string())?;
        let report = &update.data.report;
        let host = self.from.email.domain();
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(text::subject(report))
            .message_id(Some(format!("<daily-report.{}.{epoch}@{host}>", report.day)));
        for to in &self.to {
            message = message.to(to.clone());
        }
        let part = |kind: ContentType, body: String| SinglePart::builder().header(kind).body(body);
        let body = MultiPart::alternative()
            .singlepart(part(ContentType::TEXT_PLAIN, text::plain(report)))
            .singlepart(part(ContentType::TEXT_HTML, text::html(report)));
        message.multipart(body).map_err(|error| error.to_string())
    }
}

impl Receiver for ReportMails {
    const NAME: &'static str = "report-mail";
    const POSITION_KEY: &'static str = MAILED_KEY;
    const NEXT: &'static str = NEXT;
    const TRIES_MAX: u32 = TRIES_MAX;
    type Item = Message;

    fn prepare(&self, database: &Connection, seq: Seq, update: String) -> rusqlite::Result<Option<Message>> {
        match self.mail(&update, &epoch(database)?) {
            Ok(mail) => Ok(Some(mail)),
            Err(reason) => {
                log::error!("the daily report at {seq} cannot be made into a mail: {reason}");
                Ok(None)
            }
        }
    }

    fn send(&self, seq: Seq, mail: &Message) -> Result<(), Refusal> {
        match self.transport.send(mail) {
            Ok(_taken) => {
                log::info!("the daily report at {seq} was mailed");
                Ok(())
            }
            // What the server says may hold an address. Its number tells enough.
            Err(error) => {
                let reason = error.status().map_or_else(
                    || "no answer, or none that holds".to_owned(),
                    |code| format!("status {code}"),
                );
                // A wrong password is put right by somebody, and then the report is still wanted.
                let is_login = error.status().is_some_and(|code| code.to_string() == "535");
                if error.is_permanent() && !is_login {
                    Err(Refusal::ForGood(reason))
                } else {
                    Err(Refusal::ForNow(reason))
                }
            }
        }
    }

    fn note_retry(&self, seq: Seq, reason: &str) {
        log::warn!("the mail server did not take the daily report at {seq} ({reason}); trying again");
    }

    fn note_skipped(&self, seq: Seq, reason: &str) {
        log::error!("the daily report at {seq} is not mailed: {reason}");
    }

    fn pause(tries: u32) -> Duration {
        pause(tries)
    }
}

/// The certificate must be one for this host, and of an authority that the machine trusts.
fn parameters(
    host: &str,
    authorities: Vec<Vec<u8>>,
) -> Result<TlsParameters, lettre::transport::smtp::Error> {
    let mut builder = TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::None);
    for authority in authorities {
        builder = builder.add_root_certificate(Certificate::from_der(authority)?);
    }
    builder.build()
}

fn pause(number: u32) -> Duration {
    PAUSE_MIN.saturating_mul(2_u32.saturating_pow(number)).min(PAUSE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_quarter_of_an_hour_and_no_further() {
        assert_eq!(pause(0), PAUSE_MIN);
        assert_eq!(pause(3), PAUSE_MIN * 8);
        assert_eq!(pause(TRIES_MAX), PAUSE_MAX);
        assert_eq!(pause(u32::MAX), PAUSE_MAX);
    }
}
