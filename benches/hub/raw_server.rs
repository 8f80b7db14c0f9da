//! The baseline of the fan-out: the least that a server can do which sends each update to each socket.
//!
//! An array of sockets; per update one non-blocking `send` of the ready frame per socket; no allocation, no queue, no
//! HTTP, no disk. It runs as a process of its own: this program, started anew with [`ROLE`].

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::net::{SendFlags, send};

use super::process::{Place, end, first_line, start_on};

/// The argument that makes this program the raw server.
pub const ROLE: &str = "raw-server";

const SCREENS: u64 = u64::MAX;
const TRIGGERS: u64 = u64::MAX - 1;
const EVENTS_MAX: usize = 1_024;

/// The raw server as its user sees it; ended when dropped.
pub struct RawServer {
    process: Child,
    /// Where screens connect.
    pub screens: SocketAddr,
    /// Where triggers connect.
    pub triggers: SocketAddr,
}

impl RawServer {
    /// Starts it with the frame that it will send.
    pub fn start(frame: &[u8]) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(ROLE).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = start_on(Place::OneCore, &mut command)?;
        // Closed after the frame: its end is where the server starts to listen.
        let mut stdin = process.stdin.take().ok_or_else(|| io::Error::other("no way to the raw server"))?;
        stdin.write_all(frame)?;
        drop(stdin);
        let line = first_line(&mut process)?;
        let mut addresses = line.split(' ').map(str::parse);
        if let (Some(Ok(screens)), Some(Ok(triggers))) = (addresses.next(), addresses.next()) {
            return Ok(Self { process, screens, triggers });
        }
        end(&mut process);
        Err(io::Error::other("the raw server did not start"))
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

/// Serves until the last trigger has gone.
pub fn run() -> io::Result<()> {
    let mut frame = Vec::new();
    io::stdin().read_to_end(&mut frame)?;
    let (screens, triggers) = (TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?);
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &screens, EventData::new_u64(SCREENS), EventFlags::IN)?;
    epoll::add(&epoll, &triggers, EventData::new_u64(TRIGGERS), EventFlags::IN)?;
    writeln!(io::stdout(), "{} {}", screens.local_addr()?, triggers.local_addr()?)?;
    let mut server = Server { frame, sockets: Vec::new(), connections: Vec::new(), sent: 0 };
    let mut events = Vec::with_capacity(EVENTS_MAX);
    let mut gone = 0;
    loop {
        events.clear();
        epoll::wait(&epoll, rustix::buffer::spare_capacity(&mut events), None)?;
        for event in &events {
            match event.data.u64() {
                SCREENS => server.welcome(screens.accept()?.0)?,
                TRIGGERS => {
                    let (stream, _) = triggers.accept()?;
                    stream.set_nodelay(true)?;
                    let token = EventData::new_u64(server.connections.len() as u64);
                    epoll::add(&epoll, &stream, token, EventFlags::IN)?;
                    server.connections.push(stream);
                }
                trigger => {
                    if !server.pulled(usize::try_from(trigger).unwrap_or(usize::MAX))? {
                        epoll::delete(&epoll, &server.connections[usize::try_from(trigger).unwrap_or(0)])?;
                        gone += 1;
                    }
                }
            }
        }
        if gone > 0 && gone == server.connections.len() {
            return Ok(());
        }
    }
}

struct Server {
    frame: Vec<u8>,
    sockets: Vec<TcpStream>,
    connections: Vec<TcpStream>,
    sent: u64,
}

impl Server {
    /// The handshake is read as one piece, for its sender sends it as one.
    fn welcome(&mut self, mut stream: TcpStream) -> io::Result<()> {
        let mut request = [0; 1_024];
        if stream.read(&mut request)? == 0 {
            return Ok(());
        }
        stream.write_all(
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        )?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        self.sockets.push(stream);
        Ok(())
    }

    /// False where the trigger has gone.
    fn pulled(&mut self, trigger: usize) -> io::Result<bool> {
        let Some(connection) = self.connections.get_mut(trigger) else { return Ok(true) };
        if connection.read(&mut [0])? == 0 {
            return Ok(false);
        }
        for socket in &self.sockets {
            // A socket that is full would lose the frame; the load never lets that come to pass, and would notice.
            if send(socket, &self.frame, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)? != self.frame.len() {
                return Err(io::Error::other("a socket took half a frame"));
            }
        }
        self.sent += 1;
        connection.write_all(&(self.sent - 1).to_le_bytes())?;
        Ok(true)
    }
}
