//! Live metrics: how long a delivery takes to stand in the numbers on every dashboard, beside the update itself.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use umbler_hub::facade::testing::clock;

use super::Plan;
use super::deliveries::Deliveries;
use super::fan_out::SUBSCRIBED;
use super::figures::{float, ms, percentile};
use super::process::{Hub, Place, fresh_folder};
use super::screens::{CONNECTING, Heard, PATIENCE, Screens, Turned, contains, nanos_since};
use super::senders::{Language, Senders};
use super::stream::Stream;
use super::table::{Table, at_most, progress};

/// Dashboards that follow both boards and all updates.
const DASHBOARDS: usize = 200;
/// Deliveries in a second.
const PER_SECOND: u64 = 100;
/// Seconds of them.
const SECONDS: usize = 20;
/// Connections that post them.
const SENDERS: usize = 64;
/// Messages of this day that are there before, and the chats that they are in.
const BEFORE: usize = 20_000;
const CHATS: u64 = 500;
/// From the webhook's first byte to the numbers on a screen, in milliseconds.
const BOUND_MS: f64 = 250.0;

const SUBSCRIBE: &str =
    r#"{"event":"subscribe_updates","data":{"channels":["updates","metrics:live","metrics:agents"]}}"#;
const BOARDS: [&str; 2] = ["metrics:live", "metrics:agents"];
/// How every frame of a board begins.
const FRAME: &[u8] = b"{\"event\":\"metrics_update\"";
/// Its head, in bytes: everything before its rows.
const HEAD_BYTES: usize = 240;

/// What came in a run.
struct Watch {
    begun: Instant,
    first: u64,
    /// When each delivery was sent.
    sent_at: Vec<u64>,
    /// Of each screen: updates that came, with their moments.
    updates: Vec<Vec<u64>>,
    /// Of each screen and board: how far its frames went, and when they came.
    frames: [Vec<Vec<(u64, u64)>>; 2],
    bytes: u64,
}

/// Measures and prints.
pub fn measure(plan: &Plan) -> io::Result<()> {
    let folder = fresh_folder()?;
    let hub = Hub::start(folder.path(), Place::OneCore)?;
    progress("metrics-live: a day's messages before")?;
    let first = fill(&hub)?;
    let mut screens = Screens::new(hub.address, SUBSCRIBE)?;
    screens.connect(DASHBOARDS, CONNECTING, SUBSCRIBED)?;
    // Each board whole, before anything counts.
    let idle = Instant::now();
    while idle.elapsed() < Duration::from_secs(2) {
        screens.turn_within(Duration::ZERO, |_| {})?;
    }
    progress("metrics-live: deliveries by the clock")?;
    let deliveries = plan.scaled(SECONDS) * usize::try_from(PER_SECOND).unwrap_or_default();
    let pause = SignedDuration::from_nanos(1_000_000_000 / i64::try_from(PER_SECOND).unwrap_or(1));
    let news = Deliveries::news("live", CHATS, clock::now() - SignedDuration::from_secs(5), pause)?;
    let mut senders = Senders::new(hub.address, Language::Webhook(news));
    let watch = run(&mut screens, &mut senders, first, deliveries)?;
    print(&watch)
}

/// Posts what happened before on this day; the position of the next delivery.
fn fill(hub: &Hub) -> io::Result<u64> {
    let first = hub.json("/health")?["seq"].as_u64().unwrap_or(0) + 1;
    let start = clock::now() - SignedDuration::from_mins(20);
    let news = Deliveries::news("live-before", CHATS, start, SignedDuration::from_millis(50))?;
    let senders = Senders::new(hub.address, Language::Webhook(news));
    let mut stream = Stream::new(Screens::new(hub.address, "")?, senders, first, hub.pid());
    stream.run(16, BEFORE)?;
    let next = first + BEFORE as u64;
    // The metrics have followed once they say so.
    while hub.json("/api/umbler/metrics/live")?["asOfSeq"].as_u64() < Some(next - 1) {}
    Ok(next)
}

fn run(screens: &mut Screens, senders: &mut Senders, first: u64, deliveries: usize) -> io::Result<Watch> {
    senders.ready(SENDERS, screens)?;
    let mut watch = Watch::new(first, deliveries);
    // In turn: the hub ends a connection that says nothing for long.
    let mut free: VecDeque<usize> = (0..SENDERS).collect();
    let mut sent_at = [0; SENDERS];
    let (mut sent, mut answered) = (0_u64, 0);
    let each = 1_000_000_000 / PER_SECOND;
    let mut last_news = Instant::now();
    while answered < deliveries || !watch.is_complete() {
        let now = nanos_since(watch.begun);
        if sent < deliveries as u64
            && now >= sent * each
            // All are busy where hub or load was held up; what is late follows at once.
            && let Some(sender) = free.pop_front()
        {
            sent_at[sender] = now;
            senders.send(sender)?;
            sent += 1;
        }
        let mut failed = None;
        let heard = screens.turn_within(Duration::ZERO, |turned| match turned {
            Turned::Heard(screen, Heard::Update(_)) => watch.updates[screen].push(nanos_since(watch.begun)),
            Turned::Heard(screen, Heard::Text(text)) => watch.hear(screen, text),
            Turned::Opened(_) => {}
            Turned::Other(sender) => match senders.read(sender) {
                Ok(Some(position)) => {
                    watch.answer(position, sent_at[sender]);
                    free.push_back(sender);
                    answered += 1;
                }
                Ok(None) => {}
                Err(error) => failed = Some(error),
            },
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        if heard {
            last_news = Instant::now();
        } else if last_news.elapsed() > PATIENCE {
            return Err(io::Error::other("a dashboard was not told of all deliveries"));
        }
    }
    if screens.lost() > 0 {
        return Err(io::Error::other(format!("{} dashboards were lost", screens.lost())));
    }
    Ok(watch)
}

impl Watch {
    fn new(first: u64, deliveries: usize) -> Self {
        Self {
            begun: Instant::now(),
            first,
            sent_at: vec![0; deliveries],
            updates: vec![Vec::new(); DASHBOARDS],
            frames: [(); 2].map(|()| vec![Vec::new(); DASHBOARDS]),
            bytes: 0,
        }
    }

    fn answer(&mut self, position: u64, sent_at: u64) {
        let place = usize::try_from(position.saturating_sub(self.first)).unwrap_or(usize::MAX);
        if let Some(known) = self.sent_at.get_mut(place) {
            *known = sent_at;
        }
    }

    fn hear(&mut self, screen: usize, text: &[u8]) {
        if !text.starts_with(FRAME) {
            return;
        }
        let now = nanos_since(self.begun);
        self.bytes += text.len() as u64;
        let head = &text[..text.len().min(HEAD_BYTES)];
        let Some(as_of) = as_of(head) else { return };
        for (board, frames) in BOARDS.iter().zip(&mut self.frames) {
            if contains(head, board.as_bytes()) {
                frames[screen].push((as_of, now));
            }
        }
    }

    /// Every dashboard has everything.
    fn is_complete(&self) -> bool {
        let last = self.first + self.sent_at.len() as u64 - 1;
        let all = |frames: &Vec<(u64, u64)>| frames.last().is_some_and(|(as_of, _)| *as_of >= last);
        self.frames.iter().flatten().all(all)
            && self.updates.iter().all(|updates| updates.len() >= self.sent_at.len())
    }

    /// Nanoseconds from sending to the receipt of the first frame that holds a delivery, of every dashboard.
    fn of_board(&self, board: usize) -> Vec<f64> {
        let mut latencies = Vec::new();
        for frames in &self.frames[board] {
            let mut frames = frames.iter().peekable();
            for (place, sent_at) in self.sent_at.iter().enumerate() {
                while frames.peek().is_some_and(|(as_of, _)| *as_of < self.first + place as u64) {
                    frames.next();
                }
                latencies.extend(frames.peek().map(|(_, at)| float(at.saturating_sub(*sent_at))));
            }
        }
        latencies
    }

    /// The same of the update itself.
    fn of_updates(&self) -> Vec<f64> {
        let pairs = self.updates.iter().flat_map(|updates| updates.iter().zip(&self.sent_at));
        pairs.map(|(at, sent_at)| float(at.saturating_sub(*sent_at))).collect()
    }
}

/// The number behind `"asOfSeq":`.
fn as_of(head: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(head).ok()?;
    let (_, rest) = text.split_once("\"asOfSeq\":")?;
    rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

fn print(watch: &Watch) -> io::Result<()> {
    let mut table = Table::new(
        &format!(
            "Live metrics on {DASHBOARDS} dashboards, {PER_SECOND} deliveries/s, {BEFORE} messages before"
        ),
        &["", "p50 ms", "p95 ms", "p99 ms", "max ms", "p50 / update's"],
    );
    let mut updates = watch.of_updates();
    let base = percentile(&mut updates, 0.50);
    let [live, agents] = [0, 1].map(|board| watch.of_board(board));
    for (name, mut latencies) in [("umbler_update", updates), (BOARDS[0], live), (BOARDS[1], agents)] {
        let mut at = |share| percentile(&mut latencies, share);
        let (p50, p95, p99, max) = (at(0.50), at(0.95), at(0.99), at(1.0));
        let two = |nanos: f64| format!("{:.2}", ms(nanos));
        let p99 = if name == "umbler_update" { two(p99) } else { at_most(ms(p99), BOUND_MS) };
        table.row(vec![name.to_owned(), two(p50), two(p95), p99, two(max), format!("{:.1}", p50 / base)]);
    }
    let frames: usize = watch.frames.iter().flatten().map(Vec::len).sum();
    table.note(format!(
        "From the webhook's first byte to the receipt of the first frame with asOfSeq at or past the delivery; bound {BOUND_MS} ms. \
         {:.1} frames a second of each board, {} bytes each.",
        float(frames as u64) / float((DASHBOARDS * BOARDS.len()) as u64) / (float(watch.sent_at.len() as u64) / float(PER_SECOND)),
        watch.bytes / (frames as u64).max(1),
    ));
    table.print()
}
