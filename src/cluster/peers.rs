//! The hubs of a cluster tell each other how they are, where they give copies of their database, and how far they
//! have come.

use std::time::{Duration, Instant};

use async_nats::jetstream::Context;
use async_nats::jetstream::kv::{Operation, Store};
use futures_util::TryStreamExt;
use jiff::{SignedDuration, Timestamp};
use tokio::time::{sleep, timeout};

use super::duties::open_bucket;
use super::roster::{Peer, PeerTold};
use super::settings::ClusterSettings;
use super::state::ClusterState;
use crate::telemetry::clock;

const TELL_EVERY: Duration = Duration::from_secs(5);
const TELL_MAX: Duration = Duration::from_secs(4);
/// How the keys of hubs begin.
const PREFIX: &str = "node.";

/// Tells of this hub, and notes what others tell, for ever.
pub async fn run(context: Context, settings: ClusterSettings, state: ClusterState) {
    loop {
        // A hub that is halted tells why. Only if all tell that they stand at a record may they pass over it.
        if state.is_open() || state.is_connected() && state.halt().is_on() {
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
    let store = open_bucket(context, settings, state.replicas()).await?;
    let (before, revision) = (clock::now(), tell(&store, settings, state, false).await?);
    let after = clock::now();
    let stored = store.entry(own_key(settings)).await.map_err(|error| error.to_string())?;
    if let Some(stored) = stored.filter(|stored| stored.revision == revision)
        && let Ok(stamp) = Timestamp::from_nanosecond(stored.created.unix_timestamp_nanos())
    {
        state.trust().note_clock_ahead(ahead(before, stamp, after));
    }
    state.note_peers(others(&store, &settings.node).await?);
    Ok(())
}

/// Tells the others that this hub ends, so that they count on it no longer.
pub async fn say_goodbye(
    context: &Context,
    settings: &ClusterSettings,
    state: &ClusterState,
) -> Result<(), String> {
    let store = open_bucket(context, settings, state.replicas()).await?;
    tell(&store, settings, state, true).await.map(|_revision| ())
}

fn own_key(settings: &ClusterSettings) -> String {
    format!("{PREFIX}{}", settings.node)
}

/// Returns the revision of what was told.
async fn tell(
    store: &Store,
    settings: &ClusterSettings,
    state: &ClusterState,
    leaving: bool,
) -> Result<u64, String> {
    let report = state.report();
    let told = PeerTold {
        url: settings.secret.as_ref().and(settings.node_url.clone()),
        applied: report.applied,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ready: report.ready && !leaving,
        lag_seconds: report.lag_seconds,
        inbox: report.inbox,
        duties: report.owner,
        sessions: report.sessions,
        halted: report.halted,
        halted_at: state.halt().at().map(|position| position.0),
        leaving,
    };
    let text = serde_json::to_vec(&told).map_err(|error| error.to_string())?;
    store.put(own_key(settings), text.into()).await.map_err(|error| error.to_string())
}

/// How far this hub's clock is ahead of the server's at least, if the server's showed `stamp` between these two moments.
fn ahead(before: Timestamp, stamp: Timestamp, after: Timestamp) -> SignedDuration {
    if stamp < before {
        before.duration_since(stamp)
    } else if stamp > after {
        after.duration_since(stamp)
    } else {
        SignedDuration::ZERO
    }
}

/// What the other hubs told of themselves lately. The server forgets it after half a minute.
pub async fn others(store: &Store, node: &str) -> Result<Vec<Peer>, String> {
    let keys = store.keys().await.map_err(|error| error.to_string())?;
    let keys: Vec<String> = keys.try_collect().await.map_err(|error| error.to_string())?;
    let mut peers = Vec::new();
    for key in keys {
        let Some(name) = key.strip_prefix(PREFIX).filter(|name| *name != node) else { continue };
        let entry = store.entry(&key).await.map_err(|error| error.to_string())?;
        let Some(entry) = entry.filter(|entry| entry.operation == Operation::Put) else { continue };
        if let Ok(told) = serde_json::from_slice::<PeerTold>(&entry.value) {
            let (revision, heard) = (entry.revision, Instant::now());
            peers.push(Peer { node: name.to_owned(), told, revision, heard });
        }
    }
    Ok(peers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_off_by_what_a_request_cannot_explain() {
        let moment = |second: i64| Timestamp::from_second(1_772_456_400 + second).unwrap();
        let seconds = |before, stamp, after| ahead(moment(before), moment(stamp), moment(after)).as_secs();
        assert_eq!(seconds(10, 10, 10), 0);
        assert_eq!(seconds(10, 12, 14), 0);
        assert_eq!(seconds(10, 7, 14), 3);
        assert_eq!(seconds(10, 19, 14), -5);
    }
}
