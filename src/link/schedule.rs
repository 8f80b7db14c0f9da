//! When each job of the link is due. Pure: the present time is a parameter.

use std::time::{Duration, Instant};

/// How often names and pictures of agents are read.
const DIRECTORY_EVERY: Duration = Duration::from_hours(1);
/// The shortest time between two reads of the agents, when an agent without a name has occurred.
const NAMELESS_AFTER: Duration = Duration::from_mins(1);
/// How often the hub checks that webhooks are posted to it.
const WEBHOOK_EVERY: Duration = Duration::from_mins(10);
/// How often the hub checks that while the last check found a problem.
const WEBHOOK_EVERY_WRONG: Duration = Duration::from_mins(1);
/// After what time a failed job is tried again, unless it is due earlier.
const AFTER_FAILURE: Duration = Duration::from_mins(1);
/// How long after the beginning of a comparison that found lost messages the next one begins. What it read was complete until a minute
/// before, so only the next one covers the end of what was lost.
const SWEEP_AGAIN_AFTER: Duration = Duration::from_secs(61);
/// The least rest after such a comparison, however long it took: other jobs have their turn.
const BETWEEN_SWEEPS: Duration = Duration::from_secs(5);
/// How often the jobs are tried while the token is refused.
const NOT_ALLOWED_EVERY: Duration = Duration::from_hours(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Reads names and pictures of agents.
    Directory,
    /// Checks that webhooks are posted to this hub.
    Webhook,
    /// Compares messages and chats.
    Sweep,
}

impl Job {
    /// What the link does then, for an error.
    pub fn as_words(self) -> &'static str {
        match self {
            Self::Directory => "reading names",
            Self::Webhook => "checking the webhooks",
            Self::Sweep => "comparing messages and chats",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobResult {
    /// It was finished and found no problem.
    Fine,
    /// It was finished and found a problem.
    Problem,
    /// It broke off and is tried again later.
    Failed,
    /// The token was refused, or nobody said which organization to ask about.
    NotAllowed,
}

#[derive(Debug)]
pub struct Schedule {
    sweep_every: Duration,
    sweep: Instant,
    webhook: Instant,
    directory: Instant,
    /// When the agents were last read.
    directory_at: Option<Instant>,
    /// The comparison that begins at this moment or later covers all of the time in which webhooks were lost.
    covers_at: Option<Instant>,
}

impl Schedule {
    pub fn new(sweep_every: Duration, now: Instant) -> Self {
        Self { sweep_every, sweep: now, webhook: now, directory: now, directory_at: None, covers_at: None }
    }

    /// The most urgent job that is due: first what was missed, then why it was missed, then names.
    pub fn due(&self, now: Instant) -> Option<Job> {
        self.jobs().into_iter().find(|(_, at)| *at <= now).map(|(job, _)| job)
    }

    /// The time until the next job is due.
    pub fn time_until_due(&self, now: Instant) -> Duration {
        let next = self.jobs().into_iter().map(|(_, at)| at).min();
        next.map_or(Duration::ZERO, |at| at.saturating_duration_since(now))
    }

    fn jobs(&self) -> [(Job, Instant); 3] {
        [(Job::Sweep, self.sweep), (Job::Webhook, self.webhook), (Job::Directory, self.directory)]
    }

    /// Plans the next run of a job that has just ended.
    pub fn note(&mut self, job: Job, result: JobResult, now: Instant) {
        let every = match job {
            Job::Sweep => self.sweep_every,
            Job::Webhook if result == JobResult::Problem => WEBHOOK_EVERY_WRONG,
            Job::Webhook => WEBHOOK_EVERY,
            Job::Directory => DIRECTORY_EVERY,
        };
        if job == Job::Directory {
            self.directory_at = Some(now);
        }
        match result {
            JobResult::Fine | JobResult::Problem => *self.due_time(job) = now + every,
            JobResult::Failed => *self.due_time(job) = now + every.min(AFTER_FAILURE),
            JobResult::NotAllowed => {
                let later = now + NOT_ALLOWED_EVERY;
                (self.sweep, self.webhook, self.directory) = (later, later, later);
            }
        }
    }

    /// Webhooks came again so long `ago`, after messages were lost. What is missing is looked for now, and once more as soon as a
    /// comparison covers all of it.
    pub fn note_resumed(&mut self, ago: Duration, now: Instant) {
        self.sweep = now;
        self.covers_at = Some(now + SWEEP_AGAIN_AFTER.saturating_sub(ago));
    }

    /// A comparison that began at `begun` has ended. `found_lost`: it found lost messages.
    pub fn note_swept(&mut self, begun: Instant, found_lost: bool, now: Instant) {
        self.covers_at = self.covers_at.filter(|covers_at| begun < *covers_at);
        let soon = found_lost.then_some(begun + SWEEP_AGAIN_AFTER);
        for next in soon.into_iter().chain(self.covers_at) {
            self.sweep = self.sweep.min(next.max(now + BETWEEN_SWEEPS));
        }
    }

    /// True while a comparison is still to cover the end of the time in which webhooks were lost.
    pub fn is_to_cover(&self) -> bool {
        self.covers_at.is_some()
    }

    fn due_time(&mut self, job: Job) -> &mut Instant {
        match job {
            Job::Sweep => &mut self.sweep,
            Job::Webhook => &mut self.webhook,
            Job::Directory => &mut self.directory,
        }
    }

    /// Makes the read of the agents due, because an agent without a name has occurred.
    pub fn note_nameless(&mut self, now: Instant) {
        let soonest = self.directory_at.map_or(now, |at| at + NAMELESS_AFTER).max(now);
        self.directory = self.directory.min(soonest);
    }

    /// No webhook came for a while: what happened meanwhile is to be looked at now, and why nothing comes.
    pub fn note_silence(&mut self, now: Instant) {
        (self.sweep, self.webhook) = (now, now);
    }

    /// Makes all jobs due now.
    pub fn make_all_due(&mut self, now: Instant) {
        (self.sweep, self.webhook, self.directory) = (now, now, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A schedule on which all jobs have run at `now` and found no problem.
    fn after_first_run(now: Instant) -> Schedule {
        let mut schedule = Schedule::new(300 * SECOND, now);
        for job in [Job::Sweep, Job::Webhook, Job::Directory] {
            assert_eq!(schedule.due(now), Some(job));
            schedule.note(job, JobResult::Fine, now);
        }
        schedule
    }

    #[test]
    fn after_a_start_every_job_runs_once_and_then_at_its_interval() {
        let now = Instant::now();
        let mut schedule = after_first_run(now);
        assert_eq!((schedule.due(now), schedule.time_until_due(now)), (None, 300 * SECOND));
        assert_eq!(schedule.due(now + 300 * SECOND), Some(Job::Sweep));
        schedule.note(Job::Sweep, JobResult::Failed, now + 300 * SECOND);
        assert_eq!(
            schedule.time_until_due(now + 300 * SECOND),
            60 * SECOND,
            "a failed job is tried again soon"
        );
    }

    #[test]
    fn lost_messages_are_followed_by_another_comparison_soon_and_other_jobs_have_their_turn() {
        let now = Instant::now();
        let mut schedule = after_first_run(now);
        schedule.note_swept(now, true, now + 10 * SECOND);
        assert_eq!(schedule.time_until_due(now), 61 * SECOND, "a minute after it began");
        // One that takes long leaves a rest.
        let ended = now + 700 * SECOND;
        schedule.note(Job::Sweep, JobResult::Problem, ended);
        schedule.note_swept(now + 61 * SECOND, true, ended);
        assert_eq!(schedule.due(ended), Some(Job::Webhook));
        schedule.note(Job::Webhook, JobResult::Fine, ended);
        assert_eq!((schedule.due(ended), schedule.time_until_due(ended)), (None, 5 * SECOND));
    }

    #[test]
    fn once_webhooks_come_again_what_was_lost_is_covered_a_minute_later() {
        let now = Instant::now();
        let mut schedule = after_first_run(now);
        let resumed = now + 100 * SECOND;
        let seen = resumed + 3 * SECOND;
        schedule.note_resumed(3 * SECOND, seen);
        assert_eq!((schedule.due(seen), schedule.is_to_cover()), (Some(Job::Sweep), true));
        schedule.note(Job::Sweep, JobResult::Fine, resumed + 40 * SECOND);
        schedule.note_swept(seen, false, resumed + 40 * SECOND);
        assert_eq!(schedule.time_until_due(resumed), 61 * SECOND, "although it found nothing");
        schedule.note(Job::Sweep, JobResult::Fine, resumed + 80 * SECOND);
        schedule.note_swept(resumed + 61 * SECOND, false, resumed + 80 * SECOND);
        assert_eq!((schedule.time_until_due(resumed), schedule.is_to_cover()), (380 * SECOND, false));
    }

    #[test]
    fn an_agent_without_a_name_is_looked_up_once_a_minute_at_most() {
        let now = Instant::now();
        let mut schedule = after_first_run(now);
        schedule.note_nameless(now + SECOND);
        assert_eq!(schedule.due(now + 59 * SECOND), None);
        assert_eq!(schedule.due(now + 60 * SECOND), Some(Job::Directory));
        schedule.note(Job::Directory, JobResult::Fine, now + 60 * SECOND);
        schedule.note_nameless(now + 200 * SECOND);
        assert_eq!(
            schedule.due(now + 200 * SECOND),
            Some(Job::Directory),
            "at once, if the last read was long ago"
        );
    }

    #[test]
    fn a_refused_token_is_tried_once_an_hour_or_when_somebody_asks() {
        let now = Instant::now();
        let mut schedule = Schedule::new(300 * SECOND, now);
        schedule.note(Job::Sweep, JobResult::NotAllowed, now);
        assert_eq!((schedule.due(now), schedule.time_until_due(now)), (None, 3_600 * SECOND));
        schedule.make_all_due(now);
        assert_eq!(schedule.due(now), Some(Job::Sweep));
    }

    #[test]
    fn a_webhook_with_a_problem_is_checked_every_minute() {
        let now = Instant::now();
        let mut schedule = after_first_run(now);
        schedule.note(Job::Webhook, JobResult::Problem, now);
        assert_eq!(schedule.due(now + 60 * SECOND), Some(Job::Webhook));
    }
}
