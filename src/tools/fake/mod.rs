//! A fake of Umbler's API, for tests and for `umbler-hub simulate --api`. It knows every delivery of the simulated provider, whether
//! or not a webhook brings it to the hub.
//!
//! It behaves as the real API was seen to behave, traps included: it ignores parameters that it does not know, limits the size of
//! pages, and sends messages in any order. Where the real behavior is not known, a switch in [`FakeBehavior`] selects it.

mod answers;
mod serve;
pub mod behavior;
pub mod world;
pub mod feed;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use behavior::{ApiFault, FakeBehavior, OrderWord};
pub use world::World;

/// The only token that is accepted.
pub const TOKEN: &str = "simulated-token-of-the-api";
/// The time over which requests are counted.
const WINDOW: Duration = Duration::from_secs(5);

/// A running fake API. It stops when it is dropped.
pub struct FakeApi {
    shared: Arc<Shared>,
    address: SocketAddr,
}

struct Shared {
    state: Mutex<State>,
    ended: AtomicBool,
}

#[derive(Default)]
struct State {
    world: World,
    behavior: FakeBehavior,
    requests: Vec<FakeRequest>,
    /// When the requests of the last [`WINDOW`] came, by route.
    recent: HashMap<String, VecDeque<Instant>>,
    /// The faults of the next answers, by route.
    faults: HashMap<String, VecDeque<ApiFault>>,
}

/// A request that came, and how it was answered.
#[derive(Debug, Clone)]
pub struct FakeRequest {
    pub at: Instant,
    /// The route: `chats`, `relative-messages`, `organizations` and so on.
    pub route: String,
    pub query: Vec<(String, String)>,
    /// The status of the answer. 0: none was sent.
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

    /// Its address, for `UMBLER_API_URL`.
    pub fn url(&self) -> String {
        format!("http://{}/api", self.address)
    }

    /// Changes or reads what the simulated provider knows.
    pub fn world<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.shared.lock().world)
    }

    /// Changes how the fake behaves.
    pub fn behave(&self, change: impl FnOnce(&mut FakeBehavior)) {
        change(&mut self.shared.lock().behavior);
    }

    /// Makes the next `times` answers of a route fail in this way.
    pub fn fail(&self, route: &str, fault: &ApiFault, times: usize) {
        let mut state = self.shared.lock();
        let faults = state.faults.entry(route.to_owned()).or_default();
        faults.extend(std::iter::repeat_n(fault.clone(), times));
    }

    /// All requests that came so far.
    pub fn requests(&self) -> Vec<FakeRequest> {
        self.shared.lock().requests.clone()
    }
}

impl Drop for FakeApi {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        // The thread waits for a connection, so this one wakes it.
        drop(std::net::TcpStream::connect(self.address));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts a request to a route. False: there were too many within five seconds.
    fn has_room(&mut self, route: &str, now: Instant) -> bool {
        let recent = self.recent.entry(route.to_owned()).or_default();
        while recent.front().is_some_and(|at| now.saturating_duration_since(*at) >= WINDOW) {
            recent.pop_front();
        }
        recent.push_back(now);
        recent.len() <= self.behavior.per_5_seconds
    }

    fn next_fault(&mut self, route: &str) -> Option<ApiFault> {
        self.faults.get_mut(route).and_then(VecDeque::pop_front)
    }
}
