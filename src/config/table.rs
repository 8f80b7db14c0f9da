//! Every setting in one table: variable, default, meaning. Flags, `.env.example` and docs/settings.md follow it.

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The environment variable, and the entry in `.env`.
    pub name: &'static str,
    /// What counts where nothing is set.
    pub default: Option<&'static str>,
    /// A variable or `NAME_FILE` only: flags show in process lists.
    pub secret: bool,
    /// For people, one sentence.
    pub meaning: &'static str,
}

impl Setting {
    /// The flag of `serve`; `None` for secrets.
    pub fn flag(&self) -> Option<String> {
        (!self.secret).then(|| self.name.to_ascii_lowercase().replace('_', "-"))
    }
}

const fn setting(name: &'static str, default: Option<&'static str>, meaning: &'static str) -> Setting {
    Setting { name, default, secret: false, meaning }
}

const fn secret(name: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default: None, secret: true, meaning }
}

/// All of them, in the order in which people look for them.
pub const TABLE: &[Setting] = &[
    setting(
        "HOST",
        Some("127.0.0.1"),
        "Address to listen on. Any but a loopback one needs a JWT key and WEBHOOK_SECRET.",
    ),
    setting("PORT", Some("3001"), "Port to listen on; 0 takes a free one and prints it."),
    setting(
        "FRONTEND_URL",
        Some("http://localhost:5173"),
        "Origins whose pages may use the hub from another address, comma separated.",
    ),
    setting("DATABASE_PATH", Some("data/umbler-hub.db"), "The SQLite file; its folder is created."),
    secret(
        "WEBHOOK_SECRET",
        "What Umbler Talk sends as ?token= or as a Bearer token; 16 bytes or more, fewer on loopback only.",
    ),
    secret(
        "JWT_SECRET",
        "Key of HS256 tokens, 32 bytes or more, fewer on loopback only. One of this, JWT_PUBLIC_KEY and JWT_JWKS_FILE.",
    ),
    setting("JWT_PUBLIC_KEY", None, "Path of a public key in PEM, for RS256, ES256 or EdDSA tokens."),
    setting(
        "JWT_JWKS_FILE",
        None,
        "Path of a JSON Web Key Set whose keys tokens name by kid; read again when it changes.",
    ),
    setting("JWT_ISSUER", None, "What a token's iss must be; unset: not checked."),
    setting("JWT_AUDIENCE", None, "What a token's aud must name; unset: not checked."),
    setting("TIMEZONE", Some("America/Sao_Paulo"), "IANA time zone in which days turn."),
    setting(
        "BUSINESS_HOURS",
        Some("Mon-Fri 08:00-12:00,13:00-18:00; Sat 09:00-12:00"),
        "When the team works, until an admin saves other hours.",
    ),
    setting(
        "TRUSTED_PROXIES",
        None,
        "Number of proxies in front, or their address ranges, comma separated; unset: the peer's address counts.",
    ),
    setting(
        "RATE_LIMIT_REST_PER_SECOND",
        Some("50"),
        "REST requests per second and client address; 0: no limit. Never the webhook.",
    ),
    setting(
        "RATE_LIMIT_CONNECTS_PER_SECOND",
        Some("20"),
        "WebSocket connects per second and client address; 0: no limit.",
    ),
    setting("MAX_SESSIONS", Some("20000"), "WebSocket sessions at most; 0: no limit."),
    setting(
        "MAX_SESSIONS_PER_ADDRESS",
        Some("200"),
        "WebSocket sessions of one client address at most; 0: no limit.",
    ),
    setting(
        "MAX_SESSIONS_PER_USER",
        Some("1000"),
        "WebSocket sessions of one user (sub) at most, where a JWT key is set; 0: no limit.",
    ),
    setting(
        "REQUEST_HEAD_SECONDS",
        Some("10"),
        "Seconds that a client may take for its request's head; 1 to 120.",
    ),
    setting(
        "REQUEST_BODY_SECONDS",
        Some("20"),
        "Seconds that a client may take for its request's body; 1 to 120.",
    ),
    setting(
        "UPDATES_RETAINED",
        Some("100000"),
        "Updates kept for screens that come back and for GET /api/umbler/updates; 1000 or more.",
    ),
    setting(
        "UPDATES_IN_MEMORY",
        Some("4096"),
        "Newest updates kept in memory for screens that come back; older ones are read from disk.",
    ),
    setting(
        "REPLAY_UPDATES_MAX",
        Some("10000"),
        "Missed updates that a screen is replayed at most; whoever missed more begins with a snapshot.",
    ),
    setting(
        "ALERT_WEBHOOK_URL",
        None,
        "Address that alerts are posted to, signed and retried; needs ALERT_WEBHOOK_SECRET. Unset: nowhere.",
    ),
    secret("ALERT_WEBHOOK_SECRET", "What these posts are signed with (HMAC-SHA256), 16 bytes or more."),
    setting("WORKERS", None, "Threads for HTTP and sockets; unset: one per core."),
    setting(
        "DASHBOARD_DIR",
        Some("frontend/dist"),
        "A built dashboard to serve at /; where it is missing, / is the console.",
    ),
    setting("RUST_LOG", Some("info"), "Log filter of env_logger, for example info,access=warn."),
    setting("NATS_URL", None, "Reserved for clustering, which is not built yet: must be unset."),
];

/// The entry of a name; the names in the code are compared with the table by a test.
pub fn find(name: &str) -> Option<&'static Setting> {
    TABLE.iter().find(|setting| setting.name == name)
}
