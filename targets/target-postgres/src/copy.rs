//! One COPY: records are written into buffers of some hundreds of KiB, and while the connection sends one the next
//! is filled.

use std::ops::Range;
use std::pin::Pin;

use bytes::Bytes;
use columns::Column;
use columns::arrow_array::RecordBatch;
use futures::SinkExt;
use tokio_postgres::{Client, CopyInSink, Error, Statement};

use crate::encode::{BatchEncoder, HEADER, LARGE, Refusal, TRAILER};

/// Bytes of a buffer that is sent. A record may make it longer, by at most its own small cells.
const CHUNK: usize = 256 * 1024;

/// Why a COPY failed; nothing of it is there.
#[derive(Debug)]
pub(crate) enum CopyFailure {
    /// This record cannot be written.
    Record { row: usize, why: Refusal },
    /// The server refused it, or the connection is lost.
    Server(Error),
}

impl From<Error> for CopyFailure {
    fn from(error: Error) -> Self {
        Self::Server(error)
    }
}

/// How many bytes COPY is sent for a batch; for the bench that counts what encoding takes.
#[must_use]
pub fn copy_bytes(batch: &RecordBatch, columns: &[Column]) -> Option<usize> {
    let encoder = BatchEncoder::new(batch, columns, Some(1))?;
    let mut buffer = Vec::with_capacity(CHUNK + CHUNK / 8);
    let mut sent = 0;
    for row in encoder.rows() {
        encoder.record(row, &mut buffer).ok()?;
        if buffer.len() >= CHUNK {
            sent += buffer.len();
            buffer.clear();
        }
    }
    Some(sent + buffer.len())
}

type Outgoing<'a> = Pin<&'a mut CopyInSink<Bytes>>;

/// Copies these records; returns how many the server took.
pub(crate) async fn copy(
    client: &Client,
    statement: &Statement,
    encoder: &BatchEncoder<'_>,
    rows: Range<usize>,
) -> Result<u64, CopyFailure> {
    let outgoing = client.copy_in(statement).await?;
    let mut outgoing = Box::pin(outgoing);
    let mut buffer = Vec::with_capacity(CHUNK + CHUNK / 8);
    buffer.extend_from_slice(HEADER);
    for row in rows {
        if encoder.has_large() {
            large_record(outgoing.as_mut(), encoder, row, &mut buffer).await?;
        } else {
            encoder.record(row, &mut buffer).map_err(|why| CopyFailure::Record { row, why })?;
        }
        if buffer.len() >= CHUNK {
            send(outgoing.as_mut(), &mut buffer).await?;
        }
    }
    buffer.extend_from_slice(TRAILER);
    send(outgoing.as_mut(), &mut buffer).await?;
    Ok(outgoing.as_mut().finish().await?)
}

async fn send(mut outgoing: Outgoing<'_>, buffer: &mut Vec<u8>) -> Result<(), Error> {
    let full = std::mem::replace(buffer, Vec::with_capacity(CHUNK + CHUNK / 8));
    match outgoing.feed(Bytes::from(full)).await {
        // The server has already said what is wrong: read it.
        Err(error) if error.is_closed() => outgoing.finish().await.map(|_| ()).and(Err(error)),
        sent => sent,
    }
}

/// Writes a record that has a large cell. Such a cell goes out in pieces and is never held twice.
async fn large_record(
    mut outgoing: Outgoing<'_>,
    encoder: &BatchEncoder<'_>,
    row: usize,
    buffer: &mut Vec<u8>,
) -> Result<(), CopyFailure> {
    encoder.begin(row, buffer);
    for column in 0..encoder.width() {
        let rest = encoder.cell(column, row, buffer).map_err(|why| CopyFailure::Record { row, why })?;
        for piece in rest.unwrap_or_default().chunks(LARGE) {
            send(outgoing.as_mut(), buffer).await?;
            buffer.extend_from_slice(piece);
        }
    }
    Ok(())
}
