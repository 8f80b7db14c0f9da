//! What hubs tell each other beside records: nothing of it is stored, and some of it may be lost. Who tells something
//! tells it again, or can do without.
//!
//! The subjects are not among those of the stream.

use actix::{Message, Recipient};
use async_nats::{Client, Subject};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Duration, sleep};

use super::nats::is_connected;
use super::settings::ClusterSettings;

/// What may wait to be told. More is dropped.
const WAITING_MAX: usize = 256;
/// Bytes of one thing that is told; the servers take messages of 12 MB.
pub const TOLD_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Rest before it is listened again.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// What hubs tell each other about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Who is present at a hub.
    Presence,
    /// How many sessions a revocation has ended at a hub.
    Revoked,
}

impl Topic {
    const ALL: [Self; 2] = [Self::Presence, Self::Revoked];

    fn as_str(self) -> &'static str {
        match self {
            Self::Presence => "presence",
            Self::Revoked => "revoked",
        }
    }
}

/// Another hub told something.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct HeardFromHub {
    pub node: String,
    pub topic: Topic,
    pub payload: Bytes,
}

/// Something that this hub tells.
struct Telling {
    topic: Topic,
    payload: Bytes,
}

/// Tells the other hubs. Clones tell the same ones.
#[derive(Debug, Clone)]
pub struct Teller(Sender<Telling>);

impl Teller {
    /// Tells it, unless too much waits already.
    pub fn tell(&self, topic: Topic, payload: Vec<u8>) {
        if payload.len() > TOLD_BYTES_MAX {
            return log::warn!("the other hubs are not told of {}: it is too much", topic.as_str());
        }
        if self.0.try_send(Telling { topic, payload: payload.into() }).is_err() {
            log::debug!("the other hubs are not told of {} now", topic.as_str());
        }
    }
}

/// What waits to be told to other hubs.
pub struct Untold(Receiver<Telling>);

/// The two ends between a hub and the thread of its cluster.
pub fn told() -> (Teller, Untold) {
    let (sender, receiver) = channel(WAITING_MAX);
    (Teller(sender), Untold(receiver))
}

/// Tells what waits until nobody tells anything any more. Without a connection it is dropped: it would come too late.
pub async fn tell(client: Client, settings: ClusterSettings, mut untold: Untold) {
    while let Some(Telling { topic, payload }) = untold.0.recv().await {
        if !is_connected(&client) {
            continue;
        }
        let subject = settings.told_subject(topic.as_str(), &settings.node);
        if let Err(error) = client.publish(subject, payload).await {
            log::debug!("the other hubs were not told: {error}");
        }
    }
}

/// Listens to the other hubs until this one ends.
pub async fn listen(client: Client, settings: ClusterSettings, hub: Recipient<HeardFromHub>) {
    loop {
        match client.subscribe(settings.told_subject("*", "*")).await {
            Ok(mut heard) => {
                while let Some(message) = heard.next().await {
                    let Some((topic, node)) = topic_and_node(&message.subject) else { continue };
                    if node == settings.node {
                        continue;
                    }
                    let heard = HeardFromHub { node: node.to_owned(), topic, payload: message.payload };
                    if hub.try_send(heard).is_err() {
                        log::debug!("the hub has no time for what another one tells");
                    }
                }
            }
            Err(error) => log::debug!("the other hubs cannot be heard: {error}"),
        }
        sleep(RETRY_AFTER).await;
    }
}

fn topic_and_node(subject: &Subject) -> Option<(Topic, &str)> {
    let mut parts = subject.rsplit('.');
    let (node, topic) = (parts.next()?, parts.next()?);
    let topic = Topic::ALL.into_iter().find(|known| known.as_str() == topic)?;
    Some((topic, node))
}
