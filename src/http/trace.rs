//! What ties a request to the log lines of other programs: `x-request-id`, and the trace id of `traceparent`.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

/// The id of a request, sent by a proxy or a client, or made here; each answer carries it.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Where a request stands in a trace (W3C Trace Context).
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Bytes of an id that is taken over. A UUID has 36; a longer one would only fill the log.
const REQUEST_ID_BYTES_MAX: usize = 128;

/// The version that says that a `traceparent` is invalid, and lengths in hexadecimal digits (W3C Trace Context, 3.2).
const VERSION_INVALID: &str = "ff";
const TRACE_ID_DIGITS: usize = 32;
const PARENT_ID_DIGITS: usize = 16;

/// The ids of one request.
#[derive(Debug)]
pub struct Trace {
    /// As it was sent; else the trace id; else a random number.
    pub request_id: HeaderValue,
    /// Of a valid `traceparent`.
    pub trace_id: Option<String>,
}

impl Trace {
    /// Reads the ids of a request. What is invalid counts as absent: a request must not fail for it.
    pub fn of(headers: &HeaderMap) -> Self {
        let trace_id = single(headers, &TRACEPARENT).and_then(trace_id).map(str::to_owned);
        let request_id = single(headers, &REQUEST_ID)
            .filter(|sent| is_sane(sent))
            .cloned()
            .or_else(|| trace_id.as_deref().and_then(|id| HeaderValue::from_str(id).ok()))
            .unwrap_or_else(|| HeaderValue::from(rand::random::<u64>()));
        Self { request_id, trace_id }
    }

    /// The request's id as text.
    pub fn request_id(&self) -> &str {
        self.request_id.to_str().unwrap_or_default()
    }
}

/// A header that is sent once: of two nobody knows which one counts.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name);
    values.next().filter(|_| values.next().is_none())
}

fn is_sane(id: &HeaderValue) -> bool {
    (1..=REQUEST_ID_BYTES_MAX).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
}

/// The trace id of `VERSION-TRACE-PARENT-FLAGS`. Later versions may add parts behind these four.
fn trace_id(traceparent: &HeaderValue) -> Option<&str> {
    let mut parts = traceparent.to_str().ok()?.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_known = version != VERSION_INVALID && (version != "00" || parts.next().is_none());
    let is_valid = is_hex(version, 2)
        && is_id(trace, TRACE_ID_DIGITS)
        && is_id(parent, PARENT_ID_DIGITS)
        && is_hex(flags, 2);
    (is_known && is_valid).then_some(trace)
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// All zeros stand for no id.
fn is_id(text: &str, digits: usize) -> bool {
    is_hex(text, digits) && text.bytes().any(|byte| byte != b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn read(headers: &[(HeaderName, &[u8])]) -> Trace {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.clone(), HeaderValue::from_bytes(value).unwrap());
        }
        Trace::of(&map)
    }

    #[test]
    fn a_sane_id_is_taken_over_and_any_other_is_replaced() {
        let longest = "x".repeat(REQUEST_ID_BYTES_MAX);
        for sane in ["7", "a!b~{}\"", &longest] {
            assert_eq!(read(&[(REQUEST_ID, sane.as_bytes())]).request_id(), sane);
        }
        let too_long = "x".repeat(REQUEST_ID_BYTES_MAX + 1);
        for odd in ["", "a b", "a\tb", "é", &too_long] {
            let made = read(&[(REQUEST_ID, odd.as_bytes())]);
            assert!(made.request_id().parse::<u64>().is_ok(), "{odd:?}: {made:?}");
        }
        let twice = read(&[(REQUEST_ID, b"a"), (REQUEST_ID, b"b")]);
        assert!(twice.request_id().parse::<u64>().is_ok(), "{twice:?}");
        assert_ne!(read(&[]).request_id(), read(&[]).request_id(), "each has one of its own");
    }

    #[test]
    fn a_trace_id_is_read_from_a_valid_traceparent_alone() {
        let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
        let traced = read(&[(TRACEPARENT, traceparent.as_bytes())]);
        assert_eq!((traced.trace_id.as_deref(), traced.request_id()), (Some(TRACE), TRACE));
        let both = read(&[(TRACEPARENT, traceparent.as_bytes()), (REQUEST_ID, b"mine")]);
        assert_eq!((both.trace_id.as_deref(), both.request_id()), (Some(TRACE), "mine"));
        let later = format!("01-{TRACE}-00f067aa0ba902b7-01-more");
        assert_eq!(read(&[(TRACEPARENT, later.as_bytes())]).trace_id.as_deref(), Some(TRACE));
        for invalid in [
            String::new(),
            TRACE.to_owned(),
            format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{TRACE}-00f067aa0ba902b7-01-more"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
            format!("00-{TRACE}0-00f067aa0ba902b7-01"),
            format!("00-{TRACE}-00f067aa0ba902b7-0"),
            format!("00-{TRACE}-00f067aa0ba902b7"),
        ] {
            assert_eq!(read(&[(TRACEPARENT, invalid.as_bytes())]).trace_id, None, "{invalid}");
        }
        let twice = [(TRACEPARENT, traceparent.as_bytes()), (TRACEPARENT, traceparent.as_bytes())];
        assert_eq!(read(&twice).trace_id, None);
    }
}
