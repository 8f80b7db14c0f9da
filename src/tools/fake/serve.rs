//! The stand-in's sockets: as much of HTTP/1.1 as a client of the API uses, and answers that fail as they are told to.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::json;

use super::answers::{ApiQuestion, answer};
use super::ways::ApiFault;
use super::{Seen, Shared, TOKEN};
use crate::telemetry::clock;

/// Lines of the head of a request.
const HEAD_LINES_MAX: usize = 100;
/// Longer than any client waits for the next request.
const IDLE_MAX: Duration = Duration::from_mins(5);
/// More than anybody takes.
const HUGE_BYTES: usize = 17 * 1024 * 1024;

/// Takes connections, each on a thread of its own, until the stand-in ends.
pub(super) fn serve(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.ended.load(Ordering::Acquire) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let shared = Arc::clone(shared);
        let spawned =
            std::thread::Builder::new().name("fake-api".into()).spawn(move || talk(stream, &shared));
        if let Err(error) = spawned {
            log::warn!("a connection is not served: {error}");
        }
    }
}

fn talk(stream: TcpStream, shared: &Shared) {
    if let Err(error) = try_to_talk(stream, shared) {
        log::debug!("a connection ended: {error}");
    }
}

fn try_to_talk(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_read_timeout(Some(IDLE_MAX))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some((question, token)) = read(&mut reader)? {
        let stays = reply(reader.get_mut(), &question, token.as_deref(), shared)?;
        if !stays || shared.ended.load(Ordering::Acquire) {
            return Ok(());
        }
    }
    Ok(())
}

/// The next question and its token; `None` where the client has hung up.
fn read(reader: &mut BufReader<TcpStream>) -> io::Result<Option<(ApiQuestion, Option<String>)>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut token = None;
    for _ in 0..HEAD_LINES_MAX {
        let mut header = String::new();
        if reader.read_line(&mut header)? <= 2 {
            break;
        }
        let Some((name, value)) = header.trim_end().split_once(": ") else { continue };
        if name.eq_ignore_ascii_case("authorization") {
            token = value.strip_prefix("Bearer ").map(str::to_owned);
        }
    }
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    Ok(Some((ApiQuestion { path: path.to_owned(), query }, token)))
}

struct Reply {
    status: u16,
    body: String,
    headers: Vec<String>,
    fault: Option<ApiFault>,
}

/// Answers; false where the connection ends with it.
fn reply(
    stream: &mut TcpStream,
    question: &ApiQuestion,
    token: Option<&str>,
    shared: &Shared,
) -> io::Result<bool> {
    let (reply, date) = decide(question, token, shared);
    let Reply { status, body, headers, fault } = reply;
    match &fault {
        Some(ApiFault::Reset) => return Ok(false),
        Some(ApiFault::Slow(time)) => std::thread::sleep(*time),
        _ => {}
    }
    let announced = body.len() + if fault == Some(ApiFault::Cut) { 100 } else { 0 };
    let mut head = format!("HTTP/1.1 {status} x\r\ndate: {date}\r\ncontent-length: {announced}\r\n");
    for header in headers {
        head.push_str(&header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    Ok(fault != Some(ApiFault::Cut))
}

fn decide(question: &ApiQuestion, token: Option<&str>, shared: &Shared) -> (Reply, String) {
    let (at, route) = (Instant::now(), question.route());
    let mut state = shared.lock();
    let now = clock::now().checked_add(state.ways.clock_ahead).unwrap_or(Timestamp::MAX);
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap_or_default();
    let fault = state.next_fault(&route);
    let has_room = state.has_room(&route, at);
    let plain = |status: u16, value: serde_json::Value| Reply {
        status,
        body: value.to_string(),
        headers: Vec::new(),
        fault: None,
    };
    let mut reply = if token != Some(TOKEN) {
        plain(401, json!({ "message": "the token is not known" }))
    } else if let Some(status) = state.ways.refuses_with {
        plain(status, json!({ "message": "the plan does not have this" }))
    } else if has_room {
        let (status, value) = answer(question, &state.world, &state.ways, now);
        plain(status, value)
    } else {
        let headers = state.ways.retry_after.map(|seconds| format!("retry-after: {seconds}"));
        Reply {
            headers: headers.into_iter().collect(),
            ..plain(429, json!({ "message": "too many requests" }))
        }
    };
    spoil(&mut reply, fault, state.ways.retry_after);
    let status = if reply.fault == Some(ApiFault::Reset) { 0 } else { reply.status };
    state.seen.push(Seen { at, route, query: question.query.clone(), status });
    (reply, date)
}

/// Makes an answer fail as it is told to.
fn spoil(reply: &mut Reply, fault: Option<ApiFault>, retry_after: Option<u64>) {
    match &fault {
        Some(ApiFault::Status(status)) => {
            (reply.status, reply.body) = (*status, json!({ "message": "a fault" }).to_string());
            reply.headers.extend(
                retry_after.filter(|_| *status == 429).map(|seconds| format!("retry-after: {seconds}")),
            );
        }
        Some(ApiFault::Html) => {
            (reply.status, reply.body) = (502, "<html><h1>502 Bad Gateway</h1></html>".to_owned());
        }
        Some(ApiFault::Truncated) => reply.body.truncate(reply.body.len() / 2),
        Some(ApiFault::Redirect(to)) => {
            reply.status = 302;
            reply.headers.push(format!("location: {to}"));
        }
        Some(ApiFault::Huge) => reply.body = " ".repeat(HUGE_BYTES),
        Some(ApiFault::Cut | ApiFault::Reset | ApiFault::Slow(_)) | None => {}
    }
    reply.fault = fault;
}
