//! Several COPYs over several sessions, each read in turn: what comes early waits, up to a limit.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use tap_sdk::TapError;
use tokio::sync::mpsc;

use crate::session::Session;

/// Bytes that are handed over at once.
const PIECE: usize = 256 * 1024;
/// Pieces of one COPY that may wait.
const WAITING: usize = 16;

/// What one COPY gives. It ends without a word when its session does: the rows tell whether all came.
pub(crate) type Pieces = mpsc::Receiver<Result<Bytes, TapError>>;

struct Copy {
    sql: String,
    pieces: mpsc::Sender<Result<Bytes, TapError>>,
}

/// Starts the statements, in their order, each on the next session that is free. `doing` says what they are for.
pub(crate) fn start(sessions: &[Arc<Session>], statements: Vec<String>, doing: &str) -> Vec<Pieces> {
    let mut receivers = Vec::with_capacity(statements.len());
    let mut copies = VecDeque::with_capacity(statements.len());
    for sql in statements {
        let (pieces, receiver) = mpsc::channel(WAITING);
        copies.push_back(Copy { sql, pieces });
        receivers.push(receiver);
    }
    let copies = Arc::new(Mutex::new(copies));
    for session in sessions {
        tokio::spawn(run_all(Arc::clone(session), Arc::clone(&copies), doing.to_owned()));
    }
    receivers
}

async fn run_all(session: Arc<Session>, copies: Arc<Mutex<VecDeque<Copy>>>, doing: String) {
    loop {
        let next = copies.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(copy) = next else { return };
        match run(&session, &copy).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                // Nobody who listens is nobody to be told.
                let _ = copy.pieces.send(Err(session.error(&doing, &error))).await;
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
            if copy.pieces.send(Ok(piece)).await.is_err() {
                return Ok(false);
            }
        }
    }
    Ok(copy.pieces.send(Ok(waiting.freeze())).await.is_ok())
}
