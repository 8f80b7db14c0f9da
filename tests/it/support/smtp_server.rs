//! A mail server by somebody else, aiosmtpd: what it takes was understood by code that knows nothing of the hub.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;
use tempfile::TempDir;

use super::PATIENCE;
use super::faults::skip;
use super::mail_server::MailDoor;
use super::tls::certificate;
use super::wheels::{fetched, wheels};

/// aiosmtpd and what it needs. Python imports wheels as they are.
const RELEASES: &str = "\
aiosmtpd==1.4.6 --hash=sha256:72c99179ba5aa9ae0abbda6994668239b64a5ce054471955fe75f581d2592475
atpublic==9.0.0 --hash=sha256:449c3c4f0c74df79749d6fe225ba55e2a2fce34b303f0329211e4d6989ed6f6e
attrs==26.1.0 --hash=sha256:c647aa4a12dfbad9333ca4e71fe62ddc36f4e63b2d260a37a8b83d2f043ac309
";
const PROGRAM: &str = include_str!("smtp_server.py");
pub const USER: &str = "hub";
pub const PASSWORD: &str = "open sesame, açúcar";

/// A running server, which takes mails from whom is signed in over an encrypted connection. It ends with the test.
pub struct SmtpServer {
    process: Child,
    /// What it says; closed at its end.
    lines: Receiver<Value>,
    /// Its address as the setting wants it.
    pub url: String,
    /// The certificate that clients must trust.
    pub authority: PathBuf,
    _home: TempDir,
}

/// The folder of its wheels, downloaded once; `None` where that is not possible.
pub fn fetch() -> Option<PathBuf> {
    fetched("aiosmtpd-1.4.6", RELEASES, |_| Some(()))
}

/// Starts the server; `None` where it cannot be installed. Then the test is skipped, and says so.
pub fn smtp_server(door: MailDoor) -> Option<SmtpServer> {
    let Some(folder) = fetch() else {
        skip("the mail server cannot be installed: it needs Python with pip, and the network");
        return None;
    };
    let scheme = match door {
        MailDoor::StartTls => "smtp",
        MailDoor::Tls => "smtps",
        MailDoor::Plain => panic!("it asks for encryption"),
    };
    let home = tempfile::tempdir().expect("a folder");
    let (authority, key) = certificate(home.path(), "mail");
    let mut process = Command::new("python3")
        .args(["-c", PROGRAM, &format!("{door:?}")])
        .args([&authority, &key])
        .args([USER, PASSWORD])
        .env("PYTHONPATH", std::env::join_paths(wheels(&folder)).expect("plain"))
        // Where the machine has no locale, the password is UTF-8 all the same.
        .env("PYTHONUTF8", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let output = BufReader::new(process.stdout.take().expect("piped"));
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            // The test may have ended.
            sender.send(serde_json::from_str(&line).expect("JSON")).ok();
        }
    });
    let mut server = SmtpServer { process, lines, url: String::new(), authority, _home: home };
    let port = server.takes();
    server.url = format!("{scheme}://localhost:{port}");
    Some(server)
}

impl SmtpServer {
    /// Waits for the next mail.
    pub fn takes(&self) -> Value {
        self.lines.recv_timeout(PATIENCE).expect("the mail server says something")
    }

    /// Ends it. Answers the mails that came and were not asked for.
    pub fn ends(mut self) -> Vec<Value> {
        drop(self.process.stdin.take());
        self.lines.iter().collect()
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        // It may have ended already.
        self.process.kill().ok();
        self.process.wait().expect("it was started");
    }
}
