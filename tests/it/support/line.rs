//! A line between a hub and a server that a test cuts and mends: it passes bytes on as they are.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// A line that is open until it is cut.
pub struct Line {
    address: SocketAddr,
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    is_cut: bool,
    /// Both ends of every connection.
    ends: Vec<TcpStream>,
}

impl Line {
    /// A line to this server.
    pub fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let open = Arc::new(Mutex::new(Open::default()));
        let shared = Arc::clone(&open);
        thread::spawn(move || {
            while let Ok((near, _)) = listener.accept() {
                let mut open = shared.lock().unwrap_or_else(PoisonError::into_inner);
                if open.is_cut {
                    continue;
                }
                if let Ok(far) = TcpStream::connect(server) {
                    open.ends.extend(joined(near, far).into_iter().flatten());
                }
            }
        });
        Self { address, open }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends every connection, and lets none through from now on.
    pub fn cut(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.is_cut = true;
        for end in open.ends.drain(..) {
            // It may have ended by itself.
            drop(end.shutdown(Shutdown::Both));
        }
    }

    /// Lets connections through again.
    pub fn mend(&self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).is_cut = false;
    }
}

/// Passes on what comes at either end. Returns handles by which the connection can be ended.
fn joined(near: TcpStream, far: TcpStream) -> io::Result<[TcpStream; 2]> {
    let ends = [near.try_clone()?, far.try_clone()?];
    let (near_in, far_in) = (near.try_clone()?, far.try_clone()?);
    thread::spawn(move || pass_on(near_in, far));
    thread::spawn(move || pass_on(far_in, near));
    Ok(ends)
}

fn pass_on(mut from: TcpStream, mut to: TcpStream) {
    let mut part = [0; 8 * 1024];
    while let Ok(length @ 1..) = from.read(&mut part) {
        if to.write_all(&part[..length]).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Both));
}
