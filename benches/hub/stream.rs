//! One run: updates are caused, so many at a time, and the time is taken until each screen has each of them.

use std::io;
use std::time::Instant;

use super::figures::{float, percentile};
use super::machine::cpu_nanos;
use super::screens::{Heard, PATIENCE, Screens, Turned, nanos_since};
use super::senders::Senders;

/// Senders and screens of one server.
pub struct Stream {
    /// Those who listen.
    pub screens: Screens,
    senders: Senders,
    /// The position that the next update gets.
    next: u64,
    pid: u32,
}

/// What one run showed.
pub struct Run {
    /// Nanoseconds of CPU of the server per update.
    pub cpu_per_update: f64,
    /// The same per update and screen.
    pub cpu_per_delivery: f64,
    /// Updates per second.
    pub per_second: f64,
    /// Nanoseconds from sending to receipt, in the middle; without screens to the answer.
    pub p50: f64,
    /// The same for the slowest in a hundred.
    pub p99: f64,
}

/// What is known of each update of a run.
#[derive(Clone, Default)]
struct Progress {
    sent_at: u64,
    sender: usize,
    answered: bool,
    heard: usize,
}

struct Watch {
    begun: Instant,
    first: u64,
    screens: usize,
    progress: Vec<Progress>,
    /// How many updates each screen has heard: they come in order.
    heard: Vec<usize>,
    /// (which update, when)
    receipts: Vec<(usize, u64)>,
    /// Senders whose update has reached everybody.
    free: Vec<usize>,
    finished: usize,
}

impl Stream {
    /// Puts them together; `next` is the position of the first update.
    pub fn new(screens: Screens, senders: Senders, next: u64, pid: u32) -> Self {
        Self { screens, senders, next, pid }
    }

    /// Causes `updates` updates. So many are in flight: sent, and not heard by everybody yet.
    pub fn run(&mut self, in_flight: usize, updates: usize) -> io::Result<Run> {
        self.senders.ready(in_flight, &self.screens)?;
        let mut watch = Watch::new(self.next, self.screens.len(), updates);
        let mut sent_at = vec![0; in_flight];
        watch.free = (0..in_flight.min(updates)).collect();
        let mut sent = 0;
        let cpu = cpu_nanos(self.pid)?;
        while watch.finished < updates {
            while let Some(sender) = watch.free.pop() {
                if sent < updates {
                    sent_at[sender] = nanos_since(watch.begun);
                    self.senders.send(sender)?;
                    sent += 1;
                }
            }
            let (senders, mut failed) = (&mut self.senders, None);
            self.screens.turn(PATIENCE, |turned| match turned {
                Turned::Heard(screen, Heard::Update(_)) => watch.hear(screen),
                Turned::Heard(..) | Turned::Opened(_) => {}
                Turned::Other(sender) => match senders.read(sender) {
                    Ok(Some(position)) => watch.answer(position, sender, sent_at[sender]),
                    Ok(None) => {}
                    Err(error) => failed = Some(error),
                },
            })?;
            if let Some(error) = failed {
                return Err(error);
            }
        }
        let cpu = cpu_nanos(self.pid)? - cpu;
        if self.screens.lost() > 0 {
            return Err(io::Error::other(format!("{} screens were lost", self.screens.lost())));
        }
        self.next += updates as u64;
        Ok(watch.sum_up(cpu))
    }

    /// Reads what came in between, so that no screen seems to have fallen silent.
    pub fn settle(&mut self) -> io::Result<()> {
        while self.screens.turn_within(std::time::Duration::ZERO, |_| {})? {}
        Ok(())
    }
}

impl Watch {
    fn new(first: u64, screens: usize, updates: usize) -> Self {
        Self {
            begun: Instant::now(),
            first,
            screens,
            progress: vec![Progress::default(); updates],
            heard: vec![0; screens],
            receipts: Vec::with_capacity((screens.max(1)) * updates),
            free: Vec::new(),
            finished: 0,
        }
    }

    fn hear(&mut self, screen: usize) {
        let update = self.heard[screen];
        self.heard[screen] += 1;
        self.receipts.push((update, nanos_since(self.begun)));
        self.progress[update].heard += 1;
        self.note(update);
    }

    fn answer(&mut self, position: u64, sender: usize, sent_at: u64) {
        let update = usize::try_from(position - self.first).unwrap_or(usize::MAX);
        let progress = &mut self.progress[update];
        (progress.sender, progress.sent_at, progress.answered) = (sender, sent_at, true);
        if self.screens == 0 {
            self.receipts.push((update, nanos_since(self.begun)));
        }
        self.note(update);
    }

    fn note(&mut self, update: usize) {
        let progress = &self.progress[update];
        if progress.answered && progress.heard == self.screens {
            self.free.push(progress.sender);
            self.finished += 1;
        }
    }

    fn sum_up(&self, cpu: u64) -> Run {
        let updates = float(self.progress.len() as u64);
        let took = float(nanos_since(self.begun));
        let latency = |(update, at): &(usize, u64)| float(at.saturating_sub(self.progress[*update].sent_at));
        let mut latencies: Vec<f64> = self.receipts.iter().map(latency).collect();
        Run {
            cpu_per_update: float(cpu) / updates,
            cpu_per_delivery: float(cpu) / updates / float(self.screens.max(1) as u64),
            per_second: updates / (took / 1e9),
            p50: percentile(&mut latencies, 0.50),
            p99: percentile(&mut latencies, 0.99),
        }
    }
}
