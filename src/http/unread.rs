//! Reads and drops the rest of a refused body after the answer was sent. Most senders only look for the answer
//! when they have sent everything, and a connection that was closed before that would take the answer from
//! them.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, web};
use bytes::Bytes;
use futures_util::Stream;
use tokio::time::{Sleep, sleep};

/// The rest of a request's body, and how much of it is worth reading.
struct Unread {
    payload: web::Payload,
    bytes_max: usize,
    within: Duration,
}

/// Leaves the rest of a body to be dropped after the answer: at most `bytes_max` bytes, and at most for the
/// time `within`.
pub fn leave(request: &HttpRequest, payload: web::Payload, bytes_max: usize, within: Duration) {
    request.extensions_mut().insert(Unread { payload, bytes_max, within });
}

/// Adds what a handler left to the body of its answer.
pub async fn drop_behind_answer<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    let unread = response.request().extensions_mut().remove::<Unread>();
    let Some(unread) = unread else { return Ok(response) };
    Ok(response.map_body(|_, answer| {
        BoxBody::new(Behind {
            answer: Some(answer),
            payload: unread.payload,
            left: unread.bytes_max,
            end: Box::pin(sleep(unread.within)),
        })
    }))
}

/// The body of an answer that ends when the rest of the request has come, or is no longer waited for.
struct Behind {
    /// The body of the answer; `None` once it was given to the connection.
    answer: Option<BoxBody>,
    payload: web::Payload,
    /// How many more bytes are read.
    left: usize,
    end: Pin<Box<Sleep>>,
}

impl Behind {
    /// Reads and drops. Ready when there is nothing more to read.
    fn poll_drop(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Poll::Ready(chunk) = Pin::new(&mut self.payload).poll_next(cx) {
            let Some(Ok(chunk)) = chunk else { return Poll::Ready(()) };
            self.left = self.left.saturating_sub(chunk.len());
            if self.left == 0 {
                return Poll::Ready(());
            }
        }
        self.end.as_mut().poll(cx)
    }
}

impl MessageBody for Behind {
    type Error = Error;

    fn size(&self) -> BodySize {
        // The rest of the request adds nothing to the answer.
        self.answer.as_ref().map_or(BodySize::None, MessageBody::size)
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if let Some(answer) = &mut self.answer {
            match Pin::new(answer).poll_next(cx) {
                Poll::Ready(None) => self.answer = None,
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error.into()))),
                Poll::Ready(Some(Ok(bytes))) => return Poll::Ready(Some(Ok(bytes))),
                Poll::Pending => return Poll::Pending,
            }
        }
        self.poll_drop(cx).map(|()| None)
    }
}
