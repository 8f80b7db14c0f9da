//! What becomes of a panic in a thread of the link. A thread that ended would leave its work undone until the next start of the
//! hub, and nobody would be told.
//!
//! # Contract
//!
//! 1. A step that panicked is tried again after [`PAUSE`]. It is logged as an error each time.
//! 2. Where something can be counted as failed instead, as a job of the link or a look for a message, [`caught`] makes an error of
//!    the panic, so that the rest goes on at once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::fault::LinkError;
use crate::http::bell::Stopping;
use crate::http::link::LinkHandle;

/// How long a thread waits after a step that panicked. What one does wrong it does again, and the log must not fill with that.
const PAUSE: Duration = Duration::from_secs(5);

/// Repeats a step until it fails, which says that the hub stops. After a panic, the next step must be able to go on.
pub(super) fn repeat(thread: &str, handle: &LinkHandle, step: impl FnMut() -> Result<(), LinkError>) {
    repeat_with(thread, || handle.pause(PAUSE), step);
}

fn repeat_with(
    thread: &str,
    mut pause: impl FnMut() -> Result<(), Stopping>,
    mut step: impl FnMut() -> Result<(), LinkError>,
) {
    loop {
        match catch_unwind(AssertUnwindSafe(&mut step)) {
            Ok(Ok(())) => {}
            Ok(Err(_stopping)) => break,
            Err(_printed) => {
                log::error!("the thread {thread} panicked in a step, which is tried again");
                if pause().is_err() {
                    break;
                }
            }
        }
    }
    log::debug!("the thread {thread} has ended");
}

/// Does something; a panic is an error. What it worked on must be usable afterwards.
pub(super) fn caught<T>(
    what: &'static str,
    work: impl FnOnce() -> Result<T, LinkError>,
) -> Result<T, LinkError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_printed| {
        let error = LinkError::Panicked(what);
        log::error!("{error}");
        Err(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs steps until they are used up, and counts the pauses.
    fn pauses_of(mut steps: Vec<fn() -> Result<(), LinkError>>, ends_in_pause: bool) -> (usize, usize) {
        let (mut pauses, mut begun) = (0, 0);
        let pause = || {
            pauses += 1;
            if ends_in_pause { Err(Stopping) } else { Ok(()) }
        };
        repeat_with("scripted", pause, || {
            begun += 1;
            if steps.is_empty() { Err(LinkError::Stopping) } else { steps.remove(0)() }
        });
        (begun, pauses)
    }

    fn mistaken() -> Result<(), LinkError> {
        panic!("a mistake")
    }

    #[test]
    fn a_thread_goes_on_after_a_step_that_panicked_and_a_pause() {
        assert_eq!(pauses_of(vec![|| Ok(()), mistaken, mistaken, || Ok(())], false), (5, 2));
    }

    #[test]
    fn a_thread_ends_with_the_hub_also_in_the_pause_after_a_panic() {
        assert_eq!(pauses_of(vec![|| Err(LinkError::Stopping), || Ok(())], false), (1, 0));
        assert_eq!(pauses_of(vec![mistaken, || Ok(())], true), (1, 1));
    }

    #[test]
    fn what_panics_counts_as_failed() {
        assert_eq!(caught("counting", || Ok(1)), Ok(1));
        assert_eq!(caught::<()>("counting", || Err(LinkError::Stopping)), Err(LinkError::Stopping));
        assert_eq!(caught("counting", mistaken), Err(LinkError::Panicked("counting")));
    }
}
