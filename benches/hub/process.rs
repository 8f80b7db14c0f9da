//! The hub as a process of its own: the release binary with its defaults, a free port and a database of its own.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::machine::{LOAD_CORE, SERVER_CORE, pin};

/// Longest wait for a server to listen, or to answer one request.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running hub; killed when dropped.
pub struct Hub {
    process: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// From its start until it answered `/health`.
    pub started_in: Duration,
}

/// Where a hub runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On the server's core alone, with one worker.
    OneCore,
    /// On both cores, which it shares with the load.
    BothCores,
}

impl Hub {
    /// Starts a hub on the database `hub.db` in this folder.
    ///
    /// Everything is as it comes out of the box, access log included, but for limits per address: all load comes
    /// from one machine.
    pub fn start(folder: &Path, place: Place) -> io::Result<Self> {
        Self::start_with(folder, place, &[])
    }

    /// The same with these settings besides.
    pub fn start_with(folder: &Path, place: Place, settings: &[(&str, &str)]) -> io::Result<Self> {
        Self::start_program(None, folder, place, settings)
    }

    /// The same of another build of the hub, where one is named.
    pub fn start_program(
        program: Option<&Path>,
        folder: &Path,
        place: Place,
        settings: &[(&str, &str)],
    ) -> io::Result<Self> {
        let log = File::options().create(true).append(true).open(folder.join("hub.log"))?;
        let mut command = Command::new(program.unwrap_or(Path::new(env!("CARGO_BIN_EXE_umbler-hub"))));
        command
            .env_clear()
            .current_dir(folder)
            .env("PORT", "0")
            .env("DATABASE_PATH", folder.join("hub.db"))
            .env("MAX_SESSIONS_PER_ADDRESS", "0")
            .env("RATE_LIMIT_REST_PER_SECOND", "0")
            .env("RATE_LIMIT_CONNECTS_PER_SECOND", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .envs(settings.iter().copied());
        if place == Place::OneCore {
            command.env("WORKERS", "1");
        }
        let begun = Instant::now();
        let mut process = start_on(place, &mut command)?;
        let line = first_line(&mut process)?;
        let address = line.strip_prefix("listening on http://").and_then(|address| address.parse().ok());
        let Some(address) = address else {
            end(&mut process);
            return Err(io::Error::other(format!("the hub did not start; see {}", folder.display())));
        };
        let mut hub = Self { process, address, started_in: Duration::ZERO };
        hub.get("/health")?;
        hub.started_in = begun.elapsed();
        Ok(hub)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        end(&mut self.process);
    }

    /// Asks once on a connection of its own; anything but 200 is an error.
    pub fn get(&self, path: &str) -> io::Result<String> {
        Client::connect(self.address)?.get(path)
    }

    /// The same, as JSON.
    pub fn json(&self, path: &str) -> io::Result<Value> {
        Ok(serde_json::from_str(&self.get(path)?)?)
    }

    /// The sum of a metric's samples with this name.
    pub fn metric(&self, name: &str) -> io::Result<f64> {
        let text = self.get("/metrics")?;
        let samples = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(samples.filter_map(|value| value.parse::<f64>().ok()).sum())
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts a process where it belongs; a process inherits the cores of the thread that starts it.
pub fn start_on(place: Place, command: &mut Command) -> io::Result<Child> {
    match place {
        Place::OneCore => pin(&[SERVER_CORE])?,
        Place::BothCores => pin(&[SERVER_CORE, LOAD_CORE])?,
    }
    let process = command.spawn();
    pin(&[LOAD_CORE])?;
    process
}

/// What a server says first: where it listens.
pub fn first_line(process: &mut Child) -> io::Result<String> {
    let out: ChildStdout =
        process.stdout.take().ok_or_else(|| io::Error::other("the server's output is not piped"))?;
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// Ends a process that may have ended already.
pub fn end(process: &mut Child) {
    drop(process.kill());
    drop(process.wait());
}

/// One kept-alive HTTP connection that asks one thing after another.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// The header that tells who asks; empty where nobody has to.
    authorization: String,
}

impl Client {
    /// Connects.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, buffer: vec![0; 1 << 20], authorization: String::new() })
    }

    /// The same, for the holder of a token.
    pub fn signed_in(address: SocketAddr, token: &str) -> io::Result<Self> {
        Ok(Self { authorization: format!("authorization: Bearer {token}\r\n"), ..Self::connect(address)? })
    }

    /// Asks and takes the content of a 200.
    pub fn get(&mut self, path: &str) -> io::Result<String> {
        self.send("GET", path, "")
    }

    /// The same with another method and a body, which is JSON.
    pub fn send(&mut self, method: &str, path: &str, body: &str) -> io::Result<String> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{}\r\n{body}",
            body.len(),
            self.authorization
        );
        self.stream.write_all(request.as_bytes())?;
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[filled..])?;
            if read == 0 {
                return Err(io::Error::other(format!("{path}: the hub hung up")));
            }
            filled += read;
            if filled == self.buffer.len() {
                self.buffer.resize(filled * 2, 0);
            }
            if let Some((status, body)) = whole_answer(&self.buffer[..filled])? {
                let text = String::from_utf8_lossy(body).into_owned();
                return if status == 200 {
                    Ok(text)
                } else {
                    Err(io::Error::other(format!("{path}: {status} {text}")))
                };
            }
        }
    }
}

/// Status and content of an answer, once it is there as a whole. The hub sends a length with all of them.
pub fn whole_answer(bytes: &[u8]) -> io::Result<Option<(u16, &[u8])>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&bytes[..end]).map_err(io::Error::other)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let (Some(status), Some(length)) = (status, length) else {
        return Err(io::Error::other(format!("not an answer with a length: {head}")));
    };
    Ok(bytes.get(end + 4..end + 4 + length).map(|body| (status, body)))
}

/// Where databases of the benchmarks lie: on the same disk as the build.
pub fn data_folder() -> io::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench-data");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// A folder that is gone with its value.
pub fn fresh_folder() -> io::Result<tempfile::TempDir> {
    tempfile::tempdir_in(data_folder()?)
}
