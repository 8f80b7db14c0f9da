//! The benchmarks: `cargo bench`, or `cargo bench -- [PART | SIZE]... [--quick]`. Method and figures: docs/performance.md.
//!
//! The server is always the release binary in a process of its own; the load is this process. Where both have a core
//! to themselves, the server has core 0. Everything runs on loopback, bounded in number and time.

mod figures;
mod table;
mod machine;
mod frames;
mod deliveries;
mod process;
mod screens;
mod senders;
mod stream;
mod raw_server;
mod fan_out;
mod raw_journal;
mod ingest;
mod memory;
mod reconnect;
mod stalled;
mod metrics_live;
mod history;
mod scopes;
mod bucket;
mod privacy;
mod retention;
mod erasure;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

/// How much is measured.
pub struct Plan {
    /// How often hub and baseline take turns.
    pub rounds: usize,
    /// Fewer and shorter runs, for a first look.
    pub quick: bool,
    /// Only rows of these sizes, where any are named.
    pub sizes: Vec<usize>,
    files: u64,
}

/// A part's name and what measures it.
type Part = (&'static str, fn(&Plan) -> io::Result<()>);

const PARTS: &[Part] = &[
    ("fan-out", fan_out::measure),
    ("ingest", ingest::measure),
    ("memory", memory::measure),
    ("reconnect", reconnect::measure),
    ("stalled", stalled::measure),
    ("metrics-live", metrics_live::measure),
    ("start", history::measure_start),
    ("reads", history::measure_reads),
    ("scopes", scopes::measure),
    ("privacy", privacy::measure),
    ("retention", retention::measure),
    ("erasure", erasure::measure),
];

/// Open files beside those of the screens.
const FILES_SPARE: u64 = 200;

impl Plan {
    fn new(quick: bool, sizes: Vec<usize>) -> io::Result<Self> {
        Ok(Self { rounds: if quick { 3 } else { 5 }, quick, sizes, files: machine::raise_file_limit()? })
    }

    /// A number of repetitions, fewer in a quick run.
    pub fn scaled(&self, count: usize) -> usize {
        if self.quick { count.div_ceil(3) } else { count }
    }

    /// True for a size that is to be measured.
    pub fn wants(&self, size: usize) -> bool {
        self.sizes.is_empty() || self.sizes.contains(&size)
    }

    /// Open files that are left beside those of so many screens.
    pub fn files_left(&self, screens: usize) -> usize {
        usize::try_from(self.files.saturating_sub(FILES_SPARE)).unwrap_or(usize::MAX).saturating_sub(screens)
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = if arguments.iter().any(|argument| argument == raw_server::ROLE) {
        raw_server::run()
    } else {
        run(&arguments)
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(io::stderr(), "benchmark: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> io::Result<()> {
    // `cargo bench` adds `--bench`; `cargo test --benches` does not, and wants nothing measured.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let words = arguments.iter().map(String::as_str).filter(|argument| !argument.starts_with("--"));
    let (sizes, names): (Vec<&str>, Vec<&str>) = words.partition(|word| word.parse::<usize>().is_ok());
    if let Some(unknown) = names.iter().find(|name| PARTS.iter().all(|(part, _)| part != *name)) {
        let known: Vec<&str> = PARTS.iter().map(|(part, _)| *part).collect();
        return Err(io::Error::other(format!("no part {unknown}; there are {}", known.join(", "))));
    }
    if !machine::has_two_cores()? {
        return Err(io::Error::other("server and load need a core each: cores 0 and 1 must be free to use"));
    }
    machine::pin(&[machine::LOAD_CORE])?;
    let sizes = sizes.iter().filter_map(|size| size.parse().ok()).collect();
    let plan = Plan::new(arguments.iter().any(|argument| argument == "--quick"), sizes)?;
    let begun = Instant::now();
    writeln!(io::stdout(), "{}; load before {}", machine::describe(), machine::load_average())?;
    for (name, measure) in PARTS {
        if names.is_empty() || names.contains(name) {
            measure(&plan)?;
        }
    }
    writeln!(io::stdout(), "\n{:.0} s; load after {}", begun.elapsed().as_secs_f64(), machine::load_average())
}
