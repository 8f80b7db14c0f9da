//! Faults for a running hub, made with tools of the operating system; and what a test does where such a tool is
//! missing.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rusqlite::Connection;

use super::Hub;

/// Set where every test must run: a test that would be skipped fails.
const REQUIRED: &str = "REQUIRE_ALL_TESTS";

/// A file to which every skipped test adds a line.
const LOG: &str = "SKIPPED_TESTS_LOG";

/// Says that a test cannot run here. The runner counts it as passed; its output says SKIPPED, the summary of
/// `test.sh` lists it, and with `REQUIRE_ALL_TESTS` set it fails.
#[expect(clippy::print_stdout, reason = "the runner shows what a test prints")]
pub fn skip(why: &str) {
    let required = std::env::var_os(REQUIRED).is_some();
    assert!(!required, "cannot be run here: {why}");
    println!("SKIPPED: {why}");
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    if let Some(log) = std::env::var_os(LOG) {
        let mut log = File::options().create(true).append(true).open(log).expect("the log of skipped tests");
        writeln!(log, "{name}: {why}").expect("written");
    }
}

/// Runs a tool; true where it succeeded.
pub fn run(tool: &str, arguments: &[&str]) -> bool {
    let done = Command::new(tool).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    done.is_ok_and(|status| status.success())
}

/// True where programs can be traced here.
pub fn can_trace() -> bool {
    run("strace", &["-f", "-qq", "-o", "/dev/null", "true"])
}

/// True where this process has the rights of root.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Limits the size of the hub's files from now on; `None`: no limit.
pub fn limit_file_size(hub: &Hub, bytes: Option<u64>) {
    // The hard limit is not changed, so that the fault can be taken back without root.
    let limit = bytes.map_or("unlimited:".to_owned(), |bytes| format!("{bytes}:"));
    let pid = hub.pid().to_string();
    assert!(run("prlimit", &["--pid", &pid, &format!("--fsize={limit}")]), "prlimit is part of util-linux");
}

/// A small disk that exists until the end of the test.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where this process may not mount a disk.
    pub fn mount(at: &Path, bytes: u64) -> Option<Self> {
        std::fs::create_dir_all(at).expect("a folder");
        let size = format!("size={bytes}");
        let mounted =
            run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs", at.to_str().expect("a plain path")]);
        mounted.then(|| Self(at.to_path_buf()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        run("umount", &["-l", self.0.to_str().expect("a plain path")]);
    }
}

/// Overwrites the first page of a table or index in a database that nobody uses.
pub fn damage(database: &Path, name: &str) {
    let connection = Connection::open(database).expect("the database");
    let page: u32 = connection
        .query_row("SELECT rootpage FROM sqlite_master WHERE name = ?1", [name], |row| row.get(0))
        .expect("a page");
    drop(connection);
    let mut bytes = std::fs::read(database).expect("the database");
    let page = usize::try_from(page).expect("a small number");
    bytes[(page - 1) * 4_096..page * 4_096].fill(0xaa);
    std::fs::write(database, bytes).expect("written");
}
