//! Settings, right and wrong.

use super::table::TABLE;
use super::{Config, ConfigError, Values};

fn problems(given: &[(&'static str, &str)]) -> Vec<String> {
    match Config::read(&Values::of(given)) {
        Err(ConfigError::Wrong(problems)) => problems,
        other => panic!("{given:?}: {other:?}"),
    }
}

#[test]
fn the_defaults_start_a_hub_on_loopback_and_say_that_it_is_open() {
    let settings = Config::read(&Values::of(&[])).unwrap();
    assert!(settings.host.is_loopback());
    assert_eq!(settings.port, 3001);
    assert_eq!(settings.warnings().len(), 2);
}

#[test]
fn every_wrong_value_is_named_with_its_variable() {
    for (name, value) in [
        ("HOST", "my-machine"),
        ("PORT", "70000"),
        ("PORT", "-1"),
        ("FRONTEND_URL", "*"),
        ("FRONTEND_URL", "localhost"),
        ("TIMEZONE", "Sao_Paulo"),
        ("BUSINESS_HOURS", "always"),
        ("TRUSTED_PROXIES", "all"),
        ("RATE_LIMIT_REST_PER_SECOND", "fast"),
        ("RATE_LIMIT_CONNECTS_PER_SECOND", "1.5"),
        ("MAX_SESSIONS", "-1"),
        ("MAX_SESSIONS_PER_ADDRESS", "many"),
        ("MAX_SESSIONS_PER_USER", "a few"),
        ("REQUEST_HEAD_SECONDS", "0"),
        ("REQUEST_BODY_SECONDS", "121"),
        ("UPDATES_RETAINED", "10"),
        ("BACKUP_S3_URL", "s3://shop"),
        ("BACKUP_EVERY_HOURS", "0"),
        ("BACKUP_EVERY_HOURS", "169"),
        ("BACKUP_KEEP", "0"),
        ("BACKUP_KEEP", "1001"),
        ("WORKERS", "0"),
        ("UMBLER_SEND", "yes"),
        ("UMBLER_SEND_LOOK_SECONDS", "4"),
        ("LOG_FORMAT", "xml"),
        ("NATS_URL", "http://127.0.0.1:4222/"),
        ("NATS_URL", "nats://127.0.0.1:4222"),
        ("NATS_USER", "hub"),
        ("NATS_CA_FILE", "no/such/file.pem"),
        ("NATS_MONITOR_URL", "127.0.0.1:8222"),
        ("CLUSTER_NAME", "two words"),
        ("NODE_NAME", "a.b"),
        ("NODE_URL", "hub"),
        ("CLUSTER_SECRET", "short"),
        ("CLUSTER_RETAIN_DAYS", "0"),
        ("CLUSTER_RETAIN_DAYS", "366"),
        ("JWT_PUBLIC_KEY", "no/such/file.pem"),
        ("JWT_JWKS_FILE", "no/such/file.json"),
        ("JWT_JWKS_FILE", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")),
    ] {
        let problems = problems(&[(name, value)]);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with(&format!("{name}: ")), "{problems:?}");
    }
}

#[test]
fn all_wrong_values_are_told_at_once_and_no_secret_is_shown() {
    let problems = problems(&[("PORT", "x"), ("TIMEZONE", "Nowhere"), ("WEBHOOK_SECRET", "hunter3")]);
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(!problems.concat().contains("hunter"), "{problems:?}");
}

#[test]
fn a_short_secret_is_an_error_where_others_reach_the_hub_and_a_word_on_loopback() {
    let short = [("JWT_SECRET", "hunter2"), ("WEBHOOK_SECRET", "hunter3")];
    let told = problems(&[("HOST", "0.0.0.0"), short[0], short[1]]);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("JWT_SECRET: ") && told[1].starts_with("WEBHOOK_SECRET: "), "{told:?}");
    assert!(!told.concat().contains("hunter"), "{told:?}");
    let words = Config::read(&Values::of(&short)).unwrap().warnings();
    assert!(words[0].starts_with("JWT_SECRET ") && words[1].starts_with("WEBHOOK_SECRET "), "{words:?}");
}

#[test]
fn a_bucket_wants_both_halves_of_its_key() {
    let url = ("BACKUP_S3_URL", "https://s3.example/shop/hub");
    assert_eq!(
        problems(&[url]),
        [
            "BACKUP_S3_KEY_ID: must be set where BACKUP_S3_URL is",
            "BACKUP_S3_SECRET: must be set where BACKUP_S3_URL is"
        ]
    );
    let key = [("BACKUP_S3_KEY_ID", "id"), ("BACKUP_S3_SECRET", "hunter4")];
    assert!(Config::read(&Values::of(&key)).unwrap().backup.is_none());
    let settings = Config::read(&Values::of(&[url, key[0], key[1]])).unwrap();
    assert!(!format!("{settings:?}").contains("hunter"), "{settings:?}");
    let backup = settings.backup.as_ref().unwrap();
    assert_eq!((backup.every_hours, backup.keep, settings.warnings().len()), (24, 14, 2));
    let plain = ("BACKUP_S3_URL", "http://s3.example/shop");
    assert_eq!(Config::read(&Values::of(&[plain, key[0], key[1]])).unwrap().warnings().len(), 3);
}

#[test]
fn an_address_that_others_reach_wants_a_key_and_a_webhook_secret() {
    let key = ("JWT_SECRET", "0123456789abcdef0123456789abcdef");
    let secret = ("WEBHOOK_SECRET", "0123456789abcdef");
    let host = ("HOST", "0.0.0.0");
    assert!(problems(&[host])[0].contains("JWT_SECRET, JWT_PUBLIC_KEY or JWT_JWKS_FILE and WEBHOOK_SECRET"));
    assert!(problems(&[host, key])[0].contains("set WEBHOOK_SECRET,"));
    assert!(problems(&[host, secret])[0].contains("set JWT_SECRET, JWT_PUBLIC_KEY or JWT_JWKS_FILE,"));
    assert!(Config::read(&Values::of(&[host, key, secret])).unwrap().warnings().is_empty());
}

#[test]
fn two_kinds_of_keys_are_one_too_many() {
    let pem = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let secret = ("JWT_SECRET", "0123456789abcdef0123456789abcdef");
    let found = problems(&[secret, ("JWT_PUBLIC_KEY", pem), ("JWT_JWKS_FILE", pem)]);
    assert!(found[0].starts_with("JWT_SECRET, JWT_PUBLIC_KEY, JWT_JWKS_FILE: set only one"), "{found:?}");
    assert!(
        problems(&[secret, ("JWT_JWKS_FILE", pem)])[0].starts_with("JWT_SECRET, JWT_JWKS_FILE: set only one")
    );
    assert!(problems(&[("JWT_PUBLIC_KEY", pem)])[0].starts_with("JWT_PUBLIC_KEY: not a public key"));
    assert!(problems(&[("JWT_JWKS_FILE", pem)])[0].starts_with("JWT_JWKS_FILE: the file is not valid JSON"));
}

#[test]
fn an_empty_value_is_no_value() {
    assert_eq!(Config::read(&Values::of(&[("JWT_ISSUER", ""), ("WORKERS", " ")])).unwrap().workers, None);
}

/// The name and the default of each entry of `.env.example`: `NAME=default`, or `# NAME=` without one.
fn example() -> Vec<(String, String)> {
    let text = include_str!("../../.env.example");
    let entries = text.lines().filter_map(|line| line.trim_start_matches(['#', ' ']).split_once('='));
    let named =
        entries.filter(|(name, _)| name.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_')));
    named.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
}

#[test]
fn the_example_lists_every_setting_with_its_default() {
    let table: Vec<_> = TABLE
        .iter()
        .map(|setting| (setting.name.to_owned(), setting.default.unwrap_or_default().to_owned()))
        .collect();
    assert_eq!(example(), table);
    for setting in TABLE {
        assert!(include_str!("../../.env.example").contains(setting.meaning), "{}", setting.name);
    }
}

#[test]
fn the_document_lists_every_setting_with_its_default() {
    let document = include_str!("../../docs/settings.md");
    let rows: Vec<&str> = document.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<String> = TABLE
        .iter()
        .map(|setting| {
            let default =
                setting.default.map_or_else(|| "unset".to_owned(), |default| format!("`{default}`"));
            let secret = if setting.secret { "yes" } else { "no" };
            format!("| `{}` | {default} | {secret} | {} |", setting.name, setting.meaning)
        })
        .collect();
    assert_eq!(rows, expected);
}
