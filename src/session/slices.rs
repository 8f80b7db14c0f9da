//! Cuts what a session's actor says into slices, so that no connection keeps a buffer as large as its largest
//! answer, and tells the session's output about it.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::Error;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;

use super::socket_queue::SocketQueue;

/// Bytes that are handed to the connection at once. Its buffer grows to the largest slice and, below 128 KiB,
/// never shrinks, so this times the number of sessions is memory (docs/performance.md). Each further slice
/// costs one more system call.
pub const SLICE_BYTES_MAX: usize = 16 * 1024;

/// A body that gives out another body in slices.
pub struct Slices {
    body: BoxBody,
    rest: Bytes,
    queue: Rc<SocketQueue>,
}

impl Slices {
    /// Cuts this body, which is written to the same socket as this output.
    pub fn of(body: BoxBody, queue: Rc<SocketQueue>) -> Self {
        Self { body, rest: Bytes::new(), queue }
    }
}

impl MessageBody for Slices {
    type Error = Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        self.queue.note_task(cx.waker());
        if self.rest.is_empty() {
            match Pin::new(&mut self.body).poll_next(cx) {
                Poll::Ready(Some(Ok(bytes))) => self.rest = bytes,
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error.into()))),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
        let length = self.rest.len().min(SLICE_BYTES_MAX);
        let slice = self.rest.split_to(length);
        self.queue.note_body(!self.rest.is_empty());
        Poll::Ready(Some(Ok(slice)))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[test]
    fn slices_are_bounded_and_together_the_same_bytes() {
        let whole: Vec<u8> = (0..=u8::MAX).cycle().take(2 * SLICE_BYTES_MAX + 7).collect();
        let mut slices = Slices::of(BoxBody::new(whole.clone()), Rc::default());
        let mut lengths = Vec::new();
        let mut got = Vec::new();
        while let Some(slice) = futures_executor::block_on(poll_fn(|cx| Pin::new(&mut slices).poll_next(cx)))
        {
            let slice = slice.unwrap();
            lengths.push(slice.len());
            got.extend_from_slice(&slice);
        }
        assert_eq!(lengths, [SLICE_BYTES_MAX, SLICE_BYTES_MAX, 7]);
        assert_eq!(got, whole);
    }
}
