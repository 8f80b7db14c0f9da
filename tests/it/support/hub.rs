//! The real binary on a free port with a database of its own. It is killed and removed at the end of the test.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body};

use super::joined;
use super::provider::Provider;
use super::screen::Screen;

/// A hub with default settings, except for the limits that a test would run into.
pub fn spawn_hub() -> Hub {
    hub_with(&[])
}

/// A hub with these settings.
pub fn hub_with(settings: &[(&str, &str)]) -> Hub {
    let home = Arc::new(tempfile::tempdir().expect("a temporary directory"));
    start(home, settings, &[])
}

/// A hub on the files in this folder.
pub fn start_in(home: TempDir) -> Hub {
    start(Arc::new(home), &[], &[])
}

/// A hub on the files in this folder with these settings. It is started through another program, which becomes
/// the hub (`prlimit …`) or traces it (`strace -D …`).
pub fn start_through(launcher: &[&str], home: TempDir, settings: &[(&str, &str)]) -> Hub {
    start(Arc::new(home), settings, launcher)
}

/// A running hub.
pub struct Hub {
    process: Child,
    address: SocketAddr,
    home: Arc<TempDir>,
    settings: Vec<(String, String)>,
    agent: Agent,
}

/// Variables that change a process's clock or time zone, as `scripts/flakes.sh` sets them.
const CLOCK_VARIABLES: [&str; 6] = [
    "TZ",
    "LD_PRELOAD",
    "FAKETIME",
    "FAKETIME_SHARED",
    "FAKETIME_DONT_FAKE_MONOTONIC",
    "DONT_FAKE_MONOTONIC",
];

/// The part of this test's environment that a hub must share to have the same clock.
pub fn clock_variables() -> impl Iterator<Item = (&'static str, OsString)> {
    CLOCK_VARIABLES.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)))
}

/// Prepares the binary: a free port, a database of its own, and nothing of the developer's environment but the
/// clock.
pub fn command(home: &Path) -> Command {
    command_through(&[], home)
}

/// Prepares the binary to be started through another program. `MEASURED_HUB` names the optimised one.
pub fn command_through(launcher: &[&str], home: &Path) -> Command {
    let measured = std::env::var_os("MEASURED_HUB");
    let program = measured.as_deref().unwrap_or_else(|| env!("CARGO_BIN_EXE_umbler-hub").as_ref());
    let words: Vec<&OsStr> = launcher.iter().map(OsStr::new).chain([program]).collect();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
        .env_clear()
        .envs(clock_variables())
        .envs(joined::known(home))
        .current_dir(home)
        .env("PORT", "0")
        .env("DATABASE_PATH", home.join("hub.db"))
        .env("RATE_LIMIT_REST_PER_SECOND", "0")
        .env("RATE_LIMIT_CONNECTS_PER_SECOND", "0");
    command
}

/// Runs a hub that must refuse to start, and returns its exit code and output. A hub that starts anyway is
/// ended.
pub fn refuses_to_serve(command: &mut Command) -> (Option<i32>, String) {
    let pipes = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = pipes.spawn().expect("the binary runs");
    let mut served = String::new();
    let out = process.stdout.take().expect("its output is piped");
    BufReader::new(out).read_line(&mut served).expect("its output is text");
    if !served.is_empty() {
        process.kill().expect("it runs");
    }
    let output = process.wait_with_output().expect("it ended");
    assert!(served.is_empty(), "it serves: {served}");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn start(home: Arc<TempDir>, settings: &[(&str, &str)], launcher: &[&str]) -> Hub {
    let log = File::options().create(true).append(true).open(home.path().join("hub.log")).expect("a log");
    let joined = joined::settings(home.path(), settings);
    let mut process = command_through(launcher, home.path())
        .envs(settings.iter().copied())
        .envs(joined)
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("the binary runs");
    let mut line = String::new();
    let out = process.stdout.take().expect("its output is piped");
    BufReader::new(out).read_line(&mut line).expect("its output is text");
    let address = line.trim().strip_prefix("listening on http://").and_then(|address| address.parse().ok());
    let Some(address) = address else {
        let log = std::fs::read_to_string(home.path().join("hub.log")).unwrap_or_default();
        panic!("the hub did not start: {line}{log}");
    };
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let agent = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(super::PATIENCE))
        .build()
        .new_agent();
    Hub { process, address, home, settings, agent }
}

impl Hub {
    /// The address that the hub listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of a page.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The provider, posting to this hub.
    pub fn provider(&self) -> Provider<'_> {
        Provider::new(self)
    }

    /// Connects a screen.
    pub fn screen(&self) -> Screen {
        Screen::connect(self)
    }

    /// The HTTP client of this test.
    pub fn agent(&self) -> &Agent {
        &self.agent
    }

    /// Sends a GET request.
    pub fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    /// Sends a GET request with these headers.
    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.agent.get(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::from(request.call().expect("the hub answers"))
    }

    /// Sends a PUT request with JSON.
    pub fn put(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut request = self.agent.put(self.url(path)).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::from(request.send(body.to_string()).expect("the hub answers"))
    }

    /// Sends a DELETE request.
    pub fn delete(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.agent.delete(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::from(request.call().expect("the hub answers"))
    }

    /// Sets the name of an agent, or removes it, even if there is none.
    pub fn names(&self, agent: &str, name: Option<&str>, token: &str) {
        let (path, bearer) = (format!("/api/umbler/members/{agent}"), format!("Bearer {token}"));
        let headers = [("authorization", bearer.as_str())];
        let answer = match name {
            Some(name) => self.put(&path, &headers, &serde_json::json!({ "name": name })),
            None => self.delete(&path, &headers),
        };
        assert!(answer.status == 200 || name.is_none() && answer.status == 404, "{}", answer.text);
    }

    /// Sends a GET request whose answer may not be text, and returns the status.
    pub fn status_of(&self, path: &str) -> u16 {
        self.agent.get(self.url(path)).call().expect("the hub answers").status().as_u16()
    }

    /// Sends a GET request that must succeed, and returns the content.
    pub fn json(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    /// Waits until the metrics contain everything that was acknowledged, and returns the live ones.
    pub fn caught_up_metrics(&self) -> Value {
        let newest = self.json("/health")["seq"].as_i64();
        loop {
            let answer = self.get("/api/umbler/metrics/live");
            if answer.status == 503 {
                // The file of the metrics does not exist yet.
                continue;
            }
            assert_eq!(answer.status, 200, "{}", answer.text);
            let live = answer.json();
            if live["asOfSeq"].as_i64() >= newest && live["rebuilding"].is_null() {
                return live;
            }
        }
    }

    /// The value of a row of `/metrics` without labels.
    pub fn counter(&self, row: &str) -> u64 {
        let metrics = self.get("/metrics").text;
        let said = metrics.lines().find_map(|line| line.strip_prefix(row)?.strip_prefix(' '));
        said.expect(row).parse().expect(row)
    }

    /// Kills the hub and starts it again on the same database.
    pub fn restarted(mut self) -> Self {
        self.kill();
        self.started_again()
    }

    /// Starts it again on the same database after it ended.
    pub fn started_again(self) -> Self {
        let settings: Vec<(&str, &str)> =
            self.settings.iter().map(|(name, value)| (&**name, &**value)).collect();
        start(Arc::clone(&self.home), &settings, &[])
    }

    /// Starts it again on the same database, with these settings instead.
    pub fn started_again_with(self, settings: &[(&str, &str)]) -> Self {
        start(Arc::clone(&self.home), settings, &[])
    }

    /// Starts it again at the same address after it ended, as a service manager does.
    pub fn started_again_at_its_address(self) -> Self {
        let port = self.address.port().to_string();
        let mut settings: Vec<(&str, &str)> =
            self.settings.iter().map(|(name, value)| (&**name, &**value)).collect();
        settings.push(("PORT", &port));
        start(Arc::clone(&self.home), &settings, &[])
    }

    /// The id of its process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait().expect("the hub ended")
    }

    /// Kills it with `kill -9`.
    pub fn kill(&mut self) {
        self.process.kill().expect("the hub was running");
        self.process.wait().expect("the hub ended");
    }

    /// Sends `SIGTERM` and waits until it has ended.
    pub fn stop(&mut self) -> ExitStatus {
        self.terminate();
        self.process.wait().expect("the hub ended")
    }

    /// Sends `SIGTERM`.
    pub fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("the hub was running");
    }

    /// Has it stand still, or go on.
    pub fn stand_still(&self, is_still: bool) {
        let signal = if is_still { rustix::process::Signal::STOP } else { rustix::process::Signal::CONT };
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, signal).expect("the hub was running");
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("hub.log")).unwrap_or_default()
    }

    /// Path of its database.
    pub fn database(&self) -> PathBuf {
        self.home.path().join("hub.db")
    }

    /// Path of its folder.
    pub fn home(&self) -> &Path {
        self.home.path()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        // It may have ended during the test, and how it ended is the first thing to know where the test failed.
        let ended = self.process.try_wait().ok().flatten();
        drop(self.process.kill());
        drop(self.process.wait());
        if std::thread::panicking() {
            let (ended, log) = (ended.map(|status| status.to_string()), self.log());
            eprintln!("the hub had {}; its log:\n{log}", ended.as_deref().unwrap_or("not ended"));
        }
    }
}

/// An answer of the hub.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl From<Response<Body>> for Answer {
    fn from(mut response: Response<Body>) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.body_mut().read_to_string().expect("the content is text"),
        }
    }
}

impl Answer {
    /// The content as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// One header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Asserts that it is a refusal with this status and code.
    pub fn refuses(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        let error = self.json()["error"].clone();
        assert_eq!(error["code"], code, "{}", self.text);
        error
    }
}
