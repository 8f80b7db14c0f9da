//! The thread for everything that follows the journal: it wakes, catches up step by step, and waits again.
//!
//! # Contract
//!
//! 1. **No wake is lost.** A wake during a step ends the rest after it.
//! 2. **Faults pass.** A step that failed or panicked is tried again after the pause that its projection asks for. Of
//!    several faults in a row only the first is logged as an error.
//! 3. **It ends with its handles.** When the last [`Wake`] is dropped, the thread ends after the present
//!    step.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::sqlite::DbError;
use crate::telemetry::causes::chain;
use crate::telemetry::priority::give_way;

/// Something that follows the journal.
pub trait Projection: Send + 'static {
    /// Name of the thread, also used in the log.
    const NAME: &'static str;
    /// True if deliveries have priority when CPU time is short.
    const GIVES_WAY: bool = true;

    /// Does a bounded amount of work. After an error, or a panic, the next step must be able to continue.
    fn step(&mut self) -> Result<Step, DbError>;

    /// Handles a failed step: drops what may be the cause, and says how long to wait.
    fn fail(&mut self, error: &DbError) -> Step;
}

/// What to do after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Do the next step at once.
    More,
    /// Rest for this long, or until woken.
    Rest(Duration),
    /// Wait for this long, even if woken.
    Pause(Duration),
    /// The hub is stopping: do no more steps.
    End,
}

/// Wakes a follower. The follower ends when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Wake(SyncSender<()>);

/// The follower's end of its [`Wake`]s.
#[derive(Debug)]
pub struct Woken(Receiver<()>);

/// Both ends, for a follower that is started later.
pub fn alarm() -> (Wake, Woken) {
    // One pending wake is enough, because a follower that wakes looks for everything.
    let (wake, woken) = sync_channel(1);
    (Wake(wake), Woken(woken))
}

impl Wake {
    /// Says that there may be something to do.
    pub fn wake(&self) {
        if self.0.try_send(()).is_err() {
            log::trace!("the follower is awake already, or it has ended");
        }
    }
}

impl Woken {
    /// Waits as a step asks: a rest ends early when woken, a pause does not. Returns false if the follower must end.
    fn wait(&self, step: Step) -> bool {
        match step {
            Step::More => self.rest(Duration::ZERO) != Err(RecvTimeoutError::Disconnected),
            Step::Rest(rest) => self.rest(rest) != Err(RecvTimeoutError::Disconnected),
            Step::Pause(pause) => {
                let until = Instant::now() + pause;
                loop {
                    if let Err(end) = self.rest(until.saturating_duration_since(Instant::now())) {
                        return end == RecvTimeoutError::Timeout;
                    }
                }
            }
            Step::End => false,
        }
    }

    /// Rests until woken. An error says that the time is over, or that the last handle was dropped.
    fn rest(&self, at_most: Duration) -> Result<(), RecvTimeoutError> {
        self.0.recv_timeout(at_most)
    }
}

/// Handle to a follower, for those that wait for its position.
#[derive(Debug, Clone)]
pub struct Handle<P> {
    wake: Wake,
    position: watch::Receiver<P>,
}

impl<P: Clone> Handle<P> {
    /// `position` is published by the follower.
    pub fn new(wake: Wake, position: watch::Receiver<P>) -> Self {
        Self { wake, position }
    }

    pub fn wake(&self) {
        self.wake.wake();
    }

    pub fn position(&self) -> watch::Receiver<P> {
        self.position.clone()
    }

    /// Waits at most `patience` for a position that will do, and wakes the follower if the present one
    /// does not. Returns the position at the end.
    pub async fn reach(&self, patience: Duration, will_do: impl Fn(&P) -> bool) -> P {
        if !will_do(&self.position.borrow()) {
            self.wake();
            let mut position = self.position.clone();
            // If the time is over or the follower has ended, the present position is still the
            // answer.
            drop(tokio::time::timeout(patience, position.wait_for(will_do)).await);
        }
        self.position.borrow().clone()
    }
}

pub fn start<P: Projection>(projection: P, woken: Woken) -> io::Result<()> {
    let follow = move || {
        if P::GIVES_WAY {
            give_way(P::NAME);
        }
        follow(projection, |step| woken.wait(step));
    };
    std::thread::Builder::new().name(P::NAME.into()).spawn(follow)?;
    Ok(())
}

/// Runs until `wait` returns false.
fn follow<P: Projection>(mut projection: P, mut wait: impl FnMut(Step) -> bool) {
    let mut is_faulted = false;
    loop {
        // A thread that ended would leave what it keeps behind for ever, and nobody would be told.
        let step = catch_unwind(AssertUnwindSafe(|| projection.step()))
            .unwrap_or_else(|_printed| Err(DbError::Panicked));
        let next = match &step {
            Ok(next) => *next,
            Err(error) => {
                // Logged once, however long a full disk stays full.
                let level = if is_faulted { log::Level::Debug } else { log::Level::Error };
                log::log!(level, "{} does not follow the journal: {}", P::NAME, chain(error));
                projection.fail(error)
            }
        };
        is_faulted = step.is_err();
        if !wait(next) {
            log::debug!("the follower of {} has ended", P::NAME);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_hours(1);

    /// Runs a closure as its steps.
    struct Scripted<F>(F);

    impl<F: FnMut() -> Result<Step, DbError> + Send + 'static> Projection for Scripted<F> {
        const NAME: &'static str = "scripted";

        fn step(&mut self) -> Result<Step, DbError> {
            (self.0)()
        }

        fn fail(&mut self, _error: &DbError) -> Step {
            Step::Pause(LONG)
        }
    }

    fn script(steps: Vec<Result<Step, DbError>>) -> impl Projection {
        let mut steps = steps.into_iter();
        Scripted(move || steps.next().unwrap_or(Ok(Step::End)))
    }

    fn fault() -> Result<Step, DbError> {
        Err(rusqlite::Error::InvalidQuery.into())
    }

    /// The waits that a projection asks for, without waiting.
    fn waits_of(projection: impl Projection) -> Vec<Step> {
        let mut waits = Vec::new();
        follow(projection, |step| {
            waits.push(step);
            step != Step::End
        });
        waits
    }

    #[test]
    fn it_catches_up_before_it_rests() {
        let steps = vec![Ok(Step::More), Ok(Step::More), Ok(Step::Rest(LONG))];
        assert_eq!(waits_of(script(steps)), [Step::More, Step::More, Step::Rest(LONG), Step::End]);
    }

    #[test]
    fn a_fault_is_tried_again_after_its_pause() {
        let steps = vec![fault(), fault(), Ok(Step::More)];
        let pause = Step::Pause(LONG);
        assert_eq!(waits_of(script(steps)), [pause, pause, Step::More, Step::End]);
    }

    #[test]
    fn a_step_that_panics_is_tried_again_like_one_that_failed() {
        let mut steps = 0;
        let mistaken = Scripted(move || {
            steps += 1;
            assert!(steps > 1, "a mistake");
            Ok(Step::End)
        });
        assert_eq!(waits_of(mistaken), [Step::Pause(LONG), Step::End]);
    }

    #[test]
    fn a_wake_during_a_step_ends_the_rest_after_it() {
        let (wake, woken) = alarm();
        let mut steps = 0;
        let projection = Scripted(move || {
            steps += 1;
            // More often than the channel holds: it counts as one wake.
            (0..3).for_each(|_| wake.wake());
            Ok(if steps < 3 { Step::Rest(LONG) } else { Step::End })
        });
        follow(projection, |step| woken.wait(step));
    }

    #[test]
    fn it_ends_when_its_last_handle_is_gone_even_while_there_is_more_to_do() {
        for step in [Step::More, Step::Rest(LONG), Step::Pause(LONG)] {
            let (wake, woken) = alarm();
            let (alive, ended) = sync_channel::<()>(0);
            let (begun, begins) = sync_channel(1);
            let mut is_first = true;
            let projection = Scripted(move || {
                let _alive = &alive;
                if std::mem::take(&mut is_first) {
                    begun.send(()).unwrap();
                }
                Ok(step)
            });
            start(projection, woken).unwrap();
            begins.recv().unwrap();
            let other = wake.clone();
            drop(wake);
            other.wake();
            drop(other);
            assert!(ended.recv().is_err(), "{step:?}");
        }
    }

    #[actix_rt::test]
    async fn who_waits_for_a_position_wakes_it_and_has_it_as_soon_as_it_is_there() {
        let (wake, Woken(woken)) = alarm();
        let (tell, position) = watch::channel(1);
        let handle = Handle::new(wake, position);
        assert_eq!(handle.reach(LONG, |position| *position >= 1).await, 1);
        assert!(woken.try_recv().is_err(), "nobody is woken for what is there");
        let (reached, ()) = tokio::join!(handle.reach(LONG, |position| *position >= 2), async {
            tell.send_replace(2);
        });
        assert_eq!(reached, 2);
        assert!(woken.try_recv().is_ok());
        assert_eq!(
            handle.reach(Duration::ZERO, |position| *position >= 3).await,
            2,
            "it waits no longer than it may"
        );
    }
}
