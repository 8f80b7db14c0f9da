//! A connection's socket as its HTTP part sees it. It reads and writes like a TCP stream, and takes turns with
//! the [`SocketQueue`] when it writes.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::socket_queue::SocketQueue;

/// Bytes that are read and dropped at once, and how often, before a connection that is over is closed. A socket
/// that is closed with unread data resets the connection, and the peer may lose the last frames of the hub.
const DROPPED_BYTES: usize = 4 * 1024;
const DROPS_MAX: usize = 32;

/// One accepted connection of a client.
pub struct Wire {
    queue: Rc<SocketQueue>,
}

impl Wire {
    pub fn new(stream: TcpStream) -> Self {
        Self { queue: Rc::new(SocketQueue::new(stream)) }
    }

    /// The output for the hub's frames, for a session that opens on this connection.
    pub fn queue(&self) -> &Rc<SocketQueue> {
        &self.queue
    }

    fn poll_with<T>(
        &self,
        work: impl FnOnce(Pin<&mut TcpStream>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match self.queue.with_stream(|stream| Ok(work(Pin::new(stream)))) {
            Ok(polled) => polled,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

/// Drops what the peer sent after its close frame, as far as it has arrived.
fn drop_unread(mut stream: Pin<&mut TcpStream>, cx: &mut Context<'_>) -> io::Result<()> {
    for _ in 0..DROPS_MAX {
        let mut bytes = [0; DROPPED_BYTES];
        let mut unread = ReadBuf::new(&mut bytes);
        match stream.as_mut().poll_read(cx, &mut unread)? {
            Poll::Ready(()) if !unread.filled().is_empty() => {}
            Poll::Ready(()) | Poll::Pending => break,
        }
    }
    Ok(())
}

impl Drop for Wire {
    fn drop(&mut self) {
        // The socket closes now, even if somebody still holds the output.
        self.queue.disconnect();
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.queue.is_finished() {
            // Nothing is read, which the HTTP part takes for the end: it writes what it has and closes, where
            // otherwise it would wait for the peer to close first.
            return self.poll_with(|stream| Poll::Ready(drop_unread(stream, cx)));
        }
        self.poll_with(|stream| stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.queue.poll_write_begun(cx))?;
        let written = ready!(self.poll_with(|stream| stream.poll_write(cx, buf)))?;
        // The connection always passes everything that it has.
        if written == buf.len() {
            self.queue.note_buffer_written();
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.queue.poll_write_all(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_with(|stream| stream.poll_shutdown(cx))
    }
}
