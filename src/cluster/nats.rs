//! The connection to NATS, and the checks of a server that must not lose what it acknowledged.

use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream;
use async_nats::{Client, ConnectOptions, Event};
use serde::Deserialize;
use ureq::Agent;
use ureq::tls::TlsConfig;

use super::ClusterError;
use super::settings::{ClusterSettings, NatsAccess};
use super::state::ClusterState;

/// The oldest minor version of the servers' major version 2 that is known to keep what it acknowledged.
const VERSION_MIN: (i64, i64, i64) = (2, 12, 0);
/// A delivery of 10 MiB has at most 8.3 MiB when it is compressed, unless it consists of noise.
const PAYLOAD_MIN: usize = 12_000_000;
/// How often the connection is tried: a server that says nothing for two of these counts as gone.
const PING_INTERVAL: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest pause between two tries to connect.
const RECONNECT_MAX: Duration = Duration::from_secs(1);
/// How long JetStream may take to acknowledge a record. Deliveries wait less long and go into the inbox.
const ACK_TIMEOUT: Duration = Duration::from_secs(5);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// The same for a command. Three busy servers were seen to take more than five seconds to make a stream.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);
const MONITOR_TIMEOUT: Duration = Duration::from_secs(5);

/// Begins to connect, and goes on for ever. Must be called on the runtime of the cluster.
pub async fn connect(settings: &ClusterSettings, state: &ClusterState) -> Result<Client, ClusterError> {
    let access = &settings.access;
    let failed = |reason: String| ClusterError::Connect { servers: access.servers.join(","), reason };
    let told = state.clone();
    let options = signed_in(ConnectOptions::new(), access)
        .name(format!("umbler-hub {}", settings.node))
        .retry_on_initial_connect()
        .connection_timeout(CONNECT_TIMEOUT)
        .request_timeout(Some(REQUEST_TIMEOUT))
        .ping_interval(PING_INTERVAL)
        .reconnect_delay_callback(|attempts| {
            let tenths = u32::try_from(attempts).unwrap_or(u32::MAX);
            RECONNECT_MAX.min(Duration::from_millis(100).saturating_mul(tenths))
        })
        .event_callback(move |event| {
            note(&told, &event);
            std::future::ready(())
        });
    options.connect(&access.servers[..]).await.map_err(|error| failed(error.to_string()))
}

fn signed_in(mut options: ConnectOptions, access: &NatsAccess) -> ConnectOptions {
    if let Some((user, password)) = &access.user {
        options = options.user_and_password(user.clone(), password.expose().to_owned());
    }
    if let Some(token) = &access.token {
        options = options.token(token.expose().to_owned());
    }
    if let Some(file) = &access.ca_file {
        options = options.add_root_certificates(file.clone()).require_tls(true);
    }
    if let Some((certificate, key)) = &access.certificate {
        options = options.add_client_certificate(certificate.clone(), key.clone()).require_tls(true);
    }
    options
}

#[expect(clippy::wildcard_enum_match_arm, reason = "of the others the library's own log tells")]
fn note(state: &ClusterState, event: &Event) {
    match event {
        Event::Connected => {
            log::info!("connected to NATS");
            // Perhaps to another server, and to one that was put back to an older state.
            state.identity().note(false);
            state.note_connected(true);
        }
        Event::Disconnected | Event::Closed => {
            log::warn!("the connection to NATS is lost");
            state.note_connected(false);
        }
        Event::ServerError(_) | Event::ClientError(_) => state.note_trouble(event.to_string()),
        _ => {}
    }
}

/// The context in which records are published.
pub fn context(client: Client) -> jetstream::Context {
    jetstream::ContextBuilder::new().timeout(REQUEST_TIMEOUT).ack_timeout(ACK_TIMEOUT).build(client)
}

/// The context of a command that a person runs. Servers may first have to elect who leads.
pub fn context_of_command(client: Client) -> jetstream::Context {
    jetstream::ContextBuilder::new().timeout(COMMAND_TIMEOUT).build(client)
}

/// True if there is a connection now.
pub fn is_connected(client: &Client) -> bool {
    client.connection_state() == State::Connected
}

/// Checks the server that this client is connected to.
pub fn check_server(client: &Client) -> Result<(), ClusterError> {
    let info = client.server_info();
    let (major, minor, patch) = VERSION_MIN;
    if !client.is_server_compatible(major, minor, patch) {
        return Err(ClusterError::Version(info.version));
    }
    if !info.jetstream {
        return Err(ClusterError::NoJetStream);
    }
    if info.max_payload < PAYLOAD_MIN {
        return Err(ClusterError::Payload(info.max_payload));
    }
    Ok(())
}

/// The part of `/varz` that says whether JetStream syncs what it stores.
#[derive(Deserialize)]
struct Varz {
    #[serde(default)]
    jetstream: JetStreamPart,
}

#[derive(Default, Deserialize)]
struct JetStreamPart {
    #[serde(default)]
    config: JetStreamConfig,
}

#[derive(Default, Deserialize)]
struct JetStreamConfig {
    #[serde(default)]
    sync_always: bool,
}

/// Asks a server's monitoring address whether it syncs what it acknowledges. Blocks.
pub fn check_sync(url: &str, tls: TlsConfig) -> Result<(), ClusterError> {
    let agent: Agent =
        Agent::config_builder().tls_config(tls).timeout_global(Some(MONITOR_TIMEOUT)).build().into();
    let address = format!("{}/varz", url.trim_end_matches('/'));
    let wrong = |error: ureq::Error| ClusterError::Monitor(format!("{address} does not answer: {error}"));
    let varz: Varz = agent.get(&address).call().map_err(wrong)?.body_mut().read_json().map_err(wrong)?;
    if varz.jetstream.config.sync_always { Ok(()) } else { Err(ClusterError::NotSynced) }
}
