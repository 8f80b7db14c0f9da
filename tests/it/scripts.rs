//! The scripts that start and end the servers, in a folder of their own.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::support::spawn_hub;

/// A checkout that holds the scripts alone.
struct Checkout(TempDir);

impl Checkout {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(home.path().join("scripts")).expect("made");
        for name in ["start-servers.sh", "stop-servers.sh", "scripts/processes.sh"] {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
            std::fs::copy(script, home.path().join(name)).expect("copied");
        }
        Self(home)
    }

    /// Runs a script from another folder.
    fn run(&self, script: &str, arguments: &[&str]) -> Output {
        Command::new(self.0.path().join(script))
            .args(arguments)
            .current_dir("/")
            .env("UMBLER_HUB_BIN", env!("CARGO_BIN_EXE_umbler-hub"))
            .env("DATABASE_PATH", self.0.path().join("hub.db"))
            .env("PORT", "0")
            .env_remove("HOST")
            .output()
            .expect("the script runs")
    }

    /// Starts and tells where the hub is.
    fn start(&self, arguments: &[&str]) -> String {
        let output = self.run("start-servers.sh", arguments);
        assert!(output.status.success(), "{}", said(&output));
        let text = said(&output);
        let line = text.lines().find(|line| line.trim_start().starts_with("Console")).expect("the address");
        line.split_whitespace().last().expect("an address").trim_end_matches("/console").to_owned()
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        self.run("stop-servers.sh", &[]);
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn health(address: &str) -> Option<Value> {
    ureq::get(format!("{address}/health")).call().ok()?.body_mut().read_json().ok()
}

#[test]
fn one_command_brings_the_hub_up_with_a_day_to_look_at_and_another_ends_it() {
    let checkout = Checkout::new();
    let address = checkout.start(&["--demo"]);
    // The simulator fills an empty hub; nothing else posts here.
    while health(&address).expect("the hub answers")["seq"].as_i64() < Some(100) {}
    assert_eq!(checkout.start(&["--demo"]), address, "once more changes nothing");
    assert!(checkout.file("backend.log").contains("listening on"));
    assert!(checkout.file("simulator.log").contains("simulating a day"));
    let output = checkout.run("stop-servers.sh", &[]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("Ending the backend"), "{}", said(&output));
    assert!(health(&address).is_none(), "it still answers");
    assert!(checkout.file("backend.log").ends_with("stopped\n"), "{}", checkout.file("backend.log"));
    assert!(said(&checkout.run("stop-servers.sh", &[])).contains("Nothing was running"));
}

#[test]
fn flags_are_handed_on_and_a_taken_port_is_told_with_the_way_out() {
    let (checkout, other) = (Checkout::new(), spawn_hub());
    let port = other.address().port().to_string();
    let output = checkout.run("start-servers.sh", &["--port", &port]);
    assert!(!output.status.success());
    let text = said(&output);
    assert!(text.contains(&format!("cannot listen on 127.0.0.1:{port}")), "{text}");
    assert!(text.contains("./start-servers.sh --port 3002"), "{text}");
    checkout.start(&[]);
    assert_eq!(other.json("/health")["status"], "ok", "a stranger's hub is left alone");
}

#[test]
fn a_wrong_setting_is_shown_and_nothing_is_left_running() {
    let checkout = Checkout::new();
    let output = checkout.run("start-servers.sh", &["--timezone", "Nowhere"]);
    assert!(!output.status.success());
    assert!(said(&output).contains("TIMEZONE: \"Nowhere\" is no IANA time zone"), "{}", said(&output));
    assert!(said(&checkout.run("stop-servers.sh", &[])).contains("Nothing was running"));
}

#[test]
fn a_strangers_process_with_a_remembered_number_is_not_ended() {
    let checkout = Checkout::new();
    let mut stranger = Command::new("sleep").arg("60").stdout(Stdio::null()).spawn().expect("it runs");
    std::fs::create_dir(checkout.0.path().join(".run")).expect("made");
    let remembered = format!("{}\n{}\n", stranger.id(), env!("CARGO_BIN_EXE_umbler-hub"));
    std::fs::write(checkout.0.path().join(".run/backend.pid"), remembered).expect("written");
    let output = checkout.run("stop-servers.sh", &[]);
    assert!(said(&output).contains("Nothing was running"), "{}", said(&output));
    assert!(stranger.try_wait().expect("its state").is_none(), "it was ended");
    stranger.kill().expect("it ran");
    stranger.wait().expect("it ended");
}
