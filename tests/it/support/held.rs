//! A line to a server that keeps chosen answers back until the test lets them through.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use super::PATIENCE;
use super::bucket::read_request;

/// A proxy before a server, with one request on each connection.
pub struct HeldLine {
    pub address: SocketAddr,
    held: Receiver<HeldAnswer>,
    shared: Arc<Passing>,
}

/// An answer that the server has given. It goes on once this is dropped.
pub struct HeldAnswer {
    _goes_on: Sender<()>,
}

struct Passing {
    server: SocketAddr,
    /// By the first line of its request.
    is_held: fn(&str) -> bool,
    /// Nothing is kept back any more.
    is_open: AtomicBool,
    /// The first lines of all requests that were answered.
    seen: Mutex<Vec<String>>,
}

/// Listens on a free port.
pub fn held_line(server: SocketAddr, is_held: fn(&str) -> bool) -> HeldLine {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    let (is_open, seen) = (AtomicBool::new(false), Mutex::default());
    let shared = Arc::new(Passing { server, is_held, is_open, seen });
    let (holds, held) = channel();
    let passing = Arc::clone(&shared);
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let (passing, holds) = (Arc::clone(&passing), holds.clone());
            // A side that is gone has given up.
            std::thread::spawn(move || passing.pass(client, &holds).ok());
        }
    });
    HeldLine { address, held, shared }
}

impl HeldLine {
    /// Waits for the next answer that is kept back.
    pub fn holds(&self) -> HeldAnswer {
        self.held.recv_timeout(PATIENCE).expect("an answer is kept back")
    }

    /// Lets all answers through from now on.
    pub fn opens(&self) {
        self.shared.is_open.store(true, Ordering::Release);
    }

    /// The first lines of the requests that were answered.
    pub fn seen(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Passing {
    fn pass(&self, mut client: TcpStream, holds: &Sender<HeldAnswer>) -> std::io::Result<()> {
        let request = read_request(&mut client)?;
        let text = String::from_utf8_lossy(&request);
        let line = text.lines().next().unwrap_or_default().to_owned();
        let mut onward = TcpStream::connect(self.server)?;
        onward.write_all(&request)?;
        let answer = read_answer(&mut onward)?;
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(line.clone());
        if (self.is_held)(&line) && !self.is_open.load(Ordering::Acquire) {
            let (goes_on, waits) = channel();
            if holds.send(HeldAnswer { _goes_on: goes_on }).is_ok() {
                // It says nothing: it is dropped.
                waits.recv().err();
            }
        }
        client.write_all(&answer)
    }
}

/// A whole answer, which says that the connection is closed.
fn read_answer(server: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let (mut answer, mut byte) = (Vec::new(), [0]);
    while !answer.ends_with(b"\r\n\r\n") {
        server.read_exact(&mut byte)?;
        answer.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&answer).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = Vec::new();
    match length {
        Some(length) => {
            body = vec![0; length];
            server.read_exact(&mut body)?;
        }
        None => drop(server.read_to_end(&mut body)?),
    }
    if !head.contains("connection: close") {
        answer.truncate(answer.len() - 2);
        answer.extend(b"connection: close\r\n\r\n");
    }
    answer.extend(body);
    Ok(answer)
}
