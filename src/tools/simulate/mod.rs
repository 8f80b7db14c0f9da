//! `umbler-hub simulate`: posts a believable working day to a hub, at a chosen pace and with a chosen seed.

pub(super) mod cast;
mod chat;
pub mod day;
mod acts;
mod outbound;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::fake::feed::TRIES;
use super::fake::{self, FakeApi, World};
use super::post::{PostOutcome, Poster, TargetArgs, rate};
use super::tally::Tally;
use super::{ToolError, pause_until, print, stop_on_signal};
use crate::telemetry::clock;
pub use day::{Day, SimulatedDelivery};
use outbound::{Outbound, OutboundArgs, SharedFeed};

/// Mean pause in seconds between two deliveries of the hours before now.
const BACKFILL_PAUSE_SECONDS: i64 = 12;
/// Deliveries that may wait for a free connection.
const WAITING_MAX: usize = 64;
/// How long one wait for a webhook of a message that was sent over the API takes.
const WEBHOOK_PATIENCE: Duration = Duration::from_millis(200);
/// How often a line reports the progress.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// Which day to simulate, and how fast.
#[derive(Debug, clap::Args)]
pub struct SimulateArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Deliveries per second. 0: as fast as the hub accepts them.
    #[arg(long, default_value_t = 2.0, value_parser = rate)]
    rate: f64,
    /// Seed of the day. The same seed with the same start gives the same day. Default: a random one.
    #[arg(long)]
    seed: Option<u64>,
    /// Number of deliveries to post. Default: until Ctrl-C.
    #[arg(long)]
    count: Option<u64>,
    /// Connections that post at the same time. With more than one, deliveries overtake each other.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    connections: u16,
    /// Hours before now to post first, as fast as the hub accepts them, so that a new screen is not empty.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..=72))]
    backfill: i64,
    /// When a day begins that is written with --out, in RFC 3339. Default: now.
    #[arg(long)]
    start: Option<Timestamp>,
    /// Also serve a fake of Umbler's API at this address, which knows the same day. The values of `UMBLER_API_URL` and
    /// `UMBLER_API_TOKEN` for the hub are printed.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "out")]
    api: Option<SocketAddr>,
    #[command(flatten)]
    outbound: OutboundArgs,
    /// Write the deliveries into this file, one per line, instead of posting them; - is the standard output.
    #[arg(long, requires = "count")]
    out: Option<PathBuf>,
}

/// Simulates until the count is reached or the program is told to stop.
pub fn run(args: &SimulateArgs) -> Result<(), ToolError> {
    let seed = args.seed.unwrap_or_else(rand::random);
    match &args.out {
        Some(path) => write_out(args, seed, path),
        None => post(args, seed),
    }
}

/// Writes the day into a file, at the pace of `--rate` in simulated seconds.
fn write_out(args: &SimulateArgs, seed: u64, path: &PathBuf) -> Result<(), ToolError> {
    let failed = || ToolError::io(format!("cannot write {}", path.display()));
    let mut out: Box<dyn Write> = if path.as_os_str() == "-" {
        Box::new(BufWriter::new(std::io::stdout().lock()))
    } else {
        Box::new(BufWriter::new(File::create(path).map_err(failed())?))
    };
    let start = args.start.unwrap_or_else(clock::now);
    let mut day = Day::new(seed, start);
    let pause = SignedDuration::from_secs_f64(1.0 / if args.rate > 0.0 { args.rate } else { 1_000.0 });
    let mut at = start;
    for _ in 0..args.count.unwrap_or_default() {
        let delivery = day.step(at);
        out.write_all(&delivery.body).and_then(|()| out.write_all(b"\n")).map_err(failed())?;
        at = at.checked_add(pause).unwrap_or(at);
    }
    out.flush().map_err(failed())
}

fn post(args: &SimulateArgs, seed: u64) -> Result<(), ToolError> {
    let poster = Poster::new(&args.target)?;
    let stop = stop_on_signal()?;
    let tally = Arc::new(Tally::default());
    let mut simulation = Simulation::new(args, seed);
    let start = |address| FakeApi::start_with(address, simulation.world());
    let api = args.api.map(start).transpose().map_err(ToolError::io("cannot serve the fake API"))?;
    if let Some(api) = &api {
        let webhook = poster.webhook();
        api.world(|world| {
            world.posts_to(webhook);
            world.has_pictures_at(&api.url());
        });
        let (url, token) = (api.url(), fake::TOKEN);
        print(&format!("UMBLER_API_URL={url}\nUMBLER_API_TOKEN={token}\nUMBLER_WEBHOOK_URL={webhook}\n"))?;
    }
    print(&format!("simulating a day with --seed {seed} against {}\n", poster.url))?;
    let (sender, receiver) = sync_channel(WAITING_MAX);
    let receiver = Arc::new(Mutex::new(receiver));
    let is_over = AtomicBool::new(false);
    let feed = SharedFeed::new(seed, &args.outbound);
    std::thread::scope(|scope| {
        for _ in 0..args.connections {
            let (poster, receiver, tally, stop) = (poster.clone(), Arc::clone(&receiver), &tally, &stop);
            let strict = args.outbound.strict.then(|| (feed.clone(), api.as_ref()));
            scope.spawn(move || post_all(&poster, &receiver, strict.as_ref(), tally, stop));
        }
        drop(receiver);
        if let Some(api) = &api {
            let (sender, is_over) = (sender.clone(), &is_over);
            scope.spawn(move || post_what_was_sent(api, &sender, is_over));
        }
        let outbound = Outbound::new(&args.outbound, seed, feed.clone(), api.as_ref(), &sender);
        let outcome = simulation.emit(args, outbound, &tally, &stop);
        drop(sender);
        is_over.store(true, Ordering::Relaxed);
        // Deliveries that wait for an answer get it; those that wait for a hub that is away do not.
        stop.store(stop.load(Ordering::Relaxed) || outcome.is_err(), Ordering::Relaxed);
        outcome
    })?;
    print(&format!("{}\n", tally.summary()))?;
    tally.verdict()
}

/// Posts the webhooks about messages that were sent over the API, until the simulation is over.
fn post_what_was_sent(api: &FakeApi, sender: &SyncSender<SimulatedDelivery>, is_over: &AtomicBool) {
    while !is_over.load(Ordering::Relaxed) {
        let Some(body) = api.next_webhook(WEBHOOK_PATIENCE) else { continue };
        if sender.send(SimulatedDelivery { at: clock::now(), body, attempt: 1 }).is_err() {
            return;
        }
    }
}

fn post_all(
    poster: &Poster,
    receiver: &Mutex<Receiver<SimulatedDelivery>>,
    strict: Option<&(SharedFeed, Option<&FakeApi>)>,
    tally: &Tally,
    stop: &AtomicBool,
) {
    loop {
        let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(delivery) = next else { return };
        let (outcome, took) = match strict {
            Some((feed, api)) => post_as_provider(poster, &delivery, feed, *api),
            None => poster.post(&delivery.body, delivery.attempt, stop),
        };
        tally.count(outcome, took);
    }
}

/// Three tries, each with its number. After too many failures the provider pauses its webhook, and shows that.
fn post_as_provider(
    poster: &Poster,
    delivery: &SimulatedDelivery,
    feed: &SharedFeed,
    api: Option<&FakeApi>,
) -> (PostOutcome, Duration) {
    let begun = Instant::now();
    for number in 1..=TRIES {
        if feed.lock().is_paused() {
            break;
        }
        if let Some(outcome) = poster.post_once(&delivery.body, number) {
            return (outcome, begun.elapsed());
        }
        if feed.lock().note_failure() {
            eprint("the provider has paused its webhook after too many failures, and sends nothing again");
            if let Some(api) = api {
                api.world(World::pause_webhooks);
            }
        }
    }
    (PostOutcome::Stopped, begun.elapsed())
}

#[expect(clippy::print_stderr, reason = "trouble goes where people look, not into a pipe")]
fn eprint(text: &str) {
    eprintln!("{text}");
}

/// A simulated day, and what of it happened before the simulation began.
struct Simulation {
    day: Day,
    past: Vec<SimulatedDelivery>,
    /// Deliveries of the present to generate. `None`: until the program is told to stop.
    left: Option<u64>,
}

impl Simulation {
    fn new(args: &SimulateArgs, seed: u64) -> Self {
        let begun = clock::now();
        let mut at = begun.checked_sub(SignedDuration::from_hours(args.backfill)).unwrap_or(begun);
        let (mut day, mut past, mut left) = (Day::new(seed, at), Vec::new(), args.count);
        while at < begun && left != Some(0) {
            at = at.saturating_add(SignedDuration::from_secs(BACKFILL_PAUSE_SECONDS)).unwrap_or(begun);
            past.push(day.step(at.min(begun)));
            left = left.map(|left| left - 1);
        }
        Self { day, past, left }
    }

    /// The provider as it is when the simulation begins. It knows all of the past from its first answer on: a hub that is told of a
    /// chat's state takes it for the present one, so an answer out of the past would hide all that came after it.
    fn world(&self) -> World {
        let mut world = World::default();
        self.past.iter().for_each(|delivery| world.absorb(&delivery.body));
        world
    }

    /// Emits the past as fast as the hub takes it, then the present at its pace.
    fn emit(
        &mut self,
        args: &SimulateArgs,
        mut outbound: Outbound<'_>,
        tally: &Tally,
        stop: &AtomicBool,
    ) -> Result<(), ToolError> {
        let mut reports = Reports::new(tally);
        for delivery in self.past.drain(..) {
            if stop.load(Ordering::Relaxed) || outbound.emit_past(delivery).is_err() {
                return Ok(());
            }
            reports.print_if_due()?;
        }
        if args.backfill > 0 && self.left != Some(0) {
            outbound.wait_until_posted(tally, stop);
            print(&format!("the last {} h are posted; the present goes on\n", args.backfill))?;
        }
        let pause = if args.rate > 0.0 { Duration::from_secs_f64(1.0 / args.rate) } else { Duration::ZERO };
        let (mut due, mut heard) = (Instant::now(), 0);
        while self.left != Some(0) {
            pause_until(due, stop);
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            let at = clock::now();
            due += pause;
            // After a delay the pace continues from now: missed deliveries are not posted all at once.
            due = due.max(Instant::now().checked_sub(Duration::from_secs(1)).unwrap_or(due));
            for sent in outbound.api().map(FakeApi::sent).unwrap_or_default().into_iter().skip(heard) {
                self.day.hears_of(&sent.chat, &sent.message, sent.private, at);
                heard += 1;
            }
            outbound.look_at_outage()?;
            if outbound.emit(self.day.step(at)).is_err() || outbound.post_due().is_err() {
                return Ok(());
            }
            self.left = self.left.map(|left| left - 1);
            reports.print_if_due()?;
        }
        // Whoever posts has ended where nobody takes the rest.
        drop(outbound.post_rest(stop));
        Ok(())
    }
}

/// Prints the progress from time to time.
struct Reports<'a> {
    tally: &'a Tally,
    next: Instant,
}

impl<'a> Reports<'a> {
    fn new(tally: &'a Tally) -> Self {
        Self { tally, next: Instant::now() + REPORT_INTERVAL }
    }

    fn print_if_due(&mut self) -> Result<(), ToolError> {
        if Instant::now() < self.next {
            return Ok(());
        }
        self.next += REPORT_INTERVAL;
        print(&format!("{}\n", self.tally.summary()))
    }
}
