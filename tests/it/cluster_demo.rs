//! The demo of a cluster in a short run, and what it says of a wrong call.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use super::support::faults::{run, skip};

/// Kills in the short run: a third of the six.
const KILLS: &str = "2";

fn demo(arguments: &[&str]) -> Output {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/cluster-demo.sh"))
        .args(arguments)
        .current_dir("/")
        .env("UMBLER_HUB_BIN", env!("CARGO_BIN_EXE_umbler-hub"))
        .output()
        .expect("the script runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// True where the demo can run; otherwise the test says that it was skipped.
fn can_run() -> bool {
    if std::env::var_os("FAKETIME").is_some() {
        skip("the NATS server cannot share a clock that is faked");
        return false;
    }
    let has_all = run("node", &["--experimental-websocket", "--version"])
        && run("python3", &["-m", "pip", "--version"]);
    if !has_all {
        skip("the demo needs Node.js with WebSocket, and Python with pip");
    }
    has_all
}

#[test]
fn the_demo_of_a_cluster_kills_two_of_six_and_finds_nothing_lost_or_doubled() {
    if !can_run() {
        return;
    }
    let short = ["--kills", KILLS, "--every", "2", "--port", "0", "--no-dashboard", "--screens", "3"];
    let output = demo(&short);
    let text = said(&output);
    if text.contains("cannot be downloaded") {
        return skip("the NATS server cannot be downloaded");
    }
    assert!(output.status.success() && text.ends_with("ok\n"), "{text}");
    assert_eq!(text.matches("was killed (kill -9 ").count(), 2, "{text}");
    assert_eq!(text.matches("is started again").count(), 2, "{text}");
    assert!(text.contains(" 0 lost, 0 doubled,") && text.contains("3 of 3 screens live"), "{text}");
}

#[test]
fn the_demo_of_a_cluster_says_what_is_wrong_before_it_starts_anything() {
    if !can_run() {
        return;
    }
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let cases: [(&[&str], &str); 6] = [
        (&["--kills", "many"], "--kills must be a number from 0 to 100000, and is many"),
        (&["--every", "1"], "--every must be a number from 2 to 3600, and is 1"),
        (&["--rate", "1.5"], "--rate must be a whole number, and is 1.5"),
        (&["--minutes", "1", "--kills", "1"], "--minutes and --kills exclude each other"),
        (&["--forever"], "--forever"),
        (&["--port", &port], "another program uses port"),
    ];
    for (arguments, wanted) in cases {
        let output = demo(arguments);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(wanted) && text.ends_with("Nothing was started.\n"), "{text}");
    }
}
