//! A stand-in for Umbler's API: for tests, and for `umbler-hub simulate --api`. It has one world, which hears every delivery of
//! the provider, whether a webhook brings it to the hub or not.
//!
//! It does what the real API was seen to do, the traps included: parameters that it does not know are ignored, pages have bounds
//! of their own, histories come in no order. What is not known of the real one is a switch ([`Ways`]).

mod answers;
mod serve;
pub mod ways;
pub mod world;
pub mod feed;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use ways::{ApiFault, OrderWord, Ways};
pub use world::World;

/// The only token that is taken.
pub const TOKEN: &str = "simulated-token-of-the-api";
/// Within which requests are counted.
const WINDOW: Duration = Duration::from_secs(5);

/// The stand-in; it ends when it is dropped.
pub struct FakeApi {
    shared: Arc<Shared>,
    address: SocketAddr,
}

struct Shared {
    state: Mutex<State>,
    ended: AtomicBool,
}

/// What it knows, and how it does things.
#[derive(Default)]
struct State {
    world: World,
    ways: Ways,
    seen: Vec<Seen>,
    recent: HashMap<String, VecDeque<Instant>>,
    faults: HashMap<String, VecDeque<ApiFault>>,
}

#[derive(Debug, Clone)]
pub struct Seen {
    pub at: Instant,
    /// Its route: `chats`, `relative-messages`, `organizations` and so on.
    pub route: String,
    pub query: Vec<(String, String)>,
    /// The status of its answer; 0 where none was sent.
    pub status: u16,
}

impl FakeApi {
    pub fn start(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { state: Mutex::default(), ended: AtomicBool::new(false) });
        let served = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("fake-api".into())
            .spawn(move || serve::serve(&listener, &served))?;
        Ok(Self { shared, address })
    }

    /// Where it is, as `UMBLER_API_URL` has it.
    pub fn url(&self) -> String {
        format!("http://{}/api", self.address)
    }

    /// Changes its world, or looks at it.
    pub fn world<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.shared.lock().world)
    }

    /// Changes how it does things.
    pub fn ways(&self, change: impl FnOnce(&mut Ways)) {
        change(&mut self.shared.lock().ways);
    }

    /// Fails the next requests to a route in this way, so many times.
    pub fn fails(&self, route: &str, fault: &ApiFault, times: usize) {
        let mut state = self.shared.lock();
        let faults = state.faults.entry(route.to_owned()).or_default();
        faults.extend(std::iter::repeat_n(fault.clone(), times));
    }

    /// Every request that came so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.lock().seen.clone()
    }
}

impl Drop for FakeApi {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        // Whoever waits for a connection is woken by one.
        drop(std::net::TcpStream::connect(self.address));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts a request to a route; false where there were too many within five seconds.
    fn has_room(&mut self, route: &str, now: Instant) -> bool {
        let recent = self.recent.entry(route.to_owned()).or_default();
        while recent.front().is_some_and(|at| now.saturating_duration_since(*at) >= WINDOW) {
            recent.pop_front();
        }
        recent.push_back(now);
        recent.len() <= self.ways.per_5_seconds
    }

    fn next_fault(&mut self, route: &str) -> Option<ApiFault> {
        self.faults.get_mut(route).and_then(VecDeque::pop_front)
    }
}
