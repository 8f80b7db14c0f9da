//! Another system that alerts are posted to.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// A server that receives one post after another, each on a connection of its own.
pub struct Receiver {
    listener: TcpListener,
}

/// A post, and the connection that waits for its answer.
pub struct Posted {
    /// The headers, with names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
    stream: TcpStream,
}

impl Receiver {
    /// Starts to listen on a free port.
    pub fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").expect("a free port") }
    }

    /// The address of the server.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("it listens")
    }

    /// Waits for the next post.
    pub fn hears(&self) -> Posted {
        let (stream, _) = self.listener.accept().expect("a connection");
        stream.set_read_timeout(Some(super::PATIENCE)).expect("a timeout");
        let mut reader = BufReader::new(stream);
        let mut headers = BTreeMap::new();
        let mut line = String::new();
        while reader.read_line(&mut line).expect("a head") > 2 {
            if let Some((name, value)) = line.trim_end().split_once(": ") {
                headers.insert(name.to_ascii_lowercase(), value.to_owned());
            }
            line.clear();
        }
        let length: usize = headers["content-length"].parse().expect("a length");
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("the whole body");
        Posted { headers, body: String::from_utf8(body).expect("text"), stream: reader.into_inner() }
    }
}

impl Posted {
    /// Answers with this status, if the sender still waits.
    pub fn answers_if_awaited(mut self, status: u16) {
        // A sender that gave up has closed the connection.
        self.stream.write_all(answer(status).as_bytes()).ok();
    }

    /// Answers with this status.
    pub fn answers(mut self, status: u16) {
        self.stream.write_all(answer(status).as_bytes()).expect("whoever posted waits");
    }
}

fn answer(status: u16) -> String {
    format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}
