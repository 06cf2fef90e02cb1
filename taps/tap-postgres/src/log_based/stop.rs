//! When following ends.

use std::time::Duration;

use tap_sdk::TapError;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Variable by which tapster asks for changes without end.
const CONTINUOUS: &str = "TAPSTER_CONTINUOUS";

/// Whether the changes are followed on and on, and a signal that ends it has come.
#[derive(Debug)]
pub(super) struct Stop {
    is_continuous: bool,
    asked: watch::Receiver<bool>,
    /// Where nobody is asked, this keeps the other end.
    _ask: Option<watch::Sender<bool>>,
}

impl Stop {
    /// From now on SIGTERM and SIGINT ask for the end, where the environment asks for no other.
    pub(super) fn from_environment() -> Result<Self, TapError> {
        let (ask, asked) = watch::channel(false);
        if std::env::var_os(CONTINUOUS).is_none_or(|value| value != "1") {
            return Ok(Self { is_continuous: false, asked, _ask: Some(ask) });
        }
        let listen = |kind| {
            signal(kind).map_err(|error| TapError::failed(format!("signals cannot be listened to: {error}")))
        };
        let (mut terminate, mut interrupt) =
            (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
        tokio::spawn(async move {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            // Nobody who listens is nobody to be told.
            let _ = ask.send(true);
            std::future::pending::<()>().await;
        });
        Ok(Self { is_continuous: true, asked, _ask: None })
    }

    pub(super) fn is_continuous(&self) -> bool {
        self.is_continuous
    }

    pub(super) fn is_asked(&self) -> bool {
        *self.asked.borrow()
    }

    /// Waits until it is asked for.
    pub(super) async fn asked(&self) {
        let mut asked = self.asked.clone();
        if asked.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits for this; `None`: it is asked for before.
    pub(super) async fn or<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.asked() => None,
        }
    }

    /// Waits so long, or until it is asked for.
    pub(super) async fn wait(&self, time: Duration) {
        tokio::select! { () = self.asked() => {}, () = tokio::time::sleep(time) => {} }
    }
}
