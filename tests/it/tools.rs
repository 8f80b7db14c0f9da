//! The tools of the command line against a real hub: simulate, replay, token, check, health.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::channel;

use serde_json::{Value, json};
use umbler_hub::facade::rules::KNOWN_TYPES;

use super::support::hub::command;
use super::support::keys::{SECRET, now};
use super::support::{Delivery, Hub, PATIENCE, hub_with, spawn_hub};

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A tool, pointed at this hub.
fn tool(hub: &Hub, name: &str) -> Command {
    let mut tool = command(hub.home());
    tool.args([name, "--url", &hub.url("")]);
    tool
}

/// Runs a tool to its end; one that finds none is ended, and the test with it.
fn run(mut tool: Command) -> Output {
    let tool = tool.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the tool runs");
    let pid = rustix::process::Pid::from_child(&tool);
    let (tell, told) = channel();
    std::thread::spawn(move || tell.send(tool.wait_with_output()));
    if let Ok(output) = told.recv_timeout(PATIENCE * 3) {
        return output.expect("its output");
    }
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it runs");
    let output = told.recv().expect("it ended").expect("its output");
    panic!("the tool did not end: {}", text(&output));
}

/// A file of a simulated day: the same for everybody.
fn recorded(folder: &Path, seed: u64, count: usize) -> PathBuf {
    let path = folder.join(format!("day-{seed}.ndjson"));
    let mut tool = command(folder);
    tool.args(["simulate", "--seed", &seed.to_string(), "--count", &count.to_string()])
        .args(["--start", "2026-03-02T11:00:00Z", "--rate", "1", "--out"])
        .arg(&path);
    let output = run(tool);
    assert!(output.status.success(), "{}", text(&output));
    path
}

fn lines(path: &Path) -> Vec<Value> {
    let file = std::fs::read_to_string(path).expect("the file");
    file.lines().map(|line| serde_json::from_str(line).expect("a delivery a line")).collect()
}

/// Signals a tool and waits for its end.
fn interrupt(mut tool: Child) -> Output {
    let pid = rustix::process::Pid::from_child(&tool);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it runs");
    tool.wait().expect("it ended");
    tool.wait_with_output().expect("its output")
}

/// Waits until the hub stored so many deliveries.
fn wait_for(hub: &Hub, seq: i64) {
    let begun = std::time::Instant::now();
    while hub.json("/health")["seq"].as_i64() < Some(seq) {
        assert!(begun.elapsed() < PATIENCE, "nothing came: {}", hub.json("/health"));
    }
}

#[test]
fn a_simulated_day_holds_every_type_and_the_hub_counts_its_retries_as_duplicates() {
    let hub = spawn_hub();
    let mut day = tool(&hub, "simulate");
    day.args(["--seed", "1", "--count", "3000", "--rate", "0", "--backfill", "8"]);
    let output = run(day);
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    let status = hub.json("/api/umbler/webhook/status");
    let count = |name: &str| status[name].as_i64().expect("a number");
    assert_eq!(count("accepted") + count("duplicates"), 3_000);
    assert!(count("duplicates") > 0, "retries come twice: {status}");
    assert!(
        said.contains(&format!(
            "{} accepted, {} duplicates, 0 ignored, 0 refused",
            count("accepted"),
            count("duplicates")
        )),
        "{said}"
    );
    let types: BTreeSet<&str> = status["counts"]
        .as_array()
        .expect("counts")
        .iter()
        .filter_map(|count| count["type"].as_str())
        .collect();
    assert!(KNOWN_TYPES.iter().all(|known| types.contains(known)), "{types:?}");
    let undecodable = status["recentUndecodable"].as_array().expect("a list");
    assert!(undecodable.iter().all(|one| one["type"] == "ChatRatingReceived"), "{undecodable:?}");
    // A believable day: people wait, are served, come back; and it is today's.
    let counters = hub.json("/api/umbler/stats");
    for name in ["totalContacts", "openChats", "waitingChats", "totalMessages"] {
        assert!(counters[name].as_i64() > Some(0), "{name}: {counters}");
    }
    for query in ["status=closed", "kind=group", "kind=internal", "status=waiting"] {
        let total = hub.json(&format!("/api/umbler/chats?limit=1&{query}"))["total"].as_i64();
        assert!(total > Some(0), "{query}");
    }
    let last = jiff::Timestamp::from_second(now()).expect("a moment");
    let newest = hub.json("/api/umbler/messages?limit=1")["messages"][0]["at"].as_str().map(str::to_owned);
    let newest: jiff::Timestamp = newest.expect("a time").parse().expect("RFC 3339");
    assert!((last - newest).get_hours() < 1, "the day ends now: {newest}");
}

#[test]
fn a_seed_tells_the_same_day_and_its_recording_replays_to_the_same_hub() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = recorded(folder.path(), 7, 400);
    let bytes = std::fs::read(&first).expect("the file");
    assert_eq!(lines(&first).len(), 400);
    assert_eq!(std::fs::read(recorded(folder.path(), 7, 400)).expect("the file"), bytes);
    assert_ne!(std::fs::read(recorded(folder.path(), 8, 400)).expect("the file"), bytes);
    let replayed = |connections: &str| {
        let hub = spawn_hub();
        let mut replay = tool(&hub, "replay");
        replay.arg(&first).args(["--restart", "--connections", connections]);
        let output = run(replay);
        assert!(output.status.success(), "{}", text(&output));
        ["/stats", "/chats?limit=200", "/messages?limit=200"].map(|path| {
            let mut answer = hub.json(&format!("/api/umbler{path}"));
            answer["nextCursor"] = Value::Null;
            answer
        })
    };
    assert_eq!(replayed("1"), replayed("8"), "deliveries that overtake each other end in the same state");
}

#[test]
fn a_simulation_outlives_a_restart_of_the_hub() {
    let mut hub = spawn_hub();
    let mut day = tool(&hub, "simulate");
    day.args(["--rate", "100", "--connections", "3"]);
    let mut day = day.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the tool runs");
    wait_for(&hub, 50);
    hub.kill();
    // Not before it has noticed.
    let mut told = BufReader::new(day.stderr.take().expect("piped"));
    let mut said = String::new();
    while !said.contains("trying again until it does") {
        assert_ne!(told.read_line(&mut said).expect("text"), 0, "it ended: {said}");
    }
    // The same address again, as after a deployment.
    let hub = hub.started_again_at_its_address();
    let stored = hub.json("/health")["seq"].as_i64().expect("a position");
    wait_for(&hub, stored + 50);
    let output = interrupt(day);
    let status = hub.json("/api/umbler/webhook/status");
    let count = |name: &str| status[name].as_i64().expect("a number");
    told.read_to_string(&mut said).expect("text");
    let summary = format!("{said}{}", text(&output));
    let tallied = |word: &str| -> i64 {
        let (before, _) = summary.rsplit_once(word).unwrap_or_else(|| panic!("{word}: {summary}"));
        before.rsplit(|c: char| !c.is_ascii_digit()).next().expect("a number").parse().expect("a number")
    };
    let (posted, taken) =
        (tallied(" accepted, ") + tallied(" duplicates, "), count("accepted") + count("duplicates"));
    // Of each connection one may have been stored whose answer the kill swallowed, and one that the end did not wait for.
    assert!((posted..=posted + 6).contains(&taken), "{posted} of {status}");
}

#[test]
fn a_simulation_ends_at_once_with_its_summary_when_it_is_told_to() {
    let hub = spawn_hub();
    let mut slow = tool(&hub, "simulate");
    slow.args(["--rate", "0.001"]);
    let slow = slow.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the tool runs");
    wait_for(&hub, 1);
    let output = interrupt(slow);
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("1 accepted, 0 duplicates"), "{}", text(&output));
}

#[test]
fn the_tools_know_the_secret_and_the_port_of_the_settings_and_fail_where_they_are_refused() {
    let secret = "a-secret-of-the-webhook";
    let hub = hub_with(&[("WEBHOOK_SECRET", secret)]);
    let one = |settings: &[(&str, &str)]| {
        let mut day = tool(&hub, "simulate");
        day.args(["--count", "3", "--rate", "0"]).envs(settings.iter().copied());
        run(day)
    };
    let refused = one(&[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused).contains("3 deliveries were refused"), "{}", text(&refused));
    assert!(one(&[("WEBHOOK_SECRET", secret)]).status.success());
    let file = hub.home().join("secret");
    std::fs::write(&file, format!("{secret}\n")).expect("written");
    assert!(one(&[("WEBHOOK_SECRET_FILE", file.to_str().expect("a plain path"))]).status.success());
    // Neither address nor secret on the command line: both stand in .env.
    let port = hub.address().port();
    std::fs::write(hub.home().join(".env"), format!("PORT={port}\nWEBHOOK_SECRET={secret}\n"))
        .expect("written");
    let mut day = command(hub.home());
    day.env_remove("PORT").args(["simulate", "--count", "3", "--rate", "0"]);
    let output = run(day);
    assert!(output.status.success() && !text(&output).contains(secret), "{}", text(&output));
    let mut health = command(hub.home());
    health.env_remove("PORT").arg("health");
    assert!(run(health).status.success());
}

#[test]
fn a_wrong_word_on_the_command_line_is_told_before_anything_happens() {
    let hub = spawn_hub();
    for arguments in [
        &["--rate", "-1"][..],
        &["--rate", "1e-300"],
        &["--rate", "NaN"],
        &["--connections", "0"],
        &["--backfill", "73"],
        &["--seed", "x"],
        &["--out", "a-file"],
    ] {
        let mut day = tool(&hub, "simulate");
        day.args(arguments);
        let output = run(day);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output));
    }
    assert_eq!(hub.json("/health")["seq"], 0);
}

#[test]
fn a_replay_goes_on_where_it_was_stopped_and_is_safe_to_repeat() {
    let hub = spawn_hub();
    let file = recorded(hub.home(), 3, 500);
    let replay = |arguments: &[&str]| {
        let mut replay = tool(&hub, "replay");
        replay.arg(&file).args(arguments);
        replay.stdout(Stdio::piped()).stderr(Stdio::piped());
        replay
    };
    // All of it would take longer than any test waits.
    let slow = replay(&["--rate", "4"]).spawn().expect("the tool runs");
    wait_for(&hub, 5);
    let stopped = interrupt(slow);
    assert_eq!(stopped.status.code(), Some(1), "what follows in a script must wait for the rest");
    assert!(text(&stopped).contains("the same command continues from there"), "{}", text(&stopped));
    let done = hub.json("/api/umbler/webhook/status");
    let done = done["accepted"].as_i64().expect("a number") + done["duplicates"].as_i64().expect("a number");
    assert!((5..500).contains(&done), "{done}");
    let rest = run(replay(&[]));
    assert!(text(&rest).contains(&format!("resuming after line {done}\n")), "{done}: {}", text(&rest));
    let distinct = lines(&file).iter().map(|line| line["EventId"].to_string()).collect::<BTreeSet<_>>().len();
    let stored = || hub.json("/health")["seq"].clone();
    assert_eq!(stored(), distinct, "all of them, once");
    assert!(text(&run(replay(&[]))).contains("0 accepted, 0 duplicates"), "nothing is left");
    let again = run(replay(&["--restart"]));
    assert!(again.status.success());
    assert!(text(&again).contains("0 accepted, 500 duplicates"), "{}", text(&again));
    assert_eq!(stored(), distinct, "repeating it changes nothing");
    // Another file of the same name is another file.
    std::fs::copy(recorded(hub.home(), 4, 20), &file).expect("copied");
    assert!(!text(&run(replay(&[]))).contains("resuming"));
}

#[test]
fn a_replay_names_the_lines_that_are_no_deliveries_and_posts_the_others() {
    let hub = spawn_hub();
    let file = hub.home().join("mixed.ndjson");
    let good = Delivery::message("a").0.to_string();
    std::fs::write(&file, format!("{good}\n\nnot json\n{{}}\r\n[1]\n{}", Delivery::message("b").0))
        .expect("written");
    let mut replay = tool(&hub, "replay");
    replay.arg(&file);
    let output = run(replay);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for line in
        ["line 3 was refused with 400", "line 5 was refused with 400", "2 accepted", "1 ignored, 2 refused"]
    {
        assert!(said.contains(line), "{line}: {said}");
    }
    let mut missing = tool(&hub, "replay");
    missing.arg("nowhere.ndjson");
    let output = run(missing);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("cannot read nowhere.ndjson"), "{}", text(&output));
}

#[test]
fn health_fails_where_no_hub_answers_or_one_that_cannot_write() {
    let mut hub = spawn_hub();
    let output = run(tool(&hub, "health"));
    assert!(output.status.success());
    let told: Value = serde_json::from_slice(&output.stdout).expect("the answer as it came");
    assert_eq!(told["status"], "ok");
    let intruder = rusqlite::Connection::open(hub.database()).expect("the database");
    intruder.execute_batch("BEGIN IMMEDIATE").expect("locked");
    hub.provider().post(Delivery::message("a").bytes()).refuses(503, "unavailable");
    let output = run(tool(&hub, "health"));
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("not ready"), "{}", text(&output));
    drop(intruder);
    hub.kill();
    let output = run(tool(&hub, "health"));
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("does not answer"), "{}", text(&output));
}

#[test]
fn a_token_says_what_it_was_asked_to_say() {
    let home = tempfile::tempdir().expect("a folder");
    let minted = |arguments: &[&str]| {
        let mut tool = command(home.path());
        tool.env("JWT_SECRET", SECRET)
            .env("JWT_ISSUER", "us")
            .env("JWT_AUDIENCE", "hub")
            .arg("token")
            .args(arguments);
        run(tool)
    };
    let output = minted(&[
        "--sub",
        "ana",
        "--role",
        "agent",
        "--hours",
        "2",
        "--sector",
        "a",
        "--sector",
        "b",
        "--channel",
        "c",
        "--member",
        "m",
        "--org",
        "o",
    ]);
    assert!(output.status.success(), "{}", text(&output));
    let token = String::from_utf8(output.stdout).expect("text");
    assert_eq!(token.lines().count(), 1, "the token and nothing else, so that a script can take it");
    let payload = token.trim().split('.').nth(1).expect("claims");
    let mut claims: Value = serde_json::from_slice(
        &base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, payload).expect("base64"),
    )
    .expect("JSON");
    let ends = claims["exp"].take().as_i64().expect("a time") - now();
    assert!((7_200 - PATIENCE.as_secs().cast_signed()..=7_200).contains(&ends), "{ends}");
    claims
        .as_object_mut()
        .expect("claims")
        .retain(|name, _| !["exp", "iat", "name"].contains(&name.as_str()));
    let said = json!({
        "sub": "ana", "role": "agent", "iss": "us", "aud": "hub",
        "orgs": ["o"], "sectors": ["a", "b"], "channels": ["c"], "members": ["m"],
    });
    assert_eq!(claims, said);
    for wrong in
        [&["--sub", "ana", "--role", "king"][..], &["--sub", "ana", "--hours", "745"], &["--role", "agent"]]
    {
        assert_eq!(minted(wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn the_tools_reach_a_hub_by_https_where_the_machine_trusts_it() {
    let hub = spawn_hub();
    let proxy = super::support::tls::in_front_of(hub.address());
    let post = |bundle: &Path| {
        let mut day = command(hub.home());
        day.args(["simulate", "--count", "2", "--rate", "0", "--url", &proxy.url])
            .env("SSL_CERT_FILE", bundle);
        day.stdout(Stdio::piped()).stderr(Stdio::piped());
        day
    };
    let output = run(post(&proxy.authority));
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(hub.json("/health")["seq"], 2);
    // Whom the machine does not trust gets nothing, and people are told why.
    let mut strange =
        post(&super::support::tls::another_authority(hub.home())).spawn().expect("the tool runs");
    let mut told = String::new();
    BufReader::new(strange.stderr.take().expect("piped")).read_line(&mut told).expect("text");
    assert!(told.contains("certificate"), "{told}");
    assert!(!interrupt(strange).status.success(), "what was not acknowledged is no success");
    assert_eq!(hub.json("/health")["seq"], 2);
    let nothing = hub.home().join("empty.pem");
    std::fs::write(&nothing, "").expect("written");
    let output = run(post(&nothing));
    assert!(text(&output).contains("contains no certificate"), "{}", text(&output));
}
