//! As much of RFC 6455 as a client needs that trusts its server: read frames, write small masked ones.

/// The bit of a frame that is a message of its own.
const FINAL: u8 = 0x80;
/// A text frame's code.
pub const TEXT: u8 = 1;
/// A ping's code.
pub const PING: u8 = 9;

/// The answer to an empty ping. The mask is zero: it protects proxies, and there is none here.
pub const PONG: [u8; 6] = [0x8A, 0x80, 0, 0, 0, 0];

/// One frame, not masked, with its length in the bytes.
pub struct Frame<'a> {
    /// What it is.
    pub code: u8,
    /// What it holds.
    pub payload: &'a [u8],
    /// Its length with the header.
    pub length: usize,
}

/// The first frame of these bytes, once it is there as a whole.
pub fn first(bytes: &[u8]) -> Option<Frame<'_>> {
    let (code, short) = (bytes.first()? & 0x0F, usize::from(bytes.get(1)? & 0x7F));
    let (header, length) = match short {
        126 => (4, number(bytes.get(2..4)?)),
        127 => (10, number(bytes.get(2..10)?)),
        length => (2, length),
    };
    let payload = bytes.get(header..header + length)?;
    Some(Frame { code, payload, length: header + length })
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, byte| (number << 8) | usize::from(*byte))
}

/// A text frame as a server sends it.
pub fn from_server(text: &[u8]) -> Vec<u8> {
    framed(text, 0)
}

/// A text frame as a client sends it, with a mask of zero.
pub fn from_client(text: &[u8]) -> Vec<u8> {
    framed(text, 0x80)
}

fn framed(text: &[u8], mask: u8) -> Vec<u8> {
    let mut frame = vec![FINAL | TEXT];
    match (u8::try_from(text.len()), u16::try_from(text.len())) {
        (Ok(length), _) if length < 126 => frame.push(mask + length),
        (_, Ok(length)) => {
            frame.push(mask + 126);
            frame.extend(length.to_be_bytes());
        }
        _ => {
            frame.push(mask + 127);
            frame.extend((text.len() as u64).to_be_bytes());
        }
    }
    if mask != 0 {
        frame.extend([0; 4]);
    }
    frame.extend(text);
    frame
}
