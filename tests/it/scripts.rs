//! The scripts that start and end the servers, in a folder of their own.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
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
        for name in ["start-servers.sh", "stop-servers.sh", "scripts/processes.sh", "scripts/checks.sh"] {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
            std::fs::copy(script, home.path().join(name)).expect("copied");
        }
        Self(home)
    }

    /// A script, run from another folder.
    fn command(&self, script: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.0.path().join(script));
        command
            .args(arguments)
            .current_dir("/")
            .env("UMBLER_HUB_BIN", env!("CARGO_BIN_EXE_umbler-hub"))
            .env("DATABASE_PATH", self.0.path().join("hub.db"))
            .env("PORT", "0")
            .env_remove("HOST")
            .env_remove("FRONTEND_URL");
        command
    }

    fn run(&self, script: &str, arguments: &[&str]) -> Output {
        self.command(script, arguments).output().expect("the script runs")
    }

    /// A start from the sources, with every tool replaced by one that prints a line; `more` names other ones.
    fn building(&self, arguments: &[&str], more: &[(&str, &str)]) -> Command {
        let folder = self.0.path().join("tools");
        std::fs::create_dir_all(&folder).expect("made");
        let modern = [
            ("cargo", "BUILDING"),
            ("rustc", "rustc 1.999.0 (synthetic)"),
            ("node", "v24.1.0"),
            ("npm", "11.0.0"),
        ];
        for (name, says) in modern.iter().chain(more) {
            write_program(&folder.join(name), &format!("echo '{says}'"));
        }
        std::fs::write(self.0.path().join("Cargo.toml"), "rust-version = \"1.95\"\n").expect("written");
        let mut path = folder.into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").expect("a path"));
        let mut command = self.command("start-servers.sh", arguments);
        command
            .env_remove("UMBLER_HUB_BIN")
            .env_remove("CARGO_TARGET_DIR")
            .env("CC", "true")
            .env("PATH", path);
        command
    }

    /// Starts with nothing built yet; `tools` names other versions, and `CC` the compiler. It must be refused; what was said.
    /// A build would say so.
    fn is_refused_before_the_build(&self, arguments: &[&str], tools: &[(&str, &str)]) -> String {
        std::fs::create_dir_all(self.0.path().join("frontend")).expect("made");
        std::fs::write(self.0.path().join("frontend/package.json"), "{}").expect("written");
        let (compiler, tools): (Vec<_>, Vec<_>) = tools.iter().partition(|(name, _)| *name == "CC");
        let mut command = self.building(arguments, &tools);
        let output = command.envs(compiler).output().expect("the script runs");
        let text = said(&output);
        assert!(!output.status.success() && text.contains("Nothing was started"), "{text}");
        assert!(!text.contains("BUILDING"), "told before the build: {text}");
        text
    }

    /// Starts with a compiler that makes the hub in no time, and notes how it was called; what was said.
    fn builds(&self, arguments: &[&str]) -> String {
        let mut command = self.building(arguments, &[]);
        let build = format!(
            "echo \"$*\" >>arguments
            case \"$*\" in *--release*) folder=target/release ;; *) folder=target/debug ;; esac
            echo '   Compiling umbler-hub' >&2
            mkdir -p $folder
            [ -x $folder/umbler-hub ] || cp '{}' $folder/umbler-hub",
            env!("CARGO_BIN_EXE_umbler-hub")
        );
        write_program(&self.0.path().join("tools/cargo"), &build);
        // In the order in which it comes.
        let output = command.args(["--port", "0", "--no-dashboard"]);
        let log = std::fs::File::create(self.0.path().join("said")).expect("made");
        let ended = output.stdout(log.try_clone().expect("shared")).stderr(log).status();
        let text = self.file("said");
        assert!(ended.expect("the script runs").success(), "{text}");
        text
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

/// A program of the shell.
fn write_program(path: &Path, text: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{text}\n")).expect("written");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("set");
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
fn a_taken_port_is_told_before_the_build_with_the_way_out() {
    let (checkout, other) = (Checkout::new(), spawn_hub());
    let port = other.address().port();
    let text = checkout.is_refused_before_the_build(&["--demo", "--port", &port.to_string()], &[]);
    assert!(text.contains(&format!("Another program uses port {port}")), "{text}");
    assert!(text.contains(&format!("./start-servers.sh --demo --port {}\n", port + 1)), "{text}");
    // As a setting in .env too.
    std::fs::write(checkout.0.path().join(".env"), format!("# mine\nPORT=\"{port}\"\n")).expect("written");
    let mut command = checkout.command("start-servers.sh", &[]);
    let output = command.env_remove("PORT").output().expect("the script runs");
    assert!(!output.status.success());
    assert!(said(&output).contains(&format!("Another program uses port {port}")), "{}", said(&output));
    // A flag wins over both.
    checkout.start(&["--no-dashboard", "--port", "0"]);
    assert_eq!(other.json("/health")["status"], "ok", "a stranger's hub is left alone");
}

#[test]
fn a_taken_port_of_the_dashboard_is_told_before_the_build_with_the_way_out() {
    let checkout = Checkout::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let text = checkout.is_refused_before_the_build(&["--dashboard-port", &port.to_string(), "--demo"], &[]);
    assert!(text.contains(&format!("Another program uses port {port}, which the dashboard")), "{text}");
    assert!(text.contains(&format!("./start-servers.sh --demo --dashboard-port {}\n", port + 1)), "{text}");
}

#[test]
fn tools_that_are_missing_or_too_old_are_told_before_the_build_and_all_at_once() {
    let checkout = Checkout::new();
    let old = [("rustc", "rustc 1.80.1 (synthetic)"), ("node", "v20.18.3")];
    let text = checkout.is_refused_before_the_build(&["--dashboard-port", "0"], &old);
    assert!(text.contains("Rust 1.95 or newer is needed to build the hub, and this is 1.80.1"), "{text}");
    assert!(text.contains("The dashboard needs Node.js 20.19"), "{text}");
    assert!(text.contains("this is v20.18.3"), "{text}");
    assert!(text.contains("./start-servers.sh --dashboard-port 0 --no-dashboard\n"), "{text}");
    for version in ["v18.20.0", "v21.7.0", "v22.11.0"] {
        let text = checkout.is_refused_before_the_build(&["--dashboard-port", "0"], &[("node", version)]);
        assert!(text.contains(&format!("this is {version}")), "{text}");
    }
}

#[test]
fn a_newcomer_hears_how_long_the_first_build_takes_and_sees_it_and_it_builds_the_hub_alone() {
    const TOLD: &str = "Building the hub and the libraries it is made of. The first time this takes ";
    let checkout = Checkout::new();
    let first = checkout.builds(&[]);
    let (told, seen) = (first.find(TOLD), first.find("Compiling umbler-hub"));
    assert!(told.is_some() && told < seen, "{first}");
    assert_eq!(checkout.file("arguments"), "build --locked --bin umbler-hub\n");
    let second = checkout.builds(&[]);
    assert!(second.starts_with("Building what has changed in the hub since the last start.\n"), "{second}");
    assert!(second.contains("The hub is running already"), "{second}");
    checkout.run("stop-servers.sh", &[]);
    // The optimised build is another one, and the first of its kind.
    assert!(checkout.builds(&["--release"]).starts_with(TOLD));
    let one = "build --locked --bin umbler-hub\n";
    assert_eq!(
        checkout.file("arguments"),
        [one, one, "build --locked --bin umbler-hub --release\n"].concat()
    );
}

#[test]
fn a_missing_c_compiler_is_told_before_the_build_with_the_packages_that_bring_one() {
    let checkout = Checkout::new();
    let text = checkout.is_refused_before_the_build(&["--no-dashboard"], &[("CC", "no-such-compiler")]);
    assert!(text.contains("A C compiler is needed") && text.contains("no no-such-compiler here"), "{text}");
    assert!(text.contains("apt install build-essential"), "{text}");
}

#[test]
fn a_wrong_setting_is_shown_and_nothing_is_left_running() {
    let checkout = Checkout::new();
    let output = checkout.run("start-servers.sh", &["--timezone", "Nowhere"]);
    assert!(!output.status.success());
    assert!(said(&output).contains("TIMEZONE: \"Nowhere\" is not an IANA time zone"), "{}", said(&output));
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
