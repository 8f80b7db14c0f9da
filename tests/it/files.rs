//! The files of a hub: for their owner alone, whatever way they came about, and written by one hub alone.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use umbler_hub::facade::testing::{FakeApi, TOKEN};

use super::support::api::api;
use super::support::hub::{command, command_through, refuses_to_serve, start_through};
use super::support::person::{erases, said};
use super::support::{Hub, hub_with, spawn_hub};

/// Starts a program that keeps nothing from anybody.
const OPEN_HANDED: [&str; 4] = ["sh", "-c", "umask 0; exec \"$@\"", "sh"];

/// What lies in a folder, and how it ends in its name.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

fn are_private(folder: &Path) {
    let rights = files_in(folder).into_iter().map(|file| format!("{:o} {}", mode(&file), file.display()));
    let open: Vec<String> = rights.filter(|line| !line.starts_with("600 ")).collect();
    assert!(open.is_empty(), "{open:?}");
}

fn runs(command: &mut Command) {
    let output = command.output().expect("the binary runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A hub that was asked for everything of which it keeps a file, below `data` in its folder; and the API that its token is for.
fn lived_in() -> (Hub, PathBuf, FakeApi) {
    let (home, api) = (tempfile::tempdir().expect("a temporary directory"), api());
    let data = home.path().join("data");
    let database = data.join("hub.db");
    let settings = [
        ("DATABASE_PATH", database.to_str().expect("a plain path")),
        ("UMBLER_API_URL", &api.url()),
        ("UMBLER_RECONCILE_SECONDS", "86400"),
    ];
    let hub = start_through(&OPEN_HANDED, home, &settings);
    hub.provider().says("a", "hello");
    hub.caught_up_metrics();
    assert_eq!(hub.get("/api/umbler/search?q=hello").status, 200);
    hub.provider().posts(&said(1, "m1"));
    assert_eq!(erases(&hub, "", &[]).status, 200);
    assert_eq!(hub.put("/api/umbler/setup/token", &[], &json!({ "token": TOKEN })).status, 200);
    for name in ["hub.db.erasures", "hub.db.umbler-token"] {
        assert!(data.join(name).exists(), "{name}");
    }
    (hub, data, api)
}

#[test]
fn what_the_hub_keeps_is_for_its_owner_alone() {
    let (mut hub, data, _api) = lived_in();
    assert!(files_in(&data).len() >= 10, "{:?}", files_in(&data));
    assert_eq!(mode(&data), 0o700, "the folder that it made");
    are_private(&data);
    let home = hub.home().to_path_buf();
    let tool = |arguments: &[&str]| {
        let mut command = command_through(&OPEN_HANDED, &home);
        runs(command.args(arguments).arg("--database-path").arg(data.join("hub.db")));
    };
    let backup = data.join("backup.db");
    tool(&["backup", backup.to_str().expect("a plain path")]);
    are_private(&data);
    hub.stop();
    fs::set_permissions(&backup, Permissions::from_mode(0o644)).expect("changed");
    tool(&["restore", backup.to_str().expect("a plain path")]);
    fs::remove_file(&backup).expect("removed");
    assert!(files_in(&data).iter().any(|file| file.to_string_lossy().contains(".before-")));
    are_private(&data);
}

#[test]
fn files_that_others_could_read_are_private_after_a_start() {
    let (mut hub, data, _api) = lived_in();
    hub.kill();
    for file in files_in(&data) {
        fs::set_permissions(file, Permissions::from_mode(0o644)).expect("changed");
    }
    fs::set_permissions(&data, Permissions::from_mode(0o755)).expect("changed");
    let hub = hub.started_again();
    hub.caught_up_metrics();
    hub.provider().says("a", "again");
    are_private(&data);
    assert_eq!(mode(&data), 0o755, "a folder that was there is its operator's");
    assert!(!hub.log().contains("others may replace"), "and nobody but its owner writes in it");
    let told = |hub: &Hub| hub.log().matches("others may list the files in").count();
    assert_eq!(told(&hub), 1, "{}", hub.log());
    fs::set_permissions(&data, Permissions::from_mode(0o700)).expect("changed");
    assert_eq!(told(&hub.restarted()), 1, "not again");
}

#[test]
fn a_folder_in_which_others_may_replace_the_database_is_told() {
    let home = tempfile::tempdir().expect("a temporary directory");
    fs::set_permissions(home.path(), Permissions::from_mode(0o777)).expect("changed");
    let hub = start_through(&[], home, &[]);
    assert!(hub.log().contains("others may replace the files in"), "{}", hub.log());
}

#[test]
fn what_a_killed_copy_left_is_removed_and_a_copy_that_is_made_is_not() {
    let mut hub = spawn_hub();
    hub.provider().says("a", "hello");
    hub.kill();
    // As `restore`, `backup`, the metrics, the marker and the lists leave them where they are killed.
    let left = [
        "hub.db.umbler-hub-partial",
        "hub.db.umbler-hub-partial-journal",
        "monday.db.umbler-hub-partial",
        "monday.db.umbler-hub-partial-wal",
        "hub.db.metrics-new",
        "hub.db.metrics-new-wal",
        "hub.db.lineage.new",
        "hub.db.erasures.umbler-hub-partial",
        "hub.db.erasures.new",
        "hub.db.umbler-token.umbler-hub-partial",
    ];
    for name in left {
        fs::write(hub.home().join(name), "the beginning of a copy").expect("written");
    }
    let made = hub.home().join("tuesday.db.umbler-hub-partial");
    let maker = File::create(&made).expect("made");
    maker.try_lock().expect("nobody else has it");
    let hub = hub.started_again();
    hub.caught_up_metrics();
    for name in left {
        assert!(!hub.home().join(name).exists(), "{name}");
    }
    assert!(made.exists(), "its maker lives");
    let tool = |target: &str| command(hub.home()).args(["backup", target]).output().expect("the binary runs");
    let refused = tool("tuesday.db");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is held by another process"), "{refused:?}");
    drop(maker);
    assert!(tool("wednesday.db").status.success());
    assert!(!made.exists(), "the next backup in the folder removes it");
}

#[test]
fn a_database_behind_a_symbolic_link_is_the_file_that_it_leads_to() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let (real, links) = (home.path().join("real"), home.path().join("links"));
    fs::create_dir(&real).expect("made");
    fs::create_dir(&links).expect("made");
    // Relative, through a second one, and at first to nothing.
    symlink("../real/hub.db", links.join("second.db")).expect("linked");
    symlink("second.db", links.join("first.db")).expect("linked");
    let path = links.join("first.db");
    let mut hub = start_through(&[], home, &[("DATABASE_PATH", path.to_str().expect("a plain path"))]);
    hub.provider().says("a", "hello");
    assert!(real.join("hub.db-wal").exists() && real.join("hub.db.lock").exists());
    assert_eq!(files_in(&links).len(), 2, "{:?}", files_in(&links));
    // By its own name it is the same: one hub at a time, and nothing lost in between.
    let (_, said) = refuses_to_serve(command(hub.home()).env("DATABASE_PATH", real.join("hub.db")));
    assert!(said.contains("another process uses this database"), "{said}");
    runs(command(hub.home()).args(["backup", "backup.db", "--database-path"]).arg(&path));
    hub.kill();
    let hub = hub_with_files(&real);
    assert_eq!(hub.json("/health")["seq"], 1);
}

/// A hub on the database of this folder.
fn hub_with_files(folder: &Path) -> Hub {
    hub_with(&[("DATABASE_PATH", folder.join("hub.db").to_str().expect("a plain path"))])
}

#[test]
fn a_link_that_leads_in_a_circle_is_an_error_and_no_crash() {
    let home = tempfile::tempdir().expect("a temporary directory");
    symlink("hub.db", home.path().join("hub.db")).expect("linked");
    let (code, said) = refuses_to_serve(&mut command(home.path()));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("hub.db") && !said.contains("panicked"), "{said}");
}

#[test]
fn a_database_with_a_second_name_is_refused_by_that() {
    let mut hub = spawn_hub();
    hub.provider().says("a", "hello");
    let second = hub.home().join("elsewhere");
    fs::create_dir(&second).expect("made");
    let second = second.join("hub.db");
    fs::hard_link(hub.database(), &second).expect("linked");
    // Through it a second hub would write the same file, without what stands in the log of the first.
    let through = |path: &Path| refuses_to_serve(command(hub.home()).env("DATABASE_PATH", path));
    let (code, said) = through(&second);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the file has 2 names (hard links)"), "{said}");
    let backup = command(hub.home()).args(["backup", "backup.db", "--database-path"]).arg(&second).output();
    let backup = backup.expect("the binary runs");
    assert!(String::from_utf8_lossy(&backup.stderr).contains("2 names"), "{backup:?}");
    hub.provider().says("a", "the first one goes on");
    hub.kill();
    fs::remove_file(&second).expect("removed");
    assert_eq!(hub.started_again().json("/health")["seq"], 2, "nothing is lost");
}
