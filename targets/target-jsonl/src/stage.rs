//! What an epoch holds: lines in one file that has no name, so that nothing of it outlives the process.

use std::fs::File;
use std::io::{BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use columns::arrow_array::RecordBatch;
use columns::{Column, StreamName};
use target_api::Result;
use target_api::refusal;

use crate::encode::LineEncoder;
use crate::error::{bug, file};

const BUFFER: usize = 256 * 1024;

/// The lines written since the last commit, of all streams in the order of their coming.
#[derive(Debug, Default)]
pub(crate) struct Epoch {
    lines: Option<BufWriter<File>>,
    length: u64,
    extents: Vec<Extent>,
}

/// Lines of one stream that stand together.
#[derive(Debug)]
struct Extent {
    stream: StreamName,
    start: u64,
    length: u64,
}

/// One batch, and what is known of its stream.
pub(crate) struct Batch<'a> {
    pub(crate) stream: &'a StreamName,
    pub(crate) columns: &'a [Column],
    pub(crate) records: &'a RecordBatch,
    /// Records of the stream before it.
    pub(crate) written: u64,
}

impl Epoch {
    /// Adds the records of a batch. The file is made in this folder, where its lines will go.
    pub(crate) fn add(&mut self, folder: &Path, batch: &Batch<'_>) -> Result<()> {
        if self.lines.is_none() {
            let made = tempfile::tempfile_in(folder);
            let made = made.map_err(|error| file("making a file in", folder, error))?;
            self.lines = Some(BufWriter::with_capacity(BUFFER, made));
        }
        let Some(lines) = &mut self.lines else { return Err(bug("the file of an epoch is not there")) };
        let encoder = LineEncoder::new(batch.columns, batch.records)
            .map_err(|why| bug(format!("stream `{}`: {why}", batch.stream)))?;
        let start = self.length;
        let mut line = Vec::new();
        for record in 0..batch.records.num_rows() {
            line.clear();
            let ordinal = batch.written + record as u64 + 1;
            encoder.write(record, &mut line).map_err(|why| refusal::record(batch.stream, ordinal, &why))?;
            lines.write_all(&line).map_err(|error| file("writing to a temporary file in", folder, error))?;
            self.length += line.len() as u64;
        }
        self.extend(batch.stream, start);
        Ok(())
    }

    fn extend(&mut self, stream: &StreamName, start: u64) {
        let length = self.length - start;
        match self.extents.last_mut() {
            Some(last) if last.stream == *stream => last.length += length,
            _ => self.extents.push(Extent { stream: stream.clone(), start, length }),
        }
    }

    /// Whether it has lines of this stream.
    pub(crate) fn has(&self, stream: &str) -> bool {
        self.extents.iter().any(|extent| extent.stream.as_str() == stream && extent.length > 0)
    }

    /// Copies the lines of a stream to where `out` stands, and gives their bytes.
    pub(crate) fn copy(&mut self, stream: &str, out: &mut File) -> std::io::Result<u64> {
        let Some(lines) = &mut self.lines else { return Ok(0) };
        lines.flush()?;
        let lines = lines.get_mut();
        let mut copied = 0;
        for extent in self.extents.iter().filter(|extent| extent.stream.as_str() == stream) {
            lines.seek(SeekFrom::Start(extent.start))?;
            let bytes = std::io::copy(&mut (&mut *lines).take(extent.length), out)?;
            if bytes != extent.length {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            copied += bytes;
        }
        Ok(copied)
    }
}
