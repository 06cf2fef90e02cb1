//! A thread of its own for what must not block: DuckDB is synchronous, and its connection stays on one thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use target_api::{Result, TargetError};
use tokio::sync::oneshot;

use crate::error;

type Work<S> = Box<dyn FnOnce(&mut S) + Send>;

/// A thread that owns an `S` and does one piece of work after the other.
pub(crate) struct Worker<S: 'static> {
    work: Option<SyncSender<Work<S>>>,
    thread: Option<JoinHandle<()>>,
}

impl<S> Worker<S> {
    /// Starts the thread; it makes its `S` itself.
    pub(crate) fn start(make: impl FnOnce() -> S + Send + 'static) -> Result<Self> {
        let (work, todo) = sync_channel::<Work<S>>(1);
        let thread = std::thread::Builder::new().name("duckdb".to_owned()).spawn(move || {
            let mut owned = make();
            while let Ok(piece) = todo.recv() {
                // After a panic nobody knows what it owns is like: it is dropped, and no work is taken any more.
                if catch_unwind(AssertUnwindSafe(|| piece(&mut owned))).is_err() {
                    break;
                }
            }
        });
        let thread = thread
            .map_err(|cause| TargetError::temporary(error::OPEN, "no thread for DuckDB").caused_by(cause))?;
        Ok(Self { work: Some(work), thread: Some(thread) })
    }

    /// Does a piece of work on the thread. It is done to its end even if nobody waits for it any more.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        piece: impl FnOnce(&mut S) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let piece: Work<S> = Box::new(move |owned| {
            let _ = reply.send(piece(owned));
        });
        // There is room: the caller waits for each answer before it asks again.
        let sent = self.work.as_ref().map(|work| work.send(piece));
        if !matches!(sent, Some(Ok(()))) {
            return Err(died());
        }
        answer.await.unwrap_or_else(|_| Err(died()))
    }
}

fn died() -> TargetError {
    error::order("the thread of DuckDB died over a bug; nothing that was not committed is kept")
}

impl<S> Drop for Worker<S> {
    /// Waits until the thread has let go of what it owns, so that the next one finds the file closed.
    fn drop(&mut self) {
        self.work = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Worker;

    #[tokio::test]
    async fn a_panic_is_an_error_and_ends_the_work() {
        let worker = Worker::start(|| 0).unwrap();
        worker
            .ask(|count| {
                *count += 1;
                Ok(())
            })
            .await
            .unwrap();
        let failed = worker.ask(|count: &mut i32| -> target_api::Result<()> { panic!("at {count}") }).await;
        assert_eq!(failed.unwrap_err().code, "E0364");
        assert_eq!(worker.ask(|count| Ok(*count)).await.unwrap_err().code, "E0364");
    }
}
