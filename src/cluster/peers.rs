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
use crate::journal::rules::RULES;
use crate::telemetry::clock;

const TELL_EVERY: Duration = Duration::from_secs(5);
/// How soon it is told again where that was not possible.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
const TELL_MAX: Duration = Duration::from_secs(4);
/// How the keys of hubs begin.
const PREFIX: &str = "node.";

/// Tells of this hub, and notes what others tell.
pub struct Exchange {
    context: Context,
    settings: ClusterSettings,
    state: ClusterState,
    /// Names this run of the hub.
    boot: String,
    /// The revision of what this run told first; `None` before.
    since: Option<u64>,
    /// How many times in a row an earlier hub was found to tell under the same name. What was on its way when the run before this one
    /// ended is found once.
    namesakes: u32,
}

impl Exchange {
    pub fn new(context: Context, settings: ClusterSettings, state: ClusterState, boot: String) -> Self {
        Self { context, settings, state, boot, since: None, namesakes: 0 }
    }

    /// Goes on for ever.
    pub async fn run(mut self) {
        loop {
            let mut rest = AGAIN_AFTER;
            // A hub that is halted tells why. Only if all tell that they stand at a record may they pass over it.
            if self.state.is_open() || self.state.is_connected() && self.state.halt().is_on() {
                match timeout(TELL_MAX, self.exchange()).await {
                    Ok(Ok(())) => rest = TELL_EVERY,
                    Ok(Err(error)) => log::debug!("the other hubs: {error}"),
                    Err(_elapsed) => log::debug!("the other hubs: no answer"),
                }
            }
            sleep(rest).await;
        }
    }

    async fn exchange(&mut self) -> Result<(), String> {
        let store = open_bucket(&self.context, &self.settings, self.state.replicas()).await?;
        if let Some(since) = self.since {
            self.look_for_namesake(&store, since).await?;
        }
        let (settings, state) = (&self.settings, &self.state);
        if !state.trust().is_name_taken() {
            let run = (Some(self.boot.clone()), self.since);
            let (before, revision) = (clock::now(), tell(&store, settings, state, run, false).await?);
            let after = clock::now();
            self.since = self.since.or(Some(revision));
            let stored = store.entry(own_key(settings)).await.map_err(|error| error.to_string())?;
            if let Some(stored) = stored.filter(|stored| stored.revision == revision)
                && let Ok(stamp) = Timestamp::from_nanosecond(stored.created.unix_timestamp_nanos())
            {
                state.trust().note_clock_ahead(ahead(before, stamp, after));
            }
        }
        state.note_peers(others(&store, &settings.node).await?);
        Ok(())
    }

    /// Looks whether another hub tells of itself under the name of this one. Whichever began later halts, because neither would be
    /// compared with the other, or counted where all must stand at a record.
    async fn look_for_namesake(&mut self, store: &Store, since: u64) -> Result<(), String> {
        let node = &self.settings.node;
        let stored = store.entry(own_key(&self.settings)).await.map_err(|error| error.to_string())?;
        let told = stored.and_then(|stored| serde_json::from_slice::<PeerTold>(&stored.value).ok());
        let namesake = told.map_or(Namesake::None, |told| is_namesake(&told, &self.boot, since));
        self.namesakes = if namesake == Namesake::Earlier { self.namesakes + 1 } else { 0 };
        match namesake {
            Namesake::Earlier if self.namesakes > 1 => {
                self.state.trust().note_name_taken();
                self.state.halt().begin(format!(
                    "NODE_NAME: another hub of the cluster, which began earlier, is called {node}, too; give this one a name of its \
                     own and start it again"
                ));
            }
            Namesake::Later => log::error!(
                "NODE_NAME: another hub of the cluster is called {node}, too; it began later, and halts until it has another name"
            ),
            Namesake::Earlier | Namesake::None => {}
        }
        Ok(())
    }
}

/// Another run that tells under the name of this hub.
#[derive(Debug, PartialEq, Eq)]
enum Namesake {
    None,
    Earlier,
    Later,
}

/// Whether what is told under the name of this hub, after it has told of itself, comes from another one.
fn is_namesake(told: &PeerTold, boot: &str, since: u64) -> Namesake {
    match (&told.boot, told.since) {
        (Some(theirs), _) if theirs == boot => Namesake::None,
        (Some(_), Some(theirs)) if theirs < since => Namesake::Earlier,
        (Some(_), _) => Namesake::Later,
        // A hub of an earlier release, or one that ends.
        (None, _) => Namesake::None,
    }
}

/// Tells the others that this hub ends, so that they count on it no longer.
pub async fn say_goodbye(
    context: &Context,
    settings: &ClusterSettings,
    state: &ClusterState,
) -> Result<(), String> {
    if state.trust().is_name_taken() {
        return Ok(());
    }
    let store = open_bucket(context, settings, state.replicas()).await?;
    tell(&store, settings, state, (None, None), true).await.map(|_revision| ())
}

fn own_key(settings: &ClusterSettings) -> String {
    format!("{PREFIX}{}", settings.node)
}

/// Returns the revision of what was told.
async fn tell(
    store: &Store,
    settings: &ClusterSettings,
    state: &ClusterState,
    (boot, since): (Option<String>, Option<u64>),
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
        boot,
        since,
        rules: RULES,
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
    fn of_two_runs_under_one_name_the_later_one_is_too_many() {
        let told = |boot: Option<&str>, since| PeerTold {
            boot: boot.map(str::to_owned),
            since,
            ..PeerTold::default()
        };
        assert_eq!(is_namesake(&told(Some("mine"), Some(5)), "mine", 5), Namesake::None);
        assert_eq!(is_namesake(&told(Some("other"), Some(4)), "mine", 5), Namesake::Earlier);
        assert_eq!(is_namesake(&told(Some("other"), Some(6)), "mine", 5), Namesake::Later);
        assert_eq!(is_namesake(&told(Some("other"), None), "mine", 5), Namesake::Later, "it has told once");
        assert_eq!(is_namesake(&told(None, None), "mine", 5), Namesake::None, "an earlier release");
    }

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
