//! What a traced hub asked of the disk, and what would be left after a power cut.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Hub, PATIENCE};

/// The size in bytes that a disk writes completely or not at all.
const SECTOR: usize = 512;

/// The switches of `strace` that write such a trace into this file. The hub stays its own process, with the
/// tracer as its child.
pub fn launcher(trace: &str) -> Vec<&str> {
    let calls = "trace=pwrite64,fsync,fdatasync,ftruncate,sendto";
    vec!["strace", "-D", "-f", "-q", "-y", "-xx", "-s", "5000", "-o", trace, "-e", calls]
}

/// One thing that the hub did, in the order in which the kernel was asked.
#[derive(Debug)]
pub enum Step {
    /// Bytes were written at an offset.
    Write { file: PathBuf, offset: usize, bytes: Vec<u8> },
    /// A file was truncated.
    Truncate { file: PathBuf, length: usize },
    /// A file is on the disk up to this step, which is an index into the steps.
    Synced { file: PathBuf, up_to: usize },
    /// Bytes were sent to a peer.
    Sent { bytes: Vec<u8> },
}

/// Reads the trace of a hub that was killed, once it is complete.
pub fn read(trace: &Path, hub: &Hub) -> Vec<Step> {
    let pid = hub.pid().to_string();
    // The id of the process is padded to a column.
    let end = |line: &str| line.contains("+++ killed by SIGKILL") && line.split(' ').next() == Some(&*pid);
    let begun = std::time::Instant::now();
    let mut text = std::fs::read_to_string(trace).expect("a trace");
    while !text.lines().rev().any(end) {
        assert!(begun.elapsed() < PATIENCE, "the trace does not end");
        text = std::fs::read_to_string(trace).expect("a trace");
    }
    let mut steps = Vec::new();
    let mut unfinished: BTreeMap<&str, (String, usize)> = BTreeMap::new();
    for line in text.lines() {
        let Some((pid, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        if let Some(begun) = call.strip_suffix(" <unfinished ...>") {
            // What is sent may arrive before the call returns.
            if begun.starts_with("sendto(") {
                steps.extend(step(begun, steps.len()));
            }
            unfinished.insert(pid, (begun.to_owned(), steps.len()));
        } else if let Some(rest) = call.strip_prefix("<... ") {
            let Some((begun, at)) = unfinished.remove(pid) else { continue };
            if !begun.starts_with("sendto(") && succeeded(rest) {
                steps.extend(step(&begun, at));
            }
        } else if succeeded(call) || (call.starts_with("sendto(") && call.ends_with("= ?")) {
            steps.extend(step(call, steps.len()));
        }
    }
    steps
}

fn succeeded(call: &str) -> bool {
    call.rsplit_once(" = ").is_some_and(|(_, result)| !result.starts_with('-') && !result.starts_with('?'))
}

/// `name(fd<path>, "bytes", …`; `begun_at` is the number of steps before the call began.
fn step(call: &str, begun_at: usize) -> Option<Step> {
    let (name, arguments) = call.split_once('(')?;
    let (_, rest) = arguments.split_once('<')?;
    let (path, rest) = rest.split_once('>')?;
    let file = PathBuf::from(String::from_utf8(unescape(path)?).ok()?);
    let number = |text: &str| {
        text.trim_end_matches(|c: char| !c.is_ascii_digit()).rsplit([' ', ',']).next()?.parse().ok()
    };
    match name {
        "fsync" | "fdatasync" => Some(Step::Synced { file, up_to: begun_at }),
        "ftruncate" => Some(Step::Truncate { file, length: number(rest.split(')').next()?)? }),
        "pwrite64" => {
            let (_, rest) = rest.split_once('"')?;
            let (bytes, rest) = rest.split_once('"')?;
            let bytes = unescape(bytes)?;
            let mut numbers = rest.trim_start_matches(", ").split([',', ')']);
            let length: usize = numbers.next()?.trim().parse().ok()?;
            assert_eq!(bytes.len(), length, "the trace holds all bytes");
            Some(Step::Write { file, offset: numbers.next()?.trim().parse().ok()?, bytes })
        }
        "sendto" => {
            let (_, rest) = rest.split_once('"')?;
            Some(Step::Sent { bytes: unescape(rest.split_once('"')?.0)? })
        }
        _ => None,
    }
}

/// `\x41\x42`.
pub(super) fn unescape(text: &str) -> Option<Vec<u8>> {
    text.split("\\x").skip(1).map(|byte| u8::from_str_radix(byte, 16).ok()).collect()
}

/// What a power cut does to writes that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsynced {
    /// All of them are lost.
    Lost,
    /// Each may have reached the disk or not, partly or completely, in any order.
    Scattered,
    /// All of them have reached the disk.
    Kept,
}

/// The content of `file` after a power cut following the first `cut` steps. `before` is its content at the
/// start.
pub fn after_power_cut(
    steps: &[Step],
    cut: usize,
    file: &Path,
    before: Option<Vec<u8>>,
    unsynced: Unsynced,
    random: &mut impl rand::RngExt,
) -> Option<Vec<u8>> {
    let steps = &steps[..cut];
    let durable = steps.iter().filter_map(|step| match step {
        Step::Synced { file: synced, up_to } if synced == file => Some(*up_to),
        Step::Synced { .. } | Step::Write { .. } | Step::Truncate { .. } | Step::Sent { .. } => None,
    });
    let durable = durable.max().unwrap_or(0);
    let mut content = before;
    for (at, step) in steps.iter().enumerate() {
        let reaches = at < durable
            || match unsynced {
                Unsynced::Lost => false,
                Unsynced::Kept => true,
                Unsynced::Scattered => random.random(),
            };
        match step {
            Step::Write { file: written, offset, bytes } if written == file && reaches => {
                let sectors = bytes.len().div_ceil(SECTOR);
                let torn = at >= durable && unsynced == Unsynced::Scattered;
                let length = if torn { random.random_range(0..=sectors) * SECTOR } else { bytes.len() };
                let bytes = &bytes[..length.min(bytes.len())];
                let content = content.get_or_insert_default();
                content.resize(content.len().max(offset + bytes.len()), 0);
                content[*offset..offset + bytes.len()].copy_from_slice(bytes);
            }
            Step::Truncate { file: cut, length } if cut == file && reaches => {
                content.get_or_insert_default().resize(*length, 0);
            }
            Step::Write { .. } | Step::Truncate { .. } | Step::Synced { .. } | Step::Sent { .. } => {}
        }
    }
    content
}
