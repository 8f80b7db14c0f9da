//! Updates of one commit as some sessions see them: encoded once, framed once, and shared.

use std::fmt;
use std::sync::OnceLock;

use bytes::Bytes;
use bytestring::ByteString;

/// Updates of one commit for the sessions that see the same of it.
pub struct Batch {
    frames: Box<[ByteString]>,
    bytes: usize,
    /// All updates as WebSocket frames; made by the first session that writes them.
    wire: OnceLock<Bytes>,
}

impl Batch {
    pub fn new(frames: Box<[ByteString]>) -> Self {
        let bytes = frames.iter().map(|frame| frame.len()).sum();
        Self { frames, bytes, wire: OnceLock::new() }
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
