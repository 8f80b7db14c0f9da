//! The priority of threads whose work may wait: computing what is derived from deliveries must not delay
//! accepting them.

/// The niceness of such threads. Where cores are short they get a tenth of what accepting deliveries gets;
/// users wait for their answers too, so they must not stop altogether.
const NICENESS: i32 = 10;

/// Lowers the calling thread's priority. On Linux this affects the thread alone. `what` names the thread in the
/// log.
pub fn give_way(what: &str) {
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        log::debug!("{what} keeps its priority: {error}");
    }
}
