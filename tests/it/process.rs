//! The program as its operator meets it: starts, refusals to start, ends, tools.

use std::process::Output;

use rusqlite::Connection;

use super::support::hub::command;
use super::support::{Hub, hub_with, spawn_hub};

/// Runs the program to its end with these settings; it must not start serving.
fn refused(settings: &[(&str, &str)]) -> (Option<i32>, String) {
    let home = tempfile::tempdir().expect("a folder");
    let output = command(home.path()).envs(settings.iter().copied()).output().expect("the program runs");
    assert!(output.stdout.is_empty(), "it serves: {}", text(&output));
    (output.status.code(), text(&output))
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn tool(hub: &Hub, arguments: &[&str]) -> Output {
    command(hub.home()).args(arguments).output().expect("the tool runs")
}

#[test]
fn wrong_settings_are_named_all_at_once() {
    let (code, said) = refused(&[("PORT", "x"), ("TIMEZONE", "Nowhere"), ("JWT_SECRET", "hunter2")]);
    assert_eq!(code, Some(2));
    for named in ["PORT: ", "TIMEZONE: "] {
        assert!(said.contains(named), "{said}");
    }
    for (name, value) in
        [("RUST_LOG", "umbler=nonsense"), ("DATABASE_PATH", "/"), ("DATABASE_PATH", "/dev/null/x.db")]
    {
        let (code, said) = refused(&[(name, value)]);
        assert!(code == Some(2) && said.contains(&format!("{name}: ")), "{said}");
    }
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn an_address_that_others_reach_needs_secrets() {
    let (code, said) = refused(&[("HOST", "0.0.0.0")]);
    assert_eq!(code, Some(2));
    assert!(said.contains("set JWT_SECRET, JWT_PUBLIC_KEY or JWT_JWKS_FILE and WEBHOOK_SECRET"), "{said}");
    assert!(spawn_hub().log().contains("no JWT key is set"), "on loopback it starts, and says so");
}

#[test]
fn a_secret_may_stand_in_a_file_and_settings_in_dot_env() {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("secret");
    std::fs::write(&file, "a-secret-in-a-file\n").expect("written");
    let hub = hub_with(&[("WEBHOOK_SECRET_FILE", file.to_str().expect("a plain path"))]);
    hub.provider().post("{}").refuses(401, "unauthorized");
    assert_eq!(hub.provider().post_to("/api/umbler/webhook?token=a-secret-in-a-file", &[], "{}").status, 200);

    std::fs::write(home.path().join(".env"), "TIMEZONE=Nowhere\nMAX_SESSIONS=many\n").expect("written");
    let output = command(home.path()).env("TIMEZONE", "UTC").output().expect("the program runs");
    let said = text(&output);
    assert!(!said.contains("TIMEZONE"), "the environment wins: {said}");
    assert!(said.contains("MAX_SESSIONS: \"many\""), "{said}");
    std::fs::write(home.path().join(".env"), "not a setting").expect("written");
    let output = command(home.path()).output().expect("the program runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains(".env cannot be read"), "{}", text(&output));
}

#[test]
fn check_shows_what_is_in_force_and_masks_secrets() {
    let hub = spawn_hub();
    let output = command(hub.home())
        .env("WEBHOOK_SECRET", "a-secret-of-the-webhook")
        .args(["check", "--max-sessions", "7"])
        .output()
        .expect("the tool runs");
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    let line = |name: &str| {
        said.lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_else(|| panic!("{name}: {said}"))
            .to_owned()
    };
    assert!(line("MAX_SESSIONS ").ends_with("7  [flag]"), "{said}");
    assert!(line("WEBHOOK_SECRET").ends_with("***  [environment]"), "{said}");
    assert!(line("TIMEZONE").ends_with("America/Sao_Paulo"), "{said}");
    assert!(!said.contains("a-secret-of-the-webhook"), "{said}");
    assert!(said.ends_with("ok\n"), "{said}");
}

#[test]
fn check_deep_reads_the_whole_database_while_the_hub_runs() {
    let mut hub = spawn_hub();
    hub.provider().says("a", "hello");
    let output = tool(&hub, &["check", "--deep"]);
    assert!(text(&output).contains("hub.db: sound"), "{}", text(&output));
    hub.stop();
    // A page in the middle is overwritten, as a bad disk does it.
    let path = hub.database();
    let mut bytes = std::fs::read(&path).expect("the database");
    let page = bytes.len() / 4096 / 2;
    bytes[page * 4096..(page + 1) * 4096].fill(0xaa);
    std::fs::write(&path, bytes).expect("written");
    let output = tool(&hub, &["check", "--deep"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output).contains("damaged") || text(&output).contains("cannot be read"),
        "{}",
        text(&output)
    );
}

#[test]
fn a_second_process_on_the_same_file_is_told_so() {
    let hub = spawn_hub();
    let output = tool(&hub, &["serve"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output);
    assert!(said.contains("cannot lock the database") && said.contains("another"), "{said}");
    hub.provider().says("a", "the first one goes on");
}

#[test]
fn a_taken_port_is_told_at_once() {
    let hub = spawn_hub();
    let port = hub.address().port().to_string();
    let (code, said) = refused(&[("PORT", &port)]);
    assert_eq!(code, Some(1));
    assert!(said.contains(&format!("cannot listen on 127.0.0.1:{port}")), "{said}");
}

#[test]
fn what_is_no_database_is_not_touched() {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("hub.db");
    std::fs::write(&path, "this is somebody's letter, longer than the header of a database. ".repeat(50))
        .expect("written");
    let before = std::fs::read(&path).expect("the file");
    let output = command(home.path()).output().expect("the program runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("hub.db"), "{}", text(&output));
    assert_eq!(std::fs::read(&path).expect("the file"), before);
}

#[test]
fn a_database_of_a_newer_hub_is_not_touched() {
    let mut hub = spawn_hub();
    hub.provider().says("a", "hello");
    hub.stop();
    Connection::open(hub.database())
        .expect("the database")
        .pragma_update(None, "user_version", 99)
        .expect("set");
    let output = tool(&hub, &["serve"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("written by a newer umbler-hub"), "{}", text(&output));
}

#[test]
fn missing_positions_at_the_end_of_the_journal_are_damage() {
    let mut hub = spawn_hub();
    for _ in 0..5 {
        hub.provider().says("a", "hello");
    }
    hub.stop();
    let database = Connection::open(hub.database()).expect("the database");
    database.execute("DELETE FROM journal WHERE seq = 3", []).expect("deleted");
    drop(database);
    let output = tool(&hub, &["serve"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("damaged: positions are missing"), "{}", text(&output));
}

#[test]
fn a_database_of_the_first_schema_is_upgraded_and_goes_on() {
    let dump = include_str!("../fixtures/databases/first-schema.sql");
    let home = tempfile::tempdir().expect("a folder");
    let database = Connection::open(home.path().join("hub.db")).expect("a database");
    database.execute_batch(dump).expect("the dump");
    database.pragma_update(None, "user_version", 1).expect("set");
    drop(database);
    let hub = super::support::hub::start_in(home);
    let stats = hub.json("/api/umbler/stats");
    assert_eq!(
        (&stats["totalContacts"], &stats["totalChats"], &stats["totalMessages"]),
        (&1.into(), &1.into(), &2.into())
    );
    assert_eq!(hub.json("/health")["seq"], 3);
    assert_eq!(super::placements::differences(&hub), Vec::<String>::new());
    let members = &hub.json("/api/umbler/members")["members"];
    assert_eq!(members[0]["id"], "Z4ELwFoR_gAHAAAL", "who occurs is listed: {members}");
    assert_eq!(hub.json("/health")["epoch"], "00000000000000e1");
    assert_eq!(hub.provider().posts_fixture("01_message_text_contact.json")["status"], "duplicate");
    assert_eq!(hub.provider().posts_fixture("16_chat_closed.json")["seq"], 4);
    assert_eq!(hub.json("/api/umbler/chats")["chats"][0]["status"], "closed");
    assert_eq!(super::placements::differences(&hub), Vec::<String>::new());
}

#[test]
fn a_hub_that_is_told_to_stop_ends_clean_and_is_not_ready_meanwhile() {
    let mut hub = spawn_hub();
    hub.provider().says("a", "hello");
    let screen = hub.screen();
    assert!(hub.stop().success());
    drop(screen);
    assert!(hub.log().contains("stopped"), "{}", hub.log());
    let wal = hub.database().with_extension("db-wal");
    assert!(!wal.exists() || std::fs::metadata(&wal).expect("the log").len() == 0, "the journal was closed");
}

#[test]
fn a_hub_that_cannot_write_says_so_keeps_reads_and_takes_up_again_by_itself() {
    let hub = spawn_hub();
    hub.provider().says("a", "stored");
    // Another process that holds the write lock: a fault that comes and goes without root or a full disk.
    let intruder = Connection::open(hub.database()).expect("the database");
    intruder.execute_batch("BEGIN IMMEDIATE").expect("locked");
    let refused = hub.provider().post(super::support::Delivery::message("a").bytes());
    let error = refused.refuses(503, "unavailable");
    assert!(refused.header("retry-after").is_some(), "{error}");
    let ready = hub.get("/health/ready");
    assert_eq!((ready.status, &ready.json()["status"]), (503, &"unwritable".into()), "{}", ready.text);
    assert!(ready.json()["fault"].is_string(), "{}", ready.text);
    assert_eq!(hub.get("/health/live").status, 200);
    assert_eq!(hub.json("/api/umbler/stats")["totalMessages"], 1, "reads go on");
    intruder.execute_batch("ROLLBACK").expect("unlocked");
    while hub.get("/health/ready").status == 503 {}
    hub.provider().says("a", "stored again");
    assert_eq!(
        hub.json("/api/umbler/stats")["totalMessages"],
        2,
        "what was refused was not stored behind its back"
    );
}
