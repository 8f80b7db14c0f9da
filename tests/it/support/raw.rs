//! A socket that sends any bytes, for what no client library would send.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::PATIENCE;
use super::hub::Hub;

/// The key of the example in RFC 6455, section 1.3.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// The answer that [`KEY`] must get.
pub const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A plain connection to the hub.
pub struct RawSocket {
    stream: TcpStream,
    heard: Vec<u8>,
}

/// A frame from the hub.
#[derive(Debug, PartialEq, Eq)]
pub struct RawFrame {
    /// FIN, reserved bits and opcode.
    pub first: u8,
    /// The payload.
    pub payload: Vec<u8>,
}

impl RawSocket {
    /// Connects without sending anything.
    pub fn connect(hub: &Hub) -> Self {
        let stream = TcpStream::connect(hub.address()).expect("the hub listens");
        stream.set_read_timeout(Some(PATIENCE * 2)).expect("a timeout");
        stream.set_nodelay(true).expect("no delay");
        Self { stream, heard: Vec::new() }
    }

    /// Connects, upgrades, and reads the first frame.
    pub fn upgraded(hub: &Hub) -> Self {
        let mut socket = Self::connect(hub);
        let answer = socket.asks(&handshake(hub, &[]));
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        assert_eq!(socket.frame().expect("a welcome").first, 0x81);
        socket
    }

    /// Sends bytes. The hub may have closed the connection already; its last frames can still be read.
    pub fn sends(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).or_else(already_gone).expect("sent");
    }

    /// Sends bytes, as many as are accepted.
    pub fn tries_to_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Sends the head of a request, and returns the head of the answer.
    pub fn asks(&mut self, head: &str) -> String {
        self.sends(head.as_bytes());
        loop {
            if let Some(end) = self.heard.windows(4).position(|window| window == b"\r\n\r\n") {
                let head: Vec<u8> = self.heard.drain(..end + 4).collect();
                return String::from_utf8(head).expect("a head is text");
            }
            assert!(self.reads(), "no whole head: {:?}", String::from_utf8_lossy(&self.heard));
        }
    }

    /// Reads what comes next; false at the end.
    fn reads(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => false,
            Ok(count) => {
                self.heard.extend_from_slice(&buffer[..count]);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("the hub neither spoke nor closed: {error}"),
        }
    }

    /// The next frame that is not a ping; `None` where the connection ended.
    pub fn frame(&mut self) -> Option<RawFrame> {
        loop {
            if let Some(frame) = self.take_frame() {
                if frame.first != 0x89 {
                    return Some(frame);
                }
            } else if !self.reads() {
                assert!(self.heard.is_empty(), "the connection ended within a frame");
                return None;
            }
        }
    }

    fn take_frame(&mut self) -> Option<RawFrame> {
        let second = usize::from(*self.heard.get(1)?);
        assert!(second < 0x80, "a server must not mask");
        let (length, header) = match second {
            126 => (usize::from(u16::from_be_bytes(self.heard.get(2..4)?.try_into().ok()?)), 4),
            127 => {
                let length = u64::from_be_bytes(self.heard.get(2..10)?.try_into().ok()?);
                (usize::try_from(length).expect("a sane length"), 10)
            }
            short => (short, 2),
        };
        if self.heard.len() < header + length {
            return None;
        }
        let bytes: Vec<u8> = self.heard.drain(..header + length).collect();
        Some(RawFrame { first: bytes[0], payload: bytes[header..].to_vec() })
    }

    /// The next frame must be a close, and the connection must end. Returns the code; `None` where the frame
    /// has none.
    pub fn is_closed(&mut self) -> Option<u16> {
        let code = self.hears_close();
        // The hub waits for a second, so that its last frames are read. This tells it that they were.
        self.stream.shutdown(Shutdown::Write).or_else(already_gone).expect("a half of the connection");
        assert_eq!(self.frame(), None, "nothing comes after a close, and the connection ends");
        code
    }

    /// The next frame must be a close; returns the code.
    pub fn hears_close(&mut self) -> Option<u16> {
        loop {
            let frame = self.frame().expect("a close frame before the end");
            if frame.first == 0x88 {
                return frame.payload.get(..2).map(|code| u16::from_be_bytes([code[0], code[1]]));
            }
            assert_eq!(frame.first, 0x81, "{frame:?}");
        }
    }

    /// Answers nothing until the connection ends; returns how often the hub pinged.
    pub fn pings_until_the_end(&mut self) -> usize {
        let mut pings = 0;
        loop {
            match self.take_frame() {
                Some(frame) => pings += usize::from(frame.first == 0x89),
                None if self.reads() => {}
                None => return pings,
            }
        }
    }

    /// Reads until the hub has pinged, and answers nothing.
    pub fn hears_ping(&mut self) {
        loop {
            match self.take_frame() {
                Some(frame) if frame.first == 0x89 => return,
                Some(_) => {}
                None => assert!(self.reads(), "it ended without a ping"),
            }
        }
    }

    /// True where the connection has ended by now; what came before its end is left out.
    pub fn has_ended(&mut self) -> bool {
        self.stream.set_nonblocking(true).expect("it need not wait");
        let mut buffer = [0; 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() == ErrorKind::ConnectionReset,
            }
        }
    }

    /// Reads until the connection ends; returns everything that came.
    pub fn rest(&mut self) -> String {
        while self.reads() {}
        String::from_utf8_lossy(&std::mem::take(&mut self.heard)).into_owned()
    }

    /// True where the hub sent something or ended the connection within `wait`.
    pub fn has_spoken_within(&mut self, wait: Duration) -> bool {
        self.stream.set_read_timeout(Some(wait)).expect("a timeout");
        let mut buffer = [0; 1024];
        let spoken = match self.stream.read(&mut buffer) {
            Ok(count) => {
                self.heard.extend_from_slice(&buffer[..count]);
                true
            }
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        };
        self.stream.set_read_timeout(Some(PATIENCE * 2)).expect("a timeout");
        spoken
    }
}

fn already_gone(error: std::io::Error) -> std::io::Result<()> {
    let gone = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset, ErrorKind::NotConnected];
    if gone.contains(&error.kind()) { Ok(()) } else { Err(error) }
}

/// Sends one request on a connection of its own, and returns the head of the answer. These headers are added,
/// or replace ours; an empty value removes one.
pub fn answer_to(hub: &Hub, method: &str, path: &str, changed: &[(&str, &str)], body: &str) -> String {
    let (host, length) = (hub.address().to_string(), body.len().to_string());
    let ours = [("host", host.as_str()), ("content-length", length.as_str())];
    let request = format!("{method} {path} HTTP/1.1\r\n{}\r\n{body}", lines(&ours, changed));
    RawSocket::connect(hub).asks(&request)
}

/// The lines of these headers, where others are added or replace them; an empty value removes one.
fn lines(ours: &[(&str, &str)], changed: &[(&str, &str)]) -> String {
    let kept = ours.iter().filter(|(name, _)| changed.iter().all(|(other, _)| other != name));
    let lines = kept.chain(changed).filter(|(_, value)| !value.is_empty());
    let lines: Vec<String> = lines.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    lines.concat()
}

/// The head of a correct handshake, where these headers are added or replace ours; an empty value removes one.
pub fn handshake(hub: &Hub, changed: &[(&str, &str)]) -> String {
    let host = hub.address().to_string();
    let ours = [
        ("host", host.as_str()),
        ("upgrade", "websocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", KEY),
    ];
    format!("GET /ws HTTP/1.1\r\n{}\r\n", lines(&ours, changed))
}

/// A masked frame with this first byte and payload.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = header(first, payload.len() as u64, true);
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// The shortest header for this length, without the bytes of the mask.
pub fn header(first: u8, length: u64, masked: bool) -> Vec<u8> {
    let mask_bit = if masked { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match length {
        0..=125 => bytes.push(mask_bit | u8::try_from(length).expect("it is small")),
        126..=0xffff => {
            bytes.push(mask_bit | 0x7e);
            bytes.extend(u16::try_from(length).expect("it fits").to_be_bytes());
        }
        _ => {
            bytes.push(mask_bit | 0x7f);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes
}
