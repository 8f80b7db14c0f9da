//! The client of Umbler's API. It keeps to the budget, retries failures that may pass, and checks the size and form of answers.
//!
//! # Contract
//!
//! 1. The token is sent in a header only. It is in no address, no log and no error.
//! 2. Redirects are not followed: they would send the token to another address.
//! 3. A try takes at most [`ANSWER_TIMEOUT`], its answer has at most [`ANSWER_BYTES_MAX`], and a request is tried at most
//!    [`TRIES_MAX`](super::retry::TRIES_MAX) times.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use ureq::Agent;
use ureq::http::HeaderMap;
use ureq::tls::TlsConfig;

use super::authorization::Authorization;
use super::budget::{SharedBudget, Turn};
use super::fault::LinkError;
use super::retry::{self, Next, TryOutcome};
use super::shifted;
use crate::auth::Secret;
use crate::http::link::LinkHandle;
use crate::telemetry::clock;
use crate::telemetry::metrics::Metrics;
use crate::umbler::api::{AnswerError, ApiPost, ApiRequest, Route};

/// How long a request may take, from connecting to the last byte of its answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the connection for a post may take. Until it exists, nothing has been sent.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer that is read.
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The API's address, the token and the limit of requests.
#[derive(Debug, Clone)]
pub struct Access {
    /// The address of the API, without `/v1` and without a trailing slash.
    pub url: String,
    pub token: Secret,
    /// Which certificates to trust for an https address.
    pub tls: TlsConfig,
    /// Requests to one route within five seconds, at most.
    pub per_5_seconds: usize,
}

#[derive(Debug)]
pub struct ApiAnswer<T> {
    pub said: T,
    /// The provider's clock, to the second, from the answer's `Date` header. `None`: the header is missing or malformed.
    pub date: Option<Timestamp>,
    pub received_at: Timestamp,
}

#[derive(Clone)]
pub struct Client {
    agent: Agent,
    /// Opens a connection for each request. A request on a kept connection that the other side has just closed may or may not
    /// have arrived.
    posting: Agent,
    url: String,
    authorization: Authorization,
    budget: SharedBudget,
    handle: LinkHandle,
    metrics: Metrics,
}

/// The outcome of a request that changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posted {
    Answered {
        status: u16,
        bytes: Vec<u8>,
        /// The pause that the provider asks for.
        retry_after: Option<Duration>,
        /// The provider's clock, to the second.
        date: Option<Timestamp>,
    },
    /// There was no connection, so nothing was sent. Contains the reason in a word.
    NotConnected(String),
    /// The request may or may not have arrived. Contains the reason in a word.
    Unanswered(String),
}

struct Try {
    outcome: TryOutcome,
    reason: String,
    bytes: Vec<u8>,
    date: Option<Timestamp>,
}

impl Client {
    /// `handle` interrupts the client's pauses when the hub stops.
    pub fn new(access: Access, handle: LinkHandle, metrics: Metrics) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(ANSWER_TIMEOUT))
            .max_idle_connections_per_host(1)
            .tls_config(access.tls.clone())
            .build();
        let posting = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(ANSWER_TIMEOUT))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .max_idle_connections(0)
            .max_idle_connections_per_host(0)
            .tls_config(access.tls)
            .build();
        Self {
            agent: config.new_agent(),
            posting: posting.new_agent(),
            url: access.url,
            authorization: Authorization::new(&access.token),
            budget: SharedBudget::new(access.per_5_seconds),
            handle,
            metrics,
        }
    }

    /// A clone whose pauses end with the term of this handle, too.
    pub fn for_term(&self, handle: LinkHandle) -> Self {
        Self { handle, ..self.clone() }
    }

    /// The token, which all clones of the client share.
    pub fn authorization(&self) -> &Authorization {
        &self.authorization
    }

    /// Sends a request, with retries, until `read` can parse the answer or a retry would not help.
    pub fn ask<T>(
        &mut self,
        request: &ApiRequest,
        read: impl Fn(&[u8], Timestamp) -> Result<T, AnswerError>,
    ) -> Result<ApiAnswer<T>, LinkError> {
        self.ask_after(0, request, read)
    }

    /// Asks once, because somebody waits for the answer.
    pub fn ask_briefly<T>(
        &mut self,
        request: &ApiRequest,
        read: impl Fn(&[u8], Timestamp) -> Result<T, AnswerError>,
    ) -> Result<ApiAnswer<T>, LinkError> {
        self.ask_after(retry::TRIES_MAX - 1, request, read)
    }

    /// Asks after so many tries that failed.
    fn ask_after<T>(
        &mut self,
        mut tries: u32,
        request: &ApiRequest,
        read: impl Fn(&[u8], Timestamp) -> Result<T, AnswerError>,
    ) -> Result<ApiAnswer<T>, LinkError> {
        let route = request.route.as_str();
        loop {
            let Try { mut outcome, mut reason, bytes, date } = self.try_once(request)?;
            let received_at = clock::now();
            if matches!(outcome, TryOutcome::Status(200..=299, _)) {
                match read(&bytes, latest(received_at, date)) {
                    Ok(said) => return Ok(ApiAnswer { said, date, received_at }),
                    Err(error) => (outcome, reason) = (TryOutcome::Unreadable, error.to_string()),
                }
            }
            if matches!(outcome, TryOutcome::Status(429, _)) {
                self.note_too_many(request.route);
            }
            match retry::next(outcome, tries, rand::random()) {
                Next::Retry(pause) => {
                    log::debug!("trying {route} of Umbler's API again in {pause:?}: {reason}");
                    self.handle.pause(pause)?;
                }
                Next::Use | Next::GiveUp => return Err(given_up(outcome, route, reason)),
            }
            tries += 1;
        }
    }

    /// How long work that can wait has to wait before it asks on this route; `None`: it may ask now.
    pub fn wait_for_quarter(&self, route: Route) -> Option<Duration> {
        self.budget.wait_for_quarter(route)
    }

    /// Waits; the hub's end is an error.
    pub fn pause(&self, time: Duration) -> Result<(), LinkError> {
        Ok(self.handle.pause(time)?)
    }

    /// Sends a request once. The caller decides whether to try again.
    pub fn ask_once<T>(
        &self,
        request: &ApiRequest,
        read: impl Fn(&[u8], Timestamp) -> Result<T, AnswerError>,
    ) -> Result<ApiAnswer<T>, LinkError> {
        let Try { outcome, reason, bytes, date } = self.try_once(request)?;
        let received_at = clock::now();
        let route = request.route.as_str();
        if !matches!(outcome, TryOutcome::Status(200..=299, _)) {
            if matches!(outcome, TryOutcome::Status(429, _)) {
                self.note_too_many(request.route);
            }
            return Err(given_up(outcome, route, reason));
        }
        let said = read(&bytes, latest(received_at, date));
        let said = said.map_err(|error| given_up(TryOutcome::Unreadable, route, error.to_string()))?;
        Ok(ApiAnswer { said, date, received_at })
    }

    /// Sends a request that changes something, once. Without an answer it is not known whether it arrived.
    pub fn post(&self, post: &ApiPost) -> Result<Posted, LinkError> {
        let _turn = self.wait_for_turn(post.route)?;
        let sent = self
            .posting
            .post(format!("{}{}", self.url, post.path))
            .header("accept", "application/json")
            .header("authorization", self.authorization.header().expose())
            .content_type(&post.content_type)
            .send(&post.body[..]);
        let route = post.route.as_str();
        let mut answer = match sent {
            Ok(answer) => answer,
            Err(error) => {
                self.metrics.api_request(route, "none");
                let reason = without_address(&error);
                let nothing_was_sent = is_before_the_first_byte(&error);
                return Ok(if nothing_was_sent {
                    Posted::NotConnected(reason)
                } else {
                    Posted::Unanswered(reason)
                });
            }
        };
        let status = answer.status().as_u16();
        self.metrics.api_request(route, &status.to_string());
        if status == 429 {
            self.note_too_many(post.route);
        }
        let date = header(answer.headers(), "date").and_then(http_date);
        let seconds = header(answer.headers(), "retry-after").and_then(|text| text.parse().ok());
        let retry_after = seconds.map(Duration::from_secs);
        match answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec() {
            Ok(bytes) => Ok(Posted::Answered { status, bytes, retry_after, date }),
            Err(error) if (200..300).contains(&status) || status >= 500 => {
                Ok(Posted::Unanswered(without_address(&error)))
            }
            // The status alone says that it was refused.
            Err(_) => Ok(Posted::Answered { status, bytes: Vec::new(), retry_after, date }),
        }
    }

    fn note_too_many(&self, route: Route) {
        self.budget.halve(route);
    }

    fn wait_for_turn(&self, route: Route) -> Result<Turn<'_>, LinkError> {
        self.handle.check()?;
        loop {
            match self.budget.take(route) {
                Ok(turn) => {
                    // Looked at last: a request must not go out that waited here while another hub took over.
                    self.handle.check()?;
                    return Ok(turn);
                }
                Err(wait) => self.handle.pause(wait)?,
            }
        }
    }

    /// Sends a request when it is its turn.
    fn try_once(&self, request: &ApiRequest) -> Result<Try, LinkError> {
        let _turn = self.wait_for_turn(request.route)?;
        Ok(self.send(request))
    }

    fn send(&self, request: &ApiRequest) -> Try {
        let address = format!("{}{}", self.url, request.path_and_query());
        let sent = self
            .agent
            .get(address)
            .header("accept", "application/json")
            .header("authorization", self.authorization.header().expose())
            .call();
        let mut answer = match sent {
            Ok(answer) => answer,
            Err(error) => return self.without_answer(request, &error),
        };
        let status = answer.status().as_u16();
        self.metrics.api_request(request.route.as_str(), &status.to_string());
        let date = header(answer.headers(), "date").and_then(http_date);
        let seconds = header(answer.headers(), "retry-after").and_then(|text| text.parse().ok());
        match answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec() {
            Ok(bytes) => {
                let outcome = TryOutcome::Status(status, seconds.map(Duration::from_secs));
                Try { outcome, reason: format!("status {status}"), bytes, date }
            }
            Err(ureq::Error::BodyExceedsLimit(_)) => {
                let reason = format!("the answer has more than {ANSWER_BYTES_MAX} bytes");
                Try { outcome: TryOutcome::TooLarge, reason, bytes: Vec::new(), date }
            }
            Err(error) => Try {
                outcome: TryOutcome::NoAnswer,
                reason: without_address(&error),
                bytes: Vec::new(),
                date,
            },
        }
    }

    fn without_answer(&self, request: &ApiRequest, error: &ureq::Error) -> Try {
        self.metrics.api_request(request.route.as_str(), "none");
        Try { outcome: TryOutcome::NoAnswer, reason: without_address(error), bytes: Vec::new(), date: None }
    }
}

/// True if no byte of the request can have arrived.
#[expect(clippy::wildcard_enum_match_arm, reason = "after any other error the request may have arrived")]
fn is_before_the_first_byte(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => true,
        ureq::Error::Timeout(when) => matches!(when, ureq::Timeout::Connect | ureq::Timeout::Resolve),
        _ => false,
    }
}

/// A time in an answer that is later than this is read as this. It is by the provider's clock where that is ahead of the hub's: by the
/// hub's own clock, a chat that has just been active would have another time on each page that shows it.
fn latest(received_at: Timestamp, date: Option<Timestamp>) -> Timestamp {
    // The date is told in whole seconds.
    date.map_or(received_at, |date| received_at.max(shifted(date, SignedDuration::from_secs(1))))
}

fn given_up(outcome: TryOutcome, route: &'static str, reason: String) -> LinkError {
    match outcome {
        TryOutcome::Status(status @ (401 | 403), _) => LinkError::NotAllowed(status),
        TryOutcome::Status(status, _) if !retry::is_temporary(status) => LinkError::Refused { route, status },
        TryOutcome::Status(..) | TryOutcome::NoAnswer | TryOutcome::Unreadable | TryOutcome::TooLarge => {
            LinkError::Unreachable { route, reason }
        }
    }
}

/// What result wrong, without the error's own text, which may contain the address.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the HTTP client has many kinds of errors, and new releases add more"
)]
fn without_address(error: &ureq::Error) -> String {
    if let ureq::Error::Io(error) = error {
        return error.kind().to_string();
    }
    let said = match error {
        ureq::Error::Timeout(_) => "no answer in time",
        ureq::Error::HostNotFound => "the host is not known",
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => "TLS failed",
        _ => "the connection failed",
    };
    said.to_owned()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Parses the value of an HTTP `Date` header.
fn http_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_header_of_an_answer_tells_the_providers_clock() {
        let read = http_date("Mon, 02 Mar 2026 13:00:06 GMT").map(|at| at.to_string());
        assert_eq!(read.as_deref(), Some("2026-03-02T13:00:06Z"));
        assert_eq!(http_date("soon"), None);
    }
}
