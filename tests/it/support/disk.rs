//! What a traced program asked of its files, with names, and the folder that would be left after a power cut at a moment.
//!
//! The model of the disk: making, renaming and removing a name is durable at once, and a write reaches the disk whole or not at all.
//! What was not synced may be lost.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::PATIENCE;
use super::trace::{Unsynced, unescape};

/// The switches of `strace` that write such a trace, a file for each thread, with this path before the thread's number.
pub fn launcher(trace: &str) -> Vec<&str> {
    let calls = "trace=openat,write,pwrite64,lseek,ftruncate,truncate,fsync,fdatasync,renameat,renameat2,unlinkat,mkdirat";
    let calls = ["-e", calls, "-o", trace];
    let switches = ["strace", "-D", "-ff", "-ttt", "-T", "-q", "-y", "-xx", "-s", "16000000"];
    [&switches[..], &calls[..]].concat()
}

/// Everything that was asked, in the order in which it was done.
pub struct DiskTrace(Vec<Call>);

struct Call {
    /// Seconds since 1970.
    begun: f64,
    ended: f64,
    what: What,
}

enum What {
    Open { path: PathBuf, handle: i32, flags: String },
    Write { handle: i32, offset: Option<usize>, bytes: Vec<u8> },
    Seek { handle: i32, to: usize },
    Truncate { handle: i32, length: usize },
    Sync { handle: i32 },
    Rename { from: PathBuf, to: PathBuf },
    Remove { path: PathBuf },
    Folder { path: PathBuf },
}

/// A folder's files and subfolders.
#[derive(Default)]
pub struct Content {
    pub folders: BTreeSet<PathBuf>,
    pub files: BTreeMap<PathBuf, Vec<u8>>,
}

impl DiskTrace {
    /// Reads the trace of a program that was killed, once it is complete: what it asked of files in this folder.
    pub fn read(trace: &Path, folder: &Path) -> Self {
        let begun = std::time::Instant::now();
        let texts = loop {
            assert!(begun.elapsed() < PATIENCE, "the trace does not end");
            let texts = thread_texts(trace);
            let is_over = |text: &String| text.trim_end().ends_with("+++");
            if !texts.is_empty() && texts.iter().all(is_over) {
                break texts;
            }
        };
        let lines = texts.iter().flat_map(|text| text.lines());
        let mut calls: Vec<Call> = lines.filter_map(|line| call(line, folder)).collect();
        calls.sort_by(|one, other| one.ended.total_cmp(&other.ended));
        Self(calls)
    }

    /// What would be left of a folder that was empty at the beginning after a power cut at this moment.
    pub fn after_power_cut(&self, at: f64, unsynced: Unsynced, random: &mut impl rand::RngExt) -> Content {
        let mut disk = Disk::default();
        for call in self.0.iter().take_while(|call| call.ended <= at) {
            disk.take(call);
        }
        disk.left(unsynced, random)
    }
}

/// The texts of all threads.
fn thread_texts(trace: &Path) -> Vec<String> {
    let name = format!("{}.", trace.file_name().expect("a name").to_string_lossy());
    let entries = std::fs::read_dir(trace.parent().expect("a folder")).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let own =
        paths.filter(|path| path.file_name().is_some_and(|own| own.to_string_lossy().starts_with(&name)));
    own.map(|path| std::fs::read_to_string(path).expect("a trace")).collect()
}

/// `SECONDS name(arguments) = result <SECONDS>`, where it is about this folder and was done.
fn call(line: &str, folder: &Path) -> Option<Call> {
    let (begun, rest) = line.split_once(' ')?;
    let begun: f64 = begun.parse().ok()?;
    let (name, rest) = rest.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(") = ").or_else(|| rest.rsplit_once(") "))?;
    let result = result.trim_start_matches(['=', ' ']);
    let (value, took) = result.rsplit_once(" <")?;
    if value.starts_with('-') || value.starts_with('?') {
        return None;
    }
    let ended = begun + took.trim_end_matches('>').parse::<f64>().ok()?;
    let what = what(name, arguments, value, folder)?;
    Some(Call { begun, ended, what })
}

fn what(name: &str, arguments: &str, value: &str, folder: &Path) -> Option<What> {
    let parts: Vec<&str> = arguments.split(", ").collect();
    let inside = |path: PathBuf| path.starts_with(folder).then_some(path);
    let named = |at: usize| Some(inside(path_at(parts.get(at)?, parts.get(at + 1)?)?)).flatten();
    match name {
        "openat" => {
            let handle = number_of(value)?;
            Some(What::Open { path: named(0)?, handle, flags: (*parts.get(2)?).to_owned() })
        }
        "renameat" | "renameat2" => Some(What::Rename { from: named(0)?, to: named(2)? }),
        "unlinkat" => Some(What::Remove { path: named(0)? }),
        "mkdirat" => Some(What::Folder { path: named(0)? }),
        _ => {
            inside(path_in(parts.first()?)?)?;
            on_handle(name, &parts, value)
        }
    }
}

fn on_handle(name: &str, parts: &[&str], value: &str) -> Option<What> {
    let handle = number_of(parts.first()?)?;
    let bytes = || unescape(parts.get(1)?.trim_matches('"'));
    match name {
        "write" => Some(What::Write { handle, offset: None, bytes: bytes()? }),
        "pwrite64" => {
            Some(What::Write { handle, offset: Some(parts.get(3)?.parse().ok()?), bytes: bytes()? })
        }
        "lseek" => Some(What::Seek { handle, to: value.trim().parse().ok()? }),
        "ftruncate" => Some(What::Truncate { handle, length: parts.get(1)?.parse().ok()? }),
        "fsync" | "fdatasync" => Some(What::Sync { handle }),
        _ => None,
    }
}

/// `7<\x2f…>`.
fn number_of(text: &str) -> Option<i32> {
    text.split('<').next()?.trim().parse().ok()
}

fn path_in(text: &str) -> Option<PathBuf> {
    let path = text.split_once('<')?.1.rsplit_once('>')?.0;
    Some(PathBuf::from(String::from_utf8(unescape(path)?).ok()?))
}

/// A name, and the folder that it counts from.
fn path_at(folder: &str, name: &str) -> Option<PathBuf> {
    let name = String::from_utf8(unescape(name.trim_matches('"'))?).ok()?;
    Some(path_in(folder).unwrap_or_default().join(name))
}

#[derive(Default)]
struct Disk {
    folders: BTreeSet<PathBuf>,
    names: BTreeMap<PathBuf, usize>,
    files: Vec<Vec<Change>>,
    handles: HashMap<i32, Handle>,
}

struct Handle {
    file: usize,
    at: usize,
    appends: bool,
    /// Every write is synced.
    syncs: bool,
}

struct Change {
    ended: f64,
    is_synced: bool,
    kind: ChangeKind,
}

enum ChangeKind {
    Bytes(usize, Vec<u8>),
    Length(usize),
}

impl Disk {
    fn take(&mut self, call: &Call) {
        match &call.what {
            What::Open { path, handle, flags } => self.open(path, *handle, flags, call.ended),
            What::Write { handle, offset, bytes } => self.write(*handle, *offset, bytes, call.ended),
            What::Seek { handle, to } => {
                if let Some(handle) = self.handles.get_mut(handle) {
                    handle.at = *to;
                }
            }
            What::Truncate { handle, length } => {
                if let Some(handle) = self.handles.get(handle) {
                    let kind = ChangeKind::Length(*length);
                    self.files[handle.file].push(Change { ended: call.ended, is_synced: false, kind });
                }
            }
            What::Sync { handle } => {
                if let Some(handle) = self.handles.get(handle) {
                    let earlier =
                        self.files[handle.file].iter_mut().filter(|change| change.ended <= call.begun);
                    earlier.for_each(|change| change.is_synced = true);
                }
            }
            What::Rename { from, to } => self.rename(from, to),
            What::Remove { path } => {
                self.names.remove(path);
                self.folders.remove(path);
            }
            What::Folder { path } => {
                self.folders.insert(path.clone());
            }
        }
    }

    fn open(&mut self, path: &Path, handle: i32, flags: &str, ended: f64) {
        let has = |flag: &str| flags.split('|').any(|each| each == flag);
        // What is there already and not known is a folder.
        if !has("O_CREAT") && !self.names.contains_key(path) {
            self.handles.remove(&handle);
            return;
        }
        let files = &mut self.files;
        let file = *self.names.entry(path.to_path_buf()).or_insert_with(|| {
            files.push(Vec::new());
            files.len() - 1
        });
        let syncs = has("O_SYNC") || has("O_DSYNC");
        if has("O_TRUNC") {
            self.files[file].push(Change { ended, is_synced: syncs, kind: ChangeKind::Length(0) });
        }
        self.handles.insert(handle, Handle { file, at: 0, appends: has("O_APPEND"), syncs });
    }

    fn write(&mut self, handle: i32, offset: Option<usize>, bytes: &[u8], ended: f64) {
        let Some(handle) = self.handles.get_mut(&handle) else { return };
        let changes = &mut self.files[handle.file];
        let at = offset.unwrap_or_else(|| if handle.appends { length(changes) } else { handle.at });
        if offset.is_none() {
            handle.at = at + bytes.len();
        }
        let kind = ChangeKind::Bytes(at, bytes.to_vec());
        changes.push(Change { ended, is_synced: handle.syncs, kind });
    }

    /// A folder takes with it what is in it.
    fn rename(&mut self, from: &Path, to: &Path) {
        let moved = |path: &Path| match path.strip_prefix(from) {
            Ok(rest) if rest.as_os_str().is_empty() => to.to_path_buf(),
            Ok(rest) => to.join(rest),
            Err(_) => path.to_path_buf(),
        };
        let is_moved = |path: &PathBuf| path.starts_with(from);
        let names: Vec<PathBuf> = self.names.keys().filter(|path| is_moved(path)).cloned().collect();
        for name in names {
            let file = self.names.remove(&name).expect("it is there");
            self.names.insert(moved(&name), file);
        }
        self.folders = self.folders.iter().map(|path| moved(path)).collect();
    }

    fn left(self, unsynced: Unsynced, random: &mut impl rand::RngExt) -> Content {
        let mut content = Content { folders: self.folders, files: BTreeMap::new() };
        for (name, file) in self.names {
            let mut bytes: Vec<u8> = Vec::new();
            for change in &self.files[file] {
                let reaches = change.is_synced
                    || match unsynced {
                        Unsynced::Lost => false,
                        Unsynced::Kept => true,
                        Unsynced::Scattered => random.random(),
                    };
                if reaches {
                    apply(&mut bytes, &change.kind);
                }
            }
            content.files.insert(name, bytes);
        }
        content
    }
}

fn length(changes: &[Change]) -> usize {
    changes.iter().fold(0, |length, change| match &change.kind {
        ChangeKind::Bytes(at, bytes) => length.max(at + bytes.len()),
        ChangeKind::Length(length) => *length,
    })
}

fn apply(content: &mut Vec<u8>, kind: &ChangeKind) {
    match kind {
        ChangeKind::Length(length) => content.resize(*length, 0),
        ChangeKind::Bytes(at, bytes) => {
            content.resize(content.len().max(at + bytes.len()), 0);
            content[*at..at + bytes.len()].copy_from_slice(bytes);
        }
    }
}

impl Content {
    /// Puts it into a folder, from which it is taken away before: all names lie in it.
    pub fn place(&self, folder: &Path) {
        if folder.exists() {
            std::fs::remove_dir_all(folder).expect("removed");
        }
        std::fs::create_dir_all(folder).expect("a folder");
        for path in &self.folders {
            std::fs::create_dir_all(path).expect("a folder");
        }
        for (path, bytes) in &self.files {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, bytes).expect("written");
        }
    }
}
