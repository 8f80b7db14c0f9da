//! From texts to values: each parser names what it expects.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use jiff::tz::TimeZoneDatabase;

use super::values::Values;
use super::{AlertWebhook, Settings};
use crate::auth::{AuthKey, AuthSettings, Authenticator, Secret};
use crate::sqlite::lock;

/// RFC 7518, 3.2: a key of HS256 has at least the size of the hash.
pub const JWT_SECRET_BYTES_MIN: usize = 32;
/// Short secrets in URLs are guessed.
pub const WEBHOOK_SECRET_BYTES_MIN: usize = 16;
/// Updates in memory at most, whatever they weigh: a bound of bytes counts besides.
const UPDATES_IN_MEMORY_MAX: usize = 1_000_000;
/// More than this weighs more than any snapshot.
const REPLAY_UPDATES_MAX: u32 = 100_000;
/// Fewer would make a client that reconnects in the next minute start anew.
const UPDATES_RETAINED_MIN: u32 = 1_000;
/// A longer wait for a head or a body only helps who wants to hold connections.
const REQUEST_SECONDS_MAX: u64 = 120;
/// More threads than this only wait for each other.
const WORKERS_MAX: usize = 256;

/// The settings that name a key for tokens; one of them at most.
const AUTH_KEYS: [&str; 3] = ["JWT_SECRET", "JWT_PUBLIC_KEY", "JWT_JWKS_FILE"];

/// Reads settings and gathers what is wrong with them.
pub struct Reader<'a> {
    values: &'a Values,
    /// One sentence each, the variable first.
    pub problems: Vec<String>,
}

impl<'a> Reader<'a> {
    /// A reader that has found nothing wrong yet.
    pub fn new(values: &'a Values) -> Self {
        Self { values, problems: Vec::new() }
    }

    /// The text of an optional setting.
    fn text(&self, name: &str) -> Option<&'a str> {
        self.values.get(name).map(str::trim).filter(|text| !text.is_empty())
    }

    fn parse<T, E: Display>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, E>) -> Option<T> {
        let text = self.text(name)?;
        parse(text).map_err(|error| self.problems.push(format!("{name}: {error}"))).ok()
    }

    fn number<T: FromStr + PartialOrd + Display + Copy>(
        &mut self,
        name: &str,
        least: T,
        most: T,
    ) -> Option<T> {
        self.parse(name, |text| {
            let number = text.parse::<T>().ok().filter(|number| (least..=most).contains(number));
            number.ok_or_else(|| format!("{text:?} is no whole number from {least} to {most}"))
        })
    }

    /// All settings; `None` where one of them is wrong.
    pub fn settings(&mut self, auth: Option<AuthSettings>) -> Option<Settings> {
        let host = self.parse("HOST", host);
        let log_filter = self.parse("RUST_LOG", log_filter);
        let database_path = self.parse("DATABASE_PATH", database_path);
        let port = self.number("PORT", 0, u16::MAX);
        let origins = self.parse("FRONTEND_URL", str::parse);
        let zone = self.parse("TIMEZONE", |name| {
            // The rules that every hub of this release has, and not those of its machine.
            TimeZoneDatabase::bundled()
                .get(name)
                .map_err(|_unknown| format!("{name:?} is no IANA time zone like America/Sao_Paulo"))
        });
        let business_hours = self.parse("BUSINESS_HOURS", str::parse);
        let trusted_proxies = self.parse("TRUSTED_PROXIES", str::parse).unwrap_or_default();
        let rest_per_second = self.number("RATE_LIMIT_REST_PER_SECOND", 0, u32::MAX);
        let connects_per_second = self.number("RATE_LIMIT_CONNECTS_PER_SECOND", 0, u32::MAX);
        let sessions_max = self.number("MAX_SESSIONS", 0, usize::MAX);
        let sessions_per_address_max = self.number("MAX_SESSIONS_PER_ADDRESS", 0, usize::MAX);
        let sessions_per_user_max = self.number("MAX_SESSIONS_PER_USER", 0, usize::MAX);
        let head_seconds = self.number("REQUEST_HEAD_SECONDS", 1, REQUEST_SECONDS_MAX);
        let body_seconds = self.number("REQUEST_BODY_SECONDS", 1, REQUEST_SECONDS_MAX);
        let updates_retained = self.number("UPDATES_RETAINED", UPDATES_RETAINED_MIN, u32::MAX);
        let updates_in_memory = self.number("UPDATES_IN_MEMORY", 1, UPDATES_IN_MEMORY_MAX);
        let replay_updates_max = self.number("REPLAY_UPDATES_MAX", 0, REPLAY_UPDATES_MAX);
        let workers = self.number("WORKERS", 1, WORKERS_MAX);
        let webhook_secret = self.secret("WEBHOOK_SECRET");
        let alert_webhook = self.alert_webhook();
        if self.text("NATS_URL").is_some() {
            self.problems.push("NATS_URL: clustering is not built yet; unset it to run one hub".to_owned());
        }
        Some(Settings {
            host: host?,
            port: port?,
            origins: origins?,
            database_path: database_path?,
            webhook_secret,
            auth,
            zone: zone?,
            business_hours: business_hours?,
            trusted_proxies,
            rest_per_second: rest_per_second?,
            connects_per_second: connects_per_second?,
            sessions_max: sessions_max?,
            sessions_per_address_max: sessions_per_address_max?,
            sessions_per_user_max: sessions_per_user_max?,
            head_seconds: head_seconds?,
            body_seconds: body_seconds?,
            updates_retained: updates_retained?,
            updates_in_memory: updates_in_memory?,
            replay_updates_max: replay_updates_max?,
            alert_webhook,
            workers,
            dashboard_dir: PathBuf::from(self.text("DASHBOARD_DIR")?),
            log_filter: log_filter?,
        })
    }

    /// Where alerts are posted to; never unsigned.
    fn alert_webhook(&mut self) -> Option<AlertWebhook> {
        let url = self.parse("ALERT_WEBHOOK_URL", web_address);
        let secret = self.secret("ALERT_WEBHOOK_SECRET");
        match (url, secret) {
            (Some(url), Some(secret)) if secret.expose().len() >= WEBHOOK_SECRET_BYTES_MIN => {
                Some(AlertWebhook { url, secret })
            }
            (Some(_), _) => {
                let least = WEBHOOK_SECRET_BYTES_MIN;
                self.problems.push(format!(
                    "ALERT_WEBHOOK_SECRET: must have {least} bytes or more where ALERT_WEBHOOK_URL is set"
                ));
                None
            }
            (None, _) => None,
        }
    }

    fn secret(&mut self, name: &str) -> Option<Secret> {
        self.parse::<_, String>(name, |text| Ok(Secret::new(text)))
    }

    /// The key that tokens are checked with; tried at once, so that a wrong one is an error at start.
    pub fn auth(&mut self) -> Option<AuthSettings> {
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

    /// The one setting that names the key, and the key.
    fn auth_key(&mut self) -> Option<(&'static str, AuthKey)> {
        let secret = self.secret("JWT_SECRET").map(AuthKey::Secret);
        let public = self.parse("JWT_PUBLIC_KEY", |path| {
            std::fs::read(path).map(AuthKey::Pem).map_err(|error| format!("{path} cannot be read: {error}"))
        });
        let jwks = self.text("JWT_JWKS_FILE").map(|path| AuthKey::Jwks(PathBuf::from(path)));
        let set: Vec<&str> = AUTH_KEYS.into_iter().filter(|name| self.text(name).is_some()).collect();
        if set.len() > 1 {
            self.problems.push(format!("{}: set one of them, tokens have one kind of key", set.join(", ")));
        }
        AUTH_KEYS.into_iter().zip([secret, public, jwks]).find_map(|(name, key)| Some((name, key?)))
    }

    /// Safe by default: what others can reach wants secrets.
    pub fn check_exposure(&mut self, settings: Option<&Settings>) {
        let Some(settings) = settings.filter(|settings| !settings.host.is_loopback()) else { return };
        let mut missing = Vec::new();
        if settings.auth.is_none() {
            missing.push("JWT_SECRET, JWT_PUBLIC_KEY or JWT_JWKS_FILE");
        }
        if settings.webhook_secret.is_none() {
            missing.push("WEBHOOK_SECRET");
        }
        for (name, bytes, bytes_min) in settings.short_secrets() {
            self.problems
                .push(format!("{name}: a secret of {bytes} bytes is too short; give {bytes_min} or more"));
        }
        if !missing.is_empty() {
            let missing = missing.join(" and ");
            let host = settings.host;
            self.problems.push(format!(
                "HOST: {host} can be reached by others; set {missing}, or listen on 127.0.0.1"
            ));
        }
    }
}

/// An address that can be posted to.
fn web_address(text: &str) -> Result<String, String> {
    let wrong = || "must be an address that begins with https:// or http://".to_owned();
    let address: actix_web::http::Uri = text.parse().map_err(|_no_address| wrong())?;
    let is_web = matches!(address.scheme_str(), Some("http" | "https")) && address.host().is_some();
    if is_web { Ok(text.to_owned()) } else { Err(wrong()) }
}

fn log_filter(text: &str) -> Result<String, String> {
    env_filter::Builder::new()
        .try_parse(text)
        .map_err(|error| format!("is no filter like info,access=warn: {error}"))?;
    Ok(text.to_owned())
}

/// A file that may lie there: its folder is one, or can be made. Links are followed, so that all its files lie beside it.
fn database_path(text: &str) -> Result<PathBuf, String> {
    let path = lock::locate(Path::new(text));
    if path.is_dir() || path.file_name().is_none() {
        return Err(format!("{text} is a folder; name the file"));
    }
    let known = path.ancestors().skip(1).find(|folder| folder.exists());
    if let Some(folder) = known.filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        return Err(format!("{} is no folder", folder.display()));
    }
    Ok(path)
}

fn host(text: &str) -> Result<IpAddr, String> {
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    text.parse().map_err(|_no_address| format!("{text:?} is no IP address like 127.0.0.1 or 0.0.0.0"))
}
