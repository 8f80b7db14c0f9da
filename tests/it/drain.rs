//! The hub goes down in order, in time, and loses nothing; screens are told when to come back.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;
use umbler_hub::facade::testing::{DRAIN_SECONDS_MAX, EXIT_DEADLINE, RETURN_AFTER, RETURN_SPREAD_MIN};

use super::support::faults::{can_trace, run, skip};
use super::support::hub::{command, start_in, start_through};
use super::support::provider::Delivery;
use super::support::{PATIENCE, Screen, spawn_hub};

/// Connections that post while the hub is restarted.
const CONNECTIONS: usize = 6;
/// Times that it is restarted.
const RESTARTS: usize = 4;

#[test]
fn screens_are_told_to_come_back_one_after_the_other() {
    let mut hub = spawn_hub();
    let mut screens: Vec<Screen> = (0..20).map(|_| hub.screen().watching(&["updates"])).collect();
    hub.provider().says("a", "the last one");
    hub.terminate();
    let mut slots = BTreeSet::new();
    for screen in &mut screens {
        screen.hears_update("new_message");
        assert_eq!(screen.hears("hub_status")["status"], "draining");
        let goodbye = screen.hears("going_away");
        assert_eq!(goodbye["reason"], "drain");
        let after = Duration::from_millis(goodbye["retryAfterMs"].as_u64().expect("milliseconds"));
        assert!(after >= RETURN_AFTER && after < RETURN_AFTER + RETURN_SPREAD_MIN, "{goodbye}");
        slots.insert(after);
        assert_eq!(screen.is_closed_with(), 4000);
    }
    assert_eq!(slots.len(), 20, "each has a moment of its own");
    assert!(hub.wait().success());
}

/// Posts fresh deliveries, each until it is acknowledged, as a provider with patience does.
fn post_through_restarts(url: &str, over: &AtomicBool) -> BTreeMap<String, i64> {
    let mut acknowledged = BTreeMap::new();
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .build()
        .new_agent();
    while !over.load(Ordering::Acquire) {
        let delivery = Delivery::message("chat");
        let seq = loop {
            let Ok(mut answer) = agent.post(url).send(&delivery.bytes()) else { continue };
            if answer.status() == 503 {
                assert!(answer.headers().contains_key("retry-after"), "a refusal says when to come back");
                continue;
            }
            assert_eq!(answer.status(), 200);
            let Ok(body) = answer.body_mut().read_json::<Value>() else { continue };
            break body["seq"].as_i64().expect("a position");
        };
        acknowledged.insert(delivery.id().to_owned(), seq);
    }
    acknowledged
}

/// Polls updates as a screen without a socket does, through every restart, until it has seen `last`.
fn poll_through_restarts(hub_url: &str, epoch: &str, last: &Receiver<i64>) -> Vec<(String, i64)> {
    let agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().new_agent();
    let (mut seen, mut after, mut until) = (Vec::new(), 0, None);
    loop {
        until = until.or_else(|| last.try_recv().ok());
        if until.is_some_and(|until| after >= until) {
            return seen;
        }
        let url = format!("{hub_url}/api/umbler/updates?after={after}&limit=1000&epoch={epoch}");
        let Ok(mut answer) = agent.get(&url).call() else { continue };
        let Ok(page) = answer.body_mut().read_json::<Value>() else { continue };
        for update in page["updates"].as_array().expect("a list") {
            let id = update["data"]["eventId"].as_str().expect("an id").to_owned();
            seen.push((id, update["seq"].as_i64().expect("a position")));
        }
        after = page["next"].as_i64().expect("a position");
    }
}

#[test]
fn restarts_under_load_lose_no_delivery_and_no_update() {
    let mut hub = spawn_hub();
    let (base, webhook) = (hub.url(""), hub.url("/api/umbler/webhook"));
    let epoch = hub.json("/health")["epoch"].as_str().expect("a text").to_owned();
    let (over, (tell_last, last)) = (AtomicBool::new(false), channel());
    std::thread::scope(|scope| {
        let posters: Vec<_> =
            (0..CONNECTIONS).map(|_| scope.spawn(|| post_through_restarts(&webhook, &over))).collect();
        let poller = scope.spawn(move || poll_through_restarts(&base, &epoch, &last));
        for _ in 0..RESTARTS {
            let mut screen = hub.screen().watching(&["updates"]);
            (0..50).for_each(|_| drop(screen.hears_update("new_message")));
            assert!(hub.stop().success(), "{}", hub.log());
            // The last update that a screen was shown is in the journal, and nothing that it was not shown is.
            let shown = last_update_before_the_end(&mut screen);
            hub = hub.started_again_at_its_address();
            assert!(hub.json("/health")["seq"].as_i64() >= Some(shown));
        }
        over.store(true, Ordering::Release);
        let acknowledged: Vec<BTreeMap<String, i64>> =
            posters.into_iter().map(|poster| poster.join().expect("it posts")).collect();
        let acknowledged: BTreeMap<String, i64> = acknowledged.into_iter().flatten().collect();
        tell_last.send(hub.json("/health")["seq"].as_i64().expect("a position")).expect("the poller listens");
        let seen = poller.join().expect("it polls");
        assert!(
            seen.is_sorted_by_key(|(_, seq)| *seq)
                && seen.iter().map(|(_, seq)| *seq).eq(1..=i64::try_from(seen.len()).expect("few")),
            "each position once, in order"
        );
        let seen: BTreeMap<String, i64> = seen.into_iter().collect();
        assert_eq!(seen, acknowledged, "every acknowledged delivery was shown, once, and nothing else");
    });
}

/// Reads on to the close frame.
fn last_update_before_the_end(screen: &mut Screen) -> i64 {
    let mut last = 0;
    loop {
        let envelope = screen.hears_anything();
        match envelope["event"].as_str() {
            Some("umbler_update") => last = envelope["seq"].as_i64().expect("a position"),
            Some("going_away") => break,
            _ => assert_eq!(envelope["event"], "hub_status", "{envelope}"),
        }
    }
    assert_eq!(screen.is_closed_with(), 4000);
    last
}

#[test]
fn a_drain_ends_in_time_although_readers_stall_and_requests_hang() {
    let mut hub = spawn_hub();
    let raw = |bytes: &str| {
        let mut stream = TcpStream::connect(hub.address()).expect("the hub listens");
        stream.write_all(bytes.as_bytes()).expect("written");
        stream
    };
    // One that stopped in its head, one in its body, one that keeps its connection, and screens that do not read.
    let mut kept = raw("GET /health/live HTTP/1.1\r\nhost: hub\r\n\r\n");
    kept.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut start = [0; 15];
    kept.read_exact(&mut start).expect("an answer");
    let hung = [
        raw("POST /api/umbler/webhook HTTP/1.1\r\nhost: hub\r\n"),
        raw("POST /api/umbler/webhook HTTP/1.1\r\nhost: hub\r\ncontent-length: 1000\r\n\r\n{"),
    ];
    let stalled: Vec<Screen> = (0..10).map(|_| hub.screen().watching(&["updates"])).collect();
    let text = "long ".repeat(20_000);
    (0..60).for_each(|_| drop(hub.provider().says("a", &text)));
    // One that takes longer than its time ends with another code.
    let status = hub.stop();
    assert!(status.success(), "{status}: {}", hub.log());
    assert!(hub.log().contains("the journal is closed"), "{}", hub.log());
    drop((hung, stalled, kept));
    assert_eq!(hub.started_again().json("/health")["seq"], 60);
}

#[test]
fn a_disk_that_hangs_does_not_keep_the_process() {
    if !can_trace() {
        return skip("strace is not installed, or may not trace");
    }
    let home = tempfile::tempdir().expect("a folder");
    let trace = home.path().join("trace");
    let trace = trace.to_str().expect("a plain path");
    // Syncs hang from the twentieth on: the first ones make the database. Longer than the deadline, and no longer
    // than a test may take: a process that the disk holds is gone only when the disk lets go.
    let hang = "inject=fsync,fdatasync:delay_enter=20000000:when=20+";
    let launcher = ["strace", "-D", "-f", "-qq", "-o", trace, "-e", "trace=fsync,fdatasync", "-e", hang];
    let mut hub = start_through(&launcher, home, &[]);
    let mut stuck = false;
    for _ in 0..40 {
        let answer = hub.provider().post(Delivery::message("a").bytes());
        if answer.status == 503 {
            stuck = true;
            break;
        }
    }
    assert!(stuck, "a delivery that is not durable in time is refused");
    assert_eq!(hub.stop().code(), Some(EXIT_DEADLINE.into()), "{}", hub.log());
    let log = hub.log();
    let moment = |words| -> jiff::Timestamp {
        let line = log.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("{words}: {log}"));
        line[1..21].parse().expect("a time")
    };
    let took = moment("something hangs").duration_since(moment("draining")).as_secs();
    // The log has whole seconds. How much later it notices is up to the machine.
    assert!(took >= i64::try_from(DRAIN_SECONDS_MAX).expect("few") - 1, "given up after {took} s: {log}");
}

#[test]
fn a_database_that_stays_locked_does_not_hold_up_the_end() {
    let mut hub = spawn_hub();
    let intruder = rusqlite::Connection::open(hub.database()).expect("the database");
    intruder.execute_batch("BEGIN IMMEDIATE").expect("locked");
    let url = hub.url("/api/umbler/webhook");
    std::thread::scope(|scope| {
        let posters: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| ureq::post(&url).send(&Delivery::message("a").bytes()).is_ok()))
            .collect();
        while hub.json("/health")["status"] == "ok" {}
        // One that takes longer than its time ends with another code.
        assert!(hub.stop().success(), "{}", hub.log());
        for poster in posters {
            assert!(!poster.join().expect("it posted"), "none was acknowledged");
        }
    });
    drop(intruder);
    assert_eq!(hub.started_again().json("/health")["seq"], 0);
}

#[test]
fn deliveries_and_sessions_that_come_during_the_drain_are_refused_and_told_when_to_come_back() {
    let mut hub = spawn_hub();
    let post = "POST /api/umbler/webhook HTTP/1.1\r\nhost: hub\r\ncontent-length: 2\r\n\r\n";
    let shake = "GET /ws HTTP/1.1\r\nhost: hub\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
                 sec-websocket-version: 13\r\nsec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n";
    // A request that is on its way holds the drain up: the others come in its shadow.
    let intruder = rusqlite::Connection::open(hub.database()).expect("the database");
    intruder.execute_batch("BEGIN IMMEDIATE").expect("locked");
    let url = hub.url("/api/umbler/webhook");
    let stored = std::thread::scope(|scope| {
        let url = &url;
        // The writer holds the first ones. What comes after them stays in the queue, where it can be seen.
        let mut slow = Vec::new();
        while hub.json("/health")["queued"] == 0 {
            let delivery = Delivery::message("a").bytes();
            slow.push(scope.spawn(move || ureq::post(url).send(&delivery).is_ok()));
        }
        hub.terminate();
        while hub.get("/health/ready").status == 200 {}
        let ready = hub.get("/health/ready");
        assert_eq!((ready.status, &ready.json()["status"]), (503, &"draining".into()));
        for request in [format!("{post}{{}}"), shake.to_owned()] {
            let mut stream = TcpStream::connect(hub.address()).expect("the hub listens");
            stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
            stream.write_all(request.as_bytes()).expect("written");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).expect("the hub answers and closes");
            let head = answer.to_ascii_lowercase();
            assert!(head.starts_with("http/1.1 503"), "{answer}");
            assert!(head.contains("retry-after: 2\r\n") && head.contains("connection: close"), "{answer}");
        }
        intruder.execute_batch("ROLLBACK").expect("unlocked");
        slow.into_iter().map(|slow| slow.join().expect("it posted")).filter(|ok| *ok).count()
    });
    assert!(stored > 0, "deliveries in flight are finished");
    assert!(hub.wait().success(), "{}", hub.log());
    assert_eq!(hub.started_again().json("/health")["seq"], stored);
}

#[test]
fn a_hub_that_is_told_to_stop_while_it_starts_ends_at_once_and_clean() {
    let home = tempfile::tempdir().expect("a folder");
    // A start that hangs on its files: opening a named pipe waits for whoever writes to it.
    let pipe = home.path().join("hub.db.lineage");
    assert!(run("mkfifo", &[pipe.to_str().expect("a plain path")]), "mkfifo is part of coreutils");
    let mut process = command(home.path()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    let mut log = BufReader::new(process.stderr.take().expect("it is piped"));
    let mut said = String::new();
    while !said.contains("open files") {
        assert_ne!(log.read_line(&mut said).expect("text"), 0, "it ended: {said}");
    }
    let pid = rustix::process::Pid::from_child(&process);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
    assert!(process.wait().expect("it ended").success());
    log.read_to_string(&mut said).expect("text");
    assert!(said.contains("stopped while starting"), "{said}");
    std::fs::remove_file(pipe).expect("removed");
    let hub = start_in(home);
    assert_eq!(hub.provider().says("a", "nothing is broken")["seq"], 1);
}
