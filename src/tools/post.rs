//! Posts deliveries to a hub as the provider does, but with more patience: until they are acknowledged.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::Deserialize;
use ureq::Agent;

use super::{ToolError, pause_until};
use crate::app::tls;
use crate::config::{ServeArgs, Values};
use crate::link::retry::is_temporary;

/// How long one answer may take. The hub itself gives up after four seconds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the provider waits for an answer.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest pause between two attempts.
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// Shortest pause between two attempts.
const PAUSE_MIN: Duration = Duration::from_millis(250);
/// Slowest pace, in deliveries per second: about two in an hour.
const RATE_MIN: f64 = 0.000_5;
/// Fastest pace, in deliveries per second, for which it waits between deliveries.
const RATE_MAX: f64 = 1_000_000.0;

/// Where to post to, and with which secret.
#[derive(Debug, Clone, clap::Args)]
pub struct TargetArgs {
    /// Address of the hub, like <https://hub.example.com>. Default: the hub of the settings in this folder.
    #[arg(long)]
    pub url: Option<String>,
    /// A file that contains the webhook secret. Default: the setting `WEBHOOK_SECRET`.
    #[arg(long)]
    pub webhook_secret_file: Option<PathBuf>,
}

/// The outcome of posting a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostOutcome {
    Accepted,
    /// The hub knew it already.
    Duplicate,
    /// It is not an event.
    Ignored,
    /// The hub refused it for good, with this status.
    Refused(u16),
    /// The program was told to stop before there was an answer.
    Stopped,
}

#[derive(Deserialize)]
struct Answer {
    status: String,
}

/// Posts deliveries, on a connection of its own.
#[derive(Clone)]
pub struct Poster {
    agent: Agent,
    /// Address of the hub, without a slash at its end.
    pub url: String,
    webhook: String,
    authorization: Option<String>,
    /// Set from the first attempt that failed to the next one that succeeded, so that trouble is reported once.
    in_trouble: Arc<AtomicBool>,
}

/// Why an attempt should be repeated, and the pause that the hub advises.
struct Again {
    reason: String,
    advised: Option<Duration>,
}

impl Poster {
    /// Reads the secret and prepares connections.
    pub fn new(target: &TargetArgs) -> Result<Self, ToolError> {
        let values = Values::collect(&ServeArgs::default())?;
        let url = hub_url(target.url.as_deref(), &values)?;
        let secret = match &target.webhook_secret_file {
            Some(path) => {
                let text = std::fs::read_to_string(path);
                Some(text.map_err(ToolError::io(format!("cannot read {}", path.display())))?)
            }
            None => values.get("WEBHOOK_SECRET").map(str::to_owned),
        };
        let secret = secret.map(|secret| secret.trim().to_owned()).filter(|secret| !secret.is_empty());
        let webhook = format!("{url}/api/umbler/webhook");
        let authorization = secret.map(|secret| format!("Bearer {secret}"));
        Ok(Self { agent: agent(&url)?, url, webhook, authorization, in_trouble: Arc::default() })
    }

    /// Posts until there is a final answer. Tries again while the hub is away, busy or unable to write.
    pub fn post(&self, body: &[u8], attempt: u32, stop: &AtomicBool) -> (PostOutcome, Duration) {
        let mut pause = PAUSE_MIN;
        while !stop.load(Ordering::Relaxed) {
            let begun = Instant::now();
            match self.try_once(body, attempt) {
                Ok(outcome) => {
                    self.in_trouble.store(false, Ordering::Relaxed);
                    return (outcome, begun.elapsed());
                }
                Err(again) => {
                    self.tell(&again.reason);
                    pause_until(Instant::now() + again.advised.unwrap_or(pause).min(PAUSE_MAX), stop);
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
        (PostOutcome::Stopped, Duration::ZERO)
    }

    /// Posts one try, as the provider does: `None` where it was not answered with 200 in time.
    pub fn post_once(&self, body: &[u8], attempt: u32) -> Option<PostOutcome> {
        let begun = Instant::now();
        let outcome = self.try_once(body, attempt).ok()?;
        let is_well = !matches!(outcome, PostOutcome::Refused(_)) && begun.elapsed() < PROVIDER_TIMEOUT;
        is_well.then_some(outcome)
    }

    /// Address of the hub's webhook, without the secret.
    pub fn webhook(&self) -> &str {
        &self.webhook
    }

    #[expect(clippy::print_stderr, reason = "trouble goes where people look, not into a pipe")]
    fn tell(&self, reason: &str) {
        if !self.in_trouble.swap(true, Ordering::Relaxed) {
            eprintln!("{} does not accept deliveries ({reason}); trying again until it does", self.url);
        }
    }

    /// Posts the delivery once, and waits for the answer.
    fn try_once(&self, body: &[u8], attempt: u32) -> Result<PostOutcome, Again> {
        let try_again = |error: ureq::Error| Again { reason: error.to_string(), advised: None };
        let mut request = self
            .agent
            .post(&self.webhook)
            .header("content-type", "application/json")
            .header("x-attempt", attempt.to_string());
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        let mut response = request.send(body).map_err(try_again)?;
        let status = response.status().as_u16();
        match status {
            200 => {
                let answer: Answer = response.body_mut().read_json().map_err(try_again)?;
                Ok(match answer.status.as_str() {
                    "accepted" => PostOutcome::Accepted,
                    "duplicate" => PostOutcome::Duplicate,
                    _ => PostOutcome::Ignored,
                })
            }
            _ if is_temporary(status) => {
                let advised =
                    response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
                Err(Again { reason: format!("status {status}"), advised: advised.map(Duration::from_secs) })
            }
            _ => Ok(PostOutcome::Refused(status)),
        }
    }
}

/// Address of the hub without a slash at its end: the one that was given, or that of a hub with these settings.
pub fn hub_url(given: Option<&str>, values: &Values) -> Result<String, ToolError> {
    if let Some(url) = given {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    let text = |name| values.get(name).unwrap_or_default().trim();
    let port = text("PORT").parse().ok().filter(|port: &u16| *port != 0);
    let (Some(host), Some(port)) = (listening_host(text("HOST")), port) else {
        return Err(ToolError::Found("HOST and PORT do not say where the hub is; use --url".to_owned()));
    };
    Ok(format!("http://{}", SocketAddr::new(host, port)))
}

/// How this machine reaches a hub that listens on `HOST`.
fn listening_host(text: &str) -> Option<IpAddr> {
    if text.eq_ignore_ascii_case("localhost") {
        return Some(Ipv4Addr::LOCALHOST.into());
    }
    let address: IpAddr = text.parse().ok()?;
    if !address.is_unspecified() {
        return Some(address);
    }
    Some(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() })
}

/// Deliveries per second, 0 for as many as possible. Refuses a pace whose pauses no clock can measure.
pub fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok();
    rate.filter(|rate| *rate == 0.0 || (RATE_MIN..=RATE_MAX).contains(rate))
        .ok_or_else(|| format!("must be 0 or a number from {RATE_MIN} to {RATE_MAX}"))
}

/// A blocking HTTP client for this address. An error status is an answer, and not an error.
pub fn agent(url: &str) -> Result<Agent, ToolError> {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(ANSWER_TIMEOUT))
        .max_idle_connections_per_host(1)
        .tls_config(tls::config(url).map_err(ToolError::Found)?)
        .build();
    Ok(config.new_agent())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tools_find_the_hub_of_their_settings() {
        let url = |given, settings: &[(&'static str, &str)]| hub_url(given, &Values::of(settings)).ok();
        assert_eq!(url(None, &[]).as_deref(), Some("http://127.0.0.1:3001"));
        assert_eq!(
            url(Some("https://hub.example/"), &[("PORT", "0")]).as_deref(),
            Some("https://hub.example")
        );
        for (host, expected) in [
            ("0.0.0.0", "http://127.0.0.1:80"),
            ("::", "http://[::1]:80"),
            ("localhost", "http://127.0.0.1:80"),
            ("192.0.2.7", "http://192.0.2.7:80"),
        ] {
            assert_eq!(url(None, &[("HOST", host), ("PORT", "80")]).as_deref(), Some(expected));
        }
        assert_eq!(url(None, &[("PORT", "0")]), None, "a free port is known to the hub alone");
        assert_eq!(url(None, &[("HOST", "my machine")]), None);
    }

    #[test]
    fn a_pace_is_a_number_that_a_clock_can_hold() {
        assert_eq!((rate("0"), rate("2.5")), (Ok(0.0), Ok(2.5)));
        for wrong in ["-1", "NaN", "inf", "1e-300", "fast", ""] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }
}
