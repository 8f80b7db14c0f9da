//! Settings. No other room reads the environment; after this, everything is a typed value.
//!
//! # Contract
//!
//! 1. A flag wins over the environment, the environment over `NAME_FILE`, that over `.env`, and that over the
//!    default. An empty value counts as unset.
//! 2. Every wrong value is an error that names its variable, and all of them are reported at once.
//! 3. Without secrets the hub starts on a loopback address only.

pub mod hours;
mod dot_env;
mod flags;
mod mail;
mod setting;
pub mod values;
pub mod parse;
pub mod together;
pub mod backups;
mod cluster;
pub mod table;
#[cfg(test)]
mod tests;

use crate::auth::AuthKey;
use crate::domain::calendar::Calendar;
use crate::domain::settings::WeekHours;
pub use backups::BackupTarget;
pub use flags::ServeArgs;
pub use table::Config;
pub use together::{AlertWebhook, UmblerApi};
pub use values::Values;

/// Characters that end or change a value that is pasted into an address without escaping. `+` is not among
/// them, because the webhook accepts both of its meanings.
const CHANGED_BY_ADDRESSES: [char; 4] = ['&', '#', '%', ' '];

/// How many days what is stored is kept; 0: for ever.
#[derive(Debug, Clone, Copy)]
pub struct DaysKept {
    /// Deliveries as they came; `None`: the operator set nothing.
    pub raw: Option<u32>,
    /// The content of messages: texts, files, places, cards.
    pub texts: u32,
    /// People whose chats are all closed.
    pub closed_chats: u32,
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file `.env` cannot be read.
    #[error("{path} cannot be read: {reason}")]
    DotEnv {
        path: String,
        /// Every line that is wrong, and why.
        reason: String,
    },
    /// Settings are wrong: one sentence each, which names the variable.
    #[error("{}", .0.join("\n"))]
    Wrong(Vec<String>),
}

impl Config {
    /// Reads and checks all settings.
    pub fn read(values: &Values) -> Result<Self, ConfigError> {
        let mut reader = parse::Reader::new(values);
        let settings = table::read(&mut reader);
        reader.problems.extend(settings.iter().flat_map(Self::exposed));
        match settings {
            Some(settings) if reader.problems.is_empty() => Ok(settings),
            _ => Err(ConfigError::Wrong(reader.problems)),
        }
    }

    /// What is missing or too short for an address that others can reach; nothing on a loopback address.
    fn exposed(&self) -> Vec<String> {
        if self.host.is_loopback() {
            return Vec::new();
        }
        let short = self.short_secrets().into_iter().map(|(name, bytes, bytes_min)| {
            format!("{name}: a secret of {bytes} bytes is too short; use {bytes_min} or more")
        });
        let keys = ("JWT_SECRET, JWT_PUBLIC_KEY or JWT_JWKS_FILE", self.auth.is_none());
        let missing: Vec<_> = [keys, ("WEBHOOK_SECRET", self.webhook_secret.is_none())]
            .into_iter()
            .filter_map(|(name, is_missing)| is_missing.then_some(name))
            .collect();
        let missing = (!missing.is_empty()).then(|| {
            let (host, missing) = (self.host, missing.join(" and "));
            format!("HOST: {host} can be reached by others; set {missing}, or listen on 127.0.0.1")
        });
        short.chain(missing).collect()
    }

    /// The settings that admins edit, as they are until an admin saves them.
    pub fn editable_defaults(&self) -> crate::domain::TeamSettings {
        let business_hours = WeekHours::new(self.business_hours.days.clone());
        crate::domain::TeamSettings { business_hours, ..crate::domain::TeamSettings::default() }
    }

    /// Secrets that could be guessed: name, length in bytes, and the smallest safe length.
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

    /// The working hours in their time zone.
    pub fn calendar(&self) -> Calendar {
        Calendar::new(self.zone.clone(), self.business_hours.days.clone(), [])
    }

    /// How long what is stored is kept.
    pub fn ages(&self) -> DaysKept {
        DaysKept {
            raw: self.retain_raw_days,
            texts: self.retain_texts_days,
            closed_chats: self.retain_closed_chats_days,
        }
    }

    /// What is allowed, but should be noticed at start.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (name, bytes, bytes_min) in self.short_secrets() {
            warnings.push(format!(
                "{name} has {bytes} bytes: this is too short for an address that others can reach; use {bytes_min} or more"
            ));
        }
        if self.webhook_secret.as_ref().is_some_and(|secret| secret.expose().contains(CHANGED_BY_ADDRESSES)) {
            warnings.push(
                "WEBHOOK_SECRET has characters that must be escaped in an address (& # % or a space): write it escaped \
                 after ?token=, or use letters, digits, - and _ only"
                    .to_owned(),
            );
        }
        if self.backup.as_ref().is_some_and(|backup| backup.address.is_plain()) {
            warnings.push(
                "BACKUP_S3_URL begins with http://: whoever is on the way to that server can read what is backed up"
                    .to_owned(),
            );
        }
        if self.cluster.as_ref().is_some_and(|cluster| cluster.access.monitor_url.is_none()) {
            warnings.push(
                "NATS_MONITOR_URL is not set: it is not checked that the NATS servers sync what they store"
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
                "WEBHOOK_SECRET is not set: everybody who reaches this address can post deliveries"
                    .to_owned(),
            );
        }
        warnings
    }
}
