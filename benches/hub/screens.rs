//! Thousands of screens on one thread: one epoll, one buffer, and as little work per frame as possible, so that the
//! load stays cheaper than the server that it measures.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::time::{Duration, Instant};

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::time::Timespec;
use socket2::{Domain, SockRef, Socket, Type};

use super::frames::{self, Frame, PING, PONG};

/// Screens that share one client address: a loopback address has 28,000 ports.
const SCREENS_PER_ADDRESS: usize = 1_000;
/// Handshakes that are under way at the same time, where nothing else is asked for.
pub const CONNECTING: usize = 100;
/// One read takes this much at most.
const READ_BYTES: usize = 256 * 1_024;
/// Events taken from the kernel at once.
const EVENTS_MAX: usize = 1_024;
/// Longest wait for anything to happen while something must.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What a screen is told that the load wants to know of.
pub enum Heard<'a> {
    /// An `umbler_update`.
    Update(&'a [u8]),
    /// Any other text.
    Text(&'a [u8]),
}

/// One socket.
struct Screen {
    stream: TcpStream,
    open: bool,
    /// Bytes of a frame that has not come as a whole yet.
    rest: Vec<u8>,
}

/// Sockets to one server.
pub struct Screens {
    epoll: OwnedFd,
    sockets: Vec<Screen>,
    buffer: Vec<u8>,
    events: Vec<Event>,
    server: SocketAddr,
    /// Sent when the handshake is done.
    greeting: Vec<u8>,
    /// Tokens of other descriptors in the same epoll begin here.
    lost: usize,
}

impl Screens {
    /// No screens yet. The greeting is the text that each sends first; an empty one is not sent.
    pub fn new(server: SocketAddr, greeting: &str) -> io::Result<Self> {
        let greeting =
            if greeting.is_empty() { Vec::new() } else { frames::from_client(greeting.as_bytes()) };
        Ok(Self {
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            sockets: Vec::new(),
            buffer: vec![0; READ_BYTES],
            events: Vec::with_capacity(EVENTS_MAX),
            server,
            greeting,
            lost: 0,
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sockets.len()
    }

    /// Connections that ended although nobody wanted that.
    pub fn lost(&self) -> usize {
        self.lost
    }

    /// Watches another socket; its token comes back from [`turn`](Self::turn) as `Turned::Other`.
    pub fn watch(&self, stream: &TcpStream, token: usize) -> io::Result<()> {
        let data = EventData::new_u64(OTHER | token as u64);
        Ok(epoll::add(&self.epoll, stream, data, EventFlags::IN)?)
    }

    /// Connects so many more, some at once, and waits until each has sent its greeting and heard `ready`, a piece of
    /// the text that answers it; where that is empty, until the handshake is done.
    pub fn connect(&mut self, count: usize, at_once: usize, ready: &[u8]) -> io::Result<()> {
        let first = self.sockets.len();
        let mut done = vec![false; count];
        let (mut begun, mut finished) = (0, 0);
        while finished < count {
            while begun < count && begun - finished < at_once {
                self.begin()?;
                begun += 1;
            }
            self.turn(PATIENCE, |turned| {
                let screen = match turned {
                    Turned::Opened(screen) if ready.is_empty() => screen,
                    Turned::Heard(screen, Heard::Text(text))
                        if !ready.is_empty() && contains(text, ready) =>
                    {
                        screen
                    }
                    Turned::Opened(_) | Turned::Heard(..) | Turned::Other(_) => return,
                };
                let done = screen.checked_sub(first).and_then(|at| done.get_mut(at));
                if let Some(done) = done.filter(|done| !**done) {
                    *done = true;
                    finished += 1;
                }
            })?;
        }
        Ok(())
    }

    /// Starts to connect one more.
    pub fn begin(&mut self) -> io::Result<()> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        let number = self.sockets.len();
        let host = u8::try_from(number / SCREENS_PER_ADDRESS % 200 + 2).unwrap_or(2);
        socket.bind(&SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, host), 0).into())?;
        socket.connect(&self.server.into())?;
        socket.set_tcp_nodelay(true)?;
        // No address stays taken after a run of ten thousand.
        socket.set_linger(Some(Duration::ZERO))?;
        let mut stream = TcpStream::from(socket);
        write!(
            stream,
            "GET /ws HTTP/1.1\r\nhost: {}\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            self.server
        )?;
        stream.set_nonblocking(true)?;
        epoll::add(&self.epoll, &stream, EventData::new_u64(number as u64), EventFlags::IN)?;
        self.sockets.push(Screen { stream, open: false, rest: Vec::new() });
        Ok(())
    }

    /// Waits for something to happen and tells of it; an error where nothing does for so long.
    ///
    /// Asks again and again instead of sleeping: a server whose peer sleeps on the next core pays for waking it with
    /// every `send`, and the slower server would pay more often. No peer across a network is woken by a `send`.
    pub fn turn(&mut self, patience: Duration, mut hear: impl FnMut(Turned<'_>)) -> io::Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < patience {
            if self.turn_within(Duration::ZERO, &mut hear)? {
                return Ok(());
            }
        }
        Err(silence(patience))
    }

    /// The same for a load that shares its core with the server: it sleeps while nothing happens.
    pub fn wait(&mut self, patience: Duration, hear: impl FnMut(Turned<'_>)) -> io::Result<()> {
        if self.turn_within(patience, hear)? {
            return Ok(());
        }
        Err(silence(patience))
    }

    /// The same where nothing may happen: then it is false.
    pub fn turn_within(&mut self, patience: Duration, mut hear: impl FnMut(Turned<'_>)) -> io::Result<bool> {
        let timeout = Timespec::try_from(patience).map_err(io::Error::other)?;
        self.events.clear();
        epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut self.events), Some(&timeout))?;
        for at in 0..self.events.len() {
            let token = self.events[at].data.u64();
            if token & OTHER != 0 {
                hear(Turned::Other(usize::try_from(token & !OTHER).unwrap_or(usize::MAX)));
            } else {
                self.read(usize::try_from(token).unwrap_or(usize::MAX), &mut hear)?;
            }
        }
        Ok(!self.events.is_empty())
    }

    fn read(&mut self, number: usize, hear: &mut impl FnMut(Turned<'_>)) -> io::Result<()> {
        let Some(screen) = self.sockets.get_mut(number) else { return Ok(()) };
        let held = screen.rest.len();
        self.buffer[..held].copy_from_slice(&screen.rest);
        screen.rest.clear();
        let read = match screen.stream.read(&mut self.buffer[held..]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Ok(read) if read > 0 => read,
            Ok(_) | Err(_) => {
                self.lost += 1;
                epoll::delete(&self.epoll, &screen.stream)?;
                return Ok(());
            }
        };
        let mut bytes = &self.buffer[..held + read];
        if !screen.open {
            let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
                screen.rest.extend_from_slice(bytes);
                return Ok(());
            };
            if !bytes.starts_with(b"HTTP/1.1 101") {
                let answer = String::from_utf8_lossy(&bytes[..end]);
                return Err(io::Error::other(format!("no WebSocket: {answer}")));
            }
            bytes = &bytes[end + 4..];
            screen.open = true;
            if !self.greeting.is_empty() {
                screen.stream.write_all(&self.greeting)?;
            }
            hear(Turned::Opened(number));
        }
        while let Some(frame) = frames::first(bytes) {
            bytes = &bytes[frame.length..];
            screen.take(number, &frame, hear)?;
        }
        screen.rest.extend_from_slice(bytes);
        Ok(())
    }

    /// Makes what one socket may hold unread small, and stops reading it.
    pub fn stall(&self, number: usize, bytes: usize) -> io::Result<()> {
        let Some(screen) = self.sockets.get(number) else { return Ok(()) };
        SockRef::from(&screen.stream).set_recv_buffer_size(bytes)?;
        Ok(epoll::delete(&self.epoll, &screen.stream)?)
    }
}

impl Screen {
    fn take(
        &mut self,
        number: usize,
        frame: &Frame<'_>,
        hear: &mut impl FnMut(Turned<'_>),
    ) -> io::Result<()> {
        match frame.code {
            frames::TEXT if frame.payload.starts_with(UPDATE) => {
                hear(Turned::Heard(number, Heard::Update(frame.payload)));
            }
            frames::TEXT => hear(Turned::Heard(number, Heard::Text(frame.payload))),
            PING => self.stream.write_all(&PONG)?,
            _ => {}
        }
        Ok(())
    }
}

/// How every update begins.
const UPDATE: &[u8] = b"{\"event\":\"umbler_update\"";
/// Marks tokens of sockets that are no screens.
const OTHER: u64 = 1 << 63;

/// What one turn brought.
pub enum Turned<'a> {
    /// A screen's handshake is done.
    Opened(usize),
    /// A screen heard something.
    Heard(usize, Heard<'a>),
    /// A watched socket can be read.
    Other(usize),
}

fn silence(patience: Duration) -> io::Error {
    io::Error::other(format!("nothing happened for {} s", patience.as_secs()))
}

/// True where a text holds a piece.
pub fn contains(text: &[u8], piece: &[u8]) -> bool {
    text.windows(piece.len()).any(|window| window == piece)
}

/// Nanoseconds since the benchmark began.
pub fn nanos_since(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
