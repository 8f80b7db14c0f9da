//! Reports yesterday at the time that an admin set: once, also after a restart, because the journal takes no second report of
//! a day.

use std::path::PathBuf;
use std::time::Duration;

use actix::Addr;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::{StartError, stored_by, tls};
use crate::cluster::duties::Duties;
use crate::derived::follower::{self, Wake, alarm};
use crate::derived::forwarder::Forwarder;
use crate::derived::report_mail::{MailEncryption, MailServer, ReportMails};
use crate::domain::daily_report::DailyReport;
use crate::hub::{Ingest, UmblerHub};
use crate::journal::{Origin, Payload, Record, daily_report};
use crate::reads::{AnalyticsReads, Asker, Follows, GetSettings, Readers, Reads};
use crate::telemetry::causes::chain;
use crate::telemetry::clock;

/// How often it is looked whether a report is due.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// Everything that a report needs.
struct Reporter {
    hub: Addr<UmblerHub>,
    history: Readers,
    analytics: AnalyticsReads,
    newest: tokio::sync::watch::Receiver<crate::domain::Seq>,
    zone: TimeZone,
    /// Ends the thread of the mails with this; `None` where nothing is mailed.
    mails: Option<Wake>,
    /// The last day that was reported, as far as this process knows.
    reported: Option<Date>,
    duties: Duties,
}

/// Reports each day from now on, and mails the reports where there is a mail server.
pub(super) fn start(
    server: Option<MailServer>,
    zone: TimeZone,
    hub: &Addr<UmblerHub>,
    reads: &Reads,
    database: PathBuf,
    duties: &Duties,
) -> Result<(), StartError> {
    let mails =
        server.map(|server| start_mails(server, hub.clone(), database, duties.clone())).transpose()?;
    let mut reporter = Reporter {
        hub: hub.clone(),
        history: reads.history.clone(),
        analytics: reads.analytics.clone(),
        newest: reads.newest.clone(),
        zone,
        mails,
        reported: None,
        duties: duties.clone(),
    };
    actix_rt::spawn(async move {
        let mut interval = actix_rt::time::interval(LOOK_INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            reporter.look(clock::now()).await;
        }
    });
    Ok(())
}

fn start_mails(
    server: MailServer,
    hub: Addr<UmblerHub>,
    database: PathBuf,
    duties: Duties,
) -> Result<Wake, StartError> {
    let authorities = match server.encryption {
        MailEncryption::None => Vec::new(),
        MailEncryption::Tls | MailEncryption::StartTls => {
            tls::authorities_in_der().map_err(StartError::Mail)?
        }
    };
    let mails = ReportMails::new(server, authorities).map_err(|error| StartError::Mail(chain(&error)))?;
    let mails = Forwarder::new(mails, database, stored_by(hub, Payload::ReportsMailed), duties);
    let (wake, woken) = alarm();
    follower::start(mails, woken)?;
    Ok(wake)
}

impl Reporter {
    /// Reports yesterday if that is due. What fails is tried again at the next look.
    async fn look(&mut self, now: Timestamp) {
        let now = now.to_zoned(self.zone.clone());
        let Ok(yesterday) = now.date().yesterday() else { return };
        if self.reported == Some(yesterday) || !self.duties.are_mine() {
            return;
        }
        let settings = match self.history.ask(Asker::Hub, GetSettings).await {
            Ok(saved) => saved.and_then(|saved| saved.settings.daily_report),
            Err(error) => return log::debug!("the settings cannot be read: {}", chain(&error)),
        };
        let Some(settings) = settings.filter(|settings| is_due(settings, &now)) else { return };
        match self.report(yesterday, settings).await {
            Ok(()) => self.reported = Some(yesterday),
            Err(reason) => log::warn!("the report of {yesterday} is not ready: {reason}; trying again"),
        }
    }

    async fn report(&self, day: Date, settings: DailyReport) -> Result<(), String> {
        let newest = *self.newest.borrow();
        let followed = self.analytics.reach(newest).await;
        if followed.as_of < newest || followed.rebuilding.is_some() {
            return Err("the metrics are still being counted".to_owned());
        }
        let report = crate::reads::daily_report::report(&self.analytics, day, &self.zone, settings.language)
            .await
            .map_err(|error| chain(&error))?;
        let payload = Payload::DailyReport(Box::new(report));
        let record = Record::new(payload, Some(daily_report::id_of(day)), Origin::Hub, clock::now())
            .map_err(|error| error.to_string())?;
        let taken = self.hub.send(Ingest { record }).await.map_err(|error| error.to_string())?;
        taken.map_err(|error| error.to_string())?;
        if let Some(mails) = &self.mails {
            mails.wake();
        }
        Ok(())
    }
}

/// True from the time of day on that was set. If the hub was down then, the report comes when it is back on that day.
fn is_due(settings: &DailyReport, now: &Zoned) -> bool {
    Time::new(settings.at.hour, settings.at.minute, 0, 0).is_ok_and(|at| now.time() >= at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::daily_report::{DayMinute, ReportLanguage};

    #[test]
    fn a_report_is_due_from_its_minute_to_the_end_of_the_day() {
        let settings =
            DailyReport { at: DayMinute { hour: 7, minute: 30 }, language: ReportLanguage::English };
        let due =
            |time: &str| is_due(&settings, &format!("2026-03-03T{time}[America/Sao_Paulo]").parse().unwrap());
        assert_eq!(["00:00", "07:29:59", "07:30", "23:59:59"].map(due), [false, false, true, true]);
    }
}
