//! The stream of a cluster: how it is made, and whether a database belongs to it.
//!
//! A stream holds one history, whose epoch is in its metadata beside the settings that all hubs must share. Its
//! first sequence follows the newest position of the database that it was begun with, so positions go on.

use std::collections::HashMap;
use std::time::Duration;

use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{Config, DiscardPolicy, Info, RawMessageErrorKind, StorageType, Stream};
use async_nats::jetstream::{Context, ErrorCode};

use super::ClusterError;
use super::settings::{ClusterSettings, SharedValues};
use crate::domain::Seq;
use crate::journal::StreamPlace;
use crate::journal::entry::Entry;
use crate::journal::rules::{RULES, RULES_OLDEST};

/// How many servers keep each record.
const REPLICAS: usize = 3;
/// Within this time a repeated record with the same id is recognised by the server. Later ones are recognised by
/// the id of the event.
const DUPLICATE_WINDOW: Duration = Duration::from_mins(10);
const SECONDS_PER_DAY: u64 = 86_400;
/// Key in the metadata of the rules in force.
const RULES_KEY: &str = "rules";

/// What a stream says of itself.
#[derive(Debug, Clone)]
pub struct StreamFacts {
    pub epoch: String,
    pub first: u64,
    pub last: u64,
    pub replicas: usize,
}

fn metadata(epoch: &str, shared: &SharedValues) -> HashMap<String, String> {
    HashMap::from([
        ("epoch".to_owned(), epoch.to_owned()),
        ("zone".to_owned(), shared.zone.clone()),
        ("hours".to_owned(), shared.hours.clone()),
        ("updates_retained".to_owned(), shared.updates_retained.to_string()),
        (RULES_KEY.to_owned(), RULES.to_string()),
    ])
}

/// Makes room for the stream of a cluster that begins. One that is there is removed if it is to be replaced, and is an error if not.
pub async fn make_room(
    context: &Context,
    settings: &ClusterSettings,
    replace: bool,
) -> Result<(), ClusterError> {
    if find(context, &settings.name).await?.is_none() {
        return Ok(());
    }
    if !replace {
        return Err(ClusterError::StreamExists(settings.name.clone()));
    }
    let deleted = context.delete_stream(&settings.name).await;
    deleted.map(|_status| ()).map_err(|error| ClusterError::Stream(error.to_string()))
}

/// Makes the stream of a cluster that begins with a database of this epoch and newest position. Returns how many
/// servers keep it.
pub async fn create(
    context: &Context,
    settings: &ClusterSettings,
    epoch: &str,
    newest: Seq,
) -> Result<usize, ClusterError> {
    let failed = |error: String| ClusterError::Stream(error);
    let is_cluster = context.client().server_info().cluster.is_some();
    let replicas = if is_cluster { REPLICAS } else { 1 };
    let config = Config {
        name: settings.name.clone(),
        subjects: vec![settings.subject(">")],
        storage: StorageType::File,
        num_replicas: replicas,
        discard: DiscardPolicy::New,
        max_age: Duration::from_secs(u64::from(settings.retain_days) * SECONDS_PER_DAY),
        duplicate_window: DUPLICATE_WINDOW,
        allow_direct: true,
        deny_purge: true,
        first_sequence: Some(newest.0.unsigned_abs() + 1),
        metadata: metadata(epoch, &settings.shared),
        ..Config::default()
    };
    context.create_stream(config).await.map_err(|error| failed(error.to_string()))?;
    Ok(replicas)
}

/// The stream of this name; `None` if the servers say that there is none. That they cannot say it is an error.
pub(super) async fn find(context: &Context, name: &str) -> Result<Option<Stream>, ClusterError> {
    match context.get_stream(name).await {
        Ok(stream) => Ok(Some(stream)),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                Ok(None)
            }
            GetStreamErrorKind::JetStream(_)
            | GetStreamErrorKind::EmptyName
            | GetStreamErrorKind::Request
            | GetStreamErrorKind::InvalidStreamName => Err(ClusterError::Stream(error.to_string())),
        },
    }
}

/// Finds the stream, and checks that it is one of the hub's with the same settings as this hub.
pub async fn open(
    context: &Context,
    settings: &ClusterSettings,
) -> Result<(Stream, StreamFacts), ClusterError> {
    let stream = find(context, &settings.name).await?;
    let stream = stream.ok_or_else(|| ClusterError::NoStream(settings.name.clone()))?;
    let facts = facts(stream.cached_info(), settings)?;
    check_shared(&stream.cached_info().config.metadata, &settings.shared)?;
    Ok((stream, facts))
}

/// What an answer of the server says of the stream.
pub fn facts(info: &Info, settings: &ClusterSettings) -> Result<StreamFacts, ClusterError> {
    let epoch = info.config.metadata.get("epoch");
    let epoch = epoch.ok_or_else(|| ClusterError::ForeignStream(settings.name.clone()))?.clone();
    let (first, last) = (info.state.first_sequence, info.state.last_sequence);
    Ok(StreamFacts { epoch, first, last, replicas: info.config.num_replicas })
}

fn check_shared(there: &HashMap<String, String>, here: &SharedValues) -> Result<(), ClusterError> {
    let retained = here.updates_retained.to_string();
    let compared = [
        ("TIMEZONE", "zone", &here.zone),
        ("BUSINESS_HOURS", "hours", &here.hours),
        ("UPDATES_RETAINED", "updates_retained", &retained),
    ];
    for (name, key, here) in compared {
        let there = there.get(key).cloned().unwrap_or_default();
        if there != *here {
            return Err(ClusterError::Setting { name, here: here.clone(), there });
        }
    }
    check_rules(rules_told(there))
}

/// Checks that this release can apply records by the rules in force.
pub fn check_rules(there: u32) -> Result<(), ClusterError> {
    if (RULES_OLDEST..=RULES).contains(&there) { Ok(()) } else { Err(ClusterError::Rules { there }) }
}

/// The rules in force, as the stream tells those who have no database yet.
fn rules_told(there: &HashMap<String, String>) -> u32 {
    there.get(RULES_KEY).and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// Tells in the stream's metadata which rules are in force, unless that is told already.
pub(super) async fn tell_rules(
    context: &Context,
    settings: &ClusterSettings,
    rules: u32,
) -> Result<(), ClusterError> {
    let failed = |error: String| ClusterError::Stream(error);
    let stream = context.get_stream(&settings.name).await.map_err(|error| failed(error.to_string()))?;
    let mut config = stream.cached_info().config.clone();
    if rules_told(&config.metadata) >= rules {
        return Ok(());
    }
    config.metadata.insert(RULES_KEY.to_owned(), rules.to_string());
    context.update_stream(config).await.map_err(|error| failed(error.to_string()))?;
    Ok(())
}

/// Checks that a database of this epoch, applied up to this place, belongs to the stream.
pub async fn identify(
    stream: &Stream,
    facts: &StreamFacts,
    epoch: &str,
    place: StreamPlace,
) -> Result<(), ClusterError> {
    let other = |what: String| Err(ClusterError::OtherHistory(what));
    if facts.epoch != epoch {
        return other(format!("its epoch is {epoch}, and that of the stream {}", facts.epoch));
    }
    let applied = place.position.0.unsigned_abs();
    if facts.last < applied {
        return Err(ClusterError::Shorter { last: facts.last, applied: place.position.0 });
    }
    if facts.first > applied + 1 {
        return Err(ClusterError::TooFarBehind { first: facts.first, applied: place.position.0 });
    }
    let Some(sum) = place.sum else { return Ok(()) };
    match stream.get_raw_message(applied).await {
        Ok(message) if Entry::sum_of(&message.payload) == Some(sum) => Ok(()),
        Ok(_another) => other(format!("the stream has another record at position {applied}")),
        // It was deleted for its age.
        Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(()),
        Err(error) => Err(ClusterError::Stream(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared() -> SharedValues {
        SharedValues { zone: "America/Sao_Paulo".to_owned(), hours: "{}".to_owned(), updates_retained: 1_000 }
    }

    #[test]
    fn a_setting_that_differs_from_the_clusters_is_named_with_both_values() {
        let there = metadata("e1", &shared());
        assert!(check_shared(&there, &shared()).is_ok());
        let wrong = |here: SharedValues| check_shared(&there, &here).unwrap_err().to_string();
        assert_eq!(
            wrong(SharedValues { zone: "UTC".to_owned(), ..shared() }),
            "TIMEZONE: the cluster has America/Sao_Paulo, and this hub UTC; it must be the same on all hubs"
        );
        assert!(wrong(SharedValues { hours: "[]".to_owned(), ..shared() }).starts_with("BUSINESS_HOURS: "));
        assert!(
            wrong(SharedValues { updates_retained: 2_000, ..shared() }).starts_with("UPDATES_RETAINED: ")
        );
    }
}
