//! The script that looks for tests which pass only sometimes, in a checkout where a round is what a test says.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::support::faults::skip;
use super::support::{bucket, nats, smtp_server};

/// Cargo, as far as the script calls it: everything is built, and there are no tests.
const CARGO: &str = "exit 0";
/// What stands in all rounds: the loops of the load, by the number of the script.
const LOOPS: &str = "loops=$(ps -o pid= --ppid \"$PPID\" | grep -vw $$)";

/// A checkout in which `./test.sh` is this.
fn checkout(round: &str) -> TempDir {
    let home = tempfile::tempdir().expect("a folder");
    for folder in ["scripts", "tools"] {
        fs::create_dir(home.path().join(folder)).expect("made");
    }
    for name in ["scripts/flakes.sh", "scripts/checks.sh"] {
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(name), home.path().join(name)).expect("copied");
    }
    write_program(&home.path().join("tools/cargo"), CARGO);
    write_program(&home.path().join("test.sh"), round);
    home
}

fn write_program(path: &Path, text: &str) {
    fs::write(path, format!("#!/usr/bin/env bash\n{text}\n")).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("set");
}

/// The script in a checkout, with so many rounds.
fn flakes(checkout: &TempDir, rounds: &str) -> Command {
    let mut path = checkout.path().join("tools").into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").expect("a path"));
    let mut command = Command::new(checkout.path().join("scripts/flakes.sh"));
    command.args(["--only-load", "--rounds", rounds]).env("PATH", path).env_remove("CARGO_TARGET_DIR");
    command
}

/// True where a process of this number runs.
fn runs(number: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{number}/stat"));
    stat.is_ok_and(|stat| !stat.rsplit(')').next().is_some_and(|after| after.trim_start().starts_with('Z')))
}

/// What a round has written down.
fn noted(checkout: &TempDir, name: &str) -> Vec<String> {
    let text = fs::read_to_string(checkout.path().join(name)).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn programs_of_others_are_fetched_once_for_all_tests() {
    for (what, program) in [("mail", smtp_server::fetch()), ("NATS", nats::fetch()), ("S3", bucket::fetch())]
    {
        if program.is_none() {
            skip(&format!("the {what} server cannot be fetched: it needs Python with pip, and the network"));
        }
    }
}

#[test]
fn each_round_has_a_busy_machine_from_its_begin_to_its_end_and_none_is_busy_afterwards() {
    let home = checkout(&format!("{LOOPS}\necho $loops >>loops\necho '1 passed, 0 failed'"));
    let output = flakes(&home, "3").output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert_eq!(said.matches("1 passed, 0 failed").count(), 3, "{said}");
    let loops = noted(&home, "loops");
    let cores = std::thread::available_parallelism().expect("known").get();
    assert!(loops.len() >= 3 * cores.min(2), "a loop for each core in each round: {loops:?}");
    assert!(!loops.iter().any(|number| runs(number)), "{loops:?}");
}

#[test]
fn a_round_in_which_the_load_ended_is_no_round_under_load() {
    let home = checkout(&format!("{LOOPS}\nkill $loops\necho '1 passed, 0 failed'"));
    let output = flakes(&home, "2").output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("FAILED  load-1") && !said.contains("load-2"), "{said}");
    assert!(said.contains("a loop of the load ended before the round"), "{said}");
}

#[test]
fn tests_that_were_not_run_are_counted_by_reason_below_their_round() {
    let skipped =
        "== not run here (REQUIRE_ALL_TESTS=1 lets them fail)\nbucket::a: no network\nlink::b: no network\n";
    let home = checkout(&format!("printf '\\n%s\\n\\n1 passed, 0 failed\\n' '{skipped}'"));
    let output = flakes(&home, "1").output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("        not run: 2 no network\n"), "{said}");
}

#[test]
fn whoever_ends_the_script_ends_what_its_round_has_started() {
    // As cargo nextest does, tests are put into groups of their own, and what they start is in these.
    let home = checkout(&format!("{LOOPS}\nset -m\nsleep 600 & echo $! $loops >started\nwait"));
    let mut script = flakes(&home, "2").stdout(Stdio::null()).spawn().expect("it runs");
    let started = loop {
        let started = noted(&home, "started");
        if started.len() > 1 {
            break started;
        }
        assert!(script.try_wait().expect("its state").is_none(), "it ended");
    };
    assert!(runs(&started[0]));
    let pid = Pid::from_child(&script);
    kill_process(pid, Signal::TERM).expect("it ran");
    assert_eq!(script.wait().expect("it ended").code(), Some(130));
    let left: Vec<&String> = started.iter().filter(|number| runs(number)).collect();
    assert!(left.is_empty(), "{left:?} of {started:?}");
}
