//! SIGTERM and SIGINT are passed on to the source, which may end in order.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Once};

use rustix::process::{Pid, Signal, kill_process};
use tokio::signal::unix::{SignalKind, signal};

/// Whether and by which signal the end was asked for, and the source that is to hear of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Process id of the running source; 0 for none.
    source: AtomicI32,
    /// The signal; 0 for none.
    signal: AtomicI32,
}

impl Stop {
    /// The running source; none with 0. A signal that came before it started reaches it, too.
    pub(crate) fn tell(&self, source: i32) {
        static LISTENING: Once = Once::new();
        let shared = Arc::clone(&self.0);
        LISTENING.call_once(|| {
            std::thread::spawn(move || shared.listen());
        });
        self.0.source.store(source, Ordering::SeqCst);
        if self.0.signal.load(Ordering::SeqCst) != 0 {
            self.0.pass_on();
        }
    }

    /// 128 and the signal's number.
    pub(crate) fn exit_code(&self) -> Option<u8> {
        let signal = self.0.signal.load(Ordering::SeqCst);
        u8::try_from(signal).ok().filter(|&signal| signal != 0).map(|signal| 128 + signal)
    }
}

impl Shared {
    fn listen(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            let (Ok(mut term), Ok(mut interrupt)) =
                (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
            else {
                return;
            };
            loop {
                let came = tokio::select! {
                    _ = term.recv() => Signal::TERM,
                    _ = interrupt.recv() => Signal::INT,
                };
                self.signal.store(came.as_raw(), Ordering::SeqCst);
                self.pass_on();
            }
        });
    }

    fn pass_on(&self) {
        if let Some(source) = Pid::from_raw(self.source.load(Ordering::SeqCst)) {
            // It may have ended meanwhile.
            let _ = kill_process(source, Signal::TERM);
        }
    }
}
