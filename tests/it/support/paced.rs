//! Load at a pace, and screens that move from hub to hub, for measurements.

use std::collections::HashSet;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Error, Message, WebSocket, client};
use ureq::Agent;

use super::hub::Answer;
use super::{Delivery, Hub};

/// Senders: as many deliveries may wait for their answer at once.
const SENDERS: u64 = 64;
/// How long a sender waits for a hub before it turns to the next; the provider gives up after five seconds.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// A screen that was not let in rests before it asks the next hub.
const REST: Duration = Duration::from_millis(20);
/// How often a screen looks whether it is over.
const LOOK_AFTER: Duration = Duration::from_millis(200);

/// How an update begins. It is not parsed: tens of thousands come each second.
const UPDATE: &str = r#"{"event":"umbler_update","seq":"#;

/// Deliveries at a pace, each to the next hub, and to another one where that does not take it, as a balancer does.
pub struct Pace {
    work: Arc<PaceWork>,
    senders: Vec<JoinHandle<()>>,
}

struct PaceWork {
    hubs: Vec<SocketAddr>,
    per_second: u64,
    begun: Instant,
    is_over: AtomicBool,
    next: AtomicU64,
    done: Mutex<Done>,
}

/// What came of the deliveries so far.
#[derive(Default, Clone)]
pub struct Done {
    pub ids: Vec<String>,
    /// From the first byte to the answer that it is taken.
    pub took: Vec<Duration>,
    /// Taken by no hub.
    pub refused: u64,
}

impl Pace {
    /// So many a second; 0: as fast as they are answered.
    pub fn begin(hubs: &[SocketAddr], per_second: u64) -> Self {
        let work = Arc::new(PaceWork {
            hubs: hubs.to_vec(),
            per_second,
            begun: Instant::now(),
            is_over: AtomicBool::new(false),
            next: AtomicU64::new(0),
            done: Mutex::default(),
        });
        let senders = (0..SENDERS).map(|_| {
            let work = Arc::clone(&work);
            thread::spawn(move || work.send())
        });
        let senders = senders.collect();
        Self { work, senders }
    }

    /// What was measured since the last time, without the ids.
    pub fn lap(&self) -> Vec<Duration> {
        std::mem::take(&mut self.work.done.lock().expect("a tally").took)
    }

    pub fn finish(self) -> Done {
        self.work.is_over.store(true, Ordering::Release);
        for sender in self.senders {
            sender.join().expect("it posted");
        }
        std::mem::take(&mut *self.work.done.lock().expect("a tally"))
    }
}

impl PaceWork {
    fn send(&self) {
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(ANSWER_MAX));
        let agent: Agent = config.build().new_agent();
        while !self.is_over.load(Ordering::Acquire) {
            let number = self.next.fetch_add(1, Ordering::AcqRel);
            if let Some(due) = (number * 1_000_000).checked_div(self.per_second) {
                let due = self.begun + Duration::from_micros(due);
                thread::park_timeout(due.saturating_duration_since(Instant::now()));
            }
            let delivery = Delivery::message(&format!("c{}", number % 200));
            let (body, begun) = (delivery.bytes(), Instant::now());
            let taken = (0..self.hubs.len()).any(|turn| {
                let place = (usize::try_from(number).expect("small") + turn) % self.hubs.len();
                let url = format!("http://{}/api/umbler/webhook", self.hubs[place]);
                let answer = agent.post(&url).send(&body[..]).map(Answer::from);
                answer.is_ok_and(|answer| answer.status == 200)
            });
            let took = begun.elapsed();
            let mut done = self.done.lock().expect("a tally");
            if taken {
                done.ids.push(delivery.id().to_owned());
                done.took.push(took);
            } else {
                done.refused += 1;
            }
        }
    }
}

/// A screen that comes back at the next hub whenever its connection breaks.
pub struct Moving {
    notes: Arc<Notes>,
    watching: JoinHandle<()>,
}

#[derive(Default)]
struct Notes {
    is_over: AtomicBool,
    seen: Mutex<Seen>,
}

/// What a screen saw.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    /// Where it began.
    pub since: Option<i64>,
    pub heard: Vec<i64>,
    /// When the last update came, and the longest time without one since the last look.
    pub last: Option<Instant>,
    pub longest_pause: Duration,
    /// For each return: from the break to being live again.
    pub returns: Vec<Duration>,
    /// Returns that began with a snapshot.
    pub unrecovered: usize,
}

impl Moving {
    /// Each begins at another hub.
    pub fn all(count: usize, hubs: &[SocketAddr]) -> Vec<Self> {
        let screens: Vec<Self> = (0..count).map(|number| Self::begin(number, hubs)).collect();
        while !screens.iter().all(|screen| screen.seen().since.is_some()) {
            thread::yield_now();
        }
        screens
    }

    fn begin(number: usize, hubs: &[SocketAddr]) -> Self {
        let (notes, hubs) = (Arc::new(Notes::default()), hubs.to_vec());
        let kept = Arc::clone(&notes);
        let watching = thread::spawn(move || {
            let (mut place, mut broken, mut epoch) = (number, None, Value::Null);
            while !kept.is_over.load(Ordering::Acquire) {
                if kept.watch(hubs[place % hubs.len()], broken, &mut epoch) {
                    broken = Some(Instant::now());
                } else {
                    thread::park_timeout(REST);
                }
                place += 1;
            }
        });
        Self { notes, watching }
    }

    pub fn seen(&self) -> Seen {
        self.notes.seen.lock().expect("notes").clone()
    }

    /// True once it has heard this position.
    pub fn has_heard(&self, seq: i64) -> bool {
        self.notes.seen.lock().expect("notes").heard.last().is_some_and(|last| *last >= seq)
    }

    /// The longest time without an update since the last time that this was asked.
    pub fn pause(&self) -> Duration {
        let mut seen = self.notes.seen.lock().expect("notes");
        let since_last = seen.last.map_or(Duration::ZERO, |last| last.elapsed());
        std::mem::take(&mut seen.longest_pause).max(since_last)
    }

    /// It ends as soon as it looks whether it is over. Many are told so before one is waited for.
    pub fn end(&self) {
        self.notes.is_over.store(true, Ordering::Release);
    }

    /// Waits until it has heard this position, and ends it.
    pub fn finish(self, until: i64) -> Seen {
        let begun = Instant::now();
        while self.seen().heard.last().is_none_or(|last| *last < until) {
            assert!(
                begun.elapsed() < super::PATIENCE,
                "a screen hears position {until}: {:?}",
                self.seen().since
            );
            thread::park_timeout(LOOK_AFTER);
        }
        self.end();
        self.watching.join().expect("it watched");
        std::mem::take(&mut *self.notes.seen.lock().expect("notes"))
    }
}

impl Notes {
    /// Watches one hub until the connection breaks; true if it was live there. `broken`: when the last one broke.
    fn watch(&self, hub: SocketAddr, broken: Option<Instant>, epoch: &mut Value) -> bool {
        let Ok(stream) = TcpStream::connect(hub) else { return false };
        stream.set_read_timeout(Some(LOOK_AFTER)).expect("a timeout");
        stream.set_nodelay(true).expect("no delay");
        let request = format!("ws://{hub}/ws").into_client_request().expect("a request");
        let Ok((mut socket, _)) = client(request, stream) else { return false };
        let mut is_live = false;
        while !self.is_over.load(Ordering::Acquire) {
            match socket.read() {
                Ok(Message::Text(text)) => is_live |= self.take(&text, &mut socket, broken, epoch),
                Ok(Message::Close(_)) => break,
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => break,
            }
        }
        is_live
    }

    /// Takes in one frame; true for the one that says that the screen is live.
    fn take(
        &self,
        text: &str,
        socket: &mut WebSocket<TcpStream>,
        broken: Option<Instant>,
        epoch: &mut Value,
    ) -> bool {
        if let Some(update) = text.strip_prefix(UPDATE) {
            let digits = update.split(',').next().expect("a position");
            self.hear(digits.parse().expect("a position"));
            return false;
        }
        let envelope: Value = serde_json::from_str(text).expect("JSON");
        let data = &envelope["data"];
        let event = envelope["event"].as_str().unwrap_or_default();
        match event {
            "connection_established" => {
                let seen = self.seen.lock().expect("notes");
                let since = seen.heard.last().copied().or(seen.since);
                let mut wanted = json!({ "channels": ["updates"] });
                if let Some(since) = since {
                    wanted["since"] = since.into();
                    wanted["epoch"] = epoch.clone();
                }
                *epoch = data["epoch"].clone();
                let text = json!({ "event": "subscribe_updates", "data": wanted }).to_string();
                drop(socket.send(Message::text(text)));
            }
            "subscribed" => {
                let mut seen = self.seen.lock().expect("notes");
                if seen.since.is_none() {
                    seen.since = data["seq"].as_i64();
                } else if data["recovered"] == true {
                    seen.returns.extend(broken.map(|broken| broken.elapsed()));
                } else {
                    seen.unrecovered += 1;
                }
            }
            _ => {}
        }
        event == "subscribed"
    }

    fn hear(&self, seq: i64) {
        let mut seen = self.seen.lock().expect("notes");
        let now = Instant::now();
        seen.longest_pause = seen.last.map_or(seen.longest_pause, |last| seen.longest_pause.max(now - last));
        seen.last = Some(now);
        seen.heard.push(seq);
    }
}

/// The figure below which so many of a thousand are.
pub fn at(values: &[Duration], of_thousand: usize) -> Duration {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let place = (sorted.len() * of_thousand / 1_000).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or_default()
}

/// What a screen missed, heard twice and heard in a wrong order, against what a hub shows.
pub fn faults(seen: &Seen, shown: &[i64]) -> (usize, usize, usize) {
    let since = seen.since.unwrap_or_default();
    let heard: HashSet<i64> = seen.heard.iter().copied().collect();
    let missing = shown.iter().filter(|seq| **seq > since && !heard.contains(seq)).count();
    let doubled = seen.heard.len() - heard.len();
    let disordered = seen.heard.windows(2).filter(|pair| pair[1] < pair[0]).count();
    (missing, doubled, disordered)
}

/// The load of the machine, as its kernel has it.
pub fn machine_load() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned()
}

/// How long all threads of a hub have run.
pub fn cpu(hub: &Hub) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", hub.pid())).expect("its threads");
    let times = tasks.map(|task| {
        let text =
            std::fs::read_to_string(task.expect("a thread").path().join("schedstat")).expect("its time");
        text.split(' ').next().and_then(|word| word.parse().ok()).map_or(Duration::ZERO, Duration::from_nanos)
    });
    times.sum()
}
