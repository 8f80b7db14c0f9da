//! Encodes what the hub delivers as WebSocket frames (RFC 6455, section 5.2: a server's frames are not masked),
//! and handles the end of a session.

use actix::prelude::*;
use bytes::{BufMut, Bytes, BytesMut};
use bytestring::ByteString;

use super::WsSession;
use crate::domain::Seq;
use crate::protocol::CloseCode;
use crate::protocol::event::{Heartbeat, ServerEvent, encode};
use crate::telemetry::clock;

/// The first byte of a text message in one frame.
const WHOLE_TEXT: u8 = 0x81;
/// Larger lengths are written into two or eight bytes of their own.
const LENGTH_IN_ONE: usize = 125;
/// The marks for lengths in two and in eight bytes.
const LENGTH_IN_TWO: u8 = 126;
const LENGTH_IN_EIGHT: u8 = 127;
/// Longest header of a frame, in bytes.
const HEADER_BYTES_MAX: usize = 10;

/// The hub ends the session; everything that it sent before has been written.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Ended(pub CloseCode);

impl Handler<Ended> for WsSession {
    type Result = ();

    fn handle(&mut self, Ended(code): Ended, ctx: &mut Self::Context) {
        self.close(code, ctx);
    }
}

/// Encodes several texts, one frame each.
pub fn update_frames(texts: &[ByteString]) -> Bytes {
    let bytes: usize = texts.iter().map(|text| text.len() + HEADER_BYTES_MAX).sum();
    let mut wire = BytesMut::with_capacity(bytes);
    for text in texts {
        frame(text, &mut wire);
    }
    wire.freeze()
}

/// Encodes one text as a frame.
pub fn text_frame(text: &str) -> Bytes {
    let mut wire = BytesMut::with_capacity(text.len() + HEADER_BYTES_MAX);
    frame(text, &mut wire);
    wire.freeze()
}

/// Encodes a heartbeat with this position and number of updates sent.
pub fn heartbeat_frame(seq: Seq, sent: u64) -> Bytes {
    text_frame(&encode(ServerEvent::Heartbeat, None, clock::now(), &Heartbeat { seq, sent }))
}

fn frame(text: &str, wire: &mut BytesMut) {
    wire.put_u8(WHOLE_TEXT);
    let length = text.len();
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if length <= LENGTH_IN_ONE => wire.put_u8(short),
        (_, Ok(length)) => {
            wire.put_u8(LENGTH_IN_TWO);
            wire.put_u16(length);
        }
        (_, Err(_)) => {
            wire.put_u8(LENGTH_IN_EIGHT);
            wire.put_u64(length as u64);
        }
    }
    wire.put_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use tungstenite::protocol::frame::Frame;
    use tungstenite::protocol::frame::coding::{Data, OpCode};

    use super::*;

    #[test]
    fn frames_are_those_of_another_implementation_at_each_length_of_a_header() {
        for length in [0, 1, 125, 126, 127, 255, 256, 65_535, 65_536, 200_000] {
            let text: ByteString = "x".repeat(length).into();
            let mut expected = Vec::new();
            let frame =
                Frame::message(Bytes::copy_from_slice(text.as_bytes()), OpCode::Data(Data::Text), true);
            frame.format(&mut expected).unwrap();
            assert_eq!(text_frame(&text), expected, "{length}");
            let twice = update_frames(&[text.clone(), text]);
            assert_eq!(twice, [&expected[..], &expected[..]].concat(), "{length}");
        }
    }
}
