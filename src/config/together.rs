//! Settings that are read together, because the value of one decides what another may be.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::parse::{Reader, number, secret, web_address};
use crate::auth::{AuthKey, AuthSettings, Authenticator, Secret};
use crate::protocol::link::BACKFILL_DAYS_MAX;
use crate::umbler::api::Dialect;

/// RFC 7518, section 3.2: a key of HS256 is at least as long as the hash.
pub const JWT_SECRET_BYTES_MIN: usize = 32;
/// A shorter secret in an address could be guessed.
pub const WEBHOOK_SECRET_BYTES_MIN: usize = 16;

/// Requests on one route of Umbler's API within five seconds that the provider allows.
const REQUESTS_MAX: usize = 100;
/// More often costs requests and finds nothing sooner than webhooks do; more seldom and a loss lasts for more than a day.
const RECONCILE_SECONDS: RangeInclusive<u64> = 30..=86_400;
/// A team that is quieter than a day in its working hours needs no alarm.
const SILENCE_SECONDS: RangeInclusive<u64> = 1..=86_400;

/// Less, and a message that appears late is not found; more, and nobody waits for the outcome.
const LOOK_SECONDS: RangeInclusive<u64> = 5..=600;
/// Characters of the prefix of messages.
const PREFIX_CHARS_MAX: usize = 100;

/// The settings that name a key for tokens. Only one of them may be set.
const AUTH_KEYS: [&str; 3] = ["JWT_SECRET", "JWT_PUBLIC_KEY", "JWT_JWKS_FILE"];

/// Where alerts are posted to.
#[derive(Debug, Clone)]
pub struct AlertWebhook {
    pub url: String,
    /// The key by which the posts are signed.
    pub secret: Secret,
}

/// The settings of the link to Umbler's API.
#[derive(Debug, Clone)]
pub struct UmblerApi {
    /// `None`: an admin may enter one on the dashboard.
    pub token: Option<Secret>,
    /// Without a trailing slash.
    pub url: String,
    /// The organization's id. `None`: the token's owner belongs to one organization, which is used.
    pub organization: Option<String>,
    /// Most requests to one route within five seconds.
    pub per_5_seconds: usize,
    pub dialect: Dialect,
    /// The address of this hub's webhook as the provider reaches it. `None`: not configured.
    pub webhook_url: Option<String>,
    /// Seconds between two comparisons of messages.
    pub reconcile_seconds: u64,
    /// Days before the first start whose chats and messages are read; 0: none.
    pub backfill_days: u32,
    /// Seconds of business hours without a webhook after which everything is looked at.
    pub silence_seconds: u64,
    /// How people send messages; `None`: they do not.
    pub sending: Option<SendingRules>,
}

/// How people send messages through the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendingRules {
    /// What the customer sees before the text, with `NAME` for the sender's name; `None`: nothing.
    pub prefix: Option<String>,
    /// Seconds for which a message is looked for whose answer did not come.
    pub look_seconds: u64,
}

impl Reader<'_> {
    /// Reads the settings of Umbler's API. All of them are checked, even without a token.
    pub(super) fn umbler_api(&mut self) -> Option<UmblerApi> {
        let token = secret(self, "UMBLER_API_TOKEN");
        let url = self.parse("UMBLER_API_URL", web_address);
        let per_5_seconds = number(1..=REQUESTS_MAX)(self, "UMBLER_API_REQUESTS_PER_5_SECONDS");
        let reconcile_seconds = number(RECONCILE_SECONDS)(self, "UMBLER_RECONCILE_SECONDS");
        let silence_seconds = number(SILENCE_SECONDS)(self, "UMBLER_SILENCE_SECONDS");
        let backfill_days = number(0..=BACKFILL_DAYS_MAX)(self, "UMBLER_BACKFILL_DAYS");
        let webhook_url = self.parse("UMBLER_WEBHOOK_URL", web_address);
        let sending = self.sending();
        let dialect = self.parse("UMBLER_API_DIALECT", |path| {
            let text =
                std::fs::read_to_string(path).map_err(|error| format!("{path} cannot be read: {error}"))?;
            Dialect::read(&text).map_err(|error| format!("{path}: {error}"))
        });
        Some(UmblerApi {
            token,
            url: url?.trim_end_matches('/').to_owned(),
            organization: self.text("UMBLER_ORGANIZATION_ID").map(str::to_owned),
            per_5_seconds: per_5_seconds?,
            dialect: dialect.unwrap_or_default(),
            webhook_url,
            reconcile_seconds: reconcile_seconds?,
            sending: sending?,
            backfill_days: backfill_days?,
            silence_seconds: silence_seconds?,
        })
    }

    /// How people send messages; all of it is checked whether they may or not.
    fn sending(&mut self) -> Option<Option<SendingRules>> {
        let is_on = self.parse("UMBLER_SEND", |text| match text {
            "on" => Ok(true),
            "off" => Ok(false),
            _ => Err(format!("{text:?} is neither on nor off")),
        });
        let prefix = self.parse("UMBLER_SEND_PREFIX", |text| {
            let is_short = text.chars().count() <= PREFIX_CHARS_MAX;
            is_short
                .then(|| text.to_owned())
                .ok_or_else(|| format!("has more than {PREFIX_CHARS_MAX} characters"))
        });
        let look_seconds = number(LOOK_SECONDS)(self, "UMBLER_SEND_LOOK_SECONDS");
        let rules =
            SendingRules { prefix: prefix.filter(|text| text != "none"), look_seconds: look_seconds? };
        Some(is_on?.then_some(rules))
    }

    /// Where alerts are posted to. A secret is required, so posts are never unsigned.
    pub(super) fn alert_webhook(&mut self) -> Option<AlertWebhook> {
        let url = self.parse("ALERT_WEBHOOK_URL", web_address);
        let secret = secret(self, "ALERT_WEBHOOK_SECRET");
        match (url, secret) {
            (Some(url), Some(secret)) if secret.expose().len() >= WEBHOOK_SECRET_BYTES_MIN => {
                Some(AlertWebhook { url, secret })
            }
            (Some(_), _) => {
                let least = WEBHOOK_SECRET_BYTES_MIN;
                self.problems.push(format!(
                    "ALERT_WEBHOOK_SECRET: must have at least {least} bytes where ALERT_WEBHOOK_URL is set"
                ));
                None
            }
            (None, _) => None,
        }
    }

    /// How tokens are checked. The key is tried at once, so that a wrong one is an error at start.
    pub(super) fn auth(&mut self) -> Option<AuthSettings> {
        let (name, key) = self.auth_key()?;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let settings = AuthSettings {
            key,
            issuer: owned(self.text("JWT_ISSUER")),
            audience: owned(self.text("JWT_AUDIENCE")),
        };
        if let Err(error) = Authenticator::new(&settings) {
            self.problems.push(format!("{name}: {error}"));
        }
        Some(settings)
    }

    /// The only setting that names a key, and the key.
    fn auth_key(&mut self) -> Option<(&'static str, AuthKey)> {
        let secret = secret(self, "JWT_SECRET").map(AuthKey::Secret);
        let public = self.parse("JWT_PUBLIC_KEY", |path| {
            std::fs::read(path).map(AuthKey::Pem).map_err(|error| format!("{path} cannot be read: {error}"))
        });
        let jwks = self.text("JWT_JWKS_FILE").map(|path| AuthKey::Jwks(PathBuf::from(path)));
        let set: Vec<&str> = AUTH_KEYS.into_iter().filter(|name| self.text(name).is_some()).collect();
        if set.len() > 1 {
            self.problems.push(format!(
                "{}: set only one of them, because tokens have one kind of key",
                set.join(", ")
            ));
        }
        AUTH_KEYS.into_iter().zip([secret, public, jwks]).find_map(|(name, key)| Some((name, key?)))
    }
}
