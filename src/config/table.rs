//! The table of all settings: variable, default, meaning, type and bounds, each said once. The struct of
//! settings, the flags of `serve` and the errors of wrong values follow from it. Tests compare `.env.example`
//! and docs/settings.md with it.

use std::net::IpAddr;
use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::backups::BackupTarget;
use super::hours::BusinessHours;
use super::parse::{
    Reader, database_path, host, log_filter, number, optional, or_default, organization_name, parsed, secret,
    time_zone,
};
use super::setting::Setting;
use super::together::{AlertWebhook, UmblerApi};
use crate::auth::{AuthSettings, Secret};
use crate::cluster::ClusterSettings;
use crate::derived::report_mail::MailServer;
use crate::http::address::TrustedProxies;
use crate::http::origin::Origins;
use crate::telemetry::log_format::LogFormat;

/// Most updates in memory. Their bytes are bounded separately.
const UPDATES_IN_MEMORY_MAX: usize = 1_000_000;
/// A snapshot takes less than this many updates.
const REPLAY_UPDATES_MAX: u32 = 100_000;
/// With fewer, a client that reconnects within a minute would already need a snapshot.
const UPDATES_RETAINED_MIN: u32 = 1_000;
/// A longer wait for a head or a body would only help somebody who wants to hold connections open.
const REQUEST_SECONDS_MAX: u64 = 120;
/// A hundred years: a longer time is for ever.
const RETAIN_DAYS_MAX: u32 = 36_500;
/// More threads would only wait for each other.
const WORKERS_MAX: usize = 256;

/// Makes [`TABLE`], [`Config`] and the reader of its fields from one list.
///
/// A row has the meaning, the variable, and its default after `=`; `secret` before it means that it has no
/// flag. After `=>` come the field of [`Config`] and how its text is read, with the bounds. A row without a
/// field is read `together` with others.
macro_rules! settings {
    (
        $($(#[doc = $meaning:literal])+
        $($secret:ident)? $name:literal $(= $default:literal)? $(=> $field:ident: $type:ty, $read:expr)?;)+
        together {
            $($(#[doc = $about:literal])+ $group:ident: $group_type:ty, $read_group:expr;)+
        }
    ) => {
        /// All settings, in the order in which people look for them.
        pub const TABLE: &[Setting] = &[$(Setting {
            name: $name,
            default: [$(Some($default),)? None][0],
            secret: [$(matches!(stringify!($secret).as_bytes(), b"secret"),)? false][0],
            meaning: concat!($($meaning),+).trim_ascii(),
        }),+];

        /// All settings, after they were checked.
        #[derive(Debug, Clone)]
        pub struct Config {
            $($(#[doc = concat!("`", $name, "`; [`TABLE`] says what it means.")] pub $field: $type,)?)+
            $($(#[doc = $about])+ pub $group: $group_type,)+
        }

        /// Reads every field; `None` where one of them is wrong.
        pub(super) fn read(reader: &mut Reader<'_>) -> Option<Config> {
            // All are read before a wrong one ends it, so that every wrong one is named.
            $($(let $field: Option<$type> = $read(reader, $name);)?)+
            $(let $group: $group_type = $read_group(reader);)+
            Some(Config { $($($field: $field?,)?)+ $($group),+ })
        }
    };
}

settings! {
    /// Address to listen on. All but loopback addresses need a JWT key and WEBHOOK_SECRET.
    "HOST" = "127.0.0.1" => host: IpAddr, parsed(host);
    /// Port to listen on. With 0 the hub takes a free port and prints it.
    "PORT" = "3001" => port: u16, number(0..=u16::MAX);
    /// Origins of other addresses whose pages may use the hub, comma separated.
    "FRONTEND_URL" = "http://localhost:5173" => origins: Origins, parsed(str::parse);
    /// Path of the SQLite file. Its folder is created.
    "DATABASE_PATH" = "data/umbler-hub.db" => database_path: PathBuf, parsed(database_path);
    /// The secret that Umbler Talk sends as ?token= or as a Bearer token. At least 16 bytes; fewer on loopback
    /// only.
    secret "WEBHOOK_SECRET" => webhook_secret: Option<Secret>, optional(secret);
    /// Key of HS256 tokens. At least 32 bytes; fewer on loopback only. Set only one of JWT_SECRET,
    /// JWT_PUBLIC_KEY and JWT_JWKS_FILE.
    secret "JWT_SECRET";
    /// Path of a public key in PEM, for RS256, ES256 or EdDSA tokens.
    "JWT_PUBLIC_KEY";
    /// Path of a JSON Web Key Set. Tokens name their key by kid; the file is read again when it changes.
    "JWT_JWKS_FILE";
    /// The iss that tokens must have. Unset: not checked.
    "JWT_ISSUER";
    /// The audience that a token's aud must contain. Unset: not checked.
    "JWT_AUDIENCE";
    /// Name of the company or team, shown where people sign in. At most 100 characters.
    "ORGANIZATION_NAME" => organization_name: Option<String>, optional(parsed(organization_name));
    /// IANA time zone; a day begins at its midnight.
    "TIMEZONE" = "America/Sao_Paulo" => zone: TimeZone, parsed(time_zone);
    /// Working hours for the business clock of metrics, until an admin saves others.
    "BUSINESS_HOURS" = "Mon-Fri 08:00-12:00,13:00-18:00; Sat 09:00-12:00"
        => business_hours: BusinessHours, parsed(str::parse);
    /// Number of proxies in front of the hub, or their address ranges, comma separated. Unset: none are
    /// trusted.
    "TRUSTED_PROXIES" => trusted_proxies: TrustedProxies, or_default(parsed(str::parse));
    /// REST requests per second from one client address. 0: no limit. The webhook is never limited.
    "RATE_LIMIT_REST_PER_SECOND" = "50" => rest_per_second: u32, number(0..=u32::MAX);
    /// WebSocket connects per second from one client address. 0: no limit.
    "RATE_LIMIT_CONNECTS_PER_SECOND" = "20" => connects_per_second: u32, number(0..=u32::MAX);
    /// Most WebSocket sessions. 0: no limit.
    "MAX_SESSIONS" = "20000" => sessions_max: usize, number(0..=usize::MAX);
    /// Most WebSocket sessions of one client address. 0: no limit.
    "MAX_SESSIONS_PER_ADDRESS" = "200" => sessions_per_address_max: usize, number(0..=usize::MAX);
    /// Most WebSocket sessions of one user (sub), where a JWT key is set. 0: no limit.
    "MAX_SESSIONS_PER_USER" = "1000" => sessions_per_user_max: usize, number(0..=usize::MAX);
    /// Seconds that a client may take to send the head of a request, 1 to 120.
    "REQUEST_HEAD_SECONDS" = "10" => head_seconds: u64, number(1..=REQUEST_SECONDS_MAX);
    /// Seconds that a client may take to send the body of a request, 1 to 120.
    "REQUEST_BODY_SECONDS" = "20" => body_seconds: u64, number(1..=REQUEST_SECONDS_MAX);
    /// Updates kept on disk, for clients that reconnect and for GET /api/umbler/updates. At least 1000.
    "UPDATES_RETAINED" = "100000" => updates_retained: u32, number(UPDATES_RETAINED_MIN..=u32::MAX);
    /// Newest updates kept in memory for clients that reconnect. Older ones are read from disk.
    "UPDATES_IN_MEMORY" = "4096" => updates_in_memory: usize, number(1..=UPDATES_IN_MEMORY_MAX);
    /// Most missed updates that are sent to a client that reconnects. A client that missed more begins with a
    /// snapshot.
    "REPLAY_UPDATES_MAX" = "10000" => replay_updates_max: u32, number(0..=REPLAY_UPDATES_MAX);
    /// Days that deliveries are kept as they came; then only what was read of them is. 0: for ever. Unset: 90, but for ever in a database
    /// of a release that did not have this setting.
    "RETAIN_RAW" => retain_raw_days: Option<u32>, optional(number(0..=RETAIN_DAYS_MAX));
    /// Days that texts, files and other content of messages are kept. 0: for ever.
    "RETAIN_TEXTS" = "0" => retain_texts_days: u32, number(0..=RETAIN_DAYS_MAX);
    /// Days after which a person is erased whose chats are all closed and unchanged. 0: never.
    "RETAIN_CLOSED_CHATS" = "0" => retain_closed_chats_days: u32, number(0..=RETAIN_DAYS_MAX);
    /// Days that notes of who was shown personal data are kept. 0: nothing is noted.
    "RETAIN_READS" = "180" => retain_reads_days: u32, number(0..=RETAIN_DAYS_MAX);
    /// Address that alerts are posted to, signed and retried. Needs ALERT_WEBHOOK_SECRET. Unset: alerts are not
    /// posted.
    "ALERT_WEBHOOK_URL";
    /// Key by which these posts are signed (HMAC-SHA256). At least 16 bytes.
    secret "ALERT_WEBHOOK_SECRET";
    /// Mail server of the daily report: smtps://host (TLS from the start), smtp://host (STARTTLS is required) or
    /// smtp+plain://host (not encrypted), with :port where it is another than 465, 587 or 25. Needs REPORT_FROM and
    /// REPORT_TO. Unset: the report is not mailed.
    "SMTP_URL";
    /// User at the mail server. Unset: it asks for none.
    "SMTP_USER";
    /// Password of this user. Needed if SMTP_USER is set.
    secret "SMTP_PASSWORD";
    /// Sender of the daily report, for example Umbler Hub <hub@example.com>.
    "REPORT_FROM";
    /// Addresses that the daily report is mailed to, comma separated, at most 50.
    "REPORT_TO";
    /// Token of Umbler's API, which belongs to the Enterprise plan. Unset: the hub does not use the API, and everything else works.
    secret "UMBLER_API_TOKEN";
    /// Address of Umbler's API.
    "UMBLER_API_URL" = "https://app-utalk.umbler.com/api";
    /// Id of the organization. Needed only if the token's owner belongs to more than one.
    "UMBLER_ORGANIZATION_ID";
    /// Most requests to one route of the API within five seconds, 1 to 100. The provider allows 100.
    "UMBLER_API_REQUESTS_PER_5_SECONDS" = "80";
    /// Path of a JSON file that corrects what the hub assumes about the API. The list is in docs/umbler.md.
    "UMBLER_API_DIALECT";
    /// Address of this hub's webhook as the provider knows it, without the secret. Unset: the hub does not check that the provider posts to it.
    "UMBLER_WEBHOOK_URL";
    /// Seconds between two comparisons of the stored messages with the API, 30 to 86400.
    "UMBLER_RECONCILE_SECONDS" = "300";
    /// Whether people may send messages through the hub: on or off. Needs a token: UMBLER_API_TOKEN, or the one that an admin enters on the dashboard.
    "UMBLER_SEND" = "off";
    /// What the customer sees before the text; NAME is the sender's name. none: nothing.
    "UMBLER_SEND_PREFIX" = "*NAME:*";
    /// Seconds for which a message is looked for whose answer did not come, 5 to 600.
    "UMBLER_SEND_LOOK_SECONDS" = "60";
    /// Seconds of business hours without a webhook after which everything is looked at, 1 to 86400.
    "UMBLER_SILENCE_SECONDS" = "900";
    /// Days before the first start with a token whose chats and messages are read from the API, 0 to 1825. 0: none.
    "UMBLER_BACKFILL_DAYS" = "0";
    /// Where backups are kept: https://HOST/BUCKET/FOLDER of an S3 server, with ?region=NAME at its end if needed. Unset: no
    /// backups are made elsewhere.
    "BACKUP_S3_URL";
    /// Id of the access key to the bucket.
    secret "BACKUP_S3_KEY_ID";
    /// Secret of the access key to the bucket.
    secret "BACKUP_S3_SECRET";
    /// Hours between two snapshots of the whole database, 1 to 168. What comes between is sent within seconds.
    "BACKUP_EVERY_HOURS" = "24";
    /// Snapshots that are kept, 1 to 1000. With the older ones the records that only they need are deleted.
    "BACKUP_KEEP" = "14";
    /// Threads for HTTP and sockets. Unset: one per core.
    "WORKERS" => workers: Option<usize>, optional(number(1..=WORKERS_MAX));
    /// Folder of a built dashboard to serve at /. Where it is missing, / shows the console.
    "DASHBOARD_DIR" = "frontend/dist" => dashboard_dir: PathBuf, parsed(str::parse);
    /// Log filter of env_logger, for example info,access=warn.
    "RUST_LOG" = "info" => log_filter: String, parsed(log_filter);
    /// How the log is written: text for people, or json, one object a line, for programs.
    "LOG_FORMAT" = "text" => log_format: LogFormat, parsed(str::parse);
    /// Addresses of the NATS servers through which several hubs share one journal, comma separated. Unset: one
    /// hub on its own.
    "NATS_URL";
    /// User at the NATS servers. Unset: they ask for none, or NATS_TOKEN is set.
    "NATS_USER";
    /// Password of this user. Needed if NATS_USER is set.
    secret "NATS_PASSWORD";
    /// Token for the NATS servers, instead of user and password.
    secret "NATS_TOKEN";
    /// Path of the authorities of the servers' certificates in PEM. With it, TLS is required. Unset: those that
    /// the machine trusts.
    "NATS_CA_FILE";
    /// Path of this hub's certificate for the NATS servers in PEM. Needs NATS_KEY_FILE.
    "NATS_CERT_FILE";
    /// Path of the key of this certificate in PEM.
    "NATS_KEY_FILE";
    /// Address of the monitoring port of a NATS server, where it is checked that the server syncs what it
    /// stores. Unset: that is not checked.
    "NATS_MONITOR_URL";
    /// Name of the cluster and of its stream: letters, digits, - and _.
    "CLUSTER_NAME" = "umbler-hub";
    /// Name of this hub in the cluster: letters, digits, - and _. Must be set if NATS_URL is.
    "NODE_NAME";
    /// Address at which the other hubs of the cluster reach this one. Unset: this hub gives no copies of its
    /// database.
    "NODE_URL";
    /// Secret by which hubs of the cluster give each other copies of the database. At least 32 bytes.
    secret "CLUSTER_SECRET";
    /// Days that the stream keeps records, 1 to 365, for hubs that were away. Read when the cluster begins.
    "CLUSTER_RETAIN_DAYS" = "7";
    together {
        /// How tokens are checked: `JWT_SECRET`, `JWT_PUBLIC_KEY` or `JWT_JWKS_FILE`, with `JWT_ISSUER` and
        /// `JWT_AUDIENCE`. `None`: everybody is admin.
        auth: Option<AuthSettings>, Reader::auth;
        /// Where alerts are posted: `ALERT_WEBHOOK_URL` and `ALERT_WEBHOOK_SECRET`. `None`: nowhere.
        alert_webhook: Option<AlertWebhook>, Reader::alert_webhook;
        /// Whom the daily report is mailed to, and through what: `SMTP_URL` and the settings beside it. `None`: nobody.
        mail: Option<MailServer>, Reader::mail;
        /// Umbler's API: `UMBLER_API_TOKEN` and the settings beside it. `None`: it is not used.
        link: Option<UmblerApi>, Reader::umbler_api;
        /// Where backups are kept: `BACKUP_S3_URL` and the settings beside it. `None`: nowhere.
        backup: Option<BackupTarget>, Reader::backup_target;
        /// The cluster that this hub is part of: `NATS_URL` and the settings beside it. `None`: it is on its own.
        cluster: Option<ClusterSettings>, Reader::cluster;
    }
}
