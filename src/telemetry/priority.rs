//! The priority of threads whose work may wait: what is derived from deliveries gives way to taking them in.

/// What such a thread gives way with: where cores are short it gets a tenth of what a delivery gets. Whoever asks waits for
/// it, so it must not stand still either.
const NICENESS: i32 = 10;

/// Lowers the calling thread's priority; on Linux it is the thread's own. `what` names the thread in the log.
pub fn give_way(what: &str) {
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        log::debug!("{what} keeps its priority: {error}");
    }
}
