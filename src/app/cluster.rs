//! Joins the cluster before the database is opened: a hub without a database first gets a copy of another hub's.

use std::path::Path;

use super::{StartError, tls};
use crate::cluster::{Cluster, ClusterError, ClusterSettings, nats, snapshot};
use crate::journal::schema::{self, Opened};

/// Joins the cluster, and opens a database that belongs to it.
pub(super) async fn open(
    settings: &ClusterSettings,
    database: &Path,
) -> Result<(Cluster, Opened), StartError> {
    check_sync(settings).await?;
    let (cluster, joined) = Cluster::join(settings, tls::config).await?;
    let is_new = !database.exists();
    match joined {
        Some(joined) if is_new => {
            let (settings, database) = (settings.clone(), database.to_path_buf());
            let fetch = move || {
                snapshot::fetch(&settings, &joined.peers, &joined.facts.epoch, &database, tls::config)
            };
            let copied = actix_rt::task::spawn_blocking(fetch).await;
            copied.map_err(|_panicked| ClusterError::Ended)??;
        }
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
    if let Some(place) = opened.place {
        cluster.identify(&opened.epoch, place).await?;
    }
    Ok((cluster, opened))
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
