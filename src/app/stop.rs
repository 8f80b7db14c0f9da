//! How the process ends. Signals are received from the first moment on, by a thread that nothing can block.
//!
//! # Contract
//!
//! 1. A signal while the hub starts ends it at once, with exit code 0: nothing has been accepted yet, and the
//!    database survives any end of the process. (As process 1 of a container it would ignore a signal that it does
//!    not listen for.)
//! 2. A signal while it serves begins the drain, which ends within [`DRAIN_SECONDS_MAX`]. After that the
//!    process ends with [`EXIT_DEADLINE`], even if something hangs. What was acknowledged is durable all the same.
//! 3. A hub whose database differs from those of the other hubs drains in the same way by itself, once its next start can get a copy
//!    of another one. Then it ends with [`EXIT_ANEW`], so that whoever watches over it starts it again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, oneshot};

use crate::cluster::ClusterState;

/// Most seconds from the signal to the end. Less than the ten that Docker waits before it kills.
pub const DRAIN_SECONDS_MAX: u64 = 9;
/// The exit code where something hung and the drain was cut short.
pub const EXIT_DEADLINE: u8 = 4;

/// The exit code of a hub of a cluster that must be started again to get a copy of another hub's database.
pub const EXIT_ANEW: u8 = 5;

/// "File too large": the number of SIGXFSZ on Linux, except on MIPS.
const SIGXFSZ: i32 = 25;

/// Receives the signal to stop.
pub struct StopSignal {
    heard: oneshot::Receiver<()>,
    serving: Arc<AtomicBool>,
    /// Asks for the same as a signal does.
    asks: Arc<Notify>,
}

/// Why a hub has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    Asked,
    /// Its next start gets a copy of another hub's database.
    ToBeginAnew,
}

/// Knows whether a hub has ended by itself.
pub struct EndsByItself(Arc<AtomicBool>);

impl EndsByItself {
    pub fn stopped(&self) -> Stopped {
        if self.0.load(Ordering::SeqCst) { Stopped::ToBeginAnew } else { Stopped::Asked }
    }
}

impl StopSignal {
    /// Begins to listen for signals.
    pub fn listen() -> io::Result<Self> {
        let (hear, heard) = oneshot::channel();
        let (tell_ready, ready) = sync_channel(1);
        let serving = Arc::new(AtomicBool::new(false));
        let started = Arc::clone(&serving);
        let asks = Arc::new(Notify::new());
        let asked = Arc::clone(&asks);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            runtime.block_on(async {
                let signals = Signals::register();
                let registered = signals.as_ref().map(|_| ()).map_err(|error| io::Error::from(error.kind()));
                if tell_ready.send(registered).is_err() {
                    log::error!("a signal came, but nothing waits for signals");
                }
                if let Ok(signals) = signals {
                    watch(signals, &asked, &started, hear).await;
                }
            });
        })?;
        ready.recv().map_err(io::Error::other)??;
        Ok(Self { heard, serving, asks })
    }

    /// From now on a hub of a cluster also stops when it is to begin anew.
    pub fn hear_from(&self, cluster: Option<ClusterState>) -> EndsByItself {
        let (ends, asks) = (Arc::new(AtomicBool::new(false)), Arc::clone(&self.asks));
        let by_itself = EndsByItself(Arc::clone(&ends));
        if let Some(cluster) = cluster {
            actix_rt::spawn(async move {
                cluster.trust().ends_to_begin_anew().await;
                ends.store(true, Ordering::SeqCst);
                asks.notify_one();
            });
        }
        by_itself
    }

    /// Waits for a signal. From here on a signal no longer ends the process at once; the caller drains.
    pub async fn heard(self) {
        self.serving.store(true, Ordering::SeqCst);
        if self.heard.await.is_err() {
            log::error!("signals are no longer received; only kill -9 ends this process");
            std::future::pending::<()>().await;
        }
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// A limit on file sizes is handled like a full disk. With a handler for its signal, the write fails
    /// instead of the process ending.
    _file_too_large: Signal,
}

impl Signals {
    fn register() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            _file_too_large: signal(SignalKind::from_raw(SIGXFSZ))?,
        })
    }
}

async fn watch(mut signals: Signals, asked: &Notify, serving: &AtomicBool, hear: oneshot::Sender<()>) {
    tokio::select! {
        () = asked.notified() => {}
        _ = signals.terminate.recv() => {}
        _ = signals.interrupt.recv() => {}
    }
    if !serving.load(Ordering::SeqCst) || hear.send(()).is_err() {
        log::info!("stopped while starting");
        std::process::exit(0);
    }
    tokio::time::sleep(Duration::from_secs(DRAIN_SECONDS_MAX)).await;
    log::error!("something hangs; ending without waiting for it after {DRAIN_SECONDS_MAX} s");
    std::process::exit(EXIT_DEADLINE.into());
}
