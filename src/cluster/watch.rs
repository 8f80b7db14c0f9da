//! Looks at the stream once a second: whether it is still the same one, how far it has come, and how many servers
//! keep it.

use std::time::{Duration, Instant};

use async_nats::Client;
use async_nats::jetstream::Context;
use async_nats::jetstream::stream::Info;
use tokio::time::{sleep, timeout};

use super::nats::{check_server, is_connected};
use super::settings::ClusterSettings;
use super::state::ClusterState;
use super::{ClusterError, stream};
use crate::journal::StreamPlace;

const LOOK_EVERY: Duration = Duration::from_secs(1);
const LOOK_MAX: Duration = Duration::from_secs(3);

/// Looks at the stream.
pub struct Watch {
    pub client: Client,
    pub context: Context,
    pub settings: ClusterSettings,
    pub state: ClusterState,
    /// Epoch of the database.
    pub epoch: String,
    /// The place at which the database ended when the hub started.
    pub place: StreamPlace,
    /// The newest position of the stream when it was first looked at.
    pub goal: Option<i64>,
    /// True once the stream was found to be that of the database.
    pub is_identified: bool,
}

impl Watch {
    /// Looks for ever. A stream with another history halts this hub.
    pub async fn run(mut self) {
        loop {
            self.state.note_connected(is_connected(&self.client));
            if self.state.is_connected() && !self.state.is_halted() {
                match timeout(LOOK_MAX, self.look()).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) if error.is_temporary() => log::debug!("the stream: {error}"),
                    Ok(Err(error)) => self.state.halt(error.to_string()),
                    Err(_elapsed) => log::debug!("the stream does not answer"),
                }
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn look(&mut self) -> Result<(), ClusterError> {
        if !self.is_identified {
            check_server(&self.client)?;
            let (stream, facts) = stream::open(&self.context, &self.settings).await?;
            stream::identify(&stream, &facts, &self.epoch, self.place).await?;
            self.is_identified = true;
            self.state.note_identified(true);
        }
        let began = Instant::now();
        let found = self.context.get_stream(&self.settings.name).await;
        let found = found.map_err(|error| ClusterError::Stream(error.to_string()))?;
        let info = found.cached_info();
        let facts = stream::facts(info, &self.settings)?;
        let last = i64::try_from(facts.last).unwrap_or(i64::MAX);
        if facts.epoch != self.epoch || last < self.state.applied() {
            let what = format!(
                "the stream ends at position {last} of epoch {}, and this hub has applied {} of epoch {}",
                facts.epoch,
                self.state.applied(),
                self.epoch
            );
            return Err(ClusterError::OtherHistory(what));
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
