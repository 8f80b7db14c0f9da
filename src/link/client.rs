//! Asks Umbler's API: within the budget, again where that may help, and with what came back checked for its size and form.
//!
//! # Contract
//!
//! 1. The token is in a header alone: in no address, no log and no error.
//! 2. Redirects are not followed: they would carry the token elsewhere.
//! 3. Bounds: [`ANSWER_TIMEOUT`] for an answer, [`ANSWER_BYTES_MAX`] of it, [`TRIES_MAX`](super::retry::TRIES_MAX) tries.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use ureq::Agent;
use ureq::http::HeaderMap;
use ureq::tls::TlsConfig;

use super::budget::Budget;
use super::retry::{self, Came, Next};
use crate::auth::Secret;
use crate::http::link::LinkDesk;
use crate::telemetry::clock;
use crate::telemetry::metrics::Metrics;
use crate::umbler::api::{AnswerError, ApiRequest};

/// How long one answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer that is taken.
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Where the API is, and who asks.
#[derive(Debug, Clone)]
pub struct Access {
    /// The address of the API, without `/v1` and without a slash at its end.
    pub url: String,
    pub token: Secret,
    /// Whom to trust where the address is of https.
    pub tls: TlsConfig,
    /// Requests on one route within five seconds.
    pub per_5_seconds: usize,
}

#[derive(Debug)]
pub struct Answered<T> {
    pub said: T,
    /// The provider's clock, to the second; `None` where the answer does not tell it.
    pub date: Option<Timestamp>,
    pub received_at: Timestamp,
}

/// Why there is no answer that counts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The token is wrong or has expired, or the plan has no API.
    #[error("Umbler refused the token with {0}: it is wrong or has expired, or the plan has no API")]
    NotAllowed(u16),
    /// Another refusal, which asking again does not change.
    #[error("Umbler answered {status} to {route}")]
    Refused { route: &'static str, status: u16 },
    /// No answer in time, or none but errors, however often it was asked.
    #[error("Umbler did not answer {route}: {reason}")]
    Unreachable { route: &'static str, reason: String },
    /// The answer is not one to the question: a parameter was ignored, or a list is empty that cannot be.
    #[error("the answer to {route} cannot be trusted: {reason}")]
    Misled { route: &'static str, reason: &'static str },
    /// The hub cannot take in or read what is to be compared. It is tried again.
    #[error("the hub could not compare: {0}")]
    Hub(String),
    #[error("the hub is stopping")]
    Stopping,
}

pub struct Client {
    agent: Agent,
    url: String,
    authorization: Secret,
    budget: Budget,
    desk: LinkDesk,
    metrics: Metrics,
}

struct Try {
    came: Came,
    reason: String,
    bytes: Vec<u8>,
    date: Option<Timestamp>,
}

impl Client {
    /// A client that waits at this desk, so that it ends with the hub.
    pub fn new(access: Access, desk: LinkDesk, metrics: Metrics) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(ANSWER_TIMEOUT))
            .max_idle_connections_per_host(1)
            .tls_config(access.tls)
            .build();
        Self {
            agent: config.new_agent(),
            url: access.url,
            authorization: Secret::new(format!("Bearer {}", access.token.expose())),
            budget: Budget::new(access.per_5_seconds),
            desk,
            metrics,
        }
    }

    /// Asks until there is an answer that `read` takes, or no hope of one.
    pub fn ask<T>(
        &mut self,
        request: &ApiRequest,
        read: impl Fn(&[u8], Timestamp) -> Result<T, AnswerError>,
    ) -> Result<Answered<T>, LinkError> {
        let route = request.route.as_str();
        let mut tries = 0;
        loop {
            self.wait_for_turn(request)?;
            let Try { mut came, mut reason, bytes, date } = self.try_once(request);
            let received_at = clock::now();
            if matches!(came, Came::Status(200..=299, _)) {
                match read(&bytes, received_at) {
                    Ok(said) => return Ok(Answered { said, date, received_at }),
                    Err(error) => (came, reason) = (Came::Unreadable, error.to_string()),
                }
            }
            if matches!(came, Came::Status(429, _)) {
                self.budget.halve(request.route, Instant::now());
            }
            match retry::next(came, tries, rand::random()) {
                Next::Again(pause) => {
                    log::debug!("asking Umbler for {route} again in {pause:?}: {reason}");
                    self.desk.pause(pause)?;
                }
                Next::Use | Next::GiveUp => return Err(given_up(came, route, reason)),
            }
            tries += 1;
        }
    }

    fn wait_for_turn(&mut self, request: &ApiRequest) -> Result<(), LinkError> {
        while let Err(wait) = self.budget.take(request.route, Instant::now()) {
            self.desk.pause(wait)?;
        }
        Ok(())
    }

    fn try_once(&self, request: &ApiRequest) -> Try {
        let address = format!("{}{}", self.url, request.path_and_query());
        let sent = self
            .agent
            .get(address)
            .header("accept", "application/json")
            .header("authorization", self.authorization.expose())
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
                let came = Came::Status(status, seconds.map(Duration::from_secs));
                Try { came, reason: format!("status {status}"), bytes, date }
            }
            Err(ureq::Error::BodyExceedsLimit(_)) => {
                let reason = format!("the answer has more than {ANSWER_BYTES_MAX} bytes");
                Try { came: Came::TooLarge, reason, bytes: Vec::new(), date }
            }
            Err(error) => {
                Try { came: Came::Nothing, reason: without_address(&error), bytes: Vec::new(), date }
            }
        }
    }

    fn without_answer(&self, request: &ApiRequest, error: &ureq::Error) -> Try {
        self.metrics.api_request(request.route.as_str(), "none");
        Try { came: Came::Nothing, reason: without_address(error), bytes: Vec::new(), date: None }
    }
}

fn given_up(came: Came, route: &'static str, reason: String) -> LinkError {
    match came {
        Came::Status(status @ (401 | 403), _) => LinkError::NotAllowed(status),
        Came::Status(status, _) if !(408 == status || 429 == status || status >= 500) => {
            LinkError::Refused { route, status }
        }
        Came::Status(..) | Came::Nothing | Came::Unreadable | Came::TooLarge => {
            LinkError::Unreachable { route, reason }
        }
    }
}

/// What went wrong, in a word: the text of an error may hold the address.
#[expect(clippy::wildcard_enum_match_arm, reason = "the client's errors are many, and more come")]
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

/// The date of an HTTP header.
fn http_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_provider_tells_its_clock_in_the_header_of_its_answers() {
        let read = http_date("Mon, 02 Mar 2026 13:00:06 GMT").map(|at| at.to_string());
        assert_eq!(read.as_deref(), Some("2026-03-02T13:00:06Z"));
        assert_eq!(http_date("soon"), None);
    }
}
