//! The files of a hub: for their owner alone, whatever way they came about, and written by one hub alone.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::support::hub::{command, command_through, refuses_to_serve, start_through};
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

/// A hub that was asked for everything of which it keeps a file, below `data` in its folder.
fn lived_in() -> (Hub, PathBuf) {
    let home = tempfile::tempdir().expect("a temporary directory");
    let data = home.path().join("data");
    let database = data.join("hub.db");
    let hub =
        start_through(&OPEN_HANDED, home, &[("DATABASE_PATH", database.to_str().expect("a plain path"))]);
    hub.provider().says("a", "hello");
    hub.caught_up_metrics();
    assert_eq!(hub.get("/api/umbler/search?q=hello").status, 200);
    (hub, data)
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
