//! Every hub of every test as the only one of a cluster of its own: `TEST_NATS_URL=nats://… cargo nextest run`, which
//! `scripts/cluster-tests.sh` does. What holds for a hub on its own must hold for it.

use std::path::{Path, PathBuf};

use super::hub::command_through;

/// Address of a server with JetStream that all tests share, each hub with its own stream.
const URL: &str = "TEST_NATS_URL";
/// A folder that says which databases are in a cluster. It is not theirs, because some tests look at everything in that one.
const FOLDER: &str = "TEST_NATS_FOLDER";
/// Symbolic links that lead to a database.
const LINKS_MAX: usize = 8;

/// The settings that make a hub the only one of a cluster; none where that was not asked for, or where the test has a cluster
/// itself. The first time, the cluster begins with the hub's database.
pub fn settings(home: &Path, given: &[(&str, &str)]) -> Vec<(&'static str, String)> {
    let has_cluster = given.iter().any(|(name, _)| *name == "NATS_URL");
    let named = given.iter().rfind(|(name, _)| *name == "DATABASE_PATH");
    let database = named.map_or_else(|| home.join("hub.db"), |(_, path)| home.join(path));
    let Some(joined) = of(&database).filter(|_| !has_cluster) else { return Vec::new() };
    let marker = marker(&joined);
    if !marker.exists() {
        let output = command_through(&[], home)
            .envs(given.iter().copied())
            .envs(joined.iter().map(|(name, value)| (*name, value.as_str())))
            .args(["cluster", "begin"])
            .output()
            .expect("the binary runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::write(marker, "").expect("written");
    }
    joined
}

/// The settings with which a hub was started in this folder, for tools that run on its database; none where it is on its own.
pub fn known(home: &Path) -> Vec<(&'static str, String)> {
    of(&home.join("hub.db")).filter(|joined| marker(joined).exists()).unwrap_or_default()
}

/// The settings of the cluster of a database, by the place of its file; `None` where none was asked for.
fn of(database: &Path) -> Option<Vec<(&'static str, String)>> {
    let url = std::env::var_os(URL)?.into_string().expect("an address");
    let mut path = database.to_path_buf();
    for _ in 0..LINKS_MAX {
        let Ok(target) = std::fs::read_link(&path) else { break };
        path = path.parent().expect("a folder").join(target);
    }
    let folder = path.parent().expect("a folder");
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let name: String = folder.to_string_lossy().chars().filter(char::is_ascii_alphanumeric).collect();
    Some(vec![("NATS_URL", url), ("CLUSTER_NAME", format!("t{name}")), ("NODE_NAME", "a".to_owned())])
}

fn marker(joined: &[(&str, String)]) -> PathBuf {
    let folder = std::env::var_os(FOLDER).expect("the folder of those that are in a cluster");
    Path::new(&folder).join(&joined[1].1)
}
