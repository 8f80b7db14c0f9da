//! When each job is due. Pure: time comes in.

use std::time::{Duration, Instant};

/// How often the agents are asked for.
const DIRECTORY_EVERY: Duration = Duration::from_hours(1);
/// How soon they are asked for again where somebody has no name.
const NAMELESS_AFTER: Duration = Duration::from_mins(1);
/// How often it is looked whether webhooks are posted here.
const WEBHOOK_EVERY: Duration = Duration::from_mins(10);
/// The same while something is wrong with them.
const WEBHOOK_EVERY_WRONG: Duration = Duration::from_mins(1);
/// How soon a job that failed is tried again, if it is not due earlier.
const AFTER_FAILURE: Duration = Duration::from_mins(1);
/// How often anything is tried while the token is refused.
const NOT_ALLOWED_EVERY: Duration = Duration::from_hours(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    Directory,
    /// Whether webhooks are posted here.
    Webhook,
    Sweep,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Went {
    /// It came to its end and found nothing wrong.
    Well,
    /// It came to its end and found something wrong.
    Wrong,
    Failed,
    NotAllowed,
}

/// When each job is due.
#[derive(Debug)]
pub struct Schedule {
    sweep_every: Duration,
    sweep: Instant,
    webhook: Instant,
    directory: Instant,
    /// When the agents were asked for last.
    named: Option<Instant>,
}

impl Schedule {
    pub fn new(sweep_every: Duration, now: Instant) -> Self {
        Self { sweep_every, sweep: now, webhook: now, directory: now, named: None }
    }

    /// A job that is due, the most urgent first: what was missed, then why, then names.
    pub fn due(&self, now: Instant) -> Option<Job> {
        self.jobs().into_iter().find(|(_, at)| *at <= now).map(|(job, _)| job)
    }

    /// How long nothing is due.
    pub fn rest(&self, now: Instant) -> Duration {
        let next = self.jobs().into_iter().map(|(_, at)| at).min();
        next.map_or(Duration::ZERO, |at| at.saturating_duration_since(now))
    }

    fn jobs(&self) -> [(Job, Instant); 3] {
        [(Job::Sweep, self.sweep), (Job::Webhook, self.webhook), (Job::Directory, self.directory)]
    }

    pub fn note(&mut self, job: Job, went: Went, now: Instant) {
        let every = match job {
            Job::Sweep => self.sweep_every,
            Job::Webhook if went == Went::Wrong => WEBHOOK_EVERY_WRONG,
            Job::Webhook => WEBHOOK_EVERY,
            Job::Directory => DIRECTORY_EVERY,
        };
        if job == Job::Directory {
            self.named = Some(now);
        }
        match went {
            Went::Well | Went::Wrong => *self.place(job) = now + every,
            Went::Failed => *self.place(job) = now + every.min(AFTER_FAILURE),
            Went::NotAllowed => {
                let later = now + NOT_ALLOWED_EVERY;
                (self.sweep, self.webhook, self.directory) = (later, later, later);
            }
        }
    }

    fn place(&mut self, job: Job) -> &mut Instant {
        match job {
            Job::Sweep => &mut self.sweep,
            Job::Webhook => &mut self.webhook,
            Job::Directory => &mut self.directory,
        }
    }

    /// Somebody occurs who has no name.
    pub fn note_nameless(&mut self, now: Instant) {
        let soonest = self.named.map_or(now, |named| named + NAMELESS_AFTER).max(now);
        self.directory = self.directory.min(soonest);
    }

    /// Everything is to be looked at now.
    pub fn hurry(&mut self, now: Instant) {
        (self.sweep, self.webhook, self.directory) = (now, now, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A schedule on which everything went well at its beginning.
    fn begun(now: Instant) -> Schedule {
        let mut schedule = Schedule::new(300 * SECOND, now);
        for job in [Job::Sweep, Job::Webhook, Job::Directory] {
            assert_eq!(schedule.due(now), Some(job));
            schedule.note(job, Went::Well, now);
        }
        schedule
    }

    #[test]
    fn after_a_start_everything_is_done_once_and_then_in_its_turn() {
        let now = Instant::now();
        let mut schedule = begun(now);
        assert_eq!((schedule.due(now), schedule.rest(now)), (None, 300 * SECOND));
        assert_eq!(schedule.due(now + 300 * SECOND), Some(Job::Sweep));
        schedule.note(Job::Sweep, Went::Failed, now + 300 * SECOND);
        assert_eq!(schedule.rest(now + 300 * SECOND), 60 * SECOND, "what failed is tried again soon");
    }

    #[test]
    fn somebody_without_a_name_is_asked_for_once_a_minute_at_most() {
        let now = Instant::now();
        let mut schedule = begun(now);
        schedule.note_nameless(now + SECOND);
        assert_eq!(schedule.due(now + 59 * SECOND), None);
        assert_eq!(schedule.due(now + 60 * SECOND), Some(Job::Directory));
        schedule.note(Job::Directory, Went::Well, now + 60 * SECOND);
        schedule.note_nameless(now + 200 * SECOND);
        assert_eq!(schedule.due(now + 200 * SECOND), Some(Job::Directory), "at once, if that was long ago");
    }

    #[test]
    fn a_refused_token_is_tried_once_an_hour_or_when_somebody_asks() {
        let now = Instant::now();
        let mut schedule = Schedule::new(300 * SECOND, now);
        schedule.note(Job::Sweep, Went::NotAllowed, now);
        assert_eq!((schedule.due(now), schedule.rest(now)), (None, 3_600 * SECOND));
        schedule.hurry(now);
        assert_eq!(schedule.due(now), Some(Job::Sweep));
    }

    #[test]
    fn a_webhook_with_something_wrong_is_looked_at_every_minute() {
        let now = Instant::now();
        let mut schedule = begun(now);
        schedule.note(Job::Webhook, Went::Wrong, now);
        assert_eq!(schedule.due(now + 60 * SECOND), Some(Job::Webhook));
    }
}
