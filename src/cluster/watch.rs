//! Looks at the stream once a second: whether it is still the same one, how far it has come, and how many servers
//! keep it.
//!
//! After every connect, and whenever it seemed to end too early, the stream is asked for the last record that was taken from it. One
//! that was put back to an older state may be as long again meanwhile, because another hub that lagged went on with it.

use std::time::{Duration, Instant};

use async_nats::Client;
use async_nats::jetstream::Context;
use async_nats::jetstream::stream::Info;
use tokio::time::{sleep, timeout};

use super::nats::{check_server, is_connected};
use super::settings::ClusterSettings;
use super::state::ClusterState;
use super::{ClusterError, skips, stream};

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How soon it is looked again while the stream is not known to be the right one: deliveries go into the inbox meanwhile.
const IDENTIFY_AGAIN: Duration = Duration::from_millis(200);
const LOOK_MAX: Duration = Duration::from_secs(3);
/// How long the stream may seem to end before what is applied here. A server that has just become its leader may not know all
/// of it yet.
const SHORTER_MAX: Duration = Duration::from_secs(30);

/// Looks at the stream every second: whether it answers, and whether it has the history of this database.
pub struct Watch {
    pub client: Client,
    pub context: Context,
    pub settings: ClusterSettings,
    pub state: ClusterState,
    /// Epoch of the database.
    pub epoch: String,
    /// The newest position of the stream when it was first looked at.
    pub goal: Option<i64>,
    /// Since when the stream has seemed to end before what is applied here.
    pub shorter_since: Option<Instant>,
}

impl Watch {
    /// Looks for ever. A stream with another history halts this hub.
    pub async fn run(mut self) {
        loop {
            self.state.note_connected(is_connected(&self.client));
            if self.state.is_connected() && !self.state.halt().takes_nothing() {
                match timeout(LOOK_MAX, self.look()).await {
                    Ok(Ok(())) => self.shorter_since = None,
                    Ok(Err(error @ ClusterError::Shorter { .. })) => self.wait_for_more(&error),
                    Ok(Err(error)) if error.is_temporary() => log::debug!("the stream: {error}"),
                    Ok(Err(error)) => self.state.halt().begin(error.to_string()),
                    Err(_elapsed) => log::debug!("the stream does not answer"),
                }
            }
            if self.state.is_connected() && self.state.halt().at().is_some() {
                self.look_for_skips().await;
            }
            self.rest().await;
        }
    }

    /// Waits until it is time to look again. A stream that is not known to be the right one is looked at sooner.
    async fn rest(&self) {
        let began = Instant::now();
        while began.elapsed() < LOOK_EVERY {
            sleep(IDENTIFY_AGAIN).await;
            let is_unknown = !self.state.identity().is_known() && self.shorter_since.is_none();
            if is_unknown && is_connected(&self.client) && !self.state.halt().takes_nothing() {
                return;
            }
        }
    }

    /// What is published to a stream that was restored from an older copy would get positions that are applied here already. So
    /// nothing is published until the stream is found to be the right one again.
    fn wait_for_more(&mut self, error: &ClusterError) {
        self.state.identity().note(false);
        if self.shorter_since.is_none() {
            log::warn!("{error}: deliveries go into the inbox until it has more");
        }
        if self.shorter_since.get_or_insert_with(Instant::now).elapsed() >= SHORTER_MAX {
            self.state.halt().begin(ClusterError::OtherHistory(error.to_string()).to_string());
        }
    }

    /// Looks whether an operator has had the record skipped that this hub stands at.
    async fn look_for_skips(&self) {
        match skips::load(&self.context, &self.settings).await {
            Ok(skips) => self.state.trust().note_skips(skips),
            Err(error) => log::debug!("skipped records: {error}"),
        }
    }

    async fn look(&mut self) -> Result<(), ClusterError> {
        let (was_identified, doubts) = (self.state.identity().is_known(), self.state.identity().doubts());
        if !was_identified {
            check_server(&self.client)?;
            let (stream, facts) = stream::open(&self.context, &self.settings).await?;
            if let Some(taken) = self.state.identity().taken() {
                stream::identify(&stream, &facts, &self.epoch, taken).await?;
            }
        }
        // Known before it is asked: what comes meanwhile may be applied before the answer is there.
        let (began, applied) = (Instant::now(), self.state.applied());
        let found = self.context.get_stream(&self.settings.name).await;
        let found = found.map_err(|error| ClusterError::Stream(error.to_string()))?;
        let info = found.cached_info();
        let facts = stream::facts(info, &self.settings)?;
        let last = i64::try_from(facts.last).unwrap_or(i64::MAX);
        if facts.epoch != self.epoch {
            let what = format!("its epoch is {}, and that of this hub {}", facts.epoch, self.epoch);
            return Err(ClusterError::OtherHistory(what));
        }
        if last < applied {
            return Err(ClusterError::Shorter { last: facts.last, applied });
        }
        // Another connection may have come about meanwhile.
        if !was_identified && self.state.identity().doubts() == doubts {
            self.state.identity().note(true);
        }
        self.state.note_newest(last);
        self.state.note_looked(began);
        self.state.note_replicas(facts.replicas, current_replicas(info));
        let goal = *self.goal.get_or_insert(last);
        if self.state.applied() >= goal && self.state.inbox_records() == 0 {
            self.state.note_caught_up();
        }
        Ok(())
    }
}

/// How many servers have all of the stream. A single server has no peers.
fn current_replicas(info: &Info) -> usize {
    let followers = info.cluster.iter().flat_map(|cluster| &cluster.replicas);
    1 + followers.filter(|peer| peer.current && !peer.offline).count()
}
