//! Real faults of disk, files and memory: the hub refuses what it cannot store, says so everywhere, goes on reading,
//! and takes up again by itself.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::support::faults::{SmallDisk, can_trace, damage, is_root, limit_file_size, run, skip};
use super::support::hub::{refuses_to_serve, start_through};
use super::support::provider::Delivery;
use super::support::{Hub, Screen, spawn_hub};

/// Posts a new delivery, which must be refused for now.
fn is_refused(hub: &Hub) {
    let refused = hub.provider().post(Delivery::message("a").bytes());
    refused.refuses(503, "unavailable");
    assert!(refused.header("retry-after").is_some(), "a refusal says when to come back");
}

/// The hub says of itself that it cannot write, and why; everywhere, and without a word too much.
fn says_unwritable(hub: &Hub, screen: &mut Screen, reason: &str) {
    let ready = hub.get("/health/ready");
    let health = ready.json();
    assert_eq!(
        (ready.status, &health["status"], &health["reason"]),
        (503, &"unwritable".into(), &reason.into())
    );
    assert!(health["fault"].is_string(), "{health}");
    let folder = hub.home().to_str().expect("a plain path");
    assert!(!ready.text.contains(folder), "{health}");
    assert_eq!(hub.get("/health/live").status, 200);
    let metrics = hub.get("/metrics").text;
    assert!(metrics.contains("\numbler_hub_writable 0\n"), "{metrics}");

    let status = screen.hears("hub_status");
    assert_eq!((&status["status"], &status["reason"]), (&"unwritable".into(), &reason.into()));
    assert!(status["since"].is_string() && status.as_object().expect("an object").len() == 3, "{status}");
    assert_eq!(hub.screen().hears("hub_status"), status, "who comes now is told at once");
}

/// The fault is gone: the hub finds out without being told.
fn takes_up_again(hub: &Hub, screen: &mut Screen) {
    while hub.get("/health/ready").status == 503 {}
    assert_eq!(screen.hears("hub_status")["status"], "ok");
    let mut newcomer = hub.screen();
    assert!(newcomer.catches_up().is_empty(), "who comes now has nothing to be told");
    hub.provider().says("a", "stored again");
    screen.hears_update("new_message");
}

/// Length of a file beside the database.
fn length(hub: &Hub, name: &str) -> u64 {
    std::fs::metadata(hub.home().join(name)).expect("the file").len()
}

#[test]
fn a_write_that_fails_is_told_on_every_screen_until_writing_works_again() {
    let hub = spawn_hub();
    hub.provider().says("a", "stored");
    let mut screen = hub.screen().watching(&["updates"]);
    limit_file_size(&hub, Some(length(&hub, "hub.db-wal")));
    is_refused(&hub);
    says_unwritable(&hub, &mut screen, "io_error");
    is_refused(&hub);
    assert_eq!(hub.json("/api/umbler/stats")["totalMessages"], 1, "reads go on");
    assert_eq!(screen.snapshot()["stats"]["totalMessages"], 1);
    limit_file_size(&hub, None);
    takes_up_again(&hub, &mut screen);
    assert_eq!(hub.json("/api/umbler/stats")["totalMessages"], 2, "what was refused is not there");
}

#[test]
fn a_full_disk_is_told_and_waited_out() {
    let home = tempfile::tempdir().expect("a folder");
    let disk = home.path().join("disk");
    let Some(_disk) = SmallDisk::mount(&disk, 2 * 1024 * 1024) else {
        return skip("this process may not mount a small disk");
    };
    let path = disk.join("hub.db");
    let hub = start_through(&[], home, &[("DATABASE_PATH", path.to_str().expect("a plain path"))]);
    hub.provider().says("a", "stored");
    let mut screen = hub.screen().watching(&["updates"]);
    // Somebody else fills the disk, to the last byte, and again what metrics and search let go of when they fail too.
    let filler = disk.join("filler");
    let mut file = std::fs::File::create(&filler).expect("a file");
    let mut stored = 1;
    let ready = loop {
        while std::io::Write::write_all(&mut file, &[0; 512]).is_ok() {}
        if hub.provider().post(Delivery::message("b").bytes()).status == 200 {
            stored += 1;
            continue;
        }
        let ready = hub.get("/health/ready");
        if ready.status == 503 {
            break ready.json();
        }
    };
    assert_eq!((&ready["status"], &ready["reason"]), (&"unwritable".into(), &"disk_full".into()), "{ready}");
    drop(file);
    std::fs::remove_file(filler).expect("deleted");
    while hub.get("/health/ready").status == 503 {}
    hub.provider().says("a", "stored again");
    let mut statuses = Vec::new();
    let mut heard = 1;
    while heard < stored + 1 {
        let envelope = screen.hears_anything();
        if envelope["event"] == "hub_status" {
            statuses.push(envelope["data"].clone());
        } else {
            heard += 1;
        }
    }
    assert!(statuses.iter().any(|status| status["reason"] == "disk_full"), "{statuses:?}");
    assert_eq!(statuses.last().expect("the end of it")["status"], "ok", "{statuses:?}");
    let hub = hub.restarted();
    assert_eq!(hub.json("/api/umbler/stats")["totalMessages"], stored + 1, "what was refused is not there");
}

#[test]
fn a_sync_that_fails_acknowledges_nothing() {
    if !can_trace() {
        return skip("strace is not installed, or may not trace");
    }
    let home = tempfile::tempdir().expect("a folder");
    let fail = "inject=fsync,fdatasync:error=EIO:when=20..26";
    let launcher =
        ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", fail];
    let mut hub = start_through(&launcher, home, &[]);
    let mut screen = hub.screen().watching(&["updates"]);
    let (mut acknowledged, mut refused) = (Vec::new(), Vec::new());
    while acknowledged.len() < 40 {
        let delivery = Delivery::message("a");
        let answer = hub.provider().post(delivery.bytes());
        if answer.status == 200 {
            acknowledged.push(delivery);
        } else {
            answer.refuses(503, "unavailable");
            refused.push(delivery);
        }
    }
    assert!(!refused.is_empty(), "some syncs failed");
    // Whoever was refused tries again, and is taken in once.
    for delivery in &refused {
        assert_eq!(hub.provider().posts(delivery)["status"], "accepted");
    }
    let count = acknowledged.len() + refused.len();
    let mut heard = Vec::new();
    while heard.len() < count {
        let envelope = screen.hears_anything();
        if envelope["event"] == "umbler_update" {
            heard.push(envelope["seq"].as_i64().expect("a position"));
        } else {
            assert_eq!(envelope["event"], "hub_status", "{envelope}");
        }
    }
    assert!(heard.iter().copied().eq(1..=i64::try_from(count).expect("few")), "{heard:?}");
    hub.kill();
    let hub = hub.started_again();
    for delivery in acknowledged.iter().chain(&refused) {
        assert_eq!(hub.provider().posts(delivery)["status"], "duplicate");
    }
}

#[test]
fn a_database_that_is_moved_away_takes_nothing_until_it_is_back() {
    let hub = spawn_hub();
    hub.provider().says("a", "stored");
    let mut screen = hub.screen().watching(&["updates"]);
    let away = hub.home().join("away.db");
    std::fs::rename(hub.database(), &away).expect("moved");
    is_refused(&hub);
    says_unwritable(&hub, &mut screen, "moved");
    std::fs::rename(&away, hub.database()).expect("moved back");
    takes_up_again(&hub, &mut screen);
    let log = hub.home().join("hub.db-wal");
    let bytes = std::fs::read(&log).expect("the log");
    std::fs::remove_file(&log).expect("deleted");
    is_refused(&hub);
    drop((screen, bytes));
    assert_eq!(hub.json("/health")["reason"], "moved");
}

#[test]
fn files_that_may_not_be_written_are_told_and_waited_out() {
    let hub = spawn_hub();
    hub.provider().says("a", "stored");
    let mut screen = hub.screen().watching(&["updates"]);
    let files =
        ["hub.db", "hub.db-wal"].map(|name| hub.home().join(name).to_str().expect("plain").to_owned());
    let switch = |how: &str| run("chattr", &[how, &files[0], &files[1]]);
    if !switch("+i") {
        return skip("this process may not make files immutable");
    }
    let refused = hub.provider().post(Delivery::message("a").bytes());
    if refused.status == 200 {
        switch("-i");
        return skip("this file system lets open files be written although they are immutable");
    }
    let health = hub.json("/health");
    switch("-i");
    refused.refuses(503, "unavailable");
    assert!(["read_only", "io_error"].iter().any(|reason| health["reason"] == *reason), "{health}");
    assert_eq!(screen.hears("hub_status")["status"], "unwritable");
    takes_up_again(&hub, &mut screen);
}

#[test]
fn a_folder_that_may_not_be_written_is_named_at_the_start() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("read-only");
    std::fs::create_dir(&folder).expect("a folder");
    let rights = |path: &Path, mode| {
        let rights = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(path, rights).expect("set");
    };
    rights(home.path(), 0o755);
    rights(&folder, 0o555);
    // Root may write everything, so the hub runs as somebody else; from a copy that they may run.
    let launcher: &[&str] = if is_root() { &["setpriv", "--reuid=65534", "--clear-groups"] } else { &[] };
    let program = home.path().join("umbler-hub");
    std::fs::copy(env!("CARGO_BIN_EXE_umbler-hub"), &program).expect("copied");
    rights(&program, 0o755);
    let program = program.to_str().expect("a plain path");
    let words = [launcher, &[program]].concat();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).env_clear().current_dir(home.path()).env("PORT", "0");
    let (code, said) = refuses_to_serve(command.env("DATABASE_PATH", folder.join("hub.db")));
    rights(&folder, 0o755);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("read-only/hub.db") && said.contains("Permission denied"), "{said}");
}

#[test]
fn a_damaged_page_spoils_what_lies_on_it_and_nothing_else() {
    let mut hub = spawn_hub();
    hub.provider().says("a", "before the damage");
    hub.stop();
    damage(&hub.database(), "chats");
    let hub = hub.started_again();
    hub.get("/api/umbler/chats").refuses(500, "internal");
    assert_eq!(hub.json("/api/umbler/contacts")["contacts"].as_array().map(Vec::len), Some(1));
    assert_eq!(hub.json("/api/umbler/stats")["totalMessages"], 1);
    let mut screen = hub.screen().watching(&["updates"]);
    screen.says("request_umbler_data", Value::Null);
    screen.hears_error("unavailable");
    let answer = hub.provider().post(Delivery::message("a").bytes());
    assert_eq!(answer.status, 200, "{}", hub.log());
    let answer = answer.json();
    assert_eq!((&answer["status"], &answer["seq"]), (&"accepted".into(), &2.into()), "it is kept, {answer}");
    let reason = "the stored state that it changes cannot be read";
    assert_eq!(screen.hears_update("unrecognized")["data"]["reason"], reason);
    let health = hub.json("/health");
    assert!(health["integrity"].as_str().is_some_and(|said| said.starts_with("damaged: ")), "{health}");
    assert_eq!(health["status"], "ok", "deliveries are kept");
    assert!(hub.get("/metrics").text.contains("\numbler_hub_database_damaged 1\n"));
    assert!(hub.log().contains("the database is damaged; restore a backup"), "{}", hub.log());
}

#[test]
fn a_damaged_journal_takes_nothing_and_says_so() {
    let mut hub = spawn_hub();
    hub.provider().says("a", "before the damage");
    hub.stop();
    damage(&hub.database(), "sqlite_autoindex_journal_1");
    let hub = hub.started_again();
    let mut screen = hub.screen().watching(&["updates"]);
    is_refused(&hub);
    says_unwritable(&hub, &mut screen, "damaged");
    is_refused(&hub);
    assert_eq!(hub.json("/api/umbler/updates?after=0")["seq"], 1, "reads go on");
    assert!(screen.catches_up().is_empty(), "it is told once");
    let health = hub.json("/health");
    assert!(health["integrity"].as_str().is_some_and(|said| said.starts_with("damaged: ")), "{health}");
}

#[test]
fn a_flood_of_large_deliveries_stays_within_the_memory_that_there_is() {
    /// Bytes of data that the hub may have: less than the flood sends. With more it would end.
    const MEMORY: u64 = 320 * 1024 * 1024;
    const CONNECTIONS: usize = 40;
    let home = tempfile::tempdir().expect("a folder");
    let limit = format!("--data={MEMORY}");
    let hub = start_through(&["prlimit", &limit], home, &[]);
    let empty = Delivery::message("large");
    let filling = "large ".repeat((10 * 1024 * 1024 - empty.bytes().len() - 100) / 6);
    // Media, which is kept as it came, and texts, which are parsed, searched and shown.
    let media = empty.clone().message_field("File", json!({ "Data": filling }));
    let kinds = [media, empty.text(&filling)];
    let refused: usize = std::thread::scope(|scope| {
        let posters: Vec<_> = (0..CONNECTIONS)
            .map(|number| {
                let (url, delivery) = (hub.url("/api/umbler/webhook"), kinds[number % 2].clone());
                scope.spawn(move || {
                    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
                    let delivery =
                        delivery.event_id(&format!("large-{number}")).message_id(&format!("large-{number}"));
                    let bytes = delivery.bytes();
                    let post = || agent.post(&url).send(&bytes).expect("the hub answers").status().as_u16();
                    // Refused or taken in, and in the end taken in.
                    std::iter::from_fn(|| Some(post()).filter(|status| *status != 200))
                        .inspect(|status| assert_eq!(*status, 503))
                        .count()
                })
            })
            .collect();
        // Small ones are taken in between large ones, at most after a retry.
        for _ in 0..20 {
            let small = Delivery::message("small");
            while hub.provider().post(small.bytes()).status == 503 {}
        }
        posters.into_iter().map(|poster| poster.join().expect("it posted")).sum()
    });
    println!("{refused} refusals");
    assert_eq!(hub.json("/health")["seq"], CONNECTIONS + 20);
    // Texts that no one can have written are kept raw.
    assert_eq!(hub.json("/api/umbler/stats")["totalMessages"], CONNECTIONS / 2 + 20);
}
