//! Listens: the HTTP service on sockets of our own, and the kernel settings of each of them.

use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, Protocol};
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::{AppConfig, Extensions, Server};
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::{App, web};
use socket2::SockRef;

use super::StartError;
use crate::http::connections::Connections;
use crate::http::state::EdgeState;
use crate::http::{self, guards, unread};
use crate::session::slices::SLICE_BYTES_MAX;
use crate::session::wire::Wire;
use crate::session::worker_fan_out::WorkerSockets;

/// How long a peer may leave data unacknowledged before the kernel ends the connection. A session whose peer
/// reads nothing is not polled, so nothing else would notice.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(30);
/// Bytes that the kernel buffers for one connection. Without this bound, a reader that has stopped takes about
/// 4 MB.
const SEND_BUFFER_BYTES: usize = 128 * 1024;
/// Connections that may wait to be accepted. After a restart thousands of clients reconnect at once.
pub(super) const BACKLOG: u32 = 8_192;
/// Connections per worker, more than any limit of sessions.
const CONNECTIONS_PER_WORKER_MAX: usize = 50_000;
/// How long an idle connection is kept for the next request.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long a connection whose request was not read to its end may take to close.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Seconds that open requests and sockets get to end when the hub stops. A peer that reads nothing never ends
/// by itself.
const STOP_SECONDS_MAX: u64 = 4;
/// Threads of each worker for large bodies and files. More would only take memory.
const BLOCKING_THREADS_PER_WORKER: usize = 16;

pub(super) fn serve(
    listener: TcpListener,
    state: &web::Data<EdgeState>,
    workers: Option<usize>,
    head_timeout: Duration,
    connections: Arc<Connections>,
) -> Result<Server, StartError> {
    let state = state.clone();
    let address = listener.local_addr()?;
    let mut server = Server::build()
        .backlog(BACKLOG)
        .max_concurrent_connections(CONNECTIONS_PER_WORKER_MAX)
        .shutdown_timeout(STOP_SECONDS_MAX)
        .worker_max_blocking_threads(BLOCKING_THREADS_PER_WORKER)
        .disable_signals();
    if let Some(workers) = workers {
        server = server.workers(workers);
    }
    let stopping = server.graceful_shutdown_signal();
    // Like actix's `HttpServer`, except for the socket type: sessions write to it without the connection's
    // buffer.
    let serve = move || {
        let (state, connections, stopping) = (state.clone(), Arc::clone(&connections), stopping.clone());
        // The middleware that is added last is the outermost.
        let app = App::new()
            .wrap(from_fn(unread::drop_behind_answer))
            .wrap(from_fn(guards::explain_methods))
            .wrap(from_fn(guards::refuse_large_heads))
            .wrap(http::cors(&state))
            .wrap(from_fn(guards::protect))
            .wrap(from_fn(guards::observe))
            .app_data(state.clone())
            .app_data(Rc::<WorkerSockets>::default())
            .configure(|config| http::configure(config, &state));
        let app = map_config(app.into_factory(), |()| AppConfig::default());
        let service = HttpService::<Wire, _, _>::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(head_timeout)
            .client_disconnect_timeout(DISCONNECT_TIMEOUT)
            .h1_write_buffer_size(SLICE_BYTES_MAX)
            .local_addr(address)
            .on_connect_ext(move |wire: &Wire, extensions| tune(wire, extensions, &connections))
            .finish(app);
        fn_service(async |stream: TcpStream| {
            let peer = stream.peer_addr().ok();
            Ok::<_, DispatchError>((Wire::new(stream), Protocol::Http1, peer))
        })
        .and_then(service)
    };
    Ok(server.listen("hub", listener, serve)?.run())
}

/// Sets the kernel's options of an accepted connection, or closes it where its address has too many.
fn tune(wire: &Wire, extensions: &mut Extensions, connections: &Arc<Connections>) {
    extensions.insert(Rc::clone(wire.queue()));
    let tuned = wire.queue().with_stream(|stream| tune_socket(stream, extensions, connections));
    if let Err(error) = tuned {
        log::debug!("a connection ended before it was set up: {error}");
    }
}

fn tune_socket(
    stream: &TcpStream,
    extensions: &mut Extensions,
    connections: &Arc<Connections>,
) -> io::Result<()> {
    let socket = SockRef::from(stream);
    match stream.peer_addr().map(|peer| connections.enter(peer.ip())) {
        // Kept as long as the connection.
        Ok(Ok(Some(counted))) => drop(extensions.insert(counted)),
        Ok(Ok(None)) => {}
        Ok(Err(error)) => {
            log::debug!("a connection is closed: {error}");
            if let Err(error) = socket.shutdown(std::net::Shutdown::Both) {
                log::debug!("it had ended already: {error}");
            }
            return Ok(());
        }
        Err(error) => log::debug!("a connection ended before it was counted: {error}"),
    }
    socket
        // Nagle's algorithm and delayed acknowledgements together hold small frames back for 40 ms.
        .set_tcp_nodelay(true)
        .and_then(|()| socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_MAX)))
        .and_then(|()| socket.set_send_buffer_size(SEND_BUFFER_BYTES))
}
