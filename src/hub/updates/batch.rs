//! Updates of one commit as some sessions see them: encoded once, framed once, and shared.

use std::fmt;
use std::sync::OnceLock;
use std::time::Instant;

use bytes::Bytes;
use bytestring::ByteString;

/// Updates of one commit for the sessions that see the same of it.
pub struct Batch {
    frames: Box<[ByteString]>,
    bytes: usize,
    /// All updates as WebSocket frames; made by the first session that writes them.
    wire: OnceLock<Bytes>,
    durable_at: Option<Instant>,
}

impl Batch {
    pub fn new(frames: Box<[ByteString]>) -> Self {
        let bytes = frames.iter().map(|frame| frame.len()).sum();
        Self { frames, bytes, wire: OnceLock::new(), durable_at: None }
    }

    /// Updates that are sent as they are committed.
    pub fn committed(frames: Box<[ByteString]>, durable_at: Instant) -> Self {
        Self { durable_at: Some(durable_at), ..Self::new(frames) }
    }

    /// When they became durable; `None` where they are sent later, to a session that catches up or plays the past.
    pub fn durable_at(&self) -> Option<Instant> {
        self.durable_at
    }

    pub fn frames(&self) -> &[ByteString] {
        &self.frames
    }

    /// Total length of the encoded updates.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// All updates as WebSocket frames. The first caller makes them for all others.
    pub fn wire(&self, frame: impl FnOnce(&[ByteString]) -> Bytes) -> Bytes {
        self.wire.get_or_init(|| frame(&self.frames)).clone()
    }
}

impl FromIterator<ByteString> for Batch {
    fn from_iter<I: IntoIterator<Item = ByteString>>(frames: I) -> Self {
        Self::new(frames.into_iter().collect())
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} updates of {} bytes", self.frames.len(), self.bytes)
    }
}
