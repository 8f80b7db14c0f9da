//! The body of an event stream: what waits for its reader, and how it is framed.
//!
//! # Contract
//!
//! 1. What waits is shared with other sessions, and framed only when the connection takes it. A reader that
//!    reads nothing costs as much as on a socket (`hub/sessions/backlog.rs`), plus [`SLICE_BYTES_MAX`] of framed
//!    bytes.
//! 2. A message is subtracted from the backlog when all of it has been given to the connection.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix::Recipient;
use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use futures_util::Stream;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::slices::SLICE_BYTES_MAX;
use crate::hub::sessions::backlog::{Backlog, MESSAGES_MAX};
use crate::hub::sessions::outbox::CLOSES_WAITING_MAX;
use crate::hub::updates::batch::Batch;
use crate::hub::{Drained, SessionId};

/// One message that waits for the reader.
pub struct StreamPiece {
    pub(super) content: StreamContent,
    /// Its weight in the backlog; `None` where it comes from the stream itself and not from the hub.
    pub(super) weight: Option<usize>,
}

/// The content of a message.
pub enum StreamContent {
    Envelope(ByteString),
    /// Updates with the epoch of their positions; `None` before the first subscription is confirmed.
    Updates(Arc<Batch>, Option<Arc<str>>),
}

/// The body of the response, which gives out one slice at a time.
pub struct StreamBody {
    pieces: Receiver<StreamPiece>,
    /// The piece that is being written, and how many of its envelopes are framed.
    begun: Option<(StreamPiece, usize)>,
    /// The rest of the envelope that is being written.
    parts: VecDeque<Bytes>,
    backlog: Arc<Backlog>,
    hub: Recipient<Drained>,
    id: SessionId,
}

impl StreamBody {
    /// A body, and the sender by which pieces are added. The channel can hold all that the backlog admits.
    pub fn new(id: SessionId, hub: Recipient<Drained>, backlog: Arc<Backlog>) -> (Sender<StreamPiece>, Self) {
        let (sender, pieces) = channel(MESSAGES_MAX + CLOSES_WAITING_MAX);
        (sender, Self { pieces, begun: None, parts: VecDeque::new(), backlog, hub, id })
    }

    /// Frames the next envelope of the present piece; false where there is no other.
    fn begin_envelope(&mut self) -> bool {
        let Some((piece, framed)) = &mut self.begun else { return false };
        let Some(parts) = piece.content.parts_of(*framed) else { return false };
        *framed += 1;
        self.parts.extend(parts);
        true
    }

    /// To be called when all of the present piece has been given to the connection.
    fn finish_piece(&mut self) {
        let weight = self.begun.take().and_then(|(piece, _)| piece.weight);
        if weight.is_some_and(|weight| self.backlog.subtract(weight))
            && self.hub.try_send(Drained { session: Arc::clone(&self.id) }).is_err()
        {
            // The hub looks for such sessions once a second.
            log::debug!("the hub is too busy to hear that stream {} has read all", self.id);
        }
    }
}

impl StreamContent {
    /// The envelope with this number as the stream writes it; `None` where there is no such envelope.
    fn parts_of(&self, number: usize) -> Option<Vec<Bytes>> {
        let (text, id) = match self {
            Self::Envelope(text) => ((number == 0).then_some(text)?, None),
            Self::Updates(batch, epoch) => {
                let update = batch.frames().get(number)?;
                let id =
                    epoch.as_ref().zip(seq_of(update)).map(|(epoch, seq)| format!("id: {epoch}:{seq}\n"));
                (update, id)
            }
        };
        let text = text.clone().into_bytes();
        let framed = [Bytes::from_static(b"data: "), text, Bytes::from_static(b"\n\n")];
        Some(id.map(Bytes::from).into_iter().chain(framed).collect())
    }
}

/// The position of an encoded update, as text. Its place in the envelope is fixed.
fn seq_of(frame: &str) -> Option<&str> {
    let rest = frame.strip_prefix(r#"{"event":"umbler_update","seq":"#)?;
    rest.split_once(',').map(|(seq, _)| seq)
}

impl Stream for StreamBody {
    type Item = Result<Bytes, actix_web::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut slice = BytesMut::new();
        while slice.len() < SLICE_BYTES_MAX {
            if let Some(part) = self.parts.front_mut() {
                let room = SLICE_BYTES_MAX - slice.len();
                slice.extend_from_slice(&part.split_to(room.min(part.len())));
                if part.is_empty() {
                    self.parts.pop_front();
                }
            } else if !self.begin_envelope() {
                self.finish_piece();
                match self.pieces.poll_recv(cx) {
                    Poll::Ready(Some(piece)) => self.begun = Some((piece, 0)),
                    Poll::Ready(None) | Poll::Pending if !slice.is_empty() => break,
                    Poll::Ready(None) => return Poll::Ready(None),
                    Poll::Pending => return Poll::Pending,
                }
            }
        }
        Poll::Ready(Some(Ok(slice.freeze())))
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use actix::{Actor, Handler};

    use super::*;

    /// Hears what a hub would.
    struct Listener;

    impl Actor for Listener {
        type Context = actix::Context<Self>;
    }

    impl Handler<Drained> for Listener {
        type Result = ();

        fn handle(&mut self, _: Drained, _: &mut Self::Context) {}
    }

    fn update(seq: usize, bytes: usize) -> ByteString {
        format!(r#"{{"event":"umbler_update","seq":{seq},"data":"{}"}}"#, "x".repeat(bytes)).into()
    }

    fn slice(body: &mut StreamBody) -> Option<Bytes> {
        match Pin::new(body).poll_next(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(slice) => slice.map(|slice| slice.expect("bytes")),
            Poll::Pending => panic!("the body waits"),
        }
    }

    #[actix_rt::test]
    async fn a_stream_gives_the_connection_a_slice_at_a_time_and_counts_out_what_is_with_it() {
        let backlog = Arc::<Backlog>::default();
        let hub = Listener.start().recipient();
        let (sender, mut body) = StreamBody::new("a".into(), hub, Arc::clone(&backlog));
        let updates: Vec<ByteString> = (1..=4).map(|seq| update(seq, 10_000)).collect();
        let batch = Arc::new(updates.iter().cloned().collect::<Batch>());
        assert!(backlog.try_add(batch.bytes()));
        let weight = Some(batch.bytes());
        let content = StreamContent::Updates(Arc::clone(&batch), Some("e".into()));
        sender.try_send(StreamPiece { content, weight }).unwrap();
        let mut got = Vec::new();
        while backlog.messages() == 1 {
            let slice = slice(&mut body).expect("more");
            assert!(slice.len() <= SLICE_BYTES_MAX);
            got.extend_from_slice(&slice);
        }
        assert_eq!(Arc::strong_count(&batch), 1, "nothing is kept of it");
        let events = (1..).zip(&updates).map(|(seq, update)| format!("id: e:{seq}\ndata: {update}\n\n"));
        let expected = events.collect::<Vec<_>>().concat();
        assert_eq!(String::from_utf8(got).unwrap(), expected);
        drop(sender);
        assert!(slice(&mut body).is_none());
    }
}
