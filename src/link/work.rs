//! The loop of the link's thread: runs one job after the other when it is due, and publishes the link's status.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::LinkSettings;
use super::archive::Archive;
use super::backfill::{BackfillTurn, Reach};
use super::client::Client;
use super::directory::{self, FindNameless};
use super::fault::LinkError;
use super::organization::AskedOrganization;
use super::schedule::{Job, JobResult, Schedule};
use super::silence::{self, Loss, Quiet};
use super::sweep::turn::SweepTurn;
use super::sweep::{self, Sweep, SweepResult};
use super::{alarm, dictionaries, online, panics, webhook};
use crate::http::link::LinkHandle;
use crate::journal::LinkProgress;
use crate::protocol::link::{
    BackfillShape, DirectoryShape, LinkAlertKind, LinkState, SweepShape, WebhookFinding, WebhookShape,
};
use crate::telemetry::clock;
use crate::umbler::api::answers::names;
use crate::umbler::api::routes::me;
use crate::umbler::api::{Me, RequestBuilder, Route, WebhookItem};

/// How often the hub reads who is online.
const ONLINE_EVERY: Duration = Duration::from_mins(1);
/// How often the thread looks for agents, sectors, lines and tags without a name.
const NAMELESS_EVERY: Duration = Duration::from_secs(5);
/// How soon the thread tries again to read where an earlier run of the hub was.
const TAKE_UP_EVERY: Duration = Duration::from_secs(5);

pub struct Work {
    client: Client,
    archive: Archive,
    handle: LinkHandle,
    organization: AskedOrganization,
    settings: LinkSettings,
    schedule: Schedule,
    /// Agents, sectors, lines and tags that had no name even after the last read of the names. They do not cause another read.
    nameless: BTreeSet<String>,
    /// The newest recheck request that was seen.
    seen_request: u64,
    /// When to look again for agents without a name and for silence.
    look_at: Instant,
    /// When to read again who is online.
    online_at: Instant,
    backfill: BackfillTurn,
    begun_at: Timestamp,
    /// Messages that no webhook brought, until it is shown that webhooks come again.
    loss: Option<Loss>,
    /// The silence that was already looked at, by its beginning.
    seen_silence: Option<Timestamp>,
    /// When webhooks came again after a pause, as far as that was seen.
    seen_resumed: Option<Timestamp>,
    sweep_turn: SweepTurn,
}

impl Work {
    pub fn new(settings: LinkSettings, client: Client, archive: Archive, handle: LinkHandle) -> Self {
        let organization = AskedOrganization::new(&settings);
        let schedule = Schedule::new(settings.sweep_every, Instant::now());
        handle.update(|link| {
            link.state = LinkState::Starting;
            link.requests_per_5_seconds = Some(settings.access.per_5_seconds);
        });
        Self {
            client,
            archive,
            handle,
            organization,
            settings,
            schedule,
            nameless: BTreeSet::new(),
            seen_request: 0,
            look_at: Instant::now(),
            online_at: Instant::now() + ONLINE_EVERY,
            backfill: BackfillTurn::default(),
            begun_at: clock::now(),
            loss: None,
            seen_silence: None,
            seen_resumed: None,
            sweep_turn: SweepTurn::default(),
        }
    }

    /// Works until the hub stops.
    pub fn run(mut self) {
        let (handle, mut is_taken_up) = (self.handle.clone(), false);
        panics::repeat("umbler-link", &handle, || {
            if is_taken_up {
                return self.step();
            }
            self.take_up()?;
            is_taken_up = true;
            Ok(())
        });
    }

    /// Goes on where an earlier run of the hub was, as soon as that can be read. The only error is that the hub stops.
    fn take_up(&mut self) -> Result<(), LinkError> {
        let start = loop {
            match self.archive.ask(sweep::LoadSweepStart) {
                Ok(start) => break start,
                Err(error) => {
                    log::warn!("what the link to Umbler's API had come to cannot be read: {error}");
                    self.handle.pause(TAKE_UP_EVERY)?;
                }
            }
        };
        self.backfill.begin(start.progress.backfill.as_ref(), self.settings.backfill_days);
        self.tell_progress(&start.progress);
        let lost = start.alerts.iter().find(|alert| alert.kind == LinkAlertKind::DeliveriesLost);
        self.loss = lost.map(|alert| Loss { count: alert.count.unwrap_or_default(), found_at: alert.since });
        let backfill = start.progress.backfill.as_ref().map(BackfillShape::from);
        self.handle.update(|link| (link.alerts, link.backfill) = (start.alerts, backfill));
        Ok(())
    }

    /// Runs the job that is due, or waits. The only error is that the hub stops.
    fn step(&mut self) -> Result<(), LinkError> {
        if let Some(job) = self.schedule.due(Instant::now()) {
            let begun = Instant::now();
            let result = match panics::caught(job.as_words(), || self.do_job(job)) {
                Err(LinkError::Stopping) => return Err(LinkError::Stopping),
                Err(error) => self.note_failure(job, &error),
                Ok(result) => result,
            };
            self.note_result(job, result, begun);
            return self.tell_alerts();
        }
        self.handle.finish_rechecks(self.seen_request);
        let wait = self.go_on_with_backfill()?.min(NAMELESS_EVERY);
        let wait = self.schedule.time_until_due(Instant::now()).min(wait);
        let request = self.handle.wait(wait, self.seen_request)?;
        if request > self.seen_request {
            self.seen_request = request;
            self.schedule.make_all_due(Instant::now());
            self.backfill.end_rest();
        }
        if Instant::now() < self.look_at {
            return Ok(());
        }
        self.look_at = Instant::now() + NAMELESS_EVERY;
        self.look_for_silence();
        self.look_for_resumption();
        if Instant::now() >= self.online_at {
            self.read_online()?;
        }
        // After an error, the next look tries again.
        if let Ok(nameless) = self.archive.ask(FindNameless)
            && !nameless.is_subset(&self.nameless)
        {
            self.schedule.note_nameless(Instant::now());
        }
        Ok(())
    }

    /// Makes the jobs due that tell a quiet time from lost webhooks, once for each silence.
    fn look_for_silence(&mut self) {
        let quiet = self.quiet();
        let since = quiet.since;
        if quiet.is_long && self.seen_silence != Some(since) {
            log::info!("no webhook came since {since}: asking Umbler whether there was anything to send");
            self.seen_silence = Some(since);
            self.schedule.note_silence(Instant::now());
        }
    }

    /// Where messages were lost and webhooks come again, completeness is not far.
    fn look_for_resumption(&mut self) {
        let resumed_at = self.archive.resumed_at();
        if resumed_at == self.seen_resumed {
            return;
        }
        self.seen_resumed = resumed_at;
        if let (Some(resumed_at), Some(_)) = (resumed_at, self.loss) {
            let ago = Duration::try_from(clock::now().duration_since(resumed_at)).unwrap_or_default();
            self.schedule.note_resumed(ago, Instant::now());
        }
    }

    fn quiet(&self) -> Quiet {
        let hours = self.archive.hours(&self.settings.default_hours);
        let (last, now) = (self.archive.last_webhook_at(), clock::now());
        Quiet::new(last, self.begun_at, now, self.settings.silence, &hours)
    }

    /// Reads a piece of the earlier history, where somebody wants it. Returns for how long there is nothing more to do for it.
    fn go_on_with_backfill(&mut self) -> Result<Duration, LinkError> {
        if let Some(days) = self.handle.take_backfill() {
            self.backfill.order(days);
        }
        let Some(rest) = self.backfill.rest(Instant::now()) else { return Ok(NAMELESS_EVERY) };
        if !rest.is_zero() {
            return Ok(rest);
        }
        let stepped = match self.requests() {
            Ok(requests) => {
                let Self { client, archive, backfill, .. } = self;
                let mut reach = Reach { client, requests: &requests, archive };
                panics::caught("reading what happened before", || backfill.step(&mut reach))
            }
            // It must be set first which organization to ask about.
            Err(LinkError::Undecided(_)) => return Ok(NAMELESS_EVERY),
            Err(error) => Err(error),
        };
        if let Err(LinkError::Stopping) = stepped {
            return Err(LinkError::Stopping);
        }
        let rest = self.backfill.note(stepped, Instant::now());
        let shape = self.backfill.shape();
        self.handle.update(|link| link.backfill = shape.or(link.backfill.take()));
        Ok(rest)
    }

    fn note_result(&mut self, job: Job, result: JobResult, begun: Instant) {
        let now = Instant::now();
        self.schedule.note(job, result, now);
        if job == Job::Sweep && matches!(result, JobResult::Fine | JobResult::Problem) {
            self.schedule.note_swept(begun, result == JobResult::Problem, now);
            self.look_for_resumption();
        }
    }

    fn do_job(&mut self, job: Job) -> Result<JobResult, LinkError> {
        let requests = self.requests()?;
        match job {
            Job::Sweep => self.sweep(&requests),
            Job::Webhook => self.check_webhook(&requests),
            Job::Directory => self.refresh_directory(&requests),
        }
    }

    fn requests(&mut self) -> Result<RequestBuilder, LinkError> {
        let replacements = self.client.authorization().replacements();
        self.organization.requests(replacements, || Ok(self.client.ask(&me(), Me::read)?.said))
    }

    fn sweep(&mut self, requests: &RequestBuilder) -> Result<JobResult, LinkError> {
        let before = self.sweep_turn.begin(self.schedule.is_to_cover(), Instant::now());
        let (archive, is_losing, seen) = (&self.archive, self.loss.is_some(), self.seen_resumed);
        let is_to_give_way = || is_losing && archive.resumed_at() != seen;
        let sweep = Sweep::new(&mut self.client, requests, archive).after(before);
        let swept = sweep.giving_way(&is_to_give_way).run()?;
        let progress = swept.progress.clone();
        let SweepResult { chats, messages, lost, states, problem, read, is_finished, failure, .. } = swept;
        if messages + states > 0 {
            log::info!("recorded {messages} messages and the states of {states} chats from Umbler's API");
        }
        if let Some(failure) = failure {
            // What it found before it failed is not found again by the next one.
            if lost > 0 {
                self.loss = Loss::after(self.loss, Some(lost), &self.quiet(), clock::now());
            }
            self.sweep_turn.note(read, true);
            return Err(failure);
        }
        self.tell_state(LinkState::Ok, None);
        self.tell_progress(&progress);
        if let Some(problem) = problem {
            log::warn!("a comparison with Umbler had a problem: {problem}");
        }
        let problem = problem.map(str::to_owned);
        if is_finished {
            self.tell_sweep(
                SweepShape { ended_at: clock::now(), chats, messages, states, problem },
                Some(lost),
            );
        }
        let is_losing = Loss::goes_on(self.loss, lost, messages);
        self.sweep_turn.note(read, is_losing || !is_finished);
        Ok(if is_losing { JobResult::Problem } else { JobResult::Fine })
    }

    fn check_webhook(&mut self, requests: &RequestBuilder) -> Result<JobResult, LinkError> {
        let checked_at = clock::now();
        let entries = self.client.ask(&requests.list(Route::Webhooks), |bytes, at| {
            WebhookItem::read(bytes, at, &requests.dialect)
        });
        let shape = match entries {
            Ok(entries) => {
                let channels = self.client.ask(&requests.list(Route::Channels), names)?.said;
                webhook::inspect(&entries.said, &channels, self.settings.webhook_url.as_deref(), checked_at)
            }
            // The token may still be allowed to do everything else.
            Err(LinkError::NotAllowed(403)) => WebhookShape {
                finding: WebhookFinding::NotAllowed,
                ..webhook::inspect(&[], &[], None, checked_at)
            },
            Err(error) => return Err(error),
        };
        let is_fine = matches!(shape.finding, WebhookFinding::Ok | WebhookFinding::UnknownAddress);
        self.handle.update(|link| link.webhook = Some(shape));
        Ok(if is_fine { JobResult::Fine } else { JobResult::Problem })
    }

    fn refresh_directory(&mut self, requests: &RequestBuilder) -> Result<JobResult, LinkError> {
        let members = directory::refresh(&mut self.client, requests, &self.archive)?;
        let names = dictionaries::refresh(&mut self.client, requests, &self.archive)?;
        self.nameless = self.archive.ask(FindNameless)?;
        self.handle.update(|link| {
            link.directory = Some(DirectoryShape { refreshed_at: clock::now(), members, names });
        });
        self.read_online()?;
        Ok(JobResult::Fine)
    }

    /// Reads who is online. Where that cannot be known it is told so, and nothing else depends on it: the token's owner may not be
    /// allowed to see it.
    fn read_online(&mut self) -> Result<(), LinkError> {
        self.online_at = Instant::now() + ONLINE_EVERY;
        let is_ok = self.handle.shape().state == LinkState::Ok;
        let Some(requests) = self.organization.known().filter(|_| is_ok) else {
            self.handle.update(|link| link.online = None);
            return Ok(());
        };
        let asked = online::read(&mut self.client, requests, &self.archive);
        if let Err(error) = &asked {
            if *error == LinkError::Stopping {
                return Err(LinkError::Stopping);
            }
            log::debug!("who is online cannot be read: {error}");
        }
        self.handle.update(|link| link.online = asked.ok());
        Ok(())
    }

    fn note_failure(&mut self, job: Job, error: &LinkError) -> JobResult {
        let reason = error.to_string();
        let state = match error {
            LinkError::NotAllowed(_) => Some(LinkState::NotAllowed),
            LinkError::Refused { .. } | LinkError::Unreachable { .. } => Some(LinkState::Unreachable),
            LinkError::Misled { .. } => Some(LinkState::Misled),
            LinkError::Undecided(_) => Some(LinkState::Undecided),
            LinkError::Hub(_) | LinkError::Panicked(_) | LinkError::Stopping => None,
        };
        if let Some(state) = state {
            self.tell_state(state, Some(reason.clone()));
        }
        if job == Job::Sweep {
            let problem = Some(reason);
            self.tell_sweep(SweepShape { ended_at: clock::now(), problem, ..SweepShape::default() }, None);
        }
        match state {
            Some(LinkState::NotAllowed | LinkState::Undecided) => JobResult::NotAllowed,
            _ => JobResult::Failed,
        }
    }

    /// Records the alerts if they have changed. After a failure, the next step tries again.
    fn tell_alerts(&self) -> Result<(), LinkError> {
        let link = self.handle.shape();
        let alerts = alarm::alerts(&link, &link.alerts, clock::now());
        if alerts == link.alerts {
            return Ok(());
        }
        match self.archive.tell(alerts.clone()) {
            Ok(_ack) => self.handle.update(|link| link.alerts = alerts),
            Err(LinkError::Stopping) => return Err(LinkError::Stopping),
            Err(error) => log::warn!("the alerts of the link to Umbler's API cannot be recorded: {error}"),
        }
        Ok(())
    }

    fn tell_state(&self, state: LinkState, reason: Option<String>) {
        let before = self.handle.shape();
        if before.state == state && before.reason == reason {
            return;
        }
        match &reason {
            Some(reason) => log::warn!("the link to Umbler's API is {}: {reason}", state.as_str()),
            None => log::info!("the link to Umbler's API is {}", state.as_str()),
        }
        self.handle.update(|link| (link.state, link.reason) = (state, reason));
    }

    fn tell_progress(&self, progress: &LinkProgress) {
        self.handle.update(|link| {
            (link.complete_until, link.available_from) = (progress.complete_until, progress.available_from);
        });
    }

    fn tell_sweep(&mut self, sweep: SweepShape, lost: Option<usize>) {
        let quiet = self.quiet();
        self.loss = Loss::after(self.loss, lost, &quiet, clock::now());
        let silence = silence::judge(self.loss, lost.is_some(), &quiet);
        self.handle.update(|link| (link.sweep, link.silence) = (Some(sweep), Some(silence)));
    }
}
