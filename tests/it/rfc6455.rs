//! The protocol of frames, byte by byte: `docs/rfc6455.md` says what is held and where the hub deviates.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::support::raw::{ACCEPT, KEY, RawFrame, RawSocket, frame, handshake, header};
use super::support::{Hub, hub_with, spawn_hub};

const PING: &str = r#"{"event":"ping"}"#;

/// Sends these bytes on a fresh socket; the code that it is closed with.
fn closes(hub: &Hub, bytes: &[u8]) -> Option<u16> {
    let mut socket = RawSocket::upgraded(hub);
    socket.sends(bytes);
    socket.is_closed()
}

fn hears_pong_event(socket: &mut RawSocket) {
    let heard = socket.frame().expect("an answer");
    let envelope: Value = serde_json::from_slice(&heard.payload).expect("JSON");
    assert_eq!((heard.first, &envelope["event"]), (0x81, &Value::from("pong")), "{envelope}");
}

#[test]
fn a_handshake_is_answered_as_the_rfc_says_and_offers_no_extension() {
    let hub = spawn_hub();
    let mut socket = RawSocket::connect(&hub);
    let offer = ("sec-websocket-extensions", "permessage-deflate; client_max_window_bits");
    let answer = socket.asks(&handshake(&hub, &[offer])).to_ascii_lowercase();
    assert!(answer.starts_with("http/1.1 101 "), "{answer}");
    assert!(answer.contains(&format!("sec-websocket-accept: {}", ACCEPT.to_ascii_lowercase())), "{answer}");
    assert!(answer.contains("upgrade: websocket"), "{answer}");
    assert!(!answer.contains("sec-websocket-extensions"), "compression was not agreed on: {answer}");
}

#[test]
fn a_wrong_handshake_is_refused() {
    let hub = spawn_hub();
    for (changed, status) in [
        (("upgrade", ""), "426"),
        (("upgrade", "h2c"), "426"),
        (("connection", "close"), "400"),
        (("sec-websocket-version", ""), "400"),
        (("sec-websocket-version", "8"), "426"),
        (("sec-websocket-version", "14"), "426"),
        (("sec-websocket-key", ""), "400"),
        (("sec-websocket-key", "c2hvcnQ="), "400"),
        (("sec-websocket-key", "no base64 at all"), "400"),
    ] {
        let answer = RawSocket::connect(&hub).asks(&handshake(&hub, &[changed]));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{changed:?}: {answer}");
        assert_eq!(answer.contains("sec-websocket-version: 13"), status == "426", "{answer}");
    }
    for doubled in [("sec-websocket-key", KEY), ("sec-websocket-version", "13")] {
        let twice = handshake(&hub, &[doubled, doubled]);
        assert!(RawSocket::connect(&hub).asks(&twice).starts_with("HTTP/1.1 400 "), "{twice}");
    }
    let old = handshake(&hub, &[]).replacen("HTTP/1.1", "HTTP/1.0", 1);
    assert!(RawSocket::connect(&hub).asks(&old).contains(" 400 "), "HTTP/1.0 knows no upgrade");
    let post = handshake(&hub, &[]).replacen("GET ", "POST ", 1);
    assert!(RawSocket::connect(&hub).asks(&post).starts_with("HTTP/1.1 405 "));
}

#[test]
fn a_frame_without_a_mask_closes() {
    let hub = spawn_hub();
    let mut bytes = header(0x81, PING.len() as u64, false);
    bytes.extend(PING.as_bytes());
    assert_eq!(closes(&hub, &bytes), Some(1002));
}

#[test]
fn reserved_bits_close() {
    let hub = spawn_hub();
    for bit in [0x40, 0x20, 0x10] {
        assert_eq!(closes(&hub, &frame(0x81 | bit, PING.as_bytes())), Some(1002), "{bit:#x}");
    }
}

#[test]
fn unknown_opcodes_close() {
    let hub = spawn_hub();
    for opcode in [3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf] {
        assert_eq!(closes(&hub, &frame(0x80 | opcode, b"")), Some(1002), "{opcode:#x}");
        assert_eq!(closes(&hub, &frame(0x80 | opcode, b"x")), Some(1002), "{opcode:#x}");
    }
}

#[test]
fn control_frames_are_short_and_whole() {
    let hub = spawn_hub();
    for opcode in [0x8, 0x9, 0xa] {
        assert_eq!(closes(&hub, &frame(0x80 | opcode, &[b'x'; 126])), Some(1002), "{opcode:#x} is too long");
        assert_eq!(closes(&hub, &frame(opcode, b"")), Some(1002), "{opcode:#x} is a fragment");
    }
}

#[test]
fn a_ping_is_answered_with_its_payload_and_a_pong_with_nothing() {
    let hub = spawn_hub();
    let mut socket = RawSocket::upgraded(&hub);
    for payload in [&b""[..], b"hello", &[0xfe; 125]] {
        socket.sends(&frame(0x8a, b"nobody asked"));
        socket.sends(&frame(0x89, payload));
        assert_eq!(socket.frame(), Some(RawFrame { first: 0x8a, payload: payload.to_vec() }));
    }
}

#[test]
fn a_message_may_come_in_pieces_with_pings_between_them() {
    let hub = spawn_hub();
    let mut socket = RawSocket::upgraded(&hub);
    let (start, rest) = PING.as_bytes().split_at(4);
    let (middle, end) = rest.split_at(5);
    socket.sends(&frame(0x01, start));
    socket.sends(&frame(0x89, b"between"));
    assert_eq!(socket.frame(), Some(RawFrame { first: 0x8a, payload: b"between".to_vec() }));
    socket.sends(&frame(0x00, middle));
    socket.sends(&frame(0x00, b""));
    socket.sends(&frame(0x80, end));
    hears_pong_event(&mut socket);
}

#[test]
fn frames_arrive_whole_however_their_bytes_are_cut() {
    let hub = spawn_hub();
    let mut socket = RawSocket::upgraded(&hub);
    for byte in frame(0x81, PING.as_bytes()) {
        socket.sends(&[byte]);
    }
    hears_pong_event(&mut socket);
    let several: Vec<u8> = (0..5).flat_map(|_| frame(0x81, PING.as_bytes())).collect();
    socket.sends(&several);
    for _ in 0..5 {
        hears_pong_event(&mut socket);
    }
}

#[test]
fn fragments_out_of_order_close() {
    let hub = spawn_hub();
    assert_eq!(closes(&hub, &frame(0x80, b"no start")), Some(1002));
    assert_eq!(closes(&hub, &frame(0x00, b"no start")), Some(1002));
    for second in [0x81, 0x01, 0x82, 0x02] {
        let bytes = [frame(0x01, b"{"), frame(second, b"}")].concat();
        assert_eq!(closes(&hub, &bytes), Some(1002), "{second:#x} within a message");
    }
    let ended = [frame(0x01, b"{"), frame(0x80, b"}"), frame(0x80, b"again")].concat();
    assert_eq!(closes(&hub, &ended), Some(1002));
}

#[test]
fn a_text_that_is_no_utf8_closes_and_a_letter_cut_in_two_does_not() {
    let hub = spawn_hub();
    for text in [&b"\xff"[..], b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80"] {
        assert_eq!(closes(&hub, &frame(0x81, text)), Some(1007), "{text:x?}");
        let (start, end) = text.split_at(text.len() / 2);
        assert_eq!(closes(&hub, &[frame(0x01, start), frame(0x80, end)].concat()), Some(1007), "{text:x?}");
    }
    let mut socket = RawSocket::upgraded(&hub);
    let text = "{\"event\":\"ping\",\"data\":\"olá\"}".as_bytes();
    let within = text.iter().position(|byte| *byte == 0xc3).expect("a letter of two bytes") + 1;
    socket.sends(&frame(0x01, &text[..within]));
    socket.sends(&frame(0x80, &text[within..]));
    hears_pong_event(&mut socket);
}

#[test]
fn a_close_is_answered_with_its_code_and_ends_the_connection() {
    let hub = spawn_hub();
    assert_eq!(closes(&hub, &frame(0x88, b"")), None);
    for code in [1000_u16, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] {
        let payload = [&code.to_be_bytes()[..], "até já".as_bytes()].concat();
        assert_eq!(closes(&hub, &frame(0x88, &payload)), Some(code));
        assert_eq!(closes(&hub, &frame(0x88, &code.to_be_bytes())), Some(code));
    }
}

#[test]
fn a_close_that_says_nonsense_is_a_broken_protocol() {
    let hub = spawn_hub();
    assert_eq!(closes(&hub, &frame(0x88, b"x")), Some(1002), "half a code");
    for code in [0_u16, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        assert_eq!(closes(&hub, &frame(0x88, &code.to_be_bytes())), Some(1002), "{code}");
    }
    // The crate does not tell this from a wrong code; the RFC would have 1007.
    let payload = [&1000_u16.to_be_bytes()[..], b"\xff"].concat();
    assert_eq!(closes(&hub, &frame(0x88, &payload)), Some(1002), "a reason that is no UTF-8");
}

/// Makes a connection that both sides have closed.
type ClosedBy = fn(&Hub) -> (Instant, RawSocket);

/// A connection that the client has closed, and how long ago. The client's end is open.
fn closed_by_the_client(hub: &Hub) -> (Instant, RawSocket) {
    let mut socket = RawSocket::upgraded(hub);
    let begun = Instant::now();
    socket.sends(&frame(0x88, &1000_u16.to_be_bytes()));
    assert_eq!(socket.hears_close(), Some(1000));
    (begun, socket)
}

/// A connection that the hub has closed because it is full, and the client after it. The client's end is open.
fn closed_by_the_hub(hub: &Hub) -> (Instant, RawSocket) {
    let _the_only_one = RawSocket::upgraded(hub);
    let mut socket = RawSocket::connect(hub);
    let begun = Instant::now();
    socket.asks(&handshake(hub, &[]));
    assert_eq!(socket.hears_close(), Some(4502));
    socket.sends(&frame(0x88, &1000_u16.to_be_bytes()));
    (begun, socket)
}

/// A hub that has room for one session.
fn narrow_hub() -> Hub {
    hub_with(&[("MAX_SESSIONS", "1")])
}

#[test]
fn the_hub_ends_the_connection_by_itself_whoever_closed_first() {
    let sides: [ClosedBy; 2] = [closed_by_the_client, closed_by_the_hub];
    for closed_by in sides {
        let (_, mut socket) = closed_by(&narrow_hub());
        assert_eq!(socket.frame(), None, "the connection ends although this end stays open");
    }
}

/// A hub that waits for the client to end the connection does so for half a second at least, each time. How long it takes says the
/// machine as well, so this prints figures and gives no verdict.
#[test]
#[ignore = "prints figures"]
fn how_soon_a_connection_ends_after_both_sides_have_closed() {
    const CLOSES: usize = 50;
    let hub = narrow_hub();
    let sides: [(&str, ClosedBy); 2] = [("client", closed_by_the_client), ("hub", closed_by_the_hub)];
    for (who, closed_by) in sides {
        let ended = |_| {
            while hub.json("/health")["sessions"] != 0 {}
            let (begun, mut socket) = closed_by(&hub);
            assert_eq!(socket.frame(), None);
            begun.elapsed()
        };
        let mut took: Vec<Duration> = (0..CLOSES).map(ended).collect();
        took.sort_unstable();
        println!("the {who} closed first: median {:?}, longest {:?}", took[CLOSES / 2], took[CLOSES - 1]);
    }
}

#[test]
fn a_peer_that_does_not_answer_a_close_is_not_waited_for() {
    let hub = hub_with(&[("MAX_SESSIONS", "1")]);
    let _the_only_one = RawSocket::upgraded(&hub);
    let mut socket = RawSocket::connect(&hub);
    socket.asks(&handshake(&hub, &[]));
    assert_eq!(socket.hears_close(), Some(4502));
    socket.sends(&frame(0x81, PING.as_bytes()));
    assert_eq!(socket.frame(), None, "nothing follows a close, and the connection ends");
}

#[test]
fn what_comes_after_a_close_is_not_looked_at() {
    let hub = spawn_hub();
    let bytes = [frame(0x88, &1000_u16.to_be_bytes()), frame(0x81, PING.as_bytes())].concat();
    assert_eq!(closes(&hub, &bytes), Some(1000));
}

#[test]
fn a_length_with_its_highest_bit_set_closes_as_too_large() {
    let hub = spawn_hub();
    let bytes = [header(0x81, 1 << 63 | 5, true), vec![1, 2, 3, 4]].concat();
    assert_eq!(closes(&hub, &bytes), Some(1009));
}

#[test]
fn a_length_written_longer_than_needed_is_read_all_the_same() {
    let hub = spawn_hub();
    let mut socket = RawSocket::upgraded(&hub);
    let length = PING.len();
    let short = u16::try_from(length).expect("it is small").to_be_bytes();
    for header in
        [[&[0x81, 0xfe][..], &short].concat(), [&[0x81, 0xff][..], &(length as u64).to_be_bytes()].concat()]
    {
        // With a mask of zeros the payload stands as it is.
        socket.sends(&[&header[..], &[0; 4], PING.as_bytes()].concat());
        hears_pong_event(&mut socket);
    }
}

#[test]
fn a_peer_that_vanishes_within_a_frame_is_forgotten() {
    let hub = spawn_hub();
    let mut socket = RawSocket::upgraded(&hub);
    let bytes = frame(0x81, PING.as_bytes());
    socket.sends(&bytes[..bytes.len() - 3]);
    drop(socket);
    while hub.json("/health")["sessions"] != 0 {}
}
