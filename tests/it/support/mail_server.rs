//! A mail server on this machine: as much of RFC 5321 as a client needs to hand a mail over, in the clear, after
//! `STARTTLS`, or encrypted from the start.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

use super::tls::for_localhost;

/// What a server asks of its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailDoor {
    Plain,
    StartTls,
    Tls,
}

/// A running mail server; its threads end with the test.
pub struct MailInbox {
    address: SocketAddr,
    /// The certificate that clients must trust.
    pub authority: PathBuf,
    taken: Receiver<TakenMail>,
    shared: Arc<Shared>,
    _home: TempDir,
}

/// A mail that the server took.
#[derive(Debug, Clone)]
pub struct TakenMail {
    pub from: String,
    pub to: Vec<String>,
    /// Headers and body, as they came.
    pub text: String,
    /// What `AUTH PLAIN` said; `None` if the client did not sign in.
    pub login: Option<String>,
    pub encrypted: bool,
}

struct Shared {
    door: MailDoor,
    config: Arc<ServerConfig>,
    /// Answers to the next mails in place of taking them.
    refusals: Mutex<VecDeque<&'static str>>,
    taken: Mutex<Sender<TakenMail>>,
}

impl MailInbox {
    pub fn new(door: MailDoor) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let (config, authority) = for_localhost(home.path(), "mail");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let (sender, taken) = channel();
        let refusals = Mutex::default();
        let shared = Arc::new(Shared { door, config, refusals, taken: Mutex::new(sender) });
        let served = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&served);
                std::thread::spawn(move || serve(client, &shared));
            }
        });
        Self { address, authority, taken, shared, _home: home }
    }

    /// Its address as the setting wants it.
    pub fn url(&self) -> String {
        let scheme = match self.shared.door {
            MailDoor::Plain => "smtp+plain",
            MailDoor::StartTls => "smtp",
            MailDoor::Tls => "smtps",
        };
        format!("{scheme}://localhost:{}", self.address.port())
    }

    /// Answers the next mails with these, one each.
    pub fn refuses(&self, answers: &[&'static str]) {
        self.shared.refusals.lock().expect("not poisoned").extend(answers);
    }

    /// Waits for the next mail.
    pub fn takes(&self) -> TakenMail {
        self.taken.recv_timeout(super::PATIENCE).expect("a mail")
    }

    /// The mails that came and were not asked for.
    pub fn rest(&self) -> Vec<TakenMail> {
        self.taken.try_iter().collect()
    }
}

fn serve(client: TcpStream, shared: &Shared) {
    client.set_read_timeout(Some(super::PATIENCE)).expect("a timeout");
    if shared.door == MailDoor::Tls {
        return converse(&mut BufReader::new(encrypted(client, shared)), shared, true, true);
    }
    let mut plain = BufReader::new(client);
    converse(&mut plain, shared, false, true);
    // The conversation ends early only where the client asked for encryption.
    if shared.door == MailDoor::StartTls {
        converse(&mut BufReader::new(encrypted(plain.into_inner(), shared)), shared, true, false);
    }
}

fn encrypted(client: TcpStream, shared: &Shared) -> StreamOwned<ServerConnection, TcpStream> {
    StreamOwned::new(ServerConnection::new(Arc::clone(&shared.config)).expect("a connection"), client)
}

/// Speaks until the client leaves, or asks for encryption.
fn converse<S: Read + Write>(client: &mut BufReader<S>, shared: &Shared, encrypted: bool, greets: bool) {
    let mut mail =
        TakenMail { from: String::new(), to: Vec::new(), text: String::new(), login: None, encrypted };
    if greets && !says(client, "220 test ESMTP") {
        return;
    }
    let mut line = String::new();
    // A client that leaves without a word has its reasons, such as a certificate that it does not trust.
    while client.read_line(&mut line).is_ok_and(|length| length > 0) {
        let (word, rest) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
        let upgrade = shared.door == MailDoor::StartTls && !encrypted;
        let answer = match word.to_ascii_uppercase().as_str() {
            "EHLO" if upgrade => "250-test\r\n250-STARTTLS\r\n250 8BITMIME".to_owned(),
            "EHLO" => "250-test\r\n250-8BITMIME\r\n250 AUTH PLAIN".to_owned(),
            "STARTTLS" if upgrade => {
                says(client, "220 go on");
                return;
            }
            "AUTH" => {
                mail.login = rest.strip_prefix("PLAIN ").map(str::to_owned);
                "235 welcome".to_owned()
            }
            "MAIL" => {
                rest.clone_into(&mut mail.from);
                "250 ok".to_owned()
            }
            "RCPT" => {
                mail.to.push(rest.to_owned());
                "250 ok".to_owned()
            }
            "DATA" => {
                if !says(client, "354 go on") {
                    return;
                }
                mail.text = data(client);
                let refusal = shared.refusals.lock().expect("not poisoned").pop_front();
                if let Some(refusal) = refusal {
                    refusal.to_owned()
                } else {
                    // The test may have ended.
                    shared.taken.lock().expect("not poisoned").send(mail.clone()).ok();
                    "250 taken".to_owned()
                }
            }
            "RSET" | "NOOP" => "250 ok".to_owned(),
            "QUIT" => {
                says(client, "221 bye");
                return;
            }
            _ => "502 unknown".to_owned(),
        };
        if !says(client, &answer) {
            return;
        }
        line.clear();
    }
}

fn says<S: Read + Write>(client: &mut BufReader<S>, answer: &str) -> bool {
    let stream = client.get_mut();
    stream.write_all(format!("{answer}\r\n").as_bytes()).and_then(|()| stream.flush()).is_ok()
}

/// Everything up to a line with a dot alone; a dot that was doubled at the beginning of a line is one.
fn data(client: &mut impl BufRead) -> String {
    let (mut text, mut line) = (String::new(), String::new());
    while client.read_line(&mut line).is_ok_and(|length| length > 0) && line != ".\r\n" {
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
        line.clear();
    }
    text
}
