//! Every setting, said once: variable, default, meaning, type and bounds. The struct of settings, the flags of `serve` and
//! what is wrong with a value follow from it; tests compare `.env.example` and docs/settings.md with it.

use std::net::IpAddr;
use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::hours::BusinessHours;
use super::parse::{
    Reader, database_path, host, log_filter, number, optional, or_default, parsed, secret, time_zone,
};
use super::together::{AlertWebhook, UmblerApi};
use crate::auth::{AuthSettings, Secret};
use crate::http::address::TrustedProxies;
use crate::http::origin::Origins;

/// Updates in memory at most, whatever they weigh: a bound of bytes counts besides.
const UPDATES_IN_MEMORY_MAX: usize = 1_000_000;
/// More than this weighs more than any snapshot.
const REPLAY_UPDATES_MAX: u32 = 100_000;
/// Fewer would send a client that reconnects in the next minute back to a snapshot.
const UPDATES_RETAINED_MIN: u32 = 1_000;
/// A longer wait for a head or a body only helps who wants to hold connections.
const REQUEST_SECONDS_MAX: u64 = 120;
/// More threads than this only wait for each other.
const WORKERS_MAX: usize = 256;

/// One setting, as flags and documents show it.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The environment variable, and the entry in `.env`.
    pub name: &'static str,
    /// What counts where nothing is set.
    pub default: Option<&'static str>,
    /// A variable or `NAME_FILE` only: flags show in process lists.
    pub secret: bool,
    /// For people, in a sentence or two.
    pub meaning: &'static str,
}

impl Setting {
    /// The flag of `serve`; `None` for secrets.
    pub fn flag(&self) -> Option<String> {
        (!self.secret).then(|| self.name.to_ascii_lowercase().replace('_', "-"))
    }
}

/// Makes [`TABLE`], [`Settings`] and the reader of its fields from one list.
///
/// A row is its meaning, its variable, and behind `=` its default; `secret` before it keeps it out of flags. Behind `=>`
/// stand the field of [`Settings`] and how its text is read, which names the bounds. A row without a field is read
/// `together` with others.
macro_rules! settings {
    (
        $($(#[doc = $meaning:literal])+
        $($secret:ident)? $name:literal $(= $default:literal)? $(=> $field:ident: $type:ty, $read:expr)?;)+
        together {
            $($(#[doc = $about:literal])+ $group:ident: $group_type:ty, $read_group:expr;)+
        }
    ) => {
        /// All of them, in the order in which people look for them.
        pub const TABLE: &[Setting] = &[$(Setting {
            name: $name,
            default: [$(Some($default),)? None][0],
            secret: [$(matches!(stringify!($secret).as_bytes(), b"secret"),)? false][0],
            meaning: concat!($($meaning),+).trim_ascii(),
        }),+];

        /// All settings, checked.
        #[derive(Debug, Clone)]
        pub struct Settings {
            $($(#[doc = concat!("`", $name, "`; [`TABLE`] says what it means.")] pub $field: $type,)?)+
            $($(#[doc = $about])+ pub $group: $group_type,)+
        }

        /// Reads every field; `None` where one of them is wrong.
        pub(super) fn read(reader: &mut Reader<'_>) -> Option<Settings> {
            // All are read before a wrong one ends it, so that every wrong one is named.
            $($(let $field: Option<$type> = $read(reader, $name);)?)+
            $(let $group: $group_type = $read_group(reader);)+
            Some(Settings { $($($field: $field?,)?)+ $($group),+ })
        }
    };
}

settings! {
    /// Address to listen on. Any but a loopback one needs a JWT key and WEBHOOK_SECRET.
    "HOST" = "127.0.0.1" => host: IpAddr, parsed(host);
    /// Port to listen on; 0 takes a free one and prints it.
    "PORT" = "3001" => port: u16, number(0..=u16::MAX);
    /// Origins whose pages may use the hub from another address, comma separated.
    "FRONTEND_URL" = "http://localhost:5173" => origins: Origins, parsed(str::parse);
    /// The SQLite file; its folder is created.
    "DATABASE_PATH" = "data/umbler-hub.db" => database_path: PathBuf, parsed(database_path);
    /// What Umbler Talk sends as ?token= or as a Bearer token; 16 bytes or more, fewer on loopback only.
    secret "WEBHOOK_SECRET" => webhook_secret: Option<Secret>, optional(secret);
    /// Key of HS256 tokens, 32 bytes or more, fewer on loopback only. One of this, JWT_PUBLIC_KEY and
    /// JWT_JWKS_FILE.
    secret "JWT_SECRET";
    /// Path of a public key in PEM, for RS256, ES256 or EdDSA tokens.
    "JWT_PUBLIC_KEY";
    /// Path of a JSON Web Key Set whose keys tokens name by kid; read again when it changes.
    "JWT_JWKS_FILE";
    /// What a token's iss must be; unset: not checked.
    "JWT_ISSUER";
    /// What a token's aud must name; unset: not checked.
    "JWT_AUDIENCE";
    /// IANA time zone in which days turn.
    "TIMEZONE" = "America/Sao_Paulo" => zone: TimeZone, parsed(time_zone);
    /// When the team works, for the business clock of metrics; until an admin saves other hours.
    "BUSINESS_HOURS" = "Mon-Fri 08:00-12:00,13:00-18:00; Sat 09:00-12:00"
        => business_hours: BusinessHours, parsed(str::parse);
    /// Number of proxies in front, or their address ranges, comma separated; unset: the peer's address counts.
    "TRUSTED_PROXIES" => trusted_proxies: TrustedProxies, or_default(parsed(str::parse));
    /// REST requests per second and client address; 0: no limit. Never the webhook.
    "RATE_LIMIT_REST_PER_SECOND" = "50" => rest_per_second: u32, number(0..=u32::MAX);
    /// WebSocket connects per second and client address; 0: no limit.
    "RATE_LIMIT_CONNECTS_PER_SECOND" = "20" => connects_per_second: u32, number(0..=u32::MAX);
    /// WebSocket sessions at most; 0: no limit.
    "MAX_SESSIONS" = "20000" => sessions_max: usize, number(0..=usize::MAX);
    /// WebSocket sessions of one client address at most; 0: no limit.
    "MAX_SESSIONS_PER_ADDRESS" = "200" => sessions_per_address_max: usize, number(0..=usize::MAX);
    /// WebSocket sessions of one user (sub) at most, where a JWT key is set; 0: no limit.
    "MAX_SESSIONS_PER_USER" = "1000" => sessions_per_user_max: usize, number(0..=usize::MAX);
    /// Seconds that a client may take for its request's head; 1 to 120.
    "REQUEST_HEAD_SECONDS" = "10" => head_seconds: u64, number(1..=REQUEST_SECONDS_MAX);
    /// Seconds that a client may take for its request's body; 1 to 120.
    "REQUEST_BODY_SECONDS" = "20" => body_seconds: u64, number(1..=REQUEST_SECONDS_MAX);
    /// Updates kept for screens that come back and for GET /api/umbler/updates; 1000 or more.
    "UPDATES_RETAINED" = "100000" => updates_retained: u32, number(UPDATES_RETAINED_MIN..=u32::MAX);
    /// Newest updates kept in memory for screens that come back; older ones are read from disk.
    "UPDATES_IN_MEMORY" = "4096" => updates_in_memory: usize, number(1..=UPDATES_IN_MEMORY_MAX);
    /// Missed updates that a screen is replayed at most; whoever missed more begins with a snapshot.
    "REPLAY_UPDATES_MAX" = "10000" => replay_updates_max: u32, number(0..=REPLAY_UPDATES_MAX);
    /// Address that alerts are posted to, signed and retried; needs ALERT_WEBHOOK_SECRET. Unset: nowhere.
    "ALERT_WEBHOOK_URL";
    /// What these posts are signed with (HMAC-SHA256), 16 bytes or more.
    secret "ALERT_WEBHOOK_SECRET";
    /// Token of Umbler's API, which the Enterprise plan has; unset: nothing is asked there, and everything else works.
    secret "UMBLER_API_TOKEN";
    /// Address of Umbler's API.
    "UMBLER_API_URL" = "https://app-utalk.umbler.com/api";
    /// The organization's id; unset: the only one that the token's owner is in.
    "UMBLER_ORGANIZATION_ID";
    /// Requests to one route of the API within five seconds at most, 1 to 100; the provider allows 100.
    "UMBLER_API_REQUESTS_PER_5_SECONDS" = "80";
    /// Path of a JSON file with words of the API that are other than guessed; docs/umbler.md has the list.
    "UMBLER_API_DIALECT";
    /// How the provider reaches this hub's webhook, without its secret; unset: it is not looked whether it posts here.
    "UMBLER_WEBHOOK_URL";
    /// Seconds between two comparisons of messages with the API, 30 to 86400.
    "UMBLER_RECONCILE_SECONDS" = "300";
    /// Threads for HTTP and sockets; unset: one per core.
    "WORKERS" => workers: Option<usize>, optional(number(1..=WORKERS_MAX));
    /// A built dashboard to serve at /; where it is missing, / is the console.
    "DASHBOARD_DIR" = "frontend/dist" => dashboard_dir: PathBuf, parsed(str::parse);
    /// Log filter of env_logger, for example info,access=warn.
    "RUST_LOG" = "info" => log_filter: String, parsed(log_filter);
    /// Reserved for clustering, which is not built yet: must be unset.
    "NATS_URL";
    together {
        /// What tokens are checked with: `JWT_SECRET`, `JWT_PUBLIC_KEY` or `JWT_JWKS_FILE`, with `JWT_ISSUER` and
        /// `JWT_AUDIENCE`. `None`: everybody is admin.
        auth: Option<AuthSettings>, Reader::auth;
        /// Where alerts are posted to: `ALERT_WEBHOOK_URL` and `ALERT_WEBHOOK_SECRET`.
        alert_webhook: Option<AlertWebhook>, Reader::alert_webhook;
        /// Umbler's API: `UMBLER_API_TOKEN` and the settings beside it. `None`: it is not asked.
        link: Option<UmblerApi>, Reader::umbler_api;
    }
}

/// The entry of a name; the names in the code are compared with the table by a test.
pub fn find(name: &str) -> Option<&'static Setting> {
    TABLE.iter().find(|setting| setting.name == name)
}
