//! Every hub of every test as the only one of a cluster of its own: `TEST_NATS_URL=nats://… cargo nextest run`, which
//! `scripts/cluster-tests.sh` does. What holds for a hub on its own must hold for it.

use std::path::Path;

use super::hub::command_through;

/// Address of a server with JetStream that all tests share, each hub with its own stream.
const URL: &str = "TEST_NATS_URL";

/// The settings that make a hub on this folder the only one of a cluster; none where that was not asked for, or where the
/// test has a cluster itself. The first time, the cluster begins with the database in the folder.
pub fn settings(home: &Path, given: &[(&str, &str)]) -> Vec<(&'static str, String)> {
    let has_cluster = given.iter().any(|(name, _)| *name == "NATS_URL");
    let Some(url) = std::env::var_os(URL).filter(|_| !has_cluster) else { return Vec::new() };
    let url = url.into_string().expect("an address");
    let folder = home.file_name().expect("a folder").to_string_lossy();
    let name: String = folder.chars().filter(char::is_ascii_alphanumeric).collect();
    let joined = vec![("NATS_URL", url), ("CLUSTER_NAME", format!("t{name}")), ("NODE_NAME", "a".to_owned())];
    let marker = home.join("joined");
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
