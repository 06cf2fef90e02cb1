//! SIGINT and SIGTERM as a channel.

use runner::{Shutdown, StopSignal};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

/// Listens for the two signals. Must be called inside the runtime.
pub(crate) fn shutdown() -> std::io::Result<Shutdown> {
    let (sender, receiver) = mpsc::channel(2);
    let both =
        [(SignalKind::interrupt(), StopSignal::Interrupt), (SignalKind::terminate(), StopSignal::Terminate)];
    for (kind, stop) in both {
        tokio::spawn(pass_on(signal(kind)?, stop, sender.clone()));
    }
    Ok(receiver)
}

async fn pass_on(mut signals: Signal, stop: StopSignal, sender: mpsc::Sender<StopSignal>) {
    while signals.recv().await.is_some() {
        if sender.send(stop).await.is_err() {
            return;
        }
    }
}
