//! Mails the daily reports in the journal: in order, each once, and repeated until the mail server takes it.
//!
//! # Contract
//!
//! 1. It reads what is durable, and only the mail server can delay it. The hub never waits for it.
//! 2. The position is stored after each mail, so a restart continues from there. A mail that the server took just before
//!    a kill is sent again, with the same `Message-ID`, by which mail programs show it once.
//! 3. **Bounded.** After [`TRIES_MAX`] tries with pauses of up to [`PAUSE_MAX`] a report is skipped, and the log says so.
//!    What the server refuses for good is not tried again.

pub mod text;
pub mod words;

use std::path::PathBuf;
use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport};
use rusqlite::{Connection, OptionalExtension};

use super::alert_posts::{StoreOutcome, StorePosition};
use super::follower::{Projection, Step};
use crate::auth::Secret;
use crate::domain::Seq;
use crate::journal::daily_report::MAILED_KEY;
use crate::journal::head::{epoch, last_seq};
use crate::journal::meta;
use crate::protocol::daily_report::DailyReportShape;
use crate::sqlite::DbError;
use crate::sqlite::open::read_only;

/// How often one mail is tried: over a night with pauses of [`PAUSE_MAX`].
const TRIES_MAX: u32 = 48;
/// Longest pause between two tries. The first pause is [`PAUSE_MIN`], and it doubles each time.
const PAUSE_MAX: Duration = Duration::from_mins(15);
/// Pause before the second try.
const PAUSE_MIN: Duration = Duration::from_secs(2);
/// How long the mail server may take for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// How often the journal is read without a wake.
const LOOK_INTERVAL: Duration = Duration::from_secs(30);
/// How long to wait after the database or the journal did not answer.
const FAULT_PAUSE: Duration = Duration::from_secs(1);
/// Page cache in KiB. One row is read a day.
const CACHE_KIB: i64 = 256;

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
    database: PathBuf,
    connection: Option<Connection>,
    transport: SmtpTransport,
    from: Mailbox,
    to: Vec<Mailbox>,
    store: StorePosition,
    next_action: NextAction,
}

/// What the next step of the thread does.
enum NextAction {
    /// Read the position that was stored last.
    Beginning,
    /// Look for the next report after this position.
    Looking(Seq),
    /// Mail this report, which has failed `tries` times.
    Mailing {
        seq: Seq,
        mail: Box<Message>,
        tries: u32,
    },
    Storing(Seq),
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

/// Why a report was not mailed.
#[derive(Debug)]
enum Refusal {
    /// It may be taken later.
    ForNow(String),
    ForGood(String),
}

impl ReportMails {
    /// `authorities` are the certificates to trust, in DER. `store` is called on the follower's thread, and may block.
    pub fn new(
        server: MailServer,
        authorities: Vec<Vec<u8>>,
        database: PathBuf,
        store: StorePosition,
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
        let transport = builder.build();
        Ok(Self {
            database,
            connection: None,
            transport,
            from,
            to,
            store,
            next_action: NextAction::Beginning,
        })
    }

    fn connection(&mut self) -> rusqlite::Result<&Connection> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => read_only(&self.database, CACHE_KIB)?,
        };
        Ok(self.connection.insert(connection))
    }

    /// Continues from the stored position. At the very first start this is the newest one: earlier reports are not mailed.
    fn begin(&mut self) -> rusqlite::Result<NextAction> {
        let connection = self.connection()?;
        match meta::get(connection, MAILED_KEY)?.and_then(|text| text.parse().ok()) {
            Some(seq) => Ok(NextAction::Looking(Seq(seq))),
            None => Ok(NextAction::Storing(last_seq(connection)?)),
        }
    }

    /// The next report to mail, or the position up to which there is none.
    fn next(&mut self, after: Seq) -> rusqlite::Result<NextAction> {
        let connection = self.connection()?;
        // Read first. What is committed between the two queries is found the next time.
        let newest = last_seq(connection)?;
        let epoch = epoch(connection)?;
        let mut select = connection.prepare_cached(NEXT)?;
        let found: Option<(i64, String)> =
            select.query_row([after.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        drop(select);
        let Some((seq, frame)) = found else { return Ok(NextAction::Looking(newest)) };
        let seq = Seq(seq);
        Ok(match self.mail(&frame, &epoch) {
            Ok(mail) => NextAction::Mailing { seq, mail: Box::new(mail), tries: 0 },
            Err(reason) => {
                log::error!("the daily report at {seq} cannot be made into a mail: {reason}");
                NextAction::Storing(seq)
            }
        })
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

    /// Tries to mail a report. After the last try, or if it is refused for good, it is skipped.
    fn send(&mut self, seq: Seq, mail: Box<Message>, tries: u32) -> Step {
        let reason = match self.try_once(&mail) {
            Ok(()) => {
                log::info!("the daily report at {seq} was mailed");
                self.next_action = NextAction::Storing(seq);
                return Step::More;
            }
            Err(Refusal::ForNow(reason)) if tries + 1 < TRIES_MAX => reason,
            Err(Refusal::ForNow(reason) | Refusal::ForGood(reason)) => {
                log::error!("the daily report at {seq} is not mailed: {reason}");
                self.next_action = NextAction::Storing(seq);
                return Step::More;
            }
        };
        if tries == 0 {
            log::warn!("the mail server did not take the daily report at {seq} ({reason}); trying again");
        }
        self.next_action = NextAction::Mailing { seq, mail, tries: tries + 1 };
        Step::Pause(pause(tries))
    }

    fn try_once(&self, mail: &Message) -> Result<(), Refusal> {
        match self.transport.send(mail) {
            Ok(_taken) => Ok(()),
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

    fn store(&mut self, seq: Seq) -> Step {
        match (self.store)(seq) {
            StoreOutcome::Durable => {
                self.next_action = NextAction::Looking(seq);
                Step::More
            }
            StoreOutcome::NotNow => Step::Pause(FAULT_PAUSE),
            StoreOutcome::Ending => Step::End,
        }
    }
}

impl Projection for ReportMails {
    const NAME: &'static str = "report-mail";

    fn step(&mut self) -> Result<Step, DbError> {
        match std::mem::replace(&mut self.next_action, NextAction::Beginning) {
            NextAction::Beginning => self.next_action = self.begin()?,
            NextAction::Looking(after) => {
                self.next_action = NextAction::Looking(after);
                self.next_action = self.next(after)?;
                if matches!(self.next_action, NextAction::Looking(_)) {
                    return Ok(Step::Rest(LOOK_INTERVAL));
                }
            }
            NextAction::Mailing { seq, mail, tries } => return Ok(self.send(seq, mail, tries)),
            NextAction::Storing(seq) => {
                self.next_action = NextAction::Storing(seq);
                return Ok(self.store(seq));
            }
        }
        Ok(Step::More)
    }

    fn fail(&mut self, _told: &DbError) -> Step {
        self.connection = None;
        Step::Pause(FAULT_PAUSE)
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
