//! Several COPYs over several sessions, each read in turn: what comes early waits, up to a limit.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use tap_sdk::TapError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::session::Session;

/// Bytes that are handed over at once. A row is never cut, however large it is.
const PIECE: usize = 256 * 1024;
/// Bytes of one COPY that may wait, unless one piece alone has more.
const WAITING: u32 = 4 << 20;

type Piece = Result<Bytes, TapError>;

/// What one COPY gives. It ends without a word when its session does: the rows tell whether all came.
pub(crate) struct Pieces {
    waiting: mpsc::Receiver<(Piece, OwnedSemaphorePermit)>,
    turns: Arc<Semaphore>,
}

impl Pieces {
    /// The next of them; `None` at the end.
    pub(crate) async fn recv(&mut self) -> Option<Piece> {
        let (piece, _room) = self.waiting.recv().await?;
        Some(piece)
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        self.turns.add_permits(1);
    }
}

/// Where a session puts what its COPY gives.
struct Outlet {
    pieces: mpsc::Sender<(Piece, OwnedSemaphorePermit)>,
    room: Arc<Semaphore>,
}

impl Outlet {
    /// Waits until there is room for it; `false` when nobody listens any more.
    async fn send(&self, piece: Piece) -> bool {
        let bytes = piece.as_ref().map_or(0, Bytes::len);
        let bytes = u32::try_from(bytes).map_or(WAITING, |bytes| bytes.min(WAITING));
        let Ok(room) = Arc::clone(&self.room).acquire_many_owned(bytes).await else { return false };
        self.pieces.send((piece, room)).await.is_ok()
    }
}

fn channel(turns: &Arc<Semaphore>) -> (Outlet, Pieces) {
    let (pieces, waiting) = mpsc::channel(WAITING as usize / PIECE + 2);
    let room = Arc::new(Semaphore::new(WAITING as usize));
    (Outlet { pieces, room }, Pieces { waiting, turns: Arc::clone(turns) })
}

struct Copy {
    sql: String,
    outlet: Outlet,
}

/// Starts the statements, in their order, each on the next session that is free. A session that is done with its own
/// waits until the first of those under way was read to its end: else small ones would all be done, and wait, before
/// it is their turn. `doing` says what they are for.
pub(crate) fn start(sessions: &[Arc<Session>], statements: Vec<String>, doing: &str) -> Vec<Pieces> {
    let turns = Arc::new(Semaphore::new(sessions.len()));
    let mut receivers = Vec::with_capacity(statements.len());
    let mut copies = VecDeque::with_capacity(statements.len());
    for sql in statements {
        let (outlet, pieces) = channel(&turns);
        copies.push_back(Copy { sql, outlet });
        receivers.push(pieces);
    }
    let copies = Arc::new(Mutex::new(copies));
    for session in sessions {
        let (session, copies, turns) = (Arc::clone(session), Arc::clone(&copies), Arc::clone(&turns));
        tokio::spawn(run_all(session, copies, turns, doing.to_owned()));
    }
    receivers
}

async fn run_all(
    session: Arc<Session>,
    copies: Arc<Mutex<VecDeque<Copy>>>,
    turns: Arc<Semaphore>,
    doing: String,
) {
    // A turn is given back by whoever has read what came of it.
    while let Ok(turn) = turns.acquire().await {
        turn.forget();
        let next = copies.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(copy) = next else { return };
        match run(&session, &copy).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                // Nobody who listens is nobody to be told.
                let _ = copy.outlet.send(Err(session.error(&doing, &error))).await;
                return;
            }
        }
    }
}

/// `false` when nobody listens any more.
async fn run(session: &Session, copy: &Copy) -> Result<bool, tokio_postgres::Error> {
    let rows = session.client().copy_out(copy.sql.as_str()).await?;
    futures::pin_mut!(rows);
    let mut waiting = BytesMut::with_capacity(PIECE);
    while let Some(row) = rows.next().await {
        waiting.extend_from_slice(&row?);
        if waiting.len() >= PIECE {
            let piece = std::mem::replace(&mut waiting, BytesMut::with_capacity(PIECE)).freeze();
            if !copy.outlet.send(Ok(piece)).await {
                return Ok(false);
            }
        }
    }
    Ok(copy.outlet.send(Ok(waiting.freeze())).await)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn so_many_bytes_wait_and_no_more_however_large_a_row_is() {
        let (outlet, mut pieces) = channel(&Arc::new(Semaphore::new(0)));
        let send = |bytes: u32| outlet.send(Ok(Bytes::from(vec![0; bytes as usize]))).now_or_never();
        assert_eq!(send(WAITING - 1), Some(true));
        assert_eq!(send(2), None, "there is room for one byte");
        assert!(pieces.recv().now_or_never().is_some());
        assert_eq!(send(3 * WAITING), Some(true), "one that is larger than all the room comes alone");
        assert_eq!(send(1), None);
        assert!(pieces.recv().now_or_never().is_some());
        assert_eq!(send(1), Some(true));
        drop(pieces);
        assert_eq!(send(WAITING), Some(false), "nobody listens");
    }
}
