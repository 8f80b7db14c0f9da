//! Settings: the only room that reads the environment. Everything is a typed value from here on.
//!
//! # Contract
//!
//! 1. A flag wins over the environment, that over `NAME_FILE`, that over `.env`, that over the default. Empty counts as unset.
//! 2. Every wrong value is an error that names its variable, and all of them are told at once.
//! 3. Without secrets the hub starts on a loopback address only.

pub mod hours;
mod dot_env;
pub mod values;
pub mod parse;
pub mod together;
pub mod table;
#[cfg(test)]
mod tests;

use crate::auth::{AuthKey, AuthSettings};
use crate::domain::calendar::Calendar;
use crate::domain::settings::WeekHours;
pub use hours::BusinessHours;
pub use table::Settings;
pub use together::{AlertWebhook, UmblerApi};
pub use values::{ServeArgs, Values};

/// Characters that end or change a value where it is pasted into an address without escaping. `+` is none of them: the
/// webhook takes it in both readings.
const CHANGED_BY_ADDRESSES: [char; 4] = ['&', '#', '%', ' '];

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// `.env` cannot be read.
    #[error("{path} cannot be read: {reason}")]
    DotEnv {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Settings are wrong, each with its name.
    #[error("{}", .0.join("\n"))]
    Wrong(Vec<String>),
}

impl Settings {
    /// Reads, parses and checks everything.
    pub fn read(values: &Values) -> Result<Self, ConfigError> {
        let mut reader = parse::Reader::new(values);
        let settings = table::read(&mut reader);
        reader.check_reserved();
        reader.check_exposure(settings.as_ref());
        match settings {
            Some(settings) if reader.problems.is_empty() => Ok(settings),
            _ => Err(ConfigError::Wrong(reader.problems)),
        }
    }

    /// What an admin edits, as it is while nobody saved any.
    pub fn editable_defaults(&self) -> crate::domain::Settings {
        let business_hours = WeekHours::new(self.business_hours.days.clone());
        crate::domain::Settings { business_hours, ..crate::domain::Settings::default() }
    }

    /// Secrets that could be guessed: name, bytes, and how many it takes.
    fn short_secrets(&self) -> Vec<(&'static str, usize, usize)> {
        let jwt = self.auth.as_ref().and_then(|auth| match &auth.key {
            AuthKey::Secret(secret) => Some(secret),
            AuthKey::Pem(_) | AuthKey::Jwks(_) => None,
        });
        [
            ("JWT_SECRET", jwt, together::JWT_SECRET_BYTES_MIN),
            ("WEBHOOK_SECRET", self.webhook_secret.as_ref(), together::WEBHOOK_SECRET_BYTES_MIN),
        ]
        .into_iter()
        .filter_map(|(name, secret, bytes_min)| Some((name, secret?.expose().len(), bytes_min)))
        .filter(|(_, bytes, bytes_min)| bytes < bytes_min)
        .collect()
    }

    /// Working hours in their zone.
    pub fn calendar(&self) -> Calendar {
        Calendar::new(self.zone.clone(), self.business_hours.days.clone(), [])
    }

    /// True where tokens are checked.
    pub fn is_auth_required(&self) -> bool {
        self.auth.is_some()
    }

    /// What deserves a word at start although it is allowed.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (name, bytes, bytes_min) in self.short_secrets() {
            warnings.push(format!(
                "{name} has {bytes} bytes: too short for any address but this machine's own; give {bytes_min} or more"
            ));
        }
        if self.webhook_secret.as_ref().is_some_and(|secret| secret.expose().contains(CHANGED_BY_ADDRESSES)) {
            warnings.push(
                "WEBHOOK_SECRET has characters that must be escaped in an address (& # % or a space): write it escaped \
                 after ?token=, or use letters, digits, - and _ only"
                    .to_owned(),
            );
        }
        if self.auth.is_none() {
            warnings.push(
                "no JWT key is set: everybody who reaches this address is admin (allowed on loopback only)"
                    .to_owned(),
            );
        }
        if self.webhook_secret.is_none() {
            warnings.push(
                "WEBHOOK_SECRET is not set: whoever reaches this address can post deliveries".to_owned(),
            );
        }
        warnings
    }
}

/// The kind of a key, for people.
pub fn key_kind(settings: &AuthSettings) -> &'static str {
    match settings.key {
        AuthKey::Secret(_) => "HS256",
        AuthKey::Pem(_) => "public key",
        AuthKey::Jwks(_) => "key set",
    }
}
