//! While this hub is cut off from NATS, it asks the other hubs whether one of them is ready. Only then are its screens
//! better off elsewhere: if NATS itself is gone, every hub is cut off.

use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::sleep;
use ureq::Agent;
use ureq::tls::TlsConfig;

use super::state::{CUT_OFF_MAX, ClusterState};

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long another hub may take to answer.
const ASK_MAX: Duration = Duration::from_secs(2);
const PATH: &str = "/health/ready";

/// How the server behind an address is trusted.
pub type TlsFor = fn(&str) -> Result<TlsConfig, String>;

/// Looks for ever, and asks only while this hub is cut off.
pub async fn run(state: ClusterState, tls: TlsFor) {
    loop {
        let is_cut_off = state.cut_off_for() >= CUT_OFF_MAX;
        state.note_other_ready(is_cut_off && is_any_ready(&state, tls).await);
        sleep(LOOK_EVERY).await;
    }
}

/// Asks those that were ready when they were last heard of, within the last minute.
async fn is_any_ready(state: &ClusterState, tls: TlsFor) -> bool {
    let peers = state.peers().into_iter().filter(|peer| peer.told.ready);
    let urls: Vec<String> = peers.filter_map(|peer| peer.told.url).collect();
    let asked = spawn_blocking(move || urls.iter().any(|url| is_ready(url, tls))).await;
    asked.unwrap_or(false)
}

fn is_ready(url: &str, tls: TlsFor) -> bool {
    let Ok(tls) = tls(url) else { return false };
    let agent: Agent = Agent::config_builder().tls_config(tls).timeout_global(Some(ASK_MAX)).build().into();
    agent.get(format!("{}{PATH}", url.trim_end_matches('/'))).call().is_ok()
}
