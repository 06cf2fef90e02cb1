//! `parquet`: row groups read piece by piece.

use std::fs::File;

use columns::arrow_array::RecordBatch;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::Compression;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};

use super::FileError;

/// Most rows that are read at once.
const MOST_ROWS: usize = 16 << 10;

/// The batches of a parquet file, each of about `batch_bytes`.
pub(crate) struct ParquetBatches(ParquetRecordBatchReader);

impl ParquetBatches {
    pub(crate) fn open(file: File, batch_bytes: usize) -> Result<Self, FileError> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged(&error))?;
        let chunks = || builder.metadata().row_groups().iter().flat_map(RowGroupMetaData::columns);
        if let Some(chunk) = chunks().find(|chunk| !is_known(chunk.compression())) {
            let codec = chunk.compression().to_string();
            return Err(FileError::Codec { codec: codec.split('(').next().unwrap_or_default().to_owned() });
        }
        let rows = rows_at_once(builder.metadata(), batch_bytes);
        builder.with_batch_size(rows).build().map(Self).map_err(|error| damaged(&error))
    }
}

impl Iterator for ParquetBatches {
    type Item = Result<RecordBatch, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|batch| batch.map_err(|error| damaged(&error)))
    }
}

fn is_known(codec: Compression) -> bool {
    matches!(codec, Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::GZIP(_))
}

/// So many that the rows of the widest row group, unpacked, are about that large.
fn rows_at_once(metadata: &ParquetMetaData, batch_bytes: usize) -> usize {
    let fit = |bytes: i64, rows: i64| {
        let row = usize::try_from(bytes / rows.max(1)).unwrap_or_default().max(1);
        batch_bytes / row
    };
    let groups = metadata.row_groups().iter();
    let fit = groups.map(|group| fit(group.columns().iter().map(unpacked).sum(), group.num_rows()));
    fit.min().unwrap_or(MOST_ROWS).clamp(1, MOST_ROWS)
}

/// Bytes of a column's values. Where a dictionary holds each value once, only newer files say it.
fn unpacked(chunk: &ColumnChunkMetaData) -> i64 {
    chunk.uncompressed_size().max(chunk.unencoded_byte_array_data_bytes().unwrap_or_default())
}

fn damaged(error: &dyn std::fmt::Display) -> FileError {
    FileError::Damaged { format: "parquet", reason: error.to_string() }
}
