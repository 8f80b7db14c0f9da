//! The HTTP server of the fake API: as much of HTTP/1.1 as its clients use, and answers that fail on request.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::json;

use super::answers::{ApiCall, answer, raise};
use super::behavior::ApiFault;
use super::{FakeRequest, Shared, State};
use crate::telemetry::clock;

/// Most header lines of a request that are read.
const HEAD_LINES_MAX: usize = 100;
/// The largest request body that is read.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// How long a connection may be idle. No client waits longer between two requests.
const IDLE_MAX: Duration = Duration::from_mins(5);
/// More bytes than the hub's client reads (`ANSWER_BYTES_MAX`).
const HUGE_BYTES: usize = 17 * 1024 * 1024;

/// Accepts connections, each on a thread of its own, until the fake API stops.
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
            log::warn!("the fake API cannot serve a connection: {error}");
        }
    }
}

fn talk(stream: TcpStream, shared: &Shared) {
    if let Err(error) = try_to_talk(stream, shared) {
        log::debug!("a connection to the fake API ended: {error}");
    }
}

fn try_to_talk(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_read_timeout(Some(IDLE_MAX))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some((call, token)) = read(&mut reader)? {
        let keep_alive = reply(reader.get_mut(), &call, token.as_deref(), shared)?;
        if !keep_alive || shared.ended.load(Ordering::Acquire) {
            return Ok(());
        }
    }
    Ok(())
}

/// Reads the next request and its token. `None`: the client has closed the connection.
fn read(reader: &mut BufReader<TcpStream>) -> io::Result<Option<(ApiCall, Option<String>)>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut token, mut length, mut content_type) = (None, 0_usize, String::new());
    let method = line.split(' ').next().unwrap_or_default().to_owned();
    for _ in 0..HEAD_LINES_MAX {
        let mut header = String::new();
        if reader.read_line(&mut header)? <= 2 {
            break;
        }
        let Some((name, value)) = header.trim_end().split_once(": ") else { continue };
        match &*name.to_ascii_lowercase() {
            "authorization" => token = value.strip_prefix("Bearer ").map(str::to_owned),
            "content-length" => length = value.parse().unwrap_or(0),
            "content-type" => value.clone_into(&mut content_type),
            _ => {}
        }
    }
    let mut body = vec![0; length.min(BODY_BYTES_MAX)];
    reader.read_exact(&mut body)?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let body = (method == "POST").then_some((content_type, body));
    Ok(Some((ApiCall { path: path.to_owned(), query, body }, token)))
}

struct Reply {
    status: u16,
    body: String,
    headers: Vec<String>,
    fault: Option<ApiFault>,
}

/// Sends the answer to a request. False: the connection must be closed.
fn reply(stream: &mut TcpStream, call: &ApiCall, token: Option<&str>, shared: &Shared) -> io::Result<bool> {
    let (reply, date) = decide(call, token, shared);
    let Reply { status, body, headers, fault } = reply;
    match &fault {
        Some(ApiFault::Reset | ApiFault::Lost) => return Ok(false),
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

fn decide(call: &ApiCall, token: Option<&str>, shared: &Shared) -> (Reply, String) {
    let (at, route) = (Instant::now(), call.route());
    let mut state = shared.lock();
    let now = clock::now().checked_add(state.behavior.clock_ahead).unwrap_or(Timestamp::MAX);
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap_or_default();
    let fault = state.next_fault(&route);
    let has_room = state.has_room(&route, at);
    let plain = |status: u16, value: serde_json::Value| Reply {
        status,
        body: value.to_string(),
        headers: Vec::new(),
        fault: None,
    };
    let mut reply = if let Some(name) = call.path.strip_prefix("/api/pictures/") {
        let headers = vec!["content-type: image/svg+xml".to_owned()];
        Reply { status: 200, body: picture(name), headers, fault: None }
    } else if token != Some(state.behavior.token) {
        plain(401, json!({ "message": "the token is not known" }))
    } else if let Some(status) = state.behavior.refuses_with {
        plain(status, json!({ "message": "the plan does not have this" }))
    } else if has_room {
        let is_accepted = !matches!(fault, Some(ApiFault::Lost | ApiFault::Status(_) | ApiFault::Says(..)));
        let (status, value) = match &call.body {
            Some(_) if !is_accepted => (500, json!({ "message": "it was not accepted" })),
            Some((_, body)) if route == "webhooks" => state.world.register(body),
            Some((content_type, body)) if route == "messages" => state.accept(content_type, body, now, at),
            Some(_) => (405, json!({ "message": "this route takes no POST" })),
            None => {
                let State { world, behavior, .. } = &mut *state;
                raise(call, world, behavior, now);
                answer(call, world, behavior, now)
            }
        };
        shared.later.notify_all();
        plain(status, value)
    } else {
        let headers = state.behavior.retry_after.map(|seconds| format!("retry-after: {seconds}"));
        Reply {
            headers: headers.into_iter().collect(),
            ..plain(429, json!({ "message": "too many requests" }))
        }
    };
    spoil(&mut reply, fault, state.behavior.retry_after);
    let is_silent = matches!(reply.fault, Some(ApiFault::Reset | ApiFault::Lost));
    let status = if is_silent { 0 } else { reply.status };
    state.requests.push(FakeRequest { at, route, query: call.query.clone(), status });
    (reply, date)
}

/// Applies a fault to an answer.
fn spoil(reply: &mut Reply, fault: Option<ApiFault>, retry_after: Option<u64>) {
    match &fault {
        Some(ApiFault::Status(status)) => {
            (reply.status, reply.body) = (*status, json!({ "message": "a fault" }).to_string());
            reply.headers.extend(
                retry_after.filter(|_| *status == 429).map(|seconds| format!("retry-after: {seconds}")),
            );
        }
        Some(ApiFault::Says(status, words)) => {
            (reply.status, reply.body) = (*status, json!({ "message": words }).to_string());
        }
        Some(ApiFault::Accepted(status)) => {
            (reply.status, reply.body) = (*status, json!({ "message": "a fault" }).to_string());
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
        Some(ApiFault::Cut | ApiFault::Reset | ApiFault::Lost | ApiFault::Slow(_)) | None => {}
    }
    reply.fault = fault;
}

/// The picture of an agent: a face in a colour of its own.
fn picture(name: &str) -> String {
    let hue = name.bytes().fold(0_u32, |hue, byte| (hue * 31 + u32::from(byte)) % 360);
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" fill="hsl({hue} 55% 45%)"/><circle cx="32" cy="25" r="11" fill="#f3d9c4"/><path d="M21 23a11 11 0 0 1 22 0c-6-5-16-5-22 0" fill="hsl({hue} 35% 20%)"/><path d="M11 64c2-17 11-24 21-24s19 7 21 24" fill="hsl({hue} 45% 75%)"/></svg>"##
    )
}
