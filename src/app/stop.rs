//! How the process ends. Signals are received from the first moment on, by a thread that nothing can block.
//!
//! # Contract
//!
//! 1. A signal while the hub starts ends it at once, with exit code 0: nothing has been accepted yet, and the
//!    database survives any end of the process. (As process 1 of a container it would ignore a signal that it does
//!    not listen for.)
//! 2. A signal while it serves begins the drain, which ends within [`DRAIN_SECONDS_MAX`]. After that the
//!    process ends with [`EXIT_DEADLINE`], even if something hangs. What was acknowledged is durable all the same.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// Most seconds from the signal to the end. Less than the ten that Docker waits before it kills.
pub const DRAIN_SECONDS_MAX: u64 = 9;
/// The exit code where something hung and the drain was cut short.
pub const EXIT_DEADLINE: u8 = 4;

/// "File too large": the number of SIGXFSZ on Linux, except on MIPS.
const SIGXFSZ: i32 = 25;

/// Receives the signal to stop.
pub struct StopSignal {
    heard: oneshot::Receiver<()>,
    serving: Arc<AtomicBool>,
}

impl StopSignal {
    /// Begins to listen for signals.
    pub fn listen() -> io::Result<Self> {
        let (hear, heard) = oneshot::channel();
        let (tell_ready, ready) = sync_channel(1);
        let serving = Arc::new(AtomicBool::new(false));
        let started = Arc::clone(&serving);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            runtime.block_on(async {
                let signals = Signals::register();
                let registered = signals.as_ref().map(|_| ()).map_err(|error| io::Error::from(error.kind()));
                if tell_ready.send(registered).is_err() {
                    log::error!("a signal came, but nothing waits for signals");
                }
                if let Ok(signals) = signals {
                    watch(signals, &started, hear).await;
                }
            });
        })?;
        ready.recv().map_err(io::Error::other)??;
        Ok(Self { heard, serving })
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

async fn watch(mut signals: Signals, serving: &AtomicBool, hear: oneshot::Sender<()>) {
    tokio::select! {
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
