//! A fake of Umbler's API, for tests and for `umbler-hub simulate --api`. It knows every delivery of the simulated provider, whether
//! or not a webhook brings it to the hub.
//!
//! It behaves as the real API was seen to behave, traps included: it ignores parameters that it does not know, limits the size of
//! pages, and sends messages in any order. Where the real behavior is not known, a switch in [`FakeBehavior`] selects it.

mod answers;
mod serve;
mod sent;
pub mod behavior;
pub mod world;
pub mod feed;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

pub use behavior::{ApiFault, Echo, FakeBehavior, OrderWord, StateOrder};
pub use world::World;

/// The token that is accepted unless [`FakeBehavior::token`] says otherwise.
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
    /// Notified when there is another webhook to post.
    later: Condvar,
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
    /// Webhooks about messages that were sent over the API, and when to post them.
    later: Vec<(Instant, Vec<u8>)>,
    sent: Vec<SentMessage>,
}

/// A message that was sent over the API.
#[derive(Debug, Clone)]
pub struct SentMessage {
    pub chat: String,
    pub temp_id: Option<String>,
    pub text: String,
    pub id: String,
    pub private: bool,
    /// The message as a webhook shows it.
    pub message: Value,
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
        Self::start_with(address, World::default())
    }

    /// Starts with a provider that knows something from the first answer on.
    pub fn start_with(address: SocketAddr, world: World) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let state = Mutex::new(State { world, ..State::default() });
        let shared = Arc::new(Shared { state, ended: AtomicBool::new(false), later: Condvar::new() });
        let served = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("fake-api".into())
            .spawn(move || serve::serve(&listener, &served))?;
        Ok(Self { shared, address })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
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

    /// The next webhook about a message that was sent over the API, once it is due. `None`: there was none within this time.
    pub fn next_webhook(&self, patience: Duration) -> Option<Vec<u8>> {
        let until = Instant::now() + patience;
        let mut state = self.shared.lock();
        loop {
            let now = Instant::now();
            let next = state.later.iter().enumerate().min_by_key(|(_, (due, _))| *due);
            let (place, due) = next.map_or((None, until), |(place, (due, _))| (Some(place), *due));
            if let Some(place) = place.filter(|_| due <= now) {
                return Some(state.later.remove(place).1);
            }
            if now >= until || self.shared.ended.load(Ordering::Acquire) {
                return None;
            }
            let rest = due.min(until).saturating_duration_since(now);
            let waited = self.shared.later.wait_timeout(state, rest);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// All messages that were sent over the API so far.
    pub fn sent(&self) -> Vec<SentMessage> {
        self.shared.lock().sent.clone()
    }

    /// All requests that came so far.
    pub fn requests(&self) -> Vec<FakeRequest> {
        self.shared.lock().requests.clone()
    }
}

impl Drop for FakeApi {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        self.shared.later.notify_all();
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
