//! A hub without a database gets a copy of another hub's, and goes on behind it.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use ureq::Agent;
use ureq::tls::TlsConfig;

use super::ClusterError;
use super::roster::Peer;
use super::settings::ClusterSettings;
use crate::journal::copies;
use crate::journal::replace::Copied;
use crate::journal::replace_error::ReplaceError;
use crate::sqlite::files::SteadyFile;
use crate::telemetry::causes::chain;

/// Where a hub gives copies of its database.
pub const PATH: &str = "/cluster/snapshot";
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long a whole copy may take.
const COPY_MAX: Duration = Duration::from_hours(2);

/// Fetches a copy of this epoch from one of the peers, the one that is furthest first. A database that is there is replaced if it is
/// given when that happens. Blocks.
pub fn fetch(
    settings: &ClusterSettings,
    peers: &[Peer],
    epoch: &str,
    database: &Path,
    aside: Option<Timestamp>,
    tls: impl Fn(&str) -> Result<TlsConfig, String>,
) -> Result<Copied, ClusterError> {
    let Some(secret) = &settings.secret else {
        return Err(ClusterError::NoCopy("CLUSTER_SECRET is not set".to_owned()));
    };
    let mut peers: Vec<(&Peer, &str)> =
        peers.iter().filter_map(|peer| Some((peer, peer.told.url.as_deref()?))).collect();
    peers.sort_by_key(|(peer, _)| std::cmp::Reverse(peer.told.applied));
    let mut problems = Vec::new();
    for (peer, url) in peers {
        let tried = tls(url).and_then(|tls| fetch_from(url, secret.expose(), epoch, (database, aside), tls));
        match tried {
            Ok(copied) => {
                log::info!(
                    "copied the database of {}: {} bytes up to {}",
                    peer.node,
                    copied.bytes,
                    copied.seq
                );
                return Ok(copied);
            }
            Err(error) => problems.push(format!("{}: {error}", peer.node)),
        }
    }
    let none = "no other hub runs with NODE_URL and CLUSTER_SECRET".to_owned();
    Err(ClusterError::NoCopy(if problems.is_empty() { none } else { problems.join("; ") }))
}

fn fetch_from(
    url: &str,
    secret: &str,
    epoch: &str,
    (database, aside): (&Path, Option<Timestamp>),
    tls: TlsConfig,
) -> Result<Copied, String> {
    let agent: Agent = Agent::config_builder()
        .tls_config(tls)
        .timeout_connect(Some(CONNECT_MAX))
        .timeout_global(Some(COPY_MAX))
        .build()
        .into();
    let address = format!("{}{PATH}", url.trim_end_matches('/'));
    let bearer = format!("Bearer {secret}");
    let answer = agent.get(&address).header("authorization", &bearer).call();
    let mut answer = answer.map_err(|error| format!("{address}: {error}"))?;
    let fill = |file: &Path| -> Result<(), ReplaceError> {
        let failed = |source| ReplaceError::Io { path: file.to_path_buf(), source };
        let target = SteadyFile::open(file).map_err(failed)?;
        zstd::stream::copy_decode(answer.body_mut().as_reader(), target).map_err(failed)
    };
    copies::adopt(database, epoch, aside, fill).map_err(|error| chain(&error))
}
