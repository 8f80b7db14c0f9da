//! A hub to talk to, a provider that posts to it, and screens that watch it.

pub mod api;
pub mod boards;
pub mod bucket;
pub mod disk;
pub mod environment;
pub mod faults;
pub mod held;
pub mod hub;
pub mod joined;
pub mod keys;
pub mod line;
pub mod load;
pub mod log;
pub mod log_forgets;
pub mod mail_server;
pub mod memory;
pub mod mirror;
pub mod nats;
pub mod paced;
pub mod person;
pub mod provider;
pub mod raw;
pub mod receiver;
pub mod screen;
pub mod sending;
pub mod smtp_server;
pub mod tls;
pub mod town;
pub mod trace;
pub mod wheels;

pub use hub::{Answer, Hub, hub_with, spawn_hub};
pub use provider::{Delivery, fixture, fixtures};
pub use screen::Screen;

/// The longest wait of a test, on the slowest machine; a test that waits for so long has failed. Only failures
/// take this time, so it is far longer than any of the hub's own limits.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_mins(2);

/// Says that it is over, also where an assertion fails: the end of a scope waits for its threads, and theirs wait for this.
pub struct OverAtDrop<'flag>(pub &'flag std::sync::atomic::AtomicBool);

impl Drop for OverAtDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, std::sync::atomic::Ordering::Release);
    }
}
