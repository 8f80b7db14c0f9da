//! Those who cause updates: kept-alive webhook connections to a hub, or triggers of the raw server.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::deliveries::{Deliveries, write_request};
use super::process::whole_answer;
use super::screens::Screens;

/// An idle connection is not used any more after so long; the hub closes it after 75 s.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// What a hub answered to a delivery, as far as it is needed.
#[derive(Deserialize)]
struct Accepted {
    status: String,
    seq: Option<u64>,
}

/// What the senders speak.
pub enum Language {
    /// HTTP, with these deliveries.
    Webhook(Deliveries),
    /// One byte is one update; eight bytes with its number come back once it was sent to everybody.
    Trigger,
}

/// Several connections, each with one update under way at most.
pub struct Senders {
    address: SocketAddr,
    streams: Vec<TcpStream>,
    used: Vec<Instant>,
    received: Vec<Vec<u8>>,
    language: Language,
    body: String,
    request: String,
}

impl Senders {
    /// Nobody yet; [`ready`](Self::ready) connects them.
    pub fn new(address: SocketAddr, language: Language) -> Self {
        let (streams, used, received) = (Vec::new(), Vec::new(), Vec::new());
        Self { address, streams, used, received, language, body: String::new(), request: String::new() }
    }

    /// Has so many connections ready and watched, and no others: the hub ends those that stay silent.
    pub fn ready(&mut self, count: usize, screens: &Screens) -> io::Result<()> {
        // Closed with its descriptor, a connection leaves the epoll by itself.
        if matches!(self.language, Language::Webhook(_))
            && self.used.iter().any(|used| used.elapsed() > IDLE_MAX)
        {
            self.keep(0);
        }
        self.keep(count);
        for sender in self.streams.len()..count {
            let stream = connect(self.address)?;
            screens.watch(&stream, sender)?;
            self.streams.push(stream);
            self.used.push(Instant::now());
            self.received.push(Vec::new());
        }
        Ok(())
    }

    fn keep(&mut self, count: usize) {
        self.streams.truncate(count);
        self.used.truncate(count);
        self.received.truncate(count);
    }

    /// Causes one update; tells the bytes of the delivery.
    pub fn send(&mut self, sender: usize) -> io::Result<usize> {
        let stream = &mut self.streams[sender];
        self.used[sender] = Instant::now();
        match &mut self.language {
            Language::Trigger => stream.write_all(&[1])?,
            Language::Webhook(deliveries) => {
                self.body.clear();
                deliveries.write_next(&mut self.body);
                write_request(&self.body, &mut self.request)?;
                stream.write_all(self.request.as_bytes())?;
            }
        }
        Ok(self.body.len())
    }

    /// Reads what has come; the position of the sender's update once its answer is there as a whole.
    pub fn read(&mut self, sender: usize) -> io::Result<Option<u64>> {
        let mut buffer = [0; 4_096];
        let read = match self.streams[sender].read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Ok(0) => return Err(io::Error::other("a server hung up on a sender")),
            read => read?,
        };
        let received = &mut self.received[sender];
        received.extend_from_slice(&buffer[..read]);
        let position = match self.language {
            Language::Trigger => received.first_chunk().map(|bytes| u64::from_le_bytes(*bytes)),
            Language::Webhook(_) => match whole_answer(received)? {
                None => None,
                Some((200, body)) => Some(position(body)?),
                Some((status, body)) => {
                    let text = String::from_utf8_lossy(body);
                    return Err(io::Error::other(format!("a delivery was answered with {status} {text}")));
                }
            },
        };
        if position.is_some() {
            received.clear();
        }
        Ok(position)
    }
}

fn position(body: &[u8]) -> io::Result<u64> {
    let accepted: Accepted = serde_json::from_slice(body)?;
    match accepted.seq {
        Some(seq) if accepted.status == "accepted" => Ok(seq),
        _ => Err(io::Error::other(format!("a fresh delivery was {}", accepted.status))),
    }
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}
