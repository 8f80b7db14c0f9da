//! The thread's work: one job after the other, each in its turn, and how the link is for whoever asks.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use actix::Addr;

use super::LinkSettings;
use super::archive::Archive;
use super::client::{Client, LinkError};
use super::directory::{self, Nameless};
use super::schedule::{Job, Schedule, Went};
use super::sweep::{self, Sweep, Swept};
use super::{alarm, silence, webhook};
use crate::http::link::LinkDesk;
use crate::hub::UmblerHub;
use crate::protocol::link::{DirectoryShape, LinkState, SweepShape, WebhookFinding, WebhookShape};
use crate::reads::Readers;
use crate::telemetry::clock;
use crate::telemetry::metrics::Metrics;
use crate::umbler::api::answers::names;
use crate::umbler::api::routes::me;
use crate::umbler::api::{Asking, Me, Route, WebhookItem};

/// How often it is looked whether somebody occurs who has no name.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The work, with all that it needs.
pub struct Work {
    client: Client,
    archive: Archive,
    desk: LinkDesk,
    /// Makes questions about the organization, once it is known which.
    asking: Option<Asking>,
    settings: LinkSettings,
    schedule: Schedule,
    /// Who had no name although the agents were asked for.
    nameless: BTreeSet<String>,
    /// The newest ring of the bell that was heard.
    heard: u64,
}

impl Work {
    pub fn new(
        settings: LinkSettings,
        hub: Addr<UmblerHub>,
        readers: Readers,
        desk: LinkDesk,
        metrics: Metrics,
    ) -> Self {
        let client = Client::new(settings.access.clone(), desk.clone(), metrics.clone());
        let asking = settings
            .organization
            .clone()
            .map(|organization| Asking { dialect: settings.dialect.clone(), organization });
        let schedule = Schedule::new(settings.sweep_every, Instant::now());
        let archive = Archive::new(hub, readers, metrics);
        desk.tell(|link| {
            link.state = LinkState::Starting;
            link.requests_per_5_seconds = Some(settings.access.per_5_seconds);
        });
        Self { client, archive, desk, asking, settings, schedule, nameless: BTreeSet::new(), heard: 0 }
    }

    /// Works until the hub ends.
    pub fn run(mut self) {
        if let Ok(begun) = self.archive.ask(sweep::Beginning) {
            self.tell_progress(begun.progress);
            self.desk.tell(|link| link.alerts = begun.alerts);
        }
        while self.step().is_ok() {}
        log::debug!("the link to Umbler has ended");
    }

    /// Does what is due, or waits. The only error is the hub's end.
    fn step(&mut self) -> Result<(), LinkError> {
        if let Some(job) = self.schedule.due(Instant::now()) {
            let went = match self.do_job(job) {
                Err(LinkError::Stopping) => return Err(LinkError::Stopping),
                Err(error) => self.note_failure(job, &error),
                Ok(went) => went,
            };
            self.schedule.note(job, went, Instant::now());
            return self.tell_alerts();
        }
        self.desk.answer(self.heard);
        let rest = self.schedule.rest(Instant::now()).min(LOOK_EVERY);
        let ring = self.desk.wait(rest, self.heard)?;
        if ring > self.heard {
            self.heard = ring;
            self.schedule.hurry(Instant::now());
        }
        // Who cannot be looked for now is looked for the next time.
        if let Ok(nameless) = self.archive.ask(Nameless)
            && !nameless.is_subset(&self.nameless)
        {
            self.schedule.note_nameless(Instant::now());
        }
        Ok(())
    }

    fn do_job(&mut self, job: Job) -> Result<Went, LinkError> {
        let Some(asking) = self.asking()? else { return Ok(Went::NotAllowed) };
        match job {
            Job::Sweep => self.sweep(&asking),
            Job::Webhook => self.look_at_webhook(&asking),
            Job::Directory => self.refresh_directory(&asking),
        }
    }

    /// About which organization is asked; `None` where that is not to be told.
    fn asking(&mut self) -> Result<Option<Asking>, LinkError> {
        if self.asking.is_none() {
            let owner = self.client.ask(&me(), Me::read)?.said;
            if let [(organization, _)] = &owner.organizations[..] {
                let organization = organization.clone();
                self.asking = Some(Asking { dialect: self.settings.dialect.clone(), organization });
            } else {
                let count = owner.organizations.len();
                let reason =
                    format!("the token's owner is in {count} organizations: set UMBLER_ORGANIZATION_ID");
                self.tell_state(LinkState::Undecided, Some(reason));
            }
        }
        Ok(self.asking.clone())
    }

    fn sweep(&mut self, asking: &Asking) -> Result<Went, LinkError> {
        let swept = Sweep::new(&mut self.client, asking, &self.archive).run()?;
        self.tell_state(LinkState::Ok, None);
        self.tell_progress(swept.progress);
        let Swept { chats, messages, lost, states, problem, .. } = swept;
        if messages + states > 0 {
            log::info!("{messages} messages and the states of {states} chats came from Umbler's API");
        }
        if let Some(problem) = problem {
            log::warn!("comparing with Umbler: {problem}");
        }
        let problem = problem.map(str::to_owned);
        self.tell_sweep(SweepShape { ended_at: clock::now(), chats, messages, states, problem }, Some(lost));
        Ok(if lost > 0 { Went::Wrong } else { Went::Well })
    }

    fn look_at_webhook(&mut self, asking: &Asking) -> Result<Went, LinkError> {
        let checked_at = clock::now();
        let entries = self
            .client
            .ask(&asking.list(Route::Webhooks), |bytes, at| WebhookItem::read(bytes, at, &asking.dialect));
        let shape = match entries {
            Ok(entries) => {
                let channels = self.client.ask(&asking.list(Route::Channels), names)?.said;
                webhook::look(&entries.said, &channels, self.settings.webhook_url.as_deref(), checked_at)
            }
            // The token may be good for everything else.
            Err(LinkError::NotAllowed(403)) => WebhookShape {
                finding: WebhookFinding::NotAllowed,
                ..webhook::look(&[], &[], None, checked_at)
            },
            Err(error) => return Err(error),
        };
        let is_fine = matches!(shape.finding, WebhookFinding::Ok | WebhookFinding::UnknownAddress);
        self.desk.tell(|link| link.webhook = Some(shape));
        Ok(if is_fine { Went::Well } else { Went::Wrong })
    }

    fn refresh_directory(&mut self, asking: &Asking) -> Result<Went, LinkError> {
        let members = directory::refresh(&mut self.client, asking, &self.archive)?;
        self.nameless = self.archive.ask(Nameless)?;
        self.desk.tell(|link| link.directory = Some(DirectoryShape { refreshed_at: clock::now(), members }));
        Ok(Went::Well)
    }

    fn note_failure(&mut self, job: Job, error: &LinkError) -> Went {
        let reason = error.to_string();
        let state = match error {
            LinkError::NotAllowed(_) => Some(LinkState::NotAllowed),
            LinkError::Refused { .. } | LinkError::Unreachable { .. } => Some(LinkState::Unreachable),
            LinkError::Misled { .. } => Some(LinkState::Misled),
            LinkError::Hub(_) | LinkError::Stopping => None,
        };
        if let Some(state) = state {
            self.tell_state(state, Some(reason.clone()));
        }
        if job == Job::Sweep {
            let problem = Some(reason);
            self.tell_sweep(SweepShape { ended_at: clock::now(), problem, ..SweepShape::default() }, None);
        }
        if state == Some(LinkState::NotAllowed) { Went::NotAllowed } else { Went::Failed }
    }

    /// Tells everybody what is wrong, where that is something else than before. What cannot be told now is told the next time.
    fn tell_alerts(&self) -> Result<(), LinkError> {
        let link = self.desk.shape();
        let alerts = alarm::alerts(&link, &link.alerts, clock::now());
        if alerts == link.alerts {
            return Ok(());
        }
        match self.archive.tell(alerts.clone()) {
            Ok(_ack) => self.desk.tell(|link| link.alerts = alerts),
            Err(LinkError::Stopping) => return Err(LinkError::Stopping),
            Err(error) => log::warn!("what is wrong with the link cannot be told: {error}"),
        }
        Ok(())
    }

    fn tell_state(&self, state: LinkState, reason: Option<String>) {
        let before = self.desk.shape();
        if before.state == state && before.reason == reason {
            return;
        }
        match &reason {
            Some(reason) => log::warn!("the link to Umbler is {}: {reason}", state.as_str()),
            None => log::info!("the link to Umbler is {}", state.as_str()),
        }
        self.desk.tell(|link| (link.state, link.reason) = (state, reason));
    }

    fn tell_progress(&self, progress: crate::journal::LinkProgress) {
        self.desk.tell(|link| {
            (link.complete_until, link.available_from) = (progress.complete_until, progress.available_from);
        });
    }

    fn tell_sweep(&self, sweep: SweepShape, lost: Option<usize>) {
        let silence = silence::judge(lost, self.archive.last_webhook_at(), clock::now());
        self.desk.tell(|link| (link.sweep, link.silence) = (Some(sweep), Some(silence)));
    }
}
