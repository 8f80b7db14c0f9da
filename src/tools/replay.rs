//! `umbler-hub replay FILE.ndjson`: posts recorded deliveries, one per line. It resumes where it stopped, and
//! may be repeated, because the hub knows every delivery by its id.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use super::post::{PostOutcome, Poster, TargetArgs, rate};
use super::tally::Tally;
use super::{ToolError, pause_until, print, stop_on_signal};

/// Lines that may wait for a free connection.
const WAITING_MAX: usize = 256;
/// How often the position in the file is saved.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);
/// Bytes at the beginning of a file by which it is recognised.
const FINGERPRINT_BYTES: usize = 4_096;

/// Which file to post, and how fast.
#[derive(Debug, clap::Args)]
pub struct ReplayArgs {
    /// A file of deliveries as they were posted, one per line.
    file: PathBuf,
    #[command(flatten)]
    target: TargetArgs,
    /// Connections that post at the same time.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    connections: u16,
    /// Most deliveries per second. 0: as fast as the hub accepts them.
    #[arg(long, default_value_t = 0.0, value_parser = rate)]
    rate: f64,
    /// Begin at the first line, whatever was posted before.
    #[arg(long)]
    restart: bool,
}

/// How far a file was posted: every line before `offset` was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Position {
    /// Of the beginning of the file, so that another file of the same name is posted from its beginning.
    fingerprint: u64,
    offset: u64,
    line: u64,
}

/// The number of lines before a line, and the offset at which it begins.
type Spot = (u64, u64);

struct Line {
    spot: Spot,
    body: Vec<u8>,
}

/// Which lines were acknowledged. The position grows when the oldest open line is answered.
struct Progress {
    open: BTreeSet<Spot>,
    sent: Spot,
}

/// Posts the file to its end, or until the program is told to stop.
pub fn run(args: &ReplayArgs) -> Result<(), ToolError> {
    let read_failed = || ToolError::io(format!("cannot read {}", args.file.display()));
    let mut file = BufReader::new(File::open(&args.file).map_err(read_failed())?);
    let size = file.get_ref().metadata().map_err(read_failed())?.len();
    let fingerprint = fingerprint(file.fill_buf().map_err(read_failed())?);
    let record = Record { path: progress_path(&args.file), fingerprint };
    let resumed = if args.restart { None } else { record.load() };
    let first = resumed.unwrap_or(Position { fingerprint, offset: 0, line: 0 });
    file.seek(SeekFrom::Start(first.offset)).map_err(read_failed())?;
    if first.line > 0 {
        print(&format!("resuming after line {}\n", first.line))?;
    }

    let poster = Poster::new(&args.target)?;
    let stop = stop_on_signal()?;
    let (tally, bar) = (Tally::default(), bar(size, first.offset));
    let progress = Mutex::new(Progress { open: BTreeSet::new(), sent: (first.line, first.offset) });
    let (sender, receiver) = sync_channel(WAITING_MAX);
    let receiver = Arc::new(Mutex::new(receiver));
    let outcome = std::thread::scope(|scope| {
        for _ in 0..args.connections {
            let (poster, receiver) = (poster.clone(), Arc::clone(&receiver));
            let (progress, tally, stop, bar) = (&progress, &tally, &stop, &bar);
            scope.spawn(move || post_all(&poster, &receiver, &Shared { progress, tally, stop, bar }));
        }
        drop(receiver);
        let outcome = feed(args, &mut file, &sender, &progress, &record, &stop);
        // The posters wait for more lines as long as a sender exists.
        drop(sender);
        outcome
    });
    bar.finish_and_clear();
    record.save(&progress)?;
    print(&format!("{}\n", tally.summary()))?;
    let progress = progress.into_inner().unwrap_or_else(PoisonError::into_inner);
    if outcome? && progress.open.is_empty() {
        return tally.verdict();
    }
    let line = progress.reached().0;
    Err(ToolError::Found(format!("stopped after line {line}; the same command continues from there")))
}

/// Hands out the lines, and saves up to which all are answered. True where it reached the end of the file.
fn feed(
    args: &ReplayArgs,
    file: &mut impl BufRead,
    sender: &SyncSender<Line>,
    progress: &Mutex<Progress>,
    record: &Record,
    stop: &AtomicBool,
) -> Result<bool, ToolError> {
    let (start, mut saved) = (Instant::now(), Instant::now());
    let mut posted = 0;
    while !stop.load(Ordering::Relaxed) {
        let mut body = Vec::new();
        let length = file.read_until(b'\n', &mut body);
        let length = length.map_err(ToolError::io(format!("cannot read {}", args.file.display())))?;
        if length == 0 {
            return Ok(true);
        }
        pace(args.rate, posted, start, stop);
        if stop.load(Ordering::Relaxed) {
            break;
        }
        posted += 1;
        let body = body.trim_ascii().to_vec();
        let spot = progress.lock().unwrap_or_else(PoisonError::into_inner).hand_out(length, body.is_empty());
        if !body.is_empty() && sender.send(Line { spot, body }).is_err() {
            break;
        }
        if saved.elapsed() >= SAVE_INTERVAL {
            saved = Instant::now();
            record.save(progress)?;
        }
    }
    Ok(false)
}

struct Shared<'a> {
    progress: &'a Mutex<Progress>,
    tally: &'a Tally,
    stop: &'a AtomicBool,
    bar: &'a ProgressBar,
}

fn post_all(poster: &Poster, receiver: &Mutex<Receiver<Line>>, shared: &Shared<'_>) {
    loop {
        let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(line) = next else { return };
        let (outcome, took) = poster.post(&line.body, 1, shared.stop);
        if outcome == PostOutcome::Stopped {
            // Nothing is lost: the next run begins before this line.
            continue;
        }
        shared.tally.count(outcome, took);
        if let PostOutcome::Refused(status) = outcome {
            shared.bar.suspend(|| name_refused(line.spot.0 + 1, status));
        }
        let mut progress = shared.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.open.remove(&line.spot);
        shared.bar.set_position(progress.reached().1);
    }
}

/// Printed, because the bar shows nothing where there is no terminal, and logs should have it too.
#[expect(clippy::print_stderr, reason = "trouble goes where people look, not into a pipe")]
fn name_refused(line: u64, status: u16) {
    eprintln!("line {line} was refused with {status}");
}

impl Progress {
    /// Notes the next line. An empty one needs no answer.
    fn hand_out(&mut self, length: usize, empty: bool) -> Spot {
        let spot = self.sent;
        self.sent = (spot.0 + 1, spot.1 + length as u64);
        if !empty {
            self.open.insert(spot);
        }
        spot
    }

    /// The line and the offset before which everything is answered.
    fn reached(&self) -> (u64, u64) {
        self.open.first().copied().unwrap_or(self.sent)
    }
}

fn pace(rate: f64, posted: u64, begun: Instant, stop: &AtomicBool) {
    if rate > 0.0 {
        #[expect(clippy::cast_precision_loss, reason = "a pace for people")]
        let due = begun + Duration::from_secs_f64(posted as f64 / rate);
        pause_until(due, stop);
    }
}

fn bar(size: u64, from: u64) -> ProgressBar {
    let bar = ProgressBar::new(size).with_position(from);
    let style = "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta} left";
    bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_wrong| ProgressStyle::default_bar()));
    bar
}

/// FNV-1a, because the standard library's hash may change between compilers.
fn fingerprint(beginning: &[u8]) -> u64 {
    let known = beginning.iter().take(FINGERPRINT_BYTES);
    known.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn progress_path(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".progress");
    PathBuf::from(name)
}

/// The file beside the deliveries in which it is saved how far they were posted.
struct Record {
    path: PathBuf,
    fingerprint: u64,
}

impl Record {
    /// Where the last run of the same file ended; `None` where there was none.
    fn load(&self) -> Option<Position> {
        let text = std::fs::read_to_string(&self.path).ok()?;
        serde_json::from_str::<Position>(&text)
            .ok()
            .filter(|position| position.fingerprint == self.fingerprint)
    }

    /// Written into another file and moved, so that after a crash there is the old content or the new one.
    fn save(&self, progress: &Mutex<Progress>) -> Result<(), ToolError> {
        let (line, offset) = progress.lock().unwrap_or_else(PoisonError::into_inner).reached();
        let failed = || ToolError::io(format!("cannot write {}", self.path.display()));
        let position = Position { fingerprint: self.fingerprint, offset, line };
        let text = serde_json::to_vec(&position).map_err(|error| failed()(error.into()))?;
        let beside = self.path.with_extension("progress.new");
        let mut file = File::create(&beside).map_err(failed())?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(failed())?;
        std::fs::rename(&beside, &self.path).map_err(failed())
    }
}
