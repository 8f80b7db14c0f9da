//! Refuses a WebSocket frame by its announced length, before any of it is buffered.
//!
//! The codec of actix-http checks its limit only after the whole announced payload has arrived, so a connection
//! that announces a terabyte would fill the memory. This adaptor reads frame headers as they pass (they may
//! arrive in pieces) and *ends* the stream at the first one that announces too much. An error instead would
//! overtake good frames that are still buffered. It also bounds the sum over the frames of one message.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_util::Stream;

/// Largest frame, and largest message of several frames, in bytes of payload (contract, section 3).
pub const FRAME_BYTES_MAX: usize = 64 * 1024;

/// Longest header: two bytes, eight for the length, four for the mask.
const HEADER_BYTES_MAX: usize = 14;

/// A payload stream that ends before a frame that is too large.
pub struct FrameGuard<S> {
    inner: S,
    headers: HeaderReader,
    too_large: Arc<AtomicBool>,
}

impl<S> FrameGuard<S> {
    /// Guards `inner`, and sets `too_large` when it ends the stream.
    pub fn new(inner: S, too_large: Arc<AtomicBool>) -> Self {
        Self { inner, headers: HeaderReader::default(), too_large }
    }
}

impl<S: Stream<Item = Result<Bytes, PayloadError>> + Unpin> Stream for FrameGuard<S> {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.too_large.load(Ordering::Acquire) {
            return Poll::Ready(None);
        }
        let polled = Pin::new(&mut self.inner).poll_next(cx);
        let Poll::Ready(Some(Ok(chunk))) = polled else { return polled };
        let Some(good) = self.headers.refuse_at(&chunk) else { return Poll::Ready(Some(Ok(chunk))) };
        self.too_large.store(true, Ordering::Release);
        // What comes before the refused frame is still good.
        Poll::Ready((good > 0).then(|| Ok(chunk.slice(..good))))
    }
}

/// Follows the frames in a byte stream without looking at their payload.
#[derive(Default)]
struct HeaderReader {
    header: [u8; HEADER_BYTES_MAX],
    filled: usize,
    /// Bytes of the present frame's payload that have not come yet.
    payload_left: u64,
    /// Bytes of the present message's payload so far, over all of its frames.
    message_bytes: u64,
}

impl HeaderReader {
    /// The offset in `chunk` of the first frame that is refused; 0 if it began in an earlier chunk.
    fn refuse_at(&mut self, chunk: &[u8]) -> Option<usize> {
        let mut at = 0;
        let mut frame_start = 0;
        while at < chunk.len() {
            if self.payload_left > 0 {
                let skipped = self.payload_left.min((chunk.len() - at) as u64);
                self.payload_left -= skipped;
                at += usize::try_from(skipped).unwrap_or(usize::MAX);
                continue;
            }
            if self.filled == 0 {
                frame_start = at;
            }
            self.header[self.filled] = chunk[at];
            self.filled += 1;
            at += 1;
            let Some(length) = self.announced() else { continue };
            if self.is_too_large(length) {
                return Some(frame_start);
            }
            self.filled = 0;
            self.payload_left = length;
        }
        None
    }

    /// The length of the payload, once the header is complete.
    fn announced(&self) -> Option<u64> {
        let second = *self.header[..self.filled].get(1)?;
        let (length_bytes, short) = match second & 0x7f {
            126 => (2, None),
            127 => (8, None),
            length => (0, Some(u64::from(length))),
        };
        let mask_bytes = if second & 0x80 == 0 { 0 } else { 4 };
        if self.filled < 2 + length_bytes + mask_bytes {
            return None;
        }
        let long =
            || self.header[2..2 + length_bytes].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        Some(short.unwrap_or_else(long))
    }

    fn is_too_large(&mut self, length: u64) -> bool {
        let opcode = self.header[0] & 0x0f;
        // Control frames may come between the frames of a message and do not belong to it.
        if opcode >= 0x8 {
            return length > FRAME_BYTES_MAX as u64;
        }
        let before = if opcode == 0 { self.message_bytes } else { 0 };
        self.message_bytes = before.saturating_add(length);
        self.message_bytes > FRAME_BYTES_MAX as u64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(first: u8, length: u64) -> Vec<u8> {
        let mut bytes = vec![first];
        match length {
            0..=125 => bytes.push(0x80 | u8::try_from(length).unwrap()),
            126..=0xffff => {
                bytes.push(0x80 | 0x7e);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            _ => {
                bytes.push(0x80 | 127);
                bytes.extend(length.to_be_bytes());
            }
        }
        bytes.extend([1, 2, 3, 4]);
        bytes
    }

    fn whole(first: u8, length: u64) -> Vec<u8> {
        let mut bytes = frame(first, length);
        bytes.extend(vec![0; usize::try_from(length).unwrap()]);
        bytes
    }

    #[test]
    fn the_limit_itself_passes_and_one_byte_more_does_not() {
        assert_eq!(HeaderReader::default().refuse_at(&whole(0x81, FRAME_BYTES_MAX as u64)), None);
        assert_eq!(HeaderReader::default().refuse_at(&frame(0x81, FRAME_BYTES_MAX as u64 + 1)), Some(0));
        assert_eq!(HeaderReader::default().refuse_at(&frame(0x82, 1 << 40)), Some(0));
        assert_eq!(HeaderReader::default().refuse_at(&frame(0x89, u64::MAX)), Some(0));
    }

    #[test]
    fn the_frames_of_one_message_count_together_and_control_frames_between_them_do_not() {
        let mut bytes = whole(0x01, 40_000);
        bytes.extend(whole(0x89, 100));
        let good = bytes.len();
        bytes.extend(frame(0x80, 30_000));
        assert_eq!(HeaderReader::default().refuse_at(&bytes), Some(good));
        let mut bytes = whole(0x81, 40_000);
        bytes.extend(whole(0x81, 40_000));
        assert_eq!(HeaderReader::default().refuse_at(&bytes), None, "two messages");
    }

    proptest! {
        #[test]
        fn a_header_is_read_however_it_is_split(lengths in prop::collection::vec(0u64..70_000, 1..5), cuts in prop::collection::vec(1usize..40, 1..200)) {
            let bytes: Vec<u8> = lengths.iter().flat_map(|length| whole(0x81, *length)).collect();
            let expected = lengths.iter().any(|length| *length > FRAME_BYTES_MAX as u64);
            let mut reader = HeaderReader::default();
            let mut refused = false;
            let mut at = 0;
            let mut cuts = cuts.into_iter().cycle();
            while at < bytes.len() && !refused {
                // Small cuts around headers, large ones elsewhere.
                let cut = if reader.payload_left > 100 { 4_096 } else { cuts.next().unwrap() };
                let end = (at + cut).min(bytes.len());
                refused = reader.refuse_at(&bytes[at..end]).is_some();
                at = end;
            }
            prop_assert_eq!(refused, expected);
        }
    }
}
