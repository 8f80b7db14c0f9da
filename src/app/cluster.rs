//! Joins the cluster before the database is opened: a hub without a database first gets a copy of another hub's.

use std::path::Path;

use jiff::Timestamp;

use super::{StartError, tls};
use crate::cluster::run::Joined;
use crate::cluster::{Cluster, ClusterError, ClusterSettings, compare, nats, snapshot, stream};
use crate::derived;
use crate::journal::rules::RULES;
use crate::journal::schema::{self, Opened};
use crate::telemetry::causes::chain;
use crate::telemetry::clock;

/// Joins the cluster, and opens a database that belongs to it.
pub(super) async fn open(
    settings: &ClusterSettings,
    database: &Path,
) -> Result<(Cluster, Opened), StartError> {
    check_sync(settings).await?;
    let (cluster, joined) = Cluster::join(settings, tls::config).await?;
    let is_new = !database.exists();
    let mut marked = compare::marked(database);
    match joined {
        Some(joined) if is_new => {
            fetch(settings, joined, database, None).await?;
            marked = None;
        }
        Some(joined) if marked.is_some() => match fetch(settings, joined, database, Some(clock::now())).await
        {
            Ok(()) => marked = None,
            // It must not be used. Deliveries can be taken into the inbox all the same.
            Err(error) => log::error!("{}", chain(&error)),
        },
        Some(joined) if joined.facts.replicas < 3 => {
            log::warn!(
                "the stream is kept by one server: if its disk is lost, what hubs have not applied is, too"
            );
        }
        Some(_) => {}
        None => {
            let (servers, reason) = (settings.access.servers.join(","), cluster.member.state.trouble());
            if is_new {
                return Err(ClusterError::Connect { servers, reason }.into());
            }
            log::warn!("no connection to {servers} yet ({reason}): deliveries go into the inbox");
        }
    }
    let opened = schema::open_member(database)?;
    cluster.member.state.trust().note_duties_taken(opened.duties_taken.unwrap_or_default());
    let rules = opened.rules.unwrap_or(RULES);
    stream::check_rules(rules)?;
    cluster.member.state.trust().note_rules(rules);
    if let Some(place) = opened.place {
        cluster.identify(&opened.epoch, place).await?;
    }
    if let Some((from, why)) = marked {
        cluster.member.state.trust().note_diverged(Some(from));
        cluster.member.state.halt().begin(why);
    }
    Ok((cluster, opened))
}

/// Gets a copy of another hub's database. One that is there is kept aside, under a name with this time; what was derived from it is
/// made anew.
async fn fetch(
    settings: &ClusterSettings,
    joined: Joined,
    database: &Path,
    aside: Option<Timestamp>,
) -> Result<(), StartError> {
    let (settings, path) = (settings.clone(), database.to_path_buf());
    let Joined { facts, peers } = joined;
    let fetch = move || snapshot::fetch(&settings, &peers, &facts.epoch, &path, aside, tls::config);
    let copied = actix_rt::task::spawn_blocking(fetch).await;
    copied.map_err(|_panicked| ClusterError::Ended)??;
    derived::remove_files(database)?;
    compare::unmark(database)?;
    Ok(())
}

/// Asks the monitoring address, if there is one, whether servers sync what they store. One that does not answer is
/// no reason not to start: deliveries would be refused.
async fn check_sync(settings: &ClusterSettings) -> Result<(), StartError> {
    let Some(url) = settings.access.monitor_url.clone() else { return Ok(()) };
    let check = move || {
        let tls = tls::config(&url).map_err(ClusterError::Monitor)?;
        nats::check_sync(&url, tls)
    };
    match actix_rt::task::spawn_blocking(check).await.map_err(|_panicked| ClusterError::Ended)? {
        Err(error) if error.is_temporary() => log::warn!("{error}"),
        checked => checked?,
    }
    Ok(())
}
