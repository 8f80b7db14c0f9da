//! Records that every hub passes over, because an operator decided so (`umbler-hub cluster skip`): directives in a bucket of NATS.
//!
//! # Contract
//!
//! 1. A directive is written only while every hub that runs stands at the record, or is halted before it. So no hub has applied it, or
//!    what is behind it.
//! 2. Directives are read before the stream is ([`tail`](super::tail)), and while this hub stands at a record. They stay as long as
//!    the stream, for hubs that come later, and go with it: another stream has other records at the same positions.
//! 3. While it is not known which records are skipped, nothing is taken from the stream.
//! 4. A hub that cannot read the record goes on behind it at once. One that cannot store it has read it already, and goes on once it is
//!    started again.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::kv::{Config, CreateErrorKind, Store};
use async_nats::jetstream::stream::{RawMessageErrorKind, StorageType, Stream};
use futures_util::TryStreamExt;
use tokio::time::timeout;

use super::duties::open_bucket;
use super::roster::Peer;
use super::settings::ClusterSettings;
use super::{ClusterError, peers, stream};
use crate::domain::Seq;
use crate::journal::Record;
use crate::journal::entry::Entry;

/// How long it may take to read all directives.
const LOAD_MAX: Duration = Duration::from_secs(5);
/// What a directive says. Its key says which record it is about.
const PASSED_OVER: &str = "skip";

fn bucket(settings: &ClusterSettings) -> String {
    format!("{}-skips", settings.name)
}

/// The stream in which NATS keeps that bucket.
fn stream_of_bucket(settings: &ClusterSettings) -> String {
    format!("KV_{}", bucket(settings))
}

/// The positions of records that are passed over. A server that ends meanwhile is an error, too.
pub async fn load(context: &Context, settings: &ClusterSettings) -> Result<BTreeSet<i64>, String> {
    let loaded = timeout(LOAD_MAX, directives(context, settings)).await;
    loaded.unwrap_or_else(|_elapsed| Err("the servers do not say it in time".to_owned()))
}

async fn directives(context: &Context, settings: &ClusterSettings) -> Result<BTreeSet<i64>, String> {
    // There is no bucket before the first directive. One that cannot be read is another matter: what is skipped by the others must
    // not be applied here.
    let found =
        stream::find(context, &stream_of_bucket(settings)).await.map_err(|error| error.to_string())?;
    if found.is_none() {
        return Ok(BTreeSet::new());
    }
    let store = context.get_key_value(bucket(settings)).await.map_err(|error| error.to_string())?;
    let keys = store.keys().await.map_err(|error| error.to_string())?;
    let keys: Vec<String> = keys.try_collect().await.map_err(|error| error.to_string())?;
    Ok(keys.iter().filter_map(|key| key.parse().ok()).collect())
}

/// Removes all directives, because the stream that they are about is gone.
pub async fn forget(context: &Context, settings: &ClusterSettings) -> Result<(), ClusterError> {
    let stream = stream_of_bucket(settings);
    if stream::find(context, &stream).await?.is_some() {
        context.delete_stream(&stream).await.map_err(|error| ClusterError::Stream(error.to_string()))?;
    }
    Ok(())
}

/// How hubs go on that stand at a record which is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoOn {
    /// Within seconds, because they cannot read the record and ask again and again whether it is skipped.
    AtOnce,
    /// Once they are started again, because they have read the record.
    Restarted,
}

/// Has every hub pass over the record at a position, if all of them stand at it.
pub async fn skip(
    context: &Context,
    settings: &ClusterSettings,
    position: Seq,
) -> Result<GoOn, ClusterError> {
    let (stream, facts) = stream::open(context, settings).await?;
    let go_on = if is_readable(&stream, position).await? { GoOn::Restarted } else { GoOn::AtOnce };
    let failed = |error: String| ClusterError::Stream(error);
    let nodes = open_bucket(context, settings, facts.replicas).await.map_err(failed)?;
    check_hubs(&peers::others(&nodes, "").await.map_err(failed)?, position, go_on)?;
    let config = Config {
        bucket: bucket(settings),
        history: 1,
        storage: StorageType::File,
        num_replicas: facts.replicas.max(1),
        ..Config::default()
    };
    let store: Store =
        context.create_or_update_key_value(config).await.map_err(|error| failed(error.to_string()))?;
    match store.create(position.to_string(), PASSED_OVER.into()).await {
        Err(error) if error.kind() != CreateErrorKind::AlreadyExists => Err(failed(error.to_string())),
        Ok(_) | Err(_) => Ok(go_on),
    }
}

/// Whether this release can read the record.
async fn is_readable(stream: &Stream, position: Seq) -> Result<bool, ClusterError> {
    let message = match stream.get_raw_message(position.0.unsigned_abs()).await {
        Ok(message) => message,
        Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => {
            return Err(ClusterError::NotSkipped(position, "the stream has no record there".to_owned()));
        }
        Err(error) => return Err(ClusterError::Stream(error.to_string())),
    };
    Ok(Entry::decode(&message.payload).is_ok_and(|entry| Record::read(entry).is_ok()))
}

/// Checks that every hub that runs stands at the record. One that is halted for another reason needs a copy of their database first.
fn check_hubs(hubs: &[Peer], position: Seq, go_on: GoOn) -> Result<(), ClusterError> {
    let read = if go_on == GoOn::Restarted { "it can be read, and " } else { "" };
    let refused = |why: String| Err(ClusterError::NotSkipped(position, format!("{read}{why}")));
    if hubs.is_empty() {
        return refused("no hub of the cluster runs; they must run and stand at it".to_owned());
    }
    for Peer { node, told, .. } in hubs {
        let applied = told.applied;
        if applied >= position.0 {
            return refused(format!("{node} is past it, at {applied}"));
        }
        let stands = told.halted_at.map_or(told.halted.is_some(), |at| at == position.0);
        if !stands && !told.leaving {
            return refused(format!("{node} does not stand at it, but has applied {applied}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::cluster::roster::PeerTold;

    fn hub(node: &str, applied: i64, halted_at: Option<i64>) -> Peer {
        let told = PeerTold { applied, halted_at, ..PeerTold::default() };
        Peer { node: node.to_owned(), told, revision: 1, heard: Instant::now() }
    }

    #[test]
    fn a_record_is_passed_over_only_where_every_hub_stands_at_it() {
        let check = |hubs: &[Peer]| check_hubs(hubs, Seq(7), GoOn::AtOnce);
        let why = |hubs: &[Peer]| check(hubs).unwrap_err().to_string();
        assert!(check(&[hub("a", 6, Some(7)), hub("b", 5, Some(7))]).is_ok());
        assert!(why(&[]).contains("no hub of the cluster runs"));
        assert!(why(&[hub("a", 6, Some(7)), hub("b", 9, None)]).contains("b is past it, at 9"));
        assert!(why(&[hub("a", 6, Some(7)), hub("b", 4, None)]).contains("b does not stand at it"));
        assert!(why(&[hub("a", 4, Some(5))]).contains("a does not stand at it"));
        let readable = check_hubs(&[hub("a", 9, None)], Seq(7), GoOn::Restarted).unwrap_err().to_string();
        assert!(readable.contains("it can be read, and a is past it"), "{readable}");
    }

    #[test]
    fn a_hub_that_is_halted_for_another_reason_holds_no_skip_up_unless_it_is_past_the_record() {
        let differs = |applied| {
            let told = PeerTold { halted: Some("it differs".to_owned()), ..hub("c", applied, None).told };
            Peer { told, ..hub("c", applied, None) }
        };
        let check = |other: Peer| check_hubs(&[hub("a", 6, Some(7)), other], Seq(7), GoOn::AtOnce);
        assert!(check(differs(5)).is_ok());
        assert!(check(differs(8)).is_err());
    }
}
