//! Posts deliveries to a hub as the provider does, and more patiently: until they are acknowledged.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::Deserialize;
use ureq::Agent;

use super::ToolError;
use crate::config::values::environment;

/// How long one answer may take: the hub itself gives up after four seconds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// Shortest pause between two tries.
const PAUSE_MIN: Duration = Duration::from_millis(250);

/// Where to post, and with what secret.
#[derive(Debug, Clone, clap::Args)]
pub struct TargetArgs {
    /// The hub's address.
    #[arg(long, default_value = "http://127.0.0.1:3001")]
    pub url: String,
    /// A file that holds the webhook secret; else the variable `WEBHOOK_SECRET`, where the hub wants one.
    #[arg(long)]
    pub webhook_secret_file: Option<PathBuf>,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// New.
    Accepted,
    /// Known.
    Duplicate,
    /// No event.
    Ignored,
    /// Refused for good, with this status.
    Refused(u16),
    /// The program was told to stop before there was an answer.
    Stopped,
}

#[derive(Deserialize)]
struct Answer {
    status: String,
}

/// A poster with a connection of its own.
#[derive(Clone)]
pub struct Poster {
    agent: Agent,
    webhook: String,
    authorization: Option<String>,
}

impl Poster {
    /// Reads the secret and prepares connections.
    pub fn new(target: &TargetArgs) -> Result<Self, ToolError> {
        let secret = match &target.webhook_secret_file {
            Some(path) => {
                let text = std::fs::read_to_string(path);
                Some(text.map_err(ToolError::io(format!("cannot read {}", path.display())))?)
            }
            None => environment("WEBHOOK_SECRET"),
        };
        let secret = secret.map(|secret| secret.trim().to_owned()).filter(|secret| !secret.is_empty());
        let webhook = format!("{}/api/umbler/webhook", target.url.trim_end_matches('/'));
        Ok(Self { agent: agent(), webhook, authorization: secret.map(|secret| format!("Bearer {secret}")) })
    }

    /// Posts until there is an answer that counts; tries again while the hub is away, busy or unable to write.
    pub fn post(&self, body: &[u8], attempt: u32, stop: &AtomicBool) -> (Outcome, Duration) {
        let mut pause = PAUSE_MIN;
        while !stop.load(Ordering::Relaxed) {
            let begun = Instant::now();
            match self.try_once(body, attempt) {
                Ok(outcome) => return (outcome, begun.elapsed()),
                Err(advised) => {
                    std::thread::sleep(advised.unwrap_or(pause).min(PAUSE_MAX));
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
        (Outcome::Stopped, Duration::ZERO)
    }

    /// One try; an error is worth another, after the pause that the hub advises.
    fn try_once(&self, body: &[u8], attempt: u32) -> Result<Outcome, Option<Duration>> {
        let mut request = self
            .agent
            .post(&self.webhook)
            .header("content-type", "application/json")
            .header("x-attempt", attempt.to_string());
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        let mut response = request.send(body).map_err(|_away| None)?;
        let status = response.status().as_u16();
        match status {
            200 => {
                let answer: Answer = response.body_mut().read_json().map_err(|_broken| None)?;
                Ok(match answer.status.as_str() {
                    "accepted" => Outcome::Accepted,
                    "duplicate" => Outcome::Duplicate,
                    _ => Outcome::Ignored,
                })
            }
            408 | 429 | 500..=599 => {
                let advised =
                    response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
                Err(advised.map(Duration::from_secs))
            }
            _ => Ok(Outcome::Refused(status)),
        }
    }
}

/// A blocking HTTP client that answers with statuses instead of errors.
pub fn agent() -> Agent {
    use ureq::tls::{TlsConfig, TlsProvider};
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(provider)
        .build();
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(ANSWER_TIMEOUT))
        .max_idle_connections_per_host(1)
        .tls_config(tls)
        .build();
    config.new_agent()
}
