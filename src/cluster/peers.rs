//! The hubs of a cluster tell each other that they are there, where they give copies of their database, and how far
//! they have come.

use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::kv::Store;
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

use super::duties::open_bucket;
use super::settings::ClusterSettings;
use super::state::{ClusterState, Peer};

const TELL_EVERY: Duration = Duration::from_secs(5);
const TELL_MAX: Duration = Duration::from_secs(4);
/// How the keys of hubs begin.
const PREFIX: &str = "node.";

/// What a hub tells of itself.
#[derive(Serialize, Deserialize)]
struct Told {
    url: Option<String>,
    applied: i64,
    version: String,
}

/// Tells of this hub, and notes what others tell, for ever.
pub async fn run(context: Context, settings: ClusterSettings, state: ClusterState) {
    loop {
        if state.is_open() {
            match timeout(TELL_MAX, exchange(&context, &settings, &state)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => log::debug!("the other hubs: {error}"),
                Err(_elapsed) => log::debug!("the other hubs: no answer"),
            }
        }
        sleep(TELL_EVERY).await;
    }
}

async fn exchange(context: &Context, settings: &ClusterSettings, state: &ClusterState) -> Result<(), String> {
    let store = open_bucket(context, settings, state.report().replicas).await?;
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let url = settings.secret.as_ref().and(settings.node_url.clone());
    let told = Told { url, applied: state.applied(), version };
    let text = serde_json::to_vec(&told).map_err(|error| error.to_string())?;
    let put = store.put(format!("{PREFIX}{}", settings.node), text.into()).await;
    put.map_err(|error| error.to_string())?;
    state.note_peers(others(&store, &settings.node).await?);
    Ok(())
}

/// The other hubs that told of themselves lately.
pub async fn others(store: &Store, node: &str) -> Result<Vec<Peer>, String> {
    let keys = store.keys().await.map_err(|error| error.to_string())?;
    let keys: Vec<String> = keys.try_collect().await.map_err(|error| error.to_string())?;
    let mut peers = Vec::new();
    for key in keys {
        let Some(name) = key.strip_prefix(PREFIX).filter(|name| *name != node) else { continue };
        let value = store.get(&key).await.map_err(|error| error.to_string())?;
        let told = value.and_then(|value| serde_json::from_slice::<Told>(&value).ok());
        if let Some(Told { url, applied, version }) = told {
            peers.push(Peer { node: name.to_owned(), url, applied, version });
        }
    }
    peers.sort_by(|one, other| one.node.cmp(&other.node));
    Ok(peers)
}
